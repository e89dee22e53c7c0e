//! The image of a component's state as of its last checkpoint, and what has changed since.
//!
//! States are compared byte by byte with their image, in lines of fixed size at fixed offsets: exact, at the speed of memory, with no
//! digest to trust, and an increment is as small as the change. It costs memory for one image of each state. An insertion moves what is behind
//! it, which then counts as changed.

use std::io;

/// Bytes of a line.
pub(super) const LINE: usize = 64;
/// Bytes that are compared at once before a look at their lines.
const BLOCK: usize = 64 * LINE;

/// Lines that changed: the first, and the one behind the last.
pub(super) type Range = (u32, u32);

/// Takes what a component writes into its image.
pub(super) struct Sink<'a> {
    image: &'a mut Vec<u8>,
    position: usize,
    changed: Vec<Range>,
    limit: usize,
    /// Whether more was written than the limit allows.
    pub(super) exceeded: bool,
}

impl<'a> Sink<'a> {
    /// A sink for at most `limit` bytes, which are at most 2^32 lines.
    pub(super) fn new(image: &'a mut Vec<u8>, limit: u64) -> Sink<'a> {
        let limit = limit.min(u64::from(u32::MAX) * LINE as u64) as usize;
        Sink { image, position: 0, changed: Vec::new(), limit, exceeded: false }
    }

    /// The state is complete: what changed, in order.
    pub(super) fn finish(self) -> Vec<Range> {
        self.image.truncate(self.position);
        self.changed
    }

    fn mark(&mut self, from: usize, to: usize) {
        let (from, to) = ((from / LINE) as u32, to.div_ceil(LINE) as u32);
        match self.changed.last_mut() {
            Some((_, end)) if from <= *end => *end = to.max(*end),
            _ => self.changed.push((from, to)),
        }
    }

    /// Takes what lies over the image.
    fn overlay(&mut self, data: &[u8]) {
        let mut rest = data;
        while !rest.is_empty() {
            let at = self.position;
            let (block, behind) = rest.split_at(rest.len().min(BLOCK - at % BLOCK));
            if self.image[at..at + block.len()] != *block {
                self.overlay_block(block);
            }
            self.position += block.len();
            rest = behind;
        }
    }

    fn overlay_block(&mut self, block: &[u8]) {
        let (mut at, mut rest) = (self.position, block);
        while !rest.is_empty() {
            let (line, behind) = rest.split_at(rest.len().min(LINE - at % LINE));
            let old = &mut self.image[at..at + line.len()];
            if old != line {
                old.copy_from_slice(line);
                self.mark(at, at + line.len());
            }
            at += line.len();
            rest = behind;
        }
    }
}

impl io::Write for Sink<'_> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        if data.len() > self.limit - self.position {
            self.exceeded = true;
            return Err(io::Error::other(format!("a checkpoint has at most {} bytes", self.limit)));
        }
        let (over, beyond) = data.split_at(data.len().min(self.image.len() - self.position));
        self.overlay(over);
        if !beyond.is_empty() {
            self.image.extend_from_slice(beyond);
            self.mark(self.position, self.position + beyond.len());
            self.position += beyond.len();
        }
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::*;

    fn write(image: &mut Vec<u8>, state: &[u8], cuts: &[usize]) -> Vec<Range> {
        let mut sink = Sink::new(image, 1 << 30);
        let mut rest = state;
        for cut in cuts {
            let (now, later) = rest.split_at(rest.len().min(*cut));
            sink.write_all(now).unwrap();
            rest = later;
        }
        sink.write_all(rest).unwrap();
        sink.finish()
    }

    #[test]
    fn finds_the_lines_that_changed() {
        let mut state = vec![7; 20 * BLOCK + 5];
        let mut image = Vec::new();
        assert_eq!(write(&mut image, &state, &[]), [(0, 20 * 64 + 1)]);
        assert_eq!(write(&mut image, &state, &[3, 5000]), []);
        state[70] = 8;
        state[127] = 8;
        state[128] = 8;
        state[9 * BLOCK] = 8;
        state[20 * BLOCK + 4] = 8;
        assert_eq!(write(&mut image, &state, &[100, 28, 9 * BLOCK]), [(1, 3), (9 * 64, 9 * 64 + 1), (1280, 1281)]);
        state.truncate(100);
        assert_eq!(write(&mut image, &state, &[]), []);
        assert_eq!(image, state);
    }

    #[test]
    fn takes_no_more_than_the_limit() {
        let mut image = Vec::new();
        let mut sink = Sink::new(&mut image, 10);
        sink.write_all(&[1; 8]).unwrap();
        sink.write_all(&[1; 3]).unwrap_err();
        assert!(sink.exceeded && sink.finish() == [(0, 1)]);
        assert_eq!(image.len(), 8);
    }

    proptest! {
        #[test]
        fn the_changed_lines_make_the_new_state_from_the_old(
            old in prop::collection::vec(0u8..3, 0..600),
            new in prop::collection::vec(0u8..3, 0..600),
            cuts in prop::collection::vec(0usize..200, 0..6),
        ) {
            let mut image = old.clone();
            let changed = write(&mut image, &new, &cuts);
            prop_assert_eq!(&image, &new);
            prop_assert!(changed.windows(2).all(|pair| pair[0].1 < pair[1].0));
            let mut patched = old;
            patched.resize(new.len(), 0);
            for (from, to) in changed {
                let (from, to) = (from as usize * LINE, (to as usize * LINE).min(new.len()));
                patched[from..to].copy_from_slice(&new[from..to]);
            }
            prop_assert_eq!(patched, new);
        }
    }
}

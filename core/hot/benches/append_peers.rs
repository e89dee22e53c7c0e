//! What appending a record of one cache line costs in `rtrb` and in crossbeam's `ArrayQueue`, with a live consumer.

mod bursts;
mod driver;

use std::sync::Arc;

use bursts::{Bursts, CAPACITY};
use crossbeam_queue::ArrayQueue;
use driver::Program;

#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Record([u64; 8]);

impl Record {
    /// The fields of an observation: time, epoch, key, value, tag and outcome, subject, detail.
    #[inline(always)]
    fn new(i: u64) -> Record {
        Record([i + 1, i, 7, 11, i, 2, 13, 0])
    }
}

#[unsafe(no_mangle)]
#[inline(never)]
fn loop_rtrb(producer: &mut rtrb::Producer<Record>, n: u64) -> u64 {
    (0..n).map(|i| u64::from(producer.push(Record::new(i)).is_ok())).sum()
}

#[unsafe(no_mangle)]
#[inline(never)]
fn loop_array_queue(queue: &ArrayQueue<Record>, n: u64) -> u64 {
    (0..n).map(|i| u64::from(queue.push(Record::new(i)).is_ok())).sum()
}

fn main() {
    let mut program = Program::default();
    program.add("rtrb", || {
        let (mut producer, mut consumer) = rtrb::RingBuffer::new(CAPACITY);
        let bursts = Bursts::consume(move || consumer.pop().ok().map_or(0, |record: Record| record.0[0].min(1)));
        bursts.round(|n| loop_rtrb(&mut producer, n))
    });
    program.add("array_queue", || {
        let queue = Arc::new(ArrayQueue::new(CAPACITY));
        let consumer = queue.clone();
        let bursts = Bursts::consume(move || consumer.pop().map_or(0, |record: Record| record.0[0].min(1)));
        bursts.round(|n| loop_array_queue(&queue, n))
    });
    program.run();
}

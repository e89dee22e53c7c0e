//! The file that an emergency rollback needs when nothing else can be written: kept allocated, one record a sector, written in place.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use knhk_hot::layout::SECTOR_CAPACITY;

/// Bytes of one record, which is text: version, the version it goes back to, and a check over both.
const RECORD: usize = 64;

pub(crate) struct Emergency {
    /// None where the folder was opened read-only before there was such a file.
    file: Option<File>,
}

/// A rollback that was current but is not among the versions.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Intent {
    pub(crate) version: u64,
    pub(crate) rollback_of: u64,
}

impl Intent {
    fn to_record(&self) -> [u8; RECORD] {
        let text = format!("{:020} {:020} {:020}", self.version, self.rollback_of, self.check());
        let mut record = [b'\n'; RECORD];
        record[..text.len()].copy_from_slice(text.as_bytes());
        record
    }

    fn from_record(record: &[u8; RECORD]) -> Option<Intent> {
        let mut numbers = str::from_utf8(record).ok()?.split_whitespace().map(str::parse::<u64>);
        let (version, rollback_of, check) = (numbers.next()?.ok()?, numbers.next()?.ok()?, numbers.next()?.ok()?);
        let intent = Intent { version, rollback_of };
        (check == intent.check()).then_some(intent)
    }

    /// Tells a whole record from a torn one and from none.
    fn check(&self) -> u64 {
        (self.version.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ self.rollback_of.rotate_left(32)).wrapping_add(1)
    }
}

impl Emergency {
    pub(crate) fn open(path: &Path) -> io::Result<Emergency> {
        let file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path)?;
        let size = (RECORD * SECTOR_CAPACITY) as u64;
        if file.metadata()?.len() < size {
            // Written, not only reserved: so its blocks are there when the disk is full.
            file.write_all_at(&vec![b'\n'; RECORD * SECTOR_CAPACITY], 0)?;
            file.sync_all()?;
        }
        Ok(Emergency { file: Some(file) })
    }

    /// Opens the file beside a live engine, if it is there.
    pub(crate) fn open_read_only(path: &Path) -> io::Result<Emergency> {
        match File::open(path) {
            Ok(file) => Ok(Emergency { file: Some(file) }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Emergency { file: None }),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn intend(&self, sector: usize, intent: &Intent) -> io::Result<()> {
        let file = self.file.as_ref().ok_or(io::ErrorKind::ReadOnlyFilesystem)?;
        file.write_all_at(&intent.to_record(), (sector * RECORD) as u64)?;
        file.sync_data()
    }

    /// The sector's intent, if there is a whole one.
    pub(crate) fn intent(&self, sector: usize) -> io::Result<Option<Intent>> {
        let Some(file) = &self.file else { return Ok(None) };
        let mut record = [0; RECORD];
        match file.read_exact_at(&mut record, (sector * RECORD) as u64) {
            Ok(()) => Ok(Intent::from_record(&record)),
            // A live engine is only just making the file.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_record_is_none() {
        let intent = Intent { version: 12, rollback_of: 7 };
        let record = intent.to_record();
        assert_eq!(Intent::from_record(&record), Some(intent));
        for cut in 0..62 {
            let mut torn = [b'\n'; RECORD];
            torn[..cut].copy_from_slice(&record[..cut]);
            assert_eq!(Intent::from_record(&torn), None, "cut after {cut} bytes");
        }
    }
}

//! Any bytes as a segment's content, as they are or compressed: refused, or read as records that are written as they were read.
#![no_main]

use knhk_observation::{RECORD_BYTES, Record, prove, record, records};
use knhk_store::{Batch, MemoryStore, SectorRecord, Segment, Store, Write};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (bool, u32, u64, Vec<u8>)| {
    let (compressed, count, index, bytes) = input;
    // As many as there are, or whatever the input claims.
    let (count, content) = match compressed {
        true => (bytes.len() as u64 / RECORD_BYTES as u64, zstd::bulk::compress(&bytes, 1).unwrap()),
        false => (count.into(), bytes),
    };
    let store = MemoryStore::new();
    let sector = SectorRecord { name: "orders".into(), number: 0, kind: "direct".into(), time_ns: 1 };
    let segment = Segment {
        number: 0,
        sector: "orders".into(),
        first_ns: 0,
        last_ns: 0,
        count,
        record_bytes: RECORD_BYTES as u32,
        root: [0; 32],
        receipt: None,
        content: Some(content),
    };
    store.commit(Batch::new().with(Write::Sector(sector)).with(Write::Segment(segment))).unwrap();
    if let Ok(read) = records(&store, 0) {
        assert_eq!(read.len() as u64, count);
        for record in &read {
            assert_eq!(Record::decode(&record.encode()), *record);
        }
        assert_eq!(record(&store, 0, index).ok().as_ref(), usize::try_from(index).ok().and_then(|at| read.get(at)));
    }
    assert!(prove(&store, 0, index).is_err(), "it has no receipt");
});

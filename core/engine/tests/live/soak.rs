//! No reader ever sees a mix: eight sectors are promoted, rolled back and tried together while readers read all of them.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread;

use knhk_engine::control::Content;
use knhk_engine::governance::{SectorChange, StartCanary};
use knhk_engine::{Engine, Options, Origin, ReaderOptions, SectorKind, Signer};

const SECTORS: [&str; 8] = ["s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7"];
const READERS: usize = 3;

fn all(n: i64) -> Vec<SectorChange> {
    let content = || Content::Document { text: format!(r#"{{"n": {n}}}"#), format: None };
    SECTORS.iter().map(|sector| SectorChange { sector: (*sector).into(), content: content() }).collect()
}

/// The reads of all readers together; `make soak` makes 10⁸.
fn reads() -> u64 {
    std::env::var("KNHK_SOAK_READS")
        .ok()
        .and_then(|reads| reads.parse::<f64>().ok())
        .map_or(400_000, |reads| reads as u64)
}

#[test]
fn no_reader_sees_a_mix_of_two_generations() {
    let mut options = Options::default();
    options.signer = Some(Signer::from_seed(&[3; 32]));
    let engine = Engine::open(":memory:", options).unwrap();
    SECTORS.iter().for_each(|sector| engine.create_sector(sector, SectorKind::Direct).unwrap());
    engine.promote_together(&all(0), Origin::default()).unwrap();
    let keys = SECTORS.map(|sector| engine.key::<i64>(sector, "n").unwrap());
    let (over, candidates) = (AtomicBool::new(false), AtomicU64::new(0));
    let share = reads() / READERS as u64;
    let read = |reader: u64| {
        let own = engine.register_reader(ReaderOptions::default()).unwrap();
        let mut subject = reader;
        let mut done = 0;
        while done < share {
            subject = subject.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let tries = subject & 1 == 0;
            let view = if tries { own.view_for(subject) } else { own.view() };
            let values = keys.map(|key| key.get(&view, -1));
            assert!(values[0] >= 0 && values.iter().all(|value| *value == values[0]), "a mix: {values:?}");
            candidates.fetch_add(u64::from(values[0] >= 1 << 32), Relaxed);
            done += values.len() as u64;
        }
    };
    let changes = thread::scope(|scope| {
        let (engine, over, read) = (&engine, &over, &read);
        let promoter = scope.spawn(move || {
            let (mut changes, mut canary) = ([0_u64; 3], None);
            for n in 1.. {
                if over.load(Relaxed) {
                    return changes;
                }
                match (n % 5, canary.take()) {
                    (2, None) => {
                        let asked = StartCanary { changes: all(n + (1 << 32)), share: 0.5, ..StartCanary::default() };
                        canary = Some(engine.start_canary(&asked).unwrap().id);
                        changes[2] += 1;
                    }
                    (4, Some(id)) => _ = engine.stop_canary(&id, false, "", "").unwrap(),
                    (0, running) => {
                        canary = running;
                        let newest = |sector: &&str| engine.history(sector).unwrap().last().unwrap().version;
                        let back: Vec<_> =
                            SECTORS.iter().map(|sector| ((*sector).into(), newest(sector) - 1)).collect();
                        engine.rollback_together(&back, Origin::default()).unwrap();
                        changes[1] += 1;
                    }
                    (_, running) => {
                        canary = running;
                        engine.promote_together(&all(n), Origin::default()).unwrap();
                        changes[0] += 1;
                    }
                }
            }
            changes
        });
        let readers: Vec<_> = (0..READERS as u64).map(|reader| scope.spawn(move || read(reader))).collect();
        let ended: Vec<_> = readers.into_iter().map(|reader| reader.join()).collect();
        over.store(true, Relaxed);
        ended.into_iter().for_each(|reader| reader.unwrap());
        promoter.join().unwrap()
    });
    println!(
        "{} reads, {} of them views of a candidate; {} promotions, {} rollbacks, {} canaries of 8 sectors",
        share * READERS as u64,
        candidates.load(Relaxed),
        changes[0],
        changes[1],
        changes[2]
    );
    assert!(changes[0] > 0, "{changes:?}");
}

//! Writes a small log and its proofs as files, for verifiers in other languages: `sample <folder>`.
//!
//! ```text
//! root                  the trust root
//! checkpoint            a signed checkpoint
//! statements/<n>        each statement
//! inclusion/<n>         its receipt (RFC 9942)
//! consistency/<m>       the receipt for the growth from m receipts
//! roots/<m>             the log's root when it had m receipts
//! observations/<n>      records of a batch, with <n>.proof
//! ```

use std::error::Error;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use knhk_ledger::{Checkpoint, Entry, Evidence, Ledger, Outcome, Signer, observations_root, prove_observation};
use knhk_store::{Batch, MemoryStore, SectorRecord, Segment, Store, Write};

const RECORD: usize = 64;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("usage: sample <folder>")?;
    let folder = Path::new(&folder);
    for name in ["statements", "inclusion", "consistency", "roots", "observations"] {
        fs::create_dir_all(folder.join(name))?;
    }
    let store = Arc::new(MemoryStore::new());
    let (ledger, root) = Ledger::create(store.clone(), "example.org/sample", Signer::generate()?, 1_000)?;
    let sector = SectorRecord { name: "orders".into(), number: 0, kind: "direct".into(), time_ns: 1_000 };
    store.commit(Batch::new().with(Write::Sector(sector)))?;
    let entry = |time_ns, evidence| Entry {
        time_ns,
        sector: Some("orders".into()),
        outcome: Outcome::Approved,
        evidence,
        links: Vec::new(),
    };
    let state_root = |ledger: &Ledger| -> Result<(), Box<dyn Error>> {
        let checkpoint = Checkpoint::decode(&ledger.checkpoint(1_000)?)?;
        Ok(fs::write(folder.join("roots").join(checkpoint.size.to_string()), checkpoint.root)?)
    };
    state_root(&ledger)?;
    for n in 0..5 {
        let change = format!("change {n}");
        ledger
            .append(vec![entry(2_000 + n, Evidence::SectorUpdated { change, by: "desk".into(), why: "so".into() })])?;
        state_root(&ledger)?;
    }
    let records: Vec<u8> = (0..100 * RECORD).map(|at| (at * 31) as u8).collect();
    let batch_root = observations_root(&records, RECORD)?;
    let evidence = Evidence::ObservationsIngested {
        segment: 0,
        count: 100,
        record_bytes: RECORD as u64,
        root: batch_root,
        first_ns: 1,
        last_ns: 2,
        refused: 0,
    };
    let batch = ledger.append_with(vec![entry(3_000, evidence)], |receipts| {
        Batch::new().with(Write::Segment(Segment {
            number: 0,
            sector: "orders".into(),
            first_ns: 1,
            last_ns: 2,
            count: 100,
            record_bytes: RECORD as u32,
            root: batch_root,
            receipt: Some(receipts[0].number),
            content: None,
        }))
    })?;
    state_root(&ledger)?;
    for index in [0, 41, 99] {
        let at = index as usize * RECORD;
        let proof = prove_observation(&batch[0].statement, &records, RECORD, index)?;
        fs::write(folder.join(format!("observations/{index}")), &records[at..at + RECORD])?;
        fs::write(folder.join(format!("observations/{index}.proof")), proof.encode())?;
    }
    // From here on another key signs: a verifier has to follow it.
    ledger.rotate(Signer::generate()?, 4_000, Batch::new())?;
    ledger.append(vec![entry(
        5_000,
        Evidence::InvariantViolated { invariant: "Q2".into(), item: "max_qty".into(), detail: "no number".into() },
    )])?;
    state_root(&ledger)?;
    let size = store.log_size()?;
    for number in 0..size {
        let receipt = store.receipt(number)?.ok_or("the log has a gap")?;
        fs::write(folder.join(format!("statements/{number}")), receipt.statement)?;
        fs::write(folder.join(format!("inclusion/{number}")), ledger.prove_inclusion(number)?)?;
        if folder.join(format!("roots/{number}")).exists() {
            fs::write(folder.join(format!("consistency/{number}")), ledger.prove_consistency(number)?)?;
        }
    }
    fs::write(folder.join("checkpoint"), ledger.checkpoint(6_000)?)?;
    fs::write(folder.join("root"), root.to_string())?;
    println!("{size} receipts in {}", folder.display());
    Ok(())
}

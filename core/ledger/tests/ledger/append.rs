//! Appending: from several threads, with other changes, and when the store refuses.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use knhk_ledger::{Evidence, KINDS, Ledger, LedgerError, Statement, VerifyOptions, verify};
use knhk_store::{
    Batch, Checkpoint, Hash, Item, MemoryStore, Pending, Progress, PublicKey, Receipt, ReceiptQuery, Rule,
    SectorRecord, Segment, SegmentQuery, Setting, Store, StoreError, Tag, VersionRecord, Write,
};

use crate::world::{ORIGIN, World, entry, signer, updated};

#[test]
fn every_kind_is_read_as_it_was_written() {
    let hash = [3; 32];
    let text = || "text".to_owned();
    let all = vec![
        Evidence::PatternDetected {
            detector: text(),
            pattern: text(),
            confidence: 0.97,
            observations: vec![text()],
            decision: Some(hash),
            journal: Some(hash),
        },
        Evidence::ProposalGenerated {
            proposal: text(),
            proposer: text(),
            delta: hash,
            confidence: 0.5,
            why: text(),
            prompt: Some(hash),
            response: None,
        },
        Evidence::ValidationExecuted { proposal: None, snapshot: hash, before: None, stages: vec![], duration_ns: 1 },
        Evidence::ProposalApproved { proposal: text(), by: text(), request: hash, approval: hash },
        Evidence::ProposalWithdrawn { proposal: text(), by: text(), why: text() },
        Evidence::ApproversChanged { revision: 1, body: hash, by: text(), why: text() },
        Evidence::GuardAdded { guard: text(), revision: 1, body: hash, by: text(), why: text() },
        Evidence::GuardRemoved { guard: text(), revision: 2, by: text(), why: text() },
        Evidence::RollbackExecuted {
            version: 2,
            rollback_of: 1,
            snapshot: Some(hash),
            before: None,
            parents: vec![1, 7],
            depends: vec![text()],
            major: Some(true),
            epoch: u64::MAX,
            emergency: true,
            by: text(),
            why: text(),
            refused: Some(text()),
        },
        Evidence::CycleCompleted {
            cycle: 1,
            patterns: 2,
            proposals: 3,
            promoted: 4,
            duration_ns: 5,
            decision: Some(hash),
        },
        Evidence::RelaxationRequested { guard: text(), relaxation: text(), by: text(), why: text(), until_ns: 1 },
        Evidence::RelaxationApproved { guard: text(), relaxation: text(), by: text(), approvals: 1, quorum: 3 },
        Evidence::RelaxationRevoked { guard: text(), relaxation: text(), by: text(), why: text() },
        Evidence::RelaxationExpired { guard: text(), relaxation: text(), until_ns: 1 },
        Evidence::RuleAdded { rule: text(), revision: 1, body: hash, by: text(), why: text() },
        Evidence::RuleRemoved { rule: text(), revision: 2, by: text(), why: text() },
        Evidence::ShadowTested { shadow: text(), delta: hash, passed: 1, warnings: 0, blockers: 0 },
        Evidence::InvariantViolated { invariant: text(), item: text(), detail: text() },
        Evidence::SectorUpdated { change: text(), by: text(), why: String::new() },
        Evidence::CodeGenerated { language: text(), snapshot: hash, output: hash },
        Evidence::RegistryValidated { registry: hash, entries: 7 },
        Evidence::BreakerChanged { breaker: text(), from: text(), to: text(), failure_rate: 1.0 },
        Evidence::HealthChanged { component: text(), from: text(), to: text(), availability: 0.123_456_789 },
        Evidence::DegradationChanged { from: text(), to: text(), disabled: vec![text(), text()] },
        Evidence::CheckpointTaken { component: text(), checkpoint: hash, bytes: 9 },
        Evidence::CheckpointRestored { component: text(), checkpoint: hash },
    ];
    let world = World::full(1);
    let wrote = world.ledger.append(all.iter().map(|e| entry(1, None, e.clone())).collect()).unwrap();
    for (appended, evidence) in wrote.iter().zip(&all) {
        let read = Statement::decode(&appended.statement).unwrap();
        assert_eq!(read.claims.evidence, *evidence);
        assert_eq!(read.claims.id(), appended.id);
        let ids = world.store.receipt_by_id(&appended.id).unwrap().unwrap();
        assert_eq!((ids.kind.as_str(), ids.number), (evidence.kind(), appended.number));
    }
    // With those of the world, which has the other four.
    let mut kinds: Vec<&str> = all.iter().map(Evidence::kind).collect();
    kinds.extend(["ledger created", "key rotated", "observations ingested", "snapshot promoted"]);
    kinds.sort_unstable();
    let mut known = KINDS.to_vec();
    known.sort_unstable();
    assert_eq!(kinds, known);
    world.verify().unwrap();
}

#[test]
fn links_and_outcomes_are_signed() {
    let world = World::new();
    let first = world.ledger.append(vec![updated(1)]).unwrap().remove(0);
    let linked =
        knhk_ledger::Entry { outcome: knhk_ledger::Outcome::Rejected, links: vec![first.id.clone()], ..updated(2) };
    let second = world.ledger.append(vec![linked]).unwrap().remove(0);
    let read = Statement::decode(&second.statement).unwrap().claims;
    assert_eq!((read.links, read.outcome), (vec![first.id], knhk_ledger::Outcome::Rejected));
    assert_eq!(second.id, "0000000000000002-orders-2");
}

#[test]
fn many_threads_append_one_chain() {
    let world = World::new();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let ledger = &world.ledger;
            scope.spawn(move || {
                for n in 0..20 {
                    ledger.append(vec![updated(100 * thread + n), updated(n)]).unwrap();
                }
            });
        }
    });
    assert_eq!(world.verify().unwrap().receipts, 321);
    let reopened = Ledger::open(world.store.clone(), &world.root, Some(signer(1)), None).unwrap();
    reopened.append(vec![updated(1)]).unwrap();
    assert_eq!(world.verify().unwrap().receipts, 322);
}

#[test]
fn a_log_is_verified_while_it_grows() {
    let world = World::full(50);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for n in 4.. {
                world.promote(n, n);
                world.observe(n - 1, 5);
                if stop.load(Ordering::Relaxed) {
                    break;
                }
            }
        });
        for _ in 0..10 {
            // Each report is a moment at which more may come.
            let seen = verify(&*world.store, &world.root, VerifyOptions::default(), &mut |_| true);
            let grown = world.store.log_size().unwrap();
            while world.store.log_size().unwrap() == grown {
                std::thread::yield_now();
            }
            if seen.is_err() {
                stop.store(true, Ordering::Relaxed);
            }
            seen.unwrap();
        }
        stop.store(true, Ordering::Relaxed);
    });
    world.verify().unwrap();
}

#[test]
fn a_log_is_created_once_and_opened_only_where_one_is() {
    let world = World::new();
    assert!(matches!(Ledger::create(world.store.clone(), ORIGIN, signer(1), 1), Err(LedgerError::State { .. })));
    let empty = Arc::new(MemoryStore::new());
    assert!(matches!(Ledger::open(empty, &world.root, None, None), Err(LedgerError::State { .. })));
}

/// A store whose disk is full now and then.
struct Full {
    store: MemoryStore,
    full: AtomicBool,
}

macro_rules! pass_on {
    ($($name:ident($($argument:ident: $type:ty),*) -> $result:ty;)*) => {
        $(fn $name(&self, $($argument: $type),*) -> Result<$result, StoreError> { self.store.$name($($argument),*) })*
    };
}

impl Store for Full {
    fn submit(&self, batch: Batch) -> Result<Pending, StoreError> {
        if self.full.load(Ordering::Relaxed) && !batch.is_empty() {
            // Refused when it is waited for, as a disk refuses.
            let beyond = Write::Setting(Setting { name: "x".into(), value: Some("x".repeat(17 << 20)) });
            return self.store.submit(batch.with(beyond));
        }
        self.store.submit(batch)
    }

    pass_on! {
        log_size() -> u64;
        receipt(number: u64) -> Option<Receipt>;
        receipt_by_id(id: &str) -> Option<Receipt>;
        receipts(query: &ReceiptQuery) -> Vec<Receipt>;
        log_nodes(level: u8, positions: Range<u64>) -> Vec<Hash>;
        checkpoint(size: u64) -> Option<Checkpoint>;
        checkpoints(from: u64) -> Vec<Checkpoint>;
        snapshot(id: &Hash) -> Option<Vec<u8>>;
        snapshot_depth(id: &Hash) -> Option<u64>;
        loose_snapshots() -> Vec<Hash>;
        sectors() -> Vec<SectorRecord>;
        versions(sector: &str, before: Option<u64>, limit: usize) -> Vec<VersionRecord>;
        version(sector: &str, number: u64) -> Option<VersionRecord>;
        version_at(sector: &str, time_ns: u64) -> Option<VersionRecord>;
        tags(sector: &str) -> Vec<Tag>;
        rules() -> Vec<Rule>;
        rule_history(id: &str) -> Vec<Rule>;
        items(kind: &str, sector: Option<&str>, open_only: bool) -> Vec<Item>;
        newest_items(kind: &str, sector: Option<&str>, open_only: bool, before: Option<&str>, limit: usize) -> Vec<Item>;
        item(kind: &str, id: &str) -> Option<Item>;
        item_history(kind: &str, id: &str) -> Vec<Item>;
        segment_count() -> u64;
        segment(number: u64) -> Option<Segment>;
        segments(query: &SegmentQuery) -> Vec<Segment>;
        key_lines(sector: &str, from: u64) -> Vec<String>;
        public_keys() -> Vec<PublicKey>;
        states(name: &str) -> Vec<(u64, bool)>;
        state(name: &str, number: u64) -> Option<Vec<u8>>;
        setting(name: &str) -> Option<String>;
        backup(to: &Path, progress: &mut dyn FnMut(Progress) -> bool) -> ();
        close() -> ();
    }
}

#[test]
fn a_refused_receipt_leaves_a_log_that_goes_on() {
    let store = Arc::new(Full { store: MemoryStore::new(), full: AtomicBool::new(false) });
    let (ledger, root) = Ledger::create(store.clone(), ORIGIN, signer(1), 1).unwrap();
    ledger.append(vec![updated(1)]).unwrap();
    store.full.store(true, Ordering::Relaxed);
    let lost = ledger.submit(vec![updated(2)], |_| Batch::new()).unwrap();
    store.full.store(false, Ordering::Relaxed);
    // Signed to follow the one that is lost: it is refused with it.
    let behind = ledger.submit(vec![updated(3)], |_| Batch::new()).unwrap();
    assert!(matches!(lost.wait(), Err(LedgerError::Store(StoreError::Limit { .. }))));
    assert!(matches!(behind.wait(), Err(LedgerError::Store(StoreError::Conflict { .. }))));
    ledger.append(vec![updated(4)]).unwrap();
    store.full.store(true, Ordering::Relaxed);
    ledger.rotate(signer(2), 5, Batch::new()).unwrap_err();
    store.full.store(false, Ordering::Relaxed);
    ledger.append(vec![updated(6)]).unwrap();
    ledger.rotate(signer(2), 7, Batch::new()).unwrap();
    let verified = verify(&*store, &root, VerifyOptions::default(), &mut |_| true).unwrap();
    assert_eq!((verified.receipts, verified.keys), (5, 2));
}

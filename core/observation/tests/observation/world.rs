//! A sector that declares what it records, with a ledger.

#![allow(dead_code)] // The soak uses a part of it.

use std::sync::Arc;

use knhk_hot::layout::{Key, Outcome, Tag};
use knhk_hot::{Hot, Observed, Reader, ReaderOptions};
use knhk_ledger::{Ledger, Signer, TrustRoot, Verified, VerifyOptions, verify};
use knhk_observation::{Busy, Knowledge, Monitor, ObserveStats, Record, Settings, records};
use knhk_ontology::rdf::{Format, parse_delta};
use knhk_ontology::{Core, Limits, Snapshot};
use knhk_store::{Batch, SectorRecord, SegmentQuery, Store, Write};

pub const ORDERS: &str = r#"
@prefix : <urn:knhk:orders:> .
@prefix k: <urn:knhk:core:> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .

:max_qty k:value 1000 ; k:unit "lots" .
:ack_p99 k:value 250.0 ; k:unit "µs" .
:reject_share k:value 2 ; k:unit "%" .
:least_rate k:value 5 .

:OrderChecked a k:ObservationKind ; k:valueType "i64" ; k:unit "lots" ; k:concerns :max_qty ; k:min 1 ; k:max 1000000 ;
    rdfs:comment "Each order that was checked."@en .
:OrderAmended a k:ObservationKind ; k:valueType "i64" ; k:concerns :max_qty ; k:code 300 ; rdfs:comment "Each amendment."@en .
:Acknowledged a k:ObservationKind ; k:valueType "f64" ; k:unit "µs" ; k:concerns :ack_p99 ; rdfs:comment "Each acknowledgement."@en .
:Halted a k:ObservationKind ; k:valueType "none" ; k:code 400 ; rdfs:comment "A halt, whatever was being decided."@en .

:Rejects a k:Slo ; k:indicator :OrderChecked ; k:aggregate "failure_share" ; k:atMost :reject_share ; k:window 60 ;
    k:onMissingData "hold" ; rdfs:comment "Few orders are refused."@en .
:AckLatency a k:Slo ; k:indicator :Acknowledged ; k:aggregate "p99" ; k:atMost :ack_p99 ; k:window 5 ;
    k:onMissingData "roll_back" ; rdfs:comment "Acknowledged in time."@en .
:Flow a k:Slo ; k:indicator :OrderChecked ; k:aggregate "rate" ; k:atLeast :least_rate ; k:window 10 ;
    k:onMissingData "keep" ; rdfs:comment "There is business."@en .
"#;

/// The slots of the sector's keys.
pub const KEYS: [&str; 4] = ["max_qty", "ack_p99", "reject_share", "least_rate"];
pub const MAX_QTY: u32 = 0;
pub const ACK_P99: u32 = 1;

/// What a text declares in the sector "orders".
pub fn snapshot(turtle: &str) -> Snapshot {
    snapshot_of("orders", turtle)
}

/// What a text declares in a sector.
pub fn snapshot_of(sector: &str, turtle: &str) -> Snapshot {
    let limits = Limits::default();
    let empty = Snapshot::empty(sector, &Core::shipped(), &limits);
    let base = empty.namespace().prefix();
    let change = parse_delta(b"", turtle.as_bytes(), Format::Turtle, base, empty.graph(), &limits).unwrap();
    let snapshot = empty.apply(&change).unwrap();
    assert!(snapshot.report().conforms(), "{}", snapshot.report());
    snapshot
}

/// What the monitor asks, of one sector and of others that declare nothing.
pub struct Sectors(pub Vec<(&'static str, Option<Arc<Snapshot>>)>);

impl Knowledge for Sectors {
    fn sector(&self, number: u32) -> Option<Arc<str>> {
        self.0.get(number as usize).map(|(name, _)| (*name).into())
    }

    fn snapshot(&self, sector: u32) -> Result<Option<Arc<Snapshot>>, Busy> {
        Ok(self.0.get(sector as usize).and_then(|(_, snapshot)| snapshot.clone()))
    }

    fn slots(&self, _: u32, keys: &[&str]) -> Result<Vec<Option<u32>>, Busy> {
        let slot = |key: &&str| KEYS.iter().position(|known| known == key).map(|slot| slot as u32);
        Ok(keys.iter().map(slot).collect())
    }

    fn key(&self, _: u32, slot: u32) -> Option<String> {
        KEYS.get(slot as usize).map(|key| (*key).into())
    }
}

pub struct World {
    pub hot: Hot,
    pub store: Arc<dyn Store>,
    pub ledger: Arc<Ledger>,
    pub root: TrustRoot,
    pub sectors: Arc<Sectors>,
}

impl World {
    /// Two sectors in a store that is new: "orders", and "venues" without an ontology.
    pub fn new(store: Arc<dyn Store>, ring_records: usize) -> World {
        let (ledger, root) = Ledger::create(store.clone(), "example.org/orders", signer(), 1000).unwrap();
        for (number, name) in ["orders", "venues"].into_iter().enumerate() {
            let row = SectorRecord { name: name.into(), number: number as u32, kind: "direct".into(), time_ns: 1 };
            store.commit(Batch::new().with(Write::Sector(row))).unwrap();
        }
        World::over(store, Arc::new(ledger), root, ring_records)
    }

    /// The same over a store that has been used.
    pub fn open(store: Arc<dyn Store>, root: TrustRoot, ring_records: usize) -> World {
        let ledger = Ledger::open(store.clone(), &root, Some(signer()), None).unwrap();
        World::over(store, Arc::new(ledger), root, ring_records)
    }

    fn over(store: Arc<dyn Store>, ledger: Arc<Ledger>, root: TrustRoot, ring_records: usize) -> World {
        let hot = Hot::new(knhk_hot::Options { ring_records, ..Default::default() }).unwrap();
        let sectors = Arc::new(Sectors(vec![("orders", Some(Arc::new(snapshot(ORDERS)))), ("venues", None)]));
        World { hot, store, ledger, root, sectors }
    }

    pub fn monitor(&self, settings: Settings) -> Monitor {
        Monitor::start(&self.hot, &self.ledger, self.sectors.clone(), settings).unwrap()
    }

    pub fn reader(&self) -> Reader {
        self.hot.register(ReaderOptions::default()).unwrap()
    }

    /// The whole log verified, with every observation that is held.
    pub fn verified(&self) -> Verified {
        verify(&*self.store, &self.root, VerifyOptions::default(), &mut |_| true).unwrap()
    }

    /// Every observation that is held, segment by segment.
    pub fn held(&self) -> Vec<Record> {
        let mut held = Vec::new();
        let mut from = 0;
        loop {
            let page = self.store.segments(&SegmentQuery { from, held: true, ..Default::default() }).unwrap();
            let Some(last) = page.last() else { return held };
            from = last.number + 1;
            page.iter().for_each(|segment| held.extend(records(&*self.store, segment.number).unwrap()));
        }
    }
}

pub fn signer() -> Signer {
    Signer::from_seed(&[7; 32])
}

/// An order of a quantity.
pub fn order(quantity: i64) -> Observed {
    let outcome = if quantity <= 1000 { Outcome::Success } else { Outcome::Rejected };
    Observed::i64(Key::new(0, MAX_QTY), quantity, outcome)
}

/// An acknowledgement after some microseconds.
pub fn acknowledged(after: f64) -> Observed {
    Observed { key: Key::new(0, ACK_P99), tag: Tag::F64, bits: after.to_bits(), ..order(1) }
}

/// Appends until there is room; gives how many times there was none.
pub fn append(reader: &Reader, observed: Observed) -> u64 {
    let mut refused = 0;
    while !reader.observe(&reader.view(), observed) {
        refused += 1;
        std::thread::yield_now();
    }
    refused
}

/// What was drained is where it should be.
pub fn assert_accounted(stats: &ObserveStats, accepted: u64, refused: u64) {
    assert_eq!(stats.drained, accepted);
    assert_eq!(stats.persisted, accepted - stats.unattributed);
    assert_eq!(stats.refused, refused + stats.unattributed);
    assert_eq!((stats.lost, stats.failing.as_deref()), (0, None));
}

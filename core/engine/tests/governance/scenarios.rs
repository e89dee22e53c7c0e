//! Founding scenarios 2 to 4, each from end to end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use knhk_engine::governance::{Propose, SectorChange, State};
use knhk_engine::{
    Core, Engine, Observations, Observed, Options, Outcome, ReaderOptions, ReceiptQuery, SectorKind, Status,
    VerifyOptions,
};
use serde_json::json;

use crate::world::{World, document, told, values};

/// E2E 2: two hundred observations of one kind become, through somebody who looks at them, a proposal, a validation of seven stages, an approval
/// and a promotion, with a receipt each.
#[test]
fn two_hundred_observations_become_a_change_with_its_receipts() {
    let mut world = World::new();
    let mut options = world.options();
    options.observations = Some(Observations::default());
    drop(world.engine.take());
    world.engine = Some(Engine::open(world.location(), options).unwrap());
    world.approvers(&[("ada", &["desk-risk"])], 1);
    world.govern(
        "add_rule",
        json!({ "by": "ops-1", "why": "four eyes", "toml": r#"[[rule]]
        id = "four-eyes"
        sector = "orders"
        enforcement = "hard_mandatory"
        [rule.approval_chain]
        steps = [{ groups = ["desk-risk"], quorum = 1 }]"# }),
    );
    let engine = world.engine();
    let begun = engine.receipts(&ReceiptQuery::default()).unwrap().len();
    let max_qty = engine.key::<i64>("orders", "max_qty").unwrap();
    {
        let reader = engine.register_reader(ReaderOptions::default()).unwrap();
        for _ in 0..200 {
            let view = reader.view();
            while !reader.observe(&view, Observed::i64(max_qty.raw(), 1300, Outcome::Rejected)) {
                thread::yield_now();
            }
        }
    }
    engine.flush_observations().unwrap();
    let series = engine.aggregates("orders").unwrap();
    let rejected = series.iter().find(|series| series.key.as_deref() == Some("max_qty")).unwrap();
    assert_eq!(rejected.total.outcomes[Outcome::Rejected as usize], 200, "what whoever proposes has seen");

    let seen = Propose {
        confidence: Some(0.97),
        ..Propose::of("orders", values(&[("max_qty", "1300")]), "rule:reject-spike", "200 of 200 rejected")
    };
    let waiting = engine.propose(&seen).unwrap();
    assert_eq!(waiting.state, State::Waiting, "{}", told(&waiting.reports));
    assert_eq!(waiting.reports[0].stages.len(), 7);
    world.approve("proposal", &waiting.id, 1).unwrap();
    assert_eq!(world.read("max_qty"), 1300);
    let receipts = engine.receipts(&ReceiptQuery::default()).unwrap();
    let kinds: Vec<&str> = receipts[begun..].iter().map(|receipt| receipt.kind.as_str()).collect();
    for kind in
        ["observations ingested", "proposal generated", "validation executed", "proposal approved", "snapshot promoted"]
    {
        assert!(kinds.contains(&kind), "{kind} among {kinds:?}");
    }
    engine.verify(&VerifyOptions::default(), &mut |_| true).unwrap();
}

/// E2E 3 in governed sectors: the new snapshots are current, the old ones in history, the chain is whole, readers never saw a mix of two sectors,
/// and rollback works.
#[test]
fn readers_see_whole_generations_of_governed_sectors() {
    const CHANGES: i64 = 12;
    let world = World::empty();
    let engine = world.engine();
    engine.create_sector("limits", SectorKind::Governed).unwrap();
    let ask = |n: i64| {
        let change = |sector: &str, n: i64| SectorChange {
            sector: sector.into(),
            content: document(&format!(r#"{{"n": {n}}}"#)),
        };
        Propose {
            changes: vec![change("orders", n), change("limits", -n)],
            ..Propose::of("orders", document("{}"), "ops-1", "step")
        }
    };
    assert_eq!(engine.propose(&ask(1)).unwrap().state, State::Enacted);
    let (orders, limits) = (engine.key::<i64>("orders", "n").unwrap(), engine.key::<i64>("limits", "n").unwrap());
    let done = AtomicBool::new(false);
    let mut enacted = 1;
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let reader = engine.register_reader(ReaderOptions::default()).unwrap();
                while !done.load(Ordering::Acquire) {
                    let view = reader.view();
                    assert_eq!(orders.get(&view, 0), -limits.get(&view, 0), "of one generation");
                    drop(view);
                    thread::yield_now();
                }
            });
        }
        for n in 2..=CHANGES {
            // While readers keep the machine busy a measurement may not come to an end, and refuses; nothing else may.
            let proposal = engine.propose(&ask(n)).unwrap();
            enacted += u64::from(proposal.state == State::Enacted);
        }
        let back: Vec<_> = ["orders", "limits"].map(|sector| (sector.to_owned(), 1)).into();
        engine.rollback_together(&back, Default::default()).unwrap();
        done.store(true, Ordering::Release);
    });
    let reader = engine.register_reader(ReaderOptions::default()).unwrap();
    assert_eq!((orders.get(&reader.view(), 0), limits.get(&reader.view(), 0)), (1, -1), "back");
    assert!(enacted > 1);
    for sector in ["orders", "limits"] {
        assert_eq!(engine.log(sector, &Default::default()).unwrap().len() as u64, enacted + 1);
    }
    engine.verify(&VerifyOptions::default(), &mut |_| true).unwrap();
}

/// E2E 4: the core changes, four sectors are recomposed and switched at once, four linked receipts.
#[test]
fn another_core_recomposes_four_sectors_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let location = folder.path().to_str().unwrap();
    let sectors = ["finance", "healthcare", "logistics", "manufacturing"];
    let engine = Engine::open(location, Options::default()).unwrap();
    for sector in sectors {
        engine.create_sector_from(sector, SectorKind::Governed).unwrap();
        assert!(!engine.rules(Some(sector), None, None).unwrap().is_empty(), "{sector} has its doctrine");
        let guarded = engine.guards().unwrap().guards;
        assert!(guarded.iter().any(|guard| guard.sector.as_deref() == Some(sector)), "{sector} has its guards");
        let direct = engine.promote_json(sector, "{}", Default::default()).unwrap_err();
        assert_eq!(direct.status(), Status::Ungoverned);
    }
    assert!(engine.recompose("ops-1", "nothing to do").unwrap().is_none());
    let before: Vec<_> = engine.sectors().unwrap();
    drop(engine);

    let text = format!(
        "{}\n<urn:knhk:core:Later> a <http://www.w3.org/2000/01/rdf-schema#Class> .",
        knhk_ontology::sectors::CORE
    );
    let mut options = Options::default();
    options.core = Some(Arc::new(Core::from_turtle(&text).unwrap()));
    let engine = Engine::open(location, options).unwrap();
    let same: Vec<_> = engine.sectors().unwrap();
    assert!(same.iter().zip(&before).all(|(now, then)| now.snapshot_id == then.snapshot_id), "what was signed stays");
    let epoch = engine.version();
    let proposal = engine.recompose("ops-1", "the core knows Later now").unwrap().unwrap();
    assert_eq!(proposal.state, State::Enacted, "{}", told(&proposal.reports));
    assert_eq!((proposal.reports.len(), proposal.versions.len()), (4, 4));
    assert_eq!(engine.version(), epoch + 1, "one swap");
    for sector in sectors {
        assert!(engine.export(sector, None, knhk_engine::Format::NTriples).is_ok());
        let later = "<urn:knhk:core:Later> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <http://www.w3.org/2000/01/rdf-schema#Class> .";
        engine.prove(sector, later).unwrap();
    }
    let now = engine.sectors().unwrap();
    assert!(
        now.iter()
            .zip(&before)
            .all(|(now, then)| now.snapshot_id != then.snapshot_id && now.version == then.version + 1)
    );
    let receipts: Vec<_> = proposal.versions.iter().map(|one| one.version.receipt.clone().unwrap()).collect();
    for id in &receipts {
        let links = engine.receipt(id).unwrap().links;
        assert!(receipts.iter().filter(|other| *other != id).all(|other| links.contains(other)), "{links:?}");
    }
    engine.verify(&VerifyOptions::default(), &mut |_| true).unwrap();
}

//! The life of a proposal: every state, every way from one to the next, and what a restart makes of it.

use knhk_engine::governance::{ProposalQuery, Propose, State};
use knhk_engine::{Origin, Status};

use crate::world::{HOUR, World, document, told, values};

#[test]
fn a_proposal_that_passes_becomes_current_with_receipts_that_link_up() {
    let world = World::new();
    let proposal = world.propose("orders", values(&[("max_qty", "1200")]));
    assert_eq!(proposal.state, State::Enacted, "{}", told(&proposal.reports));
    assert_eq!(world.read("max_qty"), 1200);
    assert_eq!(proposal.versions[0].version.version, 2);
    assert_eq!(proposal.reports[0].stages.len(), 7);

    let of = |id: &String| world.engine().receipt(id).unwrap();
    let receipts: Vec<_> = proposal.receipts.iter().map(of).collect();
    let kinds: Vec<_> = receipts.iter().map(|receipt| receipt.kind.as_str()).collect();
    assert_eq!(kinds, ["proposal generated", "validation executed", "snapshot promoted"]);
    assert_eq!(receipts[1].links, [receipts[0].id.clone()], "the validation names the proposal");
    assert!(receipts[2].links.contains(&receipts[1].id), "the version names its validation");
    assert_eq!(world.engine().proposal(&proposal.id).unwrap().receipts, proposal.receipts);
}

#[test]
fn a_governed_sector_takes_nothing_that_was_not_proposed_and_goes_back_all_the_same() {
    let world = World::new();
    let refused = world.engine().promote_json("orders", r#"{"max_qty": 1}"#, Origin::default()).unwrap_err();
    assert_eq!(refused.status(), Status::Ungoverned);
    assert!(refused.message().contains("orders is governed"), "{refused}");
    world.propose("orders", values(&[("max_qty", "1200")]));
    world.engine().rollback("orders", 1, Origin::default()).unwrap();
    assert_eq!(world.read("max_qty"), 1000);
}

#[test]
fn a_refused_proposal_says_what_to_change_and_the_mended_one_passes() {
    let world = World::new();
    let refused = world.propose("orders", values(&[("max_qty", "9000")]));
    assert_eq!(refused.state, State::Refused);
    assert!(refused.said.contains("invariants"), "{}", refused.said);
    assert!(told(&refused.reports).contains("max_qty"), "{}", told(&refused.reports));
    assert_eq!(world.read("max_qty"), 1000);
    assert_eq!(world.propose("orders", values(&[("max_qty", "1100")])).state, State::Enacted);
}

#[test]
fn what_cannot_be_read_is_an_error_and_nothing_is_filed() {
    let world = World::new();
    let engine = world.engine();
    for (content, status) in [(document("{"), Status::Document), (values(&[("max_qty", "many")]), Status::Document)] {
        let error = engine.propose(&Propose::of("orders", content, "ops-1", "")).unwrap_err();
        assert_eq!(error.status(), status, "{error}");
    }
    let nowhere = engine.propose(&Propose::of("nowhere", document("{}"), "ops-1", "")).unwrap_err();
    assert_eq!(nowhere.status(), Status::NotFound);
    let twice = Propose { changes: vec![], ..Propose::of("orders", document("{}"), "ops-1", "") };
    assert_eq!(engine.propose(&twice).unwrap_err().status(), Status::InvalidArgument);
    assert_eq!(engine.proposals(&ProposalQuery::default()).unwrap().len(), 1, "the first alone");
}

#[test]
fn a_proposal_is_made_current_when_somebody_says_so_or_taken_back() {
    let mut world = World::new();
    let ask =
        |max_qty: &str| Propose { enact: false, ..Propose::of("orders", values(&[("max_qty", max_qty)]), "ops-1", "") };
    let first = world.engine().propose(&ask("1100")).unwrap();
    let second = world.engine().propose(&ask("1200")).unwrap();
    assert_eq!((first.state, second.state), (State::Passed, State::Passed));
    assert_eq!(world.read("max_qty"), 1000);
    world.reopen();
    let withdrawn = world.engine().withdraw(&first.id, "ops-2", "not needed").unwrap();
    assert_eq!(withdrawn.state, State::Withdrawn);
    assert_eq!(world.engine().enact(&first.id, "ops-2").unwrap_err().status(), Status::InvalidArgument);
    assert_eq!(world.engine().enact(&second.id, "ops-2").unwrap().state, State::Enacted);
    assert_eq!(world.read("max_qty"), 1200);
    world.reopen();
    let states: Vec<_> = world.engine().proposals(&ProposalQuery::default()).unwrap();
    let states: Vec<_> = states.iter().map(|one| one.state.as_str()).collect();
    assert_eq!(states, ["enacted", "withdrawn", "enacted"]);
}

#[test]
fn a_base_that_moved_has_the_proposal_run_again() {
    let world = World::new();
    let late = Propose { enact: false, ..Propose::of("orders", values(&[("max_qty", "1100")]), "ops-1", "") };
    let late = world.engine().propose(&late).unwrap();
    world.propose("orders", values(&[("price_band", "0.1")]));
    let enacted = world.engine().enact(&late.id, "ops-1").unwrap();
    assert_eq!(enacted.changes[0].base_version, 2);
    assert_eq!(enacted.versions[0].version.version, 3);
    assert_eq!(world.read("max_qty"), 1100);
}

#[test]
fn a_moment_is_kept_over_a_restart() {
    let mut world = World::new();
    let at_ns = Some(crate::world::BEGIN_NS + HOUR);
    let later = Propose { at_ns, ..Propose::of("orders", values(&[("max_qty", "1100")]), "ops-1", "") };
    let later = world.engine().propose(&later).unwrap();
    assert_eq!(later.state, State::Passed);
    assert_eq!(world.engine().enact(&later.id, "ops-1").unwrap_err().status(), Status::Waiting);
    world.pass(HOUR / 2);
    assert_eq!(world.read("max_qty"), 1000);
    world.reopen();
    world.pass(HOUR / 2);
    assert_eq!(world.engine().proposal(&later.id).unwrap().state, State::Enacted);
    assert_eq!(world.read("max_qty"), 1100);
}

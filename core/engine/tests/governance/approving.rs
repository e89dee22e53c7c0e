//! Approvals at the engine: forged, replayed, expired, duplicated, reordered ones, one's own request, and what a restart makes of them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use knhk_engine::Status;
use knhk_engine::governance::{ProposalQuery, State, offline};
use serde_json::{Value, json};

use crate::world::{HOUR, World, told, values};

const FOUR_EYES: &str = r#"
    [[rule]]
    id = "four-eyes"
    sector = "orders"
    enforcement = "hard_mandatory"
    paths = ["max_qty"]
    [rule.approval_chain]
    steps = [{ groups = ["desk-risk"], quorum = 2 }]
"#;

const OVERRIDABLE: &str = r#"
    [[rule]]
    id = "small-steps"
    sector = "orders"
    enforcement = "soft_mandatory"
    paths = ["max_qty"]
    override_by = ["desk-risk"]
    [rule.resource_limit]
    of = "change_percent"
    max = 25
"#;

/// With three approvers, two of whom are in desk-risk, and a proposal that takes both.
fn four_eyes() -> (World, String) {
    let world = World::new();
    world.approvers(&[("ada", &["desk-risk"]), ("bob", &["desk-risk"]), ("cyd", &["ops"])], 2);
    world.govern("add_rule", json!({ "toml": FOUR_EYES, "by": "ops-1", "why": "the test" }));
    let proposal = world.propose("orders", values(&[("max_qty", "1100")]));
    assert_eq!(proposal.state, State::Waiting, "{}", told(&proposal.reports));
    assert!(proposal.said.contains("desk-risk") && proposal.said.contains("2 approvals"), "{}", proposal.said);
    (world, proposal.id)
}

fn handed_in(world: &World, approval: &str) -> Result<Value, knhk_engine::Error> {
    world.engine().govern("approve", json!({ "approval": approval }))
}

#[test]
fn a_quorum_of_signatures_makes_it_current_over_restarts() {
    let (mut world, id) = four_eyes();
    let first = world.approve("proposal", &id, 1).unwrap();
    assert_eq!(first["proposal"]["state"], "waiting");
    assert_eq!(first["proposal"]["approvals"][0]["by"], "ada");
    world.reopen();
    assert_eq!(world.engine().proposal(&id).unwrap().approvals.len(), 1);
    let stranger = world.approve("proposal", &id, 9).unwrap_err();
    assert_eq!(stranger.status(), Status::Unproven, "{stranger}");
    let second = world.approve("proposal", &id, 2).unwrap();
    assert_eq!(second["proposal"]["state"], "enacted", "{second:#}");
    assert_eq!(world.read("max_qty"), 1100);
}

#[test]
fn one_message_may_carry_several_signatures() {
    let (world, id) = four_eyes();
    let signed = world.sign("proposal", &id, 1, &[]).unwrap();
    let both = offline("sign_approval", json!({ "payload": signed, "key": STANDARD.encode([2; 32]) })).unwrap();
    let done = handed_in(&world, both["approval"].as_str().unwrap()).unwrap();
    assert_eq!(done["proposal"]["state"], "enacted");
}

#[test]
fn approvals_that_may_not_count_are_refused_and_change_nothing() {
    let (world, id) = four_eyes();
    let good = world.sign("proposal", &id, 1, &[]).unwrap();
    let bytes = STANDARD.decode(&good).unwrap();
    // Forged: any byte changed.
    for at in [bytes.len() - 1, bytes.len() / 2, 40] {
        let mut forged = bytes.clone();
        forged[at] ^= 1;
        let refused = handed_in(&world, &STANDARD.encode(forged)).unwrap_err();
        let expected = [Status::Unproven, Status::InvalidArgument, Status::NotFound, Status::Refused];
        assert!(expected.contains(&refused.status()), "byte {at}: {refused}");
    }
    // Of another proposal.
    let other = world.propose("orders", values(&[("max_qty", "1200")]));
    let of_other = world.sign("proposal", &other.id, 1, &[]).unwrap();
    world.govern("withdraw", json!({ "id": other.id, "by": "ops-1", "why": "" }));
    assert_eq!(handed_in(&world, &of_other).unwrap_err().status(), Status::InvalidArgument);
    // Sent twice: counts once.
    handed_in(&world, &good).unwrap();
    let again = handed_in(&world, &good).unwrap();
    assert_eq!(again["proposal"]["approvals"].as_array().unwrap().len(), 1);
    // Another one by the same person.
    let twice = world.approve("proposal", &id, 1).unwrap_err();
    assert_eq!(twice.status(), Status::Refused, "{twice}");
    // Signed before, handed in after something newer.
    let old = world.sign("proposal", &id, 2, &[]).unwrap();
    world.clock.advance(std::time::Duration::from_secs(1));
    world.approve("proposal", &id, 2).unwrap();
    assert_eq!(world.engine().proposal(&id).unwrap().state, State::Enacted);
    assert_eq!(handed_in(&world, &old).unwrap_err().status(), Status::InvalidArgument, "it is current already");
}

#[test]
fn an_approval_that_expired_or_is_of_other_content_does_not_count() {
    let (world, id) = four_eyes();
    let old = world.sign("proposal", &id, 1, &[]).unwrap();
    world.pass(25 * HOUR);
    let late = handed_in(&world, &old).unwrap_err();
    assert_eq!(late.status(), Status::Refused, "{late}");
    world.approve("proposal", &id, 1).unwrap();
    // The sector moves so that the change is another one: what was approved is not what would become current.
    let other = world.sign("proposal", &id, 2, &[]).unwrap();
    world.govern("remove_rule", json!({ "id": "orders/four-eyes", "by": "ops-1", "why": "" }));
    world.propose("orders", values(&[("max_qty", "1050")]));
    world.govern("add_rule", json!({ "toml": FOUR_EYES, "by": "ops-1", "why": "again" }));
    let run = world.engine().enact(&id, "ops-1").unwrap_err();
    assert_eq!(run.status(), Status::Waiting, "{run}");
    assert!(!run.reports().is_empty() && run.message().contains("desk-risk"), "{run}");
    assert_eq!(world.engine().proposal(&id).unwrap().approvals.len(), 0, "ada approved something else");
    assert_eq!(handed_in(&world, &other).unwrap_err().status(), Status::Refused);
    for seed in [1, 2] {
        world.approve("proposal", &id, seed).unwrap();
    }
    assert_eq!(world.read("max_qty"), 1100);
}

#[test]
fn nobody_approves_their_own_request_where_doctrine_forbids_it() {
    let world = World::new();
    world.approvers(&[("ops-1", &["desk-risk"]), ("bob", &["desk-risk"])], 1);
    let rules = format!(
        "{}\n[[rule]]\nid = \"others\"\nsector = \"orders\"\nenforcement = \"hard_mandatory\"\n[rule.segregation_of_duties]\n",
        FOUR_EYES.replace("quorum = 2", "quorum = 1")
    );
    world.govern("add_rule", json!({ "toml": rules, "by": "ops-1", "why": "the test" }));
    let proposal = world.propose("orders", values(&[("max_qty", "1100")]));
    let own = world.approve("proposal", &proposal.id, 1).unwrap_err();
    assert_eq!(own.status(), Status::Refused, "{own}");
    assert!(own.message().contains("others"), "{own}");
    let done = world.approve("proposal", &proposal.id, 2).unwrap();
    assert_eq!(done["proposal"]["state"], "enacted");
}

#[test]
fn a_soft_rule_is_overridden_by_name() {
    let world = World::new();
    world.approvers(&[("ada", &["desk-risk"])], 1);
    world.govern("add_rule", json!({ "toml": OVERRIDABLE, "by": "ops-1", "why": "the test" }));
    let proposal = world.propose("orders", values(&[("max_qty", "2000")]));
    assert_eq!(proposal.state, State::Waiting, "{}", told(&proposal.reports));
    let done = world.approve_over("proposal", &proposal.id, 1, &["orders/small-steps"]).unwrap();
    assert_eq!(done["proposal"]["state"], "enacted", "{done:#}");
    assert!(world.engine().violations(None).unwrap().iter().any(|one| one.overridden));
}

#[test]
fn approvers_change_by_the_thresholds_of_both_sets() {
    let world = World::new();
    world.approvers(&[("ada", &[]), ("bob", &[])], 2);
    let key = |seed: u8| {
        let key = crate::world::signer(seed).public().to_bytes();
        key.iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    let next = json!({ "revision": 2, "threshold": 1, "approver": [{ "name": "eve", "key": key(5), "groups": [] }] });
    let change = world.govern("change_approvers", json!({ "approvers": next, "by": "eve", "why": "mine now" }));
    let id = change["id"].as_str().unwrap();
    assert_eq!(world.approve("approvers", id, 5).unwrap()["change"]["in_force"], false, "not by the new set alone");
    assert_eq!(world.approve("approvers", id, 1).unwrap()["change"]["in_force"], false);
    assert_eq!(world.approve("approvers", id, 2).unwrap()["change"]["in_force"], true);
    assert_eq!(world.engine().approvers().unwrap().unwrap().members[0].name, "eve");
    assert_eq!(world.govern("changes", Value::Null)["changes"], json!([]));
}

#[test]
fn a_relaxation_comes_into_force_when_its_review_is_over_and_ends_by_itself() {
    let mut world = World::new();
    let guard = json!({ "id": "cap", "kind": "safety_interlock", "criticality": "medium", "sector": "orders",
        "limit": [{ "paths": ["max_qty"], "max": 1200 }] });
    world.govern("add_guard", json!({ "guard": guard, "by": "ops-1", "why": "the test" }));
    world.approvers(&[("ada", &[])], 1);
    let until_ns = crate::world::BEGIN_NS + 3 * HOUR;
    let asked = json!({ "guard": "cap", "by": "ops-1", "why": "a big order", "until_ns": until_ns });
    let relaxation = world.govern("relax", asked);
    let id = relaxation["id"].as_str().unwrap().to_owned();
    let waiting = world.propose("orders", values(&[("max_qty", "1500")]));
    assert_eq!(waiting.state, State::Waiting, "{}", told(&waiting.reports));
    let approved = world.approve("relaxation", &id, 1).unwrap();
    assert_eq!(approved["relaxation"]["state"], "approved", "an hour to look at it");
    assert_eq!(world.engine().proposal(&waiting.id).unwrap().state, State::Waiting);
    world.reopen();
    world.pass(HOUR);
    assert_eq!(world.engine().proposal(&waiting.id).unwrap().state, State::Enacted, "by itself");
    assert_eq!(world.read("max_qty"), 1500);
    world.pass(2 * HOUR);
    assert_eq!(world.govern("relaxations", json!({}))["relaxations"][0]["state"], "expired");
    assert_eq!(world.propose("orders", values(&[("max_qty", "1600")])).state, State::Refused);
    assert_eq!(world.engine().proposals(&ProposalQuery::default()).unwrap().len(), 3);
}

#[test]
fn doctrine_is_as_of_two_times_and_goes_back() {
    let world = World::new();
    let limit = |max: u32| OVERRIDABLE.replace("max = 25", &format!("max = {max}"));
    world.govern("add_rule", json!({ "toml": limit(25), "by": "ops-1", "why": "calm" }));
    let calm_ns = crate::world::BEGIN_NS + HOUR / 2;
    world.pass(HOUR);
    world.govern("add_rule", json!({ "toml": limit(5), "by": "ops-2", "why": "storm" }));
    let max = |request: Value| world.govern("rules", request)["rules"][0]["rule"]["resource_limit"]["max"].clone();
    assert_eq!(max(json!({})), 5);
    assert_eq!(max(json!({ "valid_ns": calm_ns, "decided_ns": calm_ns })), 25);
    world.pass(HOUR);
    world.govern("rollback_doctrine", json!({ "to_ns": calm_ns, "by": "ops-1", "why": "it is calm again" }));
    assert_eq!(max(json!({})), 25);
    let log = world.govern("doctrine_log", json!({}));
    assert!(log["revisions"].as_array().unwrap().len() >= 3, "{log:#}");
    let contrary = r#"[[rule]]
        id = "big-steps"
        sector = "orders"
        enforcement = "hard_mandatory"
        paths = ["max_qty"]
        [rule.resource_limit]
        of = "change_percent"
        min = 50"#;
    let refused = world.engine().govern("add_rule", json!({ "toml": contrary, "by": "ops-1", "why": "" })).unwrap_err();
    assert_eq!(refused.status(), Status::Conflict, "{refused}");
    assert!(refused.message().contains("orders/big-steps") && refused.message().contains("orders/small-steps"));
}

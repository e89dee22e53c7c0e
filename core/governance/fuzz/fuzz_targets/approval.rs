//! Any bytes as an approval: refused, or read as written in the one form that it has, and counted only where it is as an approver signed it.
#![no_main]

use std::sync::LazyLock;

use knhk_governance::approval::{Approval, Approver, Approvers, Kind, Matter, Refusal, Request, Tally, Word};
use knhk_ledger::Signer;
use libfuzzer_sys::fuzz_target;

static KEYS: LazyLock<Vec<Signer>> = LazyLock::new(|| (1..=3).map(|seed| Signer::from_seed(&[seed; 32])).collect());

static APPROVERS: LazyLock<Approvers> = LazyLock::new(|| {
    let member = |key: &Signer| Approver { name: format!("{:?}", key.public().id()), key: key.public(), groups: vec![] };
    let members = KEYS.iter().map(member).collect();
    Approvers { revision: 1, threshold: 1, keepers: String::new(), members }
});

fn matter() -> Matter {
    Matter {
        log: "orders.example/1".into(),
        kind: Kind::Proposal,
        id: "p-19".into(),
        digest: [7; 32],
        by: "ops-1".into(),
        own: false,
        groups: vec![],
        requested_ns: 1_000,
        until_ns: u64::MAX,
    }
}

/// What the approvers did sign: the corpus holds it.
fn signed() -> Vec<Request> {
    [Word::Approve, Word::Withdraw].map(|word| matter().request(word, [1; 16], 2_000, 1_000_000)).into()
}

fuzz_target!(|bytes: &[u8]| {
    if let Ok(request) = Request::from_bytes(bytes) {
        assert_eq!(request.to_bytes(), bytes);
    }
    let Ok(approval) = Approval::from_bytes(bytes) else { return };
    assert_eq!(approval.to_bytes(), bytes);
    match approval.verify(&[&APPROVERS]) {
        Ok(ballot) => {
            assert!(signed().contains(&ballot.request), "nobody signed {:?}", ballot.request);
            let tally = Tally::new(matter()).take(&ballot, 3_000).expect("what was signed is admissible");
            assert_eq!(tally.votes.len(), ballot.voters.len());
        }
        Err(refusal) => assert!(matches!(refusal, Refusal::Forged { .. } | Refusal::Unknown { .. }), "{refusal}"),
    }
});

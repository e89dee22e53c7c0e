//! What an approval costs before it is durable: its bytes are read, its signature is verified against a set of 20 approvers, it is decided
//! whether it counts, and what follows for the relaxation that it is of.

#[path = "../../hot/benches/driver/mod.rs"]
mod driver;

use std::hint::black_box;

use driver::Program;
use knhk_governance::approval::{Approval, Approver, Approvers, Ask, Event, Relaxation, State, Word};
use knhk_governance::guard::Guard;
use knhk_ledger::Signer;

const NOW: u64 = 1_790_000_000_000_000_000;
const HOUR: u64 = 3_600_000_000_000;

fn main() {
    let keys: Vec<Signer> = (1..=20).map(|seed| Signer::from_seed(&[seed; 32])).collect();
    let member = |(number, key): (usize, &Signer)| Approver {
        name: format!("approver-{number}"),
        key: key.public(),
        groups: vec!["risk".into()],
    };
    let members = keys.iter().enumerate().map(member).collect();
    let approvers = Approvers { revision: 1, threshold: 3, keepers: String::new(), members };
    let guard = r#"{"id":"g","kind":"performance_bound","criticality":"high","groups":["risk"],"bound":[{"figure":"read_ns","max":8.0}]}"#;
    let guard = Guard::from_json(guard).expect("the guard can be");
    let ask = Ask {
        id: "r-1".into(),
        sector: None,
        proposal: None,
        by: "ops-1".into(),
        why: "the exchange asked".into(),
        until_ns: NOW + 48 * HOUR,
    };
    let relaxation = Relaxation::request("orders.example/1", &guard, ask, false, NOW).expect("it can be asked for");
    let message = |number: usize| {
        let request = relaxation.tally.matter.request(Word::Approve, [number as u8; 16], NOW, NOW + 24 * HOUR);
        request.sign(&keys[number]).expect("the key is here")
    };
    let decide = |of: &Relaxation, bytes: &[u8], approvers: &Approvers| {
        let ballot = Approval::from_bytes(bytes).and_then(|approval| approval.verify(&[approvers]));
        of.decide(&Event::Ballot(ballot.expect("it is genuine")), NOW).expect("it is admissible")
    };
    let before = decide(&relaxation, &message(0), &approvers);
    let bytes = message(19);
    let mut program = Program::default();
    program.warmed("approval", 16, move |count| {
        let mut in_force = 0;
        for _ in 0..count {
            let after = decide(&before, black_box(&bytes), &approvers);
            in_force += u64::from(after.state(&approvers, NOW + 12 * HOUR) == State::InForce);
        }
        assert_eq!(in_force, count);
        in_force
    });
    program.run();
}

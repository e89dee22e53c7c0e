//! The people of the histories, with their keys, sets, guards and dice.

use std::sync::LazyLock;

use knhk_ledger::{PublicKey, Signer};

use super::{Member, SECOND, Set};
use crate::approval::{Approval, Approver, Approvers, Request};
use crate::guard::{Bound, Criticality, Guard, GuardKind};

/// Keys 0 to 4 are the people's first, 5 and 6 the second ones of two of them, 7 nobody's.
pub(super) static KEYS: LazyLock<Vec<Signer>> = LazyLock::new(|| {
    let mut keys: Vec<Signer> = (0..8).map(|seed| Signer::from_seed(&[seed + 1; 32])).collect();
    // Messages name signers in the order of these ids.
    keys.sort_by_key(|key| key.public().id());
    keys
});
pub(super) static PUBLIC: LazyLock<Vec<PublicKey>> = LazyLock::new(|| KEYS.iter().map(Signer::public).collect());
pub(super) const STRANGER: u8 = 7;
pub(super) const PEOPLE: [&str; 5] = ["ada", "bob", "cyd", "dan", "eve"];
pub(super) const LOG: &str = "orders.example/1";
pub(super) const START: u64 = 1_700_000_000 * SECOND;

/// Numbers that look random and are the same every time (splitmix64).
pub(super) struct Dice(pub u64);

impl Dice {
    pub(super) fn throw(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ bits >> 31) % sides as u64) as usize
    }

    pub(super) fn one_in(&mut self, sides: usize) -> bool {
        self.throw(sides) == 0
    }

    pub(super) fn of<T: Clone>(&mut self, items: &[T]) -> T {
        items[self.throw(items.len())].clone()
    }
}

pub(super) fn set(dice: &mut Dice, revision: u64, rotated: bool) -> Set {
    let groups = [vec![], vec!["risk"], vec!["risk", "desk"], vec!["desk"]];
    let mut members: Vec<Member> = Vec::new();
    for (number, name) in PEOPLE.into_iter().enumerate() {
        if dice.one_in(5) {
            continue;
        }
        let second = rotated && number < 2 && dice.one_in(2);
        let key = if second { 5 + number as u8 } else { number as u8 };
        members.push(Member { name, key, groups: dice.of(&groups) });
    }
    if members.is_empty() {
        members.push(Member { name: "ada", key: 0, groups: vec!["risk"] });
    }
    let risk = members.iter().filter(|member| member.groups.contains(&"risk")).count();
    let keepers = (risk > 0 && dice.one_in(3)).then_some("risk");
    let most = if keepers.is_some() { risk } else { members.len() };
    Set { revision, threshold: 1 + dice.throw(most), keepers, members }
}

pub(super) fn real(set: &Set) -> Approvers {
    let member = |member: &Member| Approver {
        name: member.name.into(),
        key: PUBLIC[usize::from(member.key)],
        groups: member.groups.iter().map(|&group| group.into()).collect(),
    };
    let members = set.members.iter().map(member).collect();
    let keepers = set.keepers.unwrap_or_default().into();
    let real = Approvers { revision: set.revision, threshold: set.threshold as u32, keepers, members };
    real.checked().expect("the generated sets can be")
}

pub(super) fn guard(id: &str, criticality: Criticality, groups: &[&str], most: f64) -> Guard {
    Guard {
        id: id.into(),
        doc: String::new(),
        kind: GuardKind::PerformanceBound,
        criticality,
        sector: None,
        groups: groups.iter().map(|&group| group.into()).collect(),
        longest_seconds: None,
        chain: None,
        limits: vec![],
        interlocks: vec![],
        residencies: vec![],
        bounds: vec![Bound { figure: "read_ns".into(), min: None, max: Some(most) }],
        compliance: None,
        keep: vec![],
    }
}

pub(super) const CRITICALITIES: [Criticality; 4] =
    [Criticality::Low, Criticality::Medium, Criticality::High, Criticality::Critical];

pub(super) fn signed(request: &Request, signers: &[(u8, bool)]) -> Vec<u8> {
    let key = |number: u8| &KEYS[usize::from(number)];
    let first = request.sign(key(signers[0].0)).expect("the key is here");
    let mut approval = Approval::from_bytes(&first).expect("it was just made");
    for &(number, _) in &signers[1..] {
        approval.sign(key(number)).expect("the key is here");
    }
    approval.to_bytes()
}

//! Approvals as they travel: forged, replayed, expired, duplicated and reordered ones are refused, and so is every byte that is not as it was
//! signed; a good one may be sent any number of times. And TUF's rule: who may approve changes by both sets' signatures.

use knhk_governance::approval::{
    Approval, Approver, Approvers, Change, Kind, Matter, Next, Refusal, Request, Tally, Word,
};
use knhk_governance::guard::{Guard, Guards};
use knhk_ledger::Signer;

const NOW: u64 = 1_790_000_000_000_000_000;
const SECOND: u64 = 1_000_000_000;
const HOUR: u64 = 3_600 * SECOND;

fn key(number: u8) -> Signer {
    Signer::from_seed(&[number + 1; 32])
}

fn set(revision: u64, threshold: u32, people: &[(&str, u8)]) -> Approvers {
    let member = |&(name, number): &(&str, u8)| Approver {
        name: name.into(),
        key: key(number).public(),
        groups: vec![if number == 3 { "desk".into() } else { "risk".into() }],
    };
    let members = people.iter().map(member).collect();
    Approvers { revision, threshold, keepers: String::new(), members }.checked().expect("the set can be")
}

fn approvers() -> Approvers {
    set(1, 2, &[("ada", 0), ("bob", 1), ("cyd", 2), ("dan", 3)])
}

fn matter() -> Matter {
    Matter {
        log: "orders.example/1".into(),
        kind: Kind::Proposal,
        id: "p-19".into(),
        digest: [7; 32],
        by: "cyd".into(),
        own: false,
        groups: vec!["risk".into()],
        requested_ns: NOW,
        until_ns: NOW + 48 * HOUR,
    }
}

/// A request to approve, made a minute after the matter and good for an hour.
fn request() -> Request {
    matter().request(Word::Approve, [1; 16], NOW + 60 * SECOND, NOW + HOUR)
}

fn send(tally: &Tally, bytes: &[u8], now: u64) -> Result<Tally, Refusal> {
    tally.take(&Approval::from_bytes(bytes)?.verify(&[&approvers()])?, now)
}

fn signed(request: &Request, by: u8) -> Vec<u8> {
    request.sign(&key(by)).expect("the key is here")
}

fn names(tally: &Tally, now: u64) -> Vec<String> {
    tally.approved(&approvers(), now).into_iter().map(|approved| approved.by).collect()
}

const AT: u64 = NOW + 120 * SECOND;

#[test]
fn an_approval_is_good_for_one_thing_one_time_and_one_approver() {
    type Altered = fn(&mut Request);
    let cases: [(&str, Altered, u8, u64, &str); 14] = [
        ("forged", |_| {}, 9, AT, "is no approver's; `knhk guard approvers` lists who may approve"),
        (
            "replayed elsewhere",
            |r| r.log = "other.example/1".into(),
            0,
            AT,
            "is for the engine other.example/1, not for orders.example/1",
        ),
        ("replayed for another", |r| r.id = "p-20".into(), 0, AT, "is of proposal p-20, not of proposal p-19"),
        (
            "replayed for a relaxation",
            |r| r.kind = Kind::Relaxation,
            0,
            AT,
            "is of relaxation p-19, not of proposal p-19",
        ),
        ("replayed for other content", |r| r.digest = [8; 32], 0, AT, "is of other content than proposal p-19 has"),
        ("before it was asked for", |r| r.issued_ns = NOW - 1, 0, AT, "was made before it was asked for"),
        ("dated ahead", |r| r.issued_ns = AT + 300 * SECOND + 1, 0, AT, "is dated"),
        ("good for ever", |r| r.expires_ns = u64::MAX, 0, AT, "at most 30 days"),
        ("good for no time", |r| r.expires_ns = r.issued_ns, 0, AT, "at least a nanosecond"),
        ("expired", |_| {}, 0, NOW + HOUR, "expired at 2026-09-21"),
        ("too late", |r| r.expires_ns = NOW + 49 * HOUR, 0, NOW + 48 * HOUR, "proposal p-19 ended at"),
        ("by whoever asks", |_| {}, 2, AT, "cyd asked for proposal p-19, and nobody approves their own request here"),
        ("by someone else", |_| {}, 3, AT, "dan is not in risk, who approve proposal p-19"),
        ("withdrawn by whoever asks", |r| r.word = Word::Withdraw, 2, AT, "cyd asked for proposal p-19"),
    ];
    let tally = Tally::new(matter());
    for (what, alter, by, now, says) in cases {
        let mut request = request();
        alter(&mut request);
        let refused = send(&tally, &signed(&request, by), now).expect_err(what).to_string();
        assert!(refused.contains(says), "{what}: {refused}");
    }
    let tally = send(&tally, &signed(&request(), 0), AT).expect("a good one is taken");
    assert_eq!(names(&tally, AT), ["ada"]);
    assert_eq!(tally.approved(&approvers(), AT)[0].groups, ["risk"]);
}

#[test]
fn what_is_sent_again_changes_nothing_and_what_is_duplicated_is_refused() {
    let good = signed(&request(), 0);
    let tally = send(&Tally::new(matter()), &good, AT).expect("it is good");
    for later in [AT, AT + SECOND, NOW + HOUR - 1] {
        let again = send(&tally, &good, later).expect("it may be sent again");
        assert_eq!((&again.votes, names(&again, later)), (&tally.votes, vec!["ada".to_owned()]));
    }
    let refused = |request: &Request| send(&tally, &signed(request, 0), AT).expect_err("once is enough").to_string();
    let again = Request { nonce: [2; 16], issued_ns: AT, ..request() };
    assert_eq!(refused(&again), "ada approved proposal p-19 already, and counts once; another approver has to");
    let same_nonce = Request { issued_ns: AT, ..request() };
    assert!(refused(&same_nonce).contains("ada used this nonce for another word on proposal p-19"));

    // A second signer joins the first: who counts already is passed over.
    let mut both = Approval::from_bytes(&good).expect("it was just made");
    both.sign(&key(1)).expect("the key is here");
    let tally = send(&tally, &both.to_bytes(), AT + 1).expect("one of them is new");
    assert_eq!(names(&tally, AT + 1), ["ada", "bob"]);
    assert_eq!(tally.approved(&approvers(), AT + 1)[1].time_ns, AT + 1);

    // One signer who may not refuses all.
    let mut three = both.clone();
    three.sign(&key(3)).expect("the key is here");
    let fresh = Tally::new(matter());
    assert!(send(&fresh, &three.to_bytes(), AT).expect_err("dan may not").to_string().contains("dan is not in risk"));
}

#[test]
fn an_older_word_never_replaces_a_newer() {
    let approve = signed(&request(), 0);
    let later = Request { word: Word::Withdraw, nonce: [2; 16], issued_ns: AT, ..request() };
    let withdraw = signed(&later, 0);
    let again = Request { nonce: [3; 16], issued_ns: AT + SECOND, ..request() };

    let in_order = send(&send(&Tally::new(matter()), &approve, AT).expect("good"), &withdraw, AT).expect("good");
    assert!(names(&in_order, AT).is_empty());
    let replayed = send(&in_order, &approve, AT + 1).expect_err("it was taken back").to_string();
    assert_eq!(replayed, "ada said something newer about proposal p-19 already; sign a new request");
    let anew = send(&in_order, &signed(&again, 0), AT + SECOND).expect("they changed their mind again");
    assert_eq!(names(&anew, AT + SECOND), ["ada"]);

    // The withdrawal overtakes the approval on its way.
    let reordered = send(&Tally::new(matter()), &withdraw, AT).expect("it may come first");
    assert!(matches!(send(&reordered, &approve, AT), Err(Refusal::Superseded { .. })));
    // Approvals of several people come in any order.
    let bob = signed(&Request { issued_ns: AT - SECOND, ..request() }, 1);
    let tally = send(&send(&Tally::new(matter()), &signed(&again, 0), AT + SECOND).expect("good"), &bob, AT + SECOND);
    assert_eq!(names(&tally.expect("good"), AT + SECOND), ["ada", "bob"]);
}

#[test]
fn an_approval_stops_counting_when_it_expires_or_its_approver_goes_and_no_clock_brings_it_back() {
    let tally = send(&Tally::new(matter()), &signed(&request(), 0), AT).expect("good");
    assert_eq!(names(&tally, NOW + HOUR - 1), ["ada"]);
    assert!(names(&tally, NOW + HOUR).is_empty());
    let seen = tally.at(NOW + HOUR);
    assert!(names(&seen, NOW).is_empty(), "the clock was set back");
    let without = set(2, 1, &[("bob", 1)]);
    assert!(tally.approved(&without, AT).is_empty());
    let rotated = set(2, 1, &[("ada", 4), ("bob", 1)]);
    assert!(tally.approved(&rotated, AT).is_empty(), "the key that signed is nobody's any more");
    let renamed = set(2, 1, &[("cyd", 0), ("bob", 1)]);
    assert!(tally.approved(&renamed, AT).is_empty(), "it is cyd's key now, and cyd asked");
}

/// Every byte is signed or fixed: a message of which any bit differs is refused, and so is any part of it, and any other encoding.
#[test]
fn every_changed_byte_is_refused() {
    let mut approval = Approval::from_bytes(&signed(&request(), 0)).expect("it was just made");
    approval.sign(&key(1)).expect("the key is here");
    let good = approval.to_bytes();
    let tally = Tally::new(matter());
    assert_eq!(names(&send(&tally, &good, AT).expect("good"), AT).len(), 2);
    for at in 0..good.len() {
        for bit in 0..8 {
            let mut bad = good.clone();
            bad[at] ^= 1 << bit;
            assert!(send(&tally, &bad, AT).is_err(), "bit {bit} of byte {at}");
        }
        assert!(send(&tally, &good[..at], AT).is_err(), "cut at {at}");
    }
    assert!(send(&tally, &[&good[..], &[0]].concat(), AT).is_err());
    // The signatures swapped, one taken twice, and none: one signer is 82 bytes at the end, below a list's head.
    let (head, signers) = good.split_at(good.len() - 164);
    let swapped = [head, &signers[82..], &signers[..82]].concat();
    let refused = send(&tally, &swapped, AT).expect_err("another order").to_string();
    assert!(refused.contains("not in the order of their keys"), "{refused}");
    assert!(send(&tally, &[head, &signers[..82], &signers[..82]].concat(), AT).is_err());
    let alone = [&head[..head.len() - 1], &[0x80]].concat();
    assert!(send(&tally, &alone, AT).expect_err("nobody").to_string().contains("nobody signed it"));
    // A signature of one request under another.
    let other = Request { digest: [8; 32], ..request() };
    let other = signed(&other, 0);
    let mut stolen = signed(&request(), 0);
    let len = stolen.len();
    stolen[len - 64..].copy_from_slice(&other[len - 64..]);
    assert!(matches!(send(&tally, &stolen, AT), Err(Refusal::Forged { by }) if by == "ada"));
    let long = Request { id: "p".repeat(70_000), ..request() };
    assert!(matches!(send(&tally, &signed(&long, 0), AT), Err(Refusal::Limit { .. })));
}

/// The Update Framework, 5.3.4: the threshold of the old and of the new set, and the next revision.
#[test]
fn the_approvers_change_when_the_old_and_the_new_sign() {
    let old = approvers();
    let next = set(2, 2, &[("ada", 4), ("bob", 1), ("eve", 5)]);
    let none = Guards::default();
    let change =
        || Change::request("log", "a-1", "ada", "ada has a new key", Next::Approvers(next.clone()), NOW, NOW + HOUR);
    let sign = |change: &Change, by: u8| {
        let request = change.tally.matter.request(Word::Approve, [by; 16], NOW, NOW + HOUR);
        let ballot = Approval::from_bytes(&signed(&request, by))?.verify(&change.signers(Some(&old)))?;
        change.take(&ballot, AT)
    };
    let all = |keys: &[u8]| keys.iter().fold(change(), |change, &by| sign(&change, by).expect("they may"));
    let lacks = |change: &Change| {
        let needs = change.lacks(Some(&old), &none, AT).expect("it is due");
        needs.into_iter().map(|need| (need.item, need.approvals, need.quorum)).collect::<Vec<_>>()
    };
    let (old_set, new_set) = ("the approvers in force".to_owned(), "the approvers to be".to_owned());
    assert_eq!(lacks(&change()), [(old_set.clone(), 0, 2), (new_set.clone(), 0, 2)]);
    assert_eq!(lacks(&all(&[0, 2])), [(new_set.clone(), 0, 2)], "two of the old");
    assert_eq!(lacks(&all(&[4, 5])), [(old_set.clone(), 0, 2)], "two of the new");
    assert_eq!(lacks(&all(&[0, 4])), [(old_set, 1, 2), (new_set, 1, 2)], "ada is one in each");
    assert!(lacks(&all(&[0, 1, 4])).is_empty(), "bob is in both");
    assert!(matches!(sign(&change(), 8), Err(Refusal::Unknown { .. })));

    let done = all(&[0, 1, 4]);
    let skipped = Next::Approvers(Approvers { revision: 3, ..next.clone() });
    let skipped = Change::request("log", "a-2", "ada", "", skipped, NOW, NOW + HOUR);
    assert!(matches!(skipped.lacks(Some(&old), &none, AT), Err(Refusal::Revision { is: 3, due: 2, .. })));
    assert!(
        matches!(done.lacks(Some(&next), &none, AT), Err(Refusal::Revision { is: 2, due: 3, .. })),
        "it is in force"
    );
    assert!(matches!(done.lacks(Some(&old), &none, NOW + HOUR), Err(Refusal::Ended { .. })));
    let text = serde_json::to_string(&done).expect("it is written");
    assert_eq!(serde_json::from_str::<Change>(&text).expect("it was written so"), done);

    // The first set signs itself.
    let first = Change::request("log", "a-0", "ada", "", Next::Approvers(old.clone()), NOW, NOW + HOUR);
    assert_eq!(first.lacks(None, &none, AT).expect("it is the first").len(), 1);
}

#[test]
fn taking_a_guard_away_takes_what_relaxing_it_would() {
    let guard = |id: &str, criticality: &str| {
        let json = format!(
            r#"{{"id":"{id}","kind":"performance_bound","criticality":"{criticality}","groups":["risk"],"bound":[{{"figure":"read_ns","max":8.0}}]}}"#
        );
        Guard::from_json(&json).expect("the guard can be")
    };
    let in_force = Guards { revision: 4, guards: vec![guard("reads", "high"), guard("other", "low")] };
    let old = set(1, 1, &[("ada", 0), ("bob", 1), ("dan", 3)]);
    let lacks = |next: Guards, keys: &[u8], now: u64| {
        let change = Change::request("log", "g-1", "ops-1", "", Next::Guards(next), NOW, NOW + 48 * HOUR);
        let change = keys.iter().fold(change, |change, &by| {
            let request = change.tally.matter.request(Word::Approve, [by; 16], NOW, NOW + 40 * HOUR);
            let ballot =
                Approval::from_bytes(&signed(&request, by)).and_then(|one| one.verify(&change.signers(Some(&old))));
            change.take(&ballot.expect("genuine"), NOW).expect("they may")
        });
        change
            .lacks(Some(&old), &in_force, now)
            .expect("it is due")
            .into_iter()
            .map(|need| need.item)
            .collect::<Vec<_>>()
    };
    let added = || in_force.with(guard("new", "critical"));
    assert_eq!(lacks(added(), &[], NOW), ["the approvers in force"]);
    assert!(lacks(added(), &[3], NOW).is_empty(), "a boundary more takes the threshold alone");
    let removed = || in_force.without("reads");
    assert_eq!(lacks(removed(), &[0, 1], NOW + 12 * HOUR - 1), ["guard reads"], "it lies open for review");
    assert_eq!(lacks(removed(), &[0, 3], NOW + 12 * HOUR), ["guard reads"], "dan may not relax it");
    assert!(lacks(removed(), &[0, 1], NOW + 12 * HOUR).is_empty());
    let weakened = || in_force.with(guard("reads", "low"));
    assert_eq!(lacks(weakened(), &[0], NOW + 12 * HOUR), ["guard reads"], "it is as critical as it was");
    let change = Change::request("log", "g-1", "ops-1", "", Next::Guards(added()), NOW, NOW + HOUR);
    assert!(change.lacks(None, &in_force, NOW).expect("it is due").is_empty(), "there is nobody to ask yet");
}

#[test]
fn sets_of_approvers_that_cannot_be_are_refused() {
    let of = |threshold: u32, keepers: &str, second: (&str, u8)| {
        let members = [("ada", 0), second].map(|(name, number)| {
            format!(r#"{{"name":"{name}","key":"{}","groups":["risk"]}}"#, hex(&key(number).public().to_bytes()))
        });
        let members = members.join(",");
        Approvers::from_json(&format!(
            r#"{{"revision":1,"threshold":{threshold},"keepers":"{keepers}","approver":[{members}]}}"#
        ))
    };
    let set = of(2, "risk", ("bob", 1)).expect("it can be");
    assert_eq!(Approvers::from_toml(&set.to_toml()).expect("it was written so"), set);
    assert_eq!(Approvers::from_json(&set.to_json()).expect("it was written so").digest(), set.digest());
    for (wrong, says) in [
        (of(0, "", ("bob", 1)), "its threshold is 0, and 2 can sign; it takes 1 to 2"),
        (of(3, "", ("bob", 1)), "its threshold is 3, and 2 can sign"),
        (of(1, "desk", ("bob", 1)), "its threshold is 1, and 0 can sign"),
        (of(1, "", ("ada", 1)), "ada is there twice"),
        (of(1, "", ("bob", 0)), "bob has a key that another approver has"),
        (of(1, "", (" bob", 1)), "\" bob\" is no name"),
        (Approvers::from_json("{}"), "missing field `revision`"),
        (
            Approvers::from_toml("revision = 1\nthreshold = 1\n[[approver]]\nname = \"a\"\nkey = \"12\""),
            "a key is 64 hexadecimal digits",
        ),
    ] {
        let wrong = wrong.expect_err(says).to_string();
        assert!(wrong.contains(says), "{wrong}");
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

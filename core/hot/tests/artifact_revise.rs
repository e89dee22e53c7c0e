//! A revision says what was revised and keeps all else, whatever memory it is made in; what it cannot say it refuses.

use knhk_hot::artifact::{Artifact, ArtifactError, Builder, Limits, Value};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

const BOOL: u32 = 1;
const I64: u32 = 2;
const F64: u32 = 3;
const STR: u32 = 4;
const BYTES: u32 = 5;

/// Something of everything, with lists and classes behind the texts, so that these move when a text grows.
fn sample() -> Artifact {
    let mut builder = Builder::new(14);
    builder
        .set(0, Value::Map)
        .set(BOOL, Value::Bool(true))
        .set(I64, Value::I64(-5))
        .set(F64, Value::F64(2.5))
        .set(STR, Value::Str("grüße"))
        .set(BYTES, Value::Bytes(&[0, 255]))
        .set(6, Value::ListBool(&[true, false]))
        .set(7, Value::ListI64(&[i64::MIN, 7]))
        .set(8, Value::ListF64(&[1.5, -2.0]))
        .set(9, Value::ListStr(vec!["", "XPAR"]))
        .set(10, Value::ListBytes(vec![&[][..], &[1][..]]))
        .set(11, Value::Class { number: 0, ancestors: vec![0] })
        .set(12, Value::Class { number: 1, ancestors: vec![0, 1] })
        .range_i64(I64, -10, 10)
        .range_f64(F64, f64::NEG_INFINITY, 3.0)
        .key_table([3; 32])
        .snapshot_id([4; 32])
        .name(None, "limits", 0);
    for (slot, leaf) in ["b", "i", "f", "s", "y", "lb", "li", "lf", "ls", "ly"].into_iter().enumerate() {
        builder.name(Some(0), leaf, slot as u32 + 1);
    }
    builder.name(None, "c0", 11).name(None, "c1", 12);
    builder.finish().expect("the sample keeps every rule")
}

fn revised(artifact: &Artifact, changes: &[(u32, Value<'_>)]) -> Result<Artifact, ArtifactError> {
    artifact.revise(changes.iter().cloned())?.finish([9; 32])
}

/// What a stranger reads of the image, once it is verified.
fn travelled(artifact: &Artifact) -> Artifact {
    Artifact::from_image(artifact.image(), &Limits::default()).expect("a revision is a valid image")
}

#[derive(Clone, Debug)]
enum Change {
    Bool(bool),
    I64(i64),
    F64(f64),
    Str(String),
    Bytes(Vec<u8>),
}

impl Change {
    fn slot(&self) -> u32 {
        match self {
            Change::Bool(_) => BOOL,
            Change::I64(_) => I64,
            Change::F64(_) => F64,
            Change::Str(_) => STR,
            Change::Bytes(_) => BYTES,
        }
    }

    fn value(&self) -> Value<'_> {
        match self {
            Change::Bool(value) => Value::Bool(*value),
            Change::I64(value) => Value::I64(*value),
            Change::F64(value) => Value::F64(*value),
            Change::Str(text) => Value::Str(text),
            Change::Bytes(bytes) => Value::Bytes(bytes),
        }
    }
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let change = prop_oneof![
        any::<bool>().prop_map(Change::Bool),
        (-10..=10_i64).prop_map(Change::I64),
        (-1e9..=3.0_f64).prop_map(Change::F64),
        "[a-zäß ]{0,40}".prop_map(Change::Str),
        vec(any::<u8>(), 0..40).prop_map(Change::Bytes),
    ];
    vec(change, 0..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 200 } else { 2000 }))]

    /// A chain of revisions, some of which are dropped on the way, so that their memory is used again.
    #[test]
    fn a_revision_reads_as_if_it_had_been_built(rounds in vec((changes(), any::<bool>()), 1..8)) {
        let first = sample();
        let image = first.image().to_vec();
        let mut expected: Vec<(String, Value<'_>)> = first.entries().map(|entry| (entry.path, entry.value)).collect();
        let mut current = revised(&first, &[]).expect("nothing changes");
        for (changes, kept) in &rounds {
            // The last one of each slot: a revision names a slot once.
            let mut once: Vec<&Change> = Vec::new();
            for change in changes.iter().rev() {
                if once.iter().all(|other| other.slot() != change.slot()) {
                    once.push(change);
                }
            }
            let next = revised(&current, &once.iter().map(|change| (change.slot(), change.value())).collect::<Vec<_>>());
            let next = next.expect("every value keeps type and range");
            if !kept {
                continue;
            }
            for change in once {
                expected[change.slot() as usize].1 = change.value();
            }
            for artifact in [&next, &travelled(&next)] {
                let entries: Vec<_> = artifact.entries().map(|entry| (entry.path, entry.value)).collect();
                prop_assert_eq!(&entries, &expected);
                prop_assert_eq!((artifact.key_table(), artifact.snapshot_id()), ([3; 32], [9; 32]));
                prop_assert_eq!(artifact.bounds(I64), first.bounds(I64));
                prop_assert_eq!(artifact.find("limits/ls"), Some(9));
            }
            current = next;
        }
        prop_assert_eq!(first.image(), image);
    }

    #[test]
    fn one_wrong_value_refuses_all(changes in changes(), wrong in any::<Index>()) {
        let cases: [(u32, Value<'_>, &str); 9] = [
            (14, Value::I64(1), "no such slot"),
            (13, Value::I64(1), "keeps the types"),
            (I64, Value::F64(1.0), "keeps the types"),
            (I64, Value::I64(11), "outside its range"),
            (F64, Value::F64(f64::NAN), "outside its range"),
            (F64, Value::F64(f64::NEG_INFINITY), "outside its range"),
            (STR, Value::Str("a\0b"), "NUL"),
            (7, Value::ListI64(&[1]), "scalars"),
            (0, Value::Map, "scalars"),
        ];
        let artifact = sample();
        let before = artifact.image().to_vec();
        let (slot, value, why) = wrong.get(&cases).clone();
        let mut all: Vec<(u32, Value<'_>)> = changes.iter().map(|change| (change.slot(), change.value())).collect();
        all.retain(|&(other, _)| other != slot);
        all.push((slot, value));
        let refused = revised(&artifact, &all).expect_err("one value is wrong").to_string();
        prop_assert!(refused.contains(why), "{refused:?} should speak of {why:?}");
        prop_assert_eq!(artifact.image(), before);
    }
}

#[test]
fn a_text_that_shrinks_leaves_nothing_of_the_one_before() {
    let secret = "a long text that nobody is to find afterwards";
    let first = revised(&sample(), &[(STR, Value::Str(secret))]).expect("a text takes the place of a text");
    let next = revised(&first, &[(STR, Value::Str("short"))]).expect("a text takes the place of a text");
    let contains = |image: &[u8], part: &[u8]| image.windows(part.len()).any(|window| window == part);
    assert!(contains(first.image(), secret.as_bytes()));
    assert!(!contains(next.image(), b"text that nobody"), "what is left over is zero");
    assert_eq!(next.image().len(), first.image().len(), "it is written in the place of the one before");
}

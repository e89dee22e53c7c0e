//! The Merkle map: the root depends on the set alone, whatever led to it; proofs hold for what is there and for nothing else.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Arc;

use knhk_ontology::graph::{Delta, GraphBuilder, Term, Terms, Triple, write_statement};
use knhk_ontology::merkle::{Hash, Map, Proof, ProofError, leaf};
use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use proptest::sample::Index;

fn line(number: usize) -> Vec<u8> {
    format!("<urn:s:{number}> <urn:p> \"{number}\" .\n").into_bytes()
}

fn leaves(numbers: impl IntoIterator<Item = usize>) -> Vec<Hash> {
    numbers.into_iter().map(|number| leaf(&line(number))).collect()
}

/// A hash whose first bytes are these, for depths that lines would take 2^80 tries to reach.
fn close(first: &[u8]) -> Hash {
    let mut hash = [0x5a; 32];
    hash[..first.len()].copy_from_slice(first);
    hash
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 60 } else { 500 }))]

    #[test]
    fn the_root_depends_on_the_set_alone(
        first in btree_set(0..600_usize, 0..400),
        changes in vec((btree_set(0..600_usize, 0..200), btree_set(0..600_usize, 0..200)), 1..5),
    ) {
        let mut set = first.clone();
        let mut map = Map::from_leaves(leaves(first));
        for (removed, added) in changes {
            let before = (map.clone(), map.root(), map.len());
            map = map.apply_leaves(&leaves(removed.iter().copied()), &leaves(added.iter().copied()));
            set = set.difference(&removed).chain(&added).copied().collect();
            prop_assert_eq!(map.root(), Map::from_leaves(leaves(set.iter().rev().copied())).root());
            prop_assert_eq!(map.len(), set.len());
            prop_assert_eq!((before.0.root(), before.0.len()), (before.1, before.2));
        }
        let one_by_one = set.iter().fold(Map::empty(), |map, &number| map.apply_leaves(&[], &leaves([number])));
        prop_assert_eq!(one_by_one.root(), map.root());
        let emptied = map.apply_leaves(&leaves(set), &[]);
        prop_assert_eq!((emptied.root(), emptied.len()), ([0; 32], 0));
    }

    #[test]
    fn deep_leaves_come_and_go(hashes in btree_set(vec(0..2_u8, 32), 1..12), gone in vec(any::<Index>(), 0..8)) {
        let hashes: Vec<Hash> = hashes.iter().map(|bytes| close(bytes)).collect();
        let gone: BTreeSet<Hash> = gone.iter().map(|at| *at.get(&hashes)).collect();
        let kept: Vec<Hash> = hashes.iter().filter(|hash| !gone.contains(*hash)).copied().collect();
        let gone: Vec<Hash> = gone.into_iter().collect();
        let map = Map::from_leaves(hashes);
        prop_assert_eq!(map.apply_leaves(&gone, &[]).root(), Map::from_leaves(kept.clone()).root());
        prop_assert_eq!(Map::from_leaves(kept).apply_leaves(&[], &gone).root(), map.root());
    }

    #[test]
    fn what_is_there_is_proven_and_nothing_else(set in btree_set(0..500_usize, 0..300), flipped: Index, bit in 0..8) {
        let map = Map::from_leaves(leaves(set.iter().copied()));
        let root = map.root();
        for number in 0..500 {
            let proof = map.prove(&line(number));
            prop_assert_eq!(proof.is_some(), set.contains(&number));
            let Some(proof) = proof else { continue };
            prop_assert!(proof.verify(&root, &line(number)));
            prop_assert!(!proof.verify(&root, &line(number + 1)));
            prop_assert!(!proof.verify(&[0; 32], &line(number)));
            let mut bytes = proof.to_bytes();
            prop_assert_eq!(Proof::from_bytes(&bytes), Ok(proof.clone()));
            let at = flipped.index(bytes.len());
            bytes[at] ^= 1u8 << bit;
            prop_assert!(Proof::from_bytes(&bytes).map_or(true, |proof| !proof.verify(&root, &line(number))));
        }
    }

    #[test]
    fn any_bytes_are_refused_or_a_proof(bytes in vec(any::<u8>(), 0..200), version in 0..3_u8, levels in 0..70_u8) {
        for bytes in [bytes.clone(), [vec![version, levels], bytes].concat()] {
            if let Ok(proof) = Proof::from_bytes(&bytes) {
                prop_assert_eq!(proof.to_bytes(), bytes);
                prop_assert!(!proof.verify(&[7; 32], b"line\n"));
            }
        }
    }
}

#[test]
fn every_bit_of_a_proof_counts() {
    let map = Map::from_leaves(leaves(0..200));
    let bytes = map.prove(&line(7)).expect("the line is there").to_bytes();
    for at in 0..bytes.len() * 8 {
        let mut damaged = bytes.clone();
        damaged[at / 8] ^= 1u8 << (at % 8);
        assert!(Proof::from_bytes(&damaged).map_or(true, |proof| !proof.verify(&map.root(), &line(7))), "bit {at}");
    }
    for len in 0..bytes.len() {
        assert!(matches!(Proof::from_bytes(&bytes[..len]), Err(ProofError::Length { .. })));
    }
    assert_eq!(Proof::from_bytes(&[2, 0]), Err(ProofError::Version(2)));
    assert_eq!(Proof::from_bytes(&[1, 65]), Err(ProofError::Levels(65)));
    assert_eq!(Proof::from_bytes(&[1, 1, 0, 0]), Err(ProofError::NoChildren(0)));
    let error = Proof::from_bytes(&bytes[..40]).expect_err("it was cut off").to_string();
    assert!(error.contains("40 bytes") && error.contains(&bytes.len().to_string()), "{error}");
}

/// The fuzzer's corpus: three are read, and one was cut off.
#[test]
fn the_corpus_is_read_or_refused() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/proof/");
    for (file, is_read) in [("alone", true), ("two_levels", true), ("chain", true), ("cut_off", false)] {
        let bytes = std::fs::read(format!("{folder}{file}")).expect("the file is there");
        let proof = Proof::from_bytes(&bytes);
        assert_eq!(proof.is_ok(), is_read, "{file}: {proof:?}");
        assert!(proof.map_or(true, |proof| proof.to_bytes() == bytes), "{file}");
    }
}

#[test]
fn small_maps_are_what_the_definition_says() {
    assert_eq!((Map::empty().root(), Map::empty().len()), ([0; 32], 0));
    assert!(Map::empty().prove(&line(0)).is_none());
    let one = Map::from_leaves(leaves([1]));
    assert_eq!(one.root(), leaf(&line(1)));
    assert!(one.prove(&line(1)).expect("the line is there").verify(&one.root(), &line(1)));
    assert!(one.prove(&line(2)).is_none());
    assert_eq!(Map::from_leaves(leaves([1, 1])).len(), 1);
}

/// A graph with terms of each kind and as many statements as two threads share.
fn graph_of(count: usize) -> knhk_ontology::graph::Graph {
    let terms = Arc::new(Terms::new());
    let predicate = terms.iri("urn:p");
    let mut builder = GraphBuilder::new(terms.clone());
    for i in 0..count {
        let object = match i % 4 {
            0 => Term::integer(i as i64).expect("the number is small"),
            1 => terms.literal(&format!("text \"{i}\"\n"), knhk_ontology::vocabulary::xsd::STRING),
            2 => terms.language_literal("Grüße", "de"),
            _ => terms.blank("c14n0"),
        };
        builder.push(terms.iri(&format!("urn:s:{i}")), predicate, object);
    }
    builder.finish()
}

#[test]
fn changes_of_a_graph_change_its_map() {
    let graph = graph_of(9000);
    let terms = graph.terms();
    let map = Map::from_statements(terms, graph.iter());
    let few: Vec<Triple> = graph.iter().step_by(90).collect();
    let new = Triple { object: Term::boolean(true), ..few[0] };
    for (removed, added) in
        [(few.clone(), vec![]), (few, vec![new]), (graph.iter().collect(), vec![new]), (vec![], vec![new])]
    {
        let delta = Delta::new(&graph, removed, added);
        let after = graph.apply(&delta);
        let changed = map.apply(terms, &delta);
        assert_eq!(changed.root(), Map::from_statements(terms, after.iter()).root());
        assert_eq!(changed.len(), after.len());
        assert_eq!(map.apply_towards(&after, &delta).root(), changed.root());
        assert_eq!(changed.apply(terms, &delta.inverse()).root(), map.root());
    }
}

/// Recomputes roots and checks a proof in Python, from canonical lines alone.
#[test]
fn another_program_computes_the_same_root() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/merkle_root.py");
    for count in [0, 1, 2, 17, 3000, 9000] {
        let graph = graph_of(count);
        let mut lines = Vec::new();
        graph.iter().for_each(|triple| write_statement(graph.terms(), triple, &mut lines));
        let map = Map::from_statements(graph.terms(), graph.iter());
        let first = lines.split_inclusive(|&byte| byte == b'\n').next();
        let proof = first.map(|line| map.prove(line).expect("the line is there").to_bytes());
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let mut command = Command::new("python3");
        command.arg(script).arg(hex(&proof.unwrap_or_default())).stdin(Stdio::piped()).stdout(Stdio::piped());
        let Ok(mut child) = command.spawn() else {
            println!("skipped: python3 is not installed");
            return;
        };
        child.stdin.take().expect("it is piped").write_all(&lines).expect("the script reads");
        let output = child.wait_with_output().expect("the script ends");
        assert!(output.status.success(), "the script refuses the proof");
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), hex(&map.root()));
    }
}

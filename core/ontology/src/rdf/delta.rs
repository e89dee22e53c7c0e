//! Reads a change: statements to remove and statements to add.

use std::sync::Arc;

use hashbrown::HashMap;
use sha2::{Digest, Sha256};

use super::error::RdfErrorKind as Kind;
use super::sink::{Labels, is_canonical};
use super::{Format, RdfError, parse_labelled};
use crate::graph::{self, Delta, Graph, Term, TermRef, Terms, Triple};
use crate::vocabulary::knhk;
use crate::{Limits, canon};

/// Stands for a blank node of the graph while the new ones are labelled.
const KNOWN: &str = "urn:knhk:skolem:known:";

/// The change that two texts say, against a graph.
///
/// Blank nodes labelled `c14n0`, `c14n1`, … as in an export are those of the graph. Other blank nodes of what is added are new, and become
/// IRIs: `urn:knhk:skolem:<hash>:<label>`, of the first 128 bits of SHA-256 over the change's canonical statements (those removed, an empty
/// line, those added) and the node's label in them, so that the same change says the same however it was written.
///
/// # Errors
/// Those of [`parse`](super::parse) and [`canon::label`]; a blank node that the graph has not.
pub fn parse_delta(
    removed: &[u8],
    added: &[u8],
    format: Format,
    base: &str,
    current: &Graph,
    limits: &Limits,
) -> Result<Delta, RdfError> {
    let terms = current.terms();
    let read = |text: &[u8]| match text.trim_ascii() {
        [] => Ok(Vec::new()), // nothing is no JSON and no XML, but a change may lack a side
        _ => parse_labelled(text, format, base, terms, limits, Labels::KeepCanonical),
    };
    let (removed, added) = (read(removed)?, read(added)?);
    for triple in &removed {
        for term in [triple.subject, triple.object] {
            if let TermRef::Blank(label) = terms.get(term) {
                known(current, term, label)?;
                if !is_canonical(label) {
                    return Err(Kind::AnonymousRemoved.into());
                }
            }
        }
    }
    Ok(Delta::new(current, removed.clone(), skolemised(added, &removed, current, limits)?))
}

/// The added statements with IRIs in place of new blank nodes.
fn skolemised(
    mut added: Vec<Triple>,
    removed: &[Triple],
    current: &Graph,
    limits: &Limits,
) -> Result<Vec<Triple>, RdfError> {
    let terms = current.terms();
    let mut stands_for: HashMap<Term, Term> = HashMap::new();
    let mut fresh = false;
    for triple in &mut added {
        for term in [&mut triple.subject, &mut triple.object] {
            if let TermRef::Blank(label) = terms.get(*term) {
                if is_canonical(label) {
                    known(current, *term, label)?;
                    let stand_in = terms.iri(&format!("{KNOWN}{label}"));
                    stands_for.insert(stand_in, *term);
                    *term = stand_in;
                } else {
                    fresh = true;
                }
            }
        }
    }
    if fresh {
        added = canon::label(added, terms, limits)?;
        let hash = hash(removed, &added, terms);
        each_term(&mut added, |term| match terms.get(term) {
            TermRef::Blank(label) => terms.iri(&format!("{}skolem:{hash}:{label}", knhk::SECTORS)),
            _ => term,
        });
    }
    each_term(&mut added, |term| stands_for.get(&term).copied().unwrap_or(term));
    Ok(added)
}

fn each_term(triples: &mut [Triple], meant: impl Fn(Term) -> Term) {
    for triple in triples {
        triple.subject = meant(triple.subject);
        triple.object = meant(triple.object);
    }
}

fn known(graph: &Graph, node: Term, label: &str) -> Result<(), Kind> {
    let there = graph.about(node).next().is_some() || graph.with_object(node).next().is_some();
    if there || !is_canonical(label) { Ok(()) } else { Err(Kind::UnknownBlank { label: label.to_owned() }) }
}

/// 32 hexadecimal digits that stand for a change.
fn hash(removed: &[Triple], added: &[Triple], terms: &Arc<Terms>) -> String {
    let mut hasher = Sha256::new();
    for triples in [removed, added] {
        let mut lines: Vec<Vec<u8>> = triples.iter().map(|&triple| line(terms, triple)).collect();
        lines.sort_unstable();
        lines.dedup();
        lines.iter().for_each(|line| hasher.update(line));
        hasher.update(b"\n");
    }
    hasher.finalize()[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

fn line(terms: &Terms, triple: Triple) -> Vec<u8> {
    let mut line = Vec::new();
    graph::write_statement(terms, triple, &mut line);
    line
}

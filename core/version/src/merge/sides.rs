//! The two sides of a merge and what they came from: where they conflict, and what settles it.

use std::collections::{BTreeMap, BTreeSet};

use knhk_ontology::Snapshot;
use knhk_ontology::graph::{Delta, Graph, Term, TermRef, Triple, write_statement};
use knhk_ontology::vocabulary::knhk;

use super::Side;
use super::conflict::{About, Conflict};

/// Properties of a parameter that mean nothing without each other.
const VALUE: [&str; 3] = [knhk::VALUE, knhk::TYPE, knhk::UNIT];
/// Properties of a parameter that hold one value each.
const SINGLE: [&str; 5] = [knhk::MIN, knhk::MAX, knhk::ENUM, knhk::DEFAULT, knhk::DOC];
/// Violations that are told.
const TOLD: usize = 100;

/// The graphs of a merge.
pub(super) struct Sides<'s> {
    pub(super) base: &'s Graph,
    pub(super) ours: &'s Graph,
    pub(super) theirs: &'s Graph,
    pub(super) snapshot: &'s Snapshot,
}

impl Sides<'_> {
    /// What changed on both sides differently.
    pub(super) fn conflicts(&self, here: &Delta, there: &Delta) -> Vec<Conflict> {
        let (by_us, by_them) = (touched(here), touched(there));
        let mut conflicts = Vec::new();
        let mut gone = BTreeSet::new();
        for (removed, kept, theirs, what) in [
            (self.ours, self.theirs, &by_them, "this side removed it and the other one changed it"),
            (self.theirs, self.ours, &by_us, "the other side removed it and this one changed it"),
        ] {
            for &subject in theirs.keys() {
                if is_known(self.base, subject) && !is_known(removed, subject) && is_known(kept, subject) {
                    gone.insert(subject);
                    conflicts.push(self.conflict(subject, None, what));
                }
            }
        }
        for (added, removed, what) in [
            (there.added(), self.ours, "this side removed it and the other one refers to it anew"),
            (here.added(), self.theirs, "the other side removed it and this one refers to it anew"),
        ] {
            for object in added.iter().map(|triple| triple.object).collect::<BTreeSet<_>>() {
                if !object.is_literal()
                    && is_known(self.base, object)
                    && !is_known(removed, object)
                    && gone.insert(object)
                {
                    conflicts.push(self.conflict(object, None, what));
                }
            }
        }
        for (&subject, ours) in &by_us {
            let Some(theirs) = by_them.get(&subject).filter(|_| !gone.contains(&subject)) else { continue };
            let mut groups: BTreeSet<Vec<Term>> = BTreeSet::new();
            groups.extend(ours.iter().map(|&predicate| self.group(predicate)));
            for group in groups {
                let touches = theirs.iter().any(|predicate| group.contains(predicate));
                if touches && self.differ(subject, &group) {
                    conflicts.push(self.conflict(subject, Some(&group), "both sides changed it"));
                }
            }
        }
        conflicts.sort_by(|one, other| (&one.item, &one.what).cmp(&(&other.item, &other.what)));
        conflicts
    }

    /// A subject's changed properties, each with those that mean nothing without it.
    pub(super) fn about(&self, subject: Term, changed: BTreeSet<Term>) -> Vec<About> {
        let groups: BTreeSet<Vec<Term>> = changed.into_iter().map(|predicate| self.group(predicate)).collect();
        groups.into_iter().map(|group| About { subject, group: Some(group) }).collect()
    }

    /// Has one side hold of what is in conflict: changes what the other side's delta does to ours.
    pub(super) fn settle(
        &self,
        about: &About,
        side: Side,
        here: &Delta,
        (removed, added): (&mut Vec<Triple>, &mut Vec<Triple>),
    ) {
        removed.retain(|triple| !about.covers(triple));
        added.retain(|triple| !about.covers(triple));
        let said = |graph: &Graph| -> Vec<Triple> {
            let of = |(predicate, object)| Triple { subject: about.subject, predicate, object };
            graph.about(about.subject).map(of).filter(|triple| about.covers(triple)).collect()
        };
        let refers = |triple: &Triple| about.group.is_none() && triple.object == about.subject;
        match side {
            // Where the subject is not there, nothing refers to it.
            Side::Ours if said(self.ours).is_empty() => added.retain(|triple| !refers(triple)),
            Side::Ours => {}
            Side::Theirs => {
                if said(self.theirs).is_empty() {
                    removed.extend(here.added().iter().filter(|triple| refers(triple)));
                }
                removed.extend(said(self.ours));
                added.extend(said(self.theirs));
            }
        }
    }

    fn iri(&self, predicate: Term) -> Option<&str> {
        match self.ours.terms().get(predicate) {
            TermRef::Iri(iri) => Some(iri),
            _ => None,
        }
    }

    /// The properties that mean nothing without this one.
    fn group(&self, predicate: Term) -> Vec<Term> {
        match self.iri(predicate) {
            Some(iri) if VALUE.contains(&iri) => {
                VALUE.iter().filter_map(|iri| self.ours.terms().find_iri(iri)).collect()
            }
            _ => vec![predicate],
        }
    }

    /// Whether the sides say different things where one can hold.
    fn differ(&self, subject: Term, group: &[Term]) -> bool {
        let said = |graph: &Graph| -> BTreeSet<(Term, Term)> {
            group.iter().flat_map(|&p| graph.objects(subject, p).map(move |object| (p, object))).collect()
        };
        let (base, ours, theirs) = (said(self.base), said(self.ours), said(self.theirs));
        if ours == theirs || ours == base || theirs == base {
            return false;
        }
        let iri = group.first().and_then(|&predicate| self.iri(predicate));
        let single = iri.is_some_and(|iri| VALUE.contains(&iri) || SINGLE.contains(&iri));
        single || base.len() == 1 && ours.len() <= 1 && theirs.len() <= 1
    }

    fn conflict(&self, subject: Term, group: Option<&[Term]>, what: &str) -> Conflict {
        let said = |graph: &Graph| {
            let about =
                graph.about(subject).filter(|(predicate, _)| group.is_none_or(|group| group.contains(predicate)));
            let mut lines: Vec<String> =
                about.map(|(predicate, object)| self.line(Triple { subject, predicate, object })).collect();
            lines.sort_unstable();
            lines
        };
        let prefix = |predicate: Option<Term>| {
            let mut prefix = Vec::new();
            for term in std::iter::once(subject).chain(predicate) {
                knhk_ontology::graph::write_term(self.ours.terms(), term, &mut prefix);
                prefix.push(b' ');
            }
            prefix
        };
        Conflict {
            item: self.name(subject),
            what: what.into(),
            base: said(self.base),
            ours: said(self.ours),
            theirs: said(self.theirs),
            ours_by: None,
            theirs_by: None,
            prefixes: match group {
                None => vec![prefix(None)],
                Some(group) => group.iter().map(|&predicate| prefix(Some(predicate))).collect(),
            },
            about: Some(About { subject, group: group.map(<[Term]>::to_vec) }),
        }
    }

    /// A subject's path, or what it is called.
    fn name(&self, subject: Term) -> String {
        match self.ours.terms().get(subject) {
            TermRef::Iri(iri) => self.snapshot.namespace().path(iri).unwrap_or_else(|| iri.to_owned()),
            TermRef::Blank(label) => format!("_:{label}"),
            TermRef::Literal { lexical, .. } => lexical.into_owned(),
        }
    }

    fn line(&self, triple: Triple) -> String {
        let mut line = Vec::new();
        write_statement(self.ours.terms(), triple, &mut line);
        String::from_utf8_lossy(line.trim_ascii_end()).into_owned()
    }

    /// What is wrong with both sides together.
    pub(super) fn unsound(&self, merged: &Snapshot) -> Vec<Conflict> {
        let mut conflicts = Vec::new();
        for result in merged.report().results().take(TOLD) {
            let what = format!("both sides together break a shape: {result}");
            conflicts.push(self.conflict(result.focus_term(), None, &what));
        }
        if let Err(error) = merged.document() {
            let what = format!("both sides together are not sound: {}", error.kind);
            let subject = self.ours.terms().find_iri(&self.snapshot.namespace().iri(&error.path));
            match subject {
                Some(subject) => conflicts.push(self.conflict(subject, None, &what)),
                None => conflicts.push(Conflict { item: error.path.clone(), what, ..Conflict::nowhere() }),
            }
        }
        conflicts
    }
}

/// The properties that a change touches, by subject.
pub(super) fn touched(delta: &Delta) -> BTreeMap<Term, BTreeSet<Term>> {
    let mut touched: BTreeMap<Term, BTreeSet<Term>> = BTreeMap::new();
    for triple in delta.removed().iter().chain(delta.added()) {
        touched.entry(triple.subject).or_default().insert(triple.predicate);
    }
    touched
}

fn is_known(graph: &Graph, subject: Term) -> bool {
    graph.about(subject).next().is_some()
}

//! Data residency: places that are allowed, and statements that stay.

use std::collections::HashSet;

use knhk_ontology::graph::{Graph, Term, TermRef, Triple, write_statement};
use knhk_ontology::vocabulary::{rdf, rdfs};
use knhk_ontology::{Namespace, Snapshot};

use super::judge::{Crossing, Judged};
use super::value::scalars;
use super::{Guard, Keep, Pattern, Residency};

impl Guard {
    pub(super) fn check_residency(&self, judged: &Judged<'_>, crossings: &mut Vec<Crossing>) -> Result<(), Crossing> {
        for residency in &self.residencies {
            let after = if residency.paths.is_empty() { None } else { Some(judged.after()?) };
            for path in judged.changed(&residency.paths) {
                // What is removed is nowhere.
                let Some(leaf) = after.and_then(|after| after.get(path)) else { continue };
                match scalars(&leaf) {
                    Some(places) => {
                        let places = places.iter().map(ToString::to_string);
                        let outside: Vec<String> = places.filter(|place| !residency.allowed.contains(place)).collect();
                        if let Some(place) = outside.first() {
                            crossings.push(residency.crossing(&format!("{path} would be {place}")));
                        }
                    }
                    None => crossings.push(residency.crossing(&format!("{path} would be {leaf}"))),
                }
            }
            if let (Some(class), Some(property)) = (&residency.class, &residency.property) {
                self.check_instances(judged, residency, class, property, crossings);
            }
        }
        Ok(())
    }

    /// Where the instances of a class are, as far as the change may have moved them. What was an instance, and would be none any more, may
    /// not be moved by the same change either.
    fn check_instances(
        &self,
        judged: &Judged<'_>,
        residency: &Residency,
        class: &str,
        property: &str,
        crossings: &mut Vec<Crossing>,
    ) {
        let (base, delta) = (&*judged.candidate.base, &judged.candidate.delta);
        let (before, space) = (base.graph(), base.namespace());
        // In the interner of the change; the candidate's own graph may have been given another.
        let after = &before.apply(delta);
        let terms = before.terms();
        let (Some(class), Some(property)) = (find(before, space, class), find(before, space, property)) else { return };
        let Some(is) = terms.find_iri(rdf::TYPE) else { return };
        let sub_class = terms.find_iri(rdfs::SUB_CLASS_OF);
        let moved: Vec<(Term, Term)> = if delta.added().iter().any(|triple| Some(triple.predicate) == sub_class) {
            // Whatever has the property may be an instance now.
            after.with_predicate(property).map(|(place, subject)| (subject, place)).collect()
        } else {
            let placed = delta.added().iter().filter(|triple| triple.predicate == property);
            let placed = placed.map(|triple| (triple.subject, triple.object));
            let typed = delta.added().iter().filter(|triple| triple.predicate == is);
            let typed = typed.flat_map(|one| after.objects(one.subject, property).map(|place| (one.subject, place)));
            placed.chain(typed).collect()
        };
        let graphs = [before, after].map(|graph| (graph, below(graph, class, sub_class)));
        let instance = |subject: Term| {
            graphs.iter().any(|(graph, classes)| graph.objects(subject, is).any(|of| classes.contains(&of)))
        };
        let mut seen = HashSet::new();
        for (subject, place) in moved {
            if instance(subject) && seen.insert((subject, place)) && !allowed(after, space, place, &residency.allowed) {
                let at = format!("{} would be in {}", said(after, space, subject), said(after, space, place));
                crossings.push(residency.crossing(&at));
            }
        }
    }

    pub(super) fn check_keep(&self, judged: &Judged<'_>, crossings: &mut Vec<Crossing>) -> Result<(), Crossing> {
        let base = &*judged.candidate.base;
        for triple in judged.candidate.delta.removed() {
            if self.keep.iter().any(|keep| keep.matches(base, triple)) {
                let mut line = Vec::new();
                write_statement(base.graph().terms(), *triple, &mut line);
                let line = String::from_utf8_lossy(line.trim_ascii_end()).into_owned();
                crossings.push(Crossing::new(format!("{line} would be removed, and has to stay"), "leave it in"));
            }
        }
        Ok(())
    }
}

impl Residency {
    fn crossing(&self, what: &str) -> Crossing {
        let places =
            if self.allowed.len() > 8 { format!("{} places", self.allowed.len()) } else { self.allowed.join(", ") };
        Crossing::new(format!("{what}, and data stay in {places}"), "keep it there")
    }
}

impl Keep {
    fn matches(&self, of: &Snapshot, triple: &Triple) -> bool {
        let fits = |pattern: &Option<Pattern>, term| match pattern {
            None => true,
            Some(pattern) => words(of.graph(), of.namespace(), term).iter().any(|word| pattern.matches(word)),
        };
        fits(&self.subject, triple.subject)
            && fits(&self.predicate, triple.predicate)
            && fits(&self.object, triple.object)
    }
}

/// What a term may be called: its IRI, its name in the sector, a literal's text.
fn words(graph: &Graph, space: &Namespace, term: Term) -> Vec<String> {
    match graph.terms().get(term) {
        TermRef::Iri(iri) => std::iter::once(iri.to_owned()).chain(space.path(iri)).collect(),
        TermRef::Literal { lexical, .. } => vec![lexical.into_owned()],
        TermRef::Blank(_) => Vec::new(),
    }
}

fn said(graph: &Graph, space: &Namespace, term: Term) -> String {
    words(graph, space, term).pop().unwrap_or_else(|| "something without a name".to_owned())
}

fn allowed(graph: &Graph, space: &Namespace, place: Term, allowed: &[String]) -> bool {
    words(graph, space, place).iter().any(|word| allowed.contains(word))
}

/// The term of a name in the sector, or of an IRI.
fn find(graph: &Graph, space: &Namespace, name: &str) -> Option<Term> {
    graph.terms().find_iri(&space.iri(name)).or_else(|| graph.terms().find_iri(name))
}

/// A class and all that are below it.
fn below(graph: &Graph, class: Term, sub_class: Option<Term>) -> HashSet<Term> {
    let (mut classes, mut open) = (HashSet::from([class]), vec![class]);
    while let Some(above) = open.pop() {
        let Some(sub_class) = sub_class else { break };
        open.extend(graph.subjects(sub_class, above).filter(|&sub| classes.insert(sub)));
    }
    classes
}

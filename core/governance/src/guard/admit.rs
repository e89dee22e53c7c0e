//! Which guards there can be: looked at once, when they are read.

use std::collections::HashSet;
use std::sync::Arc;

use knhk_ontology::graph::{GraphBuilder, Terms};
use knhk_ontology::rdf::{self, Format};
use knhk_ontology::shacl::Shapes;
use knhk_ontology::{Limits, Namespace};

use super::{Bound, Chain, Compliance, Condition, Guard, GuardKind, Guards, Keep, Limit, Number, Pattern, Residency};
use crate::approval::Refusal;
use crate::text::is_name;

/// Bytes of a text of guards, at most.
const MAX_BYTES: usize = 1 << 20;
/// Guards in a set, at most.
const MAX_GUARDS: usize = 1000;
/// Entries of one section, patterns of one entry and values of one list, at most.
const MAX_ENTRIES: usize = 256;
/// Bytes of one pattern, path or value, at most.
const MAX_TEXT: usize = 1024;

pub(super) fn within(text: &str) -> Result<(), Refusal> {
    if text.len() > MAX_BYTES {
        return Err(Refusal::limit(format!("guards have {} bytes, and at most {MAX_BYTES}; split them", text.len())));
    }
    Ok(())
}

impl Guards {
    /// The set itself, where each of its guards can be one and none has the name of another.
    ///
    /// # Errors
    /// What is wrong, and what to do.
    pub fn checked(self) -> Result<Guards, Refusal> {
        if self.guards.len() > MAX_GUARDS {
            let count = self.guards.len();
            return Err(Refusal::limit(format!("{count} guards are more than a set holds ({MAX_GUARDS})")));
        }
        let mut names = HashSet::new();
        let guards: Vec<Guard> = self.guards.into_iter().map(Guard::checked).collect::<Result<_, _>>()?;
        match guards.iter().find(|guard| !names.insert(&guard.id)) {
            Some(twice) => Err(Refusal::malformed("set of guards", format!("guard {} is there twice", twice.id))),
            None => Ok(Guards { guards, ..self }),
        }
    }
}

impl Guard {
    /// The guard itself, where it can be one: of its kind, with a boundary, within the limits.
    ///
    /// # Errors
    /// What is wrong, and what to do.
    pub fn checked(self) -> Result<Guard, Refusal> {
        match self.fault() {
            None => Ok(self),
            Some(why) => Err(Refusal::malformed("guard", format!("{}: {why}", self.id))),
        }
    }

    fn fault(&self) -> Option<String> {
        let names = [&self.id].into_iter().chain(&self.sector).chain(&self.groups);
        let bad = names.into_iter().find(|name| !is_name(name));
        if let Some(bad) = bad {
            return Some(format!("{bad:?} is no name: 1 to 128 bytes without control characters"));
        }
        if self.longest_seconds == Some(0) {
            return Some("longest_seconds is 0; leave it out, or say how long a relaxation may last".to_owned());
        }
        self.fault_of_sections().or_else(|| self.fault_of_entries())
    }

    /// Each kind has its sections, and none of another's.
    fn fault_of_sections(&self) -> Option<String> {
        use GuardKind::{ApprovalChain, ComplianceRule, DataResidency, PerformanceBound, SafetyInterlock};
        let sections: [(&str, usize, &[GuardKind]); 7] = [
            ("chain", self.chain.iter().len(), &[ApprovalChain]),
            ("limit", self.limits.len(), &[SafetyInterlock]),
            ("interlock", self.interlocks.len(), &[SafetyInterlock]),
            ("residency", self.residencies.len(), &[DataResidency]),
            ("bound", self.bounds.len(), &[PerformanceBound]),
            ("compliance", self.compliance.iter().len(), &[ComplianceRule]),
            ("keep", self.keep.len(), &[DataResidency, ComplianceRule]),
        ];
        let kind = self.kind.as_str();
        for (name, count, kinds) in sections {
            if count > MAX_ENTRIES {
                return Some(format!("{count} entries of {name} are more than a guard holds ({MAX_ENTRIES})"));
            }
            if count > 0 && !kinds.contains(&self.kind) {
                return Some(format!("a {kind} has no {name}; that is of a {}", kinds[0].as_str()));
            }
        }
        let own = sections.iter().filter(|(_, _, kinds)| kinds.contains(&self.kind));
        if own.clone().all(|(_, count, _)| *count == 0) {
            let names: Vec<&str> = own.map(|(name, _, _)| *name).collect();
            return Some(format!("it guards nothing; a {kind} has {}", names.join(" or ")));
        }
        None
    }

    fn fault_of_entries(&self) -> Option<String> {
        let chain = self.chain.iter().find_map(fault_of_chain);
        let limits = || self.limits.iter().find_map(fault_of_limit);
        let conditions =
            || self.interlocks.iter().flat_map(|lock| [&lock.when, &lock.require]).find_map(fault_of_condition);
        let residencies = || self.residencies.iter().find_map(fault_of_residency);
        let bounds = || self.bounds.iter().find_map(fault_of_bound);
        let compliance = || self.compliance.as_ref().and_then(|rule| fault_of_compliance(rule, self.sector.as_deref()));
        let keep = || self.keep.iter().find_map(fault_of_keep);
        chain.or_else(limits).or_else(conditions).or_else(residencies).or_else(bounds).or_else(compliance).or_else(keep)
    }
}

fn fault_of_patterns(patterns: &[Pattern]) -> Option<String> {
    if patterns.len() > MAX_ENTRIES {
        return Some(format!("{} paths are more than an entry holds ({MAX_ENTRIES})", patterns.len()));
    }
    let bad = patterns.iter().find(|pattern| pattern.0.is_empty() || pattern.0.len() > MAX_TEXT)?;
    Some(format!("{:?} is no path or pattern of 1 to {MAX_TEXT} bytes", bad.0))
}

fn fault_of_paths(patterns: &[Pattern]) -> Option<String> {
    let none = || "it names no paths; `paths = [\"**\"]` is all of them".to_owned();
    if patterns.is_empty() { Some(none()) } else { fault_of_patterns(patterns) }
}

fn fault_of_range(what: &str, min: Option<Number>, max: Option<Number>) -> Option<String> {
    if let Some(bad) = [min, max].into_iter().flatten().find(|number| !number.is_finite()) {
        return Some(format!("{bad} is no bound of {what}"));
    }
    let (min, max) = (min?, max?);
    (min > max).then(|| format!("its least {what}, {min}, is above its most, {max}"))
}

fn fault_of_share(name: &str, share: Option<f64>) -> Option<String> {
    let share = share.filter(|share| !(share.is_finite() && *share >= 0.0))?;
    Some(format!("{name} is {share}; it is a share, such as 0.25 for a quarter"))
}

fn fault_of_chain(chain: &Chain) -> Option<String> {
    if chain.steps.is_empty() || chain.steps.len() > 16 {
        return Some(format!("its chain has {} steps; 1 to 16 are", chain.steps.len()));
    }
    let bad = chain.steps.iter().find(|step| !is_name(step)).map(|step| format!("{step:?} is no group's name"));
    bad.or_else(|| fault_of_paths(&chain.paths)).or_else(|| fault_of_share("above", chain.above))
}

fn fault_of_limit(limit: &Limit) -> Option<String> {
    let Limit { paths, min, max, fixed, loosens, max_step } = limit;
    if min.is_none() && max.is_none() && !fixed && loosens.is_none() && max_step.is_none() {
        return Some("a limit says nothing; it has min, max, fixed, loosens or max_step".to_owned());
    }
    let step = || fault_of_share("max_step", *max_step);
    fault_of_paths(paths).or_else(|| fault_of_range("value", *min, *max)).or_else(step)
}

fn fault_of_condition(condition: &Condition) -> Option<String> {
    let Condition { path, values, min, max } = condition;
    if path.is_empty() || path.len() > MAX_TEXT || path.contains('*') {
        return Some(format!("{path:?} is no parameter; a condition is about one, without patterns"));
    }
    if values.is_empty() && min.is_none() && max.is_none() || values.len() > MAX_ENTRIES {
        return Some(format!("the condition on {path} has no values, min or max, or too many values"));
    }
    fault_of_range("value", *min, *max)
}

fn fault_of_residency(residency: &Residency) -> Option<String> {
    let Residency { paths, class, property, allowed } = residency;
    if allowed.is_empty() || allowed.len() > MAX_ENTRIES || allowed.iter().any(|place| place.len() > MAX_TEXT) {
        return Some(format!("residency allows 1 to {MAX_ENTRIES} places of up to {MAX_TEXT} bytes"));
    }
    if class.is_some() != property.is_some() || paths.is_empty() && class.is_none() {
        return Some("residency is of paths, or of a class and a property together".to_owned());
    }
    fault_of_patterns(paths)
}

fn fault_of_bound(bound: &Bound) -> Option<String> {
    let Bound { figure, min, max } = bound;
    if !is_name(figure) || min.is_none() && max.is_none() {
        return Some(format!("the bound on {figure:?} names no figure, or neither min nor max"));
    }
    fault_of_range(figure, min.map(Number::F64), max.map(Number::F64))
}

fn fault_of_compliance(rule: &Compliance, sector: Option<&str>) -> Option<String> {
    if rule.shapes.is_empty() && rule.required.is_empty() {
        return Some("compliance says nothing; it has shapes or required".to_owned());
    }
    let (terms, space) = (Arc::new(Terms::new()), Namespace::of(sector.unwrap_or("sector")));
    let read = |text: &str| {
        let read = rdf::parse(text.as_bytes(), Format::Turtle, space.prefix(), &terms, &Limits::default());
        read.map_err(|error| error.to_string())
    };
    let shapes = || {
        let mut graph = GraphBuilder::new(terms.clone());
        read(&rule.shapes)?.into_iter().for_each(|shape| graph.push(shape.subject, shape.predicate, shape.object));
        let shapes = Shapes::compile(&graph.finish()).map_err(|error| error.to_string())?;
        let nothing = shapes.is_empty() && !rule.shapes.is_empty();
        if nothing { Err("there is no shape in it".to_owned()) } else { Ok(()) }
    };
    let required = || {
        let blank =
            read(&rule.required)?.into_iter().any(|triple| triple.subject.is_blank() || triple.object.is_blank());
        if blank {
            Err("a statement about a blank node can never be found again; give it a name".to_owned())
        } else {
            Ok(())
        }
    };
    let faulty = |what: &str, read: Result<(), String>| read.err().map(|why| format!("{what}: {why}"));
    faulty("shapes", shapes()).or_else(|| faulty("required", required()))
}

fn fault_of_keep(keep: &Keep) -> Option<String> {
    let patterns: Vec<Pattern> =
        [&keep.subject, &keep.predicate, &keep.object].into_iter().flatten().cloned().collect();
    let none = || Some("keep says nothing; it has subject, predicate or object".to_owned());
    if patterns.is_empty() { none() } else { fault_of_patterns(&patterns) }
}

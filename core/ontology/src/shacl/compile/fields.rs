//! Reading one shape: its parameters, targets, severity and messages.

use super::super::constraint::{Bound, Constraint, NodeKind, Shape, ShapeId, Target};
use super::super::datatype::Datatype;
use super::super::names::{NAMESPACE, Role, role};
use super::super::pattern::Pattern;
use super::super::value::Value;
use super::Compiler;
use super::discover::Found;
use crate::graph::{Term, TermRef};

/// The constraint of a parameter.
type Make<T> = fn(T) -> Constraint;

/// One shape while it is read.
struct Fields {
    node: Term,
    is_property: bool,
    /// What SHACL's properties say of it: names without the namespace, and values; ordered by name.
    said: Vec<(String, Term)>,
    constraints: Vec<Constraint>,
}

impl Fields {
    fn values(&self, name: &str) -> Vec<Term> {
        self.said.iter().filter(|(said, _)| said == name).map(|(_, value)| *value).collect()
    }
}

impl Compiler<'_> {
    pub(super) fn shape(&mut self, node: Term, found: &Found) -> (Shape, Vec<Target>) {
        let mut said = Vec::new();
        for (predicate, value) in self.graph.about(node) {
            if let TermRef::Iri(iri) = self.graph.terms().get(predicate)
                && let Some(name) = iri.strip_prefix(NAMESPACE)
            {
                // What belongs elsewhere has no business on a shape; the properties of paths may stand there, unused.
                if role(name) == Role::Elsewhere && !name.ends_with("Path") && !is_described(name) {
                    self.unsupported(node, predicate);
                }
                said.push((name.to_owned(), value));
            }
        }
        said.sort();
        let mut fields = Fields { node, is_property: false, said, constraints: Vec::new() };
        let path = self.shape_path(&mut fields, found);
        let deactivated = self.one(&fields, "deactivated", |this, term| this.truth(term)).unwrap_or(false);
        let severity = self.one(&fields, "severity", |this, term| this.iri(term)).unwrap_or(self.names.violation);
        let messages = self.messages(&fields);
        self.single_values(&mut fields);
        self.sets(&mut fields);
        self.pairs(&mut fields);
        self.logic(&mut fields);
        self.qualified(&mut fields);
        self.closed(&mut fields);
        let targets = self.targets(&fields, found.classes.contains(&node));
        if deactivated {
            fields.constraints.clear();
        }
        let targets = if deactivated { Vec::new() } else { targets };
        let constraints = fields.constraints;
        (Shape { node, path, constraints, direct: Vec::new(), severity, messages, shared: false }, targets)
    }

    fn shape_path(&mut self, fields: &mut Fields, found: &Found) -> Option<super::super::path::Path> {
        let node = fields.node;
        let paths = fields.values("path");
        fields.is_property = !paths.is_empty();
        if paths.len() > 1 {
            self.ill_formed(node, "sh:path has more than one value");
        }
        if fields.is_property && found.node_shapes.contains(&node) {
            self.ill_formed(node, "a sh:NodeShape has no sh:path");
        }
        if !fields.is_property && found.property_shapes.contains(&node) {
            self.ill_formed(node, "a sh:PropertyShape needs a sh:path");
        }
        let path = self.path(*paths.first()?);
        path.map_err(|reason| self.ill_formed(node, format!("sh:path: {reason}"))).ok()
    }

    /// Reads each value of a property, and reports those that are not what it needs.
    fn each<T>(
        &mut self,
        fields: &Fields,
        name: &str,
        mut read: impl FnMut(&mut Self, Term) -> Result<T, String>,
    ) -> Vec<T> {
        let mut good = Vec::new();
        for value in fields.values(name) {
            match read(self, value) {
                Ok(value) => good.push(value),
                Err(reason) => self.ill_formed(fields.node, format!("sh:{name}: {reason}")),
            }
        }
        good
    }

    /// The value of a property that may have one at most.
    fn one<T>(
        &mut self,
        fields: &Fields,
        name: &str,
        read: impl FnMut(&mut Self, Term) -> Result<T, String>,
    ) -> Option<T> {
        if fields.values(name).len() > 1 {
            self.ill_formed(fields.node, format!("sh:{name} has more than one value"));
        }
        self.each(fields, name, read).into_iter().next()
    }

    /// As `one`, of a property that only property shapes may have.
    fn one_of_property<T>(
        &mut self,
        fields: &Fields,
        name: &str,
        read: impl FnMut(&mut Self, Term) -> Result<T, String>,
    ) -> Option<T> {
        self.only_on_properties(fields, name);
        self.one(fields, name, read)
    }

    fn only_on_properties(&mut self, fields: &Fields, name: &str) {
        if !fields.is_property && !fields.values(name).is_empty() {
            self.ill_formed(fields.node, format!("sh:{name} needs a shape with a sh:path"));
        }
    }

    fn messages(&mut self, fields: &Fields) -> Vec<Term> {
        let mut messages = self.each(fields, "message", |this, term| match this.graph.terms().get(term) {
            TermRef::Literal { language: Some(_), .. } => Ok(term),
            _ => this.text(term).map(|_| term),
        });
        messages.sort_unstable();
        messages
    }

    fn single_values(&mut self, fields: &mut Fields) {
        let known = |this: &Self, iri| match this.graph.terms().get(iri) {
            TermRef::Iri(iri) => Datatype::from_iri(iri),
            _ => None,
        };
        let datatype = self.one(fields, "datatype", |this, term| this.iri(term));
        fields.constraints.extend(datatype.map(|iri| Constraint::Datatype { iri, known: known(self, iri) }));
        let kind = self.one(fields, "nodeKind", |this, term| {
            let name = match this.graph.terms().get(term) {
                TermRef::Iri(iri) => iri.strip_prefix(NAMESPACE),
                _ => None,
            };
            name.and_then(NodeKind::from_name).ok_or_else(|| format!("{} is no kind of node", this.describe(term)))
        });
        fields.constraints.extend(kind.map(Constraint::NodeKind));
        let count = |this: &mut Self, term| this.count(term);
        let min = self.one_of_property(fields, "minCount", count);
        let max = self.one_of_property(fields, "maxCount", count);
        fields.constraints.extend(min.filter(|&min| min > 0).map(Constraint::MinCount));
        fields.constraints.extend(max.map(Constraint::MaxCount));
        for (name, bound) in [
            ("minExclusive", Bound::MinExclusive),
            ("minInclusive", Bound::MinInclusive),
            ("maxExclusive", Bound::MaxExclusive),
            ("maxInclusive", Bound::MaxInclusive),
        ] {
            let range = self.one(fields, name, |this, term| {
                let value = Value::of(this.graph.terms(), term).map(Value::into_owned);
                let literal = term.is_literal().then(|| Constraint::Range(bound, term, value));
                literal.ok_or_else(|| format!("{} is not a literal", this.describe(term)))
            });
            fields.constraints.extend(range);
        }
        fields.constraints.extend(self.one(fields, "minLength", count).map(Constraint::MinLength));
        fields.constraints.extend(self.one(fields, "maxLength", count).map(Constraint::MaxLength));
        self.pattern(fields);
    }

    fn pattern(&mut self, fields: &mut Fields) {
        let flags = self.one(fields, "flags", |this, term| this.text(term)).unwrap_or_default();
        let pattern = self.one(fields, "pattern", |this, term| Pattern::compile(&this.text(term)?, &flags));
        fields.constraints.extend(pattern.map(|pattern| Constraint::Pattern(Box::new(pattern))));
    }

    fn sets(&mut self, fields: &mut Fields) {
        let classes = self.each(fields, "class", |this, term| this.iri(term));
        let classes: Vec<_> = classes.into_iter().map(|class| Constraint::Class(self.class(class))).collect();
        fields.constraints.extend(classes);
        fields.constraints.extend(fields.values("hasValue").into_iter().map(Constraint::HasValue));
        let listed = self.one(fields, "in", |this, term| this.list(term));
        fields.constraints.extend(listed.map(|listed| {
            let mut allowed = listed.clone();
            allowed.sort_unstable();
            allowed.dedup();
            Constraint::In { allowed, listed }
        }));
        let languages = self.one(fields, "languageIn", |this, term| {
            let members = this.list(term)?;
            members.into_iter().map(|tag| this.text(tag).map(|tag| tag.to_ascii_lowercase())).collect()
        });
        fields.constraints.extend(languages.map(Constraint::LanguageIn));
        let unique = self.one_of_property(fields, "uniqueLang", |this, term| this.truth(term));
        fields.constraints.extend((unique == Some(true)).then_some(Constraint::UniqueLang));
    }

    fn pairs(&mut self, fields: &mut Fields) {
        let pairs: [(&str, Make<Term>); 4] = [
            ("equals", Constraint::Equals),
            ("disjoint", Constraint::Disjoint),
            ("lessThan", Constraint::LessThan),
            ("lessThanOrEquals", Constraint::LessThanOrEquals),
        ];
        for (name, constraint) in pairs {
            if name.starts_with("less") {
                self.only_on_properties(fields, name);
            }
            let others = self.each(fields, name, |this, term| this.iri(term));
            fields.constraints.extend(others.into_iter().map(constraint));
        }
    }

    /// The number of a shape that another refers to.
    fn reference(&mut self, term: Term) -> Result<ShapeId, String> {
        self.ids.get(&term).copied().ok_or_else(|| format!("{} is not a shape", self.describe(term)))
    }

    fn logic(&mut self, fields: &mut Fields) {
        let single: [(&str, Make<ShapeId>); 2] = [("not", Constraint::Not), ("node", Constraint::Node)];
        for (name, constraint) in single {
            let shapes = self.each(fields, name, Self::reference);
            fields.constraints.extend(shapes.into_iter().map(constraint));
        }
        let lists: [(&str, Make<Vec<ShapeId>>); 3] =
            [("and", Constraint::And), ("or", Constraint::Or), ("xone", Constraint::Xone)];
        for (name, constraint) in lists {
            let shapes = self.each(fields, name, |this, list| {
                let members = this.list(list)?;
                members.into_iter().map(|member| this.reference(member)).collect()
            });
            fields.constraints.extend(shapes.into_iter().map(constraint));
        }
        let properties = self.each(fields, "property", |this, term| {
            if this.graph.objects(term, this.names.path).next().is_none() {
                return Err(format!("{} is not a property shape: it has no sh:path", this.describe(term)));
            }
            this.reference(term)
        });
        fields.constraints.extend(properties.into_iter().map(Constraint::Property));
    }

    fn qualified(&mut self, fields: &mut Fields) {
        let shape = self.one(fields, "qualifiedValueShape", Self::reference);
        let min = self.one(fields, "qualifiedMinCount", |this, term| this.count(term));
        let max = self.one(fields, "qualifiedMaxCount", |this, term| this.count(term));
        let disjoint = self.one(fields, "qualifiedValueShapesDisjoint", |this, term| this.truth(term));
        let Some(shape) = shape else { return };
        if min.is_none() && max.is_none() {
            self.ill_formed(fields.node, "sh:qualifiedValueShape needs sh:qualifiedMinCount or sh:qualifiedMaxCount");
        }
        let siblings = if disjoint == Some(true) { self.siblings(fields.node, shape) } else { Vec::new() };
        fields.constraints.push(Constraint::Qualified { shape, siblings, min, max });
    }

    /// The qualified value shapes of the property shapes that share a parent with this one, without its own.
    fn siblings(&mut self, node: Term, own: ShapeId) -> Vec<ShapeId> {
        let (graph, names) = (self.graph, &self.names);
        let parents = graph.subjects(names.property, node);
        let properties = parents.flat_map(|parent| graph.objects(parent, names.property));
        let shapes = properties.flat_map(|property| graph.objects(property, names.qualified_value_shape));
        let mut siblings: Vec<ShapeId> = shapes.filter_map(|shape| self.ids.get(&shape).copied()).collect();
        siblings.sort_unstable();
        siblings.dedup();
        siblings.retain(|&sibling| sibling != own);
        siblings
    }

    fn closed(&mut self, fields: &mut Fields) {
        let ignored = self.one(fields, "ignoredProperties", |this, list| {
            let members = this.list(list)?;
            members.into_iter().map(|member| this.iri(member)).collect::<Result<Vec<_>, _>>()
        });
        if self.one(fields, "closed", |this, term| this.truth(term)) != Some(true) {
            return;
        }
        let (graph, names) = (self.graph, &self.names);
        let paths = graph.objects(fields.node, names.property).flat_map(|shape| graph.objects(shape, names.path));
        let mut allowed: Vec<Term> = paths.filter(|path| path.is_iri()).chain(ignored.unwrap_or_default()).collect();
        allowed.sort_unstable();
        allowed.dedup();
        fields.constraints.push(Constraint::Closed(allowed));
    }

    fn targets(&mut self, fields: &Fields, is_class: bool) -> Vec<Target> {
        let mut targets: Vec<Target> = fields.values("targetNode").into_iter().map(Target::Node).collect();
        if targets.iter().any(|target| matches!(target, Target::Node(node) if node.is_blank())) {
            self.ill_formed(fields.node, "sh:targetNode is an IRI or a literal, not a blank node");
        }
        let mut classes = self.each(fields, "targetClass", |this, term| this.iri(term));
        if is_class {
            classes.push(fields.node);
        }
        targets.extend(classes.into_iter().map(|class| Target::Class(self.class(class))));
        let subjects = self.each(fields, "targetSubjectsOf", |this, term| this.iri(term));
        targets.extend(subjects.into_iter().map(Target::SubjectsOf));
        let objects = self.each(fields, "targetObjectsOf", |this, term| this.iri(term));
        targets.extend(objects.into_iter().map(Target::ObjectsOf));
        targets.sort_unstable();
        targets.dedup();
        targets
    }
}

/// Properties of reports and of functions that may describe a shape in passing: none of them would constrain it.
fn is_described(name: &str) -> bool {
    matches!(name, "labelTemplate" | "prefix" | "namespace" | "parameter" | "nodes" | "condition" | "result" | "value")
}

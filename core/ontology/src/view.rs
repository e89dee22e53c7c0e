//! A graph as a document: the parameters and classes that it states, with the closure of classes and properties.

use std::collections::HashMap;

use crate::closure::closure;
use crate::document::{Class, Data, Document, TOP};
use crate::draft::{CLASSES, Draft, too_large};
use crate::error::DocumentErrorKind as Kind;
use crate::graph::{Graph, Term, TermRef, Triple};
use crate::names::{self, Namespace};
use crate::parse::{Fields, Literal};
use crate::reading;
use crate::vocabulary::{knhk, xsd};
use crate::words::Words;
use crate::{DocumentError, Limits};

/// The map that properties are in.
pub(crate) const PROPERTIES: &str = "$properties";
/// What the subjects of each property are known to be.
pub(crate) const DOMAINS: &str = "$domains";
/// What the objects of each property are known to be.
pub(crate) const RANGES: &str = "$ranges";

/// What programs read of a graph.
#[derive(Debug)]
pub(crate) struct View {
    /// Sorted by name, map by map. Classes, properties, domains and ranges are rows of one closure, in this order of their maps.
    pub document: Document,
    /// The subject of each node, where statements made it.
    pub subjects: Vec<Option<Term>>,
    /// Whether the graph says more than a JSON document can.
    pub lossy: bool,
}

/// Something that gets a key, before it is sorted into its place.
struct Item {
    /// The path, its names joined by NUL, so that it sorts as the names do.
    key: String,
    subject: Option<Term>,
    what: What,
}

enum What {
    /// A parameter, and where its statements lie.
    Value(std::ops::Range<usize>),
    Map,
    /// A row of the closure.
    Row(u32),
}

impl View {
    /// Reads what a graph states in a namespace.
    pub(crate) fn of(graph: &Graph, words: &Words, space: &Namespace, limits: &Limits) -> Result<View, DocumentError> {
        let own: Vec<Triple> = graph.own().collect();
        let mut reader = Reader { graph, words, space, own: &own, items: Vec::new(), told: 0 };
        let rows = Rows::of(graph, &own, words, space, limits)?;
        reader.parameters()?;
        reader.told += rows.told;
        for (number, row) in rows.rows.iter().enumerate() {
            let key = format!("{}\0{}", row.map, row.name);
            reader.items.push(Item { key, subject: Some(row.subject), what: What::Row(number as u32) });
        }
        reader.items.sort_by(|left, right| left.key.cmp(&right.key));
        reader.build(rows, limits)
    }
}

struct Reader<'g> {
    graph: &'g Graph,
    words: &'g Words,
    space: &'g Namespace,
    own: &'g [Triple],
    items: Vec<Item>,
    /// Statements that a JSON document tells.
    told: usize,
}

impl Reader<'_> {
    /// Finds the parameters: names of the sector with a value or a default.
    fn parameters(&mut self) -> Result<(), DocumentError> {
        let mut at = 0;
        while at < self.own.len() {
            let subject = self.own[at].subject;
            let len = self.own[at..].iter().take_while(|triple| triple.subject == subject).count();
            let range = at..at + len;
            at += len;
            let words = self.words;
            let said = &self.own[range.clone()];
            let field = |predicate| said.iter().any(|triple| triple.predicate == predicate);
            let value = field(words.value) || field(words.default);
            let map = said.iter().any(|triple| triple.predicate == words.is && triple.object == words.map);
            let stray = field(words.value_type);
            if !value && !map && !stray {
                continue;
            }
            let TermRef::Iri(iri) = self.graph.terms().get(subject) else { continue };
            let Some(local) = self.space.local(iri) else { continue };
            let path = names::decode(local)
                .filter(|path| !path.contains('\0') && path.split('/').all(|name| !name.is_empty()));
            let refuse = |kind| DocumentError { path: names::decode(local).unwrap_or_default(), kind };
            let path = path.ok_or_else(|| refuse(Kind::NotAPath { iri: iri.to_owned() }))?;
            if let Some(special) = path.split('/').find(|name| name.starts_with('$')) {
                return Err(refuse(Kind::UnknownSpecial { key: special.to_owned() }));
            }
            if !value && stray {
                return Err(refuse(Kind::NoValue));
            }
            let what = if value { What::Value(range) } else { What::Map };
            self.told += usize::from(map);
            self.items.push(Item { key: path.replace('/', "\0"), subject: Some(subject), what });
        }
        Ok(())
    }

    fn build(mut self, rows: Rows, limits: &Limits) -> Result<View, DocumentError> {
        let items = std::mem::take(&mut self.items);
        let mut draft = Draft::new(limits, 0);
        let mut subjects = Vec::with_capacity(items.len());
        let mut nodes = vec![0; rows.rows.len()];
        // The maps that the last item is in, itself included where it is one: name and node.
        let mut open: Vec<(&str, u32)> = Vec::new();
        let mut last_value: Option<&str> = None;
        for item in &items {
            let path = || item.key.replace('\0', "/");
            let refuse = |kind| DocumentError { path: path(), kind };
            if let Some(value) = last_value
                && item.key.strip_prefix(value).is_some_and(|rest| rest.is_empty() || rest.starts_with('\0'))
            {
                let kind = if item.key == value { Kind::Duplicate } else { Kind::ValueAndMap };
                return Err(DocumentError { path: value.replace('\0', "/"), kind });
            }
            let names: Vec<&str> = item.key.split('\0').collect();
            too_large("names on a path", names.len(), draft.limits.depth).map_err(refuse)?;
            let shared = open.iter().zip(&names[..names.len() - 1]).take_while(|(open, name)| open.0 == **name).count();
            open.truncate(shared);
            for (depth, &name) in names.iter().enumerate().skip(shared) {
                let parent = open.last().map_or(TOP, |&(_, node)| node);
                let special = depth == 0 && matches!(item.what, What::Row(_));
                let stored = if special { Ok(draft.special_name(name)) } else { draft.name(name) };
                let stored = stored.map_err(refuse)?;
                let last = depth + 1 == names.len();
                let (data, about) = match &item.what {
                    What::Value(range) if last => self.value(&mut draft, range.clone()).map_err(refuse)?,
                    What::Row(number) if last => (Data::Class(*number), None),
                    _ => (Data::Map, None),
                };
                let node = draft.add(parent, stored, data, about).map_err(refuse)?;
                subjects.push(item.subject.filter(|_| last));
                match data {
                    Data::Map => open.push((name, node)),
                    Data::Class(number) => nodes[number as usize] = node,
                    _ => {}
                }
            }
            last_value = (!matches!(item.what, What::Map)).then_some(&*item.key);
        }
        let mut document = draft.document;
        let classes = nodes.iter().zip(&rows.rows).zip(rows.parents);
        document.classes = classes.map(|((&node, row), parents)| Class { node, parents, own: row.own }).collect();
        document.closure = rows.closure;
        Ok(View { document, subjects, lossy: self.told < self.own.len() })
    }

    fn value(
        &mut self,
        draft: &mut Draft,
        range: std::ops::Range<usize>,
    ) -> Result<(Data, Option<crate::document::About>), Kind> {
        let (graph, words) = (self.graph, self.words);
        let mut fields = Fields::default();
        let said = &self.own[range];
        let documented = said.iter().any(|triple| triple.predicate == words.doc);
        for triple in said {
            let field = match triple.predicate {
                it if it == words.value => "$value",
                it if it == words.min => "$min",
                it if it == words.max => "$max",
                it if it == words.allowed => "$enum",
                it if it == words.unit => "$unit",
                it if it == words.default => "$default",
                it if it == words.value_type => "$type",
                it if it == words.doc => "$doc",
                // A comment describes a parameter that has no description of its own; where there are several, the first that is English
                // or of no language.
                it if it == words.comment && !documented => {
                    if let TermRef::Literal { lexical, language, .. } = graph.terms().get(triple.object)
                        && language.is_none_or(|language| language.starts_with("en"))
                        && !fields.has_doc()
                    {
                        let text = draft.text(&lexical)?;
                        fields.put("$doc", Literal::Known(Data::Str(text)), draft)?;
                    }
                    continue;
                }
                _ => continue,
            };
            let read = reading::literal(draft, graph, words, triple.object)?;
            self.told += 1 + read.cells;
            fields.put(field, read.literal, draft).map_err(|kind| match kind {
                Kind::RepeatedField { field } => Kind::Several { field },
                other => other,
            })?;
        }
        fields.settle(draft)
    }
}

/// A class, a property, a domain or a range.
struct Row {
    map: &'static str,
    name: String,
    subject: Term,
    /// Whether JSON can name it.
    own: bool,
}

/// The rows of the closure: sorted by map and name, and numbered so.
struct Rows {
    rows: Vec<Row>,
    /// What each is said to be below, without what it says of itself.
    parents: Vec<Vec<u32>>,
    closure: Vec<u64>,
    told: usize,
}

impl Rows {
    fn of(
        graph: &Graph,
        own: &[Triple],
        words: &Words,
        space: &Namespace,
        limits: &Limits,
    ) -> Result<Rows, DocumentError> {
        let named = |term: Term| match graph.terms().get(term) {
            TermRef::Iri(iri) => !iri.starts_with(knhk::SKOLEM) && !iri.starts_with(xsd::PREFIX),
            _ => false,
        };
        let mut found = Found::default();
        for triple in own.iter().filter(|triple| named(triple.subject)) {
            let Triple { subject, predicate, object } = *triple;
            if predicate == words.is {
                if words.is_class(object) {
                    found.class(subject);
                } else if words.is_property(object) {
                    found.property(subject);
                }
                continue;
            }
            if !named(object) {
                continue;
            }
            if predicate == words.sub_class {
                found.class(subject);
                found.class(object);
            } else if predicate == words.sub_property {
                found.property(subject);
                found.property(object);
            } else if predicate == words.domain || predicate == words.range {
                found.property(subject);
                found.class(object);
            }
        }
        // What is referred to may go on in the core.
        for (list, predicate) in [(0, words.sub_class), (1, words.sub_property)] {
            let mut at = 0;
            while let Some(&term) = found.lists[list].get(at) {
                for above in graph.objects(term, predicate).filter(|&above| named(above)) {
                    found.add(list, above);
                }
                at += 1;
            }
        }
        let [classes, properties] = &found.lists;
        let row = |map, subject: Term| {
            let TermRef::Iri(iri) = graph.terms().get(subject) else { unreachable!("rows are named") };
            let plain = space.local(iri).and_then(names::decode).filter(|name| plain_name(name));
            let own = map == CLASSES && plain.is_some();
            Row { map, name: plain.unwrap_or_else(|| names::whole_name(iri)), subject, own }
        };
        let with = |predicate| properties.iter().filter(move |&&term| graph.objects(term, predicate).any(named));
        let mut rows: Vec<Row> = Vec::new();
        let mut add = |map, subject| rows.push(row(map, subject));
        classes.iter().for_each(|&term| add(CLASSES, term));
        properties.iter().for_each(|&term| add(PROPERTIES, term));
        with(words.domain).for_each(|&term| add(DOMAINS, term));
        with(words.range).for_each(|&term| add(RANGES, term));
        let too_many = |kind| DocumentError { path: CLASSES.to_owned(), kind };
        too_large("classes, properties, domains and ranges", rows.len(), limits.classes).map_err(too_many)?;
        rows.sort_by(|left, right| (left.map, &left.name).cmp(&(right.map, &right.name)));
        Ok(Rows::close(rows, graph, words))
    }

    fn close(rows: Vec<Row>, graph: &Graph, words: &Words) -> Rows {
        let numbers: HashMap<(&str, Term), u32> =
            rows.iter().enumerate().map(|(number, row)| ((row.map, row.subject), number as u32)).collect();
        let mut parents: Vec<Vec<u32>> = Vec::with_capacity(rows.len());
        let mut told = 0;
        for row in &rows {
            let (map, predicate) = match row.map {
                CLASSES => (CLASSES, words.sub_class),
                PROPERTIES => (PROPERTIES, words.sub_property),
                DOMAINS => (CLASSES, words.domain),
                _ => (CLASSES, words.range),
            };
            let above = graph.objects(row.subject, predicate).filter(|&above| (map, above) != (row.map, row.subject));
            let mut to: Vec<u32> = above.filter_map(|above| numbers.get(&(map, above)).copied()).collect();
            to.sort_unstable();
            to.dedup();
            if row.own {
                let declared = Triple { subject: row.subject, predicate: words.is, object: words.class };
                told += usize::from(graph.contains(declared));
                told += to.iter().filter(|&&parent| rows[parent as usize].own).count();
            }
            parents.push(to);
        }
        // A property's domain is also that of every property above it, whether or not the one between states any.
        let mut edges = parents.clone();
        let bits = closure(&edges);
        let words_a_row = rows.len().div_ceil(64);
        for (number, row) in rows.iter().enumerate().filter(|(_, row)| row.map == DOMAINS || row.map == RANGES) {
            let property = numbers[&(PROPERTIES, row.subject)] as usize;
            let above = crate::document::members(&bits[property * words_a_row..][..words_a_row]);
            let inherited = above.filter_map(|above| numbers.get(&(row.map, rows[above as usize].subject)).copied());
            edges[number].extend(inherited);
        }
        let closure = closure(&edges);
        Rows { parents, closure, told, rows }
    }
}

/// Terms in the order in which they were found, each once.
#[derive(Default)]
struct Found {
    lists: [Vec<Term>; 2],
    seen: std::collections::HashSet<(usize, Term)>,
}

impl Found {
    fn add(&mut self, list: usize, term: Term) {
        if self.seen.insert((list, term)) {
            self.lists[list].push(term);
        }
    }

    fn class(&mut self, term: Term) {
        self.add(0, term);
    }

    fn property(&mut self, term: Term) {
        self.add(1, term);
    }
}

/// Whether a class or property can be written by this name in JSON.
fn plain_name(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('$') && !name.contains(['/', '\0'])
}

//! Bounds what a JSON-LD text may make its parser do, before it is parsed: nesting, and contexts that are elsewhere, that lead from term
//! to term without end, that are applied again and again, or whose names swell.

use hashbrown::{HashMap, HashSet};
use json_event_parser::{JsonEvent, SliceJsonParser};

use super::error::{Place, RdfErrorKind as Kind, shortened, within};
use super::{Format, RdfError};
use crate::Limits;

/// Terms of a context that are defined by one another in a row: the parser follows them on its stack.
const CHAIN: usize = 32;
/// Contexts in one list, each of which builds on the one before.
const LISTED: usize = 64;
/// Names for each statement that the limits allow, a name counted once for each object around it: the parser reads an object again for
/// each object around it, since a context may come last.
const REPLAYED: usize = 4;
/// What the definition of a term weighs beside its text.
const DEFINITION: usize = 128;

/// Refuses a text that nests too deep, or whose contexts are elsewhere or make too much work.
pub(super) fn check(text: &[u8], limits: &Limits) -> Result<(), RdfError> {
    let mut contexts = Contexts::default();
    let body = each_event(text, |event, scan| scan.take(event, limits, &mut contexts))?;
    within(
        "names in JSON-LD, each in each object around it",
        contexts.replayed,
        limits.statements.saturating_mul(REPLAYED),
    )?;
    let longest = contexts.longest.saturating_mul(contexts.chain + 1).saturating_add(contexts.relative);
    within("bytes of terms written out", longest.saturating_mul(body), limits.text_bytes)?;
    let mut applied = contexts.count;
    if !contexts.scoped.is_empty() {
        each_event(text, |event, _| {
            if let JsonEvent::ObjectKey(name) | JsonEvent::String(name) = event {
                applied += usize::from(contexts.scoped.contains(&**name));
            }
            Ok(())
        })?;
    }
    within(
        "bytes of contexts, each time they are applied",
        applied.saturating_mul(contexts.weight),
        limits.text_bytes,
    )?;
    Ok(())
}

/// Goes through the text; the number of names and strings in it.
fn each_event(
    text: &[u8],
    mut take: impl FnMut(&JsonEvent<'_>, &mut Scan) -> Result<(), Kind>,
) -> Result<usize, RdfError> {
    let mut parser = SliceJsonParser::new(text);
    let (mut scan, mut names) = (Scan::default(), 0);
    loop {
        let event = parser.parse_next().map_err(|error| {
            let at = usize::try_from(error.location().start.offset).unwrap_or(text.len());
            RdfError { place: Some(Place::at(text, at)), kind: Kind::syntax(Format::JsonLd, &error.to_string()) }
        })?;
        names += usize::from(matches!(event, JsonEvent::ObjectKey(_) | JsonEvent::String(_)));
        if event == JsonEvent::Eof {
            return Ok(names);
        }
        take(&event, &mut scan)?;
    }
}

/// What the contexts of a text come to.
#[derive(Default)]
struct Contexts {
    count: usize,
    weight: usize,
    /// Names, each counted once for each object around it.
    replayed: usize,
    /// Bytes of the longest string.
    longest: usize,
    /// Bytes of bases and vocabularies that build on those before them.
    relative: usize,
    /// The longest row of terms that are defined by one another.
    chain: usize,
    /// Terms that bring a context of their own.
    scoped: HashSet<String>,
}

/// What is open, from the outside in.
#[derive(Default)]
struct Scan {
    open: Vec<Open>,
    objects: usize,
    key: String,
}

enum Open {
    /// Data, or what has no bearing here.
    Data,
    /// A list of contexts, and how many there are so far.
    List(usize),
    /// A context: each term with the strings that define it.
    Context(HashMap<String, Vec<String>>),
    /// What defines this term of the context outside.
    Definition(String),
}

impl Scan {
    fn take(&mut self, event: &JsonEvent<'_>, limits: &Limits, contexts: &mut Contexts) -> Result<(), Kind> {
        match event {
            JsonEvent::ObjectKey(key) => {
                within("bytes in a name", key.len(), limits.iri_bytes)?;
                self.key.clear();
                self.key.push_str(key);
                contexts.replayed += self.objects;
                if matches!(self.open.last(), Some(Open::Context(_))) {
                    contexts.weight += key.len() + DEFINITION;
                }
            }
            JsonEvent::String(text) => self.string(text, limits, contexts)?,
            JsonEvent::StartArray => {
                let list = self.is_context();
                self.begin(if list { Open::List(0) } else { Open::Data }, limits)?;
            }
            JsonEvent::StartObject => {
                let begins = self.is_context();
                let opened = match self.open.last_mut() {
                    Some(Open::List(count)) => {
                        *count += 1;
                        within("contexts in a list", *count, LISTED)?;
                        Open::Context(HashMap::new())
                    }
                    Some(Open::Context(_)) => Open::Definition(self.key.clone()),
                    _ if begins => Open::Context(HashMap::new()),
                    _ => Open::Data,
                };
                if matches!(opened, Open::Context(_)) {
                    contexts.count += 1;
                    contexts.scoped.extend(self.open.iter().rev().find_map(|open| match open {
                        Open::Definition(term) => Some(term.clone()),
                        _ => None,
                    }));
                }
                self.objects += 1;
                self.begin(opened, limits)?;
            }
            JsonEvent::EndArray | JsonEvent::EndObject => {
                if let Some(Open::Context(terms)) = self.open.pop() {
                    let chain = longest_chain(&terms);
                    within("terms of a context that are defined by one another", chain, CHAIN)?;
                    contexts.chain = contexts.chain.max(chain);
                }
                self.objects -= usize::from(*event == JsonEvent::EndObject);
                self.key.clear();
            }
            _ => {}
        }
        Ok(())
    }

    fn begin(&mut self, opened: Open, limits: &Limits) -> Result<(), Kind> {
        self.open.push(opened);
        self.key.clear();
        within("levels of nesting", self.open.len(), limits.nesting)
    }

    /// Whether the value that comes is that of `@context`.
    fn is_context(&self) -> bool {
        self.key == "@context" && matches!(self.open.last(), Some(Open::Data | Open::Definition(_)))
    }

    fn string(&mut self, text: &str, limits: &Limits, contexts: &mut Contexts) -> Result<(), Kind> {
        within("bytes in a literal", text.len(), limits.string_bytes)?;
        let remote = || Err(Kind::RemoteContext { url: shortened(text) });
        if self.is_context() {
            return remote();
        }
        let term = match self.open.last() {
            Some(Open::List(_)) => return remote(),
            Some(Open::Context(_)) if self.key == "@import" => return remote(),
            Some(Open::Context(_)) => self.key.clone(),
            Some(Open::Definition(term)) => term.clone(),
            _ => return Ok(()),
        };
        within("bytes in an IRI", text.len(), limits.iri_bytes)?;
        contexts.weight += text.len();
        contexts.longest = contexts.longest.max(text.len());
        if matches!(&*self.key, "@base" | "@vocab") && oxiri::Iri::parse(text).is_err() {
            contexts.relative += text.len();
        }
        if let Some(Open::Context(terms)) = self.open.iter_mut().rev().find(|open| matches!(open, Open::Context(_))) {
            terms.entry(term).or_default().push(text.to_owned());
        }
        Ok(())
    }
}

/// How many terms at most are defined by one another in a row.
fn longest_chain(terms: &HashMap<String, Vec<String>>) -> usize {
    // A term leads to the terms that its strings are, or begin with, and to the one that it begins with itself.
    let prefix = |name: &str| name.split_once(':').map(|(prefix, _)| prefix.to_owned());
    let leads = |term: &str| -> Vec<&str> {
        let strings = terms.get(term).into_iter().flatten();
        let named = strings.flat_map(|text| [Some(text.clone()), prefix(text)]).chain([prefix(term)]).flatten();
        named
            .filter_map(|name| terms.get_key_value(&name))
            .map(|(name, _)| &**name)
            .filter(|&name| name != term)
            .collect()
    };
    let mut lengths: HashMap<&str, usize> = HashMap::new();
    let mut longest = 0;
    for term in terms.keys() {
        let mut path: Vec<(&str, Vec<&str>, usize)> = Vec::new();
        let mut next = Some(&**term);
        while let Some(term) = next.take() {
            if !lengths.contains_key(term) {
                lengths.insert(term, 1); // until it is known, which also ends a circle
                path.push((term, leads(term), 1));
            }
            while let Some((term, left, length)) = path.last_mut() {
                match left.pop() {
                    Some(name) => match lengths.get(name) {
                        Some(known) => *length = (*length).max(known + 1),
                        None => {
                            left.push(name);
                            next = Some(name);
                            break;
                        }
                    },
                    None => {
                        lengths.insert(*term, *length);
                        longest = longest.max(*length);
                        path.pop();
                    }
                }
            }
        }
    }
    longest
}

//! Graphs against a plain set of statements: every question, every change, over a core and alone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use knhk_ontology::graph::{Delta, Graph, GraphBuilder, Term, TermRef, Terms, Triple, write_statement};
use knhk_ontology::vocabulary::xsd;
use proptest::collection::vec;
use proptest::prelude::*;

mod changes;
use changes::changes;

const SUBJECTS: usize = 24;
const PREDICATES: usize = 4;
const OBJECTS: usize = 40;

/// Subjects, predicates and objects of the tests, of every kind that a term can have.
struct Pool {
    terms: Arc<Terms>,
    subjects: Vec<Term>,
    predicates: Vec<Term>,
    objects: Vec<Term>,
}

impl Pool {
    fn new() -> Pool {
        let terms = Arc::new(Terms::new());
        let mut writer = terms.writer();
        let predicates: Vec<Term> = (0..PREDICATES).map(|i| writer.iri(&format!("urn:p:{i}"))).collect();
        let node = |writer: &mut knhk_ontology::graph::Writer<'_>, i: usize| match i % 3 {
            0 => writer.blank(&format!("b{i}")),
            _ => writer.iri(&format!("urn:s:{i}")),
        };
        let subjects: Vec<Term> = (0..SUBJECTS).map(|i| node(&mut writer, i)).collect();
        let object = |i: usize| match i % 8 {
            0 => Term::integer(i as i64 - 20).expect("the number is small"),
            1 => Term::boolean(i.is_multiple_of(16)),
            2 => Term::double(i as f64 / 8.0 - 1.0).expect("the number is small"),
            3 => writer.literal(&format!("text {i}"), xsd::STRING),
            4 => writer.language_literal(&format!("text {i}"), "de-AT"),
            5 => writer.literal(&format!("{i}.50"), "http://www.w3.org/2001/XMLSchema#decimal"),
            6 => predicates[i % PREDICATES],
            _ => subjects[i % SUBJECTS],
        };
        let objects = (0..OBJECTS).map(object).collect();
        drop(writer);
        Pool { terms, subjects, predicates, objects }
    }

    fn triple(&self, number: usize) -> Triple {
        let (object, rest) = (number % OBJECTS, number / OBJECTS);
        Triple {
            subject: self.subjects[rest / PREDICATES % SUBJECTS],
            predicate: self.predicates[rest % PREDICATES],
            object: self.objects[object],
        }
    }

    fn triples(&self, numbers: &[usize]) -> Vec<Triple> {
        numbers.iter().map(|&number| self.triple(number)).collect()
    }
}

const ALL: usize = SUBJECTS * PREDICATES * OBJECTS;

fn build(mut builder: GraphBuilder, triples: impl IntoIterator<Item = Triple>) -> Graph {
    for triple in triples {
        builder.push(triple.subject, triple.predicate, triple.object);
    }
    builder.finish()
}

/// A set of statements; where `core` holds more than none, the first of two answers comes from it.
fn check(graph: &Graph, core: &BTreeSet<Triple>, own: &BTreeSet<Triple>, pool: &Pool) {
    let layers = [core, own];
    let all = || layers.into_iter().flatten().copied();
    assert_eq!(graph.len(), core.len() + own.len());
    assert_eq!(graph.own_len(), own.len());
    assert!(graph.iter().eq(all()));
    assert!(graph.own().eq(own.iter().copied()));
    for number in 0..ALL {
        let triple = pool.triple(number);
        assert_eq!(graph.contains(triple), core.contains(&triple) || own.contains(&triple));
        assert_eq!(graph.is_core(triple), core.contains(&triple));
    }
    let literal = pool.objects[3];
    for &subject in pool.subjects.iter().chain([&literal]) {
        let said = all().filter(|triple| triple.subject == subject).map(|triple| (triple.predicate, triple.object));
        assert!(graph.about(subject).eq(said));
        for &predicate in pool.predicates.iter().chain([&literal]) {
            let said = all().filter(|triple| (triple.subject, triple.predicate) == (subject, predicate));
            assert!(graph.objects(subject, predicate).eq(said.map(|triple| triple.object)));
        }
    }
    let sorted = |key: fn(&Triple) -> (Term, Term)| {
        let sorted = layers.map(|layer| {
            let mut layer: Vec<Triple> = layer.iter().copied().collect();
            layer.sort_by_key(key);
            layer
        });
        sorted.concat()
    };
    let by_predicate = sorted(|triple| (triple.object, triple.subject));
    for &predicate in &pool.predicates {
        let said = by_predicate.iter().filter(|triple| triple.predicate == predicate);
        assert!(graph.with_predicate(predicate).eq(said.clone().map(|triple| (triple.object, triple.subject))));
        for &object in &pool.objects {
            let said = said.clone().filter(|triple| triple.object == object);
            assert!(graph.subjects(predicate, object).eq(said.map(|triple| triple.subject)));
        }
    }
    let by_object = sorted(|triple| (triple.subject, triple.predicate));
    for &object in &pool.objects {
        let said = by_object.iter().filter(|triple| triple.object == object);
        assert!(graph.with_object(object).eq(said.map(|triple| (triple.subject, triple.predicate))));
    }
    assert_eq!(graph.subjects(literal, literal).count(), 0);
}

fn numbers(most: usize) -> impl Strategy<Value = Vec<usize>> {
    // Neighbours and strangers: runs of statements touch one part of a graph, single ones all of it.
    let run = (0..ALL, 1..most.div_ceil(4)).prop_map(|(start, len)| (start..start + len).map(|n| n % ALL).collect());
    prop_oneof![vec(0..ALL, 0..most), run]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 24 } else { 200 }))]

    #[test]
    fn a_graph_answers_as_a_plain_set_does(
        core in vec(0..ALL, 0..300),
        first in numbers(1500),
        changes in vec((numbers(400), numbers(400)), 0..4),
        orders_from in 0..4_usize,
    ) {
        let pool = Pool::new();
        let core_graph = build(GraphBuilder::new(pool.terms.clone()), pool.triples(&core));
        let core: BTreeSet<Triple> = pool.triples(&core).into_iter().collect();
        let mut own: BTreeSet<Triple> = pool.triples(&first).into_iter().filter(|triple| !core.contains(triple)).collect();
        let mut graph = build(GraphBuilder::over(&core_graph), pool.triples(&first));
        for (turn, (removed, added)) in changes.into_iter().enumerate() {
            // From some change on the orders by predicate and by object exist and are carried along.
            if turn == orders_from {
                check(&graph, &core, &own, &pool);
            }
            let before = (graph.clone(), own.clone());
            let delta = Delta::new(&graph, pool.triples(&removed), pool.triples(&added));
            graph = graph.apply(&delta);
            own.retain(|triple| !pool.triples(&removed).contains(triple));
            own.extend(pool.triples(&added).into_iter().filter(|triple| !core.contains(triple)));
            prop_assert!(graph.own().eq(own.iter().copied()));
            prop_assert!(before.0.own().eq(before.1.iter().copied()), "the graph before has changed");
            let found = Delta::between(&before.0, &graph);
            prop_assert!(found.added().iter().eq(own.difference(&before.1)));
            prop_assert!(found.removed().iter().eq(before.1.difference(&own)));
            prop_assert!(graph.apply(&found.inverse()).own().eq(before.1.iter().copied()));
        }
        check(&graph, &core, &own, &pool);
    }

    #[test]
    fn any_changes_are_survived(bytes in vec(prop_oneof![any::<u8>(), Just(0x80), Just(0xc0)], 0..150)) {
        changes(&bytes);
    }

    #[test]
    fn two_changes_are_one(first in numbers(300), a in (numbers(200), numbers(200)), b in (numbers(200), numbers(200))) {
        let pool = Pool::new();
        let start = build(GraphBuilder::new(pool.terms.clone()), pool.triples(&first));
        let one = Delta::new(&start, pool.triples(&a.0), pool.triples(&a.1));
        let middle = start.apply(&one);
        let two = Delta::new(&middle, pool.triples(&b.0), pool.triples(&b.1));
        let end = middle.apply(&two);
        let both = one.then(&two);
        prop_assert_eq!(&both, &Delta::between(&start, &end));
        prop_assert!(start.apply(&both).iter().eq(end.iter()));
        prop_assert!(one.then(&one.inverse()).is_empty());
    }

    #[test]
    fn terms_say_what_was_interned(
        text in "\\PC*|[\u{0}-\u{20}\"\\\\\u{7f}\u{fffe}\u{ffff}äé]{0,12}",
        datatype in prop_oneof![Just(xsd::STRING), Just(xsd::INTEGER), Just(xsd::DOUBLE), Just(xsd::BOOLEAN), Just("urn:t")],
        language in "[a-zA-Z]{1,8}",
    ) {
        let terms = Terms::new();
        let (iri, blank, literal) = (terms.iri(&text), terms.blank(&text), terms.literal(&text, datatype));
        let said = terms.language_literal(&text, &language);
        prop_assert_eq!(terms.get(iri), TermRef::Iri(&text));
        prop_assert_eq!(terms.get(blank), TermRef::Blank(&text));
        let expected = TermRef::Literal { lexical: text.as_str().into(), datatype, language: None };
        prop_assert_eq!(terms.get(literal), expected);
        let language = language.to_ascii_lowercase();
        let datatype = "http://www.w3.org/1999/02/22-rdf-syntax-ns#langString";
        let expected = TermRef::Literal { lexical: text.as_str().into(), datatype, language: Some(&language) };
        prop_assert_eq!(terms.get(said), expected);
        for term in [iri, blank, literal, said] {
            prop_assert_eq!(terms.find(&terms.get(term)), Some(term));
            prop_assert_eq!(terms.import(&terms.get(term)), term);
        }
        prop_assert_eq!(BTreeSet::from([iri, blank, literal, said]).len(), 4);
    }

    #[test]
    fn numbers_stand_for_themselves(integer: i64, bits: u64, decimal in -1e9..1e9_f64, digits in 0..8_usize) {
        let terms = Terms::new();
        prop_assert_eq!(Term::integer(integer).is_some(), (-(1 << 60)..1 << 60).contains(&integer));
        prop_assert!(Term::integer(integer).is_none_or(|term| term.as_integer() == Some(integer)));
        let literal = terms.literal(&integer.to_string(), xsd::INTEGER);
        prop_assert_eq!(literal.as_integer(), Term::integer(integer).map(|_| integer));
        let short: f64 = format!("{decimal:.digits$}").parse().expect("a decimal is a number");
        for value in [f64::from_bits(bits), short, decimal, 0.0, -0.0, 1e-4, 9e-5, 1e16, 1e15, 2_f64.powi(-127), 2_f64.powi(128)] {
            let lexical = format!("{value:?}");
            let literal = terms.literal(&lexical, xsd::DOUBLE);
            prop_assert_eq!(Term::double(value).unwrap_or(literal), literal);
            prop_assert!(literal.as_double().is_none_or(|double| double.to_bits() == value.to_bits()));
            let expected = TermRef::Literal { lexical: lexical.into(), datatype: xsd::DOUBLE, language: None };
            prop_assert_eq!(terms.get(literal), expected);
        }
        prop_assert_eq!(terms.literal("1.50", xsd::DOUBLE).as_double(), None);
        prop_assert_eq!(terms.literal("+1", xsd::INTEGER).as_integer(), None);
        prop_assert!(Term::double(short).is_some() || short.abs() < 1e-38 && short != 0.0);
    }
}

/// The fuzzer's corpus, so that what it once found is found without it.
#[test]
fn the_corpus_is_survived() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/delta");
    let files: Vec<_> =
        std::fs::read_dir(folder).expect("the corpus is there").map(|file| file.expect("it is readable")).collect();
    assert!(files.len() >= 3);
    files.iter().for_each(|file| changes(&std::fs::read(file.path()).expect("the file is readable")));
}

#[test]
fn a_change_leaves_the_core_alone_and_shows_that_it_was_touched() {
    let pool = Pool::new();
    let core = build(GraphBuilder::new(pool.terms.clone()), pool.triples(&[1, 2, 3]));
    let graph = build(GraphBuilder::over(&core), pool.triples(&[3, 4, 5]));
    assert_eq!((graph.len(), graph.own_len()), (5, 2));
    let delta = Delta::new(&graph, pool.triples(&[1, 4]), pool.triples(&[2, 6]));
    let mut touched = pool.triples(&[1, 4]);
    touched.sort();
    assert_eq!(delta.removed(), touched);
    assert_eq!(delta.added(), pool.triples(&[6]));
    let after = graph.apply(&delta);
    assert!(after.is_core(pool.triple(1)) && after.contains(pool.triple(1)));
    assert!(!after.contains(pool.triple(4)) && after.contains(pool.triple(6)));
    assert_eq!(Graph::over(&after).iter().collect::<Vec<_>>(), core.iter().collect::<Vec<_>>());
}

#[test]
fn a_canonical_line_escapes_what_the_specification_names_and_nothing_else() {
    let terms = Terms::new();
    let (subject, predicate) = (terms.blank("c14n0"), terms.iri("urn:p"));
    let line = |object| {
        let mut line = Vec::new();
        write_statement(&terms, Triple { subject, predicate, object }, &mut line);
        let line = String::from_utf8(line).expect("lines are text");
        line.strip_prefix("_:c14n0 <urn:p> ")
            .and_then(|rest| rest.strip_suffix(" .\n"))
            .expect("the frame is fixed")
            .to_owned()
    };
    let text = |text| line(terms.literal(text, xsd::STRING));
    assert_eq!(text("\u{8}\t\n\u{c}\r\"\\"), r#""\b\t\n\f\r\"\\""#);
    assert_eq!(text("\u{0}\u{7}\u{b}\u{e}\u{1f}\u{7f}"), r#""\u0000\u0007\u000B\u000E\u001F\u007F""#);
    assert_eq!(text("\u{fffe}\u{ffff}"), r#""\uFFFE\uFFFF""#);
    assert_eq!(text("é\u{80}\u{ff0c}\u{1f600}'<>"), "\"é\u{80}\u{ff0c}\u{1f600}'<>\"");
    assert_eq!(line(terms.literal("1.50", xsd::DOUBLE)), r#""1.50"^^<http://www.w3.org/2001/XMLSchema#double>"#);
    assert_eq!(line(terms.literal("1.5", xsd::DOUBLE)), r#""1.5"^^<http://www.w3.org/2001/XMLSchema#double>"#);
    assert_eq!(line(terms.literal("-7", xsd::INTEGER)), r#""-7"^^<http://www.w3.org/2001/XMLSchema#integer>"#);
    assert_eq!(line(Term::boolean(true)), r#""true"^^<http://www.w3.org/2001/XMLSchema#boolean>"#);
    assert_eq!(line(terms.language_literal("x", "EN-gb")), r#""x"@en-gb"#);
    assert_eq!(line(terms.iri("urn:é")), "<urn:é>");
    assert_eq!(line(terms.iri("urn:a> <b\n")), r"<urn:a\u003E\u0020\u003Cb\u000A>");
}

#[test]
fn a_change_can_be_read() {
    let terms = Arc::new(Terms::new());
    let triple = |object| Triple { subject: terms.iri("urn:s"), predicate: terms.iri("urn:p"), object };
    let [one, two, ten] = [1, 2, 10].map(|number| triple(Term::integer(number).expect("the number is small")));
    let graph = build(GraphBuilder::new(terms.clone()), [one, two]);
    let delta = Delta::new(&graph, vec![two, one], vec![ten]);
    let integer = "^^<http://www.w3.org/2001/XMLSchema#integer>";
    let expected = [("-", 1), ("+", 10), ("-", 2)]
        .map(|(sign, number)| format!("{sign} <urn:s> <urn:p> \"{number}\"{integer} .\n"));
    assert_eq!(delta.display(&terms).to_string(), expected.concat());
}

#[test]
fn terms_are_read_while_others_are_interned() {
    let terms = Terms::new();
    let (sender, receiver) = std::sync::mpsc::sync_channel::<(usize, Term)>(64);
    std::thread::scope(|scope| {
        let (terms, texts) = (&terms, |i: usize| format!("urn:{}", i % 3000));
        scope.spawn(move || {
            for i in 0..20_000 {
                sender.send((i, terms.iri(&texts(i)))).expect("the reader listens");
            }
        });
        scope.spawn(move || {
            for _ in 0..20 {
                let mut writer = terms.writer();
                (0..1000).for_each(|i| assert!(writer.iri(&texts(i * 7)).is_iri()));
            }
        });
        for (i, term) in receiver {
            assert_eq!(terms.get(term), TermRef::Iri(&texts(i)));
        }
    });
    assert_eq!(terms.len(), 3000);
}

#[test]
fn what_superseded_versions_said_does_not_pile_up() {
    let mut graph = Graph::empty(Arc::new(Terms::new()));
    let mut moves = 0;
    for turn in 0..60_000 {
        let terms = graph.terms().clone();
        let (subject, predicate) = (terms.iri(&format!("urn:s:{}", turn % 50)), terms.iri("urn:p"));
        let removed = graph.objects(subject, predicate).map(|object| Triple { subject, predicate, object }).collect();
        let object = match turn % 2 {
            0 => terms.literal(&format!("text {turn}"), xsd::STRING),
            _ => terms.language_literal(&format!("text {turn}"), "en"),
        };
        let delta = Delta::new(&graph, removed, vec![Triple { subject, predicate, object }]);
        graph = graph.apply(&delta);
        if turn % 7 == 0 {
            // So that the other orders exist and move along.
            assert!(graph.subjects(predicate, object).eq([subject]));
            assert!(graph.with_object(object).eq([(subject, predicate)]));
        }
        if let Some(compacted) = graph.compacted() {
            assert_eq!(said(&compacted), said(&graph));
            assert!(compacted.terms().len() < 200 && compacted.compacted().is_none());
            assert!(Delta::between(&graph, &compacted).is_empty());
            graph = compacted;
            moves += 1;
        }
        assert!(graph.terms().len() < 5000);
    }
    assert!((10..20).contains(&moves), "moved {moves} times");
}

#[test]
fn large_texts_of_superseded_versions_do_not_pile_up() {
    let mut graph = Graph::empty(Arc::new(Terms::new()));
    for turn in 0..100 {
        let terms = graph.terms().clone();
        let (subject, predicate) = (terms.iri("urn:s"), terms.iri("urn:p"));
        let object = terms.literal(&format!("{turn:0>50000}"), xsd::STRING);
        graph = build(GraphBuilder::new(terms), [Triple { subject, predicate, object }]);
        graph = graph.compacted().unwrap_or(graph);
        assert!(graph.terms().text_bytes() < 5 << 18);
    }
}

/// Every answer in words, so that graphs of two interners can be compared.
fn said(graph: &Graph) -> BTreeMap<String, usize> {
    let mut said = BTreeMap::new();
    let mut count = |triple| {
        let mut line = Vec::new();
        write_statement(graph.terms(), triple, &mut line);
        *said.entry(String::from_utf8(line).expect("lines are text")).or_default() += 1;
    };
    graph.iter().for_each(&mut count);
    for subject in graph.iter().map(|triple| triple.subject).collect::<BTreeSet<_>>() {
        graph.about(subject).for_each(|(predicate, object)| count(Triple { subject, predicate, object }));
    }
    for predicate in graph.iter().map(|triple| triple.predicate).collect::<BTreeSet<_>>() {
        graph.with_predicate(predicate).for_each(|(object, subject)| count(Triple { subject, predicate, object }));
    }
    for object in graph.iter().map(|triple| triple.object).collect::<BTreeSet<_>>() {
        graph.with_object(object).for_each(|(subject, predicate)| count(Triple { subject, predicate, object }));
    }
    said
}

//! Rules come back from each form as they went into it, and what is no rule says where.

use knhk_governance::doctrine::{self, *};
use proptest::char::range;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

/// Texts with what quoting has to heed.
fn text() -> impl Strategy<Value = String> {
    vec(
        prop_oneof![
            Just('"'),
            Just('\\'),
            Just('\n'),
            Just('\''),
            Just('\u{7f}'),
            Just('é'),
            Just('😀'),
            range('a', 'z'),
            Just('\u{1}')
        ],
        0..12,
    )
    .prop_map(String::from_iter)
}

fn name() -> impl Strategy<Value = String> {
    vec(prop_oneof![range('a', 'z'), Just('-'), Just('_'), Just('.'), range('0', '9')], 1..8)
        .prop_map(String::from_iter)
}

fn number() -> impl Strategy<Value = Number> {
    let finite = any::<f64>().prop_filter("finite", |number| number.is_finite());
    prop_oneof![any::<i64>().prop_map(Number::I64), finite.prop_map(Number::F64)]
}

fn limit() -> impl Strategy<Value = Kind> {
    let of = prop_oneof![
        Just(Quantity::Value),
        Just(Quantity::ChangePercent),
        Just(Quantity::Paths),
        Just(Quantity::ArtifactBytes)
    ];
    (of, number(), option::of(number())).prop_map(|(of, one, other)| {
        let (min, max) = match other {
            Some(other) if other.is_above(one) => (Some(one), Some(other)),
            Some(other) => (Some(other), Some(one)),
            None => (None, Some(one)),
        };
        Kind::ResourceLimit(ResourceLimit { of, min, max })
    })
}

fn kind() -> impl Strategy<Value = Kind> {
    let step = (vec(name(), 0..3), 1..9_u32).prop_map(|(groups, quorum)| Step { groups, quorum });
    let chain = (vec(step, 1..4), option::of(0.0..1e9_f64), any::<bool>()).prop_map(
        |(steps, above_percent, proposer_counts)| {
            Kind::ApprovalChain(ApprovalChain { steps, above_percent, proposer_counts })
        },
    );
    let duties = (vec(name(), 0..3), any::<bool>()).prop_map(|(proposers, set)| {
        let exclusive =
            if set { vec![vec!["a".to_owned(), "b".to_owned()], vec!["c".into(), "d".into()]] } else { vec![] };
        Kind::SegregationOfDuties(SegregationOfDuties {
            proposer_may_approve: !proposers.is_empty(),
            proposers,
            exclusive,
        })
    });
    let window = (any::<bool>(), 0..24_u8, 0..60_u8).prop_map(|(closed, hour, minute)| {
        let (days, from) = (vec!["mon".to_owned(), "sun".to_owned()], format!("{hour:02}:{minute:02}"));
        Kind::TimeWindow(TimeWindow { zone: "Asia/Kolkata".into(), days, from, to: "07:30".into(), closed })
    });
    let shape = Just(Kind::Shape(Shape {
        turtle: "@prefix sh: <http://www.w3.org/ns/shacl#> .\n<urn:x:S> sh:targetClass <urn:x:C> ; sh:closed true .\n"
            .into(),
    }));
    let cel = prop_oneof![Just("major"), Just("changes.all(c, c.path != \"a\\\\b\")"), Just("by == 'é'")];
    let cel = cel.prop_map(|cel| Kind::Expression(Condition { cel: cel.to_owned() }));
    let callback = name().prop_map(|name| Kind::Callback(Callback { name }));
    prop_oneof![chain, duties, limit(), window, shape, cel, callback]
}

fn rule() -> impl Strategy<Value = Rule> {
    let soft = (
        vec(name(), 0..2),
        prop_oneof![Just(Enforcement::Advisory), Just(Enforcement::SoftMandatory), Just(Enforcement::HardMandatory)],
    );
    let time = (any::<u64>().prop_map(|time| time / 2), option::of(1..u64::MAX / 2));
    let texts = (text(), text(), vec(name(), 1..3), vec(name(), 0..3));
    (name(), option::of(name()), soft, time, texts, kind()).prop_map(
        |(id, sector, (groups, enforcement), (from_ns, lasts), (doc, fix, paths, guards), kind)| Rule {
            id,
            sector,
            enforcement,
            paths,
            from_ns,
            until_ns: lasts.map(|lasts| from_ns + lasts),
            guards,
            override_by: if enforcement == Enforcement::SoftMandatory { groups } else { vec![] },
            doc,
            fix,
            kind,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn a_rule_comes_back_from_each_form(rule in rule()) {
        prop_assert!(rule.check().is_ok(), "{:?}", rule.check());
        let json = rule.to_json();
        prop_assert_eq!(&Rule::from_json(&json).unwrap(), &rule, "{}", json);
        let toml = rule.to_toml();
        prop_assert_eq!(&Rule::from_toml(&toml).unwrap(), &rule, "{}", toml);
        let turtle = rule.to_turtle();
        prop_assert_eq!(&Rule::from_turtle(&turtle).unwrap(), &rule, "{}", turtle);
        // Its hash is that of what it says, not of how it was written.
        prop_assert_eq!(Rule::from_toml(&toml).unwrap().hash(), rule.hash());
        let revision = doctrine::revise(&[], rule, false, 7, "a", "b");
        prop_assert_eq!(RuleRevision::from_store(&revision.to_store()).unwrap(), revision);
    }

    #[test]
    fn no_text_makes_a_reader_panic(text in "[\\[\\]{}=\"'a-z0-9.:;<> \n()]{0,200}") {
        let _ = (Rule::from_json(&text), Rule::from_toml(&text), Rule::from_turtle(&text), Expression::compile(&text));
    }
}

#[test]
fn the_hash_and_the_canonical_form_stay_as_they_are() {
    let rule = Rule::from_toml(
        "[[rule]]\nid = \"r\"\nsector = \"orders\"\nenforcement = \"advisory\"\nfrom = \"2026-01-31T09:00:00+01:00\"\n\
         paths = [\"a\"]\n[rule.resource_limit]\nof = \"value\"\nmax = 5.0\nmin = 1",
    )
    .unwrap();
    assert_eq!(
        rule.to_json(),
        r#"{"enforcement":"advisory","from":"2026-01-31T08:00:00Z","id":"r","paths":["a"],"resource_limit":{"max":5.0,"min":1,"of":"value"},"sector":"orders"}"#
    );
    let hash: String = rule.hash().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hash, "1c866b208a1919fdb81b2737aa905c4cd1daabe8907a0d58a203d241a49174ce");
    let toml = "[[rule]]\nid = \"r\"\nsector = \"orders\"\nenforcement = \"advisory\"\nfrom = \"2026-01-31T08:00:00Z\"\npaths = [\"a\"]\n\n\
                [rule.resource_limit]\nof = \"value\"\nmin = 1\nmax = 5.0\n";
    assert_eq!(rule.to_toml(), toml);
    let turtle = rule.to_turtle();
    assert!(turtle.contains("<urn:knhk:orders:doctrine/r> a knhk:Rule ;"), "{turtle}");
    assert!(turtle.contains("knhk:from \"2026-01-31T08:00:00Z\"^^xsd:dateTime"), "{turtle}");
}

#[test]
fn what_is_no_rule_says_where_and_what_to_do() {
    let toml = |text: &str| Rule::from_toml(&format!("[[rule]]\n{text}")).unwrap_err().to_string();
    let head = "id = \"r\"\nenforcement = \"hard_mandatory\"\n";
    for (text, says) in [
        ("id = 1", "no rule in TOML: TOML parse error at line 2, column 6"),
        (
            "id = \"r\"\nenforcement = \"hard\"\n[rule.callback]\nname = \"f\"",
            "unknown variant `hard`, expected one of `advisory`, `soft_mandatory`, `hard_mandatory`",
        ),
        ("id = \"r\"\nenforcment = \"advisory\"", "unknown field `enforcment`"),
    ] {
        let error = toml(text);
        assert!(error.contains(says), "{error}");
    }
    for (text, says) in [
        (
            "",
            "rule r needs exactly one of approval_chain, segregation_of_duties, resource_limit, time_window, shape, expression, callback",
        ),
        ("[rule.callback]\nname = \"f\"\n[rule.expression]\ncel = \"true\"", "rule r needs exactly one of"),
        (
            "from = \"yesterday\"\n[rule.callback]\nname = \"f\"",
            "rule r, from: \"yesterday\" is no time from 1970 on: write it as 2026-01-31T09:00:00Z",
        ),
        (
            "from = \"2026-01-02T00:00:00Z\"\nuntil = \"2026-01-01T00:00:00Z\"\n[rule.callback]\nname = \"f\"",
            "rule r, until: it ends before it begins: give a later time, or none",
        ),
        (
            "override_by = [\"a\"]\n[rule.callback]\nname = \"f\"",
            "rule r, override_by: a rule that is hard_mandatory cannot be overridden: leave it out",
        ),
        (
            "paths = [\"a//b\"]\n[rule.callback]\nname = \"f\"",
            "rule r, paths: \"a//b\" selects nothing: write limits, limits/max_qty or */max_qty: * stands for one whole name",
        ),
        ("[rule.approval_chain]\nsteps = []", "rule r, approval_chain: no step: name at least one, with its quorum"),
        ("[rule.approval_chain]\nsteps = [{ quorum = 0 }]", "rule r, approval_chain: a quorum of 0: ask for 1 to 100"),
        (
            "[rule.resource_limit]\nof = \"value\"\nmax = 1",
            "rule r, resource_limit: no paths: name the parameters that it limits",
        ),
        ("[rule.resource_limit]\nof = \"paths\"", "rule r, resource_limit: neither min nor max: give one at least"),
        (
            "[rule.resource_limit]\nof = \"paths\"\nmin = 2\nmax = 1.5",
            "rule r, resource_limit: nothing is from 2 to 1.5: turn them around",
        ),
        (
            "[rule.resource_limit]\nof = \"paths\"\nmax = nan",
            "rule r, resource_limit: a bound that is no number: write one",
        ),
        (
            "[rule.time_window]\nzone = \"Mars\"",
            "rule r, time_window zone: \"Mars\" is no time zone of the IANA database",
        ),
        (
            "[rule.time_window]\nzone = \"UTC\"\nclosed = true",
            "rule r, time_window closed: it never lets a change through",
        ),
        ("[rule.shape]\nturtle = \"<a\"", "rule r, shape: "),
        ("[rule.shape]\nturtle = \"\"", "rule r, shape: no shape with a target"),
        ("[rule.expression]\ncel = \"1 +\"", "rule r, expression: "),
        (
            "[rule.expression]\ncel = \"chnages == []\"",
            "rule r, expression: there is no variable \"chnages\": it may ask about after, approvals",
        ),
        (
            "[rule.segregation_of_duties]\nproposer_may_approve = true",
            "rule r, segregation_of_duties: it excludes nothing",
        ),
    ] {
        let error = toml(&format!("{head}{text}"));
        assert!(error.contains(says), "{text}\n{error}");
    }
    let error = Rule::from_turtle("@prefix knhk: <urn:knhk:core:> . <urn:knhk:orders:r> a knhk:Rule .").unwrap_err();
    assert!(error.to_string().contains("<urn:knhk:orders:r> is no name of a rule"), "{error}");
    let twice = "@prefix knhk: <urn:knhk:core:> . <urn:knhk:orders:doctrine/r> a knhk:Rule ; knhk:fix \"a\", \"b\" .";
    assert!(Rule::from_turtle(twice).unwrap_err().to_string().contains("fix is said twice: leave one out"));
    assert_eq!(
        Rule::from_toml("").unwrap_err().to_string(),
        "0 rules where one is asked for: give them one by one, or as a file"
    );
}

#[test]
fn what_is_too_large_is_refused() {
    let long = |count| format!("{{\"id\":\"{}\"}}", "x".repeat(count));
    assert!(matches!(Rule::from_json(&long(70_000)).unwrap_err(), RuleError::TooLarge { .. }));
    assert!(matches!(rules_from_toml(&" ".repeat(5 << 20)).unwrap_err(), RuleError::TooLarge { .. }));
    assert!(matches!(rules_from_turtle(&" ".repeat(5 << 20)).unwrap_err(), RuleError::TooLarge { .. }));
    let deep = format!("{{\"id\":{}", "[".repeat(60_000));
    assert!(Rule::from_json(&deep).is_err());
    assert!(Rule::from_toml(&format!("a = {}", "[".repeat(60_000))).is_err());
}

#[test]
fn rules_can_stand_in_a_sectors_graph() {
    let world = super::support::World::new();
    let rule = super::support::rule(
        "r",
        "hard_mandatory",
        "doc = \"why\"\npaths = [\"limits\"]\n[rule.resource_limit]\nof = \"value\"\nmax = 7\nmin = 1.5",
    );
    let candidate = world.statements(&rule.to_turtle());
    assert!(candidate.compiled.is_some() && candidate.snapshot.report().conforms());
    assert_eq!(
        candidate.snapshot.document().unwrap(),
        world.base.document().unwrap(),
        "programs read what they read before"
    );
}

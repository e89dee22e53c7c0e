//! What crosses each kind of guard, and what does not.

pub const BASE: &str = r#"{
    "mode": "test", "kill_switch": true, "region": "eu-west", "replicas": ["eu-west", "eu-north"],
    "order": {"max_qty": {"$value": 1000, "$min": 1, "$max": 5000, "$unit": "lots"}, "ratio": 0.5, "code": "A"}
}"#;
pub const TURTLE: &str = r#"
    :Store rdfs:subClassOf :Place . :Archive rdfs:subClassOf :Store . :east a :Archive ; :where "eu-west" . :desk :where "us" .
    :audit :trail "on" ; rdfs:comment "Everything that was decided."@en .
"#;

/// A guard, a change that crosses it, what is said, and a change that does not.
pub struct Case {
    pub guard: &'static str,
    pub crosses: Change,
    pub says: &'static str,
    pub mended: Change,
}

#[derive(Clone, Copy)]
pub enum Change {
    /// The document with a text replaced by another.
    Values(&'static str, &'static str),
    /// Statements removed and added.
    Statements(&'static str, &'static str),
    /// Any small change, with a figure that was measured.
    Measured(f64),
}

const fn limit(rule: &'static str, to: &'static str, says: &'static str, mended: &'static str) -> Case {
    let from = r#""$value": 1000"#;
    Case { guard: rule, crosses: Change::Values(from, to), says, mended: Change::Values(from, mended) }
}

pub fn cases() -> Vec<Case> {
    use Change::{Measured, Statements, Values};
    vec![
        limit(
            r#"kind = "safety_interlock"
            limit = [{ paths = ["order/max_*"], max = 2000 }]"#,
            r#""$value": 2001"#,
            "order/max_qty would be 2001 lots, and may be 2000 at most",
            r#""$value": 2000"#,
        ),
        limit(
            r#"kind = "safety_interlock"
            limit = [{ paths = ["**"], min = 500.5 }]"#,
            r#""$value": 500"#,
            "order/max_qty would be 500 lots, and may be 500.5 at least",
            r#""$value": 501"#,
        ),
        limit(
            r#"kind = "safety_interlock"
            limit = [{ paths = ["order/max_qty"], max_step = 0.25 }]"#,
            r#""$value": 1251"#,
            "order/max_qty would go from 1000 lots   (1 … 5000) to 1251 lots   (1 … 5000), and may change by 25 % at once",
            r#""$value": 750"#,
        ),
        limit(
            r#"kind = "safety_interlock"
            limit = [{ paths = ["order/max_qty"], loosens = "up" }]"#,
            r#""$value": 1001"#,
            "order/max_qty would be looser",
            r#""$value": 999"#,
        ),
        limit(
            r#"kind = "safety_interlock"
            limit = [{ paths = ["order/max_qty"], loosens = "down" }]"#,
            r#""$value": 999"#,
            "order/max_qty would be looser",
            r#""$value": 1001"#,
        ),
        Case {
            guard: r#"kind = "safety_interlock"
            limit = [{ paths = ["order/*"], loosens = "range" }]"#,
            crosses: Values(r#""$max": 5000"#, r#""$max": 6000"#),
            says: "what order/max_qty may be would be looser",
            mended: Values(r#""$max": 5000"#, r#""$max": 4000"#),
        },
        Case {
            guard: r#"kind = "safety_interlock"
            limit = [{ paths = ["mode"], fixed = true }]"#,
            crosses: Values(r#""test""#, r#""live""#),
            says: "mode would change from test to live, and may not change",
            mended: Values("0.5", "0.6"),
        },
        Case {
            guard: r#"kind = "safety_interlock"
            limit = [{ paths = ["order/ratio"], max = 1 }]"#,
            crosses: Values(r#", "ratio": 0.5"#, ""),
            says: "order/ratio would be removed, and it is guarded",
            mended: Values("0.5", "1.0"),
        },
        Case {
            guard: r#"kind = "safety_interlock"
            limit = [{ paths = ["order/ratio"], max = 1 }]"#,
            crosses: Values("0.5", r#""much""#),
            says: "order/ratio would be much, and its guard is about a number",
            mended: Values("0.5", "1.0"),
        },
        Case {
            guard: r#"kind = "safety_interlock"
            interlock = [{ when = { path = "mode", values = ["live"] }, require = { path = "kill_switch", values = [false] } }]"#,
            crosses: Values(r#""mode": "test""#, r#""mode": "live""#),
            says: "mode is live is allowed only while kill_switch is false, and kill_switch is true",
            mended: Values(r#""mode": "test", "kill_switch": true"#, r#""mode": "live", "kill_switch": false"#),
        },
        Case {
            guard: r#"kind = "data_residency"
            residency = [{ paths = ["region", "replicas"], allowed = ["eu-west", "eu-north"] }]"#,
            crosses: Values(r#"["eu-west", "eu-north"]"#, r#"["eu-west", "us-east"]"#),
            says: "replicas would be us-east, and data stay in eu-west, eu-north",
            mended: Values(r#"["eu-west", "eu-north"]"#, r#"["eu-north"]"#),
        },
        Case {
            guard: r#"kind = "data_residency"
            residency = [{ class = "Place", property = "where", allowed = ["eu-west"] }]"#,
            crosses: Statements("", r#":west a :Store ; :where "us" ."#),
            says: "west would be in us, and data stay in eu-west",
            mended: Statements("", r#":west a :Store ; :where "eu-west" ."#),
        },
        // What is somewhere already becomes something that may not be there: by its type, and by its class.
        Case {
            guard: r#"kind = "data_residency"
            residency = [{ class = "Place", property = "urn:knhk:orders:where", allowed = ["eu-west"] }]"#,
            crosses: Statements("", ":desk a :Archive ."),
            says: "desk would be in us",
            mended: Statements("", ":desk a :Desk ."),
        },
        Case {
            guard: r#"kind = "data_residency"
            residency = [{ class = "Place", property = "where", allowed = ["eu-west"] }]"#,
            crosses: Statements("", ":Desk rdfs:subClassOf :Store . :desk a :Desk ."),
            says: "desk would be in us",
            mended: Statements("", ":Desk rdfs:subClassOf :Furniture . :desk a :Desk ."),
        },
        // What is none any more by the same change.
        Case {
            guard: r#"kind = "data_residency"
            residency = [{ class = "Place", property = "where", allowed = ["eu-west"] }]"#,
            crosses: Statements(
                r#":east a :Archive ; :where "eu-west" . :Store rdfs:subClassOf :Place ."#,
                r#":east :where "us" ."#,
            ),
            says: "east would be in us",
            mended: Statements(":Store rdfs:subClassOf :Place .", ""),
        },
        Case {
            guard: r#"kind = "data_residency"
            keep = [{ subject = "audit", predicate = "**trail" }]"#,
            crosses: Statements(r#":audit :trail "on" ."#, ""),
            says: "<urn:knhk:orders:audit> <urn:knhk:orders:trail> \"on\" . would be removed, and has to stay",
            mended: Statements(r#":audit rdfs:comment "Everything that was decided."@en ."#, ""),
        },
        Case {
            guard: r#"kind = "performance_bound"
            bound = [{ figure = "read_ns", max = 2.0 }]"#,
            crosses: Measured(2.5),
            says: "read_ns was measured at 2.5, and may be 2 at most",
            mended: Measured(2.0),
        },
        Case {
            guard: r#"kind = "performance_bound"
            bound = [{ figure = "read_ns", max = 2.0 }]"#,
            crosses: Values("0.5", "0.6"),
            says: "read_ns was not measured",
            mended: Measured(1.0),
        },
        Case {
            guard: r#"kind = "compliance_rule"
            [compliance]
            required = "<audit> <trail> 'on' .""#,
            crosses: Statements(r#":audit :trail "on" ."#, r#":audit :trail "off" ."#),
            says: "<urn:knhk:orders:audit> <urn:knhk:orders:trail> \"on\" . is required, and would not be there",
            mended: Statements("", ":audit :keeper :desk ."),
        },
        Case {
            guard: r#"kind = "compliance_rule"
            [compliance]
            shapes = '''
            @prefix sh: <http://www.w3.org/ns/shacl#> .
            <Documented> a sh:NodeShape ; sh:targetClass <Archive> ; sh:property [ sh:path <where> ; sh:minCount 1 ] .
            '''"#,
            crosses: Statements("", ":attic a :Archive ."),
            says: "attic where: needs at least 1 value (shape Documented)",
            mended: Statements("", r#":attic a :Archive ; :where "eu-north" ."#),
        },
    ]
}

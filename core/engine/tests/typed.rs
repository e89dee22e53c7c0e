//! Structs as documents: the mapping both ways, what is refused and how it is told, and keys of fields.

use std::collections::BTreeMap;

use knhk_engine::{
    Bound, Engine, FieldError, Keys, Options, Origin, PromotionSafe, ReaderOptions, SectorKind, Status, Unfit,
    ValueType,
};

/// Everything that a document can hold.
#[derive(Clone, Debug, PartialEq, PromotionSafe)]
#[knhk(sector = "everything")]
struct Everything {
    open: bool,
    /// The largest order
    /// that is let through.
    ///
    /// In lots of the venue.
    #[knhk(min = 1, max = 5000, unit = "lots")]
    max_qty: i64,
    tiny: i8,
    port: u16,
    count: usize,
    big: u64,
    #[knhk(min = 0.0, max = 1.0)]
    ratio: f64,
    #[knhk(one_of("auction", "continuous"))]
    phase: String,
    #[knhk(bytes)]
    token: Vec<u8>,
    flags: Vec<bool>,
    #[knhk(min = -3, max = 3)]
    ladder: Vec<i32>,
    weights: Vec<f64>,
    venues: Vec<String>,
    #[knhk(bytes)]
    tokens: Vec<Vec<u8>>,
    none_yet: Vec<u8>,
    desk: Desk,
    #[knhk(min = 0, unit = "EUR")]
    by_tenant: BTreeMap<String, i64>,
    #[knhk(bytes)]
    by_device: BTreeMap<String, Vec<u8>>,
    #[knhk(rename = "max-rate", doc = "Said instead of the comment.")]
    /// Not this.
    max_rate: Option<f64>,
    note: Option<String>,
    shadow: Option<Desk>,
    r#type: i64,
}

#[derive(Clone, Debug, PartialEq, PromotionSafe)]
#[knhk(invariant = "self.low <= self.high")]
struct Desk {
    low: i64,
    high: i64,
    inner: Inner,
}

#[derive(Clone, Debug, PartialEq, PromotionSafe)]
struct Inner {
    text: String,
}

fn everything() -> Everything {
    Everything {
        open: true,
        max_qty: 1000,
        tiny: i8::MIN,
        port: u16::MAX,
        count: 7,
        big: i64::MAX as u64,
        ratio: 0.1,
        phase: "auction".into(),
        token: vec![0, 255, 7],
        flags: vec![true, false],
        ladder: vec![-3, 0, 3],
        weights: vec![1.0, -0.0, 1e300, f64::MIN_POSITIVE],
        venues: vec!["XLON".into(), "\"quoted\" \\ \u{1} ü 🦀".into(), String::new()],
        tokens: vec![vec![], vec![1]],
        none_yet: vec![],
        desk: Desk { low: -1, high: 1, inner: Inner { text: "deep".into() } },
        by_tenant: BTreeMap::from([("acme".into(), 5), ("zürich".into(), 0)]),
        by_device: BTreeMap::new(),
        max_rate: Some(2.0),
        note: None,
        shadow: None,
        r#type: i64::MIN,
    }
}

fn engine(sector: &str) -> Engine {
    let engine = Engine::open(":memory:", Options::default()).unwrap();
    engine.create_sector(sector, SectorKind::Direct).unwrap();
    engine
}

fn fields(unfit: Unfit) -> Vec<FieldError> {
    match unfit {
        Unfit::Fields(errors) => errors,
        other => panic!("the fields are at fault: {other}"),
    }
}

#[test]
fn a_struct_comes_back_as_it_was() {
    let full = Everything { note: Some("n".into()), shadow: Some(everything().desk), ..everything() };
    for value in [everything(), full] {
        let document = value.document().unwrap();
        assert_eq!(Everything::from_document(&document).unwrap(), value);
        let engine = engine("everything");
        engine.promote(&value, Origin::default()).unwrap();
        assert_eq!(engine.promoted::<Everything>().unwrap(), value);
        // Through the text too, which is what another program would promote.
        let text = engine.export_json("everything", None).unwrap();
        engine.promote_json("everything", &text, Origin::default()).unwrap();
        assert_eq!(engine.promoted::<Everything>().unwrap(), value);
        let [first, second] = &engine.history("everything").unwrap()[..] else { panic!("two versions") };
        assert_eq!(first.snapshot_id, second.snapshot_id);
    }
}

#[test]
fn the_document_carries_types_ranges_units_and_meaning() {
    let document = everything().document().unwrap();
    let type_of = |path: &str| document.get(path).unwrap_or_else(|| panic!("{path} is there")).value_type;
    assert_eq!(type_of("port"), ValueType::I64);
    assert_eq!(type_of("token"), ValueType::Bytes);
    assert_eq!(type_of("none_yet"), ValueType::ListI64);
    assert_eq!(type_of("desk/inner"), ValueType::Map);
    assert_eq!(type_of("by_device"), ValueType::Map);
    assert_eq!(type_of("max-rate"), ValueType::F64);
    assert_eq!(type_of("type"), ValueType::I64);
    assert!(document.get("note").is_none() && document.get("max_rate").is_none());

    let max_qty = document.get("max_qty").unwrap();
    assert_eq!(max_qty.unit, Some("lots"));
    assert_eq!(max_qty.doc, Some("The largest order that is let through.\nIn lots of the venue."));
    assert_eq!(document.get("max-rate").unwrap().doc, Some("Said instead of the comment."));
    assert!(max_qty.min.is_some() && max_qty.max.is_some());
    assert!(document.get("phase").unwrap().allowed.is_some());
    assert_eq!(document.get("by_tenant/acme").unwrap().unit, Some("EUR"));
}

#[test]
fn every_field_that_is_out_of_bounds_is_told() {
    let wrong = Everything {
        max_qty: 9000,
        big: u64::MAX,
        ratio: f64::NAN,
        phase: "closed".into(),
        ladder: vec![0, 4, -4],
        weights: vec![f64::INFINITY],
        venues: vec!["nul\0".into()],
        by_tenant: BTreeMap::from([("a/b".into(), 1), ("acme".into(), -1)]),
        ..everything()
    };
    let errors = wrong.verify().unwrap_err();
    let told: Vec<String> = errors.iter().map(FieldError::to_string).collect();
    assert_eq!(
        told,
        [
            "max_qty is 9000 lots, above its maximum 5000 lots",
            "big is 18446744073709551615, which is beyond i64",
            "ratio is NaN, which is not a finite number",
            "phase is \"closed\", which is none of \"auction\", \"continuous\"",
            "ladder[1] is 4, above its maximum 3",
            "ladder[2] is -4, below its minimum -3",
            "weights[0] is inf, which is not a finite number",
            "venues[0] is \"nul\\0\", which holds a NUL character: make it bytes",
            "by_tenant: \"a/b\" cannot be a name: one is not empty, does not begin with $ and has neither / nor NUL",
            "by_tenant/acme is -1 EUR, below its minimum 0 EUR",
        ]
    );
    assert_eq!((errors[0].path.as_str(), errors[0].value.as_str()), ("max_qty", "9000 lots"));
    assert_eq!(errors[0].bound, Bound::AtMost("5000 lots".into()));
    assert_eq!(fields(wrong.document().unwrap_err()), errors, "there is no document of it");
}

#[test]
fn bounds_are_inclusive() {
    for (max_qty, sound) in [(0, false), (1, true), (5000, true), (5001, false)] {
        assert_eq!(Everything { max_qty, ..everything() }.verify().is_ok(), sound, "{max_qty}");
    }
    for (ratio, sound) in [(-0.1, false), (0.0, true), (-0.0, true), (1.0, true), (1.0000001, false)] {
        assert_eq!(Everything { ratio, ..everything() }.verify().is_ok(), sound, "{ratio}");
    }
}

#[test]
fn a_broken_invariant_is_named_with_its_path_and_values() {
    let broken = Everything { desk: Desk { low: 5, high: 1, ..everything().desk }, ..everything() };
    let [error] = &broken.verify().unwrap_err()[..] else { panic!("one invariant") };
    assert_eq!(error.path, "desk");
    assert_eq!(error.bound, Bound::Invariant("self.low <= self.high".into()));
    assert_eq!(error.to_string(), "desk: `self.low <= self.high` does not hold: low is 5, high is 1");
}

#[derive(PromotionSafe)]
#[knhk(sector = "orders", invariant = "Orders::is_sorted", invariant = "100 / self.divisor > 0")]
struct Orders<'a> {
    #[knhk(min = 1)]
    divisor: i64,
    steps: Vec<i64>,
    venue: &'a str,
    #[knhk(bytes)]
    token: &'a [u8],
}

impl Orders<'_> {
    fn is_sorted(&self) -> bool {
        self.steps.is_sorted()
    }
}

#[test]
fn invariants_are_asked_of_sound_fields_alone() {
    let orders = |divisor, steps| Orders { divisor, steps, venue: "XLON", token: &[1] };
    assert!(orders(1, vec![1, 2]).verify().is_ok());
    let told = |orders: Orders<'_>| {
        orders.verify().unwrap_err().iter().map(FieldError::to_string).collect::<Vec<_>>().join("; ")
    };
    assert_eq!(told(orders(1, vec![2, 1])), "`Orders::is_sorted` does not hold");
    assert_eq!(told(orders(101, vec![])), "`100 / self.divisor > 0` does not hold: divisor is 101");
    assert_eq!(told(orders(0, vec![2, 1])), "divisor is 0, below its minimum 1", "no division by zero");
}

#[test]
fn a_struct_that_borrows_is_promoted() {
    let engine = engine("orders");
    let venue = String::from("XLON");
    engine.promote(&Orders { divisor: 1, steps: vec![], venue: &venue, token: &[7] }, Origin::default()).unwrap();
    let keys = engine.keys_of::<Orders<'_>>().unwrap();
    drop(venue);
    let reader = engine.register_reader(ReaderOptions::default()).unwrap();
    let view = reader.view();
    assert_eq!((keys.venue.get(&view), keys.token.get(&view)), (Some("XLON"), Some(&[7][..])));
}

#[test]
fn what_is_refused_changes_nothing_and_is_told_by_path() {
    let engine = engine("everything");
    engine.promote(&everything(), Origin::default()).unwrap();
    let before = engine.version();
    let refused = engine.promote(&Everything { max_qty: 0, ..everything() }, Origin::default()).unwrap_err();
    assert_eq!((refused.status(), refused.stage(), refused.item()), (Status::Document, "check", "max_qty"));
    assert_eq!(refused.message(), "max_qty is 0 lots, below its minimum 1 lots");
    assert_eq!((engine.version(), engine.stats().refused), (before, 1));
    assert_eq!(engine.promoted::<Everything>().unwrap(), everything());
}

#[test]
fn a_foreign_document_is_read_strictly() {
    let read = |json: &str| {
        let engine = engine("everything");
        let text = everything().document().unwrap().to_json();
        let mut document: serde_json::Value = serde_json::from_str(&text).unwrap();
        let patch: serde_json::Value = serde_json::from_str(json).unwrap();
        for (name, value) in patch.as_object().unwrap() {
            match value {
                serde_json::Value::Null => _ = document.as_object_mut().unwrap().remove(name),
                value => document[name] = value.clone(),
            }
        }
        engine.promote_json("everything", &document.to_string(), Origin::default()).unwrap();
        engine.promoted::<Everything>()
    };
    let told = |json| read(json).unwrap_err().message().to_owned();
    assert_eq!(read(r#"{"new_in_a_later_release": 1}"#).unwrap(), everything());
    assert_eq!(told(r#"{"open": null}"#), "open is absent");
    assert_eq!(told(r#"{"open": 1}"#), "open is i64, which is not of type bool");
    assert_eq!(told(r#"{"desk": 1}"#), "desk/low is absent");
    assert_eq!(told(r#"{"venues": [1]}"#), "venues is list<i64>, which is not of type list<string>");
    assert_eq!(told(r#"{"by_tenant": {"acme": "much"}}"#), "by_tenant/acme is string, which is not of type i64");
    assert_eq!(told(r#"{"port": 65536}"#), "port is 65536, which is beyond u16");
    assert_eq!(told(r#"{"tiny": -129}"#), "tiny is -129, which is beyond i8");
    assert_eq!(told(r#"{"max_qty": 9000}"#), "max_qty is 9000 lots, above its maximum 5000 lots");
}

#[test]
fn reading_needs_a_promotion_and_a_sector() {
    let engine = engine("everything");
    assert_eq!(engine.promoted::<Everything>().unwrap_err().status(), Status::NotReady);
    let elsewhere = Orders { divisor: 1, steps: vec![], venue: "", token: &[] };
    assert_eq!(engine.promote(&elsewhere, Origin::default()).unwrap_err().status(), Status::NotFound);
    engine.close();
    assert_eq!(engine.promote(&everything(), Origin::default()).unwrap_err().status(), Status::Closed);
}

#[test]
fn keys_of_fields_read_what_was_promoted() {
    let engine = engine("everything");
    engine.promote(&everything(), Origin::default()).unwrap();
    let keys: Keys<Everything> = engine.keys_of::<Everything>().unwrap();
    assert!(keys.note.is_none() && keys.shadow.is_none(), "the sector does not know these names yet");
    let reader = engine.register_reader(ReaderOptions::default()).unwrap();
    let view = reader.view();
    let value = everything();
    assert_eq!(keys.open.get(&view, false), value.open);
    assert_eq!(keys.max_qty.get(&view, 0), value.max_qty);
    assert_eq!(keys.port.get(&view, 0), i64::from(value.port));
    assert_eq!(keys.ratio.get(&view, 0.0), value.ratio);
    assert_eq!(keys.max_rate.unwrap().get(&view, 0.0), 2.0);
    assert_eq!(keys.phase.get(&view), Some("auction"));
    assert_eq!(keys.token.get(&view), Some(&value.token[..]));
    assert_eq!(keys.flags.get(&view).unwrap().collect::<Vec<_>>(), value.flags);
    assert_eq!(keys.ladder.get(&view).unwrap(), [-3, 0, 3]);
    assert_eq!(keys.weights.get(&view).unwrap(), value.weights);
    assert_eq!(keys.venues.get(&view).unwrap().collect::<Vec<_>>(), value.venues);
    assert_eq!(keys.tokens.get(&view).unwrap().collect::<Vec<_>>(), value.tokens);
    assert_eq!(keys.desk.inner.text.get(&view), Some("deep"));
    let acme = keys.by_tenant.lookup(&view, "acme").unwrap();
    assert_eq!(view.get_i64(acme, 0), 5);
    assert!(keys.by_tenant.lookup(&view, "nobody").is_none());
}

#[test]
fn ranges_guard_the_promotions_of_others() {
    let engine = engine("everything");
    engine.promote(&everything(), Origin::default()).unwrap();
    let text = engine.export_json("everything", None).unwrap();
    let beyond = text.replace("1000", "9000");
    assert_ne!(beyond, text);
    let refused = engine.promote_json("everything", &beyond, Origin::default()).unwrap_err();
    assert_eq!((refused.status(), refused.item()), (Status::Document, "max_qty"));
}

#[test]
fn declared_values_hold_until_the_first_promotion() {
    #[derive(PromotionSafe)]
    #[knhk(sector = "orders")]
    struct Limits {
        max_qty: i64,
    }

    let engine = engine("orders");
    engine.declare(&Limits { max_qty: 10 }).unwrap();
    let keys = engine.keys_of::<Limits>().unwrap();
    let reader = engine.register_reader(ReaderOptions::default()).unwrap();
    let declared = keys.max_qty.try_get(&reader.view(), 0);
    engine.promote(&Limits { max_qty: 1000 }, Origin::default()).unwrap();
    let promoted = keys.max_qty.try_get(&reader.view(), 0);
    assert_eq!((declared.0, promoted.0), (10, 1000));
    assert_eq!((declared.1, promoted.1), (knhk_engine::Reason::NotReady, knhk_engine::Reason::Present));
}

mod renamed {
    /// Where a crate is re-exported under another name, the attribute says so.
    pub mod elsewhere {
        pub use knhk_engine as engine;
    }

    #[derive(elsewhere::engine::PromotionSafe)]
    #[knhk(sector = "orders", crate = "elsewhere::engine")]
    pub struct Limits {
        pub max_qty: i64,
    }
}

#[test]
fn the_crate_can_be_elsewhere() {
    let engine = engine("orders");
    engine.promote(&renamed::Limits { max_qty: 1 }, Origin::default()).unwrap();
    assert_eq!(engine.promoted::<renamed::Limits>().unwrap().max_qty, 1);
}

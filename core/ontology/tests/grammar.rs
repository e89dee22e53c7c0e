//! What a document may say, and what it is told when it says something else.

use knhk_hot::artifact::Value;
use knhk_ontology::{Document, DocumentError, DocumentErrorKind as Kind, Limits, ValueType};

fn parse(json: &str) -> Result<Document, DocumentError> {
    Document::parse(json, &Limits::default())
}

#[test]
fn every_kind_of_value_is_read() {
    let document = parse(
        r#"{
            "a": {"b": true, "i": -9223372036854775808, "f": 1.0, "e": 1e3, "s": "gr\u00fc\u00dfe", "y": {"$bytes": "AP8="}},
            "lists": {"b": [true, false], "i": [1, 2], "f": [1.0, -0.0], "s": ["", "x"], "y": [{"$bytes": ""}, {"$bytes": "AQ=="}],
                      "none": {"$value": [], "$type": "list<string>"}, "mixed": {"$type": "list<f64>", "$value": [1, 2.5]}},
            "max_qty": {"$value": 1000, "$min": 1, "$max": 5000, "$unit": "lots", "$doc": "most lots of an order", "$default": 10},
            "mode": {"$default": "safe", "$enum": ["safe", "fast"]},
            "ratio": {"$value": 2, "$type": "f64", "$max": 9},
            "empty": {},
            "$classes": {"Dog": ["Animal", "Pet"], "Animal": [], "Pet": []}
        }"#,
    )
    .expect("the document keeps the grammar");
    let value = |path: &str| document.get(path).unwrap_or_else(|| panic!("{path} is there")).value;
    assert_eq!(value("a/b"), Value::Bool(true));
    assert_eq!(value("a/i"), Value::I64(i64::MIN));
    assert_eq!(value("a/f"), Value::F64(1.0));
    assert_eq!(value("a/e"), Value::F64(1000.0));
    assert_eq!(value("a/s"), Value::Str("grüße"));
    assert_eq!(value("a/y"), Value::Bytes(&[0, 255]));
    assert_eq!(value("lists/b"), Value::ListBool(&[true, false]));
    assert_eq!(value("lists/i"), Value::ListI64(&[1, 2]));
    assert!(matches!(value("lists/f"), Value::ListF64([1.0, zero]) if zero.is_sign_negative()));
    assert_eq!(value("lists/s"), Value::ListStr(vec!["", "x"]));
    assert_eq!(value("lists/y"), Value::ListBytes(vec![&[][..], &[1][..]]));
    assert_eq!(value("lists/none"), Value::ListStr(vec![]));
    assert_eq!(value("lists/mixed"), Value::ListF64(&[1.0, 2.5]));
    assert_eq!(value("ratio"), Value::F64(2.0));
    assert_eq!(value("empty"), Value::Map);
    assert_eq!(value("$classes/Dog"), Value::Class { number: 0, ancestors: vec![0, 1, 2] });
    assert_eq!(document.classes().next(), Some(("Dog", vec!["Animal", "Pet"])));

    let leaf = document.get("max_qty").expect("it is there");
    assert_eq!((leaf.unit, leaf.default.clone()), (Some("lots"), Some(Value::I64(10))));
    assert_eq!(leaf.to_string(), "1000 lots   (1 … 5000)");
    let mode = document.get("mode").expect("it is there");
    assert_eq!((mode.has_value, mode.to_string()), (false, "safe   (one of [safe, fast]; default)".into()));
    assert_eq!(document.leaves().filter(|leaf| leaf.value_type == ValueType::Class).count(), 3);
    assert_eq!(parse(&document.to_json()), Ok(document));
}

/// Each document is refused, at the path and for the reason given.
#[test]
fn what_is_refused_names_the_path_and_the_way_out() {
    let cases = [
        (r#"[]"#, "", "a document is an object"),
        (r#"5"#, "", "a document is an object"),
        ("\u{feff}{}", "", "byte order mark"),
        (r#""#, "", "not JSON"),
        (r#"{} x"#, "", "trailing"),
        (r#"{"a": {"b": }}"#, "a/b", "not JSON"),
        (r#"{"a": 1"#, "a", "not JSON"),
        (r#"{"a": {"b": null}}"#, "a/b", "is null"),
        (r#"{"a/b": 1}"#, "", "nest objects"),
        (r#"{"x": {"a/b": 1}}"#, "x", "nest objects"),
        (r#"{"": 1}"#, "", "empty name"),
        (r#"{"a\u0000": 1}"#, "", "NUL"),
        (r#"{"a": "x\u0000"}"#, "a", "NUL"),
        (r#"{"a": "\ud800"}"#, "a", "not JSON"),
        (r#"{"a": 1, "a": 2}"#, "a", "twice"),
        (r#"{"a": 1, "\u0061": 2}"#, "a", "twice"),
        (r#"{"a": {"$value": 1, "$value": 2}}"#, "a", "`$value` is there twice"),
        (r#"{"a": {"$vlaue": 1}}"#, "a", "`$vlaue` has no meaning"),
        (r#"{"a": {"$value": 1, "$x": 1}}"#, "a", "`$x` has no meaning"),
        (r#"{"$value": 1}"#, "", "does not belong here"),
        (r#"{"a": {"$value": 1, "b": 2}}"#, "a", "`b` does not belong here"),
        (r#"{"a": {"b": 2, "$value": 1}}"#, "a", "`$value` does not belong here"),
        (r#"{"a": {"$classes": {}}}"#, "a", "`$classes` does not belong here"),
        (r#"{"a": [1, "x"]}"#, "a", "element 1 is string"),
        (r#"{"a": [1, 1.5]}"#, "a", "as 1.0"),
        (r#"{"a": [1.5, 1]}"#, "a", "as 1.0"),
        (r#"{"a": [1, 1.5, true]}"#, "a", "element 1 is f64"),
        (r#"{"a": [[1]]}"#, "a", "a list in a list"),
        (r#"{"a": [{"b": 1}]}"#, "a", "an object"),
        (r#"{"a": [null]}"#, "a", "is null"),
        (r#"{"a": []}"#, "a", "list<i64>"),
        (r#"{"a": 9223372036854775808}"#, "a", "does not fit"),
        (r#"{"a": 18446744073709551616}"#, "a", "18446744073709551616 does not fit"),
        (r#"{"a": -9223372036854775809}"#, "a", "-9223372036854775809 does not fit"),
        (r#"{"s": "12 \" 3", "b": [1, 2.5e1], "a": -9223372036854775809}"#, "b", "element 1"),
        (r#"{"s": "12 \" 3", "b": [1, 2], "c": -1e99, "a": -9223372036854775809}"#, "a", "-9223372036854775809"),
        (r#"{"a": 1e400}"#, "a", "not JSON: number out of range"),
        (r#"{"a": NaN}"#, "a", "not JSON"),
        (r#"{"a": 01}"#, "a", "not JSON"),
        (r#"{"a": {"$bytes": "?"}}"#, "a", "base64"),
        (r#"{"a": {"$bytes": "AA"}}"#, "a", "base64"),
        (r#"{"a": {"$bytes": 5}}"#, "a", "`$bytes` must be a string"),
        (r#"{"a": {"$bytes": "AA==", "$doc": "x"}}"#, "a", "stands alone"),
        (r#"{"a": {"$doc": "x"}}"#, "a", "neither $value nor $default"),
        (r#"{"a": {"$value": 1, "$unit": 5}}"#, "a", "`$unit` must be a string"),
        (r#"{"a": {"$value": 1, "$type": "int"}}"#, "a", "list<…>"),
        (r#"{"a": {"$value": 1, "$type": "map"}}"#, "a", "no value of type"),
        (r#"{"a": {"$value": 1.5, "$type": "i64"}}"#, "a", "`$value` is f64"),
        (r#"{"a": {"$value": 9007199254740993, "$type": "f64"}}"#, "a", "no exact double"),
        (r#"{"a": {"$value": 9223372036854775807, "$type": "f64"}}"#, "a", "no exact double"),
        (r#"{"a": {"$value": 1, "$default": 1.5}}"#, "a", "`$default` is f64"),
        (r#"{"a": {"$value": "x", "$min": 1}}"#, "a", "use `$enum`"),
        (r#"{"a": {"$value": 1, "$min": 2, "$max": 1}}"#, "a", "above"),
        (r#"{"a": {"$value": 0, "$min": 1, "$max": 5}}"#, "a", "`$value` 0 is outside 1 … 5"),
        (r#"{"a": {"$value": 3, "$max": 5, "$default": 6}}"#, "a", "`$default` 6 is outside ≤ 5"),
        (r#"{"a": {"$value": [1, 9], "$max": 5}}"#, "a", "9 is outside"),
        (r#"{"a": {"$value": "z", "$enum": ["x", "y"]}}"#, "a", "z is not one of [x, y]"),
        (r#"{"a": {"$value": 1, "$enum": []}}"#, "a", "`$enum` is empty"),
        (r#"{"a": {"$value": {"b": 1}}}"#, "a", "an object"),
        (r#"{"$classes": {"A": "B"}}"#, "$classes/A", "list of class names"),
        (r#"{"$classes": {"A": ["B"]}}"#, "$classes/A", "\"B\" is not among"),
        (r#"{"$classes": {"A": ["B", "B"], "B": []}}"#, "$classes/A", "twice"),
        (r#"{"$classes": {"A": ["A"]}}"#, "$classes/A", "its own ancestor"),
        (r#"{"$classes": {"C": ["A"], "A": ["B"], "B": ["A"]}}"#, "$classes/A", "its own ancestor"),
        (r#"{"$classes": {}, "$classes": {}}"#, "$classes", "twice"),
        (r#"{"$classes": []}"#, "$classes", "not JSON"),
        (r#"{"$classes": {"$x": []}}"#, "$classes", "no meaning"),
    ];
    for (json, path, reason) in cases {
        match parse(json) {
            Ok(document) => panic!("{json} was taken for {document:?}"),
            Err(error) => {
                assert_eq!(error.path, path, "{json}: {error}");
                assert!(error.to_string().contains(reason), "{json}: {error:?} should speak of {reason:?}");
            }
        }
    }
    let not_utf8 = Document::parse(b"{\"a\": \"\xff\"}", &Limits::default());
    assert!(matches!(not_utf8.expect_err("it is no text").kind, Kind::NotUtf8 { at: 7 }));
}

#[test]
fn odd_but_right_documents_are_read() {
    let cases: [(&str, &str, Value<'static>); 10] = [
        (r#"{"a": -0}"#, "a", Value::I64(0)),
        (r#"{"a": 1e18}"#, "a", Value::F64(1e18)),
        (r#"{"a": 9223372036854775808.0}"#, "a", Value::F64(9_223_372_036_854_775_808.0)),
        (r#"{"a": 1e-400}"#, "a", Value::F64(0.0)),
        (r#"{"a": 5e-324}"#, "a", Value::F64(5e-324)),
        (r#"{"a": 0.1}"#, "a", Value::F64(0.1)),
        (r#"{"\ud83d\ude00": 1}"#, "😀", Value::I64(1)),
        (r#"{"a.b c": 1}"#, "a.b c", Value::I64(1)),
        (r#"{"a": {"$min": 0, "$value": 1.5}}"#, "a", Value::F64(1.5)),
        (r#"{"a": {"$value": [], "$default": [1]}}"#, "a", Value::ListI64(&[])),
    ];
    for (json, path, expected) in cases {
        let document = parse(json).unwrap_or_else(|error| panic!("{json}: {error}"));
        assert_eq!(document.get(path).map(|leaf| leaf.value), Some(expected), "{json}");
        assert_eq!(parse(&document.to_json()).as_ref(), Ok(&document), "{json}");
    }
    let zero = parse(r#"{"a": -0.0}"#).expect("a double");
    assert!(matches!(zero.get("a").map(|leaf| leaf.value), Some(Value::F64(zero)) if zero.is_sign_negative()));
}

#[test]
fn limits_are_held() {
    let too_large = |json: &str, limits: &Limits, expected: &str| match Document::parse(json, limits) {
        Err(DocumentError { kind: Kind::TooLarge { what, .. }, .. }) => assert_eq!(what, expected),
        other => panic!("{other:?} where there are too many {expected}"),
    };
    let mut limits = Limits::default();
    limits.depth = 3;
    assert!(Document::parse(r#"{"a": {"b": {"c": 1}}}"#, &limits).is_ok());
    too_large(r#"{"a": {"b": {"c": {"d": 1}}}}"#, &limits, "names on a path");
    limits = Limits::default();
    limits.keys = 2;
    assert!(Document::parse(r#"{"a": {"b": 1}}"#, &limits).is_ok());
    too_large(r#"{"a": {"b": 1, "c": 1}}"#, &limits, "keys");
    limits = Limits::default();
    limits.bytes = 8;
    too_large(r#"{"a":  1}"#, &limits, "bytes");
    limits = Limits::default();
    limits.string_bytes = 4;
    too_large(r#"{"a": "12345"}"#, &limits, "bytes in a string");
    limits.list_len = 2;
    too_large(r#"{"a": [1, 2, 3]}"#, &limits, "elements in a list");
    limits.name_bytes = 2;
    too_large(r#"{"abc": 1}"#, &limits, "bytes in a name");
    limits.classes = 1;
    too_large(r#"{"$classes": {"A": [], "B": []}}"#, &limits, "classes");
    let deep = format!("{}1{}", r#"{"a":"#.repeat(100_000), "}".repeat(100_000));
    too_large(&deep, &Limits::default(), "names on a path");
    let deep = format!("{{\"a\": {}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(parse(&deep).is_err());
    let mut limits = Limits::default();
    limits.depth = 1000;
    let deep = format!("{}1{}", r#"{"a":"#.repeat(64), "}".repeat(64));
    assert!(Document::parse(&deep, &limits).is_ok());
    let deep = format!("{}1{}", r#"{"a":"#.repeat(65), "}".repeat(65));
    too_large(&deep, &limits, "names on a path");
}

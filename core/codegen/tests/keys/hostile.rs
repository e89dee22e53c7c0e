//! Names and texts that nobody would choose, and that someone may hand in.

use knhk_codegen::{CodegenError, Language, generate};
use proptest::prelude::*;

use crate::world::{Program, repository, snapshot};

#[test]
fn names_that_collide_are_refused_with_both() {
    for (json, first, second, name) in [
        (r#"{"a": {"b": 1}, "a_b": 2}"#, "a/b", "a_b", "a_b"),
        (r#"{"x y": 1, "x-y": 2}"#, "x y", "x-y", "x_y"),
        (r#"{"$classes": {"lit": []}, "classes": {"lit": 1}}"#, "$classes/lit", "classes/lit", "classes_lit"),
    ] {
        for language in Language::ALL {
            let refused = generate(&snapshot("orders", json), language, &[]).unwrap_err();
            let expected = CodegenError::Collision {
                language: language.as_str(),
                name: name.into(),
                first: first.into(),
                second: second.into(),
            };
            assert_eq!(refused, expected);
        }
    }
    let refused = generate(&snapshot("orders", r#"{"union": 1, "union_": 2}"#), Language::C, &[]).unwrap_err();
    assert!(
        refused.to_string().contains(r#""union" and "union_" are both named union_ in c: rename one"#),
        "{refused}"
    );
    generate(&snapshot("orders", r#"{"union": 1, "union_": 2}"#), Language::Python, &[]).unwrap();
}

#[test]
fn nothing_to_name_is_said() {
    let refused = generate(&snapshot("orders", "{}"), Language::Rust, &[]).unwrap_err();
    assert_eq!(refused, CodegenError::Empty { sector: "orders".into() });
    let unknown = "cobol".parse::<Language>().unwrap_err().to_string();
    assert!(unknown.contains("choose c, cpp, rust, python or typescript"), "{unknown}");
    assert!(Language::ALL.iter().all(|language| language.as_str().parse() == Ok(*language)));
}

/// Compiles the C and C++ of a snapshot and parses the Python; at random only the C, where names may collide, since C++ takes long.
fn compiles(json: &str, random: bool) -> Result<(), String> {
    let include = format!("-I{}", repository("include").display());
    let snapshot = snapshot("7-up", json);
    let compilers =
        [(Language::C, "program.c", ["gcc", "-std=c11"]), (Language::Cpp, "program.cpp", ["g++", "-std=c++17"])];
    for (language, file, compiler) in compilers.into_iter().take(if random { 1 } else { 2 }) {
        match generate(&snapshot, language, &[]) {
            Err(CodegenError::Collision { .. }) if random => continue,
            generated => _ = generated.unwrap(),
        }
        let program = Program::with(&snapshot, language);
        let compiler = [&compiler[..], &["-fsyntax-only", "-Wall", "-Wextra", "-Werror", &include]].concat();
        let source = format!("#include \"{}\"\n", language.file_name("7-up"));
        if let Some(said) = program.refused(file, &source, &compiler) {
            return Err(format!("{said}\n{}", generate(&snapshot, language, &[]).unwrap()));
        }
    }
    if generate(&snapshot, Language::Python, &[]).is_ok() {
        let program = Program::with(&snapshot, Language::Python);
        let source = "import ast, sys\nast.parse(open('7_up_keys.py').read())\n";
        if let Some(said) = program.refused("check.py", source, &["python3"]) {
            return Err(format!("{said}\n{}", generate(&snapshot, Language::Python, &[]).unwrap()));
        }
    }
    Ok(())
}

#[test]
fn comments_and_strings_cannot_be_left() {
    let json = r#"{
        "x*": {" int x; ": 0}, "a*": {"b": {"$value": 1, "$doc": "*/ #error left\n/* \\\n??/", "$unit": "*/"}},
        "\"); system(\"": 2, "c??)d": 3, "\\y": 4, "é\u202e": {"$value": 5, "$doc": "\u202e reversed \u2028 line"},
        "errno": 6, "NULL": 7, "class": 8, "linux": 9, "__init__": 10, "keys": 11, "engine": 12, "self": 13, "0": 14
    }"#;
    compiles(json, false).unwrap();
    let text = generate(&snapshot("orders", json), Language::Python, &[]).unwrap();
    assert!(text.contains("U+202E reversed") && !text.contains('\u{202e}'), "{text}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_names_compile(names in prop::collection::btree_set("[^/$\u{0}]{1,6}", 1..20), doc in "\\PC{0,20}") {
        let quoted = |text: &str| knhk_ontology::literal_text(&knhk_hot::artifact::Value::Str(text));
        let json = |text: &str| { let text = quoted(text); if text.starts_with('"') { text } else { format!("\"{text}\"") } };
        let leaves: Vec<String> =
            names.iter().map(|name| format!("{}: {{\"$value\": 1, \"$doc\": {}}}", json(name), json(&doc))).collect();
        let text = format!("{{{}}}", leaves.join(", "));
        if knhk_ontology::Document::parse(text.as_bytes(), &knhk_ontology::Limits::default()).is_ok() {
            prop_assert_eq!(compiles(&text, true), Ok(()));
        }
    }
}

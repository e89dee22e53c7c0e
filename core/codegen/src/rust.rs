//! Rust: a struct of `knhk_engine::Key<T>`.

use std::fmt::Write;

use knhk_ontology::ValueType;

use crate::Language;
use crate::keys::{Key, Keys};
use crate::text::{line_comment, rust_string};

pub(crate) fn write(keys: &Keys<'_>) -> String {
    let name = format!("{}Keys", keys.type_name());
    let mut out = String::new();
    line_comment(&mut out, "//", &keys.origin(Language::Rust));
    _ = write!(
        out,
        "\n/// The keys of sector `{}`.\n#[derive(Clone, Copy, Debug)]\n#[allow(dead_code, non_snake_case)]\npub struct {name} {{\n",
        keys.sector
    );
    for Key { name, value_type, doc, .. } in &keys.keys {
        let escaped: Vec<String> = doc.iter().map(|line| line.replace('[', "\\[").replace('<', "\\<")).collect();
        line_comment(&mut out, "    ///", &escaped);
        _ = writeln!(out, "    pub {name}: knhk_engine::Key<{}>,", rust_type(*value_type));
    }
    _ = write!(
        out,
        "}}\n\nimpl {name} {{\n    /// Interns them, once; they are valid for the engine's life.\n    ///\n    /// # Errors\n    \
         /// As `knhk_engine::Engine::intern`.\n    \
         pub fn intern(engine: &knhk_engine::Engine) -> Result<{name}, knhk_engine::Error> {{\n        Ok({name} {{\n"
    );
    let sector = rust_string(keys.sector);
    for Key { name, path, .. } in &keys.keys {
        _ = writeln!(out, "            {name}: engine.key_of({sector}, {})?,", rust_string(path));
    }
    out += "        })\n    }\n}\n";
    out
}

fn rust_type(value_type: ValueType) -> &'static str {
    match value_type {
        ValueType::Bool => "bool",
        ValueType::I64 => "i64",
        ValueType::F64 => "f64",
        ValueType::Str => "str",
        ValueType::Bytes => "[u8]",
        ValueType::ListBool => "[bool]",
        ValueType::ListI64 => "[i64]",
        ValueType::ListF64 => "[f64]",
        ValueType::ListStr => "[String]",
        ValueType::ListBytes => "[Vec<u8>]",
        ValueType::Class => "knhk_engine::Class",
        _ => "knhk_engine::Map",
    }
}

//! C: a header with a struct of keys whose C types carry the values' types.

use std::fmt::Write;

use knhk_ontology::ValueType;

use crate::Language;
use crate::keys::{Key, Keys};
use crate::text::{block_comment, c_string};

/// What every generated header brings, once: without it a retyped key would still compile, since a plain key has no type.
const TYPES: &str = include_str!("typed.h");

pub(crate) fn write(keys: &Keys<'_>) -> String {
    let stem = keys.stem();
    let guard = format!("KNHK_KEYS_{}_H", stem.to_ascii_uppercase());
    let mut out = String::new();
    block_comment(&mut out, "", &keys.origin(Language::C));
    _ = write!(out, "#ifndef {guard}\n#define {guard}\n\n#include <knhk.h>\n\n{TYPES}\n");
    _ = writeln!(out, "/** The keys of sector {}. */\ntypedef struct {stem}_keys {{", keys.sector);
    for Key { name, value_type, doc, .. } in &keys.keys {
        block_comment(&mut out, "    ", doc);
        _ = writeln!(out, "    knhk_typed_{}_t {name};", short(*value_type));
    }
    _ = write!(
        out,
        "}} {stem}_keys_t;\n\n\
         /**\n * Interns the keys of sector {}, once; they are valid for the engine's life. Any thread.\n\
         \x20* Returns KNHK_OK; else as knhk_key, and `keys` is as it was.\n */\n\
         static inline knhk_status_t {stem}_keys_intern(knhk_engine_t *engine, {stem}_keys_t *keys, knhk_error_t **err)\n{{\n\
         \x20   {stem}_keys_t made;\n    knhk_status_t status;\n",
        keys.sector
    );
    for Key { name, path, value_type, .. } in &keys.keys {
        let (sector, path) = (c_string(keys.sector), c_string(path));
        let intern = format!("knhk_key(engine, {sector}, {path}, {}, &made.{name}.raw, err)", constant(*value_type));
        _ = write!(out, "    status = {intern};\n    if (status != KNHK_OK)\n        return status;\n");
    }
    _ = write!(out, "    *keys = made;\n    return KNHK_OK;\n}}\n\n#endif\n");
    out
}

fn short(value_type: ValueType) -> &'static str {
    match value_type {
        ValueType::Bool => "bool",
        ValueType::I64 => "i64",
        ValueType::F64 => "f64",
        ValueType::Str => "str",
        ValueType::Bytes => "bytes",
        ValueType::ListBool => "list_bool",
        ValueType::ListI64 => "list_i64",
        ValueType::ListF64 => "list_f64",
        ValueType::ListStr => "list_str",
        ValueType::ListBytes => "list_bytes",
        ValueType::Class => "class",
        _ => "map",
    }
}

fn constant(value_type: ValueType) -> String {
    format!("KNHK_{}", short(value_type).to_ascii_uppercase())
}

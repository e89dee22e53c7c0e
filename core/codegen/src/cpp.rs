//! C++: a struct of `knhk::key<T>`.

use std::fmt::Write;

use knhk_ontology::ValueType;

use crate::Language;
use crate::keys::{Key, Keys};
use crate::text::{block_comment, c_string};

pub(crate) fn write(keys: &Keys<'_>) -> String {
    let stem = keys.stem();
    let mut out = String::new();
    block_comment(&mut out, "", &keys.origin(Language::Cpp));
    out += "#pragma once\n\n#include <cstdint>\n#include <string_view>\n\n#include <knhk.hpp>\n\n";
    _ = write!(
        out,
        "namespace {stem}_keys {{\n\n/** The keys of sector {}, interned when it is made. */\nstruct keys {{\n",
        keys.sector
    );
    let mut made = Vec::new();
    for Key { name, path, value_type, doc } in &keys.keys {
        block_comment(&mut out, "    ", doc);
        match cpp_type(*value_type) {
            Some(value) => {
                _ = writeln!(out, "    knhk::key<{value}> {name};");
                made.push(format!("{name}(engine.key<{value}>({}, {}))", c_string(keys.sector), c_string(path)));
            }
            None => _ = writeln!(out, "    // A {value_type} has no key of its own in C++: intern it with knhk_key."),
        }
    }
    let initialized =
        if made.is_empty() { String::new() } else { format!("\n        : {}", made.join(",\n          ")) };
    _ = write!(
        out,
        "\n    /** Interns them, once; they are valid for the engine's life. Throws knhk::error as engine::key does. */\n    \
         explicit keys([[maybe_unused]] knhk::engine &engine){initialized}\n    {{\n    }}\n}};\n\n}} // namespace {stem}_keys\n"
    );
    out
}

fn cpp_type(value_type: ValueType) -> Option<&'static str> {
    Some(match value_type {
        ValueType::Bool => "bool",
        ValueType::I64 => "std::int64_t",
        ValueType::F64 => "double",
        ValueType::Str => "std::string_view",
        ValueType::Bytes => "knhk::bytes",
        ValueType::ListBool => "knhk::list<bool>",
        ValueType::ListI64 => "knhk::list<std::int64_t>",
        ValueType::ListF64 => "knhk::list<double>",
        ValueType::ListStr => "knhk::string_list",
        ValueType::ListBytes => return None,
        ValueType::Class => "knhk::class_type",
        _ => "knhk::map",
    })
}

//! Python: a class with slots, so that a misspelt key is an error of the type checker, and of the program where it is read.

use std::fmt::Write;

use knhk_ontology::ValueType;

use crate::Language;
use crate::keys::{Key, Keys};
use crate::text::{line_comment, python_string};

pub(crate) fn write(keys: &Keys<'_>) -> String {
    let name = format!("{}Keys", keys.type_name());
    let mut out = String::new();
    line_comment(&mut out, "#", &keys.origin(Language::Python));
    _ = write!(
        out,
        "from __future__ import annotations\n\nimport knhk\n\n\nclass {name}:\n    \
         \"\"\"The keys of sector `{}`, interned when it is made; valid for the engine's life.\"\"\"\n\n    __slots__ = (\n",
        keys.sector
    );
    keys.keys.iter().for_each(|key| _ = writeln!(out, "        \"{}\",", key.name));
    out += "    )\n\n";
    for Key { name, value_type, doc, .. } in &keys.keys {
        line_comment(&mut out, "    #:", doc);
        _ = writeln!(out, "    {name}: knhk.Key[{}]", python_type(*value_type));
    }
    _ = write!(
        out,
        "\n    def __init__(self, engine: knhk.Engine) -> None:\n        sector = engine.sector({})\n",
        python_string(keys.sector)
    );
    for Key { name, path, value_type, .. } in &keys.keys {
        let path = python_string(path);
        _ = writeln!(out, "        self.{name} = sector.key({path}, \"{}\")", value_type.as_str());
    }
    out
}

fn python_type(value_type: ValueType) -> &'static str {
    match value_type {
        ValueType::Bool => "bool",
        ValueType::I64 => "int",
        ValueType::F64 => "float",
        ValueType::Str => "str",
        ValueType::Bytes => "bytes",
        ValueType::ListBool => "list[bool]",
        ValueType::ListI64 => "list[int]",
        ValueType::ListF64 => "list[float]",
        ValueType::ListStr => "list[str]",
        ValueType::ListBytes => "list[bytes]",
        ValueType::Class => "object",
        _ => "knhk.Map",
    }
}

//! TypeScript: an interface of `Key<T>` and a function that interns them.

use std::fmt::Write;

use crate::Language;
use crate::keys::{Key, Keys};
use crate::text::{block_comment, line_comment, typescript_string};

pub(crate) fn write(keys: &Keys<'_>) -> String {
    let name = format!("{}Keys", keys.type_name());
    let mut function = name.clone();
    function[..1].make_ascii_lowercase();
    let mut out = String::new();
    line_comment(&mut out, "//", &keys.origin(Language::TypeScript));
    _ = write!(
        out,
        "\nimport type {{ Engine, Key }} from 'knhk';\n\n/** The keys of sector `{}`. */\nexport interface {name} {{\n",
        keys.sector
    );
    for Key { name, value_type, doc, .. } in &keys.keys {
        block_comment(&mut out, "  ", doc);
        _ = writeln!(out, "  readonly {name}: Key<'{value_type}'>;");
    }
    _ = write!(
        out,
        "}}\n\n/**\n * Interns them, once; they are valid for the engine's life.\n *\n * @throws KnhkError as `Sector.key` does.\n */\n\
         export function {function}(engine: Engine): {name} {{\n  const sector = engine.sector({});\n  return {{\n",
        typescript_string(keys.sector)
    );
    for Key { name, path, value_type, .. } in &keys.keys {
        _ = writeln!(out, "    {name}: sector.key({}, '{value_type}'),", typescript_string(path));
    }
    out += "  };\n}\n";
    out
}

//! Snapshots to generate from, and compilers to compile with.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use knhk_codegen::{Language, generate};
use knhk_ontology::{Core, Document, Limits, Snapshot};

/// One key of each type, nested, with all that can be said of one.
pub const EVERYTHING: &str = r#"{
  "open": {"$value": true, "$doc": "No order is admitted while this is off."},
  "max_qty": {"$value": 1000, "$min": 1, "$max": 5000, "$unit": "lots", "$doc": "The largest order.\nSecond line."},
  "collar": {"$value": 0.5, "$default": 0.1},
  "name": {"$value": "desk", "$enum": ["desk", "floor"]},
  "seal": {"$bytes": "AP8="},
  "flags": [true, false], "steps": [1, 2], "weights": [0.5], "venues": ["XLON"],
  "seals": {"$type": "list<bytes>", "$value": []},
  "tenants": {"acme": 600, "birch-eu": 400},
  "$classes": {"tradable": [], "lit": ["tradable"]}
}"#;

pub fn snapshot(sector: &str, json: &str) -> Snapshot {
    let nothing = Snapshot::empty(sector, &Core::shipped(), &Limits::default());
    let document = Document::parse(json.as_bytes(), &Limits::default()).unwrap();
    nothing.apply(&nothing.change_to(&document).unwrap()).unwrap()
}

/// The keys of a sector, written where a program can include them.
pub struct Program {
    folder: tempfile::TempDir,
}

impl Program {
    pub fn with(snapshot: &Snapshot, language: Language) -> Program {
        let folder = tempfile::tempdir().unwrap();
        let name = language.file_name(snapshot.namespace().sector());
        fs::write(folder.path().join(name), generate(snapshot, language, &[]).unwrap()).unwrap();
        Program { folder }
    }

    pub fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What a compiler says of a program beside the keys; none: it compiles.
    pub fn refused(&self, name: &str, source: &str, compiler: &[&str]) -> Option<String> {
        fs::write(self.at(name), source).unwrap();
        let mut command = Command::new(compiler[0]);
        command.args(&compiler[1..]).arg(self.at(name)).current_dir(self.folder.path());
        let done = command.output().unwrap_or_else(|error| panic!("{} cannot be run: {error}", compiler[0]));
        let said = [done.stdout, done.stderr].concat();
        (!done.status.success()).then(|| String::from_utf8_lossy(&said).into_owned())
    }
}

/// A folder of the repository.
pub fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

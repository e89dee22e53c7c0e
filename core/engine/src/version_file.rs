//! A version's file: a line of JSON about it, then its statements as canonical N-Triples. Of a file of format 1, a document.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use knhk_ontology::{Document, KeyTable, Limits, Snapshot, compile_snapshot};
use knhk_promotion::{Origin, Version};
use serde_json::{Value, json};

/// The format of versions that hold statements.
const STATEMENTS: u64 = 2;

/// What stands in a version's file.
pub(crate) fn bytes(version: &Version) -> Vec<u8> {
    let about = json!({
        "format": STATEMENTS,
        "version": version.number,
        "snapshot_id": hex(&version.snapshot_id),
        "epoch": version.epoch,
        "time_ns": version.time_ns,
        "by": version.origin.by,
        "why": version.origin.why,
        "major": version.origin.major,
        "rollback_of": version.rollback_of,
    });
    let mut bytes = format!("{about}\n").into_bytes();
    bytes.extend(version.snapshot.own_lines());
    bytes
}

/// Reads a version's file, and checks that it is whole. What it has in common with `near`, another version of the sector, is kept once.
pub(crate) fn load(
    path: &Path,
    number: u64,
    near: Option<&Version>,
    empty: &Arc<Snapshot>,
    limits: &Limits,
    keys: &mut KeyTable,
) -> Result<Version, String> {
    let text = fs::read_to_string(path).map_err(|e| e.to_string())?;
    let (about, content) = text.split_once('\n').ok_or("it has no content")?;
    let about: Value = serde_json::from_str(about).map_err(|e| e.to_string())?;
    let base = near.map_or(empty, |near| &near.snapshot);
    let (snapshot, stated) = if about["format"].as_u64() == Some(STATEMENTS) {
        let snapshot = base.of_lines(content.as_bytes()).map_err(|e| e.to_string())?;
        let id = snapshot.id();
        (snapshot, id)
    } else {
        let document = Document::parse(content.as_bytes(), limits).map_err(|e| e.to_string())?;
        let change = empty.change_to(&document).map_err(|e| e.to_string())?;
        (empty.apply(&change).map_err(|e| e.to_string())?, document.format_1_id())
    };
    if about["snapshot_id"].as_str() != Some(&hex(&stated)) || about["version"].as_u64() != Some(number) {
        return Err("its content does not match its content address".into());
    }
    let compiled = compile_snapshot(&snapshot, keys, near.map(|near| &**near.artifact())).map_err(|e| e.to_string())?;
    let text = |name: &str| about[name].as_str().unwrap_or_default().to_owned();
    Ok(Version {
        number,
        snapshot_id: snapshot.id(),
        epoch: about["epoch"].as_u64().unwrap_or(0),
        time_ns: about["time_ns"].as_u64().unwrap_or(0),
        origin: Origin { by: text("by"), why: text("why"), major: about["major"].as_bool().unwrap_or(false) },
        rollback_of: about["rollback_of"].as_u64(),
        before: None,
        phases: Default::default(),
        snapshot: Arc::new(snapshot),
        compiled: Arc::new(compiled),
    })
}

fn hex(bytes: &[u8; 32]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

//! `include/knhk.h` is what the sources say: generated from them, committed, and compared here. `KNHK_WRITE=1 cargo test --test ffi header`
//! writes it.

use std::fs;
use std::path::{Path, PathBuf};

use cbindgen::{Builder, Config};

const OPENING: &str = r#"/* libknhk: governed values, read in a nanosecond. Generated from ffi/ by tests/ffi/header.rs: do not edit.
 *
 * What holds for every call, unless its comment says otherwise:
 * - Calls on an engine may be made from any thread at any time. Calls on a reader belong to the reader's thread.
 * - Strings passed in are UTF-8, NUL-terminated, read during the call and not kept. Slices are a pointer and a length; NULL is allowed where
 *   the length is 0.
 * - Outputs are written on success only. The program frees what a call hands out with the function named in its comment, and nothing else:
 *   never with free(). Freeing NULL does nothing.
 * - A call that can fail returns a knhk_status_t, 0 for success. Its last parameter is NULL, or where an error with a message is put
 *   on failure, which the program frees with knhk_error_free; it is not touched on success, and what is in it is never read.
 * - Any such call can return KNHK_NULL_ARGUMENT, KNHK_BAD_UTF8, KNHK_INVALID_ARGUMENT for a pointer that is no such handle, and on
 *   an engine KNHK_CLOSED, KNHK_FORKED in a child made by fork, and KNHK_PANIC once the library had a defect; reads go on then.
 * - A struct with a `struct_size` may grow at its end in later versions. In one that the program fills in, unused fields are 0.
 *
 * The whole of it in a minute:
 *
 *     knhk_engine_t *eng;
 *     knhk_error_t *err = NULL;
 *     if (knhk_engine_open(":memory:", NULL, &eng, &err)) die(knhk_error_message(err)); // or a folder
 *     knhk_sector_create(eng, "orders", KNHK_DIRECT, &err);
 *     knhk_promote_json(eng, "orders", "{\"max_qty\": {\"$value\": 1000, \"$max\": 5000}}", NULL, &err);
 *
 *     knhk_key_t max_qty; // once: a misspelt name fails here
 *     if (knhk_key(eng, "orders", "max_qty", KNHK_I64, &max_qty, &err)) die(knhk_error_message(err));
 *     knhk_reader_t *rd; // once per thread
 *     if (knhk_reader_register(eng, &rd, &err)) die(knhk_error_message(err));
 *
 *     for (int64_t qty = 999; qty <= 1001; qty++) {
 *         knhk_view_t v = knhk_read_begin(rd); // inline, about a nanosecond
 *         bool ok = qty <= knhk_get_i64(v, max_qty, 0);
 *         knhk_observe_i64(rd, v, max_qty, qty, ok ? KNHK_SUCCESS : KNHK_REJECTED); // inline, one cache line
 *         knhk_read_end(rd, v);
 *     }
 *     knhk_reader_unregister(rd, &err);
 *     knhk_engine_close(eng);
 */
#ifndef KNHK_H
#define KNHK_H

#include "knhk_inline.h"

#ifdef __cplusplus
extern "C" {
#endif

"#;

/// Handles whose insides are nobody's business.
const HANDLES: [(&str, &str); 33] = [
    ("engine", "An engine: see knhk_engine_open."),
    ("error", "An error: see knhk_error_message."),
    ("hold", "A generation that is kept: see knhk_snapshot_hold."),
    ("buffer", "Text or bytes: see knhk_buffer_data."),
    ("sector_list", "A list of sectors: see knhk_sectors."),
    ("key_list", "A list of keys: see knhk_keys."),
    ("version_list", "A list of versions: see knhk_history."),
    ("change_list", "A list of changes: see knhk_changes_since."),
    ("report", "A report: see knhk_report_at."),
    ("conflict_list", "A list of conflicts: see knhk_conflicts."),
    ("signer", "Who signs receipts: see knhk_signer_generate."),
    ("receipt_list", "A list of receipts: see knhk_receipts."),
    ("signing_key_list", "A list of keys: see knhk_signing_keys."),
    ("version_log_list", "A part of a sector's log: see knhk_version_log."),
    ("tag_list", "A list of tags: see knhk_tags."),
    ("series_list", "A list of aggregates: see knhk_aggregates."),
    ("objective_list", "A list of objectives: see knhk_objectives."),
    ("segment_list", "A list of segments: see knhk_segments."),
    ("scope", "What policies share: see knhk_scope_new."),
    ("policy", "A policy of resilience: see knhk_policy_new."),
    ("policy_list", "A list of policies: see knhk_policies."),
    ("checkpoints", "Checkpoints of components: see knhk_checkpoints_open."),
    ("checkpoint_list", "A list of checkpoints: see knhk_checkpoints_kept."),
    ("executor", "A warm executor: see knhk_executor_new."),
    ("task", "A task of an executor: see knhk_task_new."),
    ("ticket", "Stands for a run of a task: see knhk_task_submit."),
    ("channel", "An end of a channel: see knhk_channel_pair."),
    ("graph", "A graph of components: see knhk_graph_new."),
    ("graph_report", "How a start or a shutdown went: see knhk_graph_shutdown."),
    ("component_health_list", "A list of healths: see knhk_graph_health."),
    ("run", "What a callback sees of its run: see knhk_run_argument."),
    ("state_writer", "Where a component writes its state: see knhk_state_write."),
    ("answer", "Where a proposer writes its plan: see knhk_answer_write."),
];

const CLOSING: &str = "#ifdef __cplusplus\n}\n#endif\n\n#endif /* KNHK_H */\n";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The modules of `ffi/src` that are sections, in the header's order.
const SECTIONS: [&str; 60] = [
    "abi",
    "error",
    "signer",
    "options",
    "engine",
    "buffer",
    "json",
    "sector",
    "promote",
    "report",
    "knowledge",
    "history",
    "key",
    "reader",
    "read",
    "value",
    "lookup",
    "hold",
    "observe",
    "change",
    "log",
    "stats",
    "progress",
    "ledger",
    "verify",
    "keys",
    "versions",
    "backup",
    "observations",
    "segments",
    "resilience/scope",
    "resilience/parts",
    "resilience/policy",
    "resilience/switch",
    "resilience/calls",
    "resilience/retry",
    "resilience/hedge",
    "resilience/health",
    "resilience/governed",
    "resilience/checkpoints",
    "resilience/restored",
    "warm/notice",
    "warm/executor",
    "warm/task",
    "warm/channel",
    "warm/graph",
    "warm/graph_report",
    "governance/govern",
    "governance/proposals",
    "governance/approvals",
    "governance/doctrine",
    "governance/shadows",
    "governance/rollout",
    "governance/lineage",
    "governance/functions",
    "governance/stages",
    "autonomic/cycles",
    "autonomic/proposer",
    "autonomic/detector",
    "autonomic/hook",
];

fn sections() -> Vec<PathBuf> {
    SECTIONS.iter().map(|module| root().join(format!("ffi/src/{module}.rs"))).collect()
}

/// What cbindgen makes of the sources: items, each with its comment.
fn items(config: &Config) -> Vec<String> {
    let status = root().join("core/engine/src/status.rs");
    let builder = sections().into_iter().fold(Builder::new().with_src(status), Builder::with_src);
    let mut out = Vec::new();
    builder.with_config(config.clone()).generate().expect("cbindgen understands the sources").write(&mut out);
    let text = String::from_utf8(out).unwrap().replace("KNHK_STATUS_T_", "KNHK_");
    let text: String = text.lines().map(|line| format!("{}\n", uncommented(line))).collect();
    let blocks = text.split("\n\n").map(|block| block.trim_matches('\n').to_owned());
    let unwanted =
        |block: &str| block.is_empty() || block.contains("extern \"C\"") || block.contains("#define knhk_status_t_ALL");
    blocks.filter(|block| !unwanted(block)).map(|block| compact(&block)).collect()
}

/// C99 comments after preprocessor lines are cbindgen's own.
fn uncommented(line: &str) -> &str {
    if line.starts_with('#') { line.split(" //").next().unwrap_or(line) } else { line }
}

/// Comments of one line on one line.
fn compact(item: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in item.lines() {
        let single = line.trim() == "*/" && lines.len() > 1 && lines[lines.len() - 2].trim() == "/**";
        if single {
            let text = lines.pop().expect("checked above");
            let opening = lines.pop().expect("checked above");
            lines.push(format!("{opening} {} */", text.trim().trim_start_matches("* ")));
        } else {
            lines.push(line.to_owned());
        }
    }
    lines.join("\n")
}

/// The name that an item declares.
fn name(item: &str) -> String {
    let code = item.rsplit("*/").next().unwrap().trim_start();
    let word = |at: &str| at.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    for start in ["#define ", "enum ", "} knhk_"] {
        if let Some(rest) = item.lines().find_map(|line| line.strip_prefix(start)) {
            return if start.starts_with('}') { format!("knhk_{}", word(rest)) } else { word(rest) };
        }
    }
    let before = code.split('(').next().unwrap();
    word(&before[before.rfind(|c: char| !c.is_alphanumeric() && c != '_').map_or(0, |at| at + 1)..])
}

/// What inline code defines is declared where there is none.
fn guarded(item: &str, name: &str, inline: &str) -> String {
    let defined = inline.lines().any(|line| line.starts_with("KNHK_INLINE_") && line.contains(&format!("{name}(")));
    match item.split_once("*/\n") {
        Some((comment, declaration)) if defined => {
            format!("{comment}*/\n#ifdef KNHK_NO_INLINE\n{declaration}\n#endif")
        }
        _ => item.to_owned(),
    }
}

/// The opening comment of a source file as plain text.
fn title(source: &str) -> String {
    let lines = source.lines().map_while(|line| line.strip_prefix("//!")).map(|line| format!(" *{line}"));
    let text = lines.collect::<Vec<_>>().join("\n");
    format!(
        "/* ------------------------------------------------------------------------------------------------------------\n{text} */"
    )
}

/// The Rust name behind a C name.
fn rust_name(c_name: &str, config: &Config) -> String {
    config.export.rename.iter().find(|(_, to)| to.as_str() == c_name).map_or(c_name, |(from, _)| from).to_owned()
}

fn generated() -> String {
    let config = Config::from_file(root().join("ffi/cbindgen.toml")).unwrap();
    let mut items: Vec<(String, String)> = items(&config).into_iter().map(|item| (name(&item), item)).collect();
    let inline = fs::read_to_string(root().join("include/knhk_inline.h")).unwrap();
    let mut header = OPENING.to_owned();
    for (handle, what) in HANDLES {
        header.push_str(&format!("/* {what} */\ntypedef struct knhk_{handle} knhk_{handle}_t;\n"));
    }
    let status = items.iter().position(|(name, _)| name == "knhk_status_t").expect("the status is used");
    header.push_str(&format!("\n{}\n", items.remove(status).1));
    for path in sections() {
        let source = fs::read_to_string(&path).unwrap();
        let (here, rest): (Vec<_>, Vec<_>) = items.into_iter().partition(|(name, _)| {
            let name = rust_name(name, &config);
            ["struct", "union", "fn", "const"].iter().any(|kind| {
                let declared = format!("pub {kind} {name}");
                let function = format!("pub unsafe extern \"C\" {kind} {name}(");
                let safe = format!("pub extern \"C\" {kind} {name}(");
                source.lines().any(|line| {
                    line.strip_prefix(&declared)
                        .is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
                        || line.starts_with(&function)
                        || line.starts_with(&safe)
                })
            })
        });
        items = rest;
        header.push_str(&format!("\n{}\n", title(&source)));
        for (name, item) in here {
            header.push_str(&format!("\n{}\n", guarded(&item, &name, &inline)));
        }
    }
    assert!(items.is_empty(), "no section declares {:?}", items.iter().map(|(name, _)| name).collect::<Vec<_>>());
    header + "\n" + CLOSING
}

#[test]
fn the_header_is_fresh() {
    let path = root().join("include/knhk.h");
    let generated = generated();
    if std::env::var_os("KNHK_WRITE").is_some() {
        fs::write(&path, generated).unwrap();
        return;
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    let differs = committed.lines().zip(generated.lines()).position(|(a, b)| a != b);
    assert!(
        committed == generated,
        "include/knhk.h differs from the sources (line {:?}): KNHK_WRITE=1 cargo test --test ffi header",
        differs.map(|line| line + 1)
    );
}

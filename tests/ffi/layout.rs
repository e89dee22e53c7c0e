//! The layouts that C sees are those of Rust: a C program prints its sizes and offsets, and they are compared with the library's own.

use std::collections::BTreeMap;
use std::mem::{offset_of, size_of};
use std::process::Command;

use crate::support::{self, Link, compile, succeeded};
use knhk::autonomic::detector::{DetectorC, SampleC, ScoreC};
use knhk::autonomic::hook::HookC;
use knhk::autonomic::proposer::ProposerC;
use knhk::backup::RestoreOptionsC;
use knhk::change::{ChangeC, ChangeCallbackC};
use knhk::governance::functions::{FunctionC, QuestionC, WorkloadC};
use knhk::governance::stages::{StageC, StageCallbackC};
use knhk::history::{DifferenceC, VersionInfoC};
use knhk::key::KeyInfoC;
use knhk::keys::SigningKeyC;
use knhk::knowledge::{ConflictC, DeltaC};
use knhk::ledger::{ReceiptC, ReceiptQueryC};
use knhk::log::LogCallbackC;
use knhk::observations::{CountsC, FiguresC, ObjectiveC, ObserveStatsC, SeriesC};
use knhk::observe::{ObservationC, ValueC};
use knhk::options::{ObservationsOptionsC, OptionsC};
use knhk::progress::{ProgressC, ProgressCallbackC};
use knhk::promote::{PhasesC, PromoteOptionsC, PromotionC};
use knhk::reader::ReaderOptionsC;
use knhk::report::ResultC;
use knhk::resilience::calls::{AttemptC, PermitC, RefusalC};
use knhk::resilience::checkpoints::{CheckpointSettingsC, ComponentCallbackC, TakenC};
use knhk::resilience::governed::PolicyInfoC;
use knhk::resilience::health::{CheckCallbackC, ComponentC};
use knhk::resilience::hedge::HedgedC;
use knhk::resilience::parts::{LevelC, PolicyOptionsC, SettingC, StrategyC};
use knhk::resilience::policy::ParameterC;
use knhk::resilience::restored::{CheckpointC, RestoredC};
use knhk::resilience::retry::AttemptsC;
use knhk::resilience::scope::{CounterC, TransitionC, TransitionCallbackC};
use knhk::sector::SectorInfoC;
use knhk::segments::SegmentC;
use knhk::signer::SignCallbackC;
use knhk::stats::StatsC;
use knhk::value;
use knhk::verify::{VerifiedC, VerifyOptionsC};
use knhk::versions::{LogEntryC, TagC};
use knhk::warm::channel::FlowC;
use knhk::warm::executor::{ExecutorOptionsC, ExecutorStatsC};
use knhk::warm::graph::GraphCallbackC;
use knhk::warm::graph_report::{ComponentHealthC, FaredC};
use knhk::warm::notice::NoticeC;
use knhk::warm::task::{TaskCallbackC, TaskStatsC};
use knhk_hot::layout::{self, Outcome, Tag};
use knhk_hot::raw::Reason;

/// A struct's name in C, its size, and its fields with their offsets.
type Layout = (&'static str, usize, Vec<(&'static str, usize)>);

macro_rules! layouts {
    ($($name:literal $type:ty { $($field:ident)* })*) => {
        vec![$(($name, size_of::<$type>(), vec![$((stringify!($field), offset_of!($type, $field))),*])),*]
    };
}

fn layouts() -> Vec<Layout> {
    layouts! {
        "hot" layout::HotLine { gate root epoch cand_gate cand_root canary_limit canary_salt reserved }
        "reader" layout::ReaderLine { pin hot ring clock slow id reserved }
        "ring" layout::RingHeader { tail head_cache capacity records dropped head }
        "record" layout::Record { sequence time_ns epoch key value tag outcome subject detail }
        "descriptor" layout::Descriptor { snapshot_id artifact epoch limit reserved }
        "slot" layout::Slot { tag value }
        "span" layout::Span { offset len }
        "range" layout::Range { low high }
        "view" layout::RawView { root saved }
        "key" layout::Key {}
        "str" value::Str {}
        "bytes" value::Bytes {}
        "list_bool" value::ListBool {}
        "list_i64" value::ListI64 {}
        "list_f64" value::ListF64 {}
        "list_spans" value::Spans {}
        "try_i64" value::TryI64 {}
        "try_f64" value::TryF64 {}
        "try_bool" value::TryBool {}
        "try_str" value::TryStr {}
        "try_bytes" value::TryBytes {}
        "abi" knhk::abi::AbiInfo {}
        "options" OptionsC {
            struct_size barrier retained_roots soft_limit_bytes hard_limit_bytes ring_records history clock_period_ns max_document_bytes
            max_depth max_keys max_string_bytes flags reserved signer trust_root checkpoint retain_versions retain_age_ns observations
            manual_time_ns hot_budget_ns
        }
        "reader_options" ReaderOptionsC { struct_size flags ring_records }
        "promote_options" PromoteOptionsC { struct_size flags by why }
        "promotion" PromotionC { struct_size reserved version epoch time_ns snapshot_id phases }
        "phases" PhasesC { parse_ns verify_ns compile_ns journal_ns swap_ns }
        "sector_info" SectorInfoC { struct_size kind name number ready version epoch keys snapshot_id }
        "key_info" KeyInfoC { struct_size value_type name type_name unit doc display }
        "difference" DifferenceC { path before after }
        "version_info" VersionInfoC {
            struct_size reserved version rollback_of epoch time_ns snapshot_id by why differences differences_len phases parent receipt
        }
        "change" ChangeC {
            struct_size reserved sector version rollback_of epoch time_ns snapshot_id by why summary differences differences_len missed
        }
        "change_callback" ChangeCallbackC { struct_size reserved ctx changed destroy }
        "log_callback" LogCallbackC { struct_size level ctx line destroy }
        "delta" DeltaC { struct_size format removed removed_len added added_len }
        "result" ResultC { struct_size severity focus path value component shape message }
        "conflict" ConflictC { identifier first second message }
        "transition" TransitionC { struct_size reserved policy kind from to text time_ns missed }
        "transition_callback" TransitionCallbackC { struct_size reserved ctx changed destroy }
        "counter" CounterC { struct_size reserved name name_len value }
        "setting" SettingC { name value }
        "level" LevelC { name enter leave enter_after_ns leave_after_ns off off_len }
        "strategy" StrategyC { name tries reserved ctx recover destroy }
        "policy_options" PolicyOptionsC { struct_size reserved settings settings_len policies policies_len levels levels_len strategies strategies_len }
        "parameter" ParameterC { struct_size is_whole name unit what value low high }
        "attempt" AttemptC { struct_size priority deadline_ns tokens reserved }
        "permit" PermitC { words }
        "refusal" RefusalC { struct_size reason retry_after_ns limit reserved load }
        "attempts" AttemptsC { made pause_ns }
        "hedged" HedgedC { words }
        "check_callback" CheckCallbackC { struct_size reserved ctx check destroy }
        "component" ComponentC { struct_size state weight health age_ns explained_by }
        "checkpoint_settings" CheckpointSettingsC { struct_size chain chains level limit keys keys_len }
        "component_callback" ComponentCallbackC { struct_size reserved ctx freeze thaw save load destroy }
        "checkpoint_taken" TakenC { struct_size full number bytes state_bytes frozen_ns took_ns digest }
        "checkpoint_restored" RestoredC { struct_size reserved number time_ns skipped absent unknown digest }
        "executor_options" ExecutorOptionsC { struct_size threads capacity horizon_ns ctx notice hot destroy }
        "notice" NoticeC { struct_size kind task text }
        "flow" FlowC { struct_size held window sent done refused }
        "graph_callback" GraphCallbackC { struct_size reserved ctx start drain stop health destroy }
        "fared" FaredC { struct_size outcome name why took_ns }
        "component_health" ComponentHealthC { struct_size reserved name own effective because_of because_of_len }
        "executor_stats" ExecutorStatsC { struct_size flags waiting running arrivals services full_in_ns }
        "task_callback" TaskCallbackC { struct_size priority budget_ns drop_late reserved ctx run destroy over }
        "task_stats" TaskStatsC { struct_size level runs slices overruns late busy_ns worst_ns }
        "checkpoint" CheckpointC { struct_size full number bytes time_ns encrypted reserved damage }
        "policy_info" PolicyInfoC { struct_size reserved name kind sector version refused state text }
        "stats" StatsC {
            struct_size fence_mode sectors promotions refused missed_changes epoch readers reaped retained_roots retained_bytes cold_reads
            observed dropped reclaim_batches reclaimed_roots pool_bytes damaged_versions
        }
        "sign_callback" SignCallbackC { struct_size reserved ctx sign destroy }
        "progress" ProgressC { struct_size reserved done total observations versions }
        "progress_callback" ProgressCallbackC { struct_size reserved ctx progress destroy }
        "question" QuestionC { struct_size reserved text text_len view }
        "function" FunctionC { struct_size reserved ctx judge destroy }
        "workload" WorkloadC { struct_size reserved ctx run destroy }
        "stage" StageC { struct_size reserved sector stage verdict report }
        "stage_callback" StageCallbackC { struct_size reserved ctx stage destroy }
        "proposer" ProposerC { struct_size reserved ctx propose destroy }
        "sample" SampleC { struct_size reserved from_ns to_ns counts value }
        "score" ScoreC { statistic confidence expected }
        "detector" DetectorC { struct_size reserved ctx begin observe end destroy }
        "hook" HookC { struct_size phase after reserved ctx run destroy }
        "receipt_query" ReceiptQueryC { struct_size flags from to sector kind limit }
        "receipt" ReceiptC {
            struct_size reserved number time_ns id sector kind outcome evidence links links_len statement statement_len leaf
        }
        "verify_options" VerifyOptionsC { struct_size flags checkpoint }
        "verified" VerifiedC {
            struct_size reserved receipts keys checkpoints observations dropped versions snapshots first_ns last_ns root other_core
        }
        "signing_key" SigningKeyC { struct_size current number from_receipt time_ns id key }
        "restore_options" RestoreOptionsC { struct_size flags trust_root checkpoint }
        "log_entry" LogEntryC {
            struct_size retained version rollback_of epoch time_ns snapshot_id by why receipt parents parents_len tags tags_len major reserved
        }
        "tag" TagC { struct_size reserved version time_ns name by }
        "observations_options" ObservationsOptionsC {
            struct_size compression segment_records seal_after_ns memory_bytes period_ns retain_bytes retain_age_ns window_ns series
        }
        "counts" CountsC { count outcomes own mismatched }
        "figures" FiguresC { seconds counts rate failure_share sum mean min max p50 p90 p99 p999 }
        "series" SeriesC { struct_size reserved key kind unit window total }
        "objective" ObjectiveC {
            struct_size state name kind aggregate parameter bound window_s reserved limit value burn figures
        }
        "observe_stats" ObserveStatsC {
            struct_size failing drained persisted refused unattributed lost segments stored_bytes pruned held_bytes
        }
        "segment" SegmentC { struct_size reserved number sector first_ns last_ns count receipt root }
        "value" ValueC { as_i64 as_f64 bits }
        "observation" ObservationC { reader sequence time_ns epoch key value value_type outcome subject detail }
    }
}

/// Numbers that the hand-written header repeats.
fn numbers() -> Vec<(&'static str, u64)> {
    vec![
        ("KNHK_ABI", layout::ABI.into()),
        ("KNHK_REGION", layout::REGION as u64),
        ("KNHK_BOOL", Tag::Bool as u64),
        ("KNHK_I64", Tag::I64 as u64),
        ("KNHK_F64", Tag::F64 as u64),
        ("KNHK_STR", Tag::Str as u64),
        ("KNHK_BYTES", Tag::Bytes as u64),
        ("KNHK_LIST_BOOL", Tag::ListBool as u64),
        ("KNHK_LIST_I64", Tag::ListI64 as u64),
        ("KNHK_LIST_F64", Tag::ListF64 as u64),
        ("KNHK_LIST_STR", Tag::ListStr as u64),
        ("KNHK_LIST_BYTES", Tag::ListBytes as u64),
        ("KNHK_MAP", Tag::Map as u64),
        ("KNHK_CLASS", Tag::Class as u64),
        ("KNHK_READ_PRESENT", Reason::Present as u64),
        ("KNHK_READ_ABSENT", Reason::Absent as u64),
        ("KNHK_READ_WRONG_TYPE", Reason::WrongType as u64),
        ("KNHK_READ_NOT_READY", Reason::NotReady as u64),
        ("KNHK_UNSPECIFIED", Outcome::Unspecified as u64),
        ("KNHK_SUCCESS", Outcome::Success as u64),
        ("KNHK_REJECTED", Outcome::Rejected as u64),
        ("KNHK_FAILED", Outcome::Error as u64),
        ("KNHK_TIMED_OUT", Outcome::Timeout as u64),
    ]
}

#[test]
fn c_and_rust_agree() {
    let mut expected = BTreeMap::new();
    let mut program = String::from("#include <knhk.h>\n#include <stdio.h>\nint main(void) {\n");
    let mut print = |name: String, expression: String, value: u64| {
        program.push_str(&format!("    printf(\"{name} %llu\\n\", (unsigned long long)({expression}));\n"));
        expected.insert(name, value);
    };
    for (name, size, fields) in layouts() {
        let of = format!("knhk_{name}_t");
        print(of.clone(), format!("sizeof({of})"), size as u64);
        for (field, offset) in fields {
            print(format!("{of}.{field}"), format!("offsetof({of}, {field})"), offset as u64);
        }
    }
    for (name, value) in numbers() {
        print(name.into(), name.into(), value);
    }
    program.push_str("    return 0;\n}\n");
    let source = support::scratch("layout").join("layout.c");
    std::fs::write(&source, program).unwrap();
    for language in support::LANGUAGES {
        let output = succeeded(&mut Command::new(compile(&[source.to_str().unwrap()], language, Link::Loaded, &[])));
        let printed = String::from_utf8(output.stdout).unwrap();
        let printed = printed.lines().map(|line| line.split_once(' ').expect("a name and a number"));
        let printed: BTreeMap<String, u64> =
            printed.map(|(name, value)| (name.into(), value.parse().unwrap())).collect();
        assert_eq!(printed, expected);
    }
}

#[test]
fn every_struct_of_the_header_is_compared() {
    let known: Vec<String> = layouts().iter().map(|(name, ..)| format!("knhk_{name}_t")).collect();
    let header = std::fs::read_to_string(support::root().join("include/knhk.h")).unwrap();
    for line in header.lines() {
        let Some(name) = line.strip_prefix("} ").and_then(|rest| rest.strip_suffix(';')) else { continue };
        assert!(known.iter().any(|known| known == name), "{name} is not compared");
    }
}

//! Records of the engine as JavaScript objects; `lib/records.ts` declares their types.

use std::ptr::null_mut;

use knhk_engine::{Change, Difference, KeyInfo, Level, Observation, SectorInfo, Stats, ValueType, VersionInfo};
use knhk_hot::layout::Tag;
use napi::bindgen_prelude::{External, ToNapiValue};
use napi::sys;

use crate::mailbox::Line;
use crate::shared::Shared;
use crate::value::{bigint, boolean, number, text};

type Js = sys::napi_value;

/// An object while it is filled.
pub(crate) struct Object {
    env: sys::napi_env,
    pub(crate) raw: Js,
}

impl Object {
    pub(crate) fn new(env: sys::napi_env) -> Object {
        let mut raw = null_mut();
        // SAFETY: here and below: the environment's thread with an open handle scope; names end in NUL.
        unsafe { sys::napi_create_object(env, &mut raw) };
        Object { env, raw }
    }

    pub(crate) fn set(self, name: &std::ffi::CStr, value: Js) -> Object {
        // SAFETY: as `new`.
        unsafe { sys::napi_set_named_property(self.env, self.raw, name.as_ptr(), value) };
        self
    }

    pub(crate) fn text(self, name: &std::ffi::CStr, value: &str) -> Object {
        let value = text(self.env, value);
        self.set(name, value)
    }

    pub(crate) fn number(self, name: &std::ffi::CStr, value: u64) -> Object {
        // Counters, numbers of versions and generations stay far below 2^53.
        let value = number(self.env, value as f64);
        self.set(name, value)
    }

    pub(crate) fn unsigned(self, name: &std::ffi::CStr, value: u64) -> Object {
        let mut big = null_mut();
        // SAFETY: as `new`.
        unsafe { sys::napi_create_bigint_uint64(self.env, value, &mut big) };
        self.set(name, big)
    }

    /// A moment, in nanoseconds since the Unix epoch: as `time` and, exactly, as `timeNs`.
    pub(crate) fn time(self, nanoseconds: u64) -> Object {
        let mut date = null_mut();
        // SAFETY: as `new`.
        unsafe { sys::napi_create_date(self.env, (nanoseconds / 1_000_000) as f64, &mut date) };
        self.set(c"time", date).unsigned(c"timeNs", nanoseconds)
    }

    pub(crate) fn boolean(self, name: &std::ffi::CStr, value: bool) -> Object {
        let value = boolean(self.env, value);
        self.set(name, value)
    }

    /// Sets what there is, and nothing where there is nothing.
    pub(crate) fn optional(self, name: &std::ffi::CStr, value: Option<&str>) -> Object {
        match value {
            Some(value) => self.text(name, value),
            None => self,
        }
    }
}

/// An array of records.
pub(crate) fn array(env: sys::napi_env, records: impl IntoIterator<Item = Js>) -> Js {
    let mut raw = null_mut();
    // SAFETY: as `Object::new`.
    unsafe {
        sys::napi_create_array(env, &mut raw);
        for (index, record) in records.into_iter().enumerate() {
            sys::napi_set_element(env, raw, index as u32, record);
        }
    }
    raw
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn differences(env: sys::napi_env, differences: &[Difference]) -> Js {
    array(
        env,
        differences.iter().map(|difference| {
            Object::new(env)
                .text(c"path", &difference.path)
                .optional(c"old", difference.old.as_deref())
                .optional(c"new", difference.new.as_deref())
                .text(c"summary", &difference.to_string())
                .raw
        }),
    )
}

/// What a record can still be asked.
pub(crate) enum Source {
    Version(Box<VersionInfo>),
    Change(Box<Change>),
}

impl Source {
    /// What changed, path by path.
    pub(crate) fn differences(&self, env: sys::napi_env) -> Js {
        match self {
            Source::Version(version) => differences(env, &version.differences()),
            Source::Change(change) => differences(env, &change.differences()),
        }
    }

    /// The change in a line for people.
    pub(crate) fn summary(&self) -> String {
        match self {
            Source::Version(_) => String::new(),
            Source::Change(change) => change.summary(),
        }
    }

    fn js(self, env: sys::napi_env) -> Js {
        // SAFETY: the environment's thread. An External carries its type, and is checked when it comes back.
        unsafe { External::to_napi_value(env, External::new(self)) }.unwrap_or(null_mut())
    }
}

pub(crate) fn version(env: sys::napi_env, version: Box<VersionInfo>) -> Js {
    let phases = &version.phases;
    let timings = Object::new(env)
        .number(c"parseNs", phases.parse_ns)
        .number(c"verifyNs", phases.verify_ns)
        .number(c"compileNs", phases.compile_ns)
        .number(c"journalNs", phases.journal_ns)
        .number(c"swapNs", phases.swap_ns)
        .number(c"totalNs", phases.total_ns());
    let object = Object::new(env)
        .number(c"version", version.version)
        .text(c"snapshotId", &hex(&version.snapshot_id))
        .number(c"epoch", version.epoch)
        .time(version.time_ns)
        .text(c"by", &version.origin.by)
        .text(c"why", &version.origin.why)
        .boolean(c"major", version.origin.major)
        .set(c"phases", timings.raw);
    let object = match version.rollback_of {
        Some(number) => object.number(c"rollbackOf", number),
        None => object,
    };
    let object = match version.parent {
        Some(parent) => object.number(c"parent", parent),
        None => object,
    };
    let object = object.optional(c"receipt", version.receipt.as_deref());
    object.set(c"source", Source::Version(version).js(env)).raw
}

pub(crate) fn change(env: sys::napi_env, change: Box<Change>) -> Js {
    let object = Object::new(env)
        .text(c"sector", &change.sector)
        .number(c"version", change.version)
        .text(c"snapshotId", &hex(&change.snapshot_id))
        .number(c"epoch", change.epoch)
        .time(change.time_ns)
        .text(c"by", &change.by)
        .text(c"why", &change.why)
        .number(c"missed", change.missed);
    let object = match change.rollback_of {
        Some(number) => object.number(c"rollbackOf", number),
        None => object,
    };
    object.set(c"source", Source::Change(change).js(env)).raw
}

pub(crate) fn line(env: sys::napi_env, line: &Line) -> Js {
    let level = match line.level {
        Level::Debug => "debug",
        Level::Info => "info",
        Level::Warning => "warning",
        Level::Error => "error",
    };
    Object::new(env)
        .text(c"level", level)
        .text(c"part", &line.part)
        .text(c"message", &line.message)
        .number(c"missed", line.missed)
        .raw
}

pub(crate) fn sector(env: sys::napi_env, sector: &SectorInfo) -> Js {
    Object::new(env)
        .text(c"name", &sector.name)
        .text(c"kind", sector.kind.as_str())
        .boolean(c"ready", sector.ready)
        .number(c"version", sector.version)
        .text(c"snapshotId", &hex(&sector.snapshot_id))
        .number(c"epoch", sector.epoch)
        .number(c"keys", sector.keys as u64)
        .raw
}

pub(crate) fn key(env: sys::napi_env, key: &KeyInfo) -> Js {
    Object::new(env)
        .text(c"name", &key.name)
        .text(c"type", key.value_type.as_str())
        .text(c"display", &key.display)
        .optional(c"unit", key.unit.as_deref())
        .optional(c"doc", key.doc.as_deref())
        .raw
}

pub(crate) fn observation(env: sys::napi_env, shared: &Shared, reader: u64, seen: &Observation) -> Js {
    let value = match seen.tag {
        tag if tag == Tag::Bool as u32 => boolean(env, seen.value != 0),
        tag if tag == Tag::F64 as u32 => number(env, f64::from_bits(seen.value)),
        // As they may be beyond what a number holds: always the same type.
        _ => bigint(env, seen.value.cast_signed()),
    };
    let object = shared.origin(seen.key, |origin| {
        let object = Object::new(env);
        match origin {
            Some(origin) => object.text(c"sector", &origin.sector).text(c"key", &origin.name),
            None => object,
        }
    });
    object
        .set(c"value", value)
        .number(c"outcome", u64::from(seen.outcome))
        .unsigned(c"subject", seen.subject)
        .unsigned(c"detail", seen.detail)
        .unsigned(c"timeNs", seen.time_ns)
        .number(c"epoch", seen.epoch)
        .number(c"reader", reader)
        .number(c"sequence", seen.sequence)
        .raw
}

pub(crate) fn stats(env: sys::napi_env, stats: &Stats) -> Js {
    let hot = &stats.hot;
    Object::new(env)
        .number(c"sectors", stats.sectors)
        .number(c"promotions", stats.promotions)
        .number(c"refused", stats.refused)
        .number(c"missedChanges", stats.missed_changes)
        .number(c"damagedVersions", stats.damaged_versions)
        .number(c"epoch", hot.epoch)
        .number(c"readers", hot.readers as u64)
        .number(c"retainedRoots", hot.retained_roots as u64)
        .number(c"retainedBytes", hot.retained_bytes)
        .number(c"coldReads", hot.cold_reads)
        .number(c"observed", hot.observed)
        .number(c"dropped", hot.dropped)
        .boolean(c"fenceMode", hot.fence_mode)
        .number(c"reclaimBatches", hot.reclaim_batches)
        .number(c"reapedReaders", hot.reaped)
        .raw
}

/// The type with this name.
pub(crate) fn type_named(name: &str) -> Option<ValueType> {
    name.parse().ok()
}

//! How an engine is opened.

use std::ffi::c_char;
use std::mem::offset_of;
use std::time::Duration;

use knhk_engine::{Error, Observations, Options, Status};
use knhk_hot::BarrierChoice;

use crate::handle::required;
use crate::signer::SignerHandle;
use crate::text::optional_text;
use crate::versioned::{Versioned, input};

/// The system's asymmetric barrier where it works, else full fences in the readers.
pub const KNHK_BARRIER_AUTO: u32 = 0;
/// Full fences in the readers, where a filter kills on membarrier or an emulator lies about it.
pub const KNHK_BARRIER_FENCE: u32 = 1;

/// Takes commands of `knhk` over a socket in the engine's folder, from the folder's owner alone.
pub const KNHK_CONTROL: u32 = 1;
/// Opens a still picture of a folder, beside the engine that has it open, if one has: nothing is locked or written, what changes later is
/// not seen, changes are refused with KNHK_IO.
pub const KNHK_READ_ONLY: u32 = 2;

/// How observations are kept. Set `struct_size` to sizeof(knhk_observations_options_t) and what does not matter to 0, which means its default.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ObservationsOptionsC {
    /// sizeof(knhk_observations_options_t).
    pub struct_size: u32,
    /// The effort of zstd, -7 to 19; 1.
    pub compression: i32,
    /// Observations of a segment, which has one receipt; 16,384.
    pub segment_records: u64,
    /// How long an observation waits for its segment to fill, at most, in nanoseconds; 1 s.
    pub seal_after_ns: u64,
    /// Bytes of memory for observations that are not durable yet; 64 MiB. Beyond it rings fill and refuse, which is counted.
    pub memory_bytes: u64,
    /// How often the rings are looked into while they are empty, in nanoseconds; 1 ms.
    pub period_ns: u64,
    /// Bytes of observations that are kept, 64 each; 0 for all. Counts, Merkle roots and receipts are kept for ever.
    pub retain_bytes: u64,
    /// For how long observations are kept, in nanoseconds; 0 for ever.
    pub retain_age_ns: u64,
    /// The window that aggregates are over, 1 s to 1 h in nanoseconds; 10 s.
    pub window_ns: u64,
    /// Pairs of key and kind that are aggregated apart, at most; 512.
    pub series: u64,
}

// SAFETY: plain data that begins with its size; zeros are the defaults.
unsafe impl Versioned for ObservationsOptionsC {
    const NAME: &'static str = "knhk_observations_options_t";
}

/// Settings of an engine. Set `struct_size` to sizeof(knhk_options_t) and every field that you do not care about to 0, which means its
/// default.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct OptionsC {
    /// sizeof(knhk_options_t).
    pub struct_size: u32,
    /// KNHK_BARRIER_AUTO or KNHK_BARRIER_FENCE.
    pub barrier: u32,
    /// Old snapshots that may wait to be freed before a promotion has to free some itself; 256.
    pub retained_roots: u64,
    /// Bytes of old snapshots from which the log names the reader that keeps them; 256 MiB.
    pub soft_limit_bytes: u64,
    /// Bytes of old snapshots from which promotions are refused; 1 GiB.
    pub hard_limit_bytes: u64,
    /// Observations that wait in a reader's ring, 64 bytes each, rounded up to a power of two; 1024.
    pub ring_records: u64,
    /// Versions that a sector retains, the current one included; 64.
    pub history: u64,
    /// How often the cached clock advances, in nanoseconds; 1 ms.
    pub clock_period_ns: u64,
    /// Bytes of the largest document or image.
    pub max_document_bytes: u64,
    /// Levels of objects in a document.
    pub max_depth: u64,
    /// Values in a document.
    pub max_keys: u64,
    /// Bytes of a string or of bytes in a document.
    pub max_string_bytes: u64,
    /// KNHK_CONTROL or KNHK_READ_ONLY, or 0.
    pub flags: u32,
    /// 0.
    pub reserved: u32,
    /// Who signs receipts in place of the key in the folder; in memory there are receipts with one only. NULL for the folder's key. The
    /// program keeps it and frees it when it likes.
    pub signer: *const SignerHandle,
    /// The trust root that the folder's log must begin at, as knhk_trust_root tells it; a new log begins at it. NULL for the folder's own.
    pub trust_root: *const c_char,
    /// A note of knhk_checkpoint that the program held: opening finds a log that was cut off or forked since. NULL for none.
    pub checkpoint: *const c_char,
    /// Versions of each sector that are kept in the folder, the newest ones; 0 for all. What either limit asks to keep is kept.
    pub retain_versions: u64,
    /// Versions that were current within this many nanoseconds are kept; 0 for all.
    pub retain_age_ns: u64,
    /// Has the engine take observations out of the rings by itself, add them up and keep them under receipts; NULL leaves them to
    /// knhk_observations_drain.
    pub observations: *const ObservationsOptionsC,
    /// Has decisions be dated by a clock that stands at this moment, in nanoseconds since the Unix epoch, until knhk_time_advance moves it: for
    /// tests and simulations. 0 for the system's clock.
    pub manual_time_ns: u64,
    /// What an operation of the hot path may take on average, in nanoseconds; 100. Beyond it the warm path yields: see knhk_hot_report.
    pub hot_budget_ns: u64,
}

// SAFETY: plain data that begins with its size; zeros are the defaults.
unsafe impl Versioned for OptionsC {
    const NAME: &'static str = "knhk_options_t";
    const SIZES: &'static [usize] = &[
        offset_of!(OptionsC, flags),
        offset_of!(OptionsC, signer),
        offset_of!(OptionsC, manual_time_ns),
        offset_of!(OptionsC, hot_budget_ns),
        size_of::<OptionsC>(),
    ];
}

/// Most records of a ring: 1 GiB of them.
pub(crate) const MOST_RECORDS: u64 = 1 << 24;

/// The engine's options out of the program's, and whether it is read-only.
///
/// # Safety
/// As [`input`]; what it points to is as its comments say.
pub(crate) unsafe fn engine_options(at: *const OptionsC) -> Result<(Options, bool), Error> {
    // SAFETY: the caller's promise.
    let given = unsafe { input(at)? };
    let mut options = Options::default();
    options.hot.barrier = match given.barrier {
        KNHK_BARRIER_AUTO => BarrierChoice::Auto,
        KNHK_BARRIER_FENCE => BarrierChoice::Fence,
        other => return Err(out_of("barrier", other.into(), "KNHK_BARRIER_AUTO or KNHK_BARRIER_FENCE")),
    };
    let count = |value: u64, default: &mut usize, name, most: u64| match value {
        0 => Ok(()),
        value if value <= most => {
            *default = value as usize;
            Ok(())
        }
        value => Err(out_of(name, value, &format!("at most {most}"))),
    };
    count(given.retained_roots, &mut options.hot.retained_roots, "retained_roots", 1 << 20)?;
    count(given.ring_records, &mut options.hot.ring_records, "ring_records", MOST_RECORDS)?;
    count(given.history, &mut options.history, "history", 1 << 20)?;
    count(given.max_document_bytes, &mut options.limits.bytes, "max_document_bytes", 1 << 32)?;
    count(given.max_depth, &mut options.limits.depth, "max_depth", 256)?;
    count(given.max_keys, &mut options.limits.keys, "max_keys", 1 << 24)?;
    count(given.max_string_bytes, &mut options.limits.string_bytes, "max_string_bytes", 1 << 31)?;
    if given.soft_limit_bytes != 0 {
        options.hot.soft_limit_bytes = given.soft_limit_bytes;
    }
    if given.hard_limit_bytes != 0 {
        options.hot.hard_limit_bytes = given.hard_limit_bytes;
    }
    if given.clock_period_ns != 0 {
        options.clock_period = Duration::from_nanos(given.clock_period_ns);
    }
    if given.hot_budget_ns != 0 {
        options.hot_budget = Duration::from_nanos(given.hot_budget_ns);
    }
    if given.flags & !(KNHK_CONTROL | KNHK_READ_ONLY) != 0 {
        return Err(out_of("flags", given.flags.into(), "of KNHK_CONTROL and KNHK_READ_ONLY"));
    }
    options.control = given.flags & KNHK_CONTROL != 0;
    // SAFETY: the caller's promise.
    unsafe {
        if !given.signer.is_null() {
            options.signer = Some(required(given.signer)?.signer.clone());
        }
        options.trust_root = optional_text(given.trust_root, "trust_root")?.map(Into::into);
        options.observations = settings(given.observations)?;
        options.checkpoint = optional_text(given.checkpoint, "checkpoint")?.map(Into::into);
    }
    options.manual_time = (given.manual_time_ns != 0).then_some(given.manual_time_ns);
    options.retention.versions = (given.retain_versions != 0).then_some(given.retain_versions);
    options.retention.age = (given.retain_age_ns != 0).then(|| Duration::from_nanos(given.retain_age_ns));
    Ok((options, given.flags & KNHK_READ_ONLY != 0))
}

/// The engine's settings out of the program's; none for NULL.
///
/// # Safety
/// As [`input`].
unsafe fn settings(at: *const ObservationsOptionsC) -> Result<Option<Observations>, Error> {
    if at.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller's promise.
    let given = unsafe { input(at)? };
    let mut settings = Observations::default();
    let span = |nanoseconds: u64, to: &mut Duration| {
        if nanoseconds != 0 {
            *to = Duration::from_nanos(nanoseconds);
        }
    };
    let count = |value: u64, to: &mut usize, name| match usize::try_from(value) {
        Ok(0) => Ok(()),
        Ok(value) if value <= 1 << 20 => {
            *to = value;
            Ok(())
        }
        _ => Err(out_of(name, value, "at most 1048576")),
    };
    count(given.segment_records, &mut settings.segment_records, "segment_records")?;
    count(given.series, &mut settings.series, "series")?;
    span(given.seal_after_ns, &mut settings.seal_after);
    span(given.period_ns, &mut settings.period);
    span(given.window_ns, &mut settings.window);
    if given.memory_bytes != 0 {
        settings.memory = given.memory_bytes;
    }
    if given.compression != 0 {
        settings.compression = given.compression;
    }
    settings.retention.bytes = (given.retain_bytes != 0).then_some(given.retain_bytes);
    settings.retention.age = (given.retain_age_ns != 0).then(|| Duration::from_nanos(given.retain_age_ns));
    Ok(Some(settings))
}

pub(crate) fn out_of(name: &'static str, value: u64, domain: &str) -> Error {
    Error::new(Status::InvalidArgument, "call", name, format!("{name} is {value}: it must be {domain}"))
}

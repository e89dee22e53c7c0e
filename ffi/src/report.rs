//! Reports: what a validation found, result by result, for programs and for people.

use std::ffi::{CString, c_char};
use std::ptr;

use knhk_engine::{Report, Severity, Status};

use crate::buffer::{Buffer, filled};
use crate::call::call;
use crate::error::ErrorHandle;
use crate::handle::{Kind, free, give, given, required};
use crate::knowledge;
use crate::text::{Texts, c_string, output};

/// sh:Info: for information, and not a violation.
pub const KNHK_SEVERITY_INFO: u32 = 1;
/// sh:Warning: to look at, and not a violation.
pub const KNHK_SEVERITY_WARNING: u32 = 2;
/// sh:Violation: the knowledge is refused.
pub const KNHK_SEVERITY_VIOLATION: u32 = 3;

/// One result of a validation. Terms are written as in Turtle.
#[repr(C)]
pub struct ResultC {
    /// How much of this struct the library knows.
    pub struct_size: u32,
    /// KNHK_SEVERITY_INFO, KNHK_SEVERITY_WARNING or KNHK_SEVERITY_VIOLATION.
    pub severity: u32,
    /// What it is about: the focus node.
    pub focus: *const c_char,
    /// The path from there; NULL where the focus node itself is meant.
    pub path: *const c_char,
    /// The value at fault; NULL where none in particular is.
    pub value: *const c_char,
    /// The constraint component, as an IRI.
    pub component: *const c_char,
    /// The shape that was broken.
    pub shape: *const c_char,
    /// A sentence for people.
    pub message: *const c_char,
}

/// A report.
pub struct ReportHandle {
    report: Report,
    items: Vec<ResultC>,
    text: CString,
    _texts: Texts,
}

impl Kind for ReportHandle {
    const NAME: &'static str = "report";
    const MAGIC: u64 = 0x6b6e_686b_7265_7001;
}

// SAFETY: the items point to texts that the handle owns and nobody changes.
unsafe impl Send for ReportHandle {}
// SAFETY: as above.
unsafe impl Sync for ReportHandle {}

impl ReportHandle {
    pub(crate) fn new(report: Report) -> ReportHandle {
        let mut texts = Texts::default();
        let items = report.results().map(|result| ResultC {
            struct_size: size_of::<ResultC>() as u32,
            severity: match result.severity() {
                Severity::Info => KNHK_SEVERITY_INFO,
                Severity::Warning => KNHK_SEVERITY_WARNING,
                _ => KNHK_SEVERITY_VIOLATION,
            },
            focus: texts.keep(&result.focus()),
            path: texts.keep_some(result.path().as_deref()),
            value: texts.keep_some(result.value().as_deref()),
            component: texts.keep(result.component()),
            shape: texts.keep(&result.shape()),
            message: texts.keep(&result.message()),
        });
        let items = items.collect();
        let text = c_string(&report.to_string());
        ReportHandle { report, items, text, _texts: texts }
    }

    /// Gives the program a report.
    pub(crate) fn give(report: Report) -> *mut ReportHandle {
        give(ReportHandle::new(report))
    }
}

/// 1 if nothing was violated, else 0; 0 for NULL. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_report_conforms(report: *const ReportHandle) -> u32 {
    // SAFETY: NULL or a live report, as documented.
    unsafe { given(report) }.map_or(0, |report| report.report.conforms().into())
}

/// How many results a report has; 0 for NULL. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_report_len(report: *const ReportHandle) -> usize {
    // SAFETY: NULL or a live report, as documented.
    unsafe { given(report) }.map_or(0, |report| report.items.len())
}

/// A result of a report; NULL beyond its end. Valid until the report is freed. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_report_at(report: *const ReportHandle, index: usize) -> *const ResultC {
    // SAFETY: NULL or a live report, as documented.
    unsafe { given(report) }.and_then(|report| report.items.get(index)).map_or(ptr::null(), ptr::from_ref)
}

/// The whole report for people, a line for each result. "" for NULL; else valid until the report is freed. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_report_text(report: *const ReportHandle) -> *const c_char {
    // SAFETY: NULL or a live report, as documented.
    unsafe { given(report) }.map_or(c"".as_ptr(), |report| report.text.as_ptr())
}

/// The report in the vocabulary of SHACL.
///
/// `format`: one of KNHK_FORMAT_TURTLE to KNHK_FORMAT_RDFXML. `rdf`: receives the text, which the program frees with knhk_buffer_free.
/// Returns KNHK_OK or KNHK_INVALID_ARGUMENT. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_report_rdf(
    report: *const ReportHandle,
    format: u32,
    rdf: *mut *mut Buffer,
    err: *mut *mut ErrorHandle,
) -> Status {
    let body = || {
        let rdf = output(rdf, "rdf")?;
        // SAFETY: as documented.
        let report = unsafe { required(report)? };
        let text = report.report.to_rdf(knowledge::format(format)?)?;
        // SAFETY: checked above.
        unsafe { ptr::write(rdf, filled(text)) };
        Ok(())
    };
    // SAFETY: as documented.
    unsafe { call(err, body) }
}

/// Frees a report. NULL does nothing. Any thread; its items may not be used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_report_free(report: *mut ReportHandle) {
    // SAFETY: NULL or a live report, as documented.
    unsafe { free(report) }
}

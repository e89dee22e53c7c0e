//! How a start or a shutdown of a component graph went, and how well its components are.

use std::ffi::{CString, c_char};
use std::ptr;

use knhk_engine::Status;
use knhk_warm::graph::{Outcome, Phase, Report};

use super::graph::GraphHandle;
use crate::call::call;
use crate::error::ErrorHandle;
use crate::handle::{Kind, free, give, given, required};
use crate::list::{self, List};
use crate::resilience::calls::nanoseconds;
use crate::text::{Texts, c_string, output};

/// The component did what it was asked to.
pub const KNHK_COMPONENT_DONE: u32 = 0;
/// It said why not, or failed in another way.
pub const KNHK_COMPONENT_FAILED: u32 = 1;
/// It did not return in time.
pub const KNHK_COMPONENT_STUCK: u32 = 2;
/// It was not started, because what it needs was not.
pub const KNHK_COMPONENT_SKIPPED: u32 = 3;

/// How a component fared.
#[repr(C)]
pub struct FaredC {
    /// How much of this struct the library knows.
    pub struct_size: u32,
    /// A KNHK_COMPONENT_ constant.
    pub outcome: u32,
    /// The component.
    pub name: *const c_char,
    /// Of one that failed why; of one that is stuck "start", "drain" or "stop", whichever it did not return from; of one that was skipped what it
    /// needs and was not started. "" of one that is done.
    pub why: *const c_char,
    /// How long it took, in nanoseconds, where it is done.
    pub took_ns: u64,
}

/// How a start or a shutdown went.
pub struct GraphReportHandle {
    items: Vec<FaredC>,
    text: CString,
    _texts: Texts,
}

impl Kind for GraphReportHandle {
    const NAME: &'static str = "graph report";
    const MAGIC: u64 = 0x6b6e_686b_6772_7201;
}

impl List for GraphReportHandle {
    type Item = FaredC;

    fn items(&self) -> &[FaredC] {
        &self.items
    }
}

impl GraphReportHandle {
    /// # Safety
    /// `place` is NULL or writable.
    pub(super) unsafe fn hand_out(report: &Report, place: *mut *mut GraphReportHandle) {
        if place.is_null() {
            return;
        }
        let mut texts = Texts::default();
        let each = |(name, outcome): &(std::sync::Arc<str>, Outcome)| {
            let phase = |phase: &Phase| phase.to_string();
            let (outcome, why, took_ns) = match outcome {
                Outcome::Done { took } => (KNHK_COMPONENT_DONE, String::new(), nanoseconds(*took)),
                Outcome::Failed { why } => (KNHK_COMPONENT_FAILED, why.clone(), 0),
                Outcome::Stuck { phase: of } => (KNHK_COMPONENT_STUCK, phase(of), 0),
                Outcome::Skipped { needs } => (KNHK_COMPONENT_SKIPPED, needs.to_string(), 0),
            };
            let (name, why) = (texts.keep(name), texts.keep(&why));
            FaredC { struct_size: size_of::<FaredC>() as u32, outcome, name, why, took_ns }
        };
        let items = report.all.iter().map(each).collect();
        let text = c_string(&report.to_string());
        // SAFETY: the caller's promise.
        unsafe { ptr::write(place, give(GraphReportHandle { items, text, _texts: texts })) }
    }
}

/// How many components had a part; 0 for NULL. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_graph_report_len(report: *const GraphReportHandle) -> usize {
    // SAFETY: NULL or a live report, as documented.
    unsafe { list::len(report) }
}

/// How a component fared, in the order in which they were added; NULL beyond the end. Valid until the report is freed. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_graph_report_at(report: *const GraphReportHandle, index: usize) -> *const FaredC {
    // SAFETY: NULL or a live report, as documented.
    unsafe { list::at(report, index) }
}

/// The whole for people: a line, and one for each component that did not do what it was asked to. "" for NULL. Valid until the report is
/// freed. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_graph_report_text(report: *const GraphReportHandle) -> *const c_char {
    // SAFETY: NULL or a live report, as documented.
    unsafe { given(report) }.map_or(c"".as_ptr(), |report| report.text.as_ptr())
}

/// Frees a report. NULL does nothing. Any thread; its items may not be used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_graph_report_free(report: *mut GraphReportHandle) {
    // SAFETY: NULL or a live report, as documented.
    unsafe { free(report) }
}

/// A component's health.
#[repr(C)]
pub struct ComponentHealthC {
    /// How much of this struct the library knows.
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// The component.
    pub name: *const c_char,
    /// What it says of itself, from 0 to 1; 0 for one that does not run, or that says what is no number.
    pub own: f64,
    /// The least of its own health and of what it needs, directly or not.
    pub effective: f64,
    /// The components that pull it down: those of that least health that need nothing which is as ill. None where it is its own.
    pub because_of: *const *const c_char,
    /// How many they are.
    pub because_of_len: usize,
}

/// The health of a graph's components at one moment.
pub struct ComponentHealthList {
    items: Vec<ComponentHealthC>,
    _causes: Vec<Vec<*const c_char>>,
    _texts: Texts,
}

impl Kind for ComponentHealthList {
    const NAME: &'static str = "list of healths";
    const MAGIC: u64 = 0x6b6e_686b_6772_6801;
}

impl List for ComponentHealthList {
    type Item = ComponentHealthC;

    fn items(&self) -> &[ComponentHealthC] {
        &self.items
    }
}

/// How well each component is, in the order in which they were added. They are asked on the calling thread.
///
/// `healths`: receives the list, which the program frees with knhk_component_health_list_free. Returns KNHK_OK. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_graph_health(
    graph: *const GraphHandle,
    healths: *mut *mut ComponentHealthList,
    err: *mut *mut ErrorHandle,
) -> Status {
    let body = || {
        let place = output(healths, "healths")?;
        // SAFETY: as documented.
        let handle = unsafe { required(graph)? };
        let mut texts = Texts::default();
        let mut causes = Vec::new();
        let mut items = Vec::new();
        for health in handle.graph.health() {
            let because_of: Vec<*const c_char> = health.because_of.iter().map(|name| texts.keep(name)).collect();
            items.push(ComponentHealthC {
                struct_size: size_of::<ComponentHealthC>() as u32,
                reserved: 0,
                name: texts.keep(&health.name),
                own: health.own,
                effective: health.effective,
                because_of: because_of.as_ptr(),
                because_of_len: because_of.len(),
            });
            // Its elements stay where they are.
            causes.push(because_of);
        }
        // SAFETY: as documented.
        unsafe { ptr::write(place, give(ComponentHealthList { items, _causes: causes, _texts: texts })) };
        Ok(())
    };
    // SAFETY: as documented.
    unsafe { call(err, body) }
}

/// How many components a list has; 0 for NULL. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_component_health_list_len(healths: *const ComponentHealthList) -> usize {
    // SAFETY: NULL or a live list, as documented.
    unsafe { list::len(healths) }
}

/// A component's health; NULL beyond the end. Valid until the list is freed. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_component_health_list_at(
    healths: *const ComponentHealthList,
    index: usize,
) -> *const ComponentHealthC {
    // SAFETY: NULL or a live list, as documented.
    unsafe { list::at(healths, index) }
}

/// Frees a list of healths. NULL does nothing. Any thread; its items may not be used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knhk_component_health_list_free(healths: *mut ComponentHealthList) {
    // SAFETY: NULL or a live list, as documented.
    unsafe { free(healths) }
}

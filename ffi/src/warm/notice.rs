//! What an executor notices: overruns, demotions, lateness, and overload before it is there.

use std::ffi::{c_char, c_void};

use knhk_warm::HotBudget;
use knhk_warm::executor::Notice;

use crate::callback::Context;
use crate::text::c_string;

/// A slice took longer than its task's budget.
pub const KNHK_NOTICE_OVERRUN: u32 = 0;
/// A task that overran again and again lost a level.
pub const KNHK_NOTICE_DEMOTED: u32 = 1;
/// A demoted task kept to its budget, and has a level back.
pub const KNHK_NOTICE_RESTORED: u32 = 2;
/// A run was dropped, or ended, after its deadline.
pub const KNHK_NOTICE_LATE: u32 = 3;
/// A run panicked.
pub const KNHK_NOTICE_PANICKED: u32 = 4;
/// At this pace the queue will soon be full.
pub const KNHK_NOTICE_OVERLOAD: u32 = 5;
/// The queue empties again.
pub const KNHK_NOTICE_OVERLOAD_OVER: u32 = 6;

/// Something that an operator should know. Valid during the call that tells it.
#[repr(C)]
pub struct NoticeC {
    /// How much of this struct the library knows.
    pub struct_size: u32,
    /// A KNHK_NOTICE_ constant.
    pub kind: u32,
    /// The task; "" of an overload.
    pub task: *const c_char,
    /// All of it for people.
    pub text: *const c_char,
}

/// Functions of the program that an executor calls, and what they are called with.
pub(super) struct Ears {
    pub(super) context: Context,
    pub(super) notice: Option<unsafe extern "C" fn(*mut c_void, *const NoticeC)>,
    pub(super) hot: Option<unsafe extern "C" fn(*mut c_void) -> bool>,
}

// SAFETY: the program said, by registering them, that they may be called on several threads at once.
unsafe impl Sync for Ears {}

impl Ears {
    pub(super) fn tell(&self, told: &Notice<'_>) {
        let Some(notice) = self.notice else { return };
        let (kind, task) = match told {
            Notice::Overrun { task, .. } => (KNHK_NOTICE_OVERRUN, *task),
            Notice::Demoted { task, .. } => (KNHK_NOTICE_DEMOTED, *task),
            Notice::Restored { task, .. } => (KNHK_NOTICE_RESTORED, *task),
            Notice::Late { task, .. } => (KNHK_NOTICE_LATE, *task),
            Notice::Panicked { task } => (KNHK_NOTICE_PANICKED, *task),
            Notice::Overload(_) => (KNHK_NOTICE_OVERLOAD, ""),
            Notice::OverloadOver(_) => (KNHK_NOTICE_OVERLOAD_OVER, ""),
            // One that this interface has no name for yet.
            _ => return,
        };
        let (task, text) = (c_string(task), c_string(&told.to_string()));
        let struct_size = size_of::<NoticeC>() as u32;
        let told = NoticeC { struct_size, kind, task: task.as_ptr(), text: text.as_ptr() };
        // SAFETY: registered for this; what it points to lives until it returns.
        unsafe { notice(self.context.at(), &told) }
    }
}

impl HotBudget for Ears {
    fn exceeded(&self) -> bool {
        // SAFETY: registered for this.
        self.hot.is_some_and(|hot| unsafe { hot(self.context.at()) })
    }
}

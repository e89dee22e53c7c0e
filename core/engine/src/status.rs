//! Status codes: the same numbers in C, Python and Node. A number is never given another meaning.

/// What a call ended with. 0 is success; 1–99 are mistakes in the call, 100–199 the engine's state, 200–299 the content handed
/// in, 300–399 the machine beneath, 900 a defect of the library.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Status {
    /// Success.
    Ok = 0,
    /// An argument is out of its domain.
    InvalidArgument = 1,
    /// A required pointer or handle is NULL.
    NullArgument = 2,
    /// A string is not UTF-8.
    BadUtf8 = 3,
    /// The buffer is too short; nothing was written but the size that is needed.
    BufferTooSmall = 4,
    /// The program was compiled with a header of another ABI.
    AbiMismatch = 5,
    /// A struct's `struct_size` is none that this library knows.
    StructSize = 6,
    /// The sector, key or version does not exist.
    NotFound = 100,
    /// The sector exists already.
    AlreadyExists = 101,
    /// The key exists with another type.
    WrongType = 102,
    /// The sector has neither a promoted nor a declared document yet.
    NotReady = 103,
    /// The time ran out.
    Timeout = 104,
    /// The engine is closed.
    Closed = 105,
    /// The engine was inherited by fork; only reads work in the child. Open it again there.
    Forked = 106,
    /// A reader holds so much memory that changes are refused; the message names it.
    Stalled = 107,
    /// Another process or engine has the folder open.
    Busy = 108,
    /// The reader belongs to another thread.
    WrongThread = 109,
    /// A policy of resilience refused the call, which never began.
    Refused = 110,
    /// The call that a policy guarded failed.
    CallFailed = 111,
    /// The document is not valid.
    Document = 200,
    /// The artifact image is not valid.
    Artifact = 201,
    /// Keys that programs hold would break.
    Incompatible = 202,
    /// A limit on size, depth or count.
    Limit = 203,
    /// The knowledge breaks a shape; the error's report says which.
    Nonconforming = 204,
    /// The change touches the core or another sector's names.
    Conflict = 205,
    /// A proof does not show what it was said to show.
    Unproven = 206,
    /// The sector is governed: its changes are proposed, and become current once they have passed.
    Ungoverned = 210,
    /// The change did not pass; the error's reports say which stage refused what, and why.
    NotAdmitted = 211,
    /// The change lacks what can still come: approvals, or time.
    Waiting = 212,
    /// Reading or writing failed.
    Io = 300,
    /// What was stored is damaged.
    Corrupt = 301,
    /// The operating system refused.
    System = 302,
    /// What is stored is not what was signed, or not the log that is trusted.
    Tampered = 303,
    /// A key file cannot be used.
    KeyFile = 304,
    /// Whoever signs did not.
    Signing = 305,
    /// The library panicked: a defect. The handle refuses changes from now on; reads go on.
    Panic = 900,
}

impl Status {
    /// Every status, in the order of the numbers.
    pub const ALL: [Status; 36] = [
        Status::Ok,
        Status::InvalidArgument,
        Status::NullArgument,
        Status::BadUtf8,
        Status::BufferTooSmall,
        Status::AbiMismatch,
        Status::StructSize,
        Status::NotFound,
        Status::AlreadyExists,
        Status::WrongType,
        Status::NotReady,
        Status::Timeout,
        Status::Closed,
        Status::Forked,
        Status::Stalled,
        Status::Busy,
        Status::WrongThread,
        Status::Refused,
        Status::CallFailed,
        Status::Document,
        Status::Artifact,
        Status::Incompatible,
        Status::Limit,
        Status::Nonconforming,
        Status::Conflict,
        Status::Unproven,
        Status::Ungoverned,
        Status::NotAdmitted,
        Status::Waiting,
        Status::Io,
        Status::Corrupt,
        Status::System,
        Status::Tampered,
        Status::KeyFile,
        Status::Signing,
        Status::Panic,
    ];

    /// The number.
    pub fn code(self) -> i32 {
        self as i32
    }

    /// The status with this number, if there is one.
    pub fn from_code(code: i32) -> Option<Status> {
        Status::ALL.into_iter().find(|status| status.code() == code)
    }

    /// A short name in words.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Ok => "ok",
            Status::InvalidArgument => "invalid argument",
            Status::NullArgument => "null argument",
            Status::BadUtf8 => "not UTF-8",
            Status::BufferTooSmall => "buffer too small",
            Status::AbiMismatch => "ABI mismatch",
            Status::StructSize => "unknown struct size",
            Status::NotFound => "not found",
            Status::AlreadyExists => "already exists",
            Status::WrongType => "wrong type",
            Status::NotReady => "not ready",
            Status::Timeout => "timed out",
            Status::Closed => "closed",
            Status::Forked => "forked",
            Status::Stalled => "stalled by a reader",
            Status::Busy => "busy",
            Status::WrongThread => "wrong thread",
            Status::Refused => "refused by a policy",
            Status::CallFailed => "call failed",
            Status::Document => "invalid document",
            Status::Artifact => "invalid artifact",
            Status::Incompatible => "incompatible",
            Status::Limit => "limit exceeded",
            Status::Nonconforming => "breaks a shape",
            Status::Conflict => "conflict",
            Status::Unproven => "not proven",
            Status::Ungoverned => "sector is governed",
            Status::NotAdmitted => "not admitted",
            Status::Waiting => "waiting",
            Status::Io => "input/output error",
            Status::Corrupt => "corrupt",
            Status::System => "system error",
            Status::Tampered => "tampered with",
            Status::KeyFile => "unusable key file",
            Status::Signing => "not signed",
            Status::Panic => "panic",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_lead_back_to_their_status() {
        for status in Status::ALL {
            assert_eq!(Status::from_code(status.code()), Some(status));
        }
        assert_eq!(Status::from_code(-1), None);
    }
}

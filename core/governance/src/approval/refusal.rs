//! Why an approval, a relaxation or a change of the approvers was refused.

use crate::text::moment;

/// Why it was refused. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Bytes or text that are not what they were to be.
    #[error("this is no {what}: {why}")]
    Malformed {
        /// What it was to be.
        what: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// Beyond a limit.
    #[error("{what}")]
    Limit {
        /// What, the limit, and what to do.
        what: String,
    },
    /// A signature that is not the named key's.
    #[error("the signature in {by}'s name is not by {by}'s key, or of something else; sign the request anew")]
    Forged {
        /// In whose name.
        by: String,
    },
    /// A key that no approver has.
    #[error("key {key} is no approver's; `knhk guard approvers` lists who may approve, and with which key")]
    Unknown {
        /// The key's id, in hexadecimal digits.
        key: String,
    },
    /// An approval of another engine's.
    #[error("this approval is for the engine {says}, not for {is}; approve here what is to be approved here")]
    OtherLog {
        /// Which it is for.
        says: String,
        /// Which this is.
        is: String,
    },
    /// An approval of something else.
    #[error("this approval is of {says}, not of {is}")]
    OtherMatter {
        /// What it is of.
        says: String,
        /// What it was to be of.
        is: String,
    },
    /// An approval of what this once was, or never.
    #[error("this approval is of other content than {what} has; look at it again and sign a new request")]
    OtherContent {
        /// Of what.
        what: String,
    },
    /// Signed before it was asked for.
    #[error("this approval of {what} was made before it was asked for; sign a new request")]
    BeforeRequest {
        /// Of what.
        what: String,
    },
    /// Dated ahead.
    #[error("this approval is dated {}, which is yet to come; check the clock of whoever made the request", moment(*issued_ns))]
    FromTheFuture {
        /// Its date.
        issued_ns: u64,
    },
    /// Good for longer than any may be, or for no time.
    #[error("an approval is good for at least a nanosecond and at most 30 days; sign a new request")]
    Life,
    /// No longer good.
    #[error("this approval expired at {}; sign a new request", moment(*expires_ns))]
    Expired {
        /// When.
        expires_ns: u64,
    },
    /// What it is of has ended.
    #[error("{what} ended at {}; ask for it anew", moment(*until_ns))]
    Ended {
        /// What.
        what: String,
        /// When.
        until_ns: u64,
    },
    /// The relaxation was revoked.
    #[error("{what} was revoked; ask for it anew")]
    Revoked {
        /// What.
        what: String,
    },
    /// Someone approves what they asked for themselves.
    #[error("{by} asked for {what}, and nobody approves their own request here; another approver has to")]
    OwnRequest {
        /// Who.
        by: String,
        /// For what.
        what: String,
    },
    /// Someone approves twice.
    #[error("{by} approved {what} already, and counts once; another approver has to")]
    Twice {
        /// Who.
        by: String,
        /// What.
        what: String,
    },
    /// A word that is older than another by the same approver.
    #[error("{by} said something newer about {what} already; sign a new request")]
    Superseded {
        /// Who.
        by: String,
        /// About what.
        what: String,
    },
    /// A nonce that stands for another word.
    #[error("{by} used this nonce for another word on {what}; sign a new request")]
    Nonce {
        /// Who.
        by: String,
        /// About what.
        what: String,
    },
    /// Someone who may not approve this.
    #[error("{by} is not in {groups}, who approve {what}")]
    Group {
        /// Who.
        by: String,
        /// Who may.
        groups: String,
        /// What.
        what: String,
    },
    /// A set of approvers or guards that does not follow the one in force.
    #[error("{what} has revision {is}, and revision {due} is due; start from what is in force now")]
    Revision {
        /// What.
        what: &'static str,
        /// What it has.
        is: u64,
        /// What is due.
        due: u64,
    },
}

impl Refusal {
    pub(crate) fn malformed(what: &'static str, why: impl Into<String>) -> Refusal {
        Refusal::Malformed { what, why: why.into() }
    }

    pub(crate) fn limit(what: impl Into<String>) -> Refusal {
        Refusal::Limit { what: what.into() }
    }
}

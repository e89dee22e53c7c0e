//! What a statement claims.

use ciborium::Value;
use knhk_store::Receipt;

use crate::cbor::{Field, Fields, map};
use crate::{Evidence, Hash, LedgerError};

/// How an operation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was done, or passed.
    Approved,
    /// It was refused, or failed.
    Rejected,
    /// It waits for something.
    Pending,
}

impl Outcome {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Approved => "approved",
            Outcome::Rejected => "rejected",
            Outcome::Pending => "pending",
        }
    }

    fn from_name(name: &str) -> Option<Outcome> {
        [Outcome::Approved, Outcome::Rejected, Outcome::Pending].into_iter().find(|outcome| outcome.as_str() == name)
    }
}

/// What a statement claims: the payload that is signed.
#[derive(Clone, Debug, PartialEq)]
pub struct Claims {
    /// The log's origin, so that a statement cannot be passed off as another log's.
    pub log: String,
    /// Its place in the log, from 0: the counter that keeps an old state from being passed off as the newest.
    pub number: u64,
    /// The leaf of the statement before it: SHA-256(0x00 || statement); zeros for the first.
    pub previous: Hash,
    /// When, in nanoseconds since 1970 (UTC).
    pub time_ns: u64,
    /// The sector that it is about; none: the engine.
    pub sector: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// What happened.
    pub evidence: Evidence,
    /// Ids of receipts of other sectors that belong to the same operation.
    pub links: Vec<String>,
}

impl Claims {
    /// The receipt's id, made of its time, sector and place.
    pub fn id(&self) -> String {
        Receipt::name(self.time_ns, self.sector.as_deref(), self.number)
    }

    pub(crate) fn to_value(&self) -> Value {
        let entries = [
            ("log", self.log.to_value()),
            ("number", self.number.to_value()),
            ("previous", self.previous.to_value()),
            ("time", self.time_ns.to_value()),
            ("sector", self.sector.to_value()),
            ("outcome", Some(Value::Text(self.outcome.as_str().into()))),
            ("kind", Some(Value::Text(self.evidence.kind().into()))),
            ("evidence", Some(self.evidence.to_value())),
            ("links", self.links.to_value()),
            ("id", Some(Value::Text(self.id()))),
        ];
        map(entries.into_iter().filter_map(|(name, value)| Some((name, value?))).collect())
    }

    pub(crate) fn from_value(value: Value) -> Result<Claims, LedgerError> {
        let mut fields = Fields::new("statement", value)?;
        let outcome: String = fields.take("outcome")?;
        let kind: String = fields.take("kind")?;
        let claims = Claims {
            log: fields.take("log")?,
            number: fields.take("number")?,
            previous: fields.take("previous")?,
            time_ns: fields.take("time")?,
            sector: fields.take("sector")?,
            outcome: Outcome::from_name(&outcome)
                .ok_or_else(|| LedgerError::malformed("statement", format!("no outcome is called {outcome:?}")))?,
            evidence: Evidence::from_value(&kind, fields.take("evidence")?)?,
            links: fields.take("links")?,
        };
        let id: String = fields.take("id")?;
        fields.end()?;
        if id != claims.id() {
            return Err(LedgerError::malformed("statement", "its id is not made of its time, sector and number"));
        }
        Ok(claims)
    }
}

//! The requests about receipts: list, prove, checkpoint, keys.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Request;
use super::answers::hex;
use crate::{Engine, Error, ReceiptInfo, ReceiptQuery};

/// Receipts of an answer, unless a request says otherwise.
const ENTRIES: usize = 20;

/// Lists receipts, the newest first.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipts {
    /// Only those about this sector.
    #[serde(default)]
    pub sector: Option<String>,
    /// Only those of this kind, such as `snapshot promoted`.
    #[serde(default)]
    pub kind: Option<String>,
    /// Only those before this place of the log.
    #[serde(default)]
    pub before: Option<u64>,
    /// How many at most; 20 if left out.
    #[serde(default)]
    pub limit: Option<usize>,
}

/// One receipt.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// Its id, or its place in the log.
    pub receipt: String,
}

/// A receipt, as it travels.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Receipted {
    /// Its place in the log, from 0.
    pub number: u64,
    /// Its id.
    pub id: String,
    /// When, in nanoseconds since the Unix epoch.
    pub time_ns: u64,
    /// The sector that it is about; none: the engine.
    pub sector: Option<String>,
    /// What happened.
    pub kind: String,
    /// How it ended.
    pub outcome: String,
    /// What it states.
    pub evidence: Value,
    /// Ids of receipts that belong to the same operation.
    pub links: Vec<String>,
    /// The signed statement (COSE_Sign1), in hexadecimal.
    pub statement: String,
    /// Its leaf of the Merkle log, in hexadecimal.
    pub leaf: String,
}

/// Proves a receipt to whoever has the log's trust root.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProveReceipt {
    /// Its id, or its place in the log.
    pub receipt: String,
}

/// A receipt with what shows that it is in the log.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ProvenReceipt {
    /// The log's name and first key.
    pub trust_root: String,
    /// Statements of the rotations by which later keys took over, in hexadecimal.
    pub rotations: Vec<String>,
    /// The receipt.
    pub receipt: Receipted,
    /// The COSE receipt of its inclusion (RFC 9942), in hexadecimal.
    pub inclusion: String,
}

/// Signs the state of the log, to be held elsewhere.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignCheckpoint {}

/// A signed state of a log.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SignedCheckpoint {
    /// The note (C2SP tlog-checkpoint).
    pub checkpoint: String,
}

/// Lists the keys that sign or signed.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {}

/// A log's trust root and keys.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KeyList {
    /// The log's name and first key; none without a ledger.
    pub trust_root: Option<String>,
    /// The keys, oldest first.
    pub keys: Vec<KeyEntry>,
}

/// A key that signs, or signed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KeyEntry {
    /// Which key, from 0.
    pub number: u64,
    /// The identifier that statements name it by, in hexadecimal.
    pub id: String,
    /// The public key (Ed25519), in hexadecimal.
    pub key: String,
    /// The first receipt that it may sign.
    pub from_receipt: u64,
    /// Since when, in nanoseconds since the Unix epoch.
    pub time_ns: u64,
    /// Whether it signs now.
    pub current: bool,
}

/// Has a new key of the folder sign from here on.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RotateKey {}

impl Request for Receipts {
    const METHOD: &'static str = "receipts";
    type Answer = Vec<Receipted>;

    fn serve(self, engine: &Engine) -> Result<Vec<Receipted>, Error> {
        let Receipts { sector, kind, before, limit } = self;
        let limit = Some(limit.unwrap_or(ENTRIES));
        let query = ReceiptQuery { to: before, sector, kind, newest_first: true, limit, ..Default::default() };
        Ok(engine.receipts(&query)?.into_iter().map(Receipted::from).collect())
    }
}

impl Request for Receipt {
    const METHOD: &'static str = "receipt";
    type Answer = Receipted;

    fn serve(self, engine: &Engine) -> Result<Receipted, Error> {
        Ok(engine.receipt(&self.receipt)?.into())
    }
}

impl Request for ProveReceipt {
    const METHOD: &'static str = "prove_receipt";
    type Answer = ProvenReceipt;

    fn serve(self, engine: &Engine) -> Result<ProvenReceipt, Error> {
        let receipt = engine.receipt(&self.receipt)?;
        let inclusion = hex(&engine.prove_receipt(&receipt.id)?);
        let query =
            ReceiptQuery { kind: Some("key rotated".into()), limit: Some(usize::MAX >> 1), ..Default::default() };
        let rotations = engine.receipts(&query)?.iter().map(|rotation| hex(&rotation.statement)).collect();
        let trust_root = engine.trust_root().unwrap_or_default();
        Ok(ProvenReceipt { trust_root, rotations, receipt: receipt.into(), inclusion })
    }
}

impl Request for SignCheckpoint {
    const METHOD: &'static str = "checkpoint";
    type Answer = SignedCheckpoint;

    fn serve(self, engine: &Engine) -> Result<SignedCheckpoint, Error> {
        Ok(SignedCheckpoint { checkpoint: engine.checkpoint()? })
    }
}

impl Request for Keys {
    const METHOD: &'static str = "keys";
    type Answer = KeyList;

    fn serve(self, engine: &Engine) -> Result<KeyList, Error> {
        let entry = |key: crate::SigningKey| KeyEntry {
            number: key.number,
            id: hex(&key.id),
            key: hex(&key.key),
            from_receipt: key.from_receipt,
            time_ns: key.time_ns,
            current: key.current,
        };
        let keys = engine.signing_keys()?.into_iter().map(entry).collect();
        Ok(KeyList { trust_root: engine.trust_root(), keys })
    }
}

impl Request for RotateKey {
    const METHOD: &'static str = "rotate_key";
    type Answer = Receipted;

    fn serve(self, engine: &Engine) -> Result<Receipted, Error> {
        Ok(engine.rotate_key(None)?.into())
    }
}

impl From<ReceiptInfo> for Receipted {
    fn from(info: ReceiptInfo) -> Receipted {
        let ReceiptInfo { number, id, time_ns, sector, kind, outcome, evidence, links, statement, leaf } = info;
        let (statement, leaf) = (hex(&statement), hex(&leaf));
        Receipted { number, id, time_ns, sector, kind, outcome, evidence, links, statement, leaf }
    }
}

//! What a store keeps: one type for each kind of record.

/// A SHA-256.
pub type Hash = [u8; 32];

/// A receipt of the ledger: a signed statement at its place in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Its place in the log, from 0, without gaps.
    pub number: u64,
    /// Its name, which [`Receipt::name`] makes.
    pub id: String,
    /// When, in nanoseconds since 1970 (UTC).
    pub time_ns: u64,
    /// The sector that it is about; none: the engine.
    pub sector: Option<String>,
    /// What happened, such as "snapshot promoted".
    pub kind: String,
    /// How it ended: "approved", "rejected", "pending".
    pub outcome: String,
    /// The statement as it was signed (COSE_Sign1).
    pub statement: Vec<u8>,
    /// Its leaf of the Merkle log: SHA-256(0x00 || statement).
    pub leaf: Hash,
}

impl Receipt {
    /// The id of a receipt: it begins with the time and so sorts by it, then names the sector ("engine" without one) and, which makes it
    /// unique and quick to find, its place in the log.
    pub fn name(time_ns: u64, sector: Option<&str>, number: u64) -> String {
        format!("{time_ns:016x}-{}-{number}", sector.unwrap_or("engine"))
    }

    /// Whether its id is the one that [`Receipt::name`] makes; it is not made for that, because commits ask this of each receipt.
    pub(crate) fn is_named(&self) -> bool {
        let parts = self.id.split_at_checked(16).and_then(|(time, rest)| Some((time, rest.rsplit_once('-')?)));
        let Some((time, (sector, number))) = parts else { return false };
        time.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
            && u64::from_str_radix(time, 16) == Ok(self.time_ns)
            && sector.strip_prefix('-') == Some(self.sector.as_deref().unwrap_or("engine"))
            && number.bytes().all(|digit| digit.is_ascii_digit())
            && (number == "0" || !number.starts_with('0'))
            && number.parse() == Ok(self.number)
    }

    /// The place in the log that an id names.
    pub(crate) fn place(id: &str) -> Option<u64> {
        id.rsplit_once('-')?.1.parse().ok()
    }
}

/// The root of a complete subtree of the Merkle log, kept so that a proof reads few leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogNode {
    /// The subtree's height: it covers 2^level leaves.
    pub level: u8,
    /// Its place among those of its level, from 0.
    pub position: u64,
    /// Its root.
    pub hash: Hash,
}

/// A snapshot's statements, whole or as what changed since another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The content address. The store takes it as a name; that it is the content's is the caller's to check.
    pub id: Hash,
    /// The snapshot that `removed` and `added` are relative to; none: `added` is everything and `removed` empty.
    pub base: Option<Hash>,
    /// Canonical statements, one a line, sorted bytewise, each with its newline: those of the base that are gone.
    pub removed: Vec<u8>,
    /// Canonical statements, likewise: those that are new.
    pub added: Vec<u8>,
}

/// A sector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SectorRecord {
    /// Its name.
    pub name: String,
    /// Its number, which is its descriptor's place: from 0, without gaps.
    pub number: u32,
    /// How its changes are admitted: "direct", "governed".
    pub kind: String,
    /// When it was created, in nanoseconds since 1970 (UTC).
    pub time_ns: u64,
}

/// A version of a sector: a snapshot that became current.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionRecord {
    /// The sector.
    pub sector: String,
    /// Its number, greater than those before it.
    pub number: u64,
    /// The content that became current.
    pub snapshot: Hash,
    /// The versions of the same sector that it came from: each has a smaller number, so that there is never a cycle.
    pub parents: Vec<u64>,
    /// The generation in which it became current.
    pub epoch: u64,
    /// When, in nanoseconds since 1970 (UTC).
    pub time_ns: u64,
    /// The number of its receipt in the log, where it has one.
    pub receipt: Option<u64>,
    /// Who.
    pub by: String,
    /// Why.
    pub why: String,
    /// Whether it was declared incompatible with the one before.
    pub major: bool,
    /// The version that it made current again.
    pub rollback_of: Option<u64>,
    /// The root of the core ontology that its content address was made with; none: it was made before that was kept.
    pub core: Option<Hash>,
    /// The versions of other sectors that it needs: each sector once, by name.
    pub depends: Vec<(String, u64)>,
}

/// A name for a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    /// The sector.
    pub sector: String,
    /// The tag's name, unique in its sector.
    pub name: String,
    /// The version it names.
    pub version: u64,
    /// When it was set, in nanoseconds since 1970 (UTC).
    pub time_ns: u64,
    /// Who set it.
    pub by: String,
}

/// A revision of a doctrine rule. Revisions are only ever added; removing a rule is a revision that says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The rule's name.
    pub id: String,
    /// The revision, from 1, without gaps.
    pub revision: u64,
    /// The sector it is for; none: all.
    pub sector: Option<String>,
    /// From when it holds, in nanoseconds since 1970 (UTC).
    pub from_ns: u64,
    /// Until when it holds; none: until it is revised.
    pub until_ns: Option<u64>,
    /// Whether this revision removes the rule.
    pub removed: bool,
    /// The rule itself, as JSON.
    pub body: String,
    /// The number of its receipt in the log, where it has one.
    pub receipt: Option<u64>,
}

/// A revision of something that is on its way or in force beside the versions: a proposal, a relaxation, an approval, a schedule and so on.
/// Revisions are only ever added, and the newest one is what holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// What it is, such as "proposal".
    pub kind: String,
    /// Its name, unique in its kind.
    pub id: String,
    /// The revision, from 1, without gaps.
    pub revision: u64,
    /// The sector that it is about; none: the engine. It is the same in every revision.
    pub sector: Option<String>,
    /// When the revision was made, in nanoseconds since 1970 (UTC).
    pub time_ns: u64,
    /// Whether it is not settled yet.
    pub open: bool,
    /// What it says, which is the writer's affair: JSON as a rule.
    pub body: Vec<u8>,
    /// The number of its receipt in the log, where it has one.
    pub receipt: Option<u64>,
}

/// A batch of observations of one sector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Its number, from 0, without gaps.
    pub number: u64,
    /// The sector.
    pub sector: String,
    /// The earliest observation's time, in nanoseconds since 1970 (UTC).
    pub first_ns: u64,
    /// The latest observation's time.
    pub last_ns: u64,
    /// How many observations.
    pub count: u64,
    /// Bytes of one observation; all have the same.
    pub record_bytes: u32,
    /// The Merkle root over them, which the receipt states.
    pub root: Hash,
    /// The number of its receipt in the log, where it has one.
    pub receipt: Option<u64>,
    /// The observations one after another, compressed with zstd; none once retention dropped them.
    pub content: Option<Vec<u8>>,
}

/// A signed checkpoint of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// How many receipts it covers.
    pub size: u64,
    /// The Merkle root over them.
    pub root: Hash,
    /// When it was signed, in nanoseconds since 1970 (UTC).
    pub time_ns: u64,
    /// The signed note (C2SP tlog-checkpoint).
    pub note: String,
}

/// A line of a sector's key table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyLine {
    /// The sector.
    pub sector: String,
    /// Which line, from 0, without gaps.
    pub number: u64,
    /// The line.
    pub text: String,
}

/// The public part of a signing key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    /// Which key, from 0: the first one is the trust root, each other one took over from the one before.
    pub number: u64,
    /// The identifier that statements name it by.
    pub id: Vec<u8>,
    /// The public key (Ed25519).
    pub key: Hash,
    /// The first receipt that it may sign.
    pub from_receipt: u64,
    /// Since when, in nanoseconds since 1970 (UTC).
    pub time_ns: u64,
}

/// A checkpoint of a program's components. It is called a state here, because a checkpoint is one of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// Whose.
    pub name: String,
    /// Its number, greater than those of the same name before it.
    pub number: u64,
    /// Whether it stands alone; otherwise it builds on an earlier one.
    pub whole: bool,
    /// What it says, which is the writer's affair.
    pub content: Vec<u8>,
}

/// A setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its name.
    pub name: String,
    /// Its value; none removes it.
    pub value: Option<String>,
}

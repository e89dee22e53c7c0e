-- The tables of a KNHK store. Times are nanoseconds since 1970 (UTC), hashes 32 bytes. The views in views.sql show the same in readable form.

-- The ledger: one row a receipt, at its place of the Merkle log (RFC 9162). Its id follows from its time, sector and number: see the view log.
CREATE TABLE receipts (
    number    INTEGER PRIMARY KEY,       -- from 0, without gaps
    time_ns   INTEGER NOT NULL,
    sector    TEXT,                      -- NULL: about the engine
    kind      TEXT NOT NULL,
    outcome   TEXT NOT NULL,
    statement BLOB NOT NULL,             -- COSE_Sign1 (RFC 9052)
    leaf      BLOB NOT NULL CHECK (length(leaf) = 32)
) STRICT;

-- Where the receipts of a sector are: blocks of 256 numbers that hold at least one. An index of each would double what a receipt costs.
CREATE TABLE receipt_blocks (
    sector TEXT NOT NULL,
    block  INTEGER NOT NULL,             -- number / 256
    PRIMARY KEY (sector, block)
) STRICT, WITHOUT ROWID;

-- Roots of complete subtrees of the log, 2^level leaves each.
CREATE TABLE log_nodes (
    level    INTEGER NOT NULL,
    position INTEGER NOT NULL,
    hash     BLOB NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (level, position)
) STRICT, WITHOUT ROWID;

-- Signed checkpoints of the log (C2SP tlog-checkpoint).
CREATE TABLE checkpoints (
    size    INTEGER PRIMARY KEY,
    root    BLOB NOT NULL CHECK (length(root) = 32),
    time_ns INTEGER NOT NULL,
    note    TEXT NOT NULL
) STRICT;

-- The public parts of the keys that sign; key 0 is the trust root.
CREATE TABLE public_keys (
    number       INTEGER PRIMARY KEY,
    id           BLOB NOT NULL UNIQUE,
    key          BLOB NOT NULL CHECK (length(key) = 32),
    from_receipt INTEGER NOT NULL,
    time_ns      INTEGER NOT NULL
) STRICT;

-- Canonical statements by content address: whole where base is NULL, else what changed since the base. Lines, zstd.
CREATE TABLE snapshots (
    id            BLOB PRIMARY KEY CHECK (length(id) = 32),
    base          BLOB REFERENCES snapshots (id),
    depth         INTEGER NOT NULL,      -- changes until one that is whole
    removed       BLOB NOT NULL,
    removed_bytes INTEGER NOT NULL,      -- uncompressed
    added         BLOB NOT NULL,
    added_bytes   INTEGER NOT NULL
) STRICT;
CREATE INDEX snapshots_by_base ON snapshots (base) WHERE base IS NOT NULL;

CREATE TABLE sectors (
    name    TEXT PRIMARY KEY,
    number  INTEGER NOT NULL UNIQUE,     -- from 0, without gaps
    kind    TEXT NOT NULL,
    time_ns INTEGER NOT NULL
) STRICT;

CREATE TABLE versions (
    sector      TEXT NOT NULL REFERENCES sectors (name),
    number      INTEGER NOT NULL,
    snapshot    BLOB NOT NULL REFERENCES snapshots (id),
    parents     TEXT NOT NULL,           -- a JSON list of smaller numbers
    epoch       INTEGER NOT NULL,
    time_ns     INTEGER NOT NULL,
    receipt     INTEGER REFERENCES receipts (number),
    by          TEXT NOT NULL,
    why         TEXT NOT NULL,
    major       INTEGER NOT NULL CHECK (major IN (0, 1)),
    rollback_of INTEGER,
    PRIMARY KEY (sector, number)
) STRICT;
CREATE INDEX versions_by_snapshot ON versions (snapshot);
CREATE INDEX versions_by_receipt ON versions (receipt) WHERE receipt IS NOT NULL;

CREATE TABLE tags (
    sector  TEXT NOT NULL,
    name    TEXT NOT NULL,
    version INTEGER NOT NULL,
    time_ns INTEGER NOT NULL,
    by      TEXT NOT NULL,
    PRIMARY KEY (sector, name),
    FOREIGN KEY (sector, version) REFERENCES versions (sector, number)
) STRICT;
CREATE INDEX tags_by_version ON tags (sector, version);

-- Doctrine: revisions are only ever added.
CREATE TABLE rules (
    id       TEXT NOT NULL,
    revision INTEGER NOT NULL,           -- from 1, without gaps
    sector   TEXT,                       -- NULL: all sectors
    from_ns  INTEGER NOT NULL,
    until_ns INTEGER,
    removed  INTEGER NOT NULL CHECK (removed IN (0, 1)),
    body     TEXT NOT NULL,              -- JSON
    receipt  INTEGER REFERENCES receipts (number),
    PRIMARY KEY (id, revision)
) STRICT;
CREATE INDEX rules_by_receipt ON rules (receipt) WHERE receipt IS NOT NULL;

-- Observations, batch by batch; content becomes NULL when retention drops it, the rest stays.
CREATE TABLE segments (
    number       INTEGER PRIMARY KEY,    -- from 0, without gaps
    sector       TEXT NOT NULL REFERENCES sectors (name),
    first_ns     INTEGER NOT NULL,
    last_ns      INTEGER NOT NULL,
    count        INTEGER NOT NULL,
    record_bytes INTEGER NOT NULL,
    root         BLOB NOT NULL CHECK (length(root) = 32),
    receipt      INTEGER REFERENCES receipts (number),
    content      BLOB                    -- zstd of count records
) STRICT;
CREATE INDEX segments_by_sector ON segments (sector, number);
CREATE INDEX segments_by_receipt ON segments (receipt) WHERE receipt IS NOT NULL;

-- Key tables: which slot each name has, line by line, append-only.
CREATE TABLE key_lines (
    sector TEXT NOT NULL REFERENCES sectors (name),
    number INTEGER NOT NULL,             -- from 0, without gaps
    line   TEXT NOT NULL,
    PRIMARY KEY (sector, number)
) STRICT, WITHOUT ROWID;

-- Checkpoints of a program's components; what they say is described with knhk_resilience::checkpoint.
CREATE TABLE states (
    name    TEXT NOT NULL,
    number  INTEGER NOT NULL,
    whole   INTEGER NOT NULL CHECK (whole IN (0, 1)), -- 0: it builds on an earlier one
    content BLOB NOT NULL,
    PRIMARY KEY (name, number)
) STRICT;

CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

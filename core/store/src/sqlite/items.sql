-- What is on its way or in force beside the versions: proposals, relaxations, approvals, schedules and so on. Revisions are only ever
-- added; what a body says is the writer's affair, JSON as a rule.
CREATE TABLE items (
    kind     TEXT NOT NULL,
    id       TEXT NOT NULL,              -- unique in its kind
    revision INTEGER NOT NULL,           -- from 1, without gaps
    sector   TEXT REFERENCES sectors (name), -- NULL: the engine
    time_ns  INTEGER NOT NULL,
    open     INTEGER NOT NULL CHECK (open IN (0, 1)), -- 1: it is not settled yet
    body     BLOB NOT NULL,
    receipt  INTEGER REFERENCES receipts (number),
    newest   INTEGER NOT NULL CHECK (newest IN (0, 1)), -- 1: no revision came after it
    PRIMARY KEY (kind, id, revision)
) STRICT;
CREATE INDEX items_newest ON items (kind, open, time_ns, id) WHERE newest = 1;
CREATE INDEX items_by_sector ON items (sector) WHERE sector IS NOT NULL;
CREATE INDEX items_by_receipt ON items (receipt) WHERE receipt IS NOT NULL;

-- The root of the core ontology that a version's content address was made with; NULL: it was made before it was kept.
ALTER TABLE versions ADD COLUMN core BLOB CHECK (core IS NULL OR length(core) = 32);

-- The versions of other sectors that a version needs.
CREATE TABLE dependencies (
    sector TEXT NOT NULL,
    number INTEGER NOT NULL,
    needs  TEXT NOT NULL REFERENCES sectors (name),
    at     INTEGER NOT NULL,             -- the number of the version of the other sector
    PRIMARY KEY (sector, number, needs),
    FOREIGN KEY (sector, number) REFERENCES versions (sector, number) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE VIEW governance AS
SELECT kind, id, revision, sector, CASE open WHEN 1 THEN 'open' ELSE 'settled' END AS state,
       strftime('%Y-%m-%dT%H:%M:%S', time_ns / 1000000000, 'unixepoch') || printf('.%09dZ', time_ns % 1000000000) AS time,
       receipt, CAST(body AS TEXT) AS body
FROM items WHERE newest = 1;

DROP VIEW history;
CREATE VIEW history AS
SELECT sector, number AS version, lower(hex(snapshot)) AS snapshot, parents,
       strftime('%Y-%m-%dT%H:%M:%S', time_ns / 1000000000, 'unixepoch') || printf('.%09dZ', time_ns % 1000000000) AS time,
       by, why, CASE major WHEN 1 THEN 'major' ELSE 'compatible' END AS change, rollback_of, receipt,
       (SELECT group_concat(name, ', ') FROM tags WHERE tags.sector = versions.sector AND tags.version = versions.number) AS tags,
       (SELECT group_concat(needs || ' ' || at, ', ') FROM dependencies
        WHERE dependencies.sector = versions.sector AND dependencies.number = versions.number) AS needs,
       lower(hex(core)) AS core
FROM versions;

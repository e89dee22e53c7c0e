-- The store for people: the same rows with times as dates (UTC) and hashes in hexadecimal.

CREATE VIEW log AS
SELECT number, printf('%016x-%s-%d', time_ns, coalesce(sector, 'engine'), number) AS id,
       strftime('%Y-%m-%dT%H:%M:%S', time_ns / 1000000000, 'unixepoch') || printf('.%09dZ', time_ns % 1000000000) AS time,
       sector, kind, outcome, length(statement) AS statement_bytes, lower(hex(leaf)) AS leaf
FROM receipts;

CREATE VIEW history AS
SELECT sector, number AS version, lower(hex(snapshot)) AS snapshot, parents,
       strftime('%Y-%m-%dT%H:%M:%S', time_ns / 1000000000, 'unixepoch') || printf('.%09dZ', time_ns % 1000000000) AS time,
       by, why, CASE major WHEN 1 THEN 'major' ELSE 'compatible' END AS change, rollback_of, receipt,
       (SELECT group_concat(name, ', ') FROM tags WHERE tags.sector = versions.sector AND tags.version = versions.number) AS tags
FROM versions;

CREATE VIEW stored_snapshots AS
SELECT lower(hex(id)) AS id, lower(hex(base)) AS base, depth, removed_bytes, added_bytes,
       length(removed) + length(added) AS stored_bytes
FROM snapshots;

CREATE VIEW observations AS
SELECT number AS segment, sector, count,
       strftime('%Y-%m-%dT%H:%M:%S', first_ns / 1000000000, 'unixepoch') || printf('.%09dZ', first_ns % 1000000000) AS first,
       strftime('%Y-%m-%dT%H:%M:%S', last_ns / 1000000000, 'unixepoch') || printf('.%09dZ', last_ns % 1000000000) AS last,
       lower(hex(root)) AS root, receipt, CASE WHEN content IS NULL THEN 'dropped' ELSE 'held' END AS state,
       length(content) AS stored_bytes
FROM segments;

CREATE VIEW signing_keys AS
SELECT number, lower(hex(id)) AS id, lower(hex(key)) AS public_key, from_receipt,
       strftime('%Y-%m-%dT%H:%M:%S', time_ns / 1000000000, 'unixepoch') || printf('.%09dZ', time_ns % 1000000000) AS since
FROM public_keys;

CREATE VIEW doctrine AS
SELECT id, revision, sector, CASE removed WHEN 1 THEN 'removed' ELSE 'in force' END AS state,
       strftime('%Y-%m-%dT%H:%M:%S', from_ns / 1000000000, 'unixepoch') || printf('.%09dZ', from_ns % 1000000000) AS effective_from,
       strftime('%Y-%m-%dT%H:%M:%S', until_ns / 1000000000, 'unixepoch') || printf('.%09dZ', until_ns % 1000000000) AS effective_until,
       receipt, body
FROM rules
WHERE revision = (SELECT max(revision) FROM rules AS newest WHERE newest.id = rules.id);

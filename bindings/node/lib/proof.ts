// What an engine tells of its history: receipts, keys, versions, and what observations add up to.

/**
 * Which version: its number, `current`, `~3` (3 before the current one), a tag, 6 or more hexadecimal digits of a content address, a moment
 * (`2026-11-01T09:00:00Z`, or the date alone), or `@2h` for two hours ago.
 */
export type Reference = number | string;

/** Which receipts: from `first` to before `end`, of one sector or kind. */
export interface ReceiptFilter {
  first?: number;
  end?: number;
  sector?: string;
  /** What happened, such as `snapshot promoted`. */
  kind?: string;
  newestFirst?: boolean;
  /** How many at most (1,000). */
  limit?: number;
}

/** A receipt: a signed statement of one operation, at its place in the log. */
export interface Receipt {
  /** Its place in the log, from 0. */
  number: number;
  /** Its id, which sorts by time. */
  id: string;
  time: Date;
  /** Nanoseconds since the Unix epoch. */
  timeNs: bigint;
  /** The sector that it is about; absent: the engine. */
  sector?: string;
  /** What happened, such as `snapshot promoted`. */
  kind: string;
  /** How it ended: `approved`, `rejected`, `pending`. */
  outcome: string;
  /** What it states, field by field; bytes as hexadecimal digits. */
  evidence: Record<string, unknown>;
  /** Ids of receipts of other sectors that belong to the same operation. */
  links: string[];
  /** The statement as it was signed (COSE_Sign1, RFC 9052). */
  statement: Uint8Array;
  /** Its leaf of the Merkle log: SHA-256(0x00 || statement). */
  leaf: Uint8Array;
}

/** A key that signs, or signed. */
export interface SigningKey {
  /** Which key, from 0: the first one is the trust root's, each other one took over from the one before. */
  number: number;
  /** What statements name it by: the first 8 bytes of its SHA-256, in hexadecimal. */
  id: string;
  /** The public key (Ed25519), 32 bytes. */
  key: Uint8Array;
  /** The first receipt that it may sign. */
  fromReceipt: number;
  time: Date;
  timeNs: bigint;
  /** Whether it signs now. */
  current: boolean;
}

/** A log and a history that are whole. */
export interface Verified {
  receipts: number;
  /** Keys that signed them. */
  keys: number;
  /** Checkpoints that were stored. */
  checkpoints: number;
  /** Observations whose hashes lead to the roots that were signed. */
  observations: number;
  /** Observations that retention dropped; their batches' receipts are there. */
  dropped: number;
  /** Versions whose receipts state them and whose content has its address. */
  versions: number;
  /** Different snapshots among them. */
  snapshots: number;
  /** Versions among them that were made with another core ontology than this library's: they are as they were signed. */
  otherCore: number;
  /** The Merkle root over all receipts, in hexadecimal. */
  root: string;
}

/** How far something long is. What does not apply is 0. */
export interface Progress {
  /** Receipts verified, or pages of the store copied. */
  done: number;
  /** How many there are, as far as known now. */
  total: number;
  /** Observations verified. */
  observations: number;
  /** Versions verified. */
  versions: number;
}

/** A version, as the log tells it. */
export interface LogEntry {
  version: number;
  /** The content address, in hexadecimal. */
  snapshotId: string;
  /** The versions that it came from; none also where it is no longer kept. */
  parents: number[];
  epoch: number;
  time: Date;
  timeNs: bigint;
  by: string;
  why: string;
  major: boolean;
  /** The version whose content it brought back. */
  rollbackOf?: number;
  /** The id of its receipt. */
  receipt?: string;
  /** Its tags, sorted. */
  tags: string[];
  /** Whether its content is still kept; its receipt is in any case. */
  retained: boolean;
}

/** A name for a version. */
export interface Tag {
  name: string;
  version: number;
  time: Date;
  timeNs: bigint;
  by: string;
}

/** How many observations, and how they ended. */
export interface Counts {
  count: number;
  unspecified: number;
  success: number;
  rejected: number;
  error: number;
  timeout: number;
  /** Those with a code of the program's own. */
  own: number;
  /** Those whose value is not of the type or range that the ontology declares. */
  mismatched: number;
}

/** What a window's observations add up to; absent where there is no data. */
export interface Figures {
  /** What they are over: the window, or less while it is not full. */
  seconds: number;
  counts: Counts;
  /** Observations a second. */
  rate: number;
  /** The share of those whose outcome is not success, in %. */
  failureShare?: number;
  sum?: number;
  mean?: number;
  min?: number;
  max?: number;
  /** The median; quantiles are within 1 %. */
  p50?: number;
  p90?: number;
  p99?: number;
  p999?: number;
}

/** What the observations under a key, of a kind, add up to. */
export interface Aggregate {
  /** Its path; absent for what came beyond the limit of series. */
  key?: string;
  kind?: string;
  unit?: string;
  /** The window that ends now. */
  window: Figures;
  /** Since the engine was opened. */
  total: Counts;
}

/** How a service level objective stands. */
export interface Objective {
  name: string;
  /** The kind that it is about. */
  kind: string;
  /** What is computed: `failure_share`, `p99` and so on. */
  aggregate: string;
  bound: 'at most' | 'at least';
  /** The parameter that is the limit. */
  parameter: string;
  limit?: number;
  windowSeconds: number;
  /** The value now; absent where there is no data. */
  value?: number;
  /** Whether it holds; absent where there is no data, or no limit. */
  met?: boolean;
  /** How much of what is allowed is used up; above 1 it is broken. */
  burn?: number;
  figures: Figures;
}

/** A batch of observations of one sector that became durable under one receipt. */
export interface Segment {
  number: number;
  sector: string;
  firstNs: bigint;
  lastNs: bigint;
  count: number;
  /** The Merkle root over them (RFC 9162), in hexadecimal. */
  root: string;
  /** The number of its receipt. */
  receipt?: number;
}

/** An observation that was kept. */
export interface KeptObservation {
  sector: string;
  key?: string;
  /** A BigInt for i64 keys. */
  value?: bigint | number | boolean;
  outcome: number;
  subject: bigint;
  detail: bigint;
  timeNs: bigint;
  /** The generation in which it was made. */
  epoch: number;
}

/** Figures of what drains the rings, since the engine was opened. */
export interface ObserveStats {
  drained: number;
  persisted: number;
  refused: number;
  unattributed: number;
  lost: number;
  segments: number;
  storedBytes: number;
  pruned: number;
  heldBytes: number;
  /** Why observations cannot be stored now, if so. */
  failing?: string;
}

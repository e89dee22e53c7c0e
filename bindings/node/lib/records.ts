// What goes in and comes out: the types of values, options and records.

import type { Signer } from './signer.js';

/** What a key's type reads as. */
export interface ValueTypes {
  bool: boolean;
  /** Exact up to 2^53 - 1 either way; beyond, `value` throws a RangeError and `bigint` has it. */
  i64: number;
  f64: number;
  string: string;
  bytes: Uint8Array;
  'list<bool>': readonly boolean[];
  'list<i64>': readonly number[];
  'list<f64>': readonly number[];
  'list<string>': readonly string[];
  'list<bytes>': readonly Uint8Array[];
  /** A map has no value of its own: see `lookup`. */
  map: never;
  /** A class has no value of its own: see `isA`. */
  class: never;
}

/** The name of a type. */
export type ValueType = keyof ValueTypes;

/** Any value that can be read. */
export type Value = ValueTypes[ValueType];

/** What a key's type reads as in its BigInt form. */
export interface BigTypes {
  i64: bigint;
  'list<i64>': readonly bigint[];
}

/** A value as a document holds it. A BigInt is an integer of 64 bits, a Uint8Array bytes. */
export type DocumentValue =
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly DocumentValue[]
  | { readonly [name: string]: DocumentValue };

/** A sector's knowledge: objects of objects and values, `$value` with `$min`, `$max`, `$unit` and so on where more is to be said. */
export type Document = { readonly [name: string]: DocumentValue };

/** How an engine is opened; what is left out has a default that suits a service. */
export interface OpenOptions {
  /** Versions retained per sector, the current one included (64). */
  history?: number;
  /** How the reclaimer makes sure that no reader is in the way; `fence` where seccomp forbids `membarrier`. */
  barrier?: 'auto' | 'fence';
  /** Retired generations that may wait to be freed (256). */
  retainedRoots?: number;
  /** Bytes held by stalled readers from which they are reported. */
  softLimitBytes?: number;
  /** Bytes held by stalled readers from which promotions are refused. */
  hardLimitBytes?: number;
  /** Records of each thread's observation ring (1024). */
  ringRecords?: number;
  /** How often the cached clock advances, in milliseconds (1). */
  clockPeriodMs?: number;
  /** Takes commands of `knhk` over a socket in the engine's folder, from the folder's owner alone (false). */
  control?: boolean;
  /** Opens a still picture of a folder, beside the engine that has it open, if one has. Changes are refused: `KNHK_IO` (false). */
  readOnly?: boolean;
  /** Who signs receipts in place of the key in the folder; in memory there are receipts with one only. */
  signer?: Signer;
  /** What the folder's log must begin at: `engine.trustRoot` as it was told before. */
  trustRoot?: string;
  /** What `engine.checkpoint()` told before: opening finds a log that was cut off or forked since. */
  checkpoint?: string;
  /** Versions of each sector that are kept in the folder; what either limit asks to keep is kept, everything without limits. */
  retainVersions?: number;
  /** Versions that were current within this many milliseconds are kept. */
  retainAgeMs?: number;
  /**
   * Has decisions be dated by a clock that stands at this moment, in milliseconds since 1970, until `engine.advanceTime` moves it: for tests and
   * simulations.
   */
  manualTimeMs?: number;
  /** What an operation of the hot path may take on average, in milliseconds (0.0001); beyond it the warm path yields: see `engine.reportHot`. */
  hotBudgetMs?: number;
  /** Has the engine take observations out of the rings by itself, add them up, and keep them under receipts (false). */
  observations?: boolean | KeepOptions;
}

/** How observations are kept; what is left out has a default that suits a service. */
export interface KeepOptions {
  /** Observations of a segment, which has one receipt (16,384). */
  segmentRecords?: number;
  /** How long one waits for its segment to fill, at most, in milliseconds (1,000). */
  sealAfterMs?: number;
  /** Memory for observations that are not durable yet (64 MiB); beyond it rings fill and refuse, which is counted. */
  memoryBytes?: number;
  /** How often the rings are looked into while they are empty, in milliseconds (1). */
  periodMs?: number;
  /** Bytes of observations that are kept, 64 each (all). Counts, Merkle roots and receipts are kept for ever. */
  retainBytes?: number;
  /** For how long observations are kept, in milliseconds (for ever). */
  retainAgeMs?: number;
  /** The window that aggregates are over, in milliseconds (10,000). */
  windowMs?: number;
  /** Pairs of key and kind that are added up apart, at most (512). */
  series?: number;
  /** The effort of zstd, -7 to 19 (1). */
  compression?: number;
}

/** Lets an operation that has not started yet be called off. */
export interface Abortable {
  /** Aborted before the operation starts, nothing is done and the promise rejects with the signal's reason. Later it is too late. */
  signal?: AbortSignal;
}

/** Who asks for a change, why, and whether it may break keys. */
export interface PromoteOptions {
  by?: string;
  why?: string;
  /** Declares a major version: keys that programs hold may be dropped or change their type. */
  major?: boolean;
}

/** How knowledge is written. `json` holds parameters and classes alone, as `promote` takes them. */
export const FORMATS = ['turtle', 'ntriples', 'nquads', 'jsonld', 'rdfxml', 'json'] as const;
export type Format = (typeof FORMATS)[number];

/** A change by statement: what is taken away, and then what is added. */
export interface Delta {
  remove?: string | Uint8Array;
  add?: string | Uint8Array;
  /** That of both texts (`turtle`). */
  format?: Exclude<Format, 'json'>;
}

/** One result of a validation. Terms are written as in Turtle. */
export interface ValidationResult {
  severity: 'info' | 'warning' | 'violation';
  /** What it is about: the focus node. */
  focus: string;
  /** The path from there; absent where the focus node itself is meant. */
  path?: string;
  /** The value at fault; absent where none in particular is. */
  value?: string;
  /** The constraint component, as an IRI. */
  component: string;
  /** The shape that was broken. */
  shape: string;
  /** A sentence for people. */
  message: string;
}

/** What a validation found. */
export interface Report {
  readonly conforms: boolean;
  readonly results: readonly ValidationResult[];
  /** For people, a line for each result. */
  readonly text: string;
  /** The report in the vocabulary of SHACL. */
  toRdf(format?: Exclude<Format, 'json'>): string;
}

/** What leads from one version to another: sorted statements of N-Triples. */
export interface StatementDiff {
  removed: string[];
  added: string[];
  /** A line for each, after `- ` or `+ `. */
  text: string;
}

/** An identifier that two sectors define differently. */
export interface IdentifierConflict {
  identifier: string;
  sectors: [string, string];
  /** For people. */
  message: string;
}

/** One path that a change touched. */
export interface Difference {
  path: string;
  /** What it was; absent where the path is new. */
  old?: string;
  /** What it is; absent where the path is gone. */
  new?: string;
  /** For people: `max_qty 1200 → 1000`. */
  summary: string;
}

interface Promoted {
  /** Counts the sector's promotions and rollbacks from 1. */
  version: number;
  /** The content address, in hexadecimal. */
  snapshotId: string;
  /** The generation of all sectors in which it became current. */
  epoch: number;
  time: Date;
  /** Nanoseconds since the Unix epoch. */
  timeNs: bigint;
  by: string;
  why: string;
  /** The version whose content came back, for a rollback. */
  rollbackOf?: number;
  changes: Difference[];
}

/** An entry of a sector's history. */
export interface VersionInfo extends Promoted {
  major: boolean;
  /** The version that it took the place of. */
  parent?: number;
  /** The id of its receipt, for `engine.receipt`; absent in memory without a signer. */
  receipt?: string;
  /** What each phase took, in nanoseconds. */
  phases: { parseNs: number; verifyNs: number; compileNs: number; journalNs: number; swapNs: number; totalNs: number };
}

/** A promotion or rollback that became current. */
export interface Change extends Promoted {
  sector: string;
  /** One line for people: `orders 7: max_qty 1200 → 1000 (by ops-2: desk asked)`. */
  summary: string;
  /** Changes that were missed before this one, because the program fell behind. */
  missed: number;
}

/** A line of the engine's log. */
export interface LogLine {
  level: 'debug' | 'info' | 'warning' | 'error';
  /** The part of the engine. */
  part: string;
  message: string;
  /** Lines that were missed before this one, because the program fell behind. */
  missed: number;
}

export interface SectorInfo {
  name: string;
  kind: 'direct' | 'governed';
  /** Whether a version was promoted. */
  ready: boolean;
  /** The current version, 0 before the first promotion. */
  version: number;
  snapshotId: string;
  epoch: number;
  /** How many values the current document has. */
  keys: number;
}

export interface KeyInfo {
  name: string;
  type: ValueType;
  /** The value and its range as people write them: `1000 lots   (1 … 5000)`. */
  display: string;
  unit?: string;
  doc?: string;
}

/** What became of what was observed; from 256 on a program's own codes. */
export type Outcome = 'unspecified' | 'success' | 'rejected' | 'error' | 'timeout' | number;

/** What is said with an observation. */
export interface ObserveOptions {
  outcome?: Outcome;
  /** Whom it concerns: a hash of 64 bits. */
  subject?: number | bigint;
  /** The program's own word of 64 bits. */
  detail?: number | bigint;
  /** When, in nanoseconds since the Unix epoch; the engine's cached clock otherwise. */
  timeNs?: bigint;
}

/** An observation that was drained. */
export interface Observation {
  /** The sector and key, where the key was interned in this process. */
  sector?: string;
  key?: string;
  /** A BigInt for i64 keys. */
  value: bigint | number | boolean;
  /** 0 unspecified, 1 success, 2 rejected, 3 error, 4 timeout, from 256 on the program's own. */
  outcome: number;
  subject: bigint;
  detail: bigint;
  timeNs: bigint;
  /** The generation in which it was made. */
  epoch: number;
  /** The thread's reader, and the record's number there. */
  reader: number;
  sequence: number;
}

/** Figures since the engine was opened. */
export interface Stats {
  sectors: number;
  promotions: number;
  refused: number;
  missedChanges: number;
  /** Stored versions that were damaged and passed over when the engine was opened. */
  damagedVersions: number;
  epoch: number;
  readers: number;
  retainedRoots: number;
  retainedBytes: number;
  coldReads: number;
  observed: number;
  dropped: number;
  fenceMode: boolean;
  reclaimBatches: number;
  reapedReaders: number;
}

/** Why a read has, or has not, a value. `not-ready`: nothing was promoted yet; a value is then a declared default. */
export type Reason = 'present' | 'absent' | 'wrong-type' | 'not-ready' | 'closed';

/** A value with its reason. */
export type Tried<T> = { value: T; reason: 'present' | 'not-ready' } | { value: undefined; reason: Exclude<Reason, 'present'> };

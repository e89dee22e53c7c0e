// What governance answers of changes that are tried before they are everyone's, and of the history. The JSON of docs/governing.md, field by field.

import type { Json, Proposal, Severity } from './governed.js';

/** A boundary. Beside these fields it has what it draws: `chain`, `limit`, `interlock`, `residency`, `bound` and so on, as docs/guards.md says. */
export interface Guard {
  id: string;
  kind: 'approval_chain' | 'safety_interlock' | 'data_residency' | 'performance_bound' | 'compliance_rule';
  criticality: 'low' | 'medium' | 'high' | 'critical';
  sector?: string;
  doc?: string;
  groups?: string[];
  longest_seconds?: number;
  [boundary: string]: unknown;
}

/** The guards in force. */
export interface Guards {
  revision: number;
  guard: Guard[];
}

/** A rule as it was decided at a moment; `rule` is as docs/doctrine.md has it. */
export interface RuleRevision {
  rule: Json & { id: string; sector?: string };
  revision: number;
  decided_ns: number;
  removed: boolean;
  by: string;
  why: string;
}

/** One path whose value, or what is said about it, differs. */
export interface ValueDifference {
  path: string;
  old: string | null;
  new: string | null;
  /** Both, in short: `max_qty 1200 → 1000`. */
  summary: string;
}

/** A test of a shadow: what is asserted, and how grave it is where it does not hold. */
export interface ShadowTest {
  name: string;
  severity: Severity;
  assertion:
    | 'no_conflicts'
    | { class: { class: string; under?: string } }
    | { property: { subject: string; property: string; value?: string } }
    | { guard: { parameter: string; min?: number; max?: number } }
    | { invariant: { condition: string } }
    /** What `setTestFunction` registered under the name. */
    | { function: { name: string } };
}

/** What came of the tests of a sector in a shadow; `failed` says what does not hold. */
export interface ShadowTested {
  sector: string;
  report: {
    verdict: 'passed' | 'refused';
    outcomes: { name: string; severity: Severity; failed: string | null; duration_ns: number }[];
    duration_ns: number;
  };
}

/** Where a change is tried. */
export interface Shadow {
  id: string;
  by: string;
  time_ns: number;
  differences: { sector: string; differences: ValueDifference[] }[];
  tested: ShadowTested[] | null;
}

/** A version that something led to. */
export interface LedTo {
  sector: string;
  version: {
    version: number;
    snapshot_id: string;
    time_ns: number;
    by: string;
    why: string;
    major: boolean;
    rollback_of: number | null;
    receipt: string | null;
  };
}

/** A service level objective as it stands in an arm; `met` is null without data, which is no pass. */
export interface ArmObjective {
  name: string;
  value: number | null;
  limit: number | null;
  met: boolean | null;
}

/** What was recorded in one arm. */
export interface Arm {
  count: number;
  /** Unspecified, success, rejected, failed, timed out. */
  outcomes: number[];
  /** Those with codes of the program's own. */
  own: number;
  failure_share: number | null;
  objectives: ArmObjective[];
}

/** Who ended something, and why. */
export interface ClosedBy {
  by: string;
  why: string;
  time_ns: number;
}

/** A share of the subjects that reads what is to come. */
export interface Canary {
  id: string;
  state: 'running' | 'adopted' | 'stopped' | 'cut_off';
  proposal: string | null;
  share: number;
  by: string;
  why: string;
  time_ns: number;
  arms: { sector: string; current: Arm; candidate: Arm; without_subject: number }[];
  versions: LedTo[];
  closed: ClosedBy | null;
}

/** A change whose time is to come, or has come. */
export interface Schedule {
  id: string;
  state: 'waiting' | 'done' | 'failed' | 'cancelled';
  proposal: string | null;
  at: { moment?: string; window?: string; time_zone?: string };
  next_ns: number;
  until_ns: number;
  by: string;
  why: string;
  time_ns: number;
  said: string;
  versions: LedTo[];
  closed: ClosedBy | null;
}

/** A promotion whose objectives are watched. */
export interface Probation {
  id: string;
  state: 'watching' | 'held' | 'passed' | 'kept' | 'rolled_back' | 'superseded';
  sectors: { sector: string; version: number; back_to: number; objectives: ArmObjective[] }[];
  since_ns: number;
  until_ns: number;
  said: string;
}

/** A version as the one that changed something. */
export interface MadeBy {
  version: number;
  time_ns: number;
  by: string;
  why: string;
  receipt: string;
}

/** Something that both sides of a merge changed differently; statements are lines of N-Triples. */
export interface Conflict {
  item: string;
  what: string;
  base: string[];
  ours: string[];
  theirs: string[];
  ours_by: MadeBy | null;
  theirs_by: MadeBy | null;
}

/** What becomes of a conflict: a side, or a value as text. */
export type Resolution = 'ours' | 'theirs' | { value: string };

/** What came of a merge. */
export interface Merge {
  sector: string;
  base: number | null;
  ours: number;
  theirs: number;
  conflicts: Conflict[];
  removed: string[];
  added: string[];
  /** All of it for people. */
  text: string;
  proposal: Proposal | null;
}

/** A statement and the version that it came with. */
export interface Blamed {
  statement: string;
  path: string | null;
  change: MadeBy;
  or_earlier: boolean;
}

/** The first bad version. `or`: those that could not be told; `lost`: the first and the last of those not kept between. */
export interface Culprit {
  change: MadeBy;
  good: number;
  or: number[];
  lost: [number, number] | null;
}

/** A rule that a change broke. */
export interface Violation {
  rule: string;
  sector: string;
  proposal: string;
  by: string;
  time_ns: number;
  severity: Severity;
  what: string;
  /** Whether an approval overrode the rule. */
  overridden: boolean;
}

/** What a function is asked. */
export interface JudgeQuestion {
  kind: 'rule' | 'invariant' | 'test';
  name: string;
  sector: string;
  differences: ValueDifference[];
  /** Of a rule. */
  rule?: Json;
  /** Of a rule and of an invariant. */
  proposal?: string;
  by?: string;
  why?: string;
  major?: boolean;
  confidence?: number | null;
  time_ns?: number;
  at_ns?: number | null;
  /** Of a test. */
  shadow?: string;
}

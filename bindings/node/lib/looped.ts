// What the closed loop asks and answers: patterns, questions, plans, cycles. The JSON of docs/loop.md, field by field.

/** When a hook is called. */
export type Phase = 'monitor' | 'analyze' | 'plan' | 'execute' | 'learn';

/** Something in the observations that is not as it was. */
export interface Pattern {
  watch: string;
  sector: string;
  detector: string;
  /** The parameter that it concerns, where the watch names one. */
  concerns: string | null;
  /** 1 - the probability of what was seen while nothing changed. */
  confidence: number;
  observed: number;
  expected: number;
  from_ns: number;
  to_ns: number;
  /** Receipts of the observations that show it. */
  evidence: string[];
}

/** A pattern as it is listed. */
export interface FoundPattern extends Pattern {
  id: string;
  /** The cycle that it began or belongs to. */
  cycle: string | null;
  receipt: string | null;
}

/** A parameter that a plan may change. */
export interface LoopParameter {
  path: string;
  value_type: 'bool' | 'i64' | 'f64' | 'string';
  value: boolean | number | string;
  min: number | null;
  max: number | null;
  /** The only values that there are, where they are listed. */
  values: unknown[];
  /** The largest change at once, as a share of the value. */
  step: number | null;
  unit: string | null;
  doc: string | null;
}

/** Which parameters should have which values, and why. */
export interface Plan {
  changes: { path: string; value: boolean | number | string }[];
  why: string;
  /** How sure the proposer is that it helps, 0 to 1. */
  confidence: number;
}

/** What a proposer is asked. */
export interface Question {
  pattern: Pattern;
  parameters: LoopParameter[];
  doctrine: string[];
  guards: string[];
  invariants: string[];
  /** Plans of the past, and what became of them. */
  examples: { pattern: Pattern; plan: Plan; outcome: string }[];
  refusals: string[];
}

/** What was recorded of the watched kind in one sample's time. */
export interface Sample {
  from_ns: number;
  to_ns: number;
  /** `outcomes`: by unspecified, success, rejected, failed, timed out. */
  counts: { count: number; outcomes: number[]; own: number; mismatched: number };
  /** The watch's measure; null where it has none, or there is nothing to compute it of. */
  value: number | null;
}

/** What a detector says of a sample. */
export interface Score {
  /** The more, the more unusual. */
  statistic: number;
  /** 1 - the probability of such a statistic while nothing changed, 0 to 1. */
  confidence: number;
  expected: number;
}

/** Answers a question with a plan, or with nothing where it knows none. */
export type Proposer = (question: Question) => Plan | null | undefined | Promise<Plan | null | undefined>;

/** Judges one sample after another; nothing while there were too few to judge by. */
export type Detector = (sample: Sample) => Score | null | undefined | Promise<Score | null | undefined>;

/** One way through the loop: from a pattern to what became of the plan for it. */
export interface Cycle {
  id: string;
  sector: string;
  state: 'detected' | 'planned' | 'waiting' | 'watching' | 'closed';
  outcome: 'kept' | 'rolled_back' | 'refused' | 'no_plan' | 'superseded' | 'interrupted' | null;
  /** How it stands, in a sentence. */
  said: string;
  pattern: Pattern;
  proposer: string | null;
  /** The digest of what the proposer was asked. */
  question: string | null;
  plan: Plan | null;
  proposal: string | null;
  /** The versions that it led to, by sector. */
  versions: Record<string, number>;
  /** All that belong to it, the first one first. */
  patterns: string[];
  receipts: string[];
  started_ns: number;
  ended_ns: number | null;
}

/** What a hook hears. */
export interface HookInfo {
  phase: Phase;
  when: 'before' | 'after';
  turn: number;
  now_ns: number;
  sector: string | null;
  /** After learning: the one that was closed. */
  cycle: Cycle | null;
}

/** Decisions that were computed anew, beside those of the receipts. */
export interface Replayed {
  turns: number;
  patterns: number;
  decisions: number;
  equal: boolean;
  /** The first 100. `turn` 0: of no single one; `receipt`: what is stated or recorded. */
  differences: { turn: number; what: string; receipt: string; recomputed: string }[];
  /** Segments of observations that were dropped meanwhile. */
  missing: number[];
  /** Turns that cannot be computed anew, because a version that they went by is not retained any more: a sentence each. */
  left_out: string[];
}

/** What the loop is doing. */
export interface LoopStatus {
  running: boolean;
  turns: number;
  /** 0 before the first one. */
  last_turn_ns: number;
  took_ns: number;
  sectors: string[];
  watches: { sector: string; watch: string; detector: string; samples: number; confidence_last: number | null }[];
  forecasts: Forecast[];
  hooks_skipped: number;
  /** Callbacks that threw or were late. */
  callbacks_failed: number;
  /** Why the last turn did not come to its end, where it did not; it is tried again. */
  failed: string | null;
  counters: Record<string, number>;
}

/** What is foretold of a watched series. */
export interface Forecast {
  sector: string;
  watch: string;
  /** The model that foretells best now. */
  model: string;
  /** The next sample's value. */
  next: number | null;
  /** Its mean absolute error over that of the naive forecast; 1: it is the naive one. */
  relative_error: number;
}

/** How often plans did well. */
export interface Tally {
  kept: number;
  rolled_back: number;
  refused: number;
  /** The share that was kept; null of none. */
  rate: number | null;
  /** What that share is at least, with 97.5 % confidence. */
  at_least: number;
}

/** What was learned, by watch, proposer and rule, and what refused plans. */
export interface Knowledge {
  watches: Record<string, Tally>;
  proposers: Record<string, Tally>;
  rules: Record<string, Tally>;
  /** What refused plans most often, a sentence each. */
  refusals: string[];
}

/** How the loop works; what is left out is the default. Times are in milliseconds. */
export interface LoopSettings {
  /** Those that it watches; each that declares watches. */
  sectors?: string[];
  /** How often it takes a turn; 1000. */
  every?: number;
  /** Changes of a sector in an hour, at most; 12. */
  changesPerHour?: number;
  /** How far a value may move at once, as a share of it; 0.5. */
  step?: number;
  /** After a cycle, for its watch, in whole seconds; 10 000. */
  cooldown?: number;
  /** What moves a value by a greater share waits for a person. */
  confirmAbove?: number;
  /** Who is asked, in this order: `rule`, `search`, `model`, and the names of your own. */
  proposers?: string[];
  /** How long a callback may take. */
  deadline?: number;
}

/** Cycles in the order in which they end: see `engine.loop.finished`. */
export interface Finished extends AsyncIterableIterator<Cycle, undefined>, AsyncDisposable {
  /** Cycles that were given up so far because nobody took them. Those that a busy thread did not hear of the status counts (`hooks_skipped`). */
  readonly missed: number;
}

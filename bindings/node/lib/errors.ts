// Errors: what the engine refused (KnhkError), and what was wrong with a call's arguments (TypeError, RangeError).

import type { StagesReport } from './governed.js';
import type { Report } from './records.js';
import { type RawReport, reportOf } from './report.js';

/** The engine refused something; whatever failed changed nothing. `code` is for programs, `message` for people. */
export class KnhkError extends Error {
  /** `KNHK_NOT_FOUND` and the like: the names of the C interface. */
  readonly code: string;
  /** The code's number, the same in every language. */
  readonly status: number;
  /** Where it happened: `open`, `parse`, `verify`, `compile`, `journal`, `swap`, `intern` and so on. */
  readonly stage: string;
  /** What it is about: a sector, a path, a file; may be empty. */
  readonly item: string;
  /** What `KNHK_NONCONFORMING` found, result by result; absent on other errors. */
  readonly report?: Report;
  /** What the stages of governance said, on `KNHK_NOT_ADMITTED` and `KNHK_WAITING`; absent on other errors. */
  readonly stages?: StagesReport[];

  static {
    this.prototype.name = 'KnhkError';
  }

  /** @internal */
  constructor(message: string, code: string, status: number, stage: string, item: string, report?: Report) {
    super(message);
    this.code = code;
    this.status = status;
    this.stage = stage;
    this.item = item;
    if (report) this.report = report;
  }
}

/** What a failed native call threw, as this package's error. */
function adopt(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof KnhkError) return error;
  const { code, status, stage, item, report, stages } = error as Partial<Omit<KnhkError, 'stages'>> & { report?: RawReport; stages?: string };
  if (typeof status !== 'number') return error;
  const made = new KnhkError(error.message, `${code}`, status, `${stage}`, `${item}`, report && reportOf(report));
  return stages === undefined ? made : Object.assign(made, { stages: JSON.parse(stages) });
}

/** Makes a native call whose errors become this package's. */
export function attempt<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw adopt(error);
  }
}

/** An engine's operation as a promise. One that is aborted before it starts does nothing; later it is done and tells how it ended. */
export function operation<T>(
  start: (settle: (error: unknown, value?: unknown) => void) => number,
  cancel: (operation: number) => boolean,
  signal: AbortSignal | undefined,
): Promise<T> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    let abort: (() => void) | undefined;
    const number = attempt(() =>
      start((error, value) => {
        if (abort) signal?.removeEventListener('abort', abort);
        if (error === undefined) resolve(value as T);
        else reject(adopt(error));
      }),
    );
    if (!signal) return;
    abort = () => {
      if (cancel(number)) reject(signal.reason);
    };
    signal.addEventListener('abort', abort, { once: true });
  });
}

/** As `operation`, for what stops when it is aborted later. */
export function longOperation<T>(
  start: (settle: (error: unknown, value?: unknown) => void) => number,
  native: { cancel(operation: number): boolean; stop(operation: number): void },
  signal: AbortSignal | undefined,
): Promise<T> {
  const cancelOrStop = (number: number) => {
    const cancelled = native.cancel(number);
    if (!cancelled) native.stop(number);
    return cancelled;
  };
  return operation<T>(start, cancelOrStop, signal).catch((error: unknown) => {
    const stopped = signal?.aborted && error instanceof KnhkError && error.code === 'KNHK_TIMEOUT';
    throw stopped ? signal.reason : error;
  });
}

export function closed(what = 'the engine is closed'): KnhkError {
  return new KnhkError(what, 'KNHK_CLOSED', 105, 'call', '');
}

function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object';
  return String(value);
}

export function badType(what: string, wanted: string, value: unknown): TypeError {
  return Object.assign(new TypeError(`${what} must be ${wanted}, not ${show(value)}`), { code: 'KNHK_INVALID_ARGUMENT' });
}

export function badRange(message: string): RangeError {
  return Object.assign(new RangeError(message), { code: 'KNHK_INVALID_ARGUMENT' });
}

export function checkString(what: string, value: unknown): asserts value is string {
  if (typeof value !== 'string') throw badType(what, 'a string', value);
}

export function checkOptionalString(what: string, value: unknown): asserts value is string | undefined {
  if (value !== undefined) checkString(what, value);
}

export function checkOneOf<T extends string>(what: string, allowed: readonly T[], value: unknown): asserts value is T {
  if (!allowed.includes(value as T)) throw badType(what, `one of ${allowed.map((name) => `'${name}'`).join(', ')}`, value);
}

/** An integer from `low` to `high`. */
export function checkInteger(what: string, value: unknown, low: number, high: number): asserts value is number {
  if (typeof value !== 'number') throw badType(what, 'a number', value);
  if (!Number.isInteger(value) || value < low || value > high) {
    throw badRange(`${what} must be an integer from ${low} to ${high}, not ${value}`);
  }
}

/** A number from `low` to `high`, with a fraction or without. */
export function checkNumber(what: string, value: unknown, low: number, high: number): asserts value is number {
  if (typeof value !== 'number') throw badType(what, 'a number', value);
  if (!(value >= low && value <= high)) throw badRange(`${what} must be a number from ${low} to ${high}, not ${value}`);
}

export function checkOptions(value: unknown): void {
  if (typeof value !== 'object' || value === null) throw badType('the options', 'an object', value);
  const { signal } = value as { signal?: AbortSignal };
  // Not instanceof: a signal of another realm is as good.
  if (signal !== undefined && typeof signal?.throwIfAborted !== 'function') {
    throw badType('the option signal', 'an AbortSignal', signal);
  }
}

// Executors: work on JavaScript's thread, in slices, by priority and deadline.

import { type Engine, handleOf } from '../engine.js';
import { attempt, badType, checkInteger, checkOneOf, checkOptions, checkString, closed, KnhkError } from '../errors.js';
import { type ExecutorFigures, native, type TaskFigures } from '../native.js';
import type { Priority } from '../resilience/admitting.js';

const PRIORITIES = ['background', 'low', 'normal', 'high', 'critical'] as const;

/** A run, as the work that is being done sees it. */
export interface Run {
  /** Whether to give way: the budget is used up, the run was cancelled, or the executor is paused. */
  shouldYield(): boolean;
  /** Whether the run was cancelled. */
  readonly cancelled: boolean;
  /** Milliseconds of the budget that are left. */
  readonly left: number;
  /** Aborted when the run is. */
  readonly signal: AbortSignal | undefined;
}

/** What work gives: a value, a promise of one, or, from a generator, what it returns. */
export type Given<T> = T extends Generator<unknown, infer R> ? Awaited<R> : Awaited<T>;

/** Something that an operator should know. */
export interface Notice {
  kind: 'overrun' | 'demoted' | 'restored' | 'late' | 'panicked' | 'overload' | 'overloadOver';
  /** The task; empty of an overload. */
  task: string;
  /** All of it for people. */
  text: string;
}

/** What an executor is doing. */
export interface ExecutorStats {
  /** Runs that wait, by priority, the lowest first. */
  waiting: number[];
  paused: boolean;
  /** Runs that come in a second. */
  arrivals: number;
  /** Runs that can end in a second; infinite while nothing is known. */
  services: number;
  /** Arrivals by services: from 1 on the queue grows. */
  utilisation: number;
  /** Runs that have a place. */
  queued: number;
  /** Milliseconds until the queue is full; null where it is not filling. */
  fullIn: number | null;
  /** Whether overload is announced at present. */
  overloaded: boolean;
}

/** What is known of a task. Times are in milliseconds. */
export interface TaskStats {
  name: string;
  priority: Priority;
  /** What it is served at: below its priority where it overran its budget again and again. */
  level: Priority;
  runs: number;
  slices: number;
  /** Slices that took longer than the budget. */
  overruns: number;
  /** Runs that were dropped or ended after their deadline. */
  late: number;
  budget: number;
  busy: number;
  worst: number;
}

export interface ExecutorOptions {
  /** Runs that may wait; 1,024. */
  capacity?: number | undefined;
  /** Overload is told of when the queue will be full in so many milliseconds; 1,000. */
  horizon?: number | undefined;
  /** Told what the executor notices. */
  notice?: ((notice: Notice) => void) | undefined;
}

export interface TaskOptions {
  name?: string | undefined;
  priority?: Priority | undefined;
  /** Milliseconds that a slice may take; 1. */
  budget?: number | undefined;
  /** Drops runs whose deadline has passed before they begin. */
  dropLate?: boolean | undefined;
}

export interface SubmitOptions {
  /** Cancels the run: one that waits never runs, a generator is closed at its next `yield`; the promise rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** Milliseconds within which it should be over: at one priority the earliest deadline is served first. */
  within?: number | undefined;
}

/** An executor, as an engine lists it. */
export interface ExecutorInfo {
  name: string;
  stats: ExecutorStats;
  tasks: TaskStats[];
}

/** How an executor's end went. */
export interface Ended {
  /** Runs that were not over when the time to drain was, and were cancelled. */
  unfinished: number;
}

function executorStats({ fullIn, ...stats }: ExecutorFigures): ExecutorStats {
  return { ...stats, fullIn: fullIn ?? null };
}

function taskStats({ priority, level, ...figures }: TaskFigures): TaskStats {
  return { ...figures, priority: PRIORITIES[priority]!, level: PRIORITIES[level]! };
}

/**
 * The executors that an engine was told of (`executor.addTo`) and that have not ended, in any thread, and last the engine's own, once it has something
 * to do: what `knhk tasks` shows.
 */
export function executors(engine: Engine): ExecutorInfo[] {
  const listed = attempt(() => native.executors(handleOf(engine).engine));
  return listed.map(({ name, stats, tasks }) => ({ name, stats: executorStats(stats), tasks: tasks.map(taskStats) }));
}

/** What a run does, slice by slice; its promise is settled when the run is over and counted. */
class Work {
  #call: ((run: Run) => unknown) | undefined;
  #steps: Generator | undefined;
  #value: unknown;
  #failed: { error: unknown } | undefined;
  #forget = () => {};

  constructor(
    call: (run: Run) => unknown,
    readonly signal: AbortSignal | undefined,
    readonly resolve: (value: unknown) => void,
    readonly reject: (error: unknown) => void,
  ) {
    this.#call = call;
  }

  /** Has `cancel` called, and the promise rejected, when the signal is aborted. */
  heed(cancel: () => void): void {
    const { signal } = this;
    if (!signal) return;
    const abort = () => {
      cancel();
      // A function that awaits something is not at a slice, and may go on; nobody waits for it any more.
      this.reject(signal.reason);
    };
    signal.addEventListener('abort', abort, { once: true });
    this.#forget = () => signal.removeEventListener('abort', abort);
  }

  /** Does a slice; whether there is more to do. */
  step(): boolean {
    const { signal } = this;
    const run: Run = {
      shouldYield: () => native.runShouldYield(),
      get cancelled() {
        return native.runCancelled();
      },
      get left() {
        return native.runLeft();
      },
      signal,
    };
    try {
      if (this.#call) {
        const call = this.#call;
        this.#call = undefined;
        this.#value = call(run);
        if (!isGenerator(this.#value)) return false;
        this.#steps = this.#value;
        this.#value = undefined;
      }
      while (this.#steps && !run.cancelled) {
        const { done, value } = this.#steps.next();
        if (done) {
          this.#steps = undefined;
          this.#value = value;
          return false;
        }
        if (run.shouldYield()) return true;
      }
    } catch (error) {
      this.#steps = undefined;
      this.#failed = { error };
    }
    return false;
  }

  over(state: string): void {
    const never = this.#call !== undefined;
    const cut = this.#steps !== undefined;
    this.#call = undefined;
    try {
      this.#steps?.return(undefined);
    } catch (error) {
      this.#failed = { error };
    }
    if (this.#failed) this.reject(this.#failed.error);
    else if (never && state === 'expired') {
      this.reject(new KnhkError('the run was dropped: its deadline had passed before it began', 'KNHK_TIMEOUT', 104, 'executor', ''));
    } else if (never || cut) this.reject(this.signal?.aborted ? this.signal.reason : closed('the run was cancelled, or its executor ended'));
    else this.resolve(this.#value);
    // What it gave may be a promise, which the signal still cuts short.
    Promise.resolve(this.#value).then(this.#forget, this.#forget);
  }
}

function isGenerator(value: unknown): value is Generator {
  return typeof value === 'object' && value !== null && Object.prototype.toString.call(value) === '[object Generator]';
}

/** A function with a priority, a budget and a conduct of its own: see `Executor.task`. */
export class Task<A, T> {
  /** @internal */
  constructor(
    readonly submit: (argument: A, options?: SubmitOptions) => Promise<Given<T>>,
    readonly stats: () => TaskStats,
  ) {}
}

/**
 * Runs work by priority and deadline, within budgets; it measures overruns, and announces overload.
 *
 *     const executor = new Executor('reports');
 *     const sum = await executor.submit(() => 2 + 2);
 *     const sweep = executor.task(function* (rows) {
 *       for (const row of rows) {
 *         visit(row);
 *         yield; // gives way here where its budget is used up
 *       }
 *       return rows.length;
 *     }, { priority: 'low', budget: 2 });
 *     await sweep.submit(rows, { signal });
 *
 * JavaScript runs on one thread, and so does this: nothing runs in parallel. Between two slices the event loop has its turn, so that work in
 * slices holds up nobody for longer than its budget. A function is one slice; an async function's is what it does until its first `await`. To use
 * more processors, have an executor in each of several workers, and send them work through a `Channel`.
 */
export class Executor {
  readonly name: string;
  readonly #raw: object;
  readonly #works = new Map<number, Work>();
  readonly #notice: ((notice: Notice) => void) | undefined;
  readonly #usual: Task<(run: Run) => unknown, unknown>;
  readonly #step = (number: number) => this.#works.get(number)?.step() ?? false;
  #next = 1;
  #scheduled = false;
  #paused = false;
  #closed = false;
  #idle: (() => void)[] = [];

  constructor(name = 'knhk-warm', options: ExecutorOptions = {}) {
    checkString('the name', name);
    checkOptions(options);
    const { capacity = 1024, horizon = 1000, notice } = options;
    checkInteger('the capacity', capacity, 1, 2 ** 24);
    this.name = name;
    this.#notice = notice;
    this.#raw = attempt(() => native.executorNew(name, capacity, horizon));
    this.#usual = this.task((work: (run: Run) => unknown, run: Run) => work(run), { name: 'submit' });
  }

  /** Queues work of the usual priority, with a budget of 1 ms: see `task` for others. Rejects with KNHK_BUSY where all places are taken. */
  submit<T>(work: (run: Run) => T, options?: SubmitOptions): Promise<Given<T>> {
    if (typeof work !== 'function') throw badType('the work', 'a function', work);
    return this.#usual.submit(work, options) as Promise<Given<T>>;
  }

  /** Registers work. What matters most is served first. A task of whose last 16 slices 4 overran their budget loses a level, for a while. */
  task<A = void, T = unknown>(work: (argument: A, run: Run) => T, options: TaskOptions = {}): Task<A, T> {
    if (typeof work !== 'function') throw badType('the work', 'a function', work);
    checkOptions(options);
    const { name = work.name || 'task', priority = 'normal', budget = 1, dropLate = false } = options;
    checkString('the name', name);
    checkOneOf('the priority', PRIORITIES, priority);
    const raw = attempt(() => native.executorTask(this.#raw, name, PRIORITIES.indexOf(priority), budget, dropLate));
    const submit = (argument: A, options: SubmitOptions = {}) => this.#submit<Given<T>>(raw, (run) => work(argument, run), options);
    return new Task<A, T>(submit, () => taskStats(native.taskFigures(raw)));
  }

  /** Begins nothing more until `resume`; a slice under way is told to give way. It keeps no process alive meanwhile. */
  pause(): void {
    attempt(() => native.executorPause(this.#raw, true));
    this.#paused = true;
  }

  /** Goes on after `pause`. */
  resume(): void {
    attempt(() => native.executorPause(this.#raw, false));
    this.#paused = false;
    this.#schedule();
  }

  /** What it is doing. */
  stats(): ExecutorStats {
    return executorStats(attempt(() => native.executorStats(this.#raw)));
  }

  /**
   * Has an engine list it for operators (`knhk tasks`), until it ends. It yields to the engine's hot path from now on (`engine.reportHot`), unless it
   * yields to another's already.
   */
  addTo(engine: Engine): void {
    attempt(() => native.executorAddTo(this.#raw, handleOf(engine).engine));
  }

  /** Takes nothing more, lets what is there end for at most `drain` milliseconds, and cancels the rest. */
  async shutdown({ drain = 10_000 }: { drain?: number } = {}): Promise<Ended> {
    this.#closed = true;
    if (this.#works.size > 0 && drain > 0) {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, drain)));
      await Promise.race([late, new Promise<void>((resolve) => this.#idle.push(resolve))]);
      clearTimeout(timer);
    }
    const unfinished = this.#works.size;
    native.executorEnd(this.#raw);
    this.#news();
    return { unfinished };
  }

  #submit<T>(task: object, call: (run: Run) => unknown, options: SubmitOptions): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      checkOptions(options);
      const { signal, within } = options;
      signal?.throwIfAborted();
      if (this.#closed) throw closed(`the executor ${this.name} was shut down`);
      const number = this.#next++;
      const work = new Work(call, signal, resolve as (value: unknown) => void, reject);
      attempt(() => native.executorSubmit(this.#raw, task, number, within));
      this.#works.set(number, work);
      work.heed(() => {
        native.executorCancel(this.#raw, number);
        this.#news();
      });
      this.#news();
      this.#schedule();
    });
  }

  /** One slice in each turn of the event loop, while there is something to do; where the hot path holds it back, it looks again after a moment. */
  #schedule(held = false): void {
    if (this.#scheduled || this.#paused || this.#works.size === 0) return;
    this.#scheduled = true;
    const turn = () => {
      this.#scheduled = false;
      let ran = true;
      try {
        ran = native.executorTurn(this.#raw, this.#step);
      } finally {
        this.#schedule(!ran);
        this.#news();
      }
    };
    if (held) setTimeout(turn, 1);
    else setImmediate(turn);
  }

  /** Tells what has happened. */
  #news(): void {
    const { over, notices } = native.executorNews(this.#raw);
    for (const { work: number, state } of over) {
      const work = this.#works.get(number);
      this.#works.delete(number);
      work?.over(state);
    }
    if (this.#works.size === 0) this.#idle.splice(0).forEach((resolve) => resolve());
    if (this.#notice) for (const notice of notices) this.#notice(notice);
  }
}

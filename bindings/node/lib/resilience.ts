/**
 * Circuit breakers, limits, retries, hedges, shedding, degradation, recovery and health, around promises.
 *
 *     import { Breaker, Pipeline, Retry } from 'knhk/resilience';
 *
 *     const breaker = new Breaker('payments', { consecutiveFailures: 5, recovery: 30_000 });
 *     const callee = new Pipeline('payments', [breaker, new Retry('payments')], { timeout: 250 });
 *     const answer = await callee.call(({ signal }) => fetch(url, { signal }), { signal: request.signal });
 *
 * A policy that refuses throws a `RefusedError`, which says why and, where that is known, when another try has a chance. Times are in
 * milliseconds. Every parameter can be changed while calls go on (`retune`), also by a sector of an engine (`addTo`).
 *
 * @packageDocumentation
 */

import { Engine, handleOf } from './engine.js';
import { attempt, badType, checkInteger, checkOneOf, checkString, KnhkError } from './errors.js';
import { native, type Refusal } from './native.js';

/** How much a call matters; what matters least is refused first. */
export type Priority = 'background' | 'low' | 'normal' | 'high' | 'critical';
const PRIORITIES = ['background', 'low', 'normal', 'high', 'critical'] as const;

/** How a call ended. What is ignored says nothing of the callee. */
export type Outcome = 'success' | 'failure' | 'ignored';
const OUTCOMES = ['success', 'failure', 'ignored'] as const;

/** Why a call was refused. */
export type RefusalReason =
  | 'open'
  | 'forced_open'
  | 'probing'
  | 'rate_limited'
  | 'full'
  | 'overloaded'
  | 'shed'
  | 'deadline_passed';

/** A policy refused a call, which never began. */
export class RefusedError extends KnhkError {
  readonly policy: string;
  readonly reason: RefusalReason;
  /** Milliseconds after which another try has a chance; undefined where that is not known, or never. */
  readonly retryAfter: number | undefined;

  static {
    this.prototype.name = 'RefusedError';
  }

  /** @internal */
  constructor(policy: string, why: Refusal) {
    super(why.message, 'KNHK_REFUSED', 110, 'enter', policy);
    this.policy = policy;
    this.reason = why.reason as RefusalReason;
    this.retryAfter = why.retryAfter;
  }
}

/** A transition of a policy. */
export interface Transition {
  policy: string;
  kind: 'breaker' | 'degradation' | 'recovery' | 'health' | 'system';
  before: string;
  now: string;
  /** All of it in one line for people, with what made it change. */
  text: string;
  /** By the scope's clock, in milliseconds. */
  time: number;
  /** Transitions that this listener missed so far because it fell behind. */
  missed: number;
}

/** What policies share: a clock, counters, and who listens. */
export class Scope {
  /** @internal */
  readonly raw: object;

  /**
   * `clock`: 'system'; 'cached', whose look costs a nanosecond and is late by up to a millisecond; or 'manual', for tests. With an engine
   * it is the engine's own scope, on the engine's cached clock.
   */
  constructor(clock: 'system' | 'cached' | 'manual' | Engine = 'system') {
    if (clock instanceof Engine) this.raw = attempt(() => native.scopeOf(handleOf(clock).engine));
    else {
      checkOneOf('the clock', ['system', 'cached', 'manual'], clock);
      this.raw = attempt(() => native.scopeNew(clock));
    }
  }

  /** The time of its clock, in milliseconds since a zero of its own. */
  now(): number {
    return native.scopeNow(this.raw);
  }

  /** Moves a manual clock forward. */
  advance(ms: number): void {
    attempt(() => native.scopeAdvance(this.raw, ms));
  }

  /** What its policies counted. */
  counters(): Record<string, number> {
    return named(native.scopeCounters(this.raw));
  }

  /** Calls `listener` with every transition, until what this returns is called. Listening keeps no process alive. */
  subscribe(listener: (transition: Transition) => void): () => void {
    if (typeof listener !== 'function') throw badType('the listener', 'a function', listener);
    const held = attempt(() => native.scopeListen(this.raw, (transition) => listener(transition as Transition)));
    return () => native.listenerClose(held);
  }
}

let shared: Scope | undefined;

function named(figures: { name: string; value: number }[]): Record<string, number> {
  return Object.fromEntries(figures.map(({ name, value }) => [name, value]));
}

const SPANS = new Set([
  ...['recovery', 'slow_call', 'window_span', 'span', 'timeout', 'base', 'cap', 'longest_retry_after', 'soonest', 'unknown'],
  ...['pause', 'relapse', 'stale_after', 'enter_after', 'leave_after', 'shortest_delay', 'longest_delay'],
]);

/** `slowCall` → `slow_call_ms`. */
function setting(name: string, value: unknown): { name: string; value: number } {
  if (typeof value !== 'number') throw badType(name, 'a number', value);
  const snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const last = snake.slice(snake.lastIndexOf('/') + 1);
  return { name: SPANS.has(last) ? `${snake}_ms` : snake, value };
}

function settings(given: object): { name: string; value: number }[] {
  return Object.entries(given)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => setting(name, value));
}

/** A parameter of a policy, as it stands. Its name is that in a sector: times are in milliseconds and end in `_ms`. */
export interface Parameter {
  name: string;
  value: number;
  unit: string;
  low: number;
  high: number;
  isWhole: boolean;
  what: string;
}

interface InScope {
  /** What the policy shares with others; one on the system's clock by default. */
  scope?: Scope | undefined;
}

interface Parts {
  policies?: Policy[];
  levels?: Level[];
  strategies?: { name: string; tries: number }[];
}

/** Any policy. */
export abstract class Policy {
  readonly name: string;
  /** @internal */
  readonly raw: object;

  /** @internal */
  protected constructor(kind: string, name: string, options: InScope & object, parts: Parts = {}) {
    checkString('the name', name);
    const { scope = (shared ??= new Scope()), ...given } = options;
    if (!(scope instanceof Scope)) throw badType('the scope', 'a Scope', scope);
    const levels = (parts.levels ?? []).map(({ enterAfter = 0, leaveAfter = 0, off = [], ...level }) => ({
      ...level,
      enterAfter,
      leaveAfter,
      off: [...off],
    }));
    const policies = (parts.policies ?? []).map((policy) => policy.raw);
    this.name = name;
    this.raw = attempt(() =>
      native.policyNew(kind, name, settings(given), scope.raw, policies, levels, parts.strategies ?? []),
    );
  }

  /** The state in a word or two: 'closed', 'half-open', a level's name; empty for what has none. */
  get state(): string {
    return native.policyState(this.raw);
  }

  /** What it counts and measures at present. */
  figures(): Record<string, number> {
    return named(native.policyFigures(this.raw));
  }

  /** What can be retuned, as it stands. */
  parameters(): Parameter[] {
    return native.policyParameters(this.raw);
  }

  /** Changes what is named, all or nothing, and leaves the rest: `retune({ recovery: 5_000 })`. */
  retune(changes: Record<string, number>): void {
    attempt(() => native.policyRetune(this.raw, settings(changes)));
  }

  /** The parameters as a document for a sector that the policy follows, with ranges, units and meanings. */
  document(): Record<string, any> {
    return JSON.parse(native.policyDocumentJson(this.raw));
  }

  /**
   * Has an engine list it. With a sector, the values under `resilience/<policy>/<parameter>` there retune it, at once and with each
   * promotion and rollback; what a version does not state is as the program made it.
   */
  addTo(engine: Engine, sector?: string): void {
    if (!(engine instanceof Engine)) throw badType('the engine', 'an Engine', engine);
    attempt(() => native.policyAdd(this.raw, handleOf(engine).engine, sector));
  }

  toString(): string {
    return native.policyText(this.raw);
  }
}

/** A policy that an engine knows. */
export interface PolicyInfo {
  name: string;
  kind: string;
  sector?: string;
  /** The version of the sector that was looked at last; 0 for none. */
  version: number;
  /** Why that version could not retune it, where it could not. */
  refused?: string;
  state: string;
  /** For people. */
  text: string;
}

/** The policies that an engine knows. */
export function policies(engine: Engine): PolicyInfo[] {
  return attempt(() => native.policies(handleOf(engine).engine));
}

/** Has an engine forget a policy; false when there is none of that name. */
export function removePolicy(engine: Engine, name: string): boolean {
  return attempt(() => native.policyRemove(handleOf(engine).engine, name));
}

/** What a `Retry-After` header asks for, in milliseconds; undefined when it is neither seconds nor a date. */
export function retryAfter(value: string): number | undefined {
  return native.retryAfter(value);
}

/** An admitted call. One that is forgotten says nothing of the callee. */
export class Permit {
  /** Milliseconds that chaos wants to be awaited first. */
  readonly delay: number;
  /** Whether chaos wants the call to fail without being made. */
  readonly isToFail: boolean;
  readonly #raw: object;

  /** @internal */
  constructor(raw: object, delay: number, isToFail: boolean) {
    this.#raw = raw;
    this.delay = delay;
    this.isToFail = isToFail;
  }

  /** Milliseconds until the call is to be over; undefined without a deadline. */
  get left(): number | undefined {
    return native.permitLeft(this.#raw);
  }

  /** Tells how the call ended. False where that was taken for something else: a success beyond the deadline is a failure. */
  finish(outcome: Outcome = 'success'): boolean {
    checkOneOf('the outcome', OUTCOMES, outcome);
    return native.permitFinish(this.#raw, OUTCOMES.indexOf(outcome));
  }

  /** `using permit = policy.enter()`: what was not told is ignored. */
  [Symbol.dispose](): void {
    this.finish('ignored');
  }
}

/** What a call is told. */
export interface Context {
  /** Aborted when the call's time is over, or when the caller's signal is. */
  signal: AbortSignal;
}

/** What is known of a call. */
export interface CallOptions {
  /** Gives up: the call is told, and what it then does says nothing of the callee. */
  signal?: AbortSignal | undefined;
  priority?: Priority | undefined;
  /** Tokens that it takes from a bucket; 1. */
  tokens?: number | undefined;
}

export interface EnterOptions {
  priority?: Priority | undefined;
  /** Milliseconds after which the call is worth nothing. */
  timeout?: number | undefined;
  tokens?: number | undefined;
}

interface Judging {
  /** What an error says of the callee; 'failure' by default. */
  judge?: ((error: unknown) => 'failure' | 'ignored') | undefined;
}

/** A policy that admits calls one by one. A promise that rejects is a failure. */
export abstract class AdmittingPolicy extends Policy {
  /** @internal */
  protected judge: ((error: unknown) => 'failure' | 'ignored') | undefined;

  /** Admits a call, or throws `RefusedError`, without waiting. */
  enter({ priority = 'normal', timeout, tokens = 1 }: EnterOptions = {}): Permit {
    checkOneOf('the priority', PRIORITIES, priority);
    checkInteger('tokens', tokens, 1, 65_535);
    const entered = attempt(() => native.policyEnter(this.raw, PRIORITIES.indexOf(priority), timeout, tokens));
    if ('reason' in entered) throw new RefusedError(this.name, entered);
    return new Permit(entered.permit, entered.delay, entered.fails);
  }

  /** Waits until a call is admitted. Where a refusal does not say how long to wait, it looks every millisecond. */
  async acquire({ signal, priority, tokens }: CallOptions = {}): Promise<Permit> {
    for (;;) {
      signal?.throwIfAborted();
      try {
        return this.enter({ priority, tokens });
      } catch (error) {
        if (!(error instanceof RefusedError)) throw error;
        const hopeless = ['rate_limited', 'forced_open', 'deadline_passed'].includes(error.reason);
        if (error.retryAfter === undefined && hopeless) throw error;
        await pause(error.retryAfter ?? 1, signal);
      }
    }
  }

  /** Calls `work` through the policy, and gives its answer. */
  async call<T>(work: (context: Context) => T | PromiseLike<T>, options: CallOptions = {}): Promise<T> {
    const { signal, priority, tokens } = options;
    signal?.throwIfAborted();
    const permit = this.enter({ priority, tokens });
    const bound = new AbortController();
    const left = permit.left;
    const timer = left === undefined ? undefined : setTimeout(() => bound.abort(timedOut(this.name)), left);
    const forward = () => bound.abort(signal!.reason);
    signal?.addEventListener('abort', forward, { once: true });
    try {
      if (permit.delay > 0) await pause(permit.delay, bound.signal);
      if (permit.isToFail) throw new KnhkError(`${this.name}: the call failed on purpose`, 'KNHK_CALL_FAILED', 111, 'call', this.name);
      const answer = await Promise.race([work({ signal: bound.signal }), aborted(bound.signal)]);
      if (!permit.finish()) throw timedOut(this.name);
      return answer;
    } catch (error) {
      permit.finish(signal?.aborted ? 'ignored' : (this.judge?.(error) ?? 'failure'));
      throw error;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', forward);
    }
  }

  /** A function that calls `work` through the policy, whose errors `fallback` may answer. */
  wrap<A extends unknown[], T>(
    work: (...args: A) => T | PromiseLike<T>,
    { fallback, ...options }: CallOptions & { fallback?: (error: unknown, ...args: A) => T | PromiseLike<T> } = {},
  ): (...args: A) => Promise<T> {
    return async (...args) => {
      try {
        return await this.call(() => work(...args), options);
      } catch (error) {
        if (!fallback) throw error;
        return fallback(error, ...args);
      }
    };
  }
}

function timedOut(name: string): KnhkError {
  return new KnhkError(`${name}: the call ended after its deadline`, 'KNHK_TIMEOUT', 104, 'call', name);
}

/** Rejects when the signal is aborted, with its reason. */
function aborted(signal: AbortSignal): Promise<never> {
  const promise = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  promise.catch(() => {}); // Whoever races it hears of it.
  return promise;
}

function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const over = () => {
      clearTimeout(timer);
      reject(signal!.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', over);
      resolve();
    }, Math.ceil(ms));
    signal?.addEventListener('abort', over, { once: true });
  });
}

export interface BreakerOptions extends InScope, Judging {
  /** Failures in a row that open it, or 0 for never. 5. */
  consecutiveFailures?: number;
  /** Weight of the newest call in the moving average of failures. 0.1. */
  emaAlpha?: number;
  /** The moving average that opens it. 0.5. */
  emaThreshold?: number;
  /** Calls before a rate is judged. 10. */
  minimumCalls?: number;
  /** The window's share of failures that opens it. 0.5. */
  failureRate?: number;
  /** A call that takes so long is slow. None. */
  slowCall?: number;
  /** The window's share of slow calls that opens it. 0.5. */
  slowCallRate?: number;
  /** From opening to the first probe. 30,000. */
  recovery?: number;
  /** Probes of a half-open period. 3. */
  halfOpenPermits?: number;
  /** The window is the last so many calls. */
  windowCalls?: number;
  /** The window is the last so many milliseconds. */
  windowSpan?: number;
  /** Steps of that window. 10. */
  windowBuckets?: number;
}

/** A circuit breaker: stops calling what fails, and tries again later. */
export class Breaker extends AdmittingPolicy {
  constructor(name: string, { judge, ...options }: BreakerOptions = {}) {
    super('breaker', name, options);
    this.judge = judge;
  }

  /** Opens it until it is closed by hand. */
  forceOpen(): void {
    attempt(() => native.breakerSwitch(this.raw, 'open'));
  }

  /** Closes it, with nothing remembered. */
  close(): void {
    attempt(() => native.breakerSwitch(this.raw, 'closed'));
  }

  /** Has it admit everything and remember nothing until it is closed by hand. */
  disable(): void {
    attempt(() => native.breakerSwitch(this.raw, 'disabled'));
  }
}

/** Admits at most `limit` calls at once. */
export class Bulkhead extends AdmittingPolicy {
  constructor(name: string, options: InScope & { limit: number }) {
    super('bulkhead', name, options);
  }
}

/** Admits as many calls at once as the callee takes without queueing, and learns how many those are from what calls take. */
export class AdaptiveLimit extends AdmittingPolicy {
  constructor(
    name: string,
    { judge, ...options }: InScope &
      Judging & { lowest?: number; highest?: number; initial?: number; tolerance?: number; queue?: number; smoothing?: number } = {},
  ) {
    super('adaptive', name, options);
    this.judge = judge;
  }
}

/** Admits `rate` calls a second, and `burst` at once. `acquire` waits for a turn. */
export class TokenBucket extends AdmittingPolicy {
  constructor(name: string, options: InScope & { rate: number; burst?: number }) {
    super('token_bucket', name, options);
  }
}

/** Admits at most `limit` calls in any `span`, exactly; `capacity` is the limit that a retune may set. */
export class SlidingWindow extends AdmittingPolicy {
  constructor(name: string, options: InScope & { limit: number; span: number; capacity?: number }) {
    super('sliding_window', name, options);
  }
}

/** Refuses what matters least when the load reaches its priority's threshold. */
export class Shedder extends AdmittingPolicy {
  constructor(name: string, options: InScope & { [priority in Priority]?: number } = {}) {
    super('shedder', name, options);
  }

  /** Tells the load; 1 is the capacity. */
  load(load: number): void {
    attempt(() => native.policyLoad(this.raw, load));
  }
}

/** Injects faults, the same ones for the same seed, once it is switched on. */
export class Chaos extends AdmittingPolicy {
  constructor(
    name: string,
    options: InScope & { failures?: number; delays?: number; shortestDelay?: number; longestDelay?: number; seed?: number } = {},
  ) {
    super('chaos', name, options);
  }

  switch(on: boolean): void {
    attempt(() => native.chaosSwitch(this.raw, on));
  }
}

/** Keeps retries and hedges a `share` of the calls, and `reserve` of them besides, over `span`. Several may share one. */
export class Budget extends Policy {
  constructor(name: string, options: InScope & { share?: number; reserve?: number; span?: number } = {}) {
    super('budget', name, options);
  }
}

export interface RetryOptions extends InScope {
  /** Attempts in all. 3. */
  attempts?: number;
  /** The shortest pause. 100. */
  base?: number;
  /** The longest pause that is drawn. 10,000. */
  cap?: number;
  /** A callee that asks for a longer pause is not tried again. 60,000. */
  longestRetryAfter?: number;
  /** Of the pauses' jitter. */
  seed?: number;
  budget?: Budget;
  /** Whether another attempt may mend an error; all by default, but refusals other than a rate limit's. */
  on?: (error: unknown) => boolean;
  /** The shortest pause that the callee asks for (`Retry-After`), in milliseconds. */
  after?: (error: unknown) => number | undefined;
}

/** Tries again, with pauses that grow and jitter. */
export class Retry extends Policy {
  readonly #on: ((error: unknown) => boolean) | undefined;
  readonly #after: ((error: unknown) => number | undefined) | undefined;

  constructor(name: string, { budget, on, after, ...options }: RetryOptions = {}) {
    super('retry', name, options, { policies: budget ? [budget] : [] });
    this.#on = on;
    this.#after = after;
  }

  /** Calls `work` with the attempt's number, from 1, until it succeeds or is given up; then the last error is thrown. */
  async call<T>(work: (attempt: number) => T | PromiseLike<T>, { signal }: { signal?: AbortSignal | undefined } = {}): Promise<T> {
    const tries = attempt(() => native.retryBegin(this.raw));
    for (let made = 1; ; ) {
      signal?.throwIfAborted();
      try {
        return await work(made);
      } catch (error) {
        if (signal?.aborted) throw error;
        const refused = error instanceof RefusedError ? error : undefined;
        const waits = !refused || (refused.reason === 'rate_limited' && refused.retryAfter !== undefined);
        const permanent = !waits || this.#on?.(error) === false;
        const asked = refused ? refused.retryAfter : this.#after?.(error);
        const decided = attempt(() => native.retryDecide(this.raw, tries, permanent, asked));
        if (decided.pause === undefined || decided.pause === null) throw error;
        made = decided.made;
        await pause(decided.pause, signal);
      }
    }
  }

  /** A function that calls `work` until it succeeds or is given up. */
  wrap<A extends unknown[], T>(work: (...args: A) => T | PromiseLike<T>): (...args: A) => Promise<T> {
    return (...args) => this.call(() => work(...args));
  }
}

/**
 * Policies around one callee, at most one of each kind; a `Retry` is around all the others. `timeout` bounds each attempt: its signal is
 * aborted then, and the attempt has failed.
 */
export class Pipeline extends AdmittingPolicy {
  readonly #retry: Retry | undefined;

  constructor(name: string, policies: Policy[], { judge, ...options }: InScope & Judging & { timeout?: number } = {}) {
    super('pipeline', name, options, { policies });
    this.#retry = policies.find((policy) => policy instanceof Retry);
    const judges = policies.map((policy) => (policy instanceof AdmittingPolicy ? policy['judge'] : undefined));
    this.judge = judge ?? judges.find((each) => each !== undefined);
  }

  override call<T>(work: (context: Context) => T | PromiseLike<T>, options: CallOptions = {}): Promise<T> {
    const once = () => super.call(work, options);
    return this.#retry ? this.#retry.call(once, options) : once();
  }
}

/** Sends another copy of a call when the last one takes longer than usual; the first answer counts, and the others are aborted. */
export class Hedge extends Policy {
  constructor(
    name: string,
    { budget, ...options }: InScope & { copies?: number; quantile?: number; soonest?: number; unknown?: number; budget?: Budget } = {},
  ) {
    super('hedge', name, options, { policies: budget ? [budget] : [] });
  }

  /** Calls `work`, perhaps more than once, and gives the first answer; where all copies fail, the last error is thrown. */
  call<T>(work: (context: Context) => T | PromiseLike<T>, { signal }: { signal?: AbortSignal | undefined } = {}): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      signal?.throwIfAborted();
      const copies = attempt(() => native.hedgeBegin(this.raw));
      const losers = new AbortController();
      let timer: NodeJS.Timeout | undefined;
      const end = (tell: () => void) => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', forward);
        tell();
        losers.abort(new DOMException('another copy of the call has answered', 'AbortError'));
      };
      const forward = () => end(() => reject(signal!.reason));
      signal?.addEventListener('abort', forward, { once: true });
      const another = (): boolean => {
        const copy = native.hedgeSend(this.raw, copies);
        if (copy === undefined || copy === null) return false;
        start(copy);
        return true;
      };
      const await_ = () => {
        clearTimeout(timer);
        const wait = native.hedgeWait(this.raw, copies);
        if (wait !== undefined && wait !== null) timer = setTimeout(another, Math.ceil(wait));
      };
      const start = (copy: number) => {
        const ended = (outcome: number, tell: () => void) => {
          const verdict = native.hedgeFinish(this.raw, copies, copy, outcome);
          if (verdict === 'use' || (verdict === 'sendAnother' && !another())) end(tell);
        };
        Promise.resolve()
          .then(() => work({ signal: losers.signal }))
          .then(
            (answer) => ended(0, () => resolve(answer)),
            (error: unknown) => ended(1, () => reject(error)),
          );
        await_();
      };
      start(0);
    });
  }

  /** A function that calls `work` hedged. */
  wrap<A extends unknown[], T>(work: (...args: A) => T | PromiseLike<T>): (...args: A) => Promise<T> {
    return (...args) => this.call(() => work(...args));
  }
}

/** A level of degradation. */
export interface Level {
  name: string;
  /** It is entered when the load has been at least this for `enterAfter`. */
  enter: number;
  /** It is left when the load has been below this for `leaveAfter`; at most `enter`. */
  leave: number;
  enterAfter?: number;
  leaveAfter?: number;
  /** Features that are off in it and in all further ones. */
  off?: readonly string[];
}

/** Features that are switched off in steps as the load rises, and on again, later, as it falls. */
export class Degradation extends Policy {
  constructor(name: string, levels: Level[], options: InScope = {}) {
    super('degradation', name, options, { levels });
  }

  /** The level at present; 0 is full service. `state` has its name. */
  get level(): number {
    return native.degradationLevel(this.raw);
  }

  /** Tells the load. */
  load(load: number): void {
    attempt(() => native.policyLoad(this.raw, load));
  }

  /** Whether a feature is on. */
  isOn(feature: string): boolean {
    const on = attempt(() => native.degradationIsOn(this.raw, feature));
    if (on === undefined || on === null) {
      throw new KnhkError(`no level switches a feature ${JSON.stringify(feature)} off`, 'KNHK_NOT_FOUND', 100, 'policy', feature);
    }
    return on;
  }

  /** Holds a level whatever the load is; undefined lets go. */
  pin(level: number | undefined): void {
    attempt(() => native.degradationPin(this.raw, level));
  }
}

/** How to mend something: what throws has failed. */
export interface Strategy {
  name: string;
  mend: (component: string, what: string) => unknown;
  /** How often it is tried before the next one; 1. */
  tries?: number;
}

/** How a recovery went. */
export interface RecoveryReport {
  mendedBy: string | undefined;
  /** Each try that failed. */
  failed: { strategy: string; why: string }[];
}

/** Strategies that are tried in order until one mends what is broken; what breaks again within `relapse` begins further on. */
export class Recovery extends Policy {
  readonly #strategies: Strategy[];

  constructor(name: string, strategies: Strategy[], options: InScope & { pause?: number; relapse?: number } = {}) {
    super('recovery', name, options, { strategies: strategies.map(({ name, tries = 1 }) => ({ name, tries })) });
    this.#strategies = strategies;
  }

  /** Tries the strategies. */
  async recover(component: string, what: string): Promise<RecoveryReport> {
    const failed: RecoveryReport['failed'] = [];
    const first = attempt(() => native.recoveryFirst(this.raw, component));
    const end = (at?: number): RecoveryReport => {
      const flat = failed.flatMap(({ strategy, why }) => [strategy, why]);
      attempt(() => native.recoveryEnd(this.raw, component, what, at, flat));
      return { mendedBy: at === undefined ? undefined : this.#strategies[at]!.name, failed };
    };
    for (const [at, { name, mend, tries = 1 }] of this.#strategies.entries()) {
      for (let left = at < first ? 0 : Math.max(tries, 1); left > 0; left--) {
        if (failed.length) await pause(native.recoveryPause(this.raw));
        try {
          await mend(component, what);
          return end(at);
        } catch (error) {
          failed.push({ strategy: name, why: error instanceof Error ? error.message : String(error) });
        }
      }
    }
    return end();
  }
}

/** A component's health at one moment. */
export interface ComponentReport {
  name: string;
  state: 'healthy' | 'degraded' | 'unhealthy' | 'stale';
  weight: number;
  health: number;
  /** Milliseconds since its last report; undefined when there was none. */
  age?: number;
  /** The failing components that explain it. */
  explainedBy: string[];
}

/** A system's health at one moment. */
export interface HealthReport {
  availability: number;
  system: 'running' | 'degraded' | 'critical';
  components: ComponentReport[];
  /** For people. */
  text: string;
}

/** A component of a health monitor. */
export interface Component {
  readonly name: string;
  /** Tells its health, from 0 to 1. */
  report(health: number): void;
  /** Has it asked for its health at each poll; what throws or rejects is health 0. */
  check(check: () => number | PromiseLike<number>): void;
}

/** Watches components: the availability is the mean of their healths by weight; who is silent for `staleAfter` has none. */
export class Health extends Policy {
  readonly #checks: [component: Component, check: () => number | PromiseLike<number>][] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(name: string, options: InScope & { running?: number; critical?: number; staleAfter?: number } = {}) {
    super('health', name, options);
  }

  /** Adds a component that depends on others, which were added before. */
  add(name: string, { weight = 1, needs = [] }: { weight?: number; needs?: readonly string[] } = {}): Component {
    checkString('the name', name);
    const number = attempt(() => native.healthAdd(this.raw, name, weight, [...needs]));
    const component: Component = {
      name,
      report: (health) => attempt(() => native.healthReport(this.raw, number, health)),
      check: (check) => void this.#checks.push([component, check]),
    };
    return component;
  }

  /** Says that a component depends on another. */
  depend(name: string, on: string): void {
    attempt(() => native.healthDepend(this.raw, name, on));
  }

  /** How well the system is, by what was reported. */
  report(): HealthReport {
    return attempt(() => native.healthAssess(this.raw)) as HealthReport;
  }

  /** Asks all checks, and reports. */
  async poll(): Promise<HealthReport> {
    await Promise.all(
      this.#checks.map(async ([component, check]) => {
        let health = 0;
        try {
          health = await check();
        } catch {
          // Who cannot say how well it is, is not.
        }
        component.report(health);
      }),
    );
    return this.report();
  }

  /** Polls in an interval until `stop`; it keeps no process alive. */
  start(interval = 100): void {
    this.stop();
    const step = () => {
      this.#timer = setTimeout(() => void this.poll().then(() => this.#timer && step()), interval).unref();
    };
    step();
  }

  /** Ends the polling. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

// Policies that admit calls one by one, and what goes with a call.

import { attempt, checkInteger, checkOneOf, KnhkError } from '../errors.js';
import { native, type Refusal } from '../native.js';
import { pause } from './pause.js';
import { Policy } from './policy.js';

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
    return native.permitLeft(this.#raw) ?? undefined;
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

export interface Judging {
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

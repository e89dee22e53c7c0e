// More than one attempt: retries, pipelines with them, hedges.

import { attempt } from '../errors.js';
import { native } from '../native.js';
import { AdmittingPolicy, type CallOptions, type Context, type Judging, RefusedError } from './admitting.js';
import { pause } from './pause.js';
import { type InScope, Policy } from './policy.js';

/** What a `Retry-After` header asks for, in milliseconds; undefined when it is neither seconds nor a date. */
export function retryAfter(value: string): number | undefined {
  return native.retryAfter(value) ?? undefined;
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
        if (decided.pause === undefined) throw error;
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
        if (copy === null) return false;
        start(copy);
        return true;
      };
      const await_ = () => {
        clearTimeout(timer);
        const wait = native.hedgeWait(this.raw, copies);
        if (wait !== null) timer = setTimeout(another, Math.ceil(wait));
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

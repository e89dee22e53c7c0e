// The kinds that admit calls: breaker, limits, shedding, chaos.

import { attempt } from '../errors.js';
import { native } from '../native.js';
import { AdmittingPolicy, type Judging, type Priority } from './admitting.js';
import type { InScope } from './policy.js';

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

// Scopes: what policies share.

import { Engine, handleOf } from '../engine.js';
import { attempt, badType, checkOneOf } from '../errors.js';
import { native } from '../native.js';

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

/** The scope of policies that name none. */
export function sharedScope(): Scope {
  return (shared ??= new Scope());
}

export function named(figures: { name: string; value: number }[]): Record<string, number> {
  return Object.fromEntries(figures.map(({ name, value }) => [name, value]));
}

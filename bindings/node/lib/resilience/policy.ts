// What all policies have: a name, a state, figures, and parameters that can be changed.

import { Engine, handleOf } from '../engine.js';
import { attempt, badType, checkString } from '../errors.js';
import { native } from '../native.js';
import type { Level } from './degrade.js';
import { named, Scope, sharedScope } from './scope.js';

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

export interface InScope {
  /** What the policy shares with others; one on the system's clock by default. */
  scope?: Scope | undefined;
}

export interface Parts {
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
    const { scope = sharedScope(), ...given } = options;
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

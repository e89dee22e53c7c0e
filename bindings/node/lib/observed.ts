// Appending observations, and the checks of what is observed.

import { badRange, badType, checkInteger, checkOneOf, closed } from './errors.js';
import { Outcome as Ended } from './handle.js';
import { type Key, numberOf } from './key.js';
import { native, scratch } from './native.js';
import type { ObserveOptions, Outcome } from './records.js';

const OUTCOMES = { unspecified: 0, success: 1, rejected: 2, error: 3, timeout: 4 } as const;

/** Appends in a generation: that of an engine's place, or that of a view's handle. */
export function append(source: number, key: Key, value: number | bigint | boolean, options: ObserveOptions): boolean {
  checkObserved(key, value);
  const { outcome = 0, subject, detail, timeNs } = options;
  const accepted = native.observe(
    source,
    numberOf(key),
    value,
    outcomeCode(outcome),
    word('subject', subject),
    word('detail', detail),
    timeNs === undefined ? undefined : (word('timeNs', timeNs) as bigint),
  );
  if (scratch[0] === Ended.Closed) throw closed();
  return accepted;
}

/** Refuses a value that is not of the key's type. */
function checkObserved(key: Key, value: unknown): void {
  switch (key.type) {
    case 'bool':
      if (typeof value !== 'boolean') throw badType('the value', 'a boolean', value);
      return;
    case 'f64':
      if (typeof value !== 'number') throw badType('the value', 'a number', value);
      return;
    case 'i64':
      if (typeof value === 'bigint') {
        if (value !== BigInt.asIntN(64, value)) throw badRange(`the value ${value} does not fit into 64 bits`);
      } else {
        checkInteger('the value', value, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
      }
      return;
    default:
      throw badType(`${key}`, 'of type bool, i64 or f64', key.type);
  }
}

/** An outcome's number. */
function outcomeCode(outcome: Outcome): number {
  if (typeof outcome === 'string') {
    checkOneOf('the outcome', Object.keys(OUTCOMES) as (keyof typeof OUTCOMES)[], outcome);
    return OUTCOMES[outcome];
  }
  checkInteger('the outcome', outcome, 0, 2 ** 32 - 1);
  return outcome;
}

/** A word of 64 bits, of which a number can name the lower 53. */
function word(what: string, value: unknown): number | bigint | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'bigint') {
    if (value !== BigInt.asUintN(64, value)) throw badRange(`${what} ${value} does not fit into 64 unsigned bits`);
    return value;
  }
  checkInteger(what, value, 0, Number.MAX_SAFE_INTEGER);
  return value;
}

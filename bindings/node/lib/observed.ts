// Checks of what is observed.

import { badRange, badType, checkInteger, checkOneOf } from './errors.js';
import type { Key } from './key.js';
import type { Outcome } from './records.js';

const OUTCOMES = { unspecified: 0, success: 1, rejected: 2, error: 3, timeout: 4 } as const;

/** Refuses a value that is not of the key's type. */
export function checkObserved(key: Key, value: unknown): void {
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
export function outcomeCode(outcome: Outcome): number {
  if (typeof outcome === 'string') {
    checkOneOf('the outcome', Object.keys(OUTCOMES) as (keyof typeof OUTCOMES)[], outcome);
    return OUTCOMES[outcome];
  }
  checkInteger('the outcome', outcome, 0, 2 ** 32 - 1);
  return outcome;
}

/** A word of 64 bits, of which a number can name the lower 53. */
export function word(what: string, value: unknown): number | bigint | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'bigint') {
    if (value !== BigInt.asUintN(64, value)) throw badRange(`${what} ${value} does not fit into 64 unsigned bits`);
    return value;
  }
  checkInteger(what, value, 0, Number.MAX_SAFE_INTEGER);
  return value;
}

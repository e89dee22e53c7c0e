// Keys: a sector's names, interned with their types.

import { isUint8Array } from 'node:util/types';

import { badRange, badType, checkString, closed, KnhkError } from './errors.js';
import { checkMade, found, type Handle, Outcome } from './handle.js';
import { Kept } from './kept.js';
import { native, scratch } from './native.js';
import type { BigTypes, Reason, Tried, Value, ValueType, ValueTypes } from './records.js';

/** Names of a map that are kept at most. */
const NAMES = 4096;

const REASONS: readonly Reason[] = ['present', 'absent', 'wrong-type', 'not-ready', 'closed'];

/** Internals that sectors, views and engines use. */
export let makeKey: <T extends ValueType>(handle: Handle, number: number, sector: string, name: string, type: T) => Key<T>;
export let handleOf: (key: Key) => Handle;
export let numberOf: (key: Key) => number;
export let keptOf: (key: Key) => Kept<unknown>;

/** A name of a sector with its type, interned once: a misspelt one failed then. Valid for the engine's life, through promotions. */
export class Key<T extends ValueType = ValueType> {
  readonly sector: string;
  readonly name: string;
  readonly type: T;
  #handle: Handle;
  #number: number;
  #kept = new Kept<ValueTypes[T]>();
  /** Of the kept value: present, or not-ready for a declared default. */
  #reason: Reason = 'absent';
  #big: Kept<bigint | readonly bigint[]> | undefined = undefined;
  #range: Kept<readonly [low: number, high: number]> | undefined = undefined;
  #names: Kept<Map<string, Value>> | undefined = undefined;

  static {
    makeKey = (handle, number, sector, name, type) => new Key(handle, number, sector, name, type);
    handleOf = (key) => key.#handle;
    numberOf = (key) => key.#number;
    keptOf = (key) => key.#kept;
  }

  private constructor(handle: Handle, number: number, sector: string, name: string, type: T) {
    checkMade(handle);
    this.#handle = handle;
    this.#number = number;
    this.sector = sector;
    this.name = name;
    this.type = type;
  }

  /**
   * The current value.
   *
   * @throws KnhkError where there is none: `KNHK_NOT_READY` before the first promotion of a name without a declared default,
   * `KNHK_NOT_FOUND` or `KNHK_WRONG_TYPE` after a major version dropped or retyped it, `KNHK_CLOSED`.
   * @throws RangeError for an integer beyond 2^53 - 1 either way: see `bigint`.
   */
  get value(): ValueTypes[T] {
    const kept = this.#kept;
    if (kept.isCurrent(this.#handle.cells)) return kept.value as ValueTypes[T];
    const value = this.#read();
    if (value === undefined) throw missing(`${this}`);
    return value;
  }

  /** The current value, or `fallback` where there is none. */
  get<F = ValueTypes[T]>(fallback: F): ValueTypes[T] | F {
    const kept = this.#kept;
    return kept.isCurrent(this.#handle.cells) ? (kept.value as ValueTypes[T]) : (this.#read() ?? fallback);
  }

  /** The current value and why it is, or is not, there. */
  tryGet(): Tried<ValueTypes[T]> {
    const value = this.#kept.isCurrent(this.#handle.cells) ? this.#kept.value : this.#read();
    const reason = value === undefined ? REASONS[scratch[0]!]! : this.#reason;
    return { value, reason } as Tried<ValueTypes[T]>;
  }

  /** The integer, or list of integers, as BigInt, whatever its size. */
  get bigint(): T extends keyof BigTypes ? BigTypes[T] : never {
    if (this.type !== 'i64' && this.type !== 'list<i64>') throw badType(`${this}`, 'of type i64 or list<i64>', this.type);
    const kept = (this.#big ??= new Kept());
    if (!kept.isCurrent(this.#handle.cells)) {
      const value = native.read(this.#handle.engine, this.#number, true);
      if (!found(value)) throw missing(`${this}`);
      kept.keep(frozen(value) as bigint | readonly bigint[]);
    }
    return kept.value as never;
  }

  /** Whether `value` lies in the range that the document gives this key; false where there is no such value now. */
  allows(this: Key<'i64'> | Key<'f64'>, value: number | bigint): boolean {
    return (this as Key).#allows(value);
  }

  /** Whether this class is `ancestor` or descends from it. Both are of one sector. */
  isA(this: Key<'class'>, ancestor: Key<'class'>): boolean {
    checkSame(this.#handle, this as unknown as Key, 'class');
    checkSame(this.#handle, ancestor as unknown as Key, 'class');
    return native.isA(this.#handle.engine, this.#number, ancestor.#number) === true;
  }

  /** The value under a name of this map, known only at run time; undefined where there is none. Integers are read as by `value`. */
  lookup(this: Key<'map'>, name: string): Value | undefined {
    const names = (this as unknown as Key).#names;
    const known = names?.isCurrent(this.#handle.cells) ? names.value!.get(name) : undefined;
    return known !== undefined ? known : (this as unknown as Key).#lookup(name);
  }

  /** As `lookup`, with integers as BigInt. */
  lookupBigInt(this: Key<'map'>, name: string): Value | bigint | readonly bigint[] | undefined {
    checkSame(this.#handle, this as unknown as Key, 'map');
    checkString('the name', name);
    return looked(native.lookup(this.#handle.engine, this.#number, name, true), `${this}/${name}`);
  }

  /** `orders/max_qty`. */
  toString(): string {
    return `${this.sector}/${this.name}`;
  }

  /** Reads the pinned current generation, and keeps what it read. */
  #read(): ValueTypes[T] | undefined {
    if (this.type === 'map' || this.type === 'class') throw noValue(this);
    const value = native.read(this.#handle.engine, this.#number, false) as ValueTypes[T] | undefined;
    if (scratch[0] === Outcome.Inexact) throw inexact(`${this}`);
    if (!found(value)) return undefined;
    this.#reason = REASONS[scratch[0]!]!;
    if (isKeepable(frozen(value))) this.#kept.keep(value as ValueTypes[T]);
    return value;
  }

  #allows(value: number | bigint): boolean {
    checkGuarded(this, value);
    if (typeof value === 'bigint' || (this.type === 'i64' && !Number.isSafeInteger(value))) {
      return native.allows(this.#handle.engine, this.#number, value) === true;
    }
    const kept = (this.#range ??= new Kept());
    if (!kept.isCurrent(this.#handle.cells)) {
      const range = native.range(this.#handle.engine, this.#number);
      if (range === undefined) return false;
      kept.keep(range);
    }
    // A bound of an i64 that is beyond a number's exactness lies, rounded, still on the same side of every safe integer.
    const [low, high] = kept.value!;
    return low <= value && value <= high;
  }

  #lookup(name: string): Value | undefined {
    checkSame(this.#handle, this as unknown as Key, 'map');
    checkString('the name', name);
    const value = looked(native.lookup(this.#handle.engine, this.#number, name, false), `${this}/${name}`);
    if (value === undefined || !isKeepable(value)) return value;
    const names = (this.#names ??= new Kept());
    if (!names.isOfLastRead() || names.value!.size >= NAMES) names.keep(new Map());
    names.value!.set(name, value);
    return value;
  }
}

/** Lists are shared between those who read them. */
function frozen(value: unknown): unknown {
  return Array.isArray(value) ? Object.freeze(value) : value;
}

/** Whether nobody can change the value: bytes are copied for each reader instead. */
function isKeepable(value: unknown): boolean {
  return !(isUint8Array(value)) && !(Array.isArray(value) && isUint8Array(value[0]));
}

/** Refuses a key without a range, and a value that no range is about. */
export function checkGuarded(key: Key | Key<ValueType>, value: unknown): asserts value is number | bigint {
  if (key.type !== 'i64' && key.type !== 'f64') throw badType(`${key}`, 'of type i64 or f64', key.type);
  if (typeof value !== 'number' && (typeof value !== 'bigint' || key.type === 'f64')) {
    throw badType('the value', key.type === 'i64' ? 'a number or a bigint' : 'a number', value);
  }
}

/** Refuses another engine's key, and one of another type. */
export function checkSame(handle: Handle, key: Key, type?: ValueType): void {
  if (!(key instanceof Key)) throw badType('the key', 'a key of this engine', key);
  if (handleOf(key) !== handle) {
    throw Object.assign(new TypeError(`${key} is a key of another engine`), { code: 'KNHK_INVALID_ARGUMENT' });
  }
  if (type !== undefined && key.type !== type) throw badType(`${key}`, `of type ${type}`, key.type);
}

/** What a lookup or a read of a held generation gave; undefined where there is nothing. */
export function looked(value: unknown, item: string): Value | undefined {
  if (scratch[0] === Outcome.Inexact) throw inexact(item);
  if (scratch[0] === Outcome.Closed) throw closed();
  return frozen(value) as Value | undefined;
}

export function noValue(key: Key | Key<ValueType>): TypeError {
  const way = key.type === 'map' ? 'lookup(name)' : 'isA(ancestor)';
  return Object.assign(new TypeError(`${key} is a ${key.type}, which has no value of its own: use ${way}`), {
    code: 'KNHK_INVALID_ARGUMENT',
  });
}

export function inexact(item: string): RangeError {
  return badRange(`${item} holds an integer beyond ±(2^53 - 1), which a number cannot hold exactly: use bigint`);
}

/** Why the last native read gave nothing, as an error. */
export function missing(item: string): KnhkError {
  switch (scratch[0]) {
    case Outcome.NotReady:
      return new KnhkError(
        `${item} has no value yet: nothing was promoted and no default declared`,
        'KNHK_NOT_READY',
        103,
        'read',
        item,
      );
    case Outcome.WrongType:
      return new KnhkError(`${item} has another type since a major version`, 'KNHK_WRONG_TYPE', 102, 'read', item);
    case Outcome.Closed:
      return closed();
    default:
      return new KnhkError(`${item} has no value in the current version`, 'KNHK_NOT_FOUND', 100, 'read', item);
  }
}

// Keys. A key's value is immutable within a generation, so it is kept with the generation that it was read in, and a read only checks
// that this generation is still the current one.
//
// The check (`Key.value`): load the current root's address, then the newest epoch, and compare both with the kept ones. Why that is
// enough: the promoter exchanges `root` first and stores `epoch` last, one publication after the other, and no two generations have
// the same epoch. If the root's address equals the kept one, it is either that generation's or a later one's that re-uses the
// address. In the latter case the kept generation was retired before, so an epoch greater than the kept one had been stored before the
// address was published again, and the second load sees it. So equality proves that the kept generation was current when the
// root was loaded: the value is never torn, never older than a promotion acknowledged before the read began, and never older than
// what this thread saw before. The first load is Atomics.load: it may neither be hoisted out of a loop nor reordered with the second.

import { checkString, KnhkError, badRange, badType, closed } from './errors.js';
import { EPOCH_HIGH, EPOCH_LOW, found, type Handle, Outcome, ROOT } from './handle.js';
import { native, scratch } from './native.js';
import type { BigTypes, Reason, Tried, Value, ValueType, ValueTypes } from './records.js';

/** Names of a map that are kept at most. */
const NAMES = 4096;

/** No generation has this upper half. */
const NEVER = -1;

/** Types whose values cannot be changed by who reads them, so that one is enough for all. */
const KEPT: ReadonlySet<ValueType> = new Set<ValueType>([
  'bool',
  'i64',
  'f64',
  'string',
  'list<bool>',
  'list<i64>',
  'list<f64>',
  'list<string>',
]);

const REASONS: readonly Reason[] = ['present', 'absent', 'wrong-type', 'not-ready', 'closed'];

/** Internals that sectors, views and engines use. */
export let makeKey: <T extends ValueType>(handle: Handle, number: number, sector: string, name: string, type: T) => Key<T>;
export let handleOf: (key: Key) => Handle;
export let numberOf: (key: Key) => number;
export let kept: (key: Key, root: number, low: number, high: number) => Value | undefined;

/** A name of a sector with its type, interned once: a misspelt one failed then. Valid for the engine's life, through promotions. */
export class Key<T extends ValueType = ValueType> {
  readonly sector: string;
  readonly name: string;
  readonly type: T;
  #handle: Handle;
  #number: number;
  #cells: Int32Array;
  #value: ValueTypes[T] | undefined = undefined;
  /** What was looked up in a map. */
  #names: Map<string, Value> | undefined = undefined;
  #reason: Reason = 'absent';
  #root = 0;
  #low = 0;
  #high = NEVER;

  static {
    makeKey = (handle, number, sector, name, type) => new Key(handle, number, sector, name, type);
    handleOf = (key) => key.#handle;
    numberOf = (key) => key.#number;
    kept = (key, root, low, high) =>
      key.#root === root && key.#low === low && key.#high === high ? (key.#value as Value | undefined) : undefined;
  }

  private constructor(handle: Handle, number: number, sector: string, name: string, type: T) {
    this.#handle = handle;
    this.#number = number;
    this.#cells = handle.cells;
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
    if (this.#isCurrent()) return this.#value as ValueTypes[T];
    const value = this.#read();
    if (value === undefined) throw this.#missing();
    return value;
  }

  /** The current value, or `fallback` where there is none. */
  get<F = ValueTypes[T]>(fallback: F): ValueTypes[T] | F {
    return this.#isCurrent() ? (this.#value as ValueTypes[T]) : (this.#read() ?? fallback);
  }

  /** The current value and why it is, or is not, there. */
  tryGet(): Tried<ValueTypes[T]> {
    const value = this.#isCurrent() ? this.#value : this.#read();
    const reason = value === undefined ? REASONS[scratch[0]!]! : this.#reason;
    return { value, reason } as Tried<ValueTypes[T]>;
  }

  /** The integer, or list of integers, as BigInt, whatever its size. */
  get bigint(): T extends keyof BigTypes ? BigTypes[T] : never {
    if (this.type !== 'i64' && this.type !== 'list<i64>') throw badType(`${this}`, 'of type i64 or list<i64>', this.type);
    const value = native.read(this.#handle.engine, this.#number, true);
    if (!found(value)) throw this.#missing();
    return (this.type === 'i64' ? value : Object.freeze(value)) as never;
  }

  /** Whether `value` lies in the range that the document gives this key; false where there is no such value now. */
  allows(this: Key<'i64'> | Key<'f64'>, value: number | bigint): boolean {
    return (this as Key).#allows((this as Key).#handle.engine, value);
  }

  /** Whether this class is `ancestor` or descends from it. Both are of one sector. */
  isA(this: Key<'class'>, ancestor: Key<'class'>): boolean {
    checkSame(this.#handle, ancestor, 'class');
    return native.isA(this.#handle.engine, this.#number, ancestor.#number) === true;
  }

  /** The value under a name of this map, known only at run time; undefined where there is none. Integers are read as by `value`. */
  lookup(this: Key<'map'>, name: string): Value | undefined {
    const known = (this as Key).#isCurrent() ? (this as Key).#names?.get(name) : undefined;
    return known !== undefined ? known : (this as Key).#lookup(name);
  }

  /** As `lookup`, with integers as BigInt. */
  lookupBigInt(this: Key<'map'>, name: string): Value | bigint | readonly bigint[] | undefined {
    checkString('the name', name);
    return looked(native.lookup(this.#handle.engine, this.#number, name, true), `${this}/${name}`);
  }

  /** `orders/max_qty`. */
  toString(): string {
    return `${this.sector}/${this.name}`;
  }

  /** Looks a name up in the pinned current generation, and keeps what it found. */
  #lookup(name: string): Value | undefined {
    if (this.type !== 'map') throw badType(`${this}`, 'of type map', this.type);
    checkString('the name', name);
    const value = looked(native.lookup(this.#handle.engine, this.#number, name, false), `${this}/${name}`);
    if (value === undefined || value instanceof Uint8Array || (Array.isArray(value) && value[0] instanceof Uint8Array)) {
      return value;
    }
    const [, root, low, high] = scratch as unknown as [number, number, number, number];
    const names = (this.#names ??= new Map());
    if (root !== this.#root || low !== this.#low || high !== this.#high || names.size >= NAMES) names.clear();
    names.set(name, value);
    this.#root = root;
    this.#low = low;
    this.#high = high;
    return value;
  }

  #isCurrent(): boolean {
    const cells = this.#cells;
    return (
      Atomics.load(cells, ROOT) === this.#root && cells[EPOCH_LOW] === this.#low && cells[EPOCH_HIGH] === this.#high
    );
  }

  /** Reads the pinned current generation, and keeps what it read. */
  #read(): ValueTypes[T] | undefined {
    if (this.type === 'map' || this.type === 'class') throw noValue(this);
    const value = native.read(this.#handle.engine, this.#number, false) as ValueTypes[T] | undefined;
    if (scratch[0] === Outcome.Inexact) throw inexact(`${this}`);
    if (!found(value)) return undefined;
    this.#reason = REASONS[scratch[0]!]!;
    if (Array.isArray(value)) Object.freeze(value);
    if (KEPT.has(this.type)) {
      this.#value = value;
      this.#root = scratch[1]!;
      this.#low = scratch[2]!;
      this.#high = scratch[3]!;
    }
    return value;
  }

  #allows(source: number, value: number | bigint): boolean {
    if (this.type !== 'i64' && this.type !== 'f64') throw badType(`${this}`, 'of type i64 or f64', this.type);
    if (typeof value !== 'number' && (typeof value !== 'bigint' || this.type === 'f64')) {
      throw badType('the value', this.type === 'i64' ? 'a number or a bigint' : 'a number', value);
    }
    return native.allows(source, this.#number, value) === true;
  }

  #missing(): KnhkError {
    return missing(`${this}`);
  }
}

/** Guards as of a held generation. */
export function allowsIn(view: number, key: Key, value: number | bigint): boolean {
  if (key.type !== 'i64' && key.type !== 'f64') throw badType(`${key}`, 'of type i64 or f64', key.type);
  return native.allows(view, numberOf(key), value) === true;
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
  if (Array.isArray(value)) Object.freeze(value);
  return value as Value | undefined;
}

export function noValue(key: Key): TypeError {
  return badType(`${key}`, key.type === 'map' ? 'looked up by name' : 'asked with isA', `a ${key.type}`);
}

export function inexact(item: string): RangeError {
  return badRange(`${item} holds an integer beyond ±(2^53 - 1), which a number cannot hold exactly: use bigint`);
}

/** Why the last native read gave nothing, as an error. */
export function missing(item: string): KnhkError {
  switch (scratch[0]) {
    case Outcome.NotReady:
      return new KnhkError(`${item} has no value yet: nothing was promoted and no default declared`, 'KNHK_NOT_READY', 103, 'read', item);
    case Outcome.WrongType:
      return new KnhkError(`${item} has another type since a major version`, 'KNHK_WRONG_TYPE', 102, 'read', item);
    case Outcome.Closed:
      return closed();
    default:
      return new KnhkError(`${item} has no value in the current version`, 'KNHK_NOT_FOUND', 100, 'read', item);
  }
}

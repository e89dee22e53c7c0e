// Views: one generation of all sectors, held across calls and awaits.

import { checkString, closed } from './errors.js';
import { checkMade, found, type Handle, Outcome } from './handle.js';
import { checkGuarded, checkSame, inexact, type Key, keptOf, looked, missing, noValue, numberOf } from './key.js';
import { native, scratch } from './native.js';
import { append } from './observed.js';
import type { BigTypes, ObserveOptions, Value, ValueType, ValueTypes } from './records.js';

const forgotten = new FinalizationRegistry((view: number) => native.endView(view));

export let makeView: (handle: Handle) => View;

/** A view of what the native half holds already. */
export let makeHeld: (handle: Handle, view: number) => View;

/**
 * One generation: several keys read through it are of the same promotion, however long that takes. It keeps the memory of its generation
 * until `end()`, the end of its `using` block, or its collection as garbage.
 */
export class View {
  /** The generation's number. */
  readonly epoch: number;
  #handle: Handle;
  #view: number;
  #root: number;
  #low: number;
  #high: number;

  static {
    makeView = (handle) => new View(handle, native.openView(handle.engine));
    makeHeld = (handle, view) => new View(handle, native.lookAt(view) ? view : undefined);
  }

  private constructor(handle: Handle, view: number | undefined) {
    checkMade(handle);
    if (view === undefined) throw closed();
    this.#handle = handle;
    this.#view = view;
    this.#root = scratch[1]!;
    this.#low = scratch[2]!;
    this.#high = scratch[3]!;
    this.epoch = (this.#high >>> 0) * 2 ** 32 + (this.#low >>> 0);
    forgotten.register(this, view, this);
  }

  /** The key's value in this generation. Throws as `key.value` does where there is none, unless a fallback is given. */
  get<T extends ValueType>(key: Key<T>): ValueTypes[T];
  get<T extends ValueType, F>(key: Key<T>, fallback: F): ValueTypes[T] | F;
  get(key: Key, ...fallback: unknown[]): unknown {
    checkSame(this.#handle, key);
    const handle = this.#open();
    const kept = keptOf(key);
    if (kept.isOf(this.#root, this.#low, this.#high)) return kept.value;
    if (key.type === 'map' || key.type === 'class') throw noValue(key);
    const value = native.read(handle, numberOf(key), false);
    if (scratch[0] === Outcome.Inexact) throw inexact(`${key}`);
    if (Array.isArray(value)) Object.freeze(value);
    if (found(value)) return value;
    if (fallback.length > 0) return fallback[0];
    throw missing(`${key}`);
  }

  /** The key's integer, or list of integers, as BigInt. */
  bigint<T extends keyof BigTypes>(key: Key<T>): BigTypes[T] {
    checkSame(this.#handle, key);
    const value = native.read(this.#open(), numberOf(key), true);
    if (!found(value)) throw missing(`${key}`);
    return (Array.isArray(value) ? Object.freeze(value) : value) as BigTypes[T];
  }

  /** Whether `value` lies in the range that this generation gives the key. */
  allows(key: Key<'i64'> | Key<'f64'>, value: number | bigint): boolean {
    checkSame(this.#handle, key as Key);
    checkGuarded(key as Key, value);
    return native.allows(this.#open(), numberOf(key as Key), value) === true;
  }

  /** Whether a class is, or descends from, another in this generation. */
  isA(key: Key<'class'>, ancestor: Key<'class'>): boolean {
    checkSame(this.#handle, key, 'class');
    checkSame(this.#handle, ancestor, 'class');
    return native.isA(this.#open(), numberOf(key), numberOf(ancestor)) === true;
  }

  /** The value under a name of a map, known only at run time; undefined where there is none. */
  lookup(map: Key<'map'>, name: string): Value | undefined {
    checkSame(this.#handle, map, 'map');
    checkString('the name', name);
    return looked(native.lookup(this.#open(), numberOf(map), name, false), `${map}/${name}`);
  }

  /** The value under a path, `orders/max_qty`, whatever its type; undefined where there is none. */
  find(path: string): Value | undefined {
    checkString('the path', path);
    const slash = path.indexOf('/');
    if (slash < 0) return undefined;
    return looked(native.find(this.#open(), path.slice(0, slash), path.slice(slash + 1), false), path);
  }

  /** As `engine.observe`; the observation carries this generation, which is what the decision was made in. */
  observe(key: Key<'i64'>, value: number | bigint, options?: ObserveOptions): boolean;
  observe(key: Key<'f64'>, value: number, options?: ObserveOptions): boolean;
  observe(key: Key<'bool'>, value: boolean, options?: ObserveOptions): boolean;
  observe(key: Key<never>, value: number | bigint | boolean, options: ObserveOptions = {}): boolean {
    checkSame(this.#handle, key as Key);
    return append(this.#open(), key as Key, value, options);
  }

  /** Lets the generation go. Ending twice does nothing. */
  end(): void {
    if (this.#view === 0) return;
    forgotten.unregister(this);
    native.endView(this.#view);
    this.#view = 0;
  }

  [Symbol.dispose](): void {
    this.end();
  }

  /** The handle, which is below 0 until the view has ended. */
  #open(): number {
    if (this.#view === 0) throw closed('the view has ended');
    return this.#view;
  }
}

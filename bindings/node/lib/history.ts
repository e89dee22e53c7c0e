// The history of a sector: its log, names for versions, and reads as of then.

import { checkInteger, checkOptionalString, checkOptions, checkString, operation } from './errors.js';
import type { Handle } from './handle.js';
import { native } from './native.js';
import type { Aggregate, LogEntry, Objective, Reference, Tag } from './proof.js';
import { makeHeld, type View } from './view.js';

/** The part of a sector that is its history. */
export abstract class History {
  readonly name: string;
  #of: Handle;

  constructor(handle: Handle, name: string) {
    this.#of = handle;
    this.name = name;
  }

  /** The versions, newest first, also those that are no longer kept; at most 100 unless `limit` says so. */
  async log(options: { before?: number; limit?: number } = {}): Promise<LogEntry[]> {
    checkOptions(options);
    const { before, limit } = options;
    if (before !== undefined) checkInteger('the option before', before, 0, Number.MAX_SAFE_INTEGER);
    if (limit !== undefined) checkInteger('the option limit', limit, 0, 2 ** 32 - 1);
    return operation((settle) => native.versionLog(this.#of.engine, this.name, before, limit, settle), native.cancel, undefined);
  }

  /**
   * The number of the version that is meant.
   *
   * @throws KnhkError `KNHK_NOT_FOUND`; `KNHK_INVALID_ARGUMENT` for what is no reference, and for one that may mean several, which the message
   * lists.
   */
  async resolve(reference: Reference): Promise<number> {
    const text = textOf(reference);
    return operation((settle) => native.resolve(this.#of.engine, this.name, text, settle), native.cancel, undefined);
  }

  /**
   * Names a version, and moves the name if it is there; gives the version's number. A tag is 1 to 64 characters of letters, digits, `.`, `_`,
   * `-` and `/`, begins with a letter, and is no other form of a reference.
   */
  async tag(name: string, reference: Reference = 'current', options: { by?: string } = {}): Promise<number> {
    const [text, by] = [textOf(reference), byOf(name, options)];
    return operation((settle) => native.tag(this.#of.engine, this.name, name, text, by, settle), native.cancel, undefined);
  }

  /** Removes a tag; the version stays. */
  async untag(name: string, options: { by?: string } = {}): Promise<void> {
    const by = byOf(name, options);
    return operation((settle) => native.untag(this.#of.engine, this.name, name, by, settle), native.cancel, undefined);
  }

  /** The tags, by name. */
  async tags(): Promise<Tag[]> {
    return operation((settle) => native.tagsOf(this.#of.engine, this.name, settle), native.cancel, undefined);
  }

  /** What the observations add up to, by key and kind. Fails with `KNHK_NOT_READY` for an engine without the option `observations`. */
  async aggregates(): Promise<Aggregate[]> {
    return operation((settle) => native.aggregates(this.#of.engine, this.name, settle), native.cancel, undefined);
  }

  /** How the service level objectives stand. Fails as `aggregates`. */
  async objectives(): Promise<Objective[]> {
    return operation((settle) => native.objectives(this.#of.engine, this.name, settle), native.cancel, undefined);
  }

  /** All sectors as they were when a version of this one became current, or at a moment. End the view, or use it in `using`. */
  async asOf(reference: Reference): Promise<View> {
    const text = textOf(reference);
    const start = (settle: Parameters<typeof native.asOf>[3]) => native.asOf(this.#of.engine, this.name, text, settle);
    return makeHeld(this.#of, await operation<number>(start, native.cancel, undefined));
  }
}

function textOf(reference: unknown): string {
  if (typeof reference === 'number') {
    checkInteger('the reference', reference, 0, Number.MAX_SAFE_INTEGER);
    return String(reference);
  }
  checkString('the reference', reference);
  return reference;
}

function byOf(name: unknown, options: { by?: string }): string {
  checkString('the name', name);
  checkOptions(options);
  checkOptionalString('the option by', options.by);
  return options.by ?? '';
}

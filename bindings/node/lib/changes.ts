// Changes as an asynchronous iterator.

import { missing } from './lazy.js';
import { native } from './native.js';
import type { Change } from './records.js';

/** Changes that wait for a slow loop before the oldest are given up, and counted in the next one's `missed`. */
const WAITING = 256;

interface Waiter {
  resolve(result: IteratorResult<Change, undefined>): void;
  reject(reason: unknown): void;
}

/** The changes from its making on. Ends with the engine; a signal makes it throw. */
export class Changes implements AsyncIterableIterator<Change, undefined> {
  #queue: Change[] = [];
  #waiters: Waiter[] = [];
  #missed = 0;
  #ended = false;
  #failure: { reason: unknown } | undefined;
  #persistent: boolean;
  #signal: AbortSignal | undefined;
  #forget: (changes: Changes) => void;
  #abort = () => this.#fail(this.#signal?.reason);

  constructor(forget: (changes: Changes) => void, signal: AbortSignal | undefined, persistent: boolean) {
    this.#forget = forget;
    this.#signal = signal;
    this.#persistent = persistent;
    signal?.addEventListener('abort', this.#abort, { once: true });
  }

  push(change: Change): void {
    const waiter = this.#waiter();
    if (waiter) {
      waiter.resolve({ done: false, value: this.#counted(change) });
      return;
    }
    this.#queue.push(change);
    if (this.#queue.length > WAITING) this.#missed += 1 + this.#queue.shift()!.missed;
  }

  /** The engine was closed: what waits in the queue is still given out. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#signal?.removeEventListener('abort', this.#abort);
    this.#forget(this);
    for (let waiter = this.#waiter(); waiter; waiter = this.#waiter()) waiter.resolve({ done: true, value: undefined });
  }

  next(): Promise<IteratorResult<Change, undefined>> {
    const change = this.#queue.shift();
    if (change) return Promise.resolve({ done: false, value: this.#counted(change) });
    if (this.#failure) {
      const { reason } = this.#failure;
      this.#failure = undefined;
      return Promise.reject(reason);
    }
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    if (this.#persistent) native.keepAlive(true);
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
  }

  return(): Promise<IteratorResult<Change, undefined>> {
    this.#queue = [];
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  #fail(reason: unknown): void {
    this.#queue = [];
    const waiter = this.#waiter();
    if (waiter) waiter.reject(reason);
    else this.#failure = { reason };
    this.end();
  }

  /** Whoever has waited longest. A persistent loop keeps the process alive while it waits, and only then. */
  #waiter(): Waiter | undefined {
    const waiter = this.#waiters.shift();
    if (waiter && this.#persistent) native.keepAlive(false);
    return waiter;
  }

  #counted(change: Change): Change {
    if (this.#missed > 0) {
      change = missing(change, change.missed + this.#missed);
      this.#missed = 0;
    }
    return change;
  }
}

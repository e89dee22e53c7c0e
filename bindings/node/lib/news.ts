// News of an engine as an asynchronous iterator.

import { native } from './native.js';

/** News that wait for a slow loop before the oldest are given up. */
const WAITING = 256;

interface Waiter<T> {
  resolve(result: IteratorResult<T, undefined>): void;
  reject(reason: unknown): void;
}

/** The news from its making on. Ends with the engine; a signal makes it throw. */
export class News<T> implements AsyncIterableIterator<T, undefined> {
  #queue: T[] = [];
  #waiters: Waiter<T>[] = [];
  #ended = false;
  #failure: { reason: unknown } | undefined;
  #persistent: boolean;
  #signal: AbortSignal | undefined;
  #forget: (news: News<T>) => void;
  #abort = () => this.#fail(this.#signal?.reason);

  constructor(forget: (news: News<T>) => void, signal: AbortSignal | undefined, persistent: boolean) {
    this.#forget = forget;
    this.#signal = signal;
    this.#persistent = persistent;
    signal?.addEventListener('abort', this.#abort, { once: true });
  }

  /** Hears of each that is given up, the oldest first. */
  protected givenUp(_: T): void {}

  /** What is given out for one. */
  protected given(one: T): T {
    return one;
  }

  push(one: T): void {
    const waiter = this.#waiter();
    if (waiter) {
      waiter.resolve({ done: false, value: this.given(one) });
      return;
    }
    this.#queue.push(one);
    if (this.#queue.length > WAITING) this.givenUp(this.#queue.shift()!);
  }

  /** The engine was closed: what waits in the queue is still given out. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#signal?.removeEventListener('abort', this.#abort);
    this.#forget(this);
    for (let waiter = this.#waiter(); waiter; waiter = this.#waiter()) waiter.resolve({ done: true, value: undefined });
  }

  next(): Promise<IteratorResult<T, undefined>> {
    const [one] = this.#queue.splice(0, 1);
    if (one !== undefined) return Promise.resolve({ done: false, value: this.given(one) });
    if (this.#failure) {
      const { reason } = this.#failure;
      this.#failure = undefined;
      return Promise.reject(reason);
    }
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    if (this.#persistent) native.keepAlive(true);
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
  }

  return(): Promise<IteratorResult<T, undefined>> {
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
  #waiter(): Waiter<T> | undefined {
    const waiter = this.#waiters.shift();
    if (waiter && this.#persistent) native.keepAlive(false);
    return waiter;
  }
}

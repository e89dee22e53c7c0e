// Channels between JavaScript's threads, or within one, with credit.

import { deserialize, serialize } from 'node:v8';

import { attempt, checkInteger, checkOptions, checkString, closed } from '../errors.js';
import { native } from '../native.js';

/** How one way of a channel has fared. */
export interface Flow {
  /** The most messages that may be under way. */
  window: number;
  sent: number;
  /** Messages that the receiver is done with. */
  done: number;
  /** Attempts that found no credit. */
  refused: number;
  /** Whether the receiver holds its senders back. */
  held: boolean;
}

/** A message that fills its place in the window until it is done with. */
export interface Delivery<In> {
  readonly value: In;
  /** Gives the place back. */
  done(): void;
}

export interface WaitOptions {
  /** Ends the wait; nothing was sent or received then. */
  signal?: AbortSignal | undefined;
}

const GONE = "the channel's other end is closed, or this one has finished";

/**
 * An end of a channel: it sends `Out` and receives `In`, between the threads of a process or within one.
 *
 *     const [here, there] = Channel.pair(64);
 *     const worker = new Worker('./worker.mjs', { workerData: there.share() });
 *     await here.send({ order: 7 }); // waits while 64 are under way
 *     for await (const answer of here) …
 *
 *     // worker.mjs
 *     const end = Channel.attach(workerData);
 *     for await (const order of end) await end.send(work(order));
 *     end.finish();
 *
 * Messages are copied as `structuredClone` copies them. Unlike a `MessagePort`, a sender that is too fast waits. An end that is closed or forgotten
 * refuses the other end's messages. Waiting keeps the process alive.
 */
export class Channel<Out = unknown, In = unknown> implements AsyncIterable<In> {
  readonly #raw: object;
  readonly #waiting: [read: Set<() => void>, write: Set<() => void>] = [new Set(), new Set()];

  private constructor(raw: object) {
    this.#raw = raw;
    // Not through `this`: who is told must not keep an end that was forgotten.
    const waiting = this.#waiting;
    native.channelListen(raw, (writable) => {
      const woken = waiting[writable ? 1 : 0];
      const all = [...woken];
      woken.clear();
      for (const wake of all) wake();
    });
  }

  /** Two ends; at most `window` messages (up to 1,048,576) are under way each way. */
  static pair<A = unknown, B = unknown>(window: number): [Channel<A, B>, Channel<B, A>] {
    checkInteger('the window', window, 1, 2 ** 20);
    const [left, right] = attempt(() => native.channelPair(window)) as [object, object];
    return [new Channel<A, B>(left), new Channel<B, A>(right)];
  }

  /** Takes up an end that another thread handed over. */
  static attach<Out = unknown, In = unknown>(token: string): Channel<Out, In> {
    checkString('the token', token);
    return new Channel<Out, In>(attempt(() => native.channelAttach(token)));
  }

  /** Hands this end over to whoever attaches it: gives a token, which names it in this process, once. This object cannot be used any more. */
  share(): string {
    return attempt(() => native.channelShare(this.#raw));
  }

  /** Sends, and waits for credit. Rejects with KNHK_CLOSED where the other end is closed, or this one has finished. */
  async send(message: Out, options: WaitOptions = {}): Promise<void> {
    const bytes = serialize(message);
    await this.#until(true, () => (this.#send(bytes) ? true : undefined), options);
  }

  /** Sends without waiting; whether there was credit. */
  trySend(message: Out): boolean {
    return this.#send(serialize(message));
  }

  /** The next message, waiting for it. Rejects with KNHK_CLOSED when nothing will come. */
  async receive(options: WaitOptions = {}): Promise<In> {
    return (await this.#next(false, options)).value;
  }

  /** The next message where one is there. */
  tryReceive(): { value: In } | undefined {
    return this.#received(false);
  }

  /** As `receive`, for work that takes time: the message fills its place in the window until `done` is called. */
  async take(options: WaitOptions = {}): Promise<Delivery<In>> {
    const { value } = await this.#next(true, options);
    let left = true;
    const done = () => {
      if (left) native.channelDone(this.#raw);
      left = false;
    };
    return { value, done };
  }

  /** The messages, until the other end has finished. */
  async *[Symbol.asyncIterator](): AsyncGenerator<In, void, void> {
    for (;;) {
      let next: { value: In };
      try {
        next = await this.#next(false, {});
      } catch (error) {
        if ((error as { code?: string }).code === 'KNHK_CLOSED') return;
        throw error;
      }
      yield next.value;
    }
  }

  /** Withdraws the other end's credit until `release`; what it sent can still be received. */
  hold(): void {
    native.channelSwitch(this.#raw, 'hold');
  }

  /** Gives the credit back. */
  release(): void {
    native.channelSwitch(this.#raw, 'release');
  }

  /** Sends nothing more: the other end receives what was sent, and then learns that it has ended. */
  finish(): void {
    native.channelSwitch(this.#raw, 'finish');
  }

  /** Finishes, and receives nothing more. */
  close(): void {
    native.channelSwitch(this.#raw, 'close');
  }

  /** How what this end sends has fared. */
  get outgoing(): Flow {
    return attempt(() => native.channelFlow(this.#raw, true));
  }

  /** How what this end receives has fared. */
  get incoming(): Flow {
    return attempt(() => native.channelFlow(this.#raw, false));
  }

  #send(bytes: Uint8Array): boolean {
    const sent = attempt(() => native.channelSend(this.#raw, bytes));
    if (sent === 'closed') throw closed(GONE);
    return sent === 'sent';
  }

  #received(take: boolean): { value: In } | undefined {
    const { message, ended } = attempt(() => native.channelReceive(this.#raw, take));
    if (ended) throw closed('nothing more will come');
    return message && { value: deserialize(message) as In };
  }

  #next(take: boolean, options: WaitOptions): Promise<{ value: In }> {
    return this.#until(false, () => this.#received(take), options);
  }

  /** Tries until it is done. Who waits is noted before it tries a last time. */
  async #until<T>(writable: boolean, attempted: () => T | undefined, options: WaitOptions): Promise<T> {
    checkOptions(options);
    const { signal } = options;
    for (;;) {
      signal?.throwIfAborted();
      let done = attempted();
      if (done !== undefined) return done;
      const waiting = this.#waiting[writable ? 1 : 0];
      let wake = () => {};
      const woken = new Promise<void>((resolve) => (wake = resolve));
      attempt(() => native.channelWhen(this.#raw, writable));
      waiting.add(wake);
      native.keepAlive(true);
      signal?.addEventListener('abort', wake, { once: true });
      try {
        done = attempted();
        if (done !== undefined) return done;
        await woken;
      } finally {
        signal?.removeEventListener('abort', wake);
        native.keepAlive(false);
        waiting.delete(wake);
      }
    }
  }
}

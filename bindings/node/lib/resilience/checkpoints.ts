// Checkpoints: the states of a program's components, kept so that it can go on from them.

import { type Engine, handleOf } from '../engine.js';
import { attempt, badType, checkOptions, checkString, KnhkError } from '../errors.js';
import { native } from '../native.js';

/** A component with a state. Its functions may be asynchronous. */
export interface Stateful {
  /** Holds still: until `thaw` the state does not change. All components do at once, which makes a checkpoint one cut across them. */
  freeze?(): unknown;
  /** Goes on. */
  thaw?(): unknown;
  /** Its state. What stays at its place from one checkpoint to the next makes small increments. */
  save(): Uint8Array | PromiseLike<Uint8Array>;
  /** Takes a state that `save` made. */
  load(state: Uint8Array): unknown;
}

/** A checkpoint that was taken. */
export interface TakenCheckpoint {
  number: number;
  /** Whether it stands alone. */
  full: boolean;
  bytes: number;
  stateBytes: number;
  /** Its SHA-256, in hexadecimal. */
  digest: string;
  /** Milliseconds that writing it took. */
  took: number;
}

/** A checkpoint that was restored. */
export interface RestoredCheckpoint {
  number: number;
  /** When it was taken, in milliseconds since 1970. */
  time: number;
  digest: string;
  /** Newer ones that are damaged. */
  skipped: { number: number; why: string }[];
  /** Components that it has no state of; they are as they were. */
  absent: string[];
  /** Components whose state it has and that are not there. */
  unknown: string[];
}

/** A checkpoint that is kept. */
export interface KeptCheckpoint {
  number: number;
  full: boolean;
  bytes: number;
  time: number;
  encrypted: boolean;
  /** Why it cannot be restored, as far as can be told without its key; null where it can. */
  damage: string | null;
}

/** Where and how checkpoints are kept. */
export interface CheckpointsOptions {
  /** In this engine's store, beside the receipts that they leave. */
  engine?: Engine;
  /** In a folder of their own. */
  folder?: string;
  /** Checkpoints from one full one to the next; 60. */
  chain?: number;
  /** Chains that are kept; 2. */
  chains?: number;
  /** How hard zstd tries; 1. */
  level?: number;
  /** Bytes of all states; 1 GiB. */
  limit?: number;
  /** Keys of 32 bytes: the first one encrypts, each decrypts. */
  keys?: Uint8Array[];
}

async function answered<T>(work: Promise<string>): Promise<T> {
  const { done, error } = JSON.parse(await work);
  if (error) throw new KnhkError(error.message, error.code, error.status, error.stage, error.item);
  return done;
}

/**
 * Takes and restores checkpoints of components.
 *
 *     const kept = new Checkpoints('orders', { engine });
 *     kept.add('book', { save: () => book.bytes(), load: (state) => book.take(state) });
 *     if ((await kept.kept()).length > 0) await kept.restore();
 *     kept.start(1000);
 *
 * One at a time takes or restores; others wait. An operator lists them with `knhk checkpoint --components`.
 */
export class Checkpoints {
  readonly name: string;
  readonly #raw: object;
  readonly #components = new Map<string, Stateful>();
  #turn: Promise<unknown> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;

  constructor(name: string, options: CheckpointsOptions) {
    checkString('the name', name);
    checkOptions(options);
    const { engine, folder, ...settings } = options;
    this.name = name;
    this.#raw = attempt(() => native.checkpointsOpen(name, engine && handleOf(engine).engine, folder, settings));
  }

  /** Adds a component, which the next checkpoint has. */
  add(name: string, component: Stateful): void {
    checkString('the name', name);
    if (typeof component?.save !== 'function' || typeof component.load !== 'function') {
      throw badType('the component', 'an object with save and load', component);
    }
    attempt(() => native.checkpointsAdd(this.#raw, name));
    this.#components.set(name, component);
  }

  /** Removes a component, which the next checkpoint does not have; whether it was there. */
  remove(name: string): boolean {
    this.#components.delete(name);
    return attempt(() => native.checkpointsRemove(this.#raw, name));
  }

  /** Takes a checkpoint: what changed since the last one, or everything where a full one is due or asked for. What a component throws, this does. */
  take({ full = false }: { full?: boolean } = {}): Promise<TakenCheckpoint> {
    return this.#alone(async () => {
      await this.#still(async (name, component) => {
        const state = await component.save();
        attempt(() => native.checkpointsSet(this.#raw, name, state));
      });
      return answered(attempt(() => native.checkpointsTake(this.#raw, full)));
    });
  }

  /** Restores the newest checkpoint that is whole; the components hold still while they load. */
  restore(): Promise<RestoredCheckpoint> {
    return this.#alone(async () => {
      const restored = await answered<RestoredCheckpoint>(attempt(() => native.checkpointsRestore(this.#raw)));
      await this.#still(async (name, component) => {
        if (restored.absent.includes(name)) return;
        const state = attempt(() => native.checkpointsState(this.#raw, name));
        if (state) await component.load(state);
      });
      return restored;
    });
  }

  /** What is kept, oldest first, each read and checked. */
  async kept(): Promise<KeptCheckpoint[]> {
    return answered(attempt(() => native.checkpointsKept(this.#raw)));
  }

  /** Takes one in an interval, in milliseconds, for at most a share of the time, until `stop`; it keeps no process alive. What fails is tried again. */
  start(interval = 1000, { share = 0.05, failed = () => {} }: { share?: number; failed?: (error: unknown) => void } = {}): void {
    this.stop();
    const step = (wait: number) => {
      this.#timer = setTimeout(() => {
        const began = performance.now();
        const next = () => {
          const took = performance.now() - began;
          if (this.#timer) step(Math.max(interval - took, took * (1 / share - 1)));
        };
        this.take().then(next, (error) => (failed(error), next()));
      }, wait).unref();
    };
    step(interval);
  }

  /** Ends that. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Ends the use of them, once what is under way has ended; what is kept stays. */
  async close(): Promise<void> {
    this.stop();
    await this.#alone(async () => native.checkpointsClose(this.#raw));
  }

  /** One after the other. */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {});
    return done;
  }

  /** While all components hold still. */
  async #still(each: (name: string, component: Stateful) => Promise<void>): Promise<void> {
    const frozen: Stateful[] = [];
    try {
      for (const component of this.#components.values()) {
        await component.freeze?.();
        frozen.push(component);
      }
      for (const [name, component] of this.#components) await each(name, component);
    } finally {
      for (const component of frozen.reverse()) await component.thaw?.();
    }
  }
}

// What keeps an engine open for this thread: shared by the Engine, its sectors, keys and views.

import { native, scratch } from './native.js';

/** How a native read ended (`scratch[0]`); then the root's low half and the epoch's halves that it saw. */
export const enum Outcome {
  Present = 0,
  Absent = 1,
  WrongType = 2,
  NotReady = 3,
  Closed = 4,
  Inexact = 5,
}

const forgotten = new FinalizationRegistry((engine: number) => native.close(engine));

const CLOSED = new Int32Array(16);

export class Handle {
  /** The engine's place in this thread. */
  readonly engine: number;
  /** The hot line; zeros, which no generation matches, once closed and where the host allows no such memory. */
  cells: Int32Array;

  constructor(engine: number) {
    this.engine = engine;
    this.cells = native.cells(engine) ?? CLOSED;
    forgotten.register(this, engine, this);
  }

  close(): void {
    forgotten.unregister(this);
    this.cells = CLOSED;
    native.close(this.engine);
  }
}

/** The package's classes are made by its functions only. */
export function checkMade(handle: unknown): void {
  if (!(handle instanceof Handle)) throw new TypeError('not made with new: use open, engine.sector, sector.key or engine.view');
}

/** Whether the last native read gave a value. */
export function found(value: unknown): boolean {
  return scratch[0] === Outcome.Present || (scratch[0] === Outcome.NotReady && value !== undefined);
}

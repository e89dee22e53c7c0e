// What was read, kept for its generation: a value is immutable within a generation, so a read only checks that the generation that it was
// read in is still the current one, in memory that the engine writes and this thread maps.
//
// The check: load the current root's address, then the newest epoch, and compare both with the kept ones. Why that is enough: the
// promoter exchanges `root` first and stores `epoch` last, one publication after the other, and no two generations have the same
// epoch. If the root's address equals the kept one, the root is either that generation's or a later one's that re-uses the
// address. In the latter case the kept generation was retired before, so an epoch greater than the kept one had been stored before the
// address was published again, and the second load sees it. So equality proves that the kept generation was current when the
// root was loaded: the value is never torn, never older than a promotion acknowledged before the read began, and never older than what
// this thread saw before. The first load is Atomics.load: it may neither be hoisted out of a loop nor reordered with the second.

import { scratch } from './native.js';

/** Words of the engine's hot line: the low half of the current root's address, and the newest epoch. */
const ROOT = 2;
const EPOCH_LOW = 4;
const EPOCH_HIGH = 5;

/** No generation has this upper half. */
const NEVER = -1;

/** Something that was read, and the generation that it was read in. */
export class Kept<V> {
  value: V | undefined = undefined;
  root = 0;
  low = 0;
  high = NEVER;

  /** Whether its generation is the current one of the engine with this hot line. */
  isCurrent(cells: Int32Array): boolean {
    return (
      Atomics.load(cells, ROOT) === this.root && cells[EPOCH_LOW] === this.low && cells[EPOCH_HIGH] === this.high
    );
  }

  /** Whether it is of this generation. */
  isOf(root: number, low: number, high: number): boolean {
    return root === this.root && low === this.low && high === this.high;
  }

  /** Whether it is of the generation that the last native read saw. */
  isOfLastRead(): boolean {
    return this.isOf(scratch[1]!, scratch[2]!, scratch[3]!);
  }

  /** Keeps what the last native read gave. */
  keep(value: V): void {
    this.value = value;
    this.root = scratch[1]!;
    this.low = scratch[2]!;
    this.high = scratch[3]!;
  }
}

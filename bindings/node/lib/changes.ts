// Changes as an asynchronous iterator.

import { missing } from './lazy.js';
import { News } from './news.js';
import type { Change } from './records.js';

/** The changes from its making on; those that are given up are counted in the next one's `missed`. */
export class Changes extends News<Change> {
  #missed = 0;

  protected override givenUp(change: Change): void {
    this.#missed += 1 + change.missed;
  }

  protected override given(change: Change): Change {
    const missed = this.#missed;
    this.#missed = 0;
    return missed > 0 ? missing(change, change.missed + missed) : change;
  }
}

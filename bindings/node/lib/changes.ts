// Changes as an asynchronous iterator.

import { missing } from './lazy.js';
import { News } from './news.js';
import type { Change } from './records.js';

/** The changes from its making on; those that are given up are counted in the next one's `missed`. */
export class Changes extends News<Change> {
  protected override missedBefore(change: Change): number {
    return change.missed;
  }

  protected override withMissed(change: Change, missed: number): Change {
    return missing(change, change.missed + missed);
  }
}

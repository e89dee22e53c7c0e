// Records of versions and changes. What changed, path by path, costs more than a promotion, so it is worked out when somebody asks.

import { inspect } from 'node:util';

import { native } from './native.js';
import type { Change, VersionInfo } from './records.js';

/** A record as the native half gives it: what it can still be asked is behind `source`. */
export type Raw<R> = Omit<R, 'changes' | 'summary'> & { source?: object };

export function versionOf(raw: Raw<VersionInfo>): VersionInfo {
  return finish<VersionInfo>(raw, { changes: native.differences });
}

export function changeOf(raw: Raw<Change>): Change {
  return finish<Change>(raw, { changes: native.differences, summary: native.summary });
}

/** The same change with another count of missed ones. */
export function missing(change: Change, missed: number): Change {
  const properties = Object.getOwnPropertyDescriptors(change);
  return Object.defineProperties({}, { ...properties, missed: { ...properties.missed, value: missed } }) as Change;
}

function finish<R extends VersionInfo | Change>(raw: Raw<R>, ways: Record<string, (source: object) => unknown>): R {
  const source = raw.source!;
  delete raw.source;
  for (const [name, ask] of Object.entries(ways)) {
    Object.defineProperty(raw, name, {
      configurable: true,
      enumerable: true,
      get(this: object) {
        const value = ask(source);
        Object.defineProperty(this, name, { enumerable: true, value });
        return value;
      },
    });
  }
  // Values instead of accessors where a record is printed, and no BigInt, which JSON does not have.
  Object.defineProperty(raw, inspect.custom, { value: plain });
  Object.defineProperty(raw, 'toJSON', { value: json });
  return raw as unknown as R;
}

function plain(this: object): object {
  return { ...this };
}

function json(this: VersionInfo | Change): object {
  return { ...this, timeNs: String(this.timeNs) };
}

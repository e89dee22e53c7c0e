// Checks of options before they reach the native half, which takes what it gets.

import { badType, checkInteger, checkOneOf, checkOptions, checkString } from './errors.js';
import { signerOf } from './ledger.js';
import type { Abortable, OpenOptions } from './records.js';

/** How an engine is to be opened. */
export function openSettings(location: string, options: OpenOptions): object {
  checkString('the location', location);
  checkOptions(options);
  const { history, barrier, retainedRoots, softLimitBytes, hardLimitBytes, ringRecords, clockPeriodMs, control, readOnly } = options;
  const { signer, trustRoot, checkpoint, retainVersions, retainAgeMs } = options;
  const settings: Omit<OpenOptions, 'signer'> & { signer?: number } = {};
  const integer = (name: keyof OpenOptions, value: number | undefined, low: number, high: number) => {
    if (value === undefined) return;
    checkInteger(`the option ${name}`, value, low, high);
    Object.assign(settings, { [name]: value });
  };
  integer('history', history, 1, 1 << 20);
  integer('retainedRoots', retainedRoots, 2, 1 << 16);
  integer('softLimitBytes', softLimitBytes, 0, Number.MAX_SAFE_INTEGER);
  integer('hardLimitBytes', hardLimitBytes, 0, Number.MAX_SAFE_INTEGER);
  integer('ringRecords', ringRecords, 0, 1 << 24);
  integer('clockPeriodMs', clockPeriodMs, 1, 60_000);
  integer('retainVersions', retainVersions, 1, Number.MAX_SAFE_INTEGER);
  integer('retainAgeMs', retainAgeMs, 1, Number.MAX_SAFE_INTEGER);
  for (const [name, value] of Object.entries({ trustRoot, checkpoint })) {
    if (value === undefined) continue;
    checkString(`the option ${name}`, value);
    Object.assign(settings, { [name]: value });
  }
  if (signer !== undefined) settings.signer = signerOf(signer);
  if (barrier !== undefined) {
    checkOneOf('the option barrier', ['auto', 'fence'], barrier);
    settings.barrier = barrier;
  }
  for (const [name, value] of Object.entries({ control, readOnly })) {
    if (value === undefined) continue;
    if (typeof value !== 'boolean') throw badType(`the option ${name}`, 'a boolean', value);
    Object.assign(settings, { [name]: value });
  }
  return settings;
}

/** The kind of a sector to be created. */
export function checkSector(name: string, options: { kind?: 'direct' } & Abortable): 'direct' {
  checkString('the name', name);
  checkOptions(options);
  const { kind = 'direct' } = options;
  checkOneOf('the option kind', ['direct'], kind);
  return kind;
}

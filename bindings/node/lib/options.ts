// Checks of options before they reach the native half, which takes what it gets.

import { badType, checkInteger, checkNumber, checkOneOf, checkOptions, checkString } from './errors.js';
import { signerOf } from './ledger.js';
import type { Abortable, KeepOptions, OpenOptions } from './records.js';

/** How an engine is to be opened. */
export function openSettings(location: string, options: OpenOptions): object {
  checkString('the location', location);
  checkOptions(options);
  const { history, barrier, retainedRoots, softLimitBytes, hardLimitBytes, ringRecords, clockPeriodMs, control, readOnly } = options;
  const { signer, trustRoot, checkpoint, retainVersions, retainAgeMs, manualTimeMs, hotBudgetMs } = options;
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
  integer('manualTimeMs', manualTimeMs, 1, 2 ** 44);
  if (hotBudgetMs !== undefined) {
    checkNumber('the option hotBudgetMs', hotBudgetMs, 0, 60_000);
    settings.hotBudgetMs = hotBudgetMs;
  }
  for (const [name, value] of Object.entries({ trustRoot, checkpoint })) {
    if (value === undefined) continue;
    checkString(`the option ${name}`, value);
    Object.assign(settings, { [name]: value });
  }
  if (signer !== undefined) settings.signer = signerOf(signer);
  const keep = keepOf(options.observations);
  if (keep) settings.observations = keep;
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

/** How observations are to be kept, if they are. */
function keepOf(observations: unknown): KeepOptions | undefined {
  if (observations === undefined || observations === false) return undefined;
  if (observations === true) return {};
  if (typeof observations !== 'object' || observations === null) {
    throw badType('the option observations', 'a boolean or an object', observations);
  }
  const keep = observations as KeepOptions;
  const limits: Record<keyof KeepOptions, [low: number, high: number]> = {
    segmentRecords: [1, 1 << 20],
    sealAfterMs: [1, 3_600_000],
    memoryBytes: [1, Number.MAX_SAFE_INTEGER],
    periodMs: [1, 60_000],
    retainBytes: [1, Number.MAX_SAFE_INTEGER],
    retainAgeMs: [1, Number.MAX_SAFE_INTEGER],
    windowMs: [1000, 3_600_000],
    series: [1, 1 << 20],
    compression: [-7, 19],
  };
  const checked: KeepOptions = {};
  for (const [name, [low, high]] of Object.entries(limits) as [keyof KeepOptions, [number, number]][]) {
    if (keep[name] === undefined) continue;
    checkInteger(`the option observations.${name}`, keep[name], low, high);
    checked[name] = keep[name];
  }
  return checked;
}

/** The kind of a sector to be created. */
export function checkSector(name: string, options: { kind?: 'direct' | 'governed' } & Abortable): 'direct' | 'governed' {
  checkString('the name', name);
  checkOptions(options);
  const { kind = 'direct' } = options;
  checkOneOf('the option kind', ['direct', 'governed'], kind);
  return kind;
}

// Reports: what a validation found.

import { attempt, checkOneOf } from './errors.js';
import { native } from './native.js';
import { FORMATS, type Format, type Report, type ValidationResult } from './records.js';

/** A report as the native half gives it: what it can still be asked is behind `source`. */
export interface RawReport {
  conforms: boolean;
  results: ValidationResult[];
  text: string;
  source?: object;
}

export function reportOf(raw: RawReport): Report {
  const source = raw.source!;
  delete raw.source;
  const hidden = {
    toRdf: (format: Format = 'turtle') => {
      checkOneOf('the format', FORMATS, format);
      return attempt(() => native.reportRdf(source, format));
    },
    toString: () => raw.text,
  };
  for (const [name, value] of Object.entries(hidden)) Object.defineProperty(raw, name, { value });
  return raw as unknown as Report;
}

// How requests of governance are written.

import { isUint8Array } from 'node:util/types';

import { badRange, badType, checkOptions } from './errors.js';
import type { Content, Json } from './governed.js';
import { documentText } from './json.js';

export const base64 = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');

export function checkBytes(what: string, value: unknown): asserts value is Uint8Array {
  if (!isUint8Array(value)) throw badType(what, 'a Uint8Array', value);
}

function contentOf(content: Content): Json {
  if (typeof content !== 'object' || content === null) throw badType('what becomes of a sector', 'an object', content);
  if ('values' in content) {
    const written = ([path, value]: [string, unknown]) => [path, typeof value === 'string' ? value : JSON.stringify(value)];
    return { values: Object.entries(content.values).map(written) };
  }
  if ('document' in content) {
    const { document, format = 'json' } = content;
    return { document: { text: typeof document === 'string' ? document : documentText(document), format } };
  }
  if ('statements' in content) {
    const { add = '', remove = '', format = 'turtle' } = content.statements;
    return { change: { added: add, removed: remove, format } };
  }
  throw badType('what becomes of a sector', 'an object with values, document or statements', content);
}

export function changesOf(changes: Record<string, Content>): Json[] {
  checkOptions(changes);
  return Object.entries(changes).map(([sector, content]) => ({ sector, content: contentOf(content) }));
}

/** A moment as requests have it: a Date, or nanoseconds since 1970. @internal */
export function nanoseconds(moment: Date | bigint | undefined): number | undefined {
  if (moment === undefined) return undefined;
  if (moment instanceof Date) {
    if (Number.isNaN(moment.getTime())) throw badRange('the moment is an invalid Date');
    return moment.getTime() * 1e6;
  }
  if (typeof moment !== 'bigint') throw badType('the moment', 'a Date or a bigint', moment);
  return Number(moment);
}

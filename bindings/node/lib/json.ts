// Documents given as objects, written as the JSON that the engine reads. JSON.stringify would do but for BigInt, bytes, and numbers that
// JSON does not have, which it turns into null without a word.

import { isUint8Array } from 'node:util/types';

import { badRange, badType } from './errors.js';
import type { Document } from './records.js';

/** Deeper documents are refused before the stack is in danger; the engine's own limit is lower or equal. */
const DEPTH = 256;

/** The text of a document: as it is, or written from an object. */
export function documentText(document: string | Document): string {
  if (typeof document === 'string') return document;
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    throw badType('the document', 'JSON text or an object', document);
  }
  return write(document, 'the document', 0);
}

function write(value: unknown, path: string, depth: number): string {
  if (depth > DEPTH) throw badRange(`${path} lies more than ${DEPTH} levels deep, or contains itself`);
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'boolean':
      return String(value);
    case 'bigint':
      return value.toString();
    case 'number':
      if (!Number.isFinite(value)) throw badRange(`${path} is ${value}, which no document can hold`);
      return writeNumber(value);
    case 'object':
      if (value !== null) return writeObject(value, path, depth);
  }
  throw badType(path, 'a boolean, number, bigint, string, Uint8Array, list or object', value);
}

/** JavaScript does not tell 1 from 1.0, so an integer of 64 bits means i64; `"$type": "f64"` beside `$value` says otherwise. */
function writeNumber(value: number): string {
  return isInteger(value) ? BigInt(value).toString() : writeDouble(value);
}

function isInteger(value: number): boolean {
  return Number.isInteger(value) && Math.abs(value) < 2 ** 63 && !Object.is(value, -0);
}

function writeDouble(value: number): string {
  const text = Object.is(value, -0) ? '-0' : String(value);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

/** A list has one type: numbers of which one has a fraction are all doubles. */
function writeList(list: readonly unknown[], path: string, depth: number): string {
  const doubles = list.every((element) => Number.isFinite(element)) && !list.every((element) => isInteger(element as number));
  const elements = Array.from(list, (element, index) =>
    doubles ? writeDouble(element as number) : write(element, `${path}[${index}]`, depth + 1),
  );
  return `[${elements.join()}]`;
}

function writeObject(value: object, path: string, depth: number): string {
  if (Array.isArray(value)) return writeList(value, path, depth);
  if (isUint8Array(value)) {
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    return `{"$bytes":"${bytes.toString('base64')}"}`;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null && Object.getPrototypeOf(prototype) !== null) {
    throw badType(path, 'a plain object', value);
  }
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .map(([name, member]) => `${JSON.stringify(name)}:${write(member, path === 'the document' ? name : `${path}/${name}`, depth + 1)}`);
  return `{${members.join()}}`;
}

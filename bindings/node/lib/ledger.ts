// What proves an engine's history: receipts, checkpoints, verification, backup, and the keys that sign.

import { EventEmitter } from 'node:events';
import { isUint8Array } from 'node:util/types';

import type { EngineEvents } from './engine.js';
import { attempt, badRange, badType, checkInteger, checkOptionalString, checkOptions, checkString, longOperation, operation } from './errors.js';
import type { Handle } from './handle.js';
import { native, type RawReceipt } from './native.js';
import type { KeptObservation, ObserveStats, Progress, Receipt, ReceiptFilter, Segment, SigningKey, Verified } from './proof.js';
import type { Abortable } from './records.js';
import { numberOfSigner, secret, type Signer } from './signer.js';
import { makeHeld, type View } from './view.js';

/** Hears how far something long is. */
export interface Telling extends Abortable {
  progress?: (now: Progress) => void;
}

/** What a restore trusts. */
export interface RestoreOptions extends Telling {
  /** What the backup's log must begin at; without one what it states is believed. */
  trustRoot?: string;
  /** A checkpoint that the program held: finds a backup that is older, or forked. */
  checkpoint?: string;
}

/** The part of an engine that proves what happened. */
export abstract class Ledger extends EventEmitter<EngineEvents> {
  #of: Handle;

  constructor(handle: Handle) {
    super();
    this.#of = handle;
  }

  /** Receipts in the order of their numbers; at most 1,000 unless `limit` says so. */
  async receipts(filter: ReceiptFilter & Abortable = {}): Promise<Receipt[]> {
    checkOptions(filter);
    const { signal, ...wanted } = filter;
    for (const name of ['first', 'end', 'limit'] as const) {
      const most = name === 'limit' ? 2 ** 32 - 1 : Number.MAX_SAFE_INTEGER;
      if (wanted[name] !== undefined) checkInteger(`the option ${name}`, wanted[name], 0, most);
    }
    checkOptionalString('the option sector', wanted.sector);
    checkOptionalString('the option kind', wanted.kind);
    if (wanted.newestFirst !== undefined && typeof wanted.newestFirst !== 'boolean') {
      throw badType('the option newestFirst', 'a boolean', wanted.newestFirst);
    }
    const found = await operation<RawReceipt[]>((settle) => native.receiptsOf(this.#of.engine, wanted, settle), native.cancel, signal);
    return found.map(receiptOf);
  }

  /** The receipt with this id, or at this place of the log. */
  async receipt(id: string | number): Promise<Receipt> {
    const name = nameOf(id);
    return receiptOf(await operation<RawReceipt>((settle) => native.receiptOf(this.#of.engine, name, settle), native.cancel, undefined));
  }

  /** The proof that a receipt is in the log as it is now: a COSE receipt of inclusion (RFC 9942), which stock libraries verify. */
  async proveReceipt(id: string | number): Promise<Uint8Array> {
    const name = nameOf(id);
    return operation((settle) => native.proveReceipt(this.#of.engine, name, settle), native.cancel, undefined);
  }

  /** The proof that the log as it is now begins with its first `earlier` receipts as they were: a COSE receipt of consistency. */
  async proveConsistency(earlier: number): Promise<Uint8Array> {
    checkInteger('the earlier size', earlier, 0, Number.MAX_SAFE_INTEGER);
    return operation((settle) => native.proveConsistency(this.#of.engine, earlier, settle), native.cancel, undefined);
  }

  /**
   * The log's state as it is now, signed, as a note (C2SP tlog-checkpoint). Whoever holds it elsewhere finds a log that was cut off or forked
   * since: with `verify({ checkpoint })` or `open(…, { checkpoint })`.
   */
  async checkpoint(): Promise<string> {
    return operation((settle) => native.checkpoint(this.#of.engine, settle), native.cancel, undefined);
  }

  /** The log's name and first key, for whoever verifies receipts, and for `open(…, { trustRoot })`; undefined without a log. */
  get trustRoot(): string | undefined {
    return attempt(() => native.trustRoot(this.#of.engine)) ?? undefined;
  }

  /**
   * Verifies everything up to now, on a thread of its own while the engine goes on: receipts, keys, checkpoints, observations, and the versions
   * that are kept. Aborting stops it at any time.
   *
   * @throws KnhkError `KNHK_TAMPERED` or `KNHK_CORRUPT` with the first finding, `KNHK_UNPROVEN` for a checkpoint that is not this log's.
   */
  async verify(options: { checkpoint?: string; observations?: boolean } & Telling = {}): Promise<Verified> {
    const progress = progressOf(options);
    const { checkpoint, observations = true, signal } = options;
    checkOptionalString('the option checkpoint', checkpoint);
    if (typeof observations !== 'boolean') throw badType('the option observations', 'a boolean', observations);
    return longOperation((settle) => native.verify(this.#of.engine, checkpoint, !observations, progress, settle), native, signal);
  }

  /** The keys that sign or signed, in order. */
  async signingKeys(): Promise<SigningKey[]> {
    return operation((settle) => native.signingKeys(this.#of.engine, settle), native.cancel, undefined);
  }

  /**
   * Has another key sign from here on; the receipt of it is signed by both. Without a signer a new key is made in the folder, in place of the
   * old one, whose secret is removed. With one the program keeps the secret and gives the signer at each `open`; the folder's key is removed.
   */
  async rotateKey(signer?: Signer): Promise<Receipt> {
    const number = signer === undefined ? undefined : signerOf(signer);
    const start = (settle: Parameters<typeof native.rotateKey>[2]) => native.rotateKey(this.#of.engine, number, settle);
    return receiptOf(await operation<RawReceipt>(start, native.cancel, undefined));
  }

  /** All sectors as they were at a moment: a Date, or nanoseconds since the Unix epoch. End the view, or use it in `using`. */
  async asOf(moment: Date | bigint): Promise<View> {
    const time = moment instanceof Date ? dateNs(moment) : moment;
    if (typeof time !== 'bigint') throw badType('the moment', 'a Date or a bigint', moment);
    if (time < 0n || time >= 1n << 64n) throw badRange('nothing was recorded before 1970, or will be after 2554');
    const held = await operation<number>((settle) => native.asOfMoment(this.#of.engine, time, settle), native.cancel, undefined);
    return makeHeld(this.#of, held);
  }

  /**
   * Copies the folder's store into a new file, on a thread of its own while the engine goes on. No key is in it. Aborting stops it and leaves
   * no file.
   */
  async backup(path: string, options: Telling = {}): Promise<void> {
    checkString('the path', path);
    const progress = progressOf(options);
    return longOperation((settle) => native.backup(this.#of.engine, path, progress, settle), native, options.signal);
  }

  /**
   * Waits until what the rings hold now is durable under receipts: what was accepted before is not lost in a crash. Fails with
   * `KNHK_NOT_READY` for an engine without the option `observations`.
   */
  async flushObservations(): Promise<void> {
    return operation((settle) => native.flushObservations(this.#of.engine, settle), native.cancel, undefined);
  }

  /** Figures of what drains the rings. */
  async observeStats(): Promise<ObserveStats> {
    return operation((settle) => native.observeStats(this.#of.engine, settle), native.cancel, undefined);
  }

  /** Batches of observations in the order of their numbers; at most 1,000 unless `limit` says so. */
  async segments(filter: { sector?: string; first?: number; limit?: number } = {}): Promise<Segment[]> {
    checkOptions(filter);
    const { sector, first = 0, limit } = filter;
    checkOptionalString('the option sector', sector);
    checkInteger('the option first', first, 0, Number.MAX_SAFE_INTEGER);
    if (limit !== undefined) checkInteger('the option limit', limit, 0, 2 ** 32 - 1);
    return operation((settle) => native.segments(this.#of.engine, sector, first, limit, settle), native.cancel, undefined);
  }

  /** The observations of a segment. */
  async observations(segment: number): Promise<KeptObservation[]> {
    checkInteger('the segment', segment, 0, Number.MAX_SAFE_INTEGER);
    return operation((settle) => native.observations(this.#of.engine, segment, settle), native.cancel, undefined);
  }

  /** An observation's 64 bytes as they were signed, and the proof (CBOR) that it was ingested, for whoever holds the trust root. */
  async proveObservation(segment: number, index: number): Promise<{ record: Uint8Array; proof: Uint8Array }> {
    checkInteger('the segment', segment, 0, Number.MAX_SAFE_INTEGER);
    checkInteger('the index', index, 0, Number.MAX_SAFE_INTEGER);
    return operation((settle) => native.proveObservation(this.#of.engine, segment, index, settle), native.cancel, undefined);
  }

  /** Checks such a proof against this engine's log; fails with `KNHK_UNPROVEN` where it does not show that the observation was ingested. */
  async verifyObservation(record: Uint8Array, proof: Uint8Array): Promise<void> {
    if (!isUint8Array(record)) throw badType('the record', 'a Uint8Array', record);
    if (!isUint8Array(proof)) throw badType('the proof', 'a Uint8Array', proof);
    return operation((settle) => native.verifyObservation(this.#of.engine, record, proof, settle), native.cancel, undefined);
  }

  /** Removes now what `retainVersions` and `retainAgeMs` do not keep; gives how many versions went. Receipts and tagged versions stay. */
  async prune(): Promise<number> {
    return operation((settle) => native.prune(this.#of.engine, settle), native.cancel, undefined);
  }
}

/**
 * Makes a folder of a backup: verifies every receipt, every version and every page of it, and gives it its place only then. The folder must have
 * no store. The signing key is to be put into it, or handed in at `open`. Aborting stops it and places nothing.
 */
export async function restore(path: string, folder: string, options: RestoreOptions = {}): Promise<Verified> {
  checkString('the path', path);
  checkString('the folder', folder);
  const progress = progressOf(options);
  const { trustRoot, checkpoint, signal } = options;
  checkOptionalString('the option trustRoot', trustRoot);
  checkOptionalString('the option checkpoint', checkpoint);
  return longOperation((settle) => native.restore(path, folder, trustRoot, checkpoint, progress, settle), native, signal);
}

/** The number of a signer that was given. */
export function signerOf(signer: unknown): number {
  const number = numberOfSigner(signer);
  // Not what it is: it might be a secret.
  if (number === undefined) throw secret('the signer must be a Signer: Signer.load(path), Signer.delegated(publicKey, sign)');
  return number;
}

function progressOf(options: Telling): ((now: Progress) => void) | undefined {
  checkOptions(options);
  const { progress } = options;
  if (progress !== undefined && typeof progress !== 'function') throw badType('the option progress', 'a function', progress);
  return progress;
}

function nameOf(id: unknown): string {
  if (typeof id === 'number') {
    checkInteger('the number', id, 0, Number.MAX_SAFE_INTEGER);
    return String(id);
  }
  checkString('the id', id);
  return id;
}

function dateNs(moment: Date): bigint {
  if (Number.isNaN(moment.getTime())) throw badRange('the moment is no valid Date');
  return BigInt(moment.getTime()) * 1_000_000n;
}

function receiptOf(raw: RawReceipt): Receipt {
  return { ...raw, evidence: JSON.parse(raw.evidence) as Record<string, unknown> };
}

// A sector: its keys, its documents, its history.

import { isSharedArrayBuffer, isUint8Array } from 'node:util/types';

import { type Engine, untilChange } from './engine.js';
import { attempt, badType, checkInteger, checkOneOf, checkOptionalString, checkOptions, checkString, operation } from './errors.js';
import { checkMade, type Handle } from './handle.js';
import { History } from './history.js';
import { documentText } from './json.js';
import { type Key, looked, makeKey } from './key.js';
import { type Raw, versionOf } from './lazy.js';
import { native, type Origin, type Settle } from './native.js';
import {
  type Abortable,
  type Delta,
  type Document,
  FORMATS,
  type Format,
  type KeyInfo,
  type PromoteOptions,
  type Report,
  type StatementDiff,
  type Value,
  type ValueType,
  type VersionInfo,
} from './records.js';
import { type RawReport, reportOf } from './report.js';

const TYPES: readonly ValueType[] = [
  'bool',
  'i64',
  'f64',
  'string',
  'bytes',
  'list<bool>',
  'list<i64>',
  'list<f64>',
  'list<string>',
  'list<bytes>',
  'map',
  'class',
];

export let makeSector: (engine: Engine, handle: Handle, name: string) => Sector;

/** A namespace with its own knowledge and its own history. */
export class Sector extends History {
  #engine: Engine;
  #handle: Handle;
  #keys = new Map<string, Key>();

  static {
    makeSector = (engine, handle, name) => new Sector(engine, handle, name);
  }

  private constructor(engine: Engine, handle: Handle, name: string) {
    checkMade(handle);
    super(handle, name);
    this.#engine = engine;
    this.#handle = handle;
  }

  /**
   * Interns a name with its type, once; reads through the key are then a matter of nanoseconds.
   *
   * @throws KnhkError `KNHK_NOT_FOUND` for an unknown name (the nearest is suggested), `KNHK_WRONG_TYPE`, `KNHK_NOT_READY` before
   * anything was promoted or declared.
   */
  key<T extends ValueType>(name: string, type: T): Key<T> {
    checkString('the name', name);
    checkOneOf('the type', TYPES, type);
    const known = this.#keys.get(`${type} ${name}`);
    if (known) return known as unknown as Key<T>;
    const number = attempt(() => native.intern(this.#handle.engine, this.name, name, type));
    const key = makeKey(this.#handle, number, this.name, name, type);
    this.#keys.set(`${type} ${name}`, key as unknown as Key);
    return key;
  }

  /** The current value under a path known only at run time, whatever its type; undefined where there is none. */
  find(path: string): Value | undefined {
    checkString('the path', path);
    return looked(native.find(this.#handle.engine, this.name, path, false), `${this.name}/${path}`);
  }

  /** The values of the current document, or of the declared one before the first promotion. */
  keys(): KeyInfo[] {
    return attempt(() => native.keys(this.#handle.engine, this.name));
  }

  /** Whether a version was promoted. */
  get ready(): boolean {
    return attempt(() => native.isReady(this.#handle.engine, this.name));
  }

  /**
   * Makes a document the current knowledge. When the promise resolves, every read that begins, on any thread, sees it or something newer.
   * Operations of one engine happen in the order in which they were asked for.
   *
   * @throws KnhkError `KNHK_DOCUMENT` or `KNHK_LIMIT` when it is not valid, `KNHK_INCOMPATIBLE` when it would break keys that programs hold
   * and `major` is not set, `KNHK_STALLED`, `KNHK_IO`. Nothing changes then.
   */
  promote(document: string | Document, options: PromoteOptions & Abortable = {}): Promise<VersionInfo> {
    return this.#changing(options, (origin) => {
      const text = documentText(document);
      return (settle) => native.promote(this.#handle.engine, this.name, text, origin, settle);
    });
  }

  /** As `promote`, before it returns: for start-up and scripts. */
  promoteSync(document: string | Document, options: PromoteOptions = {}): VersionInfo {
    const origin = originOf(options);
    const text = documentText(document);
    return versionOf(attempt(() => native.promote(this.#handle.engine, this.name, text, origin)));
  }

  /** Promotes what an artifact image from `engine.compile` holds. A damaged image is refused: `KNHK_ARTIFACT`. */
  promoteImage(image: Uint8Array, options: PromoteOptions & Abortable = {}): Promise<VersionInfo> {
    return this.#changing(options, (origin) => {
      const own = unshared(image);
      return (settle) => native.promoteImage(this.#handle.engine, this.name, own, origin, settle);
    });
  }

  /** As `promoteImage`, before it returns. */
  promoteImageSync(image: Uint8Array, options: PromoteOptions = {}): VersionInfo {
    const origin = originOf(options);
    const own = unshared(image);
    return versionOf(attempt(() => native.promoteImage(this.#handle.engine, this.name, own, origin)));
  }

  /** Makes a retained version's content current again, as a new version. */
  rollback(version: number, options: PromoteOptions & Abortable = {}): Promise<VersionInfo> {
    return this.#changing(options, (origin) => {
      checkVersion(version);
      return (settle) => native.rollback(this.#handle.engine, this.name, version, origin, settle);
    });
  }

  /** As `rollback`, before it returns. */
  rollbackSync(version: number, options: PromoteOptions = {}): VersionInfo {
    const origin = originOf(options);
    checkVersion(version);
    return versionOf(attempt(() => native.rollback(this.#handle.engine, this.name, version, origin)));
  }

  /**
   * As `rollback`, but it takes effect before anything is written, and also where nothing can be, on a full disk: whether it could be
   * recorded is in the log. It waits for the operations that were asked for before; `emergencyRollbackSync` does not.
   */
  emergencyRollback(version: number, options: PromoteOptions & Abortable = {}): Promise<VersionInfo> {
    return this.#changing(options, (origin) => {
      checkVersion(version);
      return (settle) => native.emergencyRollback(this.#handle.engine, this.name, version, origin, settle);
    });
  }

  /** As `emergencyRollback`, at once. */
  emergencyRollbackSync(version: number, options: PromoteOptions = {}): VersionInfo {
    const origin = originOf(options);
    checkVersion(version);
    return versionOf(attempt(() => native.emergencyRollback(this.#handle.engine, this.name, version, origin)));
  }

  /**
   * Makes an ontology the whole of the sector's knowledge: parameters, classes, instances and shapes.
   *
   * @throws KnhkError `KNHK_DOCUMENT` with line and column, `KNHK_LIMIT`, `KNHK_NONCONFORMING` (with `report`) when it breaks a shape,
   * `KNHK_CONFLICT` when it says something of the core's or another sector's names, else as `promote`. Nothing changes then.
   */
  promoteRdf(text: string | Uint8Array, options: { format?: Format } & PromoteOptions & Abortable = {}): Promise<VersionInfo> {
    return this.#changing(options, (origin) => {
      const [own, format] = [written('the text', text), formatOf(options)];
      return (settle) => native.promoteRdf(this.#handle.engine, this.name, own, format, origin, settle);
    });
  }

  /** As `promoteRdf`, before it returns. */
  promoteRdfSync(text: string | Uint8Array, options: { format?: Format } & PromoteOptions = {}): VersionInfo {
    const origin = originOf(options);
    const [own, format] = [written('the text', text), formatOf(options)];
    return versionOf(attempt(() => native.promoteRdf(this.#handle.engine, this.name, own, format, origin)));
  }

  /** Changes the knowledge by statement. Fails as `promoteRdf`. */
  promoteDelta(delta: Delta, options: PromoteOptions & Abortable = {}): Promise<VersionInfo> {
    return this.#changing(options, (origin) => {
      const [removed, added, format] = deltaOf(delta);
      return (settle) => native.promoteDelta(this.#handle.engine, this.name, removed, added, format, origin, settle);
    });
  }

  /** As `promoteDelta`, before it returns. */
  promoteDeltaSync(delta: Delta, options: PromoteOptions = {}): VersionInfo {
    const origin = originOf(options);
    const [removed, added, format] = deltaOf(delta);
    return versionOf(attempt(() => native.promoteDelta(this.#handle.engine, this.name, removed, added, format, origin)));
  }

  /** Validates the current knowledge against its shapes. */
  async validate(options: Abortable = {}): Promise<Report> {
    return reportOf(await this.#begin<RawReport>(options, () => (settle) => native.validate(this.#handle.engine, this.name, settle)));
  }

  /** Validates an ontology as if it were promoted, and changes nothing. */
  async validateRdf(text: string | Uint8Array, options: { format?: Format } & Abortable = {}): Promise<Report> {
    const start = () => {
      const [own, format] = [written('the text', text), formatOf(options)];
      return (settle: Settle) => native.validateRdf(this.#handle.engine, this.name, own, format, settle);
    };
    return reportOf(await this.#begin<RawReport>(options, start));
  }

  /** Validates a change by statement, and changes nothing; what it costs follows the change. */
  async validateDelta(delta: Delta, options: Abortable = {}): Promise<Report> {
    const start = () => {
      const [removed, added, format] = deltaOf(delta);
      return (settle: Settle) => native.validateDelta(this.#handle.engine, this.name, removed, added, format, settle);
    };
    return reportOf(await this.#begin<RawReport>(options, start));
  }

  /** What leads from one retained version to another, statement by statement. */
  diff(from: number, to: number): StatementDiff {
    checkVersion(from);
    checkVersion(to);
    return attempt(() => native.diff(this.#handle.engine, this.name, from, to));
  }

  /** The proof that the current version says a statement, given as N-Triples, for `verifyProof`. */
  prove(statement: string): Uint8Array {
    checkString('the statement', statement);
    return attempt(() => native.prove(this.#handle.engine, this.name, statement));
  }

  /** States the values that reads see before the first promotion, and which names and types there are. */
  declare(document: string | Document, options: Abortable = {}): Promise<void> {
    return this.#begin(options, () => {
      const text = documentText(document);
      return (settle) => native.declare(this.#handle.engine, this.name, text, settle);
    });
  }

  /** As `declare`, before it returns. */
  declareSync(document: string | Document): void {
    const text = documentText(document);
    attempt(() => native.declare(this.#handle.engine, this.name, text));
  }

  /** The retained versions, oldest first. */
  history(): VersionInfo[] {
    return attempt(() => native.history(this.#handle.engine, this.name)).map(versionOf);
  }

  /** A version, or the current one, as text (`json`): promoting it gives the same knowledge, and it is the same for the same knowledge. */
  export(version?: number, options: { format?: Format } = {}): string {
    if (version !== undefined) checkVersion(version);
    const format = formatOf(options, 'json');
    return attempt(() => native.exportAs(this.#handle.engine, this.name, version, format));
  }

  /**
   * Waits until the first promotion. It keeps the process alive meanwhile.
   *
   * @throws KnhkError `KNHK_TIMEOUT` after `timeout` milliseconds, `KNHK_CLOSED`; the signal's reason when that is aborted.
   */
  async waitReady(options: { timeout?: number } & Abortable = {}): Promise<void> {
    checkOptions(options);
    const { timeout, signal } = options;
    if (timeout !== undefined) checkInteger('the option timeout', timeout, 0, 2 ** 31 - 1);
    signal?.throwIfAborted();
    await untilChange(this.#engine, this.name, () => this.ready, timeout, signal);
  }

  override toString(): string {
    return this.name;
  }

  async #changing(options: PromoteOptions & Abortable, start: Start): Promise<VersionInfo> {
    return versionOf(await this.#begin<Raw<VersionInfo>>(options, start));
  }

  /** What is wrong with the arguments rejects the promise too: a caller has one place to look at. */
  async #begin<T>(options: PromoteOptions & Abortable, start: Start): Promise<T> {
    const begin = start(originOf(options));
    return operation<T>(begin, native.cancel, options.signal);
  }
}

/** Checks the arguments; what it gives starts the operation. */
type Start = (origin: Origin) => (settle: Settle) => number;

function originOf(options: PromoteOptions): Origin {
  checkOptions(options);
  const { by, why, major } = options;
  checkOptionalString('the option by', by);
  checkOptionalString('the option why', why);
  if (major !== undefined && typeof major !== 'boolean') throw badType('the option major', 'a boolean', major);
  return { ...(by !== undefined && { by }), ...(why !== undefined && { why }), ...(major !== undefined && { major }) };
}

function checkVersion(version: unknown): void {
  checkInteger('the version', version, 0, Number.MAX_SAFE_INTEGER);
}

function formatOf(options: { format?: Format }, otherwise: Format = 'turtle'): Format {
  checkOptions(options);
  const { format = otherwise } = options;
  checkOneOf('the option format', FORMATS, format);
  return format;
}

function deltaOf(delta: Delta): [removed: Uint8Array, added: Uint8Array, format: Format] {
  if (typeof delta !== 'object' || delta === null) throw badType('the delta', 'an object', delta);
  return [written('remove', delta.remove ?? ''), written('add', delta.add ?? ''), formatOf(delta)];
}

/** Knowledge as the bytes of its text. */
function written(what: string, text: unknown): Uint8Array {
  if (typeof text === 'string') return Buffer.from(text);
  if (!isUint8Array(text)) throw badType(what, 'a string or a Uint8Array', text);
  return unshared(text);
}

/** The image in memory that no other thread can change while it is copied. */
function unshared(image: Uint8Array): Uint8Array {
  if (!isUint8Array(image)) throw badType('the image', 'a Uint8Array', image);
  return isSharedArrayBuffer(image.buffer) ? new Uint8Array(image) : image;
}

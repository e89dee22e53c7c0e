// Engines: opening, sectors, views, observations, news, closing.

import type { EventEmitter } from 'node:events';
import { isUint8Array } from 'node:util/types';

import { Changes } from './changes.js';
import { attempt, badRange, badType, checkInteger, checkNumber, checkOptions, checkString, closed, KnhkError, operation } from './errors.js';
import { Governance } from './governance.js';
import { checkMade, Handle } from './handle.js';
import { documentText } from './json.js';
import { checkSame, type Key, looked } from './key.js';
import { changeOf, type Raw } from './lazy.js';
import { Loop } from './loop.js';
import { type Native, native } from './native.js';
import type { News } from './news.js';
import { append } from './observed.js';
import { checkSector, openSettings } from './options.js';
import type {
  Abortable,
  Change,
  Document,
  IdentifierConflict,
  LogLine,
  Observation,
  ObserveOptions,
  OpenOptions,
  SectorInfo,
  Stats,
  Value,
} from './records.js';
import { makeSector, type Sector } from './sector.js';
import { makeView, type View } from './view.js';

/** Engines somebody waits for news of: they stay, even if nothing else refers to them. */
const heard = new Set<Engine>();

/** Internals that sectors use. */
export let untilChange: (
  engine: Engine,
  sector: string,
  done: () => boolean,
  timeout: number | undefined,
  signal: AbortSignal | undefined,
) => Promise<void>;

/** What keeps an engine open, for the other modules of the package. @internal */
export let handleOf: (engine: Engine) => Handle;
let listenerOf: (engine: WeakRef<Engine>) => Parameters<Native['listen']>[1];
let makeEngine: (place: number) => Engine;

/** What an engine emits. Listeners keep no process alive; what one throws is an `uncaughtException`, as for any emitter. */
export interface EngineEvents {
  /** Something became current. */
  change: [change: Change];
  /** A line of the engine's log. */
  log: [line: LogLine];
  /** The engine was closed, here or in another thread. */
  close: [];
}

/** Opens an engine on a folder, which is made where it does not exist, or in memory with `':memory:'`. */
export async function open(location: string, options: OpenOptions & Abortable = {}): Promise<Engine> {
  const settings = openSettings(location, options);
  const place = await operation<number>(
    (settle) => native.open(location, settings, settle),
    native.cancel,
    options.signal,
  );
  return makeEngine(place);
}

/** As `open`, before it returns. */
export function openSync(location: string, options: OpenOptions = {}): Engine {
  const settings = openSettings(location, options);
  return makeEngine(attempt(() => native.open(location, settings)));
}

/** Opens, in this thread, the engine that another thread of this process gave a token for: see `engine.share()`. */
export function attach(token: string): Engine {
  checkString('the token', token);
  return makeEngine(attempt(() => native.attach(token)));
}

/**
 * Checks a proof of `sector.prove`, made here or elsewhere, against a content address (`snapshotId`). It needs no engine.
 *
 * @throws KnhkError `KNHK_UNPROVEN` where the proof does not show that the version says the statement.
 */
export function verifyProof(snapshotId: string, proof: Uint8Array, statement: string): void {
  checkString('the content address', snapshotId);
  checkString('the statement', statement);
  if (!isUint8Array(proof)) throw badType('the proof', 'a Uint8Array', proof);
  if (!/^[0-9a-f]{64}$/.test(snapshotId)) throw badRange('a content address has 64 hexadecimal digits');
  attempt(() => native.verifyProof(Buffer.from(snapshotId, 'hex'), proof, statement));
}

/** The version of the engine's library. */
export const libraryVersion: string = native.libraryVersion();

/** An engine, as this thread has it open. */
export class Engine extends Governance {
  /** The closed loop: it proposes changes of the program's limits from what the program observes. */
  readonly loop: Loop;
  #handle: Handle;
  #sectors = new Map<string, Sector>();
  #iterators = new Set<News<Change>>();
  #watchers = new Set<(change: Change | undefined) => void>();
  #ended = false;

  static {
    // Made here, where no `this` is in reach: what the native half holds must not hold the engine.
    listenerOf = (engine) => (kind, news) => {
      const here = engine.deref();
      if (here) here.#hear(kind, news);
    };
    makeEngine = (place) => new Engine(new Handle(place));
    handleOf = (engine) => engine.#handle;
    untilChange = (engine, sector, done, timeout, signal) => engine.#until(sector, done, timeout, signal);
  }

  private constructor(handle: Handle) {
    checkMade(handle);
    super(handle);
    this.#handle = handle;
    this.loop = new Loop(this, handle);
    attempt(() => native.listen(handle.engine, listenerOf(new WeakRef(this))));
    (this as EventEmitter).on('newListener', (event: string) => this.#listening(event, 1));
    (this as EventEmitter).on('removeListener', (event: string) => this.#listening(event, 0));
  }

  /** Creates a sector. Names are 1 to 64 characters of `a-z`, `0-9`, `-` and `_`. */
  async createSector(name: string, options: { kind?: 'direct' | 'governed' } & Abortable = {}): Promise<Sector> {
    const kind = checkSector(name, options);
    await operation((settle) => native.createSector(this.#handle.engine, name, kind, settle), native.cancel, options.signal);
    return this.sector(name);
  }

  /** As `createSector`, before it returns. */
  createSectorSync(name: string, options: { kind?: 'direct' | 'governed' } = {}): Sector {
    const kind = checkSector(name, options);
    attempt(() => native.createSector(this.#handle.engine, name, kind));
    return this.sector(name);
  }

  /** Creates a sector with the knowledge that KNHK ships: `finance`, `healthcare`, `logistics` or `manufacturing`. */
  async createShippedSector(name: string, options: { kind?: 'direct' | 'governed' } & Abortable = {}): Promise<Sector> {
    const kind = checkSector(name, options);
    await operation((settle) => native.createShippedSector(this.#handle.engine, name, kind, settle), native.cancel, options.signal);
    return this.sector(name);
  }

  /** As `createShippedSector`, before it returns. */
  createShippedSectorSync(name: string, options: { kind?: 'direct' | 'governed' } = {}): Sector {
    const kind = checkSector(name, options);
    attempt(() => native.createShippedSector(this.#handle.engine, name, kind));
    return this.sector(name);
  }

  /** The identifiers that two sectors define differently. */
  conflicts(): IdentifierConflict[] {
    return attempt(() => native.conflicts(this.#handle.engine));
  }

  /** A sector that exists. */
  sector(name: string): Sector {
    checkString('the name', name);
    attempt(() => native.isReady(this.#handle.engine, name));
    let sector = this.#sectors.get(name);
    if (!sector) this.#sectors.set(name, (sector = makeSector(this, this.#handle, name)));
    return sector;
  }

  /** All sectors, in the order of their creation. */
  sectors(): SectorInfo[] {
    return attempt(() => native.sectors(this.#handle.engine));
  }

  /** Holds the current generation for reads that belong together: `using view = engine.view()`, or `view.end()`. */
  view(): View {
    return makeView(this.#handle);
  }

  /** The current value under a path, `orders/max_qty`, whatever its type; undefined where there is none. */
  find(path: string): Value | undefined {
    checkString('the path', path);
    const slash = path.indexOf('/');
    if (slash < 0) return undefined;
    return looked(native.find(this.#handle.engine, path.slice(0, slash), path.slice(slash + 1), false), path);
  }

  /** Compiles a document into an artifact image, for `sector.promoteImage` of this or another engine. */
  async compile(document: string | Document, options: Abortable = {}): Promise<Uint8Array> {
    checkOptions(options);
    const text = documentText(document);
    return operation((settle) => native.compile(this.#handle.engine, text, settle), native.cancel, options.signal);
  }

  /** Appends an observation to this thread's ring; false, and counted, where that is full. */
  observe(key: Key<'i64'>, value: number | bigint, options?: ObserveOptions): boolean;
  observe(key: Key<'f64'>, value: number, options?: ObserveOptions): boolean;
  observe(key: Key<'bool'>, value: boolean, options?: ObserveOptions): boolean;
  observe(key: Key<never>, value: number | bigint | boolean, options: ObserveOptions = {}): boolean {
    checkSame(this.#handle, key as Key);
    return append(this.#handle.engine, key as Key, value, options);
  }

  /** Takes up to `max` observations out of all threads' rings, each thread's in its order. */
  drain(max = 1024): Observation[] {
    checkInteger('max', max, 0, 2 ** 32 - 1);
    return attempt(() => native.drain(this.#handle.engine, max));
  }

  /**
   * The changes from now on. The loop ends when the engine is closed, and throws the signal's reason when that is aborted. As with
   * `fs.promises.watch`, the process stays while the loop waits, unless `persistent` is false.
   */
  changes(options: { persistent?: boolean } & Abortable = {}): AsyncIterableIterator<Change, undefined> & AsyncDisposable {
    checkOptions(options);
    options.signal?.throwIfAborted();
    if (this.#ended) throw closed();
    const forget = (changes: News<Change>) => {
      this.#iterators.delete(changes);
      this.#settleNews();
    };
    const changes = new Changes(forget, options.signal, options.persistent !== false);
    this.#iterators.add(changes);
    this.#settleNews();
    return changes;
  }

  /** The changes after generation `epoch`, oldest first; the engine remembers the last 256. */
  changesSince(epoch: number): Change[] {
    checkInteger('the epoch', epoch, 0, Number.MAX_SAFE_INTEGER);
    return attempt(() => native.changesSince(this.#handle.engine, epoch)).map(changeOf);
  }

  /** The newest generation's number: it grows with every change. */
  get version(): number {
    return attempt(() => native.version(this.#handle.engine));
  }

  /** Moves the clock of an engine that was opened with `manualTimeMs`, in milliseconds; what it shows then, in milliseconds since 1970. */
  advanceTime(by: number): number {
    checkInteger('the time', by, 0, 2 ** 44);
    return attempt(() => native.advanceTime(this.#handle.engine, by));
  }

  /**
   * Tells what an operation of the hot path took, in milliseconds, or the mean of a batch of them. While the mean of what was told is beyond the
   * option `hotBudgetMs`, the engine's own work but the most urgent waits, and so do executors that were made known (`executor.addTo(engine)`), for
   * 10 ms after the latest report at most.
   */
  reportHot(took: number): void {
    checkNumber('what it took', took, 0, 2 ** 44);
    attempt(() => native.reportHot(this.#handle.engine, took));
  }

  /** The mean of what `reportHot` was told, in milliseconds, the latest weighing an eighth. */
  get hotMean(): number {
    return attempt(() => native.hotMean(this.#handle.engine));
  }

  /** A descriptor (an eventfd) that becomes readable on changes: for event loops other than Node's. The engine's, not to be closed. */
  get changeFd(): number {
    return attempt(() => native.changeFd(this.#handle.engine));
  }

  /** All sectors' documents as one JSON object. */
  dump(): string {
    return attempt(() => native.dump(this.#handle.engine));
  }

  stats(): Stats {
    return attempt(() => native.stats(this.#handle.engine));
  }

  /** A token by which other threads of this process open the same engine: `attach(token)` in a worker. */
  share(): string {
    return attempt(() => native.share(this.#handle.engine));
  }

  /** Whether reads and changes still work. */
  get isOpen(): boolean {
    return native.isOpen(this.#handle.engine);
  }

  /**
   * Closes the engine for all threads where it was opened, or lets go of it where it was attached. Reads give nothing from then on, changes
   * are refused, loops over changes end. Closing twice does nothing.
   */
  close(): void {
    attempt(() => this.#handle.close());
    this.#end();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Waits until `done()` holds, which is asked at once and after each change of `sector`. */
  async #until(
    sector: string,
    done: () => boolean,
    timeout: number | undefined,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { promise, resolve, reject } = deferred();
    if (this.#ended) throw closed();
    const watch = (change: Change | undefined) => {
      if (!change) reject(closed());
      else if (change.sector === sector && done()) resolve();
    };
    const late = () =>
      reject(new KnhkError(`sector ${sector} was not ready within ${timeout} ms`, 'KNHK_TIMEOUT', 104, 'wait', sector));
    const abort = () => reject(signal?.reason);
    let timer: NodeJS.Timeout | undefined;
    native.keepAlive(true);
    this.#watchers.add(watch);
    signal?.addEventListener('abort', abort, { once: true });
    try {
      this.#settleNews();
      // Asked after the subscription, so that no change falls between the two.
      if (done()) return;
      if (timeout !== undefined) timer = setTimeout(late, timeout);
      await promise;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      this.#watchers.delete(watch);
      native.keepAlive(false);
      this.#settleNews();
    }
  }

  override removeAllListeners(event?: keyof EngineEvents): this {
    if (event !== undefined) return super.removeAllListeners(event);
    // All but those by which this class hears of listeners.
    for (const name of ['change', 'log', 'close'] as const) super.removeAllListeners(name);
    return this;
  }

  #hear(kind: 'change' | 'log' | 'close', news: Raw<Change> | LogLine | undefined): void {
    if (kind === 'close') return this.close();
    if (kind === 'log') return void this.emit('log', news as LogLine);
    const change = changeOf(news as Raw<Change>);
    for (const watch of [...this.#watchers]) watch(change);
    for (const changes of [...this.#iterators]) changes.push(change);
    this.emit('change', change);
  }

  #listening(event: string, coming: 0 | 1): void {
    if (this.#ended) return;
    if (event === 'change') this.#settleNews(coming);
    if (event === 'log') {
      native.setLog(this.#handle.engine, coming + this.listenerCount('log') > 0);
      this.#settleNews();
    }
  }

  /** Asks for changes while somebody wants them. */
  #settleNews(coming = 0): void {
    if (this.#ended) return;
    const wanted = coming + this.listenerCount('change') + this.#iterators.size + this.#watchers.size > 0;
    attempt(() => native.setChanges(this.#handle.engine, wanted));
    if (wanted || coming + this.listenerCount('log') > 0) heard.add(this);
    else heard.delete(this);
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    heard.delete(this);
    for (const watch of [...this.#watchers]) watch(undefined);
    for (const changes of [...this.#iterators]) changes.end();
    this.loop.end();
    process.nextTick(() => this.emit('close'));
  }
}

function deferred(): { promise: Promise<void>; resolve: () => void; reject: (reason: unknown) => void } {
  let resolve!: () => void;
  let reject!: (reason: unknown) => void;
  const promise = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  // Whoever waits hears of it; here it may be settled before anybody waits.
  promise.catch(() => undefined);
  return { promise, resolve, reject };
}

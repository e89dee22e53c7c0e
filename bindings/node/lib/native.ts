// The native half, as its Rust source (src/calls.rs, src/reads.rs) defines it. Engines, keys and held generations are numbers here.

import type { Raw } from './lazy.js';
import type { RawReport } from './report.js';
import type { Progress, Receipt, ReceiptFilter } from './proof.js';
import type {
  Change,
  Difference,
  Format,
  IdentifierConflict,
  KeyInfo,
  LogLine,
  Observation,
  SectorInfo,
  StatementDiff,
  Stats,
  VersionInfo,
} from './records.js';
import type { Flow } from './warm/channel.js';
import type { ExecutorStats, Notice, TaskStats } from './warm/executor.js';
import type { ComponentHealth } from './warm/graph.js';

/** Hears how an operation ended: with an error, or with its value. */
export type Settle = (error: unknown, value?: unknown) => void;

/** Hears something as JSON. */
export type Tell = (request: number, text: string) => void;

/** Is asked something as JSON, with the handle of a held generation, and answers by `answered`. */
export type Ask = (request: number, text: string, view: number) => void;

/** Who, why, and whether keys may break. */
export interface Origin {
  by?: string;
  why?: string;
  major?: boolean;
}

/** A receipt as the native half gives it: its evidence as JSON text. */
export type RawReceipt = Omit<Receipt, 'evidence'> & { evidence: string };

/** What can take time gives its number and calls `settle` later, or without `settle` gives its value at once. */
type Operation<A extends unknown[], T> = {
  (...call: [...A, settle: Settle]): number;
  (...call: A): T;
};

export interface Native {
  open: Operation<[location: string, options: object], number>;
  createSector: Operation<[engine: number, name: string, kind: string], void>;
  declare: Operation<[engine: number, sector: string, json: string], void>;
  promote: Operation<[engine: number, sector: string, json: string, origin: Origin], Raw<VersionInfo>>;
  promoteImage: Operation<[engine: number, sector: string, image: Uint8Array, origin: Origin], Raw<VersionInfo>>;
  rollback: Operation<[engine: number, sector: string, version: number, origin: Origin], Raw<VersionInfo>>;
  emergencyRollback: Operation<[engine: number, sector: string, version: number, origin: Origin], Raw<VersionInfo>>;
  compile: Operation<[engine: number, json: string], Uint8Array>;
  createShippedSector: Operation<[engine: number, name: string, kind: string], void>;
  promoteRdf: Operation<[engine: number, sector: string, text: Uint8Array, format: Format, origin: Origin], Raw<VersionInfo>>;
  promoteDelta: Operation<
    [engine: number, sector: string, removed: Uint8Array, added: Uint8Array, format: Format, origin: Origin],
    Raw<VersionInfo>
  >;
  validate: Operation<[engine: number, sector: string], RawReport>;
  validateRdf: Operation<[engine: number, sector: string, text: Uint8Array, format: Format], RawReport>;
  validateDelta: Operation<[engine: number, sector: string, removed: Uint8Array, added: Uint8Array, format: Format], RawReport>;
  receiptsOf(engine: number, filter: ReceiptFilter, settle: Settle): number;
  receiptOf(engine: number, id: string, settle: Settle): number;
  proveReceipt(engine: number, id: string, settle: Settle): number;
  proveConsistency(engine: number, earlier: number, settle: Settle): number;
  checkpoint(engine: number, settle: Settle): number;
  /** `progress` is called with 0 and a JSON text as each stage begins and ends. */
  govern(engine: number, verb: string, request: string, progress: Tell | undefined, settle: Settle): number;
  setFunction(engine: number, role: string, name: string, severity: string, ask: Ask): void;
  setCondition(engine: number, name: string, condition: string, severity: string): void;
  setWorkload(engine: number, sector: string, name: string, ask: Ask): void;
  unset(engine: number, role: string, name: string, sector: string): boolean;
  governOffline(verb: string, request: string): string;
  renderReport(report: string): string;
  trustRoot(engine: number): string | null | undefined;
  signingKeys(engine: number, settle: Settle): number;
  rotateKey(engine: number, signer: number | undefined, settle: Settle): number;
  prune(engine: number, settle: Settle): number;
  versionLog(engine: number, sector: string, before: number | undefined, limit: number | undefined, settle: Settle): number;
  resolve(engine: number, sector: string, reference: string, settle: Settle): number;
  tag(engine: number, sector: string, name: string, reference: string, by: string, settle: Settle): number;
  untag(engine: number, sector: string, name: string, by: string, settle: Settle): number;
  tagsOf(engine: number, sector: string, settle: Settle): number;
  /** These give the handle of a held generation; `lookAt` leaves it in `scratch`. */
  asOf(engine: number, sector: string, reference: string, settle: Settle): number;
  asOfMoment(engine: number, timeNs: bigint, settle: Settle): number;
  lookAt(view: number): boolean;
  verify(
    engine: number,
    checkpoint: string | undefined,
    withoutObservations: boolean,
    progress: ((now: Progress) => void) | undefined,
    settle: Settle,
  ): number;
  backup(engine: number, path: string, progress: ((now: Progress) => void) | undefined, settle: Settle): number;
  restore(
    path: string,
    folder: string,
    trustRoot: string | undefined,
    checkpoint: string | undefined,
    progress: ((now: Progress) => void) | undefined,
    settle: Settle,
  ): number;
  signerGenerate(): number;
  signerLoad(path: string): number;
  signerFromSeed(seed: Uint8Array): number;
  signerDelegated(publicKey: Uint8Array, sign: (request: number, message: Uint8Array) => void): number;
  signed(request: number, signature?: Uint8Array, why?: string): void;
  addProposer(engine: number, name: string, propose: (request: number, text: string) => void): void;
  removeProposer(engine: number, name: string): boolean;
  addDetector(engine: number, name: string, judge: (request: number, text: string) => void): void;
  removeDetector(engine: number, name: string): boolean;
  addHook(engine: number, phase: string, when: string, hears: (request: number, text: string) => void): number;
  removeHook(engine: number, hook: number): boolean;
  answered(request: number, text?: string, why?: string): void;
  signerSave(signer: number, path: string): void;
  signerSign(signer: number, message: Uint8Array): Uint8Array;
  signerPublicKey(signer: number): Uint8Array;
  signerForget(signer: number): void;
  aggregates(engine: number, sector: string, settle: Settle): number;
  objectives(engine: number, sector: string, settle: Settle): number;
  flushObservations(engine: number, settle: Settle): number;
  observeStats(engine: number, settle: Settle): number;
  segments(engine: number, sector: string | undefined, first: number, limit: number | undefined, settle: Settle): number;
  observations(engine: number, segment: number, settle: Settle): number;
  proveObservation(engine: number, segment: number, index: number, settle: Settle): number;
  verifyObservation(engine: number, record: Uint8Array, proof: Uint8Array, settle: Settle): number;
  cancel(operation: number): boolean;
  /** Asks an operation that has started to stop, if it can. */
  stop(operation: number): void;
  keepAlive(wanted: boolean): void;

  share(engine: number): string;
  attach(token: string): number;
  close(engine: number): void;
  isOpen(engine: number): boolean;
  sectors(engine: number): SectorInfo[];
  isReady(engine: number, sector: string): boolean;
  keys(engine: number, sector: string): KeyInfo[];
  history(engine: number, sector: string): Raw<VersionInfo>[];
  differences(source: object): Difference[];
  summary(source: object): string;
  exportAs(engine: number, sector: string, version: number | undefined, format: Format): string;
  diff(engine: number, sector: string, from: number, to: number): StatementDiff;
  prove(engine: number, sector: string, statement: string): Uint8Array;
  verifyProof(snapshotId: Uint8Array, proof: Uint8Array, statement: string): void;
  conflicts(engine: number): IdentifierConflict[];
  reportRdf(source: object, format: Format): string;
  dump(engine: number): string;
  intern(engine: number, sector: string, name: string, type: string): number;
  listen(engine: number, listener: (kind: 'change' | 'log' | 'close', news: Raw<Change> | LogLine | undefined) => void): void;
  setChanges(engine: number, wanted: boolean): void;
  setLog(engine: number, wanted: boolean): void;
  advanceTime(engine: number, by: number): number;
  version(engine: number): number;
  changesSince(engine: number, epoch: number): Raw<Change>[];
  changeFd(engine: number): number;
  stats(engine: number): Stats;
  drain(engine: number, max: number): Observation[];
  cells(engine: number): Int32Array<ArrayBuffer> | undefined;
  scratch(): Int32Array<ArrayBuffer>;
  libraryVersion(): string;

  /** `source` is an engine (its current generation) or a held generation; how it ended is in `scratch`. */
  read(source: number, key: number, big: boolean): unknown;
  allows(source: number, key: number, value: number | bigint): boolean | undefined;
  /** The bounds of a guard; undefined where there is no such value. */
  range(source: number, key: number): [low: number, high: number] | undefined;
  isA(source: number, key: number, ancestor: number): boolean | undefined;
  lookup(source: number, map: number, name: string, big: boolean): unknown;
  find(source: number, sector: string, path: string, big: boolean): unknown;
  openView(engine: number): number | undefined;
  endView(view: number): boolean;
  observe(
    source: number,
    key: number,
    value: number | bigint | boolean,
    outcome: number,
    subject?: number | bigint,
    detail?: number | bigint,
    timeNs?: bigint,
  ): boolean;
  empty(): void;

  // Resilience (src/resilience.rs): scopes, policies, permits and so on are externals here; times are in milliseconds.
  checkpointsOpen(name: string, engine: number | undefined, folder: string | undefined, settings: object): object;
  checkpointsAdd(checkpoints: object, name: string): void;
  checkpointsRemove(checkpoints: object, name: string): boolean;
  checkpointsSet(checkpoints: object, name: string, state: Uint8Array): void;
  checkpointsState(checkpoints: object, name: string): Uint8Array | null;
  checkpointsTake(checkpoints: object, full: boolean): Promise<string>;
  checkpointsRestore(checkpoints: object): Promise<string>;
  checkpointsKept(checkpoints: object): Promise<string>;
  checkpointsClose(checkpoints: object): void;
  scopeNew(clock: string): object;
  scopeOf(engine: number): object;
  scopeNow(scope: object): number;
  scopeAdvance(scope: object, ms: number): void;
  scopeCounters(scope: object): Figure[];
  scopeListen(scope: object, listener: (transition: object) => void): object;
  listenerClose(listener: object): void;
  policyNew(
    kind: string,
    name: string,
    settings: Figure[],
    scope: object,
    policies: object[],
    levels: { name: string; enter: number; leave: number; enterAfter: number; leaveAfter: number; off: string[] }[],
    strategies: { name: string; tries: number }[],
  ): object;
  policyState(policy: object): string;
  policyText(policy: object): string;
  policyFigures(policy: object): Figure[];
  policyParameters(policy: object): (Figure & { unit: string; low: number; high: number; isWhole: boolean; what: string })[];
  policyRetune(policy: object, settings: Figure[]): void;
  policyDocumentJson(policy: object): string;
  policyAdd(policy: object, engine: number, sector: string | undefined): void;
  policyRemove(engine: number, name: string): boolean;
  policies(engine: number): { name: string; kind: string; sector?: string; version: number; refused?: string; state: string; text: string }[];
  policyEnter(
    policy: object,
    priority: number,
    timeout: number | undefined,
    tokens: number,
  ): { permit: object; delay: number; fails: boolean; left?: number } | Refusal;
  permitFinish(permit: object, outcome: number): boolean;
  permitLeft(permit: object): number | null;
  breakerSwitch(policy: object, to: 'open' | 'closed' | 'disabled'): void;
  chaosSwitch(policy: object, on: boolean): void;
  policyLoad(policy: object, load: number): void;
  degradationLevel(policy: object): number;
  degradationPin(policy: object, level: number | undefined): void;
  degradationIsOn(policy: object, feature: string): boolean | null;
  retryBegin(policy: object): object;
  retryDecide(
    policy: object,
    tries: object,
    permanent: boolean,
    retryAfter: number | undefined,
  ): { made: number; pause?: number; why?: string };
  retryAfter(value: string): number | null;
  hedgeBegin(policy: object): object;
  hedgeWait(policy: object, copies: object): number | null;
  hedgeSend(policy: object, copies: object): number | null;
  hedgeFinish(policy: object, copies: object, copy: number, outcome: number): 'use' | 'wait' | 'sendAnother' | 'late';
  recoveryFirst(policy: object, component: string): number;
  recoveryPause(policy: object): number;
  recoveryEnd(policy: object, component: string, what: string, mendedBy: number | undefined, failed: string[]): void;
  healthAdd(policy: object, name: string, weight: number, needs: string[]): number;
  healthDepend(policy: object, name: string, on: string): void;
  healthReport(policy: object, component: number, health: number): void;
  healthAssess(policy: object): object;

  // The warm path (src/warm): executors, tasks, channels and graphs are externals here; times are in milliseconds.
  executorNew(name: string, capacity: number, horizon: number): object;
  executorTask(executor: object, name: string, priority: number, budget: number, dropLate: boolean): object;
  executorSubmit(executor: object, task: object, work: number, within: number | undefined): void;
  executorTurn(executor: object, step: (work: number) => boolean): boolean;
  executorNews(executor: object): { over: { work: number; state: string }[]; notices: Notice[] };
  executorCancel(executor: object, work: number): boolean;
  executorPause(executor: object, paused: boolean): void;
  executorEnd(executor: object): void;
  executorStats(executor: object): ExecutorFigures;
  taskFigures(task: object): TaskFigures;
  executors(engine: number): { name: string; stats: ExecutorFigures; tasks: TaskFigures[] }[];
  executorAddTo(executor: object, engine: number): void;
  reportHot(engine: number, took: number): void;
  hotMean(engine: number): number;
  runShouldYield(): boolean;
  runCancelled(): boolean;
  runLeft(): number;
  channelPair(window: number): object[];
  channelListen(channel: object, wake: (writable: boolean) => void): void;
  channelWhen(channel: object, writable: boolean): void;
  channelSend(channel: object, message: Uint8Array): 'sent' | 'full' | 'closed';
  channelReceive(channel: object, take: boolean): { message?: Uint8Array; ended: boolean };
  channelDone(channel: object): void;
  channelSwitch(channel: object, to: 'hold' | 'release' | 'finish' | 'close'): void;
  channelFlow(channel: object, outgoing: boolean): Flow;
  channelShare(channel: object): string;
  channelAttach(token: string): object;
  graphNew(ask: (call: number, component: number, what: string) => void): object;
  graphAdd(graph: object, name: string, needs: string[], has: boolean[]): void;
  graphDepend(graph: object, name: string, on: string): void;
  graphAnswer(graph: object, call: number, why: string | undefined): void;
  graphStart(graph: object, timeout: number, settle: (came: string) => void): void;
  graphShutdown(graph: object, drain: number, stop: number, settle: (came: string) => void): void;
  graphHealth(graph: object, said: number[]): ComponentHealth[];
}

/** What an executor is doing. */
export type ExecutorFigures = Omit<ExecutorStats, 'fullIn'> & { fullIn?: number };

/** What is known of a task; levels are their places among the priorities. */
export type TaskFigures = Omit<TaskStats, 'priority' | 'level'> & { priority: number; level: number };

/** A named number. */
export interface Figure {
  name: string;
  value: number;
}

/** Why a policy refused a call. */
export interface Refusal {
  message: string;
  reason: string;
  retryAfter?: number;
}

function load(): Native {
  try {
    return require('../knhk.node') as Native;
  } catch (error) {
    const { platform, arch } = process;
    const hint = `knhk: the native part could not be loaded on ${platform}-${arch}; in a checkout, run "npm run build"`;
    throw new Error(hint, { cause: error });
  }
}

export const native: Native = load();

/** The words in which native reads leave their outcome and generation. */
export const scratch: Int32Array = native.scratch();

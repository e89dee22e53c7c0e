// The closed loop: the engine watches what the program observes, proposes changes of its limits, and follows what becomes of them.

import { attempt, badType, checkOptions, checkString, closed } from './errors.js';
import type { Governance } from './governance.js';
import type { Json } from './governed.js';
import type { Handle } from './handle.js';
import type {
  Cycle,
  Detector,
  Finished,
  FoundPattern,
  HookInfo,
  Knowledge,
  LoopSettings,
  LoopStatus,
  Phase,
  Proposer,
  Replayed,
  Sample,
} from './looped.js';
import { native } from './native.js';
import { News } from './news.js';
import type { Abortable } from './records.js';
import { nanoseconds } from './requests.js';

/** What a native request's function is called with. */
type Ask = (request: number, text: string) => void;

/** Answers requests with what `answer` gives; what it throws is why it could not. */
function asked(answer: (text: string) => unknown): Ask {
  const settle = async (request: number, text: string) => {
    try {
      const given: unknown = await answer(text);
      native.answered(request, given === null || given === undefined ? undefined : JSON.stringify(given));
    } catch (error) {
      const why = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      native.answered(request, undefined, `the function threw ${why}`);
    }
  };
  return (request, text) => void settle(request, text);
}

function checkFunction(what: string, value: unknown): void {
  if (typeof value !== 'function') throw badType(what, 'a function', value);
}

/** The cycles that end from its making on. @internal */
export class Ended extends News<Cycle> implements Finished {
  #missed = 0;

  get missed(): number {
    return this.#missed;
  }

  protected override givenUp(): void {
    this.#missed += 1;
  }
}

/** An engine's closed loop: `engine.loop`. What is watched, and what is done about it, a sector's ontology declares. */
export class Loop {
  #engine: Governance;
  #handle: Handle;
  #finished = new Set<News<Cycle>>();

  /** @internal */
  constructor(engine: Governance, handle: Handle) {
    this.#engine = engine;
    this.#handle = handle;
  }

  /** Starts the loop, on a thread of the engine. One that runs goes on with the new settings. */
  async start(settings: LoopSettings = {}): Promise<LoopStatus> {
    checkOptions(settings);
    const { sectors, every, changesPerHour, step, cooldown, confirmAbove, proposers, deadline, ...rest } = settings;
    return this.#engine.govern('loop_start', {
      ...rest,
      sectors,
      every_ms: every,
      changes_per_hour: changesPerHour,
      step,
      cooldown_s: cooldown === undefined ? undefined : Math.ceil(cooldown / 1000),
      confirm_above: confirmAbove,
      proposers,
      deadline_ms: deadline,
    });
  }

  /** Stops the loop, once the turn under way has ended. What it proposed stays on its way. */
  async stop(): Promise<LoopStatus> {
    return this.#engine.govern('loop_stop');
  }

  /** Takes one turn now; the cycles that it began or moved on. For a program that has the clock in its own hands. */
  async step({ signal }: Abortable = {}): Promise<Cycle[]> {
    return (await this.#engine.govern<{ cycles: Cycle[] }>('loop_step', {}, signal)).cycles;
  }

  /** What the loop is doing. */
  async status(): Promise<LoopStatus> {
    return this.#engine.govern('loop_status');
  }

  /** What was found, the newest first; at most 100 unless `limit` says so. */
  async patterns({ sector, since, limit }: { sector?: string; since?: Date | bigint; limit?: number } = {}): Promise<FoundPattern[]> {
    const request = { sector, since_ns: nanoseconds(since), limit };
    return (await this.#engine.govern<{ patterns: FoundPattern[] }>('patterns', request)).patterns;
  }

  /** Cycles, the newest first; at most 100 unless `limit` says so. `open`: only those that are under way. */
  async cycles(filter: { sector?: string; open?: boolean; before?: string; limit?: number } = {}): Promise<Cycle[]> {
    return (await this.#engine.govern<{ cycles: Cycle[] }>('cycles', { ...filter })).cycles;
  }

  /** The cycle of that id. */
  async cycle(id: string): Promise<Cycle> {
    return this.#engine.govern('cycle', { id });
  }

  /** Computes decisions anew from the observations that were kept, of a cycle or of a span, and compares them with the receipts. */
  async replay(of: { cycle?: string; since?: Date | bigint; until?: Date | bigint } = {}): Promise<Replayed> {
    checkOptions(of);
    return this.#engine.govern('replay', { cycle: of.cycle, from_ns: nanoseconds(of.since), to_ns: nanoseconds(of.until) });
  }

  /** What was learned. */
  async knowledge({ sector }: { sector?: string } = {}): Promise<Knowledge> {
    return this.#engine.govern('knowledge', { sector });
  }

  /** All that was learned, for `importKnowledge` of another engine. */
  async exportKnowledge(): Promise<Json> {
    return (await this.#engine.govern<{ knowledge: Json }>('export_knowledge')).knowledge;
  }

  /** Adds what another engine learned, which counts as older than what is here; how many outcomes that were. */
  async importKnowledge(knowledge: Json): Promise<number> {
    return (await this.#engine.govern<{ imported: number }>('import_knowledge', { knowledge })).imported;
  }

  /**
   * Adds a proposer, which the settings name among `proposers`. It runs on this thread, which therefore must not wait for the loop in another
   * way than by a promise; it keeps no process alive. What it throws, and what comes too late, is why there is no plan; the cycle says it.
   */
  addProposer(name: string, propose: Proposer): void {
    checkString('the name', name);
    checkFunction('the proposer', propose);
    attempt(() => native.addProposer(this.#handle.engine, name, asked((text) => propose(JSON.parse(text)))));
  }

  /** Removes a proposer that this thread added; whether it was there. */
  removeProposer(name: string): boolean {
    checkString('the name', name);
    return attempt(() => native.removeProposer(this.#handle.engine, name));
  }

  /**
   * Adds a kind of detector, for watches that name it `callback:NAME`: `make` is called with a sector and a watch, and makes what judges that
   * watch's samples one after another. As for proposers, it runs on this thread.
   */
  addDetector(name: string, make: (sector: string, watch: string) => Detector): void {
    checkString('the name', name);
    checkFunction('the detector', make);
    const judges = new Map<number, Detector>();
    const judge = (text: string) => {
      type Told = { number: number; sector: string; watch: string; sample: Sample; ended?: true };
      const { number, sector, watch, sample, ended }: Told = JSON.parse(text);
      if (ended) return void judges.delete(number);
      let at = judges.get(number);
      if (!at) judges.set(number, (at = make(sector, watch)));
      return at(sample);
    };
    attempt(() => native.addDetector(this.#handle.engine, name, asked(judge)));
  }

  /** Removes a kind of detector that this thread added; whether it was there. */
  removeDetector(name: string): boolean {
    checkString('the name', name);
    return attempt(() => native.removeDetector(this.#handle.engine, name));
  }

  /**
   * Calls `hears` before or after a phase of each turn; what `removeHook` takes. A slow one misses some, which the status counts, and holds
   * nothing up. What it throws is an `uncaughtException`.
   */
  addHook(phase: Phase, when: 'before' | 'after', hears: (info: HookInfo) => unknown): number {
    checkString('the phase', phase);
    checkString('when', when);
    checkFunction('the hook', hears);
    const hear: Ask = (request, text) => {
      native.answered(request);
      hears(JSON.parse(text));
    };
    return attempt(() => native.addHook(this.#handle.engine, phase, when, hear));
  }

  /** Removes a hook; whether it was there. */
  removeHook(hook: number): boolean {
    return attempt(() => native.removeHook(this.#handle.engine, hook));
  }

  /**
   * The cycles that end from now on. The loop over them ends when the engine is closed, and throws the signal's reason when that is aborted.
   * The process stays while it waits, unless `persistent` is false. Of those that nobody takes the newest 256 are kept, and the others counted.
   */
  finished(options: { persistent?: boolean } & Abortable = {}): Finished {
    checkOptions(options);
    options.signal?.throwIfAborted();
    if (!native.isOpen(this.#handle.engine)) throw closed();
    let hook: number | undefined;
    const forget = (finished: News<Cycle>) => {
      this.#finished.delete(finished);
      if (hook !== undefined && native.isOpen(this.#handle.engine)) this.removeHook(hook);
    };
    const finished = new Ended(forget, options.signal, options.persistent !== false);
    hook = this.addHook('learn', 'after', ({ cycle }) => cycle && finished.push(cycle));
    this.#finished.add(finished);
    return finished;
  }

  /** Ends loops over cycles: the engine is closed. @internal */
  end(): void {
    for (const finished of [...this.#finished]) finished.end();
  }
}

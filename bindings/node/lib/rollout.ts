// How a change becomes everyone's, and what the history tells: shadows, canaries, schedules, several sectors at once, merge, bisect, blame.

import { checkOptions, checkString, operation } from './errors.js';
import type { Asked, Content, Json, Proposal, StageReport } from './governed.js';
import type { Handle } from './handle.js';
import { Ledger } from './ledger.js';
import { native } from './native.js';
import { changesOf } from './requests.js';
import type {
  Blamed,
  Canary,
  Culprit,
  LedTo,
  Merge,
  Probation,
  Resolution,
  Schedule,
  Shadow,
  ShadowTest,
  ShadowTested,
} from './tried.js';

/** Whoever watches the stages. */
export interface Stages {
  /** Called as each stage of a sector begins, and as it ends, with its report. */
  progress?: (sector: string, stage: StageReport['stage'], report?: StageReport) => void;
}

/** The part of an engine that tries changes and looks back at them. */
export abstract class Rollout extends Ledger {
  #handle: Handle;

  constructor(handle: Handle) {
    super(handle);
    this.#handle = handle;
  }

  /** Does what a verb asks for, as docs/governing.md describes it; the other methods are this one with names and types. */
  async govern<T = Json>(verb: string, request: Json = {}, signal?: AbortSignal): Promise<T> {
    checkString('the verb', verb);
    checkOptions(request);
    const text = JSON.stringify(request);
    return JSON.parse(await operation<string>((settle) => native.govern(this.#handle.engine, verb, text, undefined, settle), native.cancel, signal));
  }

  /** @internal `govern` of what has stages run: told of, and stopped where it is aborted. */
  protected async governStages<T>(verb: string, request: Json, signal?: AbortSignal, progress?: Stages['progress']): Promise<T> {
    const text = JSON.stringify(request);
    const tell = (_request: number, now: string) => {
      const { sector, stage, report } = JSON.parse(now);
      progress?.(sector, stage, report ?? undefined);
    };
    const cancelOrStop = (number: number) => {
      const cancelled = native.cancel(number);
      if (!cancelled) native.stop(number);
      return cancelled;
    };
    const start = (settle: (error: unknown, value?: unknown) => void) => native.govern(this.#handle.engine, verb, text, tell, settle);
    return JSON.parse(await operation<string>(start, cancelOrStop, signal));
  }

  /** Opens a shadow with changes in it. */
  async shadow(changes: Record<string, Content>, { by }: { by?: string } = {}): Promise<Shadow> {
    return this.govern('shadow', { changes: changesOf(changes), by });
  }

  /** Tests a shadow: assertions with a name and a severity each; a report for each sector. */
  async testShadow(id: string, tests: ShadowTest[], { sector }: { sector?: string } = {}): Promise<ShadowTested[]> {
    return (await this.govern<{ results: ShadowTested[] }>('shadow_test', { id, sector, tests })).results;
  }

  /** The shadows that are open. */
  async shadows(): Promise<Shadow[]> {
    return (await this.govern<{ shadows: Shadow[] }>('shadows')).shadows;
  }

  /** Drops a shadow. */
  async dropShadow(id: string): Promise<void> {
    await this.govern('drop_shadow', { id });
  }

  /** Has a share of the decisions, chosen by their subject, read a proposal's candidate. */
  async canary(proposal: string, { share, by, why }: { share: number; by?: string; why?: string }): Promise<Canary> {
    return this.govern('canary', { proposal, share, by, why });
  }

  /** Ends a canary: its candidate becomes current, or is gone. */
  async stopCanary(id: string, { adopt, by, why }: Asked & { adopt: boolean }): Promise<Canary> {
    return this.govern('stop_canary', { id, adopt, by, why });
  }

  /** The canaries, with the counts of both arms. */
  async canaries(): Promise<Canary[]> {
    return (await this.govern<{ canaries: Canary[] }>('canaries')).canaries;
  }

  /**
   * Has a proposal become current at a moment (`2026-11-28T02:00:00Z`), or in the next window of the week (`Sat 02:00-04:00`) in a zone of the
   * IANA database; also after a restart.
   */
  async schedule(
    proposal: string,
    { moment, window, timeZone, by, why }: { moment?: string | Date; window?: string; timeZone?: string; by?: string; why?: string },
  ): Promise<Schedule> {
    const at = { moment: moment instanceof Date ? moment.toISOString() : moment, window, time_zone: timeZone };
    return this.govern('schedule', { proposal, at, by, why });
  }

  /** Takes a schedule back. */
  async unschedule(id: string, { by, why }: Asked = {}): Promise<Schedule> {
    return this.govern('unschedule', { id, by, why });
  }

  /** What is scheduled. */
  async schedules(): Promise<Schedule[]> {
    return (await this.govern<{ schedules: Schedule[] }>('schedules')).schedules;
  }

  /** Promotions whose objectives are watched. */
  async probations(): Promise<Probation[]> {
    return (await this.govern<{ probations: Probation[] }>('probations')).probations;
  }

  /** Promotes several direct sectors with one swap: no reader sees a mix, and all of it happens or nothing. */
  async promoteTogether(changes: Record<string, Content>, options: Asked & { major?: boolean } = {}): Promise<LedTo[]> {
    const { signal, ...rest } = options;
    const request = { changes: changesOf(changes), ...rest };
    return (await this.govern<{ versions: LedTo[] }>('promote_together', request, signal)).versions;
  }

  /** Rolls several sectors back with one swap; in an emergency before anything is written, and also where nothing can be. */
  async rollbackTogether(
    versions: Record<string, string | number>,
    { by, why, emergency }: Asked & { emergency?: boolean } = {},
  ): Promise<LedTo[]> {
    const sectors = Object.entries(versions).map(([sector, version]) => ({ sector, version: `${version}` }));
    return (await this.govern<{ versions: LedTo[] }>('rollback_together', { sectors, by, why, emergency })).versions;
  }

  /**
   * Merges another version of a sector into the current one, over their common base; conflicts are listed by statement. `resolve` says by a
   * conflict's item what becomes of it, `*` of those that are not named.
   */
  async merge(
    sector: string,
    theirs: string | number,
    options: Asked & { ours?: string; resolve?: Record<string, Resolution>; propose?: boolean } = {},
  ): Promise<Merge> {
    const { signal, propose = false, ...rest } = options;
    return this.govern('merge', { sector, theirs: `${theirs}`, propose, ...rest }, signal);
  }

  /**
   * The first bad version after a good one, with its receipt. `badIf` is a condition in CEL over `values`, a map from path to value; or it is
   * called with a version, and answers whether that is bad, or undefined where it cannot tell.
   */
  async bisect(
    sector: string,
    badIf: string | ((version: number) => boolean | undefined | Promise<boolean | undefined>),
    { good, bad = 'current' }: { good: string | number; bad?: string | number },
  ): Promise<Culprit> {
    const ends = { sector, good: `${good}`, bad: `${bad}` };
    if (typeof badIf === 'string') return (await this.govern<{ culprit: Culprit }>('bisect', { ...ends, where: badIf })).culprit;
    type Search = { state: unknown; next: { version: number } | null; culprit: Culprit };
    let search = await this.govern<Search>('bisect', ends);
    while (search.next) {
      const { version } = search.next;
      const isBad = await badIf(version);
      const trial = isBad === undefined ? 'skip' : isBad ? 'bad' : 'good';
      search = await this.govern<Search>('bisect', { state: search.state, version, trial });
    }
    return search.culprit;
  }

  /** Which version gave a path its value, or said a statement. */
  async blame(sector: string, options: { path?: string; statement?: string; version?: string } = {}): Promise<Blamed[]> {
    return (await this.govern<{ entries: Blamed[] }>('blame', { sector, ...options })).entries;
  }

  /** Typed keys of a sector and their documentation, as source text: of all paths, or of those that `only` names (`limits/*`). */
  async codegen(sector: string, language: 'c' | 'cpp' | 'rust' | 'python' | 'typescript', { version, only }: { version?: string; only?: string[] } = {}): Promise<string> {
    return (await this.govern<{ text: string }>('codegen', { sector, language, version, only })).text;
  }

  /** Proposes to carry every sector over to the core that this library ships, where it is another one than theirs. */
  async recompose({ by, why }: Asked = {}): Promise<Proposal | null> {
    return (await this.govern<{ proposal: Proposal | null }>('recompose', { by, why })).proposal;
  }
}

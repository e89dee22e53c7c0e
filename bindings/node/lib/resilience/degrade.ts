// Degradation and recovery.

import { attempt, KnhkError } from '../errors.js';
import { native } from '../native.js';
import { pause } from './pause.js';
import { type InScope, Policy } from './policy.js';

/** A level of degradation. */
export interface Level {
  name: string;
  /** It is entered when the load has been at least this for `enterAfter`. */
  enter: number;
  /** It is left when the load has been below this for `leaveAfter`; at most `enter`. */
  leave: number;
  enterAfter?: number;
  leaveAfter?: number;
  /** Features that are off in it and in all further ones. */
  off?: readonly string[];
}

/** Features that are switched off in steps as the load rises, and on again, later, as it falls. */
export class Degradation extends Policy {
  constructor(name: string, levels: Level[], options: InScope = {}) {
    super('degradation', name, options, { levels });
  }

  /** The level at present; 0 is full service. `state` has its name. */
  get level(): number {
    return native.degradationLevel(this.raw);
  }

  /** Tells the load. */
  load(load: number): void {
    attempt(() => native.policyLoad(this.raw, load));
  }

  /** Whether a feature is on. */
  isOn(feature: string): boolean {
    const on = attempt(() => native.degradationIsOn(this.raw, feature));
    if (on === null) {
      throw new KnhkError(`no level switches a feature ${JSON.stringify(feature)} off`, 'KNHK_NOT_FOUND', 100, 'policy', feature);
    }
    return on;
  }

  /** Holds a level whatever the load is; undefined lets go. */
  pin(level: number | undefined): void {
    attempt(() => native.degradationPin(this.raw, level));
  }
}

/** How to mend something: what throws has failed. */
export interface Strategy {
  name: string;
  mend: (component: string, what: string) => unknown;
  /** How often it is tried before the next one; 1. */
  tries?: number;
}

/** How a recovery went. */
export interface RecoveryReport {
  mendedBy: string | undefined;
  /** Each try that failed. */
  failed: { strategy: string; why: string }[];
}

/** Strategies that are tried in order until one mends what is broken; what breaks again within `relapse` begins further on. */
export class Recovery extends Policy {
  readonly #strategies: Strategy[];

  constructor(name: string, strategies: Strategy[], options: InScope & { pause?: number; relapse?: number } = {}) {
    super('recovery', name, options, { strategies: strategies.map(({ name, tries = 1 }) => ({ name, tries })) });
    this.#strategies = strategies;
  }

  /** Tries the strategies. */
  async recover(component: string, what: string): Promise<RecoveryReport> {
    const failed: RecoveryReport['failed'] = [];
    const first = attempt(() => native.recoveryFirst(this.raw, component));
    const end = (at?: number): RecoveryReport => {
      const flat = failed.flatMap(({ strategy, why }) => [strategy, why]);
      attempt(() => native.recoveryEnd(this.raw, component, what, at, flat));
      return { mendedBy: at === undefined ? undefined : this.#strategies[at]!.name, failed };
    };
    for (const [at, { name, mend, tries = 1 }] of this.#strategies.entries()) {
      for (let left = at < first ? 0 : Math.max(tries, 1); left > 0; left--) {
        if (failed.length) await pause(native.recoveryPause(this.raw));
        try {
          await mend(component, what);
          return end(at);
        } catch (error) {
          failed.push({ strategy: name, why: error instanceof Error ? error.message : String(error) });
        }
      }
    }
    return end();
  }
}

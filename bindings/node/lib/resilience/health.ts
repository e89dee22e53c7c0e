// Health: components tell how well they are, and a monitor what that means for the whole.

import { attempt, checkString } from '../errors.js';
import { native } from '../native.js';
import { type InScope, Policy } from './policy.js';

/** A component's health at one moment. */
export interface ComponentReport {
  name: string;
  state: 'healthy' | 'degraded' | 'unhealthy' | 'stale';
  weight: number;
  health: number;
  /** Milliseconds since its last report; undefined when there was none. */
  age?: number;
  /** The failing components that explain it. */
  explainedBy: string[];
}

/** A system's health at one moment. */
export interface HealthReport {
  availability: number;
  system: 'running' | 'degraded' | 'critical';
  components: ComponentReport[];
  /** For people. */
  text: string;
}

/** A component of a health monitor. */
export interface Component {
  readonly name: string;
  /** Tells its health, from 0 to 1. */
  report(health: number): void;
  /** Has it asked for its health at each poll; what throws or rejects is health 0. */
  check(check: () => number | PromiseLike<number>): void;
}

/** Watches components: the availability is the mean of their healths by weight; who is silent for `staleAfter` has none. */
export class Health extends Policy {
  readonly #checks: [component: Component, check: () => number | PromiseLike<number>][] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(name: string, options: InScope & { running?: number; critical?: number; staleAfter?: number } = {}) {
    super('health', name, options);
  }

  /** Adds a component that depends on others, which were added before. */
  add(name: string, { weight = 1, needs = [] }: { weight?: number; needs?: readonly string[] } = {}): Component {
    checkString('the name', name);
    const number = attempt(() => native.healthAdd(this.raw, name, weight, [...needs]));
    const component: Component = {
      name,
      report: (health) => attempt(() => native.healthReport(this.raw, number, health)),
      check: (check) => void this.#checks.push([component, check]),
    };
    return component;
  }

  /** Says that a component depends on another. */
  depend(name: string, on: string): void {
    attempt(() => native.healthDepend(this.raw, name, on));
  }

  /** How well the system is, by what was reported. */
  report(): HealthReport {
    return attempt(() => native.healthAssess(this.raw)) as HealthReport;
  }

  /** Asks all checks, and reports. */
  async poll(): Promise<HealthReport> {
    await Promise.all(
      this.#checks.map(async ([component, check]) => {
        let health = 0;
        try {
          health = await check();
        } catch {
          // Who cannot say how well it is, is not.
        }
        component.report(health);
      }),
    );
    return this.report();
  }

  /** Polls in an interval until `stop`; it keeps no process alive. */
  start(interval = 100): void {
    this.stop();
    const step = () => {
      this.#timer = setTimeout(() => void this.poll().then(() => this.#timer && step()), interval).unref();
    };
    step();
  }

  /** Ends the polling. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

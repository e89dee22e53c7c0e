// The component graph: parts of a program that start after what they need, and stop before it.

import { attempt, badType, checkString, KnhkError } from '../errors.js';
import { native } from '../native.js';

/** A component. Each of its functions may be left out, and may be asynchronous but for `health`; what one throws is why it failed. */
export interface Component {
  /** Begins its work. What it needs has begun. */
  start?(): unknown;
  /** Takes nothing more, and is over when it is done with what it has. */
  drain?(): unknown;
  /** Ends. What needs it has ended, or was given up. */
  stop?(): unknown;
  /** How well it is, from 0 to 1. */
  health?(): number;
}

/** How a component fared. */
export interface Fared {
  name: string;
  outcome: 'done' | 'failed' | 'stuck' | 'skipped';
  /** Why it failed; what it did not return from; what it needs and was not started. Empty where it is done. */
  why: string;
  /** How many milliseconds it took, where it is done. */
  took: number;
}

/** How a start or a shutdown went. */
export interface GraphReport {
  /** Each component that had a part, in the order in which they were added. */
  all: Fared[];
  /** The components that did not return. */
  stuck: string[];
  /** Whether every component did what it was asked to. */
  allWell: boolean;
  took: number;
  /** For people. */
  text: string;
}

/** A component's health. */
export interface ComponentHealth {
  name: string;
  /** What it says of itself, from 0 to 1; 0 for one that does not run, or that throws. */
  own: number;
  /** The least of its own health and of what it needs, directly or not. */
  effective: number;
  /** The components that pull it down; empty where it is its own doing. */
  becauseOf: string[];
}

/** Some components could not be started; what had started was stopped again. */
export class StartFailedError extends KnhkError {
  static {
    this.prototype.name = 'StartFailedError';
  }

  /** @internal */
  constructor(
    message: string,
    /** How each fared. */
    readonly how: GraphReport,
  ) {
    super(message, 'KNHK_CALL_FAILED', 111, 'graph', how.all.find(({ outcome }) => outcome !== 'done')?.name ?? '');
  }
}

/** Graphs that start or stop are kept until they have, whoever forgets them. */
const BUSY = new Set<Graph>();

function reportOf(came: string): { report: GraphReport; failed: string | undefined } {
  const { failed, ...told } = JSON.parse(came) as Omit<GraphReport, 'stuck' | 'allWell'> & { failed?: string };
  const stuck = told.all.filter(({ outcome }) => outcome === 'stuck').map(({ name }) => name);
  const allWell = told.all.every(({ outcome }) => outcome === 'done');
  return { report: { ...told, stuck, allWell }, failed };
}

/**
 * Components that start after what they need, and stop before it.
 *
 *     const parts = new Graph();
 *     parts.add('store', store); // it may have start(), drain(), stop() and health()
 *     parts.add('engine', engine, { needs: ['store'] });
 *     await parts.start();
 *     …
 *     console.log((await parts.shutdown()).text); // who did not stop is named
 *
 * A shutdown drains all, then stops all, each phase within its time. A component whose promise does not settle keeps nobody waiting for ever.
 */
export class Graph {
  readonly #raw: object;
  readonly #components: Component[] = [];

  constructor() {
    const components = new WeakRef(this.#components);
    let raw: WeakRef<object> | undefined;
    const answer = (call: number, why: string | undefined) => {
      const graph = raw?.deref();
      if (graph) native.graphAnswer(graph, call, why);
    };
    this.#raw = native.graphNew((call, number, what) => {
      const component = components.deref()?.[number];
      const asked = async () => component?.[what as 'start' | 'drain' | 'stop']?.();
      asked().then(
        () => answer(call, undefined),
        (error: unknown) => answer(call, error instanceof Error ? error.message : String(error)),
      );
    });
    raw = new WeakRef(this.#raw);
  }

  /** Adds a component that depends on others, which were added before. It is not started. */
  add(name: string, component: Component, { needs = [] }: { needs?: readonly string[] } = {}): void {
    checkString('the name', name);
    const has = (['start', 'drain', 'stop'] as const).map((what) => typeof component?.[what] === 'function');
    if (!has.includes(true) && typeof component?.health !== 'function') {
      throw badType('the component', 'an object with some of start, drain, stop and health', component);
    }
    attempt(() => native.graphAdd(this.#raw, name, [...needs], has));
    this.#components.push(component);
  }

  /** Says that a component depends on another. A cycle is refused, with its path: KNHK_INVALID_ARGUMENT. */
  depend(name: string, on: string): void {
    checkString('the name', name);
    checkString('what it depends on', on);
    attempt(() => native.graphDepend(this.#raw, name, on));
  }

  /** Starts what does not run, in order, within milliseconds. Rejects with a `StartFailedError`. */
  async start({ timeout = 10_000 }: { timeout?: number } = {}): Promise<GraphReport> {
    const came = await this.#settled((settle) => native.graphStart(this.#raw, timeout, settle));
    const { report, failed } = reportOf(came);
    if (failed !== undefined) throw new StartFailedError(failed, report);
    return report;
  }

  /** Drains, then stops what runs, in order, each within milliseconds; ends when both times are over, and tells who did not. */
  async shutdown({ drain = 10_000, stop = 5_000 }: { drain?: number; stop?: number } = {}): Promise<GraphReport> {
    return reportOf(await this.#settled((settle) => native.graphShutdown(this.#raw, drain, stop, settle))).report;
  }

  /** How well each component is, in the order in which they were added. */
  health(): ComponentHealth[] {
    const said = this.#components.map((component) => {
      try {
        return component.health ? Number(component.health()) : 1;
      } catch {
        return 0;
      }
    });
    return native.graphHealth(this.#raw, said);
  }

  async #settled(begin: (settle: (came: string) => void) => void): Promise<string> {
    BUSY.add(this);
    try {
      return await new Promise((resolve) => attempt(() => begin(resolve)));
    } finally {
      BUSY.delete(this);
    }
  }
}

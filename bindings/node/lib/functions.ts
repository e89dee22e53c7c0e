// Functions of the program that have a say in governance.
//
//   engine.setRuleFunction('below', (question, view) => {   // [rule.callback] name = "below"
//     if (view.find('orders/max_qty') > 2000) return 'more than the desk can hedge';   // as it would be
//   });

import { attempt, badType, checkString } from './errors.js';
import type { Severity } from './governed.js';
import type { Handle } from './handle.js';
import { native } from './native.js';
import { Rollout } from './rollout.js';
import type { JudgeQuestion } from './tried.js';
import { makeHeld, type View } from './view.js';

/**
 * Judges: nothing speaks against it where it gives nothing or true; a text, false, or what it throws does. `view` shows the sectors as they would
 * be, and ends with the call.
 */
export type Judge = (question: JudgeQuestion, view: View) => Said | Promise<Said>;
type Said = boolean | string | undefined | void;

/** Does once what the program does with its values; it is called often, and its time is what counts. It must not wait. */
export type Work = (view: View) => unknown;

function why(said: unknown): string | undefined {
  if (said === undefined || said === null || said === true) return undefined;
  if (said === false) return 'it is not so';
  return typeof said === 'string' ? said : 'the function gave neither nothing nor a text';
}

/** Answers a request with what `answer` gives, as JSON; what it throws is why it could not. */
async function settle(request: number, answer: () => unknown): Promise<void> {
  try {
    const given: unknown = await answer();
    native.answered(request, given === undefined ? undefined : JSON.stringify(given));
  } catch (error) {
    native.answered(request, undefined, error instanceof Error ? `${error.name}: ${error.message}` : String(error));
  }
}

/**
 * The part of an engine that asks the program. Its functions run on this thread, asked by the threads that have stages run: they must not wait for
 * the engine in turn. Nothing of it is kept: whoever opens the engine registers it anew.
 */
export abstract class Functions extends Rollout {
  #handle: Handle;

  constructor(handle: Handle) {
    super(handle);
    this.#handle = handle;
  }

  #judge(role: 'rule' | 'test' | 'invariant', name: string, judge: Judge, severity: Severity = 'blocker'): void {
    checkString('the name', name);
    if (typeof judge !== 'function') throw badType('what judges', 'a function', judge);
    const asked = async (text: string, held: number) => {
      const view = makeHeld(this.#handle, held);
      try {
        return why(await judge(JSON.parse(text), view));
      } finally {
        view.end();
      }
    };
    attempt(() => native.setFunction(this.#handle.engine, role, name, severity, (request, text, held) => void settle(request, () => asked(text, held))));
  }

  /** Registers the function that rules of the kind `callback` call by this name, in the place of another of the name. */
  setRuleFunction(name: string, judge: Judge): void {
    this.#judge('rule', name, judge);
  }

  /** Registers the function that tests of shadows call by this name. */
  setTestFunction(name: string, judge: Judge): void {
    this.#judge('test', name, judge);
  }

  /** Registers what has to hold across sectors: a condition in CEL, `after["orders/max_qty"] <= after["risk/ceiling"]`, or a function. */
  setInvariant(name: string, holds: string | Judge, { severity = 'blocker' }: { severity?: Severity } = {}): void {
    if (typeof holds !== 'string') return this.#judge('invariant', name, holds, severity);
    checkString('the name', name);
    attempt(() => native.setCondition(this.#handle.engine, name, holds, severity));
  }

  /**
   * Registers work that is measured with a sector's candidates: one that makes it slower than `governance/slowdown_percent` allows is refused.
   * This thread does it, and does nothing else meanwhile.
   */
  setWorkload(sector: string, name: string, work: Work): void {
    checkString('the sector', sector);
    checkString('the name', name);
    if (typeof work !== 'function') throw badType('the work', 'a function', work);
    const measured = (text: string, held: number) => {
      const { times } = JSON.parse(text);
      const view = makeHeld(this.#handle, held);
      try {
        const began = process.hrtime.bigint();
        for (let n = 0; n < times; n++) work(view);
        return Number(process.hrtime.bigint() - began);
      } finally {
        view.end();
      }
    };
    const ask = (request: number, text: string, held: number) => void settle(request, () => measured(text, held));
    attempt(() => native.setWorkload(this.#handle.engine, sector, name, ask));
  }

  /** Takes back what was registered; whether it was there. `sector` is that of a workload. */
  unset(kind: 'rule' | 'test' | 'invariant' | 'workload', name: string, { sector = '' }: { sector?: string } = {}): boolean {
    checkString('the name', name);
    return attempt(() => native.unset(this.#handle.engine, kind, name, sector));
  }
}

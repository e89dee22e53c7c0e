// Governance: changes that become current only once seven stages have nothing against them.
//
// Requests and answers are the JSON of docs/governing.md, the same in every language: fields keep their names, and times in nanoseconds are
// numbers there, exact to about 0.3 µs.

import { isUint8Array } from 'node:util/types';

import { attempt, badRange, badType, checkOptions, checkString, operation } from './errors.js';
import type {
  Approved,
  Asked,
  Content,
  GovernanceChange,
  Json,
  Proposal,
  Relaxation,
  StagesReport,
} from './governed.js';
import type { Handle } from './handle.js';
import { documentText } from './json.js';
import { Ledger } from './ledger.js';
import { native } from './native.js';

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');

function checkBytes(what: string, value: unknown): asserts value is Uint8Array {
  if (!isUint8Array(value)) throw badType(what, 'a Uint8Array', value);
}

function contentOf(content: Content): Json {
  if (typeof content !== 'object' || content === null) throw badType('what becomes of a sector', 'an object', content);
  if ('values' in content) {
    const written = ([path, value]: [string, unknown]) => [path, typeof value === 'string' ? value : JSON.stringify(value)];
    return { values: Object.entries(content.values).map(written) };
  }
  if ('document' in content) {
    const { document, format = 'json' } = content;
    return { document: { text: typeof document === 'string' ? document : documentText(document), format } };
  }
  if ('statements' in content) {
    const { add = '', remove = '', format = 'turtle' } = content.statements;
    return { change: { added: add, removed: remove, format } };
  }
  throw badType('what becomes of a sector', 'an object with values, document or statements', content);
}

function changesOf(changes: Record<string, Content>): Json[] {
  checkOptions(changes);
  return Object.entries(changes).map(([sector, content]) => ({ sector, content: contentOf(content) }));
}

/** A moment as requests have it: a Date, or nanoseconds since 1970. @internal */
export function nanoseconds(moment: Date | bigint | undefined): number | undefined {
  if (moment === undefined) return undefined;
  if (moment instanceof Date) {
    if (Number.isNaN(moment.getTime())) throw badRange('the moment is an invalid Date');
    return moment.getTime() * 1e6;
  }
  if (typeof moment !== 'bigint') throw badType('the moment', 'a Date or a bigint', moment);
  return Number(moment);
}

/** Makes a pair of keys for an approver (Ed25519): the public one, in hexadecimal, is for the set of approvers; the secret one stays with them. */
export function approverKey(): { public: string; secret: Uint8Array } {
  const made = JSON.parse(attempt(() => native.governOffline('approver_key', '{}')));
  return { public: made.public, secret: new Uint8Array(Buffer.from(made.secret, 'base64')) };
}

/** Signs what `approvalRequest` gave, or what others signed already: a COSE_Sign message (RFC 9052) for `approve`. */
export function signApproval(payload: Uint8Array, secret: Uint8Array): Uint8Array {
  checkBytes('the payload', payload);
  checkBytes('the key', secret);
  const request = JSON.stringify({ payload: base64(payload), key: base64(secret) });
  const made = JSON.parse(attempt(() => native.governOffline('sign_approval', request)));
  return new Uint8Array(Buffer.from(made.approval, 'base64'));
}

/** A report of the stages, for people: the same text in every language. */
export function renderReport(report: StagesReport): string {
  const text = JSON.stringify(report);
  return attempt(() => native.renderReport(text));
}

/** The part of an engine that lets nothing become current unproven. */
export abstract class Governance extends Ledger {
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
    return JSON.parse(await operation<string>((settle) => native.govern(this.#handle.engine, verb, text, settle), native.cancel, signal));
  }

  /**
   * Files a change of one sector or of several at once, runs it through the stages, and makes it current once nothing speaks against it and
   * nothing is missing; not before `at`, and not by itself with `enact: false`. What a stage refuses comes back with the state `refused` and
   * its reports: that is no error.
   */
  async propose(
    changes: Record<string, Content>,
    options: Asked & { major?: boolean; confidence?: number; at?: Date | bigint; enact?: boolean } = {},
  ): Promise<Proposal> {
    checkOptions(options);
    const { at, signal, ...rest } = options;
    return this.govern('propose', { changes: changesOf(changes), at_ns: nanoseconds(at), ...rest }, signal);
  }

  /** Runs a change through the stages as `propose` would, and files nothing: a report for each sector. */
  async check(changes: Record<string, Content>, options: Asked & { major?: boolean } = {}): Promise<StagesReport[]> {
    checkOptions(options);
    const { signal, ...rest } = options;
    const { reports } = await this.govern<{ reports: StagesReport[] }>('check', { changes: changesOf(changes), ...rest }, signal);
    return reports;
  }

  /** Proposals, the newest first; at most 100 unless `limit` says so. `open`: only those that something can still come of. */
  async proposals(filter: { sector?: string; open?: boolean; before?: string; limit?: number } = {}): Promise<Proposal[]> {
    return (await this.govern<{ proposals: Proposal[] }>('proposals', { ...filter })).proposals;
  }

  /** The proposal of that id. */
  async proposal(id: string): Promise<Proposal> {
    return this.govern('proposal', { id });
  }

  /** Runs a proposal again and makes it current; fails with `KNHK_NOT_ADMITTED` or `KNHK_WAITING`, and `stages` has the reports. */
  async enact(id: string, { by }: { by?: string } = {}): Promise<Proposal> {
    return this.govern('enact', { id, by });
  }

  /** Takes a proposal back. */
  async withdraw(id: string, { by, why }: Asked = {}): Promise<Proposal> {
    return this.govern('withdraw', { id, by, why });
  }

  /** What an approver signs with `signApproval`: to approve it, overriding soft-mandatory rules by name, or to take an approval back. */
  async approvalRequest(
    kind: 'proposal' | 'relaxation' | 'approvers' | 'guards',
    id: string,
    { overrides = [], takeBack = false, expires }: { overrides?: string[]; takeBack?: boolean; expires?: Date | bigint } = {},
  ): Promise<{ payload: Uint8Array; text: string }> {
    const request = { kind, id, overrides, withdraw: takeBack, expires_ns: nanoseconds(expires) };
    const { payload, text } = await this.govern<{ payload: string; text: string }>('approval_request', request);
    return { payload: new Uint8Array(Buffer.from(payload, 'base64')), text };
  }

  /** Takes an approval: verifies it, records it, and carries on with what waited for it. */
  async approve(approval: Uint8Array): Promise<Approved> {
    checkBytes('the approval', approval);
    return this.govern('approve', { approval: base64(approval) });
  }

  /** Asks for a guard to give way until a moment. It does once enough approvers signed it and its review time is over. */
  async relax(guard: string, options: Asked & { until: Date | bigint; sector?: string; proposal?: string }): Promise<Relaxation> {
    checkOptions(options);
    const { until, by = '', why = '', sector, proposal } = options;
    return this.govern('relax', { guard, until_ns: nanoseconds(until), by, why, sector, proposal });
  }

  /** Ends a relaxation. */
  async revoke(id: string, { by, why }: Asked = {}): Promise<Relaxation> {
    return this.govern('revoke', { id, by, why });
  }

  /** Relaxations; `open`: only those that are not over. */
  async relaxations({ open }: { open?: boolean } = {}): Promise<Relaxation[]> {
    return (await this.govern<{ relaxations: Relaxation[] }>('relaxations', { open })).relaxations;
  }

  /** Who may approve; null before the first set. */
  async approvers(): Promise<Json | null> {
    return (await this.govern<{ approvers: Json | null }>('approvers')).approvers;
  }

  /** Asks for another set of approvers, as TOML, which the old set and the new one sign. */
  async changeApprovers(toml: string, { by, why }: Asked = {}): Promise<GovernanceChange> {
    return this.govern('change_approvers', { toml, by, why });
  }

  /** The guards in force. */
  async guards({ sector }: { sector?: string } = {}): Promise<Json> {
    return (await this.govern<{ guards: Json }>('guards', { sector })).guards;
  }

  /** Asks for other guards, as TOML, in place of all there are. */
  async changeGuards(toml: string, { by, why }: Asked = {}): Promise<GovernanceChange> {
    return this.govern('change_guards', { toml, by, why });
  }

  /** Changes of approvers and guards that are on their way. */
  async governanceChanges(): Promise<GovernanceChange[]> {
    return (await this.govern<{ changes: GovernanceChange[] }>('changes')).changes;
  }

  /** Adds rules, as TOML, or replaces those of the same ids; their revisions. */
  async addRules(toml: string, { by, why }: Asked = {}): Promise<Json[]> {
    return (await this.govern<{ rules: Json[] }>('add_rule', { toml, by, why })).rules;
  }

  /** Removes a rule; its history stays. */
  async removeRule(id: string, { by, why }: Asked = {}): Promise<Json> {
    return (await this.govern<{ rule: Json }>('remove_rule', { id, by, why })).rule;
  }

  /** The rules in force at the moment `valid`, as they were known at the moment `decided`; now, unless said otherwise. */
  async rules({ sector, valid, decided }: { sector?: string; valid?: Date | bigint; decided?: Date | bigint } = {}): Promise<Json[]> {
    const request = { sector, valid_ns: nanoseconds(valid), decided_ns: nanoseconds(decided) };
    return (await this.govern<{ rules: Json[] }>('rules', request)).rules;
  }

  /** Every revision of the rules. */
  async doctrineLog(id?: string): Promise<Json[]> {
    return (await this.govern<{ revisions: Json[] }>('doctrine_log', { id })).revisions;
  }

  /** Brings back the rules as they were known at a moment, as new revisions. */
  async rollbackDoctrine(to: Date | bigint, { by, why }: Asked = {}): Promise<Json[]> {
    return (await this.govern<{ revisions: Json[] }>('rollback_doctrine', { to_ns: nanoseconds(to), by, why })).revisions;
  }

  /** The rules that changes broke: who, when, which rule. */
  async violations({ sector }: { sector?: string } = {}): Promise<Json[]> {
    return (await this.govern<{ violations: Json[] }>('violations', { sector })).violations;
  }

  /** Opens a shadow with changes in it. */
  async shadow(changes: Record<string, Content>, { by }: { by?: string } = {}): Promise<Json> {
    return this.govern('shadow', { changes: changesOf(changes), by });
  }

  /** Tests a shadow: assertions with a name and a severity each; a report for each sector. */
  async testShadow(id: string, tests: Json[], { sector }: { sector?: string } = {}): Promise<Json[]> {
    return (await this.govern<{ results: Json[] }>('shadow_test', { id, sector, tests })).results;
  }

  /** The shadows that are open. */
  async shadows(): Promise<Json[]> {
    return (await this.govern<{ shadows: Json[] }>('shadows')).shadows;
  }

  /** Drops a shadow. */
  async dropShadow(id: string): Promise<void> {
    await this.govern('drop_shadow', { id });
  }

  /** Has a share of the decisions, chosen by their subject, read a proposal's candidate. */
  async canary(proposal: string, { share, by, why }: { share: number; by?: string; why?: string }): Promise<Json> {
    return this.govern('canary', { proposal, share, by, why });
  }

  /** Ends a canary: its candidate becomes current, or is gone. */
  async stopCanary(id: string, { adopt, by, why }: Asked & { adopt: boolean }): Promise<Json> {
    return this.govern('stop_canary', { id, adopt, by, why });
  }

  /** The canaries, with the counts of both arms. */
  async canaries(): Promise<Json[]> {
    return (await this.govern<{ canaries: Json[] }>('canaries')).canaries;
  }

  /**
   * Has a proposal become current at a moment (`2026-11-28T02:00:00Z`), or in the next window of the week (`Sat 02:00-04:00`) in a zone of the
   * IANA database; also after a restart.
   */
  async schedule(
    proposal: string,
    { moment, window, timeZone, by, why }: { moment?: string | Date; window?: string; timeZone?: string; by?: string; why?: string },
  ): Promise<Json> {
    const at = { moment: moment instanceof Date ? moment.toISOString() : moment, window, time_zone: timeZone };
    return this.govern('schedule', { proposal, at, by, why });
  }

  /** Takes a schedule back. */
  async unschedule(id: string, { by, why }: Asked = {}): Promise<Json> {
    return this.govern('unschedule', { id, by, why });
  }

  /** What is scheduled. */
  async schedules(): Promise<Json[]> {
    return (await this.govern<{ schedules: Json[] }>('schedules')).schedules;
  }

  /** Promotions whose objectives are watched. */
  async probations(): Promise<Json[]> {
    return (await this.govern<{ probations: Json[] }>('probations')).probations;
  }

  /** Promotes several direct sectors with one swap: no reader sees a mix, and all of it happens or nothing. */
  async promoteTogether(changes: Record<string, Content>, options: Asked & { major?: boolean } = {}): Promise<Json> {
    const { signal, ...rest } = options;
    return this.govern('promote_together', { changes: changesOf(changes), ...rest }, signal);
  }

  /** Rolls several sectors back with one swap. */
  async rollbackTogether(versions: Record<string, string | number>, { by, why }: Asked = {}): Promise<Json> {
    const sectors = Object.entries(versions).map(([sector, version]) => ({ sector, version: `${version}` }));
    return this.govern('rollback_together', { sectors, by, why });
  }

  /** Merges another version of a sector into the current one, over their common base; conflicts are listed by statement. */
  async merge(
    sector: string,
    theirs: string | number,
    options: Asked & { ours?: string; propose?: boolean } = {},
  ): Promise<Json> {
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
  ): Promise<Json> {
    const ends = { sector, good: `${good}`, bad: `${bad}` };
    if (typeof badIf === 'string') return (await this.govern<{ culprit: Json }>('bisect', { ...ends, where: badIf })).culprit;
    type Search = { state: unknown; next: { version: number } | null; culprit: Json };
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
  async blame(sector: string, options: { path?: string; statement?: string; version?: string } = {}): Promise<Json[]> {
    return (await this.govern<{ entries: Json[] }>('blame', { sector, ...options })).entries;
  }

  /** Typed keys of a sector and their documentation, as source text. */
  async codegen(sector: string, language: 'c' | 'cpp' | 'rust' | 'python' | 'typescript', { version }: { version?: string } = {}): Promise<string> {
    return (await this.govern<{ text: string }>('codegen', { sector, language, version })).text;
  }
}

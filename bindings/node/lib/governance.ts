// Governance: changes that become current only once seven stages have nothing against them.
//
// Requests and answers are the JSON of docs/governing.md, the same in every language: fields keep their names, and times in nanoseconds are
// numbers there, exact to about 0.3 µs.

import { attempt, checkOptions } from './errors.js';
import { Functions } from './functions.js';
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
import { native } from './native.js';
import { base64, changesOf, checkBytes, nanoseconds } from './requests.js';
import type { Stages } from './rollout.js';
import type { Guard, Guards, RuleRevision, Violation } from './tried.js';

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
export abstract class Governance extends Functions {
  /**
   * Files a change of one sector or of several at once, runs it through the stages, and makes it current once nothing speaks against it and
   * nothing is missing; not before `at`, and not by itself with `enact: false`. What a stage refuses comes back with the state `refused` and
   * its reports: that is no error. Stages that did not begin when `signal` was aborted refuse.
   */
  async propose(
    changes: Record<string, Content>,
    options: Asked & Stages & { major?: boolean; confidence?: number; at?: Date | bigint; enact?: boolean } = {},
  ): Promise<Proposal> {
    checkOptions(options);
    const { at, signal, progress, ...rest } = options;
    return this.governStages('propose', { changes: changesOf(changes), at_ns: nanoseconds(at), ...rest }, signal, progress);
  }

  /** Runs a change through the stages as `propose` would, and files nothing: a report for each sector. */
  async check(changes: Record<string, Content>, options: Asked & Stages & { major?: boolean } = {}): Promise<StagesReport[]> {
    checkOptions(options);
    const { signal, progress, ...rest } = options;
    const request = { changes: changesOf(changes), ...rest };
    const { reports } = await this.governStages<{ reports: StagesReport[] }>('check', request, signal, progress);
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
  async guards({ sector }: { sector?: string } = {}): Promise<Guards> {
    return (await this.govern<{ guards: Guards }>('guards', { sector })).guards;
  }

  /** Asks for other guards, as TOML, in place of all there are. */
  async changeGuards(toml: string, { by, why }: Asked = {}): Promise<GovernanceChange> {
    return this.govern('change_guards', { toml, by, why });
  }

  /** `changeGuards` by one guard, which takes the place of one with its id. */
  async addGuard(guard: Guard, { by, why }: Asked = {}): Promise<GovernanceChange> {
    return this.govern('add_guard', { guard, by, why });
  }

  /** `changeGuards` by one guard less. */
  async removeGuard(id: string, { by, why }: Asked = {}): Promise<GovernanceChange> {
    return this.govern('remove_guard', { id, by, why });
  }

  /** Changes of approvers and guards that are on their way. */
  async governanceChanges(): Promise<GovernanceChange[]> {
    return (await this.govern<{ changes: GovernanceChange[] }>('changes')).changes;
  }

  /** Adds rules, as TOML, or replaces those of the same ids; their revisions. */
  async addRules(toml: string, { by, why }: Asked = {}): Promise<RuleRevision[]> {
    return (await this.govern<{ rules: RuleRevision[] }>('add_rule', { toml, by, why })).rules;
  }

  /** Removes a rule; its history stays. */
  async removeRule(id: string, { by, why }: Asked = {}): Promise<RuleRevision> {
    return (await this.govern<{ rule: RuleRevision }>('remove_rule', { id, by, why })).rule;
  }

  /** The rules in force at the moment `valid`, as they were known at the moment `decided`; now, unless said otherwise. */
  async rules({ sector, valid, decided }: { sector?: string; valid?: Date | bigint; decided?: Date | bigint } = {}): Promise<RuleRevision[]> {
    const request = { sector, valid_ns: nanoseconds(valid), decided_ns: nanoseconds(decided) };
    return (await this.govern<{ rules: RuleRevision[] }>('rules', request)).rules;
  }

  /** Every revision of the rules. */
  async doctrineLog(id?: string): Promise<RuleRevision[]> {
    return (await this.govern<{ revisions: RuleRevision[] }>('doctrine_log', { id })).revisions;
  }

  /** Brings back the rules as they were known at a moment, as new revisions. */
  async rollbackDoctrine(to: Date | bigint, { by, why }: Asked = {}): Promise<RuleRevision[]> {
    return (await this.govern<{ revisions: RuleRevision[] }>('rollback_doctrine', { to_ns: nanoseconds(to), by, why })).revisions;
  }

  /** Removes the rules whose validity is over; the revisions by which they went. */
  async cleanUpDoctrine(): Promise<RuleRevision[]> {
    return (await this.govern<{ revisions: RuleRevision[] }>('clean_up_doctrine')).revisions;
  }

  /** The rules that changes broke: who, when, which rule. */
  async violations({ sector }: { sector?: string } = {}): Promise<Violation[]> {
    return (await this.govern<{ violations: Violation[] }>('violations', { sector })).violations;
  }
}

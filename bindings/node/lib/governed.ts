// What governance asks and answers: changes, proposals, reports, approvals. The JSON of docs/governing.md, field by field.

import type { Abortable, Document } from './records.js';

/** How a stage, or all of them, ended; `not_judged` is of a stage alone, which had nothing to judge because of what another one refuses. */
export type Verdict = 'passed' | 'waiting' | 'not_judged' | 'refused';

/** How grave something is: only a blocker refuses. */
export type Severity = 'info' | 'warning' | 'blocker';

/** One thing that a stage found. */
export interface Finding {
  severity: Severity;
  /** What it is about: `rule orders/four-eyes`, `guard max-notional`, `invariant Q3`, `parameter max_qty`. */
  item: string;
  what: string;
  /** What to do about it; may be empty. */
  fix: string;
}

/** What a change still lacks and can get. */
export interface Need {
  item: string;
  groups: string[];
  approvals: number;
  quorum: number;
  not_before_ns: number | null;
}

/** What one stage says. */
export interface StageReport {
  stage: 'schema' | 'invariants' | 'doctrine' | 'guards' | 'performance' | 'rollback' | 'compatibility';
  verdict: Verdict;
  findings: Finding[];
  needs: Need[];
  evidence: unknown;
  duration_ns: number;
}

/** What the stages say of a change of one sector; `renderReport` makes a text of it. */
export interface StagesReport {
  proposal: string;
  sector: string;
  verdict: Verdict;
  stages: StageReport[];
  duration_ns: number;
}

/** An approval that counts. */
export interface ApprovalGiven {
  by: string;
  groups: string[];
  time_ns: number;
}

/** A change on its way. */
export interface Proposal {
  id: string;
  state: 'filed' | 'waiting' | 'passed' | 'enacted' | 'refused' | 'withdrawn';
  /** That in a sentence: what it waits for, who refused it. */
  said: string;
  changes: {
    sector: string;
    content: unknown;
    base_version: number;
    snapshot_id: string;
    digest: string;
    differences: { path: string; old: string | null; new: string | null; summary: string }[];
  }[];
  by: string;
  why: string;
  major: boolean;
  confidence: number | null;
  time_ns: number;
  run_ns: number | null;
  at_ns: number | null;
  enact: boolean;
  digest: string;
  reports: StagesReport[];
  approvals: ApprovalGiven[];
  versions: { sector: string; version: { version: number; snapshot_id: string; [field: string]: unknown } }[];
  receipts: string[];
  closed: { by: string; why: string; time_ns: number } | null;
}

/** A guard that gives way for a while, or is asked to. */
export interface Relaxation {
  id: string;
  state: 'requested' | 'approved' | 'in_force' | 'expired' | 'revoked';
  guard: string;
  sector: string | null;
  proposal: string | null;
  by: string;
  why: string;
  requested_ns: number;
  until_ns: number;
  approvals: ApprovalGiven[];
  need: Need;
}

/** A change of the approvers or of the guards, which approvers sign. */
export interface GovernanceChange {
  id: string;
  by: string;
  why: string;
  next: Record<string, unknown>;
  in_force: boolean;
  needs: Need[];
}

/** What became of what was approved: one of the three. */
export interface Approved {
  proposal?: Proposal;
  relaxation?: Relaxation;
  change?: GovernanceChange;
}

/** All of a sector from now on: a document, or a text in an RDF format. */
export interface Whole {
  document: Document | string;
  format?: 'json' | 'turtle' | 'ntriples' | 'nquads' | 'jsonld' | 'rdfxml';
}

/** Statements that go, and statements that come. */
export interface Statements {
  statements: { add?: string; remove?: string; format?: 'turtle' | 'ntriples' | 'nquads' | 'jsonld' | 'rdfxml' };
}

/** Single values, by path; the rest stays. */
export interface Values {
  values: Record<string, unknown>;
}

/** What becomes of a sector. */
export type Content = Values | Whole | Statements;

/** Who asks, and why. */
export interface Asked extends Abortable {
  by?: string;
  why?: string;
}

/** A JSON object. */
export type Json = Record<string, unknown>;

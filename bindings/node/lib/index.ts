/**
 * Governed values - limits, rules, routes, facts - that a program reads in nanoseconds while they are changed beside it.
 *
 * @packageDocumentation
 */

export { attach, Engine, type EngineEvents, libraryVersion, open, openSync, verifyProof } from './engine.js';
export { KnhkError, KnhkError as Error } from './errors.js';
export { approverKey, renderReport, signApproval } from './governance.js';
export type {
  Approved,
  ApprovalGiven,
  Content,
  Finding,
  GovernanceChange,
  Need,
  Proposal,
  Relaxation,
  Severity,
  StageReport,
  StagesReport,
  Statements,
  Values,
  Verdict,
  Whole,
} from './governed.js';
export type { Judge, Work } from './functions.js';
export { Key } from './key.js';
export { restore, type RestoreOptions, type Telling } from './ledger.js';
export type { Loop } from './loop.js';
export type * from './looped.js';
export type * from './proof.js';
export type * from './records.js';
export { Sector } from './sector.js';
export type { Stages } from './rollout.js';
export { type Sign, Signer } from './signer.js';
export type * from './tried.js';
export { View } from './view.js';

/**
 * Circuit breakers, limits, retries, hedges, shedding, degradation, recovery and health, around promises.
 *
 *     import { Breaker, Pipeline, Retry } from 'knhk/resilience';
 *
 *     const breaker = new Breaker('payments', { consecutiveFailures: 5, recovery: 30_000 });
 *     const callee = new Pipeline('payments', [breaker, new Retry('payments')], { timeout: 250 });
 *     const answer = await callee.call(({ signal }) => fetch(url, { signal }), { signal: request.signal });
 *
 * A policy that refuses throws a `RefusedError`, which says why and, where that is known, when another try has a chance. Times are in
 * milliseconds. Every parameter can be changed while calls go on (`retune`), also by a sector of an engine (`addTo`).
 *
 * @packageDocumentation
 */

export {
  AdmittingPolicy,
  type CallOptions,
  type Context,
  type EnterOptions,
  type Outcome,
  Permit,
  type Priority,
  type RefusalReason,
  RefusedError,
} from './resilience/admitting.js';
export {
  Checkpoints,
  type CheckpointsOptions,
  type KeptCheckpoint,
  type RestoredCheckpoint,
  type Stateful,
  type TakenCheckpoint,
} from './resilience/checkpoints.js';
export { Degradation, type Level, Recovery, type RecoveryReport, type Strategy } from './resilience/degrade.js';
export { type Component, type ComponentReport, Health, type HealthReport } from './resilience/health.js';
export {
  AdaptiveLimit,
  Breaker,
  type BreakerOptions,
  Bulkhead,
  Chaos,
  Shedder,
  SlidingWindow,
  TokenBucket,
} from './resilience/limits.js';
export { type Parameter, policies, Policy, type PolicyInfo, removePolicy } from './resilience/policy.js';
export { Budget, Hedge, Pipeline, Retry, retryAfter, type RetryOptions } from './resilience/retry.js';
export { Scope, type Transition } from './resilience/scope.js';

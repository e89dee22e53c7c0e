/**
 * The warm path: an executor with priorities, deadlines and budgets, channels with backpressure, and a graph of components.
 *
 *     import { Channel, Executor, Graph } from 'knhk/warm';
 *
 * Times are in milliseconds.
 *
 * @packageDocumentation
 */

export { Channel, type Delivery, type Flow, type WaitOptions } from './warm/channel.js';
export {
  type Ended,
  Executor,
  type ExecutorInfo,
  type ExecutorOptions,
  executors,
  type ExecutorStats,
  type Given,
  type Notice,
  type Run,
  type SubmitOptions,
  Task,
  type TaskOptions,
  type TaskStats,
} from './warm/executor.js';
export { type Component, type ComponentHealth, type Fared, Graph, type GraphReport, StartFailedError } from './warm/graph.js';

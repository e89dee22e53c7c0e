// Reads until the acknowledged number is -1, and reports the first read that is older than it should be, or torn.
import { parentPort, workerData } from 'node:worker_threads';

import { attach } from '../../index.mjs';

const { token, acknowledged } = workerData;
const engine = attach(token);
const orders = engine.sector('orders');
const a = orders.key('a', 'i64');
const b = orders.key('b', 'i64');
const text = orders.key('text', 'string');
let reads = 0;
let failure;
const generations = new Set();

parentPort.postMessage('ready');
for (;;) {
  const floor = Atomics.load(acknowledged, 0);
  if (floor < 0) break;
  const value = a.value;
  const other = b.value;
  if (value < floor) failure ??= `read ${value} after ${floor} was acknowledged`;
  // Not of one generation, but b was read after a.
  if (other < value) failure ??= `read b = ${other} after a = ${value}`;
  if (reads % 16 === 0) {
    const view = engine.view();
    const together = [view.get(a), view.get(b), view.get(text)];
    if (together[0] !== together[1] || together[2] !== `value ${together[0]}`) failure ??= `a view of ${together}`;
    if (a.value < together[0]) failure ??= `read ${a.value} after a view of ${together[0]}`;
    generations.add(view.epoch);
    view.end();
  }
  reads++;
}
engine.close();
parentPort.postMessage({ reads, generations: generations.size, failure });

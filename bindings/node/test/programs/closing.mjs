// Waits for the engine to be closed elsewhere.
import { once } from 'node:events';
import { parentPort, workerData } from 'node:worker_threads';

import { attach } from '../../index.mjs';

const engine = attach(workerData.token);
const n = engine.sector('orders').key('n', 'i64');
const loop = (async () => {
  for await (const change of engine.changes()) throw new Error(`unexpected: ${change.summary}`);
  return 'ended';
})();
const closed = once(engine, 'close');
n.value;
parentPort.postMessage('ready');
await closed;
let read;
try {
  n.value;
} catch (error) {
  read = error.code;
}
parentPort.postMessage({ closed: !engine.isOpen, read, fallback: n.get(7), loop: await loop });

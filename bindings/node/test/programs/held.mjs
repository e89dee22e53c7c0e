// Holds views and has promotions under way when it is terminated.
import { parentPort, workerData } from 'node:worker_threads';

import { attach } from '../../index.mjs';

const engine = attach(workerData.token);
const orders = engine.sector('orders');
const n = orders.key('n', 'i64');
globalThis.views = [engine.view(), engine.view()];
engine.on('change', () => {});
for (let i = 0; i < 200; i++) orders.promote({ n: i });
parentPort.postMessage(n.value);
for (;;) n.value;

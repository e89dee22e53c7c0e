// Does in a worker what the main thread can do.
import { parentPort, workerData } from 'node:worker_threads';

import { attach, openSync } from '../../index.mjs';
import { folderOf } from './own-folder.mjs';

const engine = attach(workerData.token);
const orders = engine.sector('orders');
const n = orders.key('n', 'i64');
const before = n.value;
const changes = engine.changes();
await orders.promote({ n: 2 }, { by: 'worker' });
const { value } = await changes.next();
engine.observe(n, 3);

const folder = folderOf();
const own = openSync(folder.path);
let foreign;
try {
  openSync(folder.path);
} catch (error) {
  foreign = error.code;
}
own.close();
folder.remove();
parentPort.postMessage({ before, after: n.value, heard: value.summary, foreign });

// Loads the addon in workers only, one after the other: Node unloads it with each, while the engine's threads may still run.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

const code = `
  const { parentPort } = require('node:worker_threads');
  const knhk = require(${JSON.stringify(new URL('../../dist/index.js', import.meta.url).pathname)});
  for (const path of Object.keys(require.cache)) delete require.cache[path];
  const again = require(${JSON.stringify(new URL('../../dist/index.js', import.meta.url).pathname)});
  const values = [knhk, again].map(({ openSync }, i) => {
    const orders = openSync(':memory:').createSectorSync('orders');
    orders.promoteSync({ n: i + 1 });
    return orders.key('n', 'i64').value;
  });
  const held = again.openSync(':memory:');
  held.on('change', () => {});
  parentPort.postMessage(values.join(' '));
`;
for (let i = 0; i < 4; i++) {
  const worker = new Worker(code, { eval: true });
  console.log((await once(worker, 'message'))[0]);
  if (i % 2) await worker.terminate();
  else await once(worker, 'exit');
}

// The loop of the README: it goes on until the engine is closed.
import { openSync } from '../../index.mjs';

const engine = openSync(':memory:');
const orders = engine.createSectorSync('orders');
orders.promoteSync({ n: 1 });
setImmediate(async () => {
  await orders.promote({ n: 2 });
  await orders.promote({ n: 3 });
});
for await (const change of engine.changes()) {
  console.log(change.summary);
  if (change.version === 3) break;
}

// A listener that throws; with the argument `unhandled` nobody catches it.
import { openSync } from '../../index.mjs';

const engine = openSync(':memory:');
const orders = engine.createSectorSync('orders');
orders.promoteSync({ n: 1 });
if (!process.argv.includes('unhandled')) process.on('uncaughtException', (error) => console.log('caught', error.message));
engine.on('change', ({ version }) => {
  throw new Error(`thrown by ${version}`);
});
const changes = engine.changes();
await orders.promote({ n: 2 });
await orders.promote({ n: 3 });
await changes.next();
await changes.next();
setImmediate(() => console.log('done'));

// Programs that end with an engine open, in several ways: `open-engine.mjs <mode> <folder>`.
import { open } from '../../index.mjs';

const [mode, folder] = process.argv.slice(2);
const engine = await open(folder);
const orders = await engine.createSector('orders');
await orders.promote({ n: 1 });

switch (mode) {
  case 'bare':
    break;
  case 'held':
    engine.on('change', () => {});
    engine.on('log', () => {});
    engine.view();
    engine.changes({ persistent: false }).next();
    break;
  case 'exit-in-callback':
    engine.on('change', () => {
      console.log(mode);
      process.exit(0);
    });
    await orders.promote({ n: 2 });
    await engine.changes().next();
    break;
  case 'exit-in-flight':
    for (let i = 0; i < 100; i++) orders.promote({ n: i });
    console.log(mode);
    process.exit(0);
    break;
  case 'last-words': {
    const promises = Array.from({ length: 20 }, (_, i) => orders.promote({ n: i + 2 }));
    Promise.all(promises).then(() => console.log(mode));
    break;
  }
  case 'forgotten':
    (() => {
      engine.view();
      orders.key('n', 'i64');
    })();
    globalThis.gc?.();
    break;
}
if (mode === 'bare' || mode === 'held' || mode === 'forgotten') console.log(mode);

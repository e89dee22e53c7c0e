// Forgets an engine and collects garbage until the engine is closed: its folder can then be opened again.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { openSync } from '../../index.mjs';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc');
const folder = mkdtempSync(join(tmpdir(), 'knhk-node-'));
(() => {
  const engine = openSync(folder);
  engine.createSectorSync('orders').promoteSync({ n: 1 });
})();
for (;;) {
  gc();
  await new Promise((resolve) => setImmediate(resolve));
  try {
    openSync(folder).close();
    break;
  } catch (error) {
    if (error.code !== 'KNHK_BUSY') throw error;
  }
}
rmSync(folder, { recursive: true });
console.log('collected');

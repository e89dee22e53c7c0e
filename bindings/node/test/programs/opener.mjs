// Opens an engine for others.
import { parentPort } from 'node:worker_threads';

import { openSync } from '../../index.mjs';

const engine = openSync(':memory:');
engine.createSectorSync('orders').promoteSync({ n: 1 });
parentPort.postMessage(engine.share());
setInterval(() => engine.isOpen, 2 ** 30);

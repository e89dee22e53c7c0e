// A worker that answers what comes through a channel, once it is told to go on.
import { once } from 'node:events';
import { parentPort, workerData } from 'node:worker_threads';

import { Channel } from '../../warm.mjs';

const end = Channel.attach(workerData);
await once(parentPort, 'message');
for await (const message of end) await end.send(message + message);
end.finish();
parentPort.postMessage('the end');

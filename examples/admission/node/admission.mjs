// Admission, in Node: see examples/admission/README.md for what it shows.
//
// Worker threads answer orders; clients, operator, auditor and the subscription to changes run on the main thread.

import { once } from 'node:events';
import net from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';

import { KnhkError, open } from 'knhk';

import { PLAN, TENANTS, VENUES, VERDICTS, decideAgain, documentOf } from './limits.mjs';
import { report } from './report.mjs';

const WORKERS = 2;
const CONNECTIONS = 4;
const BATCH = 32;

const { values: options } = parseArgs({ options: { seconds: { type: 'string', default: '8' }, json: { type: 'boolean', default: false } } });
const seconds = Number(options.seconds);
if (!(seconds >= 0.1 && seconds <= 3600)) throw new RangeError('--seconds takes a number from 0.1 to 3600');

const engine = await open(':memory:', { ringRecords: 1 << 15 });
const orders = await engine.createSector('orders');
const acknowledged = new SharedArrayBuffer(8); // the newest generation whose promotion has returned
const eras = []; // the times between the operator's changes
const refusals = [];
const sent = { orders: 0, answered: 0, verdicts: VERDICTS.map(() => 0), backwards: 0, lost: 0 };
const audited = { drained: 0, contradicted: 0 };
let [begun, unexpected, announced, promoting] = [performance.now(), 0, 0, false];

function event(text) {
  if (!options.json) console.log(`  ${((performance.now() - begun) / 1000).toFixed(1).padStart(4)} s  ${text}`);
}

async function take({ by, why, limits, backTo, breaksRange }) {
  const called = process.hrtime.bigint();
  promoting = true; // whoever meets a generation that is not in eras yet looks again later
  try {
    const version = backTo
      ? await orders.rollback(backTo, { by, why })
      : await orders.promote(documentOf(limits), { by, why });
    const tookUs = Number(process.hrtime.bigint() - called) / 1e3;
    const back = eras.find((era) => era.version.version === backTo);
    eras.push({ version, limits: limits ?? back.limits, tookUs, decisions: 0 });
    // From here on, every decision that begins must be on these limits or newer ones.
    Atomics.store(new BigInt64Array(acknowledged), 0, BigInt(version.epoch));
    unexpected += breaksRange ? 1 : 0;
  } catch (error) {
    if (!(error instanceof KnhkError)) throw error;
    refusals.push(error.message);
    unexpected += breaksRange ? 0 : 1;
    event(`✗ refused: ${error.message}`);
  }
  promoting = false;
}

async function operate() {
  for (const [number, step] of PLAN.slice(1).entries()) {
    await delay(Math.max(0, begun + (seconds * 1000 * (number + 1)) / PLAN.length - performance.now()));
    await take(step);
  }
}

async function announce() {
  for await (const change of engine.changes()) {
    announced += 1;
    event(`● ${change.summary}`);
    if (announced === PLAN.length - 2) return; // neither the first, which was before, nor the refused one
  }
}

/** Keeps a connection busy with batches of orders, and checks every answer. */
async function client(port) {
  const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
  const answers = createInterface({ input: socket })[Symbol.asyncIterator]();
  const pick = (list) => list[Math.floor(Math.random() * list.length)];
  for (let [next, newest] = [0, 0]; performance.now() < begun + seconds * 1000; ) {
    let text = '';
    for (let n = 0; n < BATCH; n++) {
      const [qty, price] = [1 + Math.floor(Math.random() * 1100), 9400 + Math.floor(Math.random() * 1200)];
      text += `${next + n} ${pick(TENANTS)} ${pick(VENUES)} ${qty} ${price}\n`;
    }
    socket.write(text);
    sent.orders += BATCH;
    for (const last = next + BATCH; next < last; next++) {
      const { value = '' } = await answers.next();
      const [id, verdict, generation] = value.split(' ');
      if (Number(id) !== next || !VERDICTS.includes(verdict)) {
        sent.lost += last - next;
        return socket.destroy();
      }
      sent.answered += 1;
      sent.verdicts[VERDICTS.indexOf(verdict)] += 1;
      sent.backwards += Number(generation) < newest ? 1 : 0;
      newest = Number(generation);
    }
  }
  socket.end();
  await once(socket, 'close');
}

/** Drains the rings, and decides every order again from the limits that were in force. */
function audit() {
  const seen = engine.drain(8192);
  for (const { epoch, value, detail } of seen) {
    const era = eras.findLast((era) => era.version.epoch <= epoch);
    const word = Number(detail);
    if (era && decideAgain(era.limits, Number(value), word) === word % 256) era.decisions += 1;
    else audited.contradicted += 1;
  }
  audited.drained += seen.length;
  return seen.length;
}

await take(PLAN[0]);
const workers = Array.from({ length: WORKERS }, () => {
  return new Worker(new URL('worker.mjs', import.meta.url), { workerData: { token: engine.share(), acknowledged } });
});
const ports = await Promise.all(workers.map(async (worker) => (await once(worker, 'message'))[0].port));
begun = performance.now();
const announcing = announce();
const operating = operate();
// Appending rings no bell, by design: a monitor looks now and then, as often as its rings are long.
const auditing = setInterval(() => promoting || audit(), 5);
await Promise.all(Array.from({ length: CONNECTIONS }, (_, n) => client(ports[n % WORKERS])));
await operating;
const elapsed = (performance.now() - begun) / 1000;
const tallies = await Promise.all(
  workers.map(async (worker) => {
    worker.postMessage('end');
    return (await once(worker, 'message'))[0];
  }),
);
clearInterval(auditing);
while (audit() > 0);
const stats = engine.stats();
await announcing;
engine.close();

const consistent = report({
  json: options.json,
  elapsed,
  workers: WORKERS,
  connections: CONNECTIONS,
  sent,
  tallies,
  eras,
  refusals,
  unexpected,
  announced,
  audited,
  stats,
});
process.exitCode = consistent ? 0 : 1;

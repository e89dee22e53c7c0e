// Calls a service that falls ill for a while: without policies, and with them. See ../README.md.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { open } from 'knhk';
import { Breaker, Bulkhead, Pipeline, Scope } from 'knhk/resilience';

const CALLS = 400;
const ILL = { from: 100, to: 300 };
const [HANG, APART] = [20, 1];

let seenIll = 0;
/** Answers a line with a line, unless it is ill: then it hangs, and says nothing. */
const service = createServer((connection) => {
  connection.on('error', () => {});
  connection.once('data', async (line) => {
    const number = Number(line);
    if (number >= ILL.from && number < ILL.to) {
      seenIll++;
      await sleep(HANG);
      connection.destroy();
    } else connection.end(`price ${number}\n`);
  });
}).listen(0, '127.0.0.1');
await once(service, 'listening');

async function ask(number) {
  const connection = connect(service.address().port, '127.0.0.1');
  connection.write(`${number}\n`);
  let answer = '';
  for await (const part of connection) answer += part;
  if (!answer) throw new Error('no answer');
  return answer.trim();
}

/** Makes the calls; gives how many were answered, how many the service saw while it was ill, and the seconds it took. */
async function run(call) {
  seenIll = 0;
  let answered = 0;
  const begun = performance.now();
  for (let number = 0; number < CALLS; number++) {
    await call(number).then(() => answered++, () => {});
    await sleep(APART);
  }
  return { answered, seenIll, seconds: (performance.now() - begun) / 1000 };
}

const engine = await open(':memory:');
const limits = await engine.createSector('limits');
const breaker = new Breaker('prices', { halfOpenPermits: 1, scope: new Scope(engine) });
breaker.addTo(engine, 'limits');
const prices = new Pipeline('prices', [breaker, new Bulkhead('prices', { limit: 8 })]);
let last;
const guarded = prices.wrap(async (number) => (last = await ask(number)), { fallback: () => last });

const without = await run(ask);
await limits.promote(
  { resilience: { prices: { recovery_ms: 50 } } },
  { by: 'operator', why: '30 s are too long for this demonstration' },
);
const within = await run(guarded);
await engine.close();
service.close();

console.log(`${''.padEnd(18)}${'answered'.padStart(10)}${'seen while ill'.padStart(16)}${'seconds'.padStart(9)}`);
for (const [name, { answered, seenIll, seconds }] of Object.entries({ 'without policies': without, 'with policies': within })) {
  console.log(`${name.padEnd(18)}${String(answered).padStart(6)}/${CALLS}${String(seenIll).padStart(16)}${seconds.toFixed(2).padStart(9)}`);
}
const ill = ILL.to - ILL.from;
process.exitCode = without.answered === CALLS - ill && within.answered === CALLS && within.seenIll < without.seenIll / 4 ? 0 : 1;

// Asks an upstream that falls ill, and has the closed loop find how much it can still be asked. See ../README.md.
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { createInterface } from 'node:readline';

import { open, Signer } from 'knhk';

const [SECONDS, ILL, CAPACITY] = [100, 40, 20];
const BEGIN_MS = 1_800_000_000_000;
const ontology = await readFile(new URL('../gateway.ttl', import.meta.url), 'utf8');

/** Answers each request of a batch; while it is ill, those beyond its capacity with "busy". */
const upstream = createServer((socket) => {
  createInterface({ input: socket }).on('line', (line) => {
    const [second, batch] = line.split(' ').map(Number);
    const well = second >= ILL ? Math.min(batch, CAPACITY) : batch;
    socket.write('ok\n'.repeat(well) + 'busy\n'.repeat(batch - well));
  });
});
upstream.listen(0, '127.0.0.1');
await once(upstream, 'listening');
const socket = connect(upstream.address());
const answers = createInterface({ input: socket })[Symbol.asyncIterator]();

// The clock is moved by hand, so that a minute and more takes no time; a service leaves `manualTimeMs` out and starts the loop with `every: 1000`.
const engine = await open(':memory:', { signer: Signer.generate(), observations: true, manualTimeMs: BEGIN_MS });
const gateway = await engine.createSector('gateway', { kind: 'governed' });
await engine.propose({ gateway: { document: ontology, format: 'turtle' } }, { by: 'ops', why: 'the first version' });
const batch = gateway.key('batch', 'i64');
engine.loop.addHook('learn', 'after', ({ cycle }) => console.log(`  cycle ${cycle.id}: ${cycle.said}`));
await engine.loop.start({ every: 0, cooldown: 2000 });
await engine.loop.step();
const served = [];
for (let second = 0; second < SECONDS; second++) {
  const asked = batch.value;
  socket.write(`${second} ${asked}\n`);
  let ok = 0;
  for (let request = 0; request < asked; request++) {
    const answered = (await answers.next()).value === 'ok';
    if (answered) ok++;
    const timeNs = BigInt(BEGIN_MS + second * 1000) * 1_000_000n + BigInt(request);
    engine.observe(batch, asked, { outcome: answered ? 'success' : 'error', timeNs });
  }
  served.push([asked, ok]);
  engine.advanceTime(1000);
  await engine.loop.step();
}
const cycles = await engine.loop.cycles();
const receipts = await Promise.all(cycles.flatMap((cycle) => cycle.receipts).map((id) => engine.receipt(id)));
engine.close();
socket.destroy();
upstream.close();

const share = served.map(([asked, ok]) => ok / asked);
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const told = {
  before: mean(share.slice(0, ILL)),
  'when it fell ill': share[ILL],
  'at the end': mean(share.slice(-20)),
  batch: served.filter(([asked], n) => n === 0 || asked !== served[n - 1][0]).map(([asked]) => asked),
  cycles: cycles.map(({ outcome }) => outcome).reverse(),
};
console.log(JSON.stringify(told));
const well = told.before === 1 && told['at the end'] === 1 && told['when it fell ill'] < 0.5 && served.at(-1)[0] <= CAPACITY;
process.exitCode = well && receipts.length > 0 && told.cycles.includes('kept') ? 0 : 1;

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';

import { attach } from '../index.mjs';
import { code, engineWith, message, worker } from './support.mjs';

test('workers read while the main thread promotes: never torn, never older than what was acknowledged', async (t) => {
  const { engine, orders } = engineWith(t, { a: 0, b: 0, text: 'value 0' }, { retainedRoots: 8 });
  const acknowledged = new Int32Array(new SharedArrayBuffer(4));
  const noise = engine.createSectorSync('noise');
  noise.promoteSync({ n: 0 });
  const workers = [1, 2].map(() => worker(t, 'reader.mjs', { token: engine.share(), acknowledged }));
  await Promise.all(workers.map(message));
  for (let n = 1; n <= 3000; n++) {
    if (n % 10 === 0) noise.promoteSync({ n });
    if (n % 20 === 0) noise.rollbackSync(noise.history().at(-2).version);
    orders.promoteSync({ a: n, b: n, text: `value ${n}` });
    Atomics.store(acknowledged, 0, n);
    // Lets the workers run on a machine with fewer processors than threads.
    if (n % 100 === 0) await new Promise(setImmediate);
  }
  const answers = workers.map(message);
  Atomics.store(acknowledged, 0, -1);
  for (const { reads, generations, failure } of await Promise.all(answers)) {
    assert.equal(failure, undefined);
    assert.ok(reads > 0 && generations > 1, `${reads} reads in ${generations} generations`);
  }
});

test('a worker promotes, observes and hears of changes', async (t) => {
  const { engine, orders } = engineWith(t, { n: 1 });
  const n = orders.key('n', 'i64');
  const heard = once(engine, 'change');
  const answer = await message(worker(t, 'tenant.mjs', { token: engine.share() }));
  assert.deepEqual(answer, { before: 1, after: 2, heard: 'orders 2: n 1 → 2 (by worker)', foreign: 'KNHK_BUSY' });
  assert.equal(n.value, 2);
  const [change] = await heard;
  assert.equal(change.by, 'worker');
  assert.deepEqual(engine.drain().map(({ key, value }) => [key, value]), [['n', 3n]]);
});

test('a worker that is terminated inside a view, and inside a promotion, leaves nothing behind', async (t) => {
  const { engine, orders } = engineWith(t, { n: 0 });
  const readers = engine.stats().readers;
  for (let round = 0; round < 5; round++) {
    const started = worker(t, 'held.mjs', { token: engine.share() });
    await message(started);
    assert.equal(engine.stats().readers, readers + 1);
    await started.terminate();
  }
  assert.equal(engine.stats().readers, readers);
  // The views that they held are gone: the generations can be freed.
  for (;;) {
    orders.promoteSync({ n: 1 });
    if (engine.stats().retainedRoots <= 2) break;
    await new Promise(setImmediate);
  }
  orders.promoteSync({ n: 5 });
  assert.equal(orders.key('n', 'i64').value, 5);
});

test('an engine that its opener closes is closed for all; one that a worker lets go is not', async (t) => {
  const { engine, orders } = engineWith(t, { n: 1 });
  const here = attach(engine.share());
  const there = here.sector('orders').key('n', 'i64');
  assert.equal(there.value, 1);
  here.close();
  assert.equal(here.isOpen, false);
  assert.throws(() => there.value, code('KNHK_CLOSED'), 'also while the kept value would still be current');
  assert.equal(orders.key('n', 'i64').value, 1);
  const started = worker(t, 'closing.mjs', { token: engine.share() });
  assert.equal(await message(started), 'ready');
  const answer = message(started);
  engine.close();
  assert.deepEqual(await answer, { closed: true, read: 'KNHK_CLOSED', fallback: 7, loop: 'ended' });
  assert.throws(() => attach(`knhk-engine:${process.pid}:1`), code('KNHK_CLOSED'));
});

test('an engine opened in a worker is closed with it', async (t) => {
  const opener = worker(t, 'opener.mjs', {});
  const token = await message(opener);
  const here = attach(token);
  t.after(() => here.close());
  const n = here.sector('orders').key('n', 'i64');
  assert.equal(n.value, 1);
  const closed = once(here, 'close');
  const alive = setInterval(() => {}, 2 ** 30);
  await opener.terminate();
  await closed;
  clearInterval(alive);
  assert.throws(() => n.value, code('KNHK_CLOSED'));
});

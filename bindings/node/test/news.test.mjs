import assert from 'node:assert/strict';
import { on, once } from 'node:events';
import { readSync } from 'node:fs';
import { test } from 'node:test';

import { Ended } from '../dist/loop.js';
import { engineWith, run } from './support.mjs';

test('a change tells who, what and why', async (t) => {
  const { engine, orders } = engineWith(t, { max_qty: 1200 });
  const heard = once(engine, 'change');
  const done = await orders.promote({ max_qty: 1000 }, { by: 'ops-2', why: 'desk asked' });
  const [change] = await heard;
  assert.equal(change.summary, 'orders 2: max_qty 1200 → 1000 (by ops-2: desk asked)');
  assert.equal(change.epoch, done.epoch);
  assert.equal(change.snapshotId, done.snapshotId);
  assert.deepEqual(change.changes, done.changes);
  assert.equal(change.missed, 0);
  assert.deepEqual(engine.changesSince(done.epoch - 1), [change]);
  assert.deepEqual(engine.changesSince(done.epoch), []);
});

test('a loop sees every change in order, and ends with the engine', async (t) => {
  const { engine, orders } = engineWith(t, { n: 0 });
  const loop = (async () => {
    const seen = [];
    for await (const change of engine.changes()) {
      seen.push(change.version);
      if (change.version === 101) engine.close();
    }
    return seen;
  })();
  for (let i = 1; i <= 100; i++) orders.promoteSync({ n: i });
  assert.deepEqual(await loop, Array.from({ length: 100 }, (_, i) => i + 2));
});

test('a loop that falls behind is told how much it missed', async (t) => {
  const { engine, orders } = engineWith(t, { n: 0 });
  const changes = engine.changes();
  let events = 0;
  engine.on('change', ({ missed }) => (events += 1 + missed));
  // Synchronous: nothing is delivered meanwhile, so more wait than are kept.
  for (let i = 1; i <= 3000; i++) orders.promoteSync({ n: i % 2 });
  let total = 0;
  let version = 1;
  while (version < 3001) {
    const { value } = await changes.next();
    assert.equal(value.version, version + 1 + value.missed, 'what is missed is what is counted');
    version = value.version;
    total += 1 + value.missed;
  }
  assert.equal(total, 3000);
  assert.equal(events, 3000);
  await changes.return();
});

test('listeners come and go, also inside a callback', async (t) => {
  const { engine, orders } = engineWith(t, { n: 0 });
  const calls = [];
  const first = () => {
    calls.push('first');
    engine.off('change', first);
    engine.on('change', () => calls.push('third'));
  };
  engine.on('change', first);
  engine.once('change', () => calls.push('second'));
  const loop = engine.changes();
  await orders.promote({ n: 1 });
  await orders.promote({ n: 2 });
  await loop.next();
  await loop.next();
  assert.deepEqual(calls, ['first', 'second', 'third']);
  engine.removeAllListeners('change');
  await loop.return();
  assert.deepEqual(await loop.next(), { done: true, value: undefined });
  await orders.promote({ n: 3 });
});

test('an engine hears again of listeners after all were removed', async (t) => {
  const { engine, orders } = engineWith(t, { n: 0 });
  engine.on('change', () => assert.fail('removed'));
  engine.removeAllListeners();
  const heard = once(engine, 'change');
  await orders.promote({ n: 1 });
  assert.equal((await heard)[0].version, 2);
});

test('the descriptor of changes is readable after each', (t) => {
  const { engine, orders } = engineWith(t, { n: 0 });
  const fd = engine.changeFd;
  const word = Buffer.alloc(8);
  assert.throws(() => readSync(fd, word), { code: 'EAGAIN' });
  const before = engine.version;
  orders.promoteSync({ n: 1 });
  orders.promoteSync({ n: 2 });
  assert.equal(readSync(fd, word), 8);
  assert.equal(word.readBigUInt64LE(), 2n);
  assert.equal(engine.version, before + 2);
  assert.throws(() => readSync(fd, word), { code: 'EAGAIN' });
});

test('closing inside a callback is fine, and is heard', async (t) => {
  const { engine, orders } = engineWith(t, { n: 0 });
  const order = [];
  engine.on('change', () => {
    order.push('change');
    engine.close();
  });
  const ended = once(engine, 'close');
  const loop = engine.changes();
  orders.promoteSync({ n: 1 });
  orders.promoteSync({ n: 2 });
  await ended;
  assert.deepEqual(order, ['change']);
  assert.equal((await loop.next()).value.version, 2);
});

test('log lines have a level, a part and a message', async (t) => {
  const { engine, orders } = engineWith(t, { n: 0 });
  const lines = on(engine, 'log');
  await orders.promote({ n: 1 }, { by: 'me' });
  // The line of the first promotion may come too: lines are delivered to whoever listens by then.
  for await (const [line] of lines) {
    if (!line.message.startsWith('orders 2')) continue;
    assert.deepEqual(line, { level: 'info', part: 'promotion', message: 'orders 2: n 0 → 1 (by me)', missed: 0 });
    break;
  }
  assert.equal(engine.listenerCount('log'), 0);
});

test('log lines that are given up are counted', async (t) => {
  const { engine, orders } = engineWith(t, { n: 0 });
  // The line of the first promotion is there.
  const [first] = await once(engine, 'log');
  assert.match(first.message, /^orders 1/);
  let heard = 0;
  const ended = new Promise((resolve) => {
    engine.on('log', ({ message, missed }) => {
      heard += 1 + missed;
      if (message.startsWith('orders 1001:')) resolve();
    });
  });
  // Synchronous: nothing is delivered meanwhile, so more wait than are kept.
  for (let i = 1; i <= 1000; i++) orders.promoteSync({ n: i });
  await ended;
  assert.equal(heard, 1000);
});

test('finished cycles that nobody takes are given up, and counted', async () => {
  const finished = new Ended(() => {}, undefined, false);
  for (let n = 0; n < 300; n++) finished.push({ id: `l-${n}` });
  assert.equal(finished.missed, 44);
  assert.equal((await finished.next()).value.id, 'l-44');
  finished.push({ id: 'l-300' });
  assert.equal(finished.missed, 44, 'there is room again');
  await finished.return();
});

test('what a listener throws is an uncaughtException, and the next change is delivered', async () => {
  const { code, out, err } = await run('throwing-listener.mjs');
  assert.equal(err, '');
  assert.deepEqual(out.trim().split('\n'), ['caught thrown by 2', 'caught thrown by 3', 'done']);
  assert.equal(code, 0);
});

test('an uncaught exception of a listener ends the process as any other', async () => {
  const { code, err } = await run('throwing-listener.mjs', 'unhandled');
  assert.equal(code, 1);
  assert.match(err, /thrown by 2/);
});

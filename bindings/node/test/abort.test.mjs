import assert from 'node:assert/strict';
import { test } from 'node:test';

import { open } from '../index.mjs';
import { code, engineWith } from './support.mjs';

test('aborted before it was asked for, nothing is done', async (t) => {
  const { engine, orders } = engineWith(t, { n: 1 });
  const reason = new Error('not needed');
  const signal = AbortSignal.abort(reason);
  const calls = [
    open(':memory:', { signal }),
    engine.createSector('x', { signal }),
    engine.compile({}, { signal }),
    orders.promote({ n: 2 }, { signal }),
    orders.rollback(1, { signal }),
    orders.declare({}, { signal }),
    orders.waitReady({ signal }),
  ];
  for (const call of calls) await assert.rejects(call, reason);
  assert.throws(() => engine.changes({ signal }), reason);
  assert.equal(orders.history().length, 1);
  assert.equal(engine.sectors().length, 1);
});

test('an operation that waits is called off; one that has begun tells how it ended', async (t) => {
  const { engine, orders } = engineWith(t, { n: 0 }, { history: 1000 });
  const large = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`key-${i}`, i]));
  let called = 0;
  let done = 0;
  // Whether an operation has begun when it is aborted is a race: both outcomes are right, and sooner or later both have been seen.
  while (called === 0 || done === 0) {
    const before = orders.history().length;
    const busy = called === 0 ? engine.compile(large) : undefined;
    const controller = new AbortController();
    const promise = orders.promote({ n: before }, { signal: controller.signal });
    if (called > 0) await engine.compile({});
    controller.abort();
    const [{ status, value, reason }] = await Promise.allSettled([promise]);
    await busy;
    if (status === 'rejected') {
      assert.equal(reason.name, 'AbortError');
      assert.equal(orders.history().length, before, 'nothing happened');
      called++;
    } else {
      assert.deepEqual([value.version, orders.history().length], [before + 1, before + 1]);
      done++;
    }
  }
});

test('a signal aborted after the end changes nothing, and is let go', async (t) => {
  const { orders } = engineWith(t, { n: 1 });
  const controller = new AbortController();
  await orders.promote({ n: 2 }, { signal: controller.signal });
  controller.abort();
  assert.equal(orders.key('n', 'i64').value, 2);
});

test('waiting for readiness ends with a promotion, the time, a signal or the engine', async (t) => {
  const { engine } = engineWith(t);
  const later = engine.createSectorSync('later');
  await assert.rejects(later.waitReady({ timeout: 1 }), code('KNHK_TIMEOUT', /later/));
  await assert.rejects(later.waitReady({ signal: AbortSignal.timeout(1) }), { name: 'TimeoutError' });
  const controller = new AbortController();
  const aborted = later.waitReady({ signal: controller.signal });
  controller.abort(new Error('enough'));
  await assert.rejects(aborted, /enough/);
  const waits = [later.waitReady(), later.waitReady({ timeout: 600_000 })];
  await later.promote({ n: 1 });
  await Promise.all(waits);
  await later.waitReady();
  assert.equal(later.ready, true);
  const never = engine.createSectorSync('never').waitReady();
  engine.close();
  await assert.rejects(never, code('KNHK_CLOSED'));
});

test('a loop over changes throws the reason of its signal', async (t) => {
  const { engine, orders } = engineWith(t, { n: 1 });
  const controller = new AbortController();
  const seen = [];
  const loop = (async () => {
    for await (const change of engine.changes({ signal: controller.signal })) {
      seen.push(change.version);
      if (change.version === 3) controller.abort(new Error('seen enough'));
    }
  })();
  await orders.promote({ n: 2 });
  await orders.promote({ n: 3 });
  await assert.rejects(loop, /seen enough/);
  assert.deepEqual(seen, [2, 3]);
  const waiting = engine.changes({ signal: AbortSignal.timeout(1) });
  await assert.rejects(waiting.next(), { name: 'TimeoutError' });
  assert.deepEqual(await waiting.next(), { done: true, value: undefined });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { engineWith } from './support.mjs';

test('no read leaves memory behind', (t) => {
  assert.ok(globalThis.gc, 'run with --expose-gc');
  const { engine, orders } = engineWith(t, { n: 1, s: 'text', l: [1, 2], m: { x: 'y' }, b: new Uint8Array(100), big: 2n ** 60n });
  const keys = [orders.key('n', 'i64'), orders.key('s', 'string'), orders.key('l', 'list<i64>'), orders.key('b', 'bytes')];
  const map = orders.key('m', 'map');
  const big = orders.key('big', 'i64');
  const work = (rounds) => {
    for (let i = 0; i < rounds; i++) {
      for (const key of keys) key.value;
      map.lookup('x');
      map.lookup(`none-${i}`);
      big.bigint;
      keys[0].allows(i);
      if (i % 10 === 0) {
        const view = engine.view();
        for (const key of keys) view.get(key);
        view.end();
        engine.observe(keys[0], i);
      }
      if (i % 1000 === 0) {
        orders.promoteSync({ n: i, s: `text ${i}`, l: [1, 2], m: { x: 'y' }, b: new Uint8Array(100), big: 2n ** 60n });
        engine.drain(1e6);
      }
    }
    gc();
    return process.memoryUsage();
  };
  work(20_000);
  const before = work(20_000);
  const after = work(200_000);
  // Ten times the work may not show in the figures; what one read left behind would.
  for (const name of ['heapUsed', 'external', 'arrayBuffers']) {
    assert.ok(after[name] - before[name] < 4 << 20, `${name} grew by ${after[name] - before[name]} bytes`);
  }
  assert.ok(after.rss - before.rss < 64 << 20, `the process grew by ${after.rss - before.rss} bytes`);
});

test('views that are forgotten are collected', async (t) => {
  const { engine, orders } = engineWith(t, { n: 0 }, { retainedRoots: 64 });
  for (let i = 1; i <= 40; i++) {
    engine.view();
    orders.promoteSync({ n: i });
  }
  while (engine.stats().retainedRoots > 2) {
    gc();
    await new Promise(setImmediate);
    orders.promoteSync({ n: 1 });
  }
  assert.equal(orders.key('n', 'i64').value, 1);
});

// Checkpoints of a program's components.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';

import { open } from '../index.mjs';
import { Checkpoints } from '../resilience.mjs';
import { code, folder } from './support.mjs';

function book() {
  return {
    orders: 'seven orders',
    held: 0,
    freeze() {
      this.held += 1;
    },
    thaw() {
      this.held -= 1;
    },
    async save() {
      assert.equal(this.held, 1);
      if (!this.orders) throw new Error('the book is closed');
      return new TextEncoder().encode(this.orders);
    },
    load(state) {
      this.orders = new TextDecoder().decode(state);
    },
  };
}

test('a checkpoint in an engine leaves its receipt', async (t) => {
  const place = join(folder(t), 'limits');
  let engine = await open(place);
  const kept = new Checkpoints('orders', { engine });
  assert.throws(() => new Checkpoints('orders', { engine }), code('KNHK_ALREADY_EXISTS'));
  await assert.rejects(kept.restore(), code('KNHK_NOT_FOUND'));
  const component = book();
  kept.add('book', component);
  assert.throws(() => kept.add('book', component), code('KNHK_ALREADY_EXISTS'));
  const taken = await kept.take();
  assert.deepEqual([taken.number, taken.full, taken.stateBytes, taken.digest.length], [1, true, 12, 64]);
  component.orders = 'eight orders';
  assert.equal((await kept.take()).full, false);
  component.orders = '';
  await assert.rejects(kept.take(), /the book is closed/);
  assert.equal(component.held, 0);
  const restored = await kept.restore();
  assert.deepEqual([restored.number, restored.skipped, restored.absent, component.orders], [2, [], [], 'eight orders']);
  assert.deepEqual((await kept.kept()).map(({ number, damage }) => [number, damage]), [[1, null], [2, null]]);
  await kept.close();
  await assert.rejects(kept.take(), code('KNHK_CLOSED'));
  engine.close();
  engine = await open(place);
  t.after(() => engine.close());
  const kinds = (await engine.receipts()).map(({ kind }) => kind);
  assert.equal(kinds.filter((kind) => kind.startsWith('checkpoint ')).length, 3);
});

test('they are encrypted, and taken in the background', async (t) => {
  const place = folder(t);
  const key = new Uint8Array(32).fill(1);
  const component = book();
  const kept = new Checkpoints('orders', { folder: place, keys: [key] });
  kept.add('book', component);
  kept.start(1, { share: 1 });
  const alive = setInterval(() => {}, 1000);
  while ((await kept.kept()).length < 3);
  kept.stop();
  clearInterval(alive);
  assert.ok((await kept.kept()).every(({ encrypted }) => encrypted));
  await kept.close();
  component.orders = 'none';
  const other = new Checkpoints('orders', { folder: place, keys: [new Uint8Array(32)] });
  other.add('book', component);
  await assert.rejects(other.restore(), code('KNHK_CORRUPT'));
  await other.close();
  const again = new Checkpoints('orders', { folder: place, keys: [new Uint8Array(32), key] });
  again.add('book', component);
  await again.restore();
  assert.equal(component.orders, 'seven orders');
  assert.throws(() => new Checkpoints('orders', {}), code('KNHK_INVALID_ARGUMENT'));
  assert.throws(() => new Checkpoints('orders', { folder: place, keys: [new Uint8Array(3)] }), code('KNHK_INVALID_ARGUMENT'));
});

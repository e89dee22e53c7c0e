import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { inspect } from 'node:util';

import { KnhkError, open, openSync } from '../index.mjs';
import { code, engineWith, folder } from './support.mjs';

test('a promotion tells what it did, and history keeps it', async (t) => {
  const { orders } = engineWith(t, { max_qty: 1000 });
  const done = await orders.promote({ max_qty: 1200 }, { by: 'ops-2', why: 'desk asked' });
  assert.equal(done.version, 2);
  assert.equal(done.by, 'ops-2');
  assert.equal(done.why, 'desk asked');
  assert.match(done.snapshotId, /^[0-9a-f]{64}$/);
  assert.deepEqual(done.changes.map(({ path, old, new: now }) => [path, old, now]), [['max_qty', '1000', '1200']]);
  assert.equal(typeof done.timeNs, 'bigint');
  assert.ok(done.time instanceof Date && Math.abs(done.time - Number(done.timeNs / 1_000_000n)) < 2);
  assert.ok(done.phases.totalNs > 0);
  const back = await orders.rollback(1, { by: 'ops-1' });
  assert.equal(back.rollbackOf, 1);
  assert.deepEqual(orders.history().map((version) => [version.version, version.by, version.rollbackOf]), [
    [1, '', undefined],
    [2, 'ops-2', undefined],
    [3, 'ops-1', 1],
  ]);
  assert.equal(orders.key('max_qty', 'i64').value, 1000);
  await assert.rejects(orders.rollback(99), code('KNHK_NOT_FOUND', /99/));
});

test('what is exported imports to the same thing', async (t) => {
  const { orders, engine } = engineWith(t);
  const document = { b: { $value: 2, $min: 1, $max: 3, $unit: 'lots' }, a: [1.0, 2.5], deep: { er: { blob: new Uint8Array([1, 2]) } }, big: -(2n ** 63n) };
  const first = await orders.promote(document);
  const elsewhere = engineWith(t);
  assert.equal((await elsewhere.orders.promote(orders.export())).snapshotId, first.snapshotId);
  // Names belong to their sector, so another sector's knowledge is another one.
  const copy = await engine.createSector('copy');
  assert.notEqual((await copy.promote(orders.export())).snapshotId, first.snapshotId);
  assert.equal(copy.export(), orders.export());
  assert.equal(copy.export(1), orders.export(1));
  assert.throws(() => copy.export(7), code('KNHK_NOT_FOUND'));
  assert.deepEqual(Object.keys(JSON.parse(engine.dump())), ['orders', 'copy']);
});

test('operations happen in the order in which they were asked for', async (t) => {
  const { orders } = engineWith(t, { n: 0 });
  const n = orders.key('n', 'i64');
  const seen = await Promise.all(Array.from({ length: 100 }, (_, i) => orders.promote({ n: i + 1 }).then((done) => [done.version, n.value >= i + 1])));
  assert.deepEqual(seen, Array.from({ length: 100 }, (_, i) => [i + 2, true]));
  assert.equal(n.value, 100);
});

test('keys are enumerated with types, units and meanings', (t) => {
  const { orders, engine } = engineWith(t, { max_qty: { $value: 1000, $min: 1, $max: 5000, $unit: 'lots', $doc: 'largest' }, on: true });
  const [qty, on] = orders.keys().sort((a, b) => (a.name < b.name ? -1 : 1));
  assert.deepEqual(qty, { name: 'max_qty', type: 'i64', display: '1000 lots   (1 … 5000)', unit: 'lots', doc: 'largest' });
  assert.deepEqual(on, { name: 'on', type: 'bool', display: 'true' });
  assert.deepEqual(engine.sectors().map(({ name, kind, ready, version }) => ({ name, kind, ready, version })), [
    { name: 'orders', kind: 'direct', ready: true, version: 1 },
  ]);
});

test('an image carries a document to another engine; a damaged one is refused', async (t) => {
  const { engine, orders } = engineWith(t, { max_qty: 1 });
  const image = await engine.compile({ max_qty: { $value: 2, $max: 9 }, label: 'x', list: ['a', 'b'] });
  const before = orders.export();
  let refused = 0;
  // Every byte of an image counts: a changed one is never taken for the original.
  for (let at = 0; at < image.length; at++) {
    const damaged = image.slice();
    damaged[at] ^= 1 << at % 8;
    assert.throws(() => orders.promoteImageSync(damaged), code('KNHK_ARTIFACT'), `byte ${at}`);
    refused++;
  }
  for (let length = 0; length < image.length; length += 7) {
    await assert.rejects(orders.promoteImage(image.subarray(0, length)), code('KNHK_ARTIFACT'), `${length} bytes`);
    refused++;
  }
  assert.equal(engine.stats().refused, refused);
  assert.equal(orders.export(), before);
  await orders.promoteImage(image);
  assert.equal(orders.key('max_qty', 'i64').value, 2);
  assert.equal(orders.key('max_qty', 'i64').allows(10), false);
  const shared = new Uint8Array(new SharedArrayBuffer(image.length));
  shared.set(image);
  orders.promoteImageSync(shared);
  assert.equal(orders.history().length, 3);
});

test('a folder keeps what was acknowledged, for one engine at a time', async (t) => {
  const path = folder(t);
  {
    const engine = await open(path);
    const orders = await engine.createSector('orders');
    await orders.promote({ max_qty: 1 });
    await orders.promote({ max_qty: 2 });
    await assert.rejects(open(path), code('KNHK_BUSY'));
    engine.close();
  }
  const engine = openSync(path);
  t.after(() => engine.close());
  const orders = engine.sector('orders');
  assert.equal(orders.key('max_qty', 'i64').value, 2);
  orders.rollbackSync(1);
  assert.equal(orders.key('max_qty', 'i64').value, 1);
  await assert.rejects(open(`${path}/orders.json\0`), Error);
});

test('breaking a key that is held needs a major version', async (t) => {
  const { orders } = engineWith(t, { held: 1, free: 1 });
  const held = orders.key('held', 'i64');
  await orders.promote({ held: 2 });
  await assert.rejects(orders.promote({ free: 1 }), (error) => {
    assert.ok(error instanceof KnhkError && error instanceof Error);
    assert.equal(error.name, 'KnhkError');
    assert.equal(error.code, 'KNHK_INCOMPATIBLE');
    assert.equal(error.status, 202);
    assert.equal(error.stage, 'verify');
    assert.match(error.message, /major/);
    return true;
  });
  await orders.promote({ free: 1 }, { major: true });
  assert.equal(held.get(-1), -1);
  assert.equal(orders.history().at(-1).major, true);
});

test('observations are drained with their keys, values and outcomes', (t) => {
  const { engine, orders } = engineWith(t, { n: 1, f: 0.5, b: true, s: 'x' }, { ringRecords: 4 });
  const [n, f, b] = [orders.key('n', 'i64'), orders.key('f', 'f64'), orders.key('b', 'bool')];
  assert.ok(engine.observe(n, -5n, { outcome: 'rejected', subject: 2n ** 64n - 1n, detail: 3, timeNs: 1_700_000_000_123_456_789n }));
  assert.ok(engine.observe(f, 1.25, { outcome: 300 }));
  assert.ok(engine.observe(b, false));
  assert.ok(engine.observe(n, 7));
  assert.equal(engine.observe(n, 8), false, 'the ring is full');
  const [first, ...others] = engine.drain();
  assert.deepEqual(
    { ...first, reader: 0 },
    {
      sector: 'orders',
      key: 'n',
      value: -5n,
      outcome: 2,
      subject: 2n ** 64n - 1n,
      detail: 3n,
      timeNs: 1_700_000_000_123_456_789n,
      epoch: engine.version,
      reader: 0,
      sequence: 0,
    },
  );
  assert.deepEqual(others.map(({ key, value, outcome }) => [key, value, outcome]), [
    ['f', 1.25, 300],
    ['b', false, 0],
    ['n', 7n, 0],
  ]);
  assert.ok(others.every(({ timeNs }) => timeNs > 1_600_000_000_000_000_000n));
  assert.deepEqual(engine.drain(), []);
  assert.equal(engine.stats().dropped, 1);
  for (const bad of ['1', 1.5, 2 ** 60, 2n ** 63n, null]) assert.throws(() => engine.observe(n, bad), /the value/);
  assert.throws(() => engine.observe(f, 1n), TypeError);
  assert.throws(() => engine.observe(b, 1), TypeError);
  assert.throws(() => engine.observe(orders.key('s', 'string'), 1), TypeError);
  assert.throws(() => engine.observe(n, 1, { outcome: 'good' }), TypeError);
  assert.throws(() => engine.observe(n, 1, { subject: -1n }), RangeError);
  assert.throws(() => engine.observe(n, 1, { timeNs: 2n ** 64n }), RangeError);
});

test('an observation in a view carries the generation of the view', (t) => {
  const { engine, orders } = engineWith(t, { n: 1 });
  const n = orders.key('n', 'i64');
  const view = engine.view();
  orders.promoteSync({ n: 2 });
  view.observe(n, 1);
  engine.observe(n, 2);
  assert.deepEqual(engine.drain().map(({ value, epoch }) => [value, epoch]), [[1n, view.epoch], [2n, engine.version]]);
  view.end();
  assert.throws(() => view.observe(n, 1), code('KNHK_CLOSED', /ended/));
});

test('an emergency rollback takes effect like another', async (t) => {
  const { orders } = engineWith(t, { n: 1 });
  orders.promoteSync({ n: 2 });
  const n = orders.key('n', 'i64');
  assert.equal((await orders.emergencyRollback(1, { by: 'ops' })).rollbackOf, 1);
  assert.equal(n.value, 1);
  assert.equal(orders.emergencyRollbackSync(2).rollbackOf, 2);
  assert.equal(n.value, 2);
  await assert.rejects(orders.emergencyRollback(99), code('KNHK_NOT_FOUND'));
});

test('records print, spread and serialise with what changed', async (t) => {
  const { engine, orders } = engineWith(t, { n: 1 });
  const done = await orders.promote({ n: 2 });
  assert.match(inspect(done, { depth: 3 }), /path: 'n'/);
  assert.equal({ ...done }.changes[0].new, '2');
  const [change] = engine.changesSince(done.epoch - 1);
  const parsed = JSON.parse(JSON.stringify(change));
  assert.deepEqual([parsed.summary, parsed.changes[0].old, parsed.timeNs], ['orders 2: n 1 → 2', '1', String(done.timeNs)]);
  assert.equal(structuredClone(change).summary, change.summary);
});

test('what recovery had to say is heard by who listens after the opening', async (t) => {
  const path = folder(t);
  {
    const engine = openSync(path);
    const orders = engine.createSectorSync('orders');
    orders.promoteSync({ n: 1 });
    orders.promoteSync({ n: 2 });
    engine.close();
  }
  // Node 20 brings no SQLite; Python does.
  const damage = 'import sqlite3, sys; s = sqlite3.connect(sys.argv[1]); s.execute(sys.argv[2]); s.commit()';
  const change = "UPDATE snapshots SET added = x'00' WHERE id = (SELECT snapshot FROM versions WHERE number = 2)";
  execFileSync('python3', ['-c', damage, join(path, 'store.sqlite'), change]);
  const engine = await open(path);
  const alive = setInterval(() => {}, 2 ** 30);
  t.after(() => (clearInterval(alive), engine.close()));
  const [line] = await once(engine, 'log');
  assert.deepEqual([line.level, line.part], ['error', 'recovery']);
  assert.match(line.message, /version 2 is damaged/);
  assert.equal(engine.sector('orders').key('n', 'i64').value, 1);
});

test('a still picture is read beside the engine, and a control socket is its owner\'s alone', async (t) => {
  const place = folder(t);
  const engine = await open(place, { control: true });
  t.after(() => engine.close());
  const orders = await engine.createSector('orders');
  await orders.promote({ n: 1 });
  assert.equal(statSync(join(place, 'control')).mode & 0o777, 0o600);
  const picture = await open(place, { readOnly: true });
  await orders.promote({ n: 2 });
  assert.equal(picture.sector('orders').key('n', 'i64').value, 1);
  await assert.rejects(picture.sector('orders').promote({ n: 3 }), code('KNHK_IO'));
  picture.close();
  await assert.rejects(open(place, { readOnly: true, control: true }), code('KNHK_INVALID_ARGUMENT'));
  assert.throws(() => openSync(place, { readOnly: 'yes' }), TypeError);
});

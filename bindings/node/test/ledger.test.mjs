import assert from 'node:assert/strict';
import { existsSync, statSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

import { open, openSync, restore, Signer } from '../index.mjs';
import { code, engineWith, folder } from './support.mjs';

/** An engine on a folder with two versions of `orders`. */
async function limits(t, options) {
  const place = join(folder(t), 'limits');
  const engine = await open(place, options);
  t.after(() => engine.close());
  const orders = await engine.createSector('orders');
  await orders.promote({ max_qty: 1000 }, { by: 'ops-1', why: 'first limits' });
  await orders.promote({ max_qty: 1200 }, { by: 'ops-2', why: 'desk asked' });
  return { place, engine, orders };
}

test('each operation leaves a receipt', async (t) => {
  const { engine, orders } = await limits(t);
  const receipts = await engine.receipts();
  assert.deepEqual(
    receipts.map((receipt) => receipt.kind),
    ['ledger created', 'sector updated', 'snapshot promoted', 'snapshot promoted'],
  );
  const newest = receipts.at(-1);
  const version = orders.history().at(-1);
  assert.deepEqual([newest.number, newest.sector, newest.outcome], [3, 'orders', 'approved']);
  assert.equal(newest.evidence.snapshot, version.snapshotId);
  assert.deepEqual([version.receipt, version.parent, newest.timeNs], [newest.id, 1, version.timeNs]);
  assert.deepEqual([newest.leaf.length, newest.links, receipts[0].sector], [32, [], undefined]);
  assert.deepEqual(await engine.receipt(newest.id), newest);
  assert.deepEqual(await engine.receipt(3), newest);
  const some = await engine.receipts({ kind: 'snapshot promoted', sector: 'orders', newestFirst: true, limit: 1 });
  assert.deepEqual(some, [newest]);
  assert.equal((await engine.receipts({ first: 1, end: 3 })).length, 2);
  await assert.rejects(engine.receipt('nothing'), code('KNHK_NOT_FOUND'));
  assert.ok((await engine.proveReceipt(newest.id)).length > 64);
  assert.ok((await engine.proveConsistency(2)).length > 64);
  await assert.rejects(engine.proveConsistency(99), code('KNHK_INVALID_ARGUMENT'));
});

test('what is refused leaves one too', async (t) => {
  const { engine, orders } = await limits(t);
  orders.key('max_qty', 'i64');
  await assert.rejects(orders.promote({ other: 1 }), code('KNHK_INCOMPATIBLE'));
  const [newest] = await engine.receipts({ newestFirst: true, limit: 1 });
  assert.deepEqual([newest.kind, newest.outcome], ['snapshot promoted', 'rejected']);
});

test('bad arguments of the ledger', async (t) => {
  const { engine } = await limits(t);
  for (const filter of [{ first: -1 }, { limit: 1.5 }, { end: 'x' }, { sector: 5 }, { newestFirst: 1 }, null]) {
    await assert.rejects(engine.receipts(filter), code('KNHK_INVALID_ARGUMENT'));
  }
  await assert.rejects(engine.receipt(-1), code('KNHK_INVALID_ARGUMENT'));
  await assert.rejects(engine.receipt({}), code('KNHK_INVALID_ARGUMENT'));
  await assert.rejects(engine.verify({ progress: 5 }), code('KNHK_INVALID_ARGUMENT'));
  await assert.rejects(engine.asOf('yesterday'), code('KNHK_INVALID_ARGUMENT'));
  await assert.rejects(engine.asOf(new Date(NaN)), code('KNHK_INVALID_ARGUMENT'));
  await assert.rejects(engine.rotateKey('key'), code('KNHK_INVALID_ARGUMENT'));
});

test('an engine in memory has a log with a signer only', async (t) => {
  const { engine } = engineWith(t, { n: 1 });
  assert.equal(engine.trustRoot, undefined);
  await assert.rejects(engine.verify(), code('KNHK_NOT_FOUND', /no ledger/));
  const { engine: signed, orders } = engineWith(t, { n: 1 }, { signer: Signer.generate() });
  assert.ok(orders.history()[0].receipt);
  assert.equal((await signed.verify()).versions, 1);
});

test('verification tells what was whole, how far it is, and stops', async (t) => {
  const { engine } = await limits(t);
  const told = [];
  const verified = await engine.verify({ progress: (now) => told.push(now) });
  assert.deepEqual([verified.receipts, verified.keys, verified.versions, verified.root.length], [4, 1, 2, 64]);
  assert.ok(told.length > 0 && told.every((now) => now.total === 4));
  const reason = new Error('enough');
  await assert.rejects(engine.verify({ signal: AbortSignal.abort(reason) }), reason);
  const controller = new AbortController();
  // Aborted while it goes: it stops, or it had ended before.
  const [{ status, reason: why }] = await Promise.allSettled([
    engine.verify({ signal: controller.signal, progress: () => controller.abort(reason) }),
  ]);
  assert.ok(status === 'fulfilled' || why === reason);
});

test('a checkpoint and a trust root are held against the log', async (t) => {
  const { place, engine, orders } = await limits(t);
  const [note, trustRoot] = [await engine.checkpoint(), engine.trustRoot];
  assert.ok(note.startsWith(`${trustRoot.split('+')[0]}\n4\n`));
  await engine.verify({ checkpoint: note });
  const old = join(place, '..', 'old.backup');
  await engine.backup(old);
  await orders.promote({ max_qty: 1300 });
  const later = await engine.checkpoint();
  const target = join(place, '..', 'restored');
  await assert.rejects(restore(old, target, { checkpoint: later }), code('KNHK_TAMPERED', /cut off/));
  assert.equal(existsSync(join(target, 'store.sqlite')), false);
  assert.equal((await restore(old, target, { checkpoint: note, trustRoot })).versions, 2);
  engine.close();
  const others = openSync(join(place, '..', 'other'));
  const other = others.trustRoot;
  others.close();
  await assert.rejects(open(place, { trustRoot: other }), code('KNHK_TAMPERED', /not the log that you trust/));
  await assert.rejects(open(place, { trustRoot: 5 }), code('KNHK_INVALID_ARGUMENT'));
  (await open(place, { trustRoot, checkpoint: later })).close();
});

test('what was tampered with is found', async (t) => {
  const { place, engine } = await limits(t);
  const { statement } = await engine.receipt(2);
  engine.close();
  const path = join(place, 'store.sqlite');
  const content = await readFile(path);
  const at = content.indexOf(statement.subarray(-64));
  assert.ok(at > 0);
  content[at + 63] ^= 1;
  await writeFile(path, content);
  const found = async () => {
    const again = await open(place);
    try {
      await again.verify();
    } finally {
      again.close();
    }
  };
  await assert.rejects(found(), code('KNHK_TAMPERED', /receipt 2/));
});

test('backup under load, and restore', async (t) => {
  const { place, engine, orders } = await limits(t);
  const path = join(place, '..', 'a.backup');
  const told = [];
  let n = 2000;
  let done = false;
  const load = (async () => {
    while (!done) await orders.promote({ max_qty: n++ });
  })();
  await engine.backup(path, { progress: (now) => told.push(now) });
  done = true;
  await load;
  assert.ok(told.length > 0 && told.at(-1).total > 0);
  await assert.rejects(engine.backup(path), code('KNHK_ALREADY_EXISTS'));
  const reason = new Error('enough');
  await assert.rejects(engine.backup(join(place, '..', 'b'), { signal: AbortSignal.abort(reason) }), reason);
  engine.close();
  const target = join(place, '..', 'restored');
  assert.ok((await restore(path, target)).versions >= 2);
  await assert.rejects(restore(path, target), code('KNHK_ALREADY_EXISTS'));
  await assert.rejects(open(target), code('KNHK_KEY_FILE', /missing/));
  const signer = Signer.load(join(place, 'signing.key'));
  const restored = await open(target, { signer });
  assert.ok(restored.sector('orders').key('max_qty', 'i64').value >= 1200);
  await restored.sector('orders').promote({ max_qty: 1 });
  await restored.verify();
  restored.close();
});

test('rotation', async (t) => {
  const { place, engine, orders } = await limits(t);
  const before = await readFile(join(place, 'signing.key'));
  const receipt = await engine.rotateKey();
  assert.equal(receipt.kind, 'key rotated');
  assert.notDeepEqual(await readFile(join(place, 'signing.key')), before);
  assert.equal(statSync(join(place, 'signing.key')).mode & 0o777, 0o600);
  const signer = Signer.generate();
  await engine.rotateKey(signer);
  assert.equal(existsSync(join(place, 'signing.key')), false);
  await orders.promote({ max_qty: 3 });
  const keys = await engine.signingKeys();
  assert.deepEqual(
    keys.map((key) => key.current),
    [false, false, true],
  );
  assert.deepEqual(keys[2].key, signer.publicKey);
  assert.equal(keys[1].fromReceipt, receipt.number + 1);
  assert.equal((await engine.verify()).keys, 3);
  await assert.rejects(engine.rotateKey(signer), code('KNHK_INVALID_ARGUMENT'));
});

test('log, tags and references', async (t) => {
  const { orders } = await limits(t);
  await orders.promote({ max_qty: 30 });
  const log = await orders.log();
  assert.deepEqual(
    log.map((entry) => [entry.version, entry.parents, entry.retained]),
    [
      [3, [2], true],
      [2, [1], true],
      [1, [], true],
    ],
  );
  assert.deepEqual([log[2].by, log[2].why, typeof log[2].receipt, log[0].major], ['ops-1', 'first limits', 'string', false]);
  assert.deepEqual(
    (await orders.log({ before: 3, limit: 1 })).map((entry) => entry.version),
    [2],
  );
  const cases = { 2: 2, current: 3, '~2': 1, [log[0].snapshotId]: 3, '@0s': 3 };
  for (const [reference, version] of Object.entries(cases)) assert.equal(await orders.resolve(reference), version, reference);
  assert.equal(await orders.resolve(1), 1);
  await assert.rejects(orders.resolve('~9'), code('KNHK_NOT_FOUND'));
  await assert.rejects(orders.resolve('two words'), code('KNHK_INVALID_ARGUMENT', /write a number, current/));
  await assert.rejects(orders.resolve(-1), code('KNHK_INVALID_ARGUMENT'));

  assert.equal(await orders.tag('stable', '~1', { by: 'risk-1' }), 2);
  assert.equal(await orders.tag('newest'), 3);
  assert.deepEqual(
    (await orders.tags()).map((tag) => [tag.name, tag.version, tag.by]),
    [
      ['newest', 3, ''],
      ['stable', 2, 'risk-1'],
    ],
  );
  assert.equal(orders.export(await orders.resolve('stable')), orders.export(2));
  await orders.untag('newest');
  await assert.rejects(orders.untag('newest'), code('KNHK_NOT_FOUND', /it has stable/));
  await assert.rejects(orders.tag('current'), code('KNHK_INVALID_ARGUMENT'));
});

test('reads as of then', async (t) => {
  const { engine, orders } = await limits(t);
  const key = orders.key('max_qty', 'i64');
  const risk = await engine.createSector('risk');
  await risk.promote({ max_var: 7 });
  for (const [reference, value] of [[1, 1000], ['~1', 1000], ['current', 1200], ['@0s', 1200]]) {
    const then = await orders.asOf(reference);
    assert.deepEqual([then.get(key), then.find('orders/max_qty')], [value, value]);
    then.end();
    assert.throws(() => then.get(key), code('KNHK_CLOSED'));
  }
  const then = await orders.asOf(2);
  assert.equal(then.find('risk/max_var'), undefined);
  await orders.promote({ max_qty: 5 });
  assert.deepEqual([then.get(key), key.value], [1200, 5]);
  then.end();
  const [first] = orders.history();
  const early = await engine.asOf(first.timeNs);
  assert.equal(early.get(key), 1000);
  early.end();
  const now = await engine.asOf(new Date(Date.now() + 1000));
  assert.deepEqual([now.get(key), now.find('risk/max_var')], [5, 7]);
  now.end();
  await assert.rejects(orders.asOf('~9'), code('KNHK_NOT_FOUND'));
  assert.equal((await engine.verify()).versions, 4);
});

test('retention never breaks the chain', async (t) => {
  const { place, engine, orders } = await limits(t);
  await orders.promote({ max_qty: 3 });
  await orders.promote({ max_qty: 4 });
  await orders.tag('audited', 1);
  assert.equal(await engine.prune(), 0);
  engine.close();
  const kept = await open(place, { history: 1, retainVersions: 2 });
  assert.equal(await kept.prune(), 1);
  const log = await kept.sector('orders').log();
  assert.deepEqual(
    log.map((entry) => entry.retained),
    [true, true, false, true],
  );
  assert.equal((await kept.verify()).versions, 3);
  await assert.rejects(kept.sector('orders').asOf(2), code('KNHK_NOT_FOUND'));
  kept.close();
  for (const options of [{ retainVersions: 0 }, { retainAgeMs: -1 }]) {
    await assert.rejects(open(place, options), code('KNHK_INVALID_ARGUMENT'));
  }
});

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';

import * as knhk from '../index.mjs';
import { attach, Engine, Key, KnhkError, open, openSync, Sector, View } from '../index.mjs';
import { code, engineWith } from './support.mjs';

const require = createRequire(import.meta.url);

test('both module forms are one module', () => {
  const common = require('..');
  assert.equal(common.Engine, Engine);
  assert.equal(common.Error, KnhkError);
  assert.deepEqual(Object.keys(knhk).sort(), Object.keys(common).filter((name) => name !== '__esModule').sort());
  assert.match(knhk.libraryVersion, /^\d+\.\d+\.\d+/);
});

test('arguments of a wrong type are named', async (t) => {
  const { engine, orders } = engineWith(t, { n: 1 });
  for (const location of [undefined, null, 5, {}, []]) {
    assert.throws(() => openSync(location), (e) => e instanceof TypeError && /location/.test(e.message));
    await assert.rejects(open(location), TypeError);
  }
  for (const options of [null, 5, 'x', { history: 0 }, { history: 1.5 }, { barrier: 'none' }, { ringRecords: -1 }, { signal: {} }]) {
    await assert.rejects(open(':memory:', options), (e) => (e instanceof TypeError || e instanceof RangeError) && e.code === 'KNHK_INVALID_ARGUMENT');
  }
  assert.throws(() => openSync(''), code('KNHK_INVALID_ARGUMENT'));
  await assert.rejects(engine.createSector(5), TypeError);
  await assert.rejects(engine.createSector('Orders!'), code('KNHK_INVALID_ARGUMENT', /a-z/));
  await assert.rejects(engine.createSector('orders'), code('KNHK_ALREADY_EXISTS'));
  await assert.rejects(engine.createSector('x', { kind: 'guarded' }), TypeError);
  await assert.rejects(engine.createSector('x', { kind: 'governed' }), /rests on receipts/);
  assert.throws(() => engine.sector('order'), code('KNHK_NOT_FOUND', /orders/));
  assert.throws(() => orders.key('n', 'int'), (e) => e instanceof TypeError && /'i64'/.test(e.message));
  assert.throws(() => orders.key(1, 'i64'), TypeError);
  assert.throws(() => orders.key('n', 'f64'), code('KNHK_WRONG_TYPE', /i64/));
  assert.throws(() => orders.key('m', 'i64'), code('KNHK_NOT_FOUND', /did you mean "n"/));
  assert.throws(() => engine.createSectorSync('empty').key('n', 'i64'), code('KNHK_NOT_READY'));
  const n = orders.key('n', 'i64');
  for (const value of ['1', null, undefined, {}, true]) assert.throws(() => n.allows(value), TypeError);
  assert.throws(() => n.lookup('x'), TypeError);
  assert.throws(() => n.isA(n), TypeError);
  assert.throws(() => orders.key('n', 'i64').isA(undefined), TypeError);
  await assert.rejects(orders.promote({ n: 1 }, { by: 5 }), TypeError);
  await assert.rejects(orders.promote({ n: 1 }, { major: 'yes' }), TypeError);
  await assert.rejects(orders.rollback('1'), TypeError);
  await assert.rejects(orders.rollback(-1), RangeError);
  await assert.rejects(orders.promoteImage('image'), TypeError);
  await assert.rejects(orders.waitReady({ timeout: -1 }), RangeError);
  assert.throws(() => engine.drain(-1), RangeError);
  assert.throws(() => engine.changesSince('1'), TypeError);
  const view = engine.view();
  for (const key of [undefined, null, 'n', {}, 5]) assert.throws(() => view.get(key), TypeError);
  for (const token of [undefined, 5]) assert.throws(() => attach(token), TypeError);
  for (const token of ['', 'x', 'knhk-engine:1', `knhk-engine:${process.pid + 1}:1`, `knhk-engine:${process.pid}:x:y`]) {
    assert.throws(() => attach(token), code('KNHK_INVALID_ARGUMENT'));
  }
  assert.throws(() => attach(`knhk-engine:${process.pid}:999999`), code('KNHK_CLOSED'));
});

test('documents that cannot be are refused with their path, and change nothing', async (t) => {
  const { orders } = engineWith(t, { n: 1 });
  const cyclic = {};
  cyclic.self = cyclic;
  const mine = [
    [{ a: { b: undefined, c: null } }, /^a\/c /],
    [{ a: NaN }, /^a is NaN/],
    [{ a: { $value: Infinity } }, /Infinity/],
    [{ a: () => 1 }, /^a must be/],
    [{ a: Symbol('x') }, /^a must be/],
    [{ a: [1, null] }, /^a\[1\]/],
    [{ a: new Map() }, /^a must be a plain object/],
    [{ a: new Date() }, /^a must be a plain object/],
    [cyclic, /contains itself/],
    [[1], /JSON text or an object/],
    [null, /JSON text or an object/],
    [5, /JSON text or an object/],
  ];
  for (const [document, message] of mine) {
    await assert.rejects(orders.promote(document), (e) => e.code === 'KNHK_INVALID_ARGUMENT' && message.test(e.message), String(message));
    assert.throws(() => orders.declareSync(document), (e) => message.test(e.message));
  }
  const theirs = ['', '{', '{"a":1,"a":2}', '{"a":null}', '{"a":[1,"x"]}', '{"$x":1}', '{"a/b":1}', '{"a":1e400}', '{"a":9223372036854775808}', '[]', '{"a":{"$value":5,"$max":4}}', '{"a":"\\ud800"}'];
  for (const text of theirs) {
    await assert.rejects(orders.promote(text), (e) => e instanceof KnhkError && e.code === 'KNHK_DOCUMENT', text);
  }
  assert.deepEqual([orders.history().length, orders.key('n', 'i64').value], [1, 1]);
});

test('documents beyond the limits are refused before they take memory', async (t) => {
  const { orders } = engineWith(t, { n: 1 });
  const deep = `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`;
  await assert.rejects(orders.promote(deep), code('KNHK_LIMIT'));
  const lists = `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
  await assert.rejects(orders.promote(lists), (e) => ['KNHK_LIMIT', 'KNHK_DOCUMENT'].includes(e.code));
  await assert.rejects(orders.promote(`{"a":"${'x'.repeat(80 << 20)}"}`), code('KNHK_LIMIT'));
  let nested = 1;
  for (let i = 0; i < 10_000; i++) nested = { nested };
  await assert.rejects(orders.promote({ nested }), RangeError);
  assert.equal(orders.history().length, 1);
});

test('a closed engine says so, or gives nothing', async (t) => {
  const { engine, orders } = engineWith(t, { n: 1, m: { x: 1 } });
  const [n, m] = [orders.key('n', 'i64'), orders.key('m', 'map')];
  const view = engine.view();
  assert.equal(n.value, 1);
  engine.close();
  engine.close();
  assert.equal(engine.isOpen, false);
  assert.throws(() => n.value, code('KNHK_CLOSED'));
  assert.throws(() => n.bigint, code('KNHK_CLOSED'));
  assert.equal(n.get(7), 7);
  assert.deepEqual(n.tryGet(), { value: undefined, reason: 'closed' });
  assert.equal(n.allows(1), false);
  assert.throws(() => m.lookup('x'), code('KNHK_CLOSED'));
  assert.throws(() => engine.observe(n, 1), code('KNHK_CLOSED'));
  assert.equal(view.get(n), 1, 'a held generation stays');
  assert.equal(view.find('orders/m/x'), 1);
  view.end();
  const refused = [
    () => engine.view(),
    () => engine.sector('orders'),
    () => engine.sectors(),
    () => engine.find('orders/n'),
    () => engine.stats(),
    () => engine.version,
    () => engine.changeFd,
    () => engine.share(),
    () => engine.drain(),
    () => engine.changes(),
    () => orders.key('other', 'i64'),
    () => orders.keys(),
    () => orders.history(),
    () => orders.export(),
    () => orders.promoteSync({ n: 2 }),
  ];
  for (const call of refused) assert.throws(call, code('KNHK_CLOSED'), String(call));
  const rejected = [orders.promote({ n: 2 }), orders.rollback(1), orders.declare({}), orders.waitReady(), engine.createSector('x'), engine.compile({})];
  for (const promise of rejected) await assert.rejects(promise, code('KNHK_CLOSED'));
});

test('classes are not made by hand', () => {
  for (const type of [Sector, Key, View, Engine]) assert.throws(() => new type(), Error);
});

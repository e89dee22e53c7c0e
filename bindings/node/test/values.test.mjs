import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';

import { code, engineWith } from './support.mjs';

const DOCUMENT = {
  max_qty: { $value: 1000, $min: 1, $max: 5000, $unit: 'lots', $doc: 'largest order' },
  ratio: 0.25,
  whole: { $value: 2, $type: 'f64' },
  on: true,
  label: 'Ünïcode ✓',
  blob: new Uint8Array([0, 1, 255]),
  flags: [true, false],
  steps: [1, 2, 3],
  weights: [0.5, 1.5],
  names: ['a', '', 'ß'],
  venues: { XPAR: 1, XAMS: 2.5, big: 2n ** 60n },
};

test('every type reads as its JavaScript form', (t) => {
  const { orders } = engineWith(t, DOCUMENT);
  assert.equal(orders.key('max_qty', 'i64').value, 1000);
  assert.equal(orders.key('ratio', 'f64').value, 0.25);
  assert.equal(orders.key('whole', 'f64').value, 2);
  assert.equal(orders.key('on', 'bool').value, true);
  assert.equal(orders.key('label', 'string').value, 'Ünïcode ✓');
  assert.deepEqual(orders.key('blob', 'bytes').value, new Uint8Array([0, 1, 255]));
  assert.deepEqual(orders.key('flags', 'list<bool>').value, [true, false]);
  assert.deepEqual(orders.key('steps', 'list<i64>').value, [1, 2, 3]);
  assert.deepEqual(orders.key('weights', 'list<f64>').value, [0.5, 1.5]);
  assert.deepEqual(orders.key('names', 'list<string>').value, ['a', '', 'ß']);
});

test('what readers share cannot be changed, and what can be changed is not shared', (t) => {
  const { orders } = engineWith(t, DOCUMENT);
  const steps = orders.key('steps', 'list<i64>');
  assert.throws(() => steps.value.push(4), TypeError);
  assert.equal(steps.value, steps.value);
  const blob = orders.key('blob', 'bytes');
  blob.value[0] = 9;
  assert.equal(blob.value[0], 0);
});

test('integers are exact as numbers, or refused', (t) => {
  const edges = { most: 2 ** 53 - 1, least: -(2 ** 53 - 1), over: 2n ** 53n, under: -(2n ** 53n), max: 2n ** 63n - 1n, min: -(2n ** 63n) };
  const { orders } = engineWith(t, { ...edges, list: [1n, 2n ** 62n] });
  assert.equal(orders.key('most', 'i64').value, Number.MAX_SAFE_INTEGER);
  assert.equal(orders.key('least', 'i64').value, Number.MIN_SAFE_INTEGER);
  for (const name of ['over', 'under', 'max', 'min']) {
    const key = orders.key(name, 'i64');
    assert.throws(() => key.value, (error) => error instanceof RangeError && /bigint/.test(error.message), name);
    assert.throws(() => key.get(0), RangeError);
    assert.equal(key.bigint, edges[name]);
    assert.equal(key.bigint, edges[name], 'again, from what was kept');
  }
  assert.equal(orders.key('most', 'i64').bigint, 2n ** 53n - 1n);
  assert.throws(() => orders.key('list', 'list<i64>').value, RangeError);
  assert.deepEqual(orders.key('list', 'list<i64>').bigint, [1n, 2n ** 62n]);
});

test('a number that becomes too large, and small again, is never read wrongly', (t) => {
  const { orders } = engineWith(t, { n: 1 });
  const key = orders.key('n', 'i64');
  assert.equal(key.value, 1);
  orders.promoteSync({ n: 2n ** 60n });
  assert.throws(() => key.value, RangeError);
  assert.equal(key.bigint, 2n ** 60n);
  orders.promoteSync({ n: 3 });
  assert.equal(key.value, 3);
  assert.equal(key.bigint, 3n);
});

test('doubles keep their sign, size and nothingness', (t) => {
  const { orders } = engineWith(t, { zero: -0, mixed: [1, 2.5, -0], share: { $value: 0.5, $min: 0, $max: 1 }, tiny: 5e-324, huge: 1.7976931348623157e308, wide: 1e21, wider: 2 ** 63 });
  assert.ok(Object.is(orders.key('zero', 'f64').value, -0));
  assert.deepEqual(orders.key('mixed', 'list<f64>').value, [1, 2.5, -0]);
  assert.ok(orders.key('share', 'f64').allows(1) && !orders.key('share', 'f64').allows(1.1));
  assert.equal(orders.key('tiny', 'f64').value, 5e-324);
  assert.equal(orders.key('huge', 'f64').value, Number.MAX_VALUE);
  assert.equal(orders.key('wide', 'f64').value, 1e21);
  assert.equal(orders.key('wider', 'f64').value, 2 ** 63);
});

test('a guard is the range of the document', (t) => {
  const { orders, engine } = engineWith(t, { qty: { $value: 10, $min: 1, $max: 20 }, ratio: { $value: 0.5, $min: 0.1, $max: 0.9 }, free: 1 });
  const qty = orders.key('qty', 'i64');
  assert.deepEqual([0, 1, 20, 21, 1.5, NaN, Infinity].map((n) => qty.allows(n)), [false, true, true, false, false, false, false]);
  assert.deepEqual([0n, 1n, 20n, 2n ** 70n].map((n) => qty.allows(n)), [false, true, true, false]);
  const ratio = orders.key('ratio', 'f64');
  assert.deepEqual([0, 0.1, 0.5, 0.95, NaN].map((n) => ratio.allows(n)), [false, true, true, false, false]);
  const free = orders.key('free', 'i64');
  assert.deepEqual([Number.MIN_SAFE_INTEGER, 2 ** 60, -(2n ** 63n), 2n ** 63n].map((n) => free.allows(n)), [true, true, true, false]);
  const view = engine.view();
  orders.promoteSync({ qty: { $value: 10, $min: 5, $max: 15 }, ratio: 0.5, free: 1 });
  assert.deepEqual([4, 5, 15, 16].map((n) => qty.allows(n)), [false, true, true, false]);
  assert.deepEqual([4, 5, 15, 16].map((n) => view.allows(qty, n)), [true, true, true, true]);
});

test('a map is looked up by a name known at run time', (t) => {
  const { orders, engine } = engineWith(t, DOCUMENT);
  const venues = orders.key('venues', 'map');
  assert.equal(venues.lookup('XPAR'), 1);
  assert.equal(venues.lookup('XPAR'), 1);
  assert.equal(venues.lookup('XAMS'), 2.5);
  assert.equal(venues.lookup('nowhere'), undefined);
  assert.throws(() => venues.lookup('big'), RangeError);
  assert.equal(venues.lookupBigInt('big'), 2n ** 60n);
  const view = engine.view();
  orders.promoteSync({ ...DOCUMENT, venues: { XPAR: 7, XAMS: 2.5, big: 1 } });
  assert.equal(venues.lookup('XPAR'), 7);
  assert.equal(venues.lookup('big'), 1);
  assert.equal(view.lookup(venues, 'XPAR'), 1);
  assert.equal(engine.find('orders/venues/XPAR'), 7);
  assert.equal(view.find('orders/venues/XPAR'), 1);
  assert.equal(orders.find('venues/XPAR'), 7);
  for (const path of ['orders', 'orders/none', 'none/max_qty', '', '/', 'orders//', 'orders/venues/XPAR/x']) {
    assert.equal(engine.find(path), undefined, path);
  }
});

test('classes answer for their ancestors', (t) => {
  const { orders, engine } = engineWith(t, { $classes: { instrument: [], equity: ['instrument'], etf: ['equity'], bond: ['instrument'] } });
  const [instrument, equity, etf, bond] = ['instrument', 'equity', 'etf', 'bond'].map((name) => orders.key(`$classes/${name}`, 'class'));
  assert.ok(etf.isA(instrument) && etf.isA(equity) && etf.isA(etf));
  assert.ok(!etf.isA(bond) && !instrument.isA(etf));
  assert.ok(engine.view().isA(bond, instrument));
  assert.throws(() => etf.value, /isA/);
});

test('absence is an error, a fallback or a reason', (t) => {
  const { orders } = engineWith(t);
  orders.declareSync({ limit: { $default: 5, $type: 'i64' }, later: { $value: 8 } });
  const limit = orders.key('limit', 'i64');
  const later = orders.key('later', 'i64');
  assert.equal(limit.value, 5);
  assert.deepEqual(limit.tryGet(), { value: 5, reason: 'not-ready' });
  assert.deepEqual(later.tryGet(), { value: undefined, reason: 'not-ready' });
  assert.equal(later.get(7), 7);
  assert.equal(later.get(undefined), undefined);
  assert.throws(() => later.value, code('KNHK_NOT_READY'));
  assert.equal(later.allows(1), false);
  orders.promoteSync({ limit: 6, later: 8 });
  assert.deepEqual(later.tryGet(), { value: 8, reason: 'present' });
  assert.deepEqual(limit.tryGet(), { value: 6, reason: 'present' });
  orders.promoteSync({ limit: 'six' }, { major: true });
  assert.throws(() => limit.value, code('KNHK_WRONG_TYPE'));
  assert.throws(() => later.value, code('KNHK_NOT_FOUND'));
  assert.deepEqual(limit.tryGet(), { value: undefined, reason: 'wrong-type' });
  assert.deepEqual(later.tryGet(), { value: undefined, reason: 'absent' });
  assert.equal(limit.get(1), 1);
});

test('a view is one generation, until it ends', async (t) => {
  const { orders, engine } = engineWith(t, { a: 1, b: 1 });
  const [a, b] = [orders.key('a', 'i64'), orders.key('b', 'i64')];
  const before = engine.view();
  await orders.promote({ a: 2, b: 2n ** 60n });
  const after = engine.view();
  assert.deepEqual([before.get(a), before.get(b), a.value], [1, 1, 2]);
  assert.equal(after.get(a), 2);
  assert.throws(() => after.get(b), RangeError);
  assert.equal(after.bigint(b), 2n ** 60n);
  assert.equal(before.bigint(b), 1n);
  assert.equal(after.epoch, engine.version);
  assert.ok(before.epoch < after.epoch);
  before.end();
  before.end();
  assert.throws(() => before.get(a), code('KNHK_CLOSED', /ended/));
  assert.throws(() => before.find('orders/a'), code('KNHK_CLOSED', /ended/));
  after[Symbol.dispose]();
  assert.throws(() => after.lookup(orders.key('a', 'i64'), 'x'), TypeError);
});

test('two engines keep apart', (t) => {
  const one = engineWith(t, { n: 1 });
  const two = engineWith(t, { n: 2 });
  const [first, second] = [one.orders.key('n', 'i64'), two.orders.key('n', 'i64')];
  assert.deepEqual([first.value, second.value], [1, 2]);
  one.orders.promoteSync({ n: 3 });
  assert.deepEqual([first.value, second.value], [3, 2]);
  assert.throws(() => one.engine.view().get(second), /another engine/);
  assert.throws(() => one.engine.observe(second, 1), /another engine/);
  one.engine.close();
  assert.equal(second.value, 2);
});

test('where the host forbids mapped memory every read asks the engine', (t) => {
  const { native } = createRequire(import.meta.url)('../dist/native.js');
  const { cells } = native;
  native.cells = () => undefined;
  t.after(() => (native.cells = cells));
  const { engine, orders } = engineWith(t, { n: 1, m: { x: 1 }, big: 2n ** 60n });
  const [n, m, big] = [orders.key('n', 'i64'), orders.key('m', 'map'), orders.key('big', 'i64')];
  for (let i = 1; i <= 3; i++) {
    orders.promoteSync({ n: { $value: i, $max: i }, m: { x: i }, big: 2n ** 60n + BigInt(i) });
    for (let again = 0; again < 2; again++) {
      assert.deepEqual([n.value, m.lookup('x'), big.bigint], [i, i, 2n ** 60n + BigInt(i)]);
      assert.deepEqual([n.allows(i), n.allows(i + 1)], [true, false]);
      assert.equal(engine.view().get(n), i);
    }
  }
});

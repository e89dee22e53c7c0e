// Policies around promises: admitted and refused calls, aborts, retries, hedges, transitions, and parameters that a sector governs.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';

import { KnhkError } from '../index.mjs';
import * as r from '../resilience.mjs';
import { engineWith } from './support.mjs';

const fails = () => Promise.reject(new Error('down'));
const value = (policy, name) => policy.parameters().find((each) => each.name === name).value;

function manual() {
  const scope = new r.Scope('manual');
  scope.advance(1);
  return scope;
}

/** The refusal of a call that is refused. */
async function refused(call) {
  const error = await assert.rejects(call, r.RefusedError).then(() => Promise.resolve(call()).catch((error) => error));
  assert.ok(error instanceof KnhkError && error.code === 'KNHK_REFUSED' && error.status === 110);
  return error;
}

test('both forms of the module are one', () => {
  const required = createRequire(import.meta.url)('../dist/resilience.js');
  assert.equal(required.Breaker, r.Breaker);
  assert.deepEqual(Object.keys(required).sort(), Object.keys(r).sort());
});

test('a breaker opens, probes and closes', async () => {
  const scope = manual();
  const breaker = new r.Breaker('payments', { consecutiveFailures: 2, recovery: 50, halfOpenPermits: 1, windowCalls: 20, scope });
  assert.equal(await breaker.call(() => 7), 7);
  assert.equal(breaker.enter().left, undefined);
  assert.equal(await breaker.call(() => new Promise((resolve) => setTimeout(resolve, 5, 8))), 8);
  const pay = breaker.wrap(async (amount, by) => [amount, by]);
  assert.deepEqual(await pay(5, 'you'), [5, 'you']);
  for (let i = 0; i < 2; i++) await assert.rejects(breaker.call(fails), /down/);
  assert.equal(breaker.state, 'open');
  assert.equal(breaker.figures().window_failures, 2);
  const error = await refused(() => pay(1));
  assert.equal(error.reason, 'open');
  assert.match(error.message, /^payments: the circuit breaker is open/);
  assert.ok(error.retryAfter > 0 && error.retryAfter <= 51);
  scope.advance(error.retryAfter);
  const probe = breaker.enter();
  assert.equal((await refused(async () => breaker.enter())).reason, 'probing');
  assert.ok(probe.finish());
  assert.equal(breaker.state, 'closed');
  breaker.forceOpen();
  assert.equal((await refused(async () => breaker.enter())).reason, 'forced_open');
  breaker.disable();
  breaker.enter().finish('failure');
  breaker.close();
  assert.match(String(breaker), /^payments: closed/);
});

test('what is the caller’s own says nothing of the callee', async () => {
  const scope = manual();
  const breaker = new r.Breaker('b', {
    consecutiveFailures: 1,
    judge: (error) => (error instanceof TypeError ? 'ignored' : 'failure'),
    scope,
  });
  await assert.rejects(breaker.call(() => Promise.reject(new TypeError('mine'))), TypeError);
  const gone = new AbortController();
  const called = breaker.call(({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))), {
    signal: gone.signal,
  });
  gone.abort(new Error('the caller left'));
  await assert.rejects(called, /the caller left/);
  await assert.rejects(breaker.call(() => 1, { signal: gone.signal }), /the caller left/);
  assert.equal(breaker.state, 'closed');
  await assert.rejects(breaker.call(fails));
  assert.equal(breaker.state, 'open');
});

test('limits refuse, and can be waited for', async () => {
  const bulkhead = new r.Bulkhead('places', { limit: 1 });
  let let_go;
  const held = bulkhead.call(() => new Promise((resolve) => (let_go = resolve)));
  assert.equal((await refused(() => bulkhead.call(() => 1))).reason, 'full');
  const waiting = bulkhead.acquire();
  let_go();
  await held;
  (await waiting).finish();
  assert.deepEqual(bulkhead.figures(), { taken: 0, limit: 1 });
  const bucket = new r.TokenBucket('api', { rate: 200, burst: 1 });
  for (let i = 0; i < 3; i++) (await bucket.acquire()).finish();
  const late = new AbortController();
  const never = new r.SlidingWindow('w', { limit: 1, span: 3_600_000 });
  never.enter().finish();
  const acquired = never.acquire({ signal: late.signal });
  late.abort(new Error('enough'));
  await assert.rejects(acquired, /enough/);
  assert.throws(() => bucket.enter({ tokens: 2 }), (error) => error.reason === 'rate_limited' && error.retryAfter === undefined);
});

test('a pipeline retries, times out and falls back', async () => {
  const breaker = new r.Breaker('b', { consecutiveFailures: 10, emaAlpha: 0 });
  const retry = new r.Retry('r', { attempts: 3, base: 1, cap: 1, budget: new r.Budget('budget') });
  const places = new r.Bulkhead('places', { limit: 2 });
  const pipeline = new r.Pipeline('callee', [breaker, retry, places], { timeout: 600_000 });
  const hasty = new r.Pipeline('hasty', [breaker, retry, places], { timeout: 30 });
  let tries = 0;
  assert.equal(await pipeline.call(() => (++tries < 2 ? fails() : tries)), 2);
  let aborted = 0;
  const slow = ({ signal }) => new Promise(() => signal.addEventListener('abort', () => aborted++));
  await assert.rejects(hasty.call(slow), (error) => error.code === 'KNHK_TIMEOUT');
  assert.equal(aborted, 3);
  assert.equal(breaker.figures().consecutive_failures, 3);
  const cached = pipeline.wrap(fails, { fallback: (error) => `cached, for ${error.message}`, priority: 'high' });
  assert.equal(await cached(), 'cached, for down');
  breaker.forceOpen();
  await refused(() => pipeline.call(() => tries++));
  assert.equal(tries, 2, 'an open breaker is not tried again');
});

test('retries honour what the callee asks for, and who leaves', async () => {
  const retry = new r.Retry('r', {
    base: 1,
    cap: 1,
    longestRetryAfter: 1000,
    on: (error) => error.message !== 'no use',
    after: (error) => error.after,
  });
  const seen = [];
  await assert.rejects(retry.call((attempt) => (seen.push(attempt), fails())), /down/);
  assert.deepEqual(seen, [1, 2, 3]);
  let calls = 0;
  await assert.rejects(retry.call(() => (calls++, Promise.reject(new Error('no use')))), /no use/);
  await assert.rejects(retry.call(() => (calls++, Promise.reject(Object.assign(new Error('busy'), { after: 5000 })))), /busy/);
  assert.equal(calls, 2);
  const gone = new AbortController();
  const patient = new r.Retry('p', { base: 60_000, cap: 60_000 });
  const called = patient.call(fails, { signal: gone.signal });
  setImmediate(() => gone.abort(new Error('the caller left')));
  await assert.rejects(called, /the caller left/);
  assert.equal(r.retryAfter('120'), 120_000);
  assert.equal(r.retryAfter('soon'), undefined);
});

test('a hedge takes the first answer', async () => {
  const hedge = new r.Hedge('h', { unknown: 5 });
  let started = 0;
  let aborted = 0;
  const answer = await hedge.call(({ signal }) => {
    const number = started++;
    if (number > 0) return number;
    return new Promise(() => signal.addEventListener('abort', () => aborted++));
  });
  assert.deepEqual([answer, started, aborted], [1, 2, 1]);
  await assert.rejects(hedge.wrap(fails)(), /down/);
  const gone = new AbortController();
  const called = hedge.call(() => new Promise(() => {}), { signal: gone.signal });
  gone.abort(new Error('the caller left'));
  await assert.rejects(called, /the caller left/);
});

test('load sheds, degrades and is recovered from', async () => {
  const scope = manual();
  const shedder = new r.Shedder('s', { normal: 0.8, scope });
  shedder.load(0.85);
  shedder.enter({ priority: 'high' }).finish();
  assert.match((await refused(async () => shedder.enter())).message, /normal priority are shed at a load of 0.85/);
  const shop = new r.Degradation('shop', [{ name: 'brownout', enter: 0.8, leave: 0.6, enterAfter: 1000, off: ['images'] }], { scope });
  shop.load(0.9);
  assert.ok(shop.isOn('images'));
  scope.advance(1000);
  shop.load(0.9);
  assert.deepEqual([shop.level, shop.state, shop.isOn('images')], [1, 'brownout', false]);
  shop.pin(0);
  assert.ok(shop.isOn('images'));
  assert.throws(() => shop.isOn('video'), (error) => error.code === 'KNHK_NOT_FOUND');
  const recovery = new r.Recovery(
    'db',
    [
      { name: 'reconnect', tries: 2, mend: () => fails() },
      { name: 'restart', mend: async () => {} },
    ],
    { pause: 0, scope },
  );
  const expected = { mendedBy: 'restart', failed: Array(2).fill({ strategy: 'reconnect', why: 'down' }) };
  assert.deepEqual(await recovery.recover('db', 'silent'), expected);
  assert.deepEqual(await recovery.recover('db', 'silent'), { mendedBy: 'restart', failed: [] }, 'it begins further on');
  assert.equal(scope.counters()['knhk.resilience.recovery.recovered'], 2);
  const chaos = new r.Chaos('c', { failures: 1, delays: 1, shortestDelay: 20, longestDelay: 20, scope });
  assert.equal(await chaos.call(() => 1), 1);
  chaos.switch(true);
  const begun = scope.now();
  const { delay } = chaos.enter();
  assert.ok(Math.abs(delay - 20) < 1 && scope.now() === begun, 'the delay is awaited, and blocks nobody');
  await assert.rejects(chaos.call(() => assert.fail('is not called')), (error) => error.code === 'KNHK_CALL_FAILED');
});

test('health is read by people', async () => {
  const shop = new r.Health('shop', { scope: manual() });
  const db = shop.add('db', { weight: 2 });
  const cart = shop.add('cart', { needs: ['db'] });
  assert.throws(() => shop.depend('db', 'cart'), /db -> cart -> db/);
  db.report(0.2);
  cart.report(0.6);
  const report = shop.report();
  assert.equal(report.system, 'critical');
  assert.match(report.text, /^shop: critical, 33.3 % available; 0 of 2 components healthy\n/);
  assert.deepEqual(report.components[1].explainedBy, ['db']);
  db.check(async () => 1);
  cart.check(fails);
  assert.deepEqual((await shop.poll()).components.map((each) => each.health), [1, 0]);
  const polled = new Promise((resolve) => db.check(() => (resolve(), 1)));
  shop.start(1);
  const alive = setInterval(() => {}, 1000);
  await polled;
  clearInterval(alive);
  shop.stop();
});

test('transitions are told', async () => {
  const scope = manual();
  const breaker = new r.Breaker('b', { scope });
  const alive = setInterval(() => {}, 1000);
  const told = await new Promise((resolve) => {
    const stop = scope.subscribe((transition) => {
      stop();
      resolve(transition);
    });
    breaker.forceOpen();
  });
  clearInterval(alive);
  breaker.close();
  assert.deepEqual(
    [told.policy, told.kind, told.before, told.now, told.text, told.missed],
    ['b', 'breaker', 'closed', 'forced open', 'b: circuit breaker closed -> forced open: by hand', 0],
  );
  assert.equal(scope.counters()['knhk.resilience.breaker.transitions'], 2);
});

test('a sector governs a policy', async (t) => {
  const { engine, orders } = engineWith(t);
  const breaker = new r.Breaker('payments', { windowCalls: 10, scope: new r.Scope(engine) });
  breaker.addTo(engine, 'orders');
  await orders.promote(breaker.document());
  assert.equal(value(breaker, 'recovery_ms'), 30_000);
  await orders.promote({ resilience: { payments: { failure_rate: 0.2, recovery_ms: 500 } } });
  assert.deepEqual([value(breaker, 'failure_rate'), value(breaker, 'recovery_ms')], [0.2, 500]);
  await orders.promote({ resilience: { payments: { failure_rate: 7.5 } } });
  assert.equal(value(breaker, 'failure_rate'), 0.2);
  const [info] = r.policies(engine);
  assert.deepEqual([info.name, info.kind, info.sector, info.version, info.state], ['payments', 'breaker', 'orders', 3, 'closed']);
  assert.match(info.refused, /failure_rate is 7.5/);
  breaker.retune({ recovery: 1000, failureRate: 0.4 });
  assert.equal(value(breaker, 'recovery_ms'), 1000);
  assert.throws(() => breaker.addTo(engine), (error) => error.code === 'KNHK_ALREADY_EXISTS');
  assert.ok(r.removePolicy(engine, 'payments') && !r.removePolicy(engine, 'payments'));
});

test('mistakes are named', () => {
  assert.throws(() => new r.Breaker('b', { failureRate: 2 }), /failure_rate is 2/);
  assert.throws(() => new r.Breaker('b', { failrate: 0.5 }), /has no parameter "failrate"/);
  assert.throws(() => new r.Breaker('b', { failureRate: '1' }), TypeError);
  assert.throws(() => new r.Breaker(5), TypeError);
  assert.throws(() => new r.Bulkhead('b', {}), /needs limit/);
  assert.throws(() => new r.Pipeline('p', [new r.Bulkhead('a', { limit: 1 }), new r.Bulkhead('b', { limit: 1 })]), /two/);
  assert.throws(() => new r.Scope('lunar'), TypeError);
  assert.throws(() => new r.Scope().advance(1), /by hand/);
  assert.throws(() => new r.Bulkhead('b', { limit: 1 }).enter({ priority: 'vip' }), TypeError);
  assert.throws(() => new r.Bulkhead('b', { limit: 1 }).enter().finish('fine'), TypeError);
});

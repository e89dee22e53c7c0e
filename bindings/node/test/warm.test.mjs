// The warm path: executors, channels, component graphs.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { openSync } from '../index.mjs';
import { Channel, Executor, Graph, StartFailedError, executors } from '../warm.mjs';
import { code, engineWith, message, worker } from './support.mjs';

const planted = () => {
  throw new Error('planted');
};

test('values, promises and errors', async () => {
  const executor = new Executor('values');
  assert.equal(await executor.submit(() => 4), 4);
  assert.equal(await executor.submit(async () => 5), 5);
  await assert.rejects(executor.submit(planted), /planted/);
  await assert.rejects(executor.submit(async () => planted()), /planted/);
  assert.throws(() => executor.submit(5), TypeError);
  assert.throws(() => executor.task(() => {}, { priority: 'urgent' }), TypeError);
  assert.throws(() => executor.task(() => {}, { budget: -1 }), code('KNHK_INVALID_ARGUMENT'));
  assert.deepEqual(await executor.shutdown(), { unfinished: 0 });
  await assert.rejects(executor.submit(() => 1), code('KNHK_CLOSED'));
  assert.throws(() => executor.stats(), code('KNHK_CLOSED'));
});

test('an executor that an engine knows yields to its hot path', async (t) => {
  const engine = openSync(':memory:', { hotBudgetMs: 50e-6 });
  t.after(() => engine.close());
  const executor = new Executor('yields');
  executor.addTo(engine);
  for (let n = 0; n < 100; n++) engine.reportHot(40e-6);
  assert.ok(engine.hotMean > 30e-6 && engine.hotMean < 50e-6, `${engine.hotMean} ms`);
  const untilTold = executor.task(
    (_, run) => {
      assert.equal(run.shouldYield(), false);
      // A report counts for 10 ms, which this thread may lose between the two.
      do engine.reportHot(1e-3);
      while (!run.shouldYield());
      return run.left;
    },
    { name: 'untilTold', budget: 60_000 },
  );
  assert.ok((await untilTold.submit()) > 0, 'it is not the budget that is used up');

  // Nothing begins while it lasts, and what waits goes on when nothing is said any more.
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  for (let held = false; !held; ) {
    engine.reportHot(1e-3);
    let done = false;
    const waits = executor.submit(() => (done = true));
    for (let n = 0; n < 10; n++) {
      engine.reportHot(1e-3);
      await turn();
    }
    held = !done;
    assert.equal(await waits, true);
  }
  const [listed] = executors(engine);
  assert.deepEqual([listed.name, listed.stats.paused, listed.tasks.map(({ name }) => name)], ['yields', false, ['submit', 'untilTold']]);
  await executor.shutdown();
  assert.deepEqual(executors(engine), []);
  assert.throws(() => engine.reportHot('1'), TypeError);
  assert.throws(() => engine.reportHot(-1), RangeError);
  assert.throws(() => openSync(':memory:', { hotBudgetMs: NaN }), RangeError);
});

test('a generator runs in slices, between which the event loop has its turn', async () => {
  const executor = new Executor();
  let turns = 0;
  let slices = 0;
  const count = executor.task(
    function* (to, run) {
      for (let n = 0; n < to; n++) {
        assert.equal(run.cancelled, false);
        slices = turns;
        yield;
      }
      return to;
    },
    { name: 'count', priority: 'high', budget: 0 },
  );
  const immediates = (function tick() {
    turns += 1;
    return (tick.next = setImmediate(tick));
  });
  immediates();
  assert.equal(await count.submit(20), 20);
  clearImmediate(immediates.next);
  assert.ok(slices >= 15, `the loop turned ${slices} times between twenty slices`);
  const stats = count.stats();
  assert.deepEqual([stats.name, stats.priority, stats.runs, stats.slices, stats.overruns], ['count', 'high', 1, 21, 21]);
  assert.notEqual(stats.level, 'high');
  const sum = executor.task(
    function* () {
      let total = 0;
      for (let n = 0; n < 1000; n++, yield) total += n;
      return total;
    },
    { budget: 60_000 },
  );
  assert.equal(await sum.submit(), 499500);
  assert.equal(sum.stats().slices, 1);
});

test('what matters most and what is due first is first', async () => {
  const executor = new Executor();
  const order = [];
  const low = executor.task((name) => order.push(name), { priority: 'low' });
  const high = executor.task((name) => order.push(name), { priority: 'high' });
  executor.pause();
  const all = [low.submit('low'), high.submit('high'), high.submit('later', { within: 60_000 }), high.submit('soon', { within: 50_000 })];
  const stats = executor.stats();
  assert.deepEqual([stats.paused, stats.waiting, stats.queued], [true, [0, 1, 0, 3, 0], 4]);
  executor.resume();
  await Promise.all(all);
  assert.deepEqual(order, ['soon', 'later', 'high', 'low']);
});

test('aborting', async () => {
  const executor = new Executor();
  const waits = new AbortController();
  executor.pause();
  const waiting = executor.submit(planted, { signal: waits.signal });
  waits.abort(new Error('not wanted'));
  await assert.rejects(waiting, /not wanted/);
  executor.resume();
  await assert.rejects(executor.submit(planted, { signal: AbortSignal.abort(new Error('never')) }), /never/);

  const endless = new AbortController();
  let closed = false;
  const task = executor.task(
    function* () {
      try {
        for (;;) yield;
      } finally {
        closed = true;
      }
    },
    { budget: 0 },
  );
  const running = task.submit(undefined, { signal: endless.signal });
  while (task.stats().slices < 3) await new Promise(setImmediate);
  endless.abort(new Error('enough'));
  await assert.rejects(running, /enough/);
  assert.ok(closed);

  const never = new AbortController();
  const pending = executor.submit((run) => new Promise((_, reject) => run.signal.addEventListener('abort', () => reject(run.signal.reason))), {
    signal: never.signal,
  });
  await new Promise(setImmediate);
  never.abort(new Error('late'));
  await assert.rejects(pending, /late/);
});

test('deadlines, notices, places, an end in time', async (t) => {
  const notices = [];
  const executor = new Executor('small', { capacity: 2, notice: (notice) => notices.push(notice) });
  const drops = executor.task(planted, { name: 'drops', dropLate: true });
  await assert.rejects(drops.submit(undefined, { within: 0 }), code('KNHK_TIMEOUT'));
  const [late] = notices.filter(({ kind }) => kind === 'late');
  assert.equal(late.task, 'drops');
  assert.match(late.text, /was dropped/);
  executor.pause();
  const all = [executor.submit(() => 1), executor.submit(() => 2)];
  await assert.rejects(executor.submit(() => 3), code('KNHK_BUSY'));
  executor.resume();
  assert.deepEqual(await Promise.all(all), [1, 2]);
  const { engine } = engineWith(t);
  executor.addTo(engine);
  assert.throws(() => executor.addTo(engine), code('KNHK_ALREADY_EXISTS'));
  const endless = executor.task(
    function* () {
      for (;;) yield;
    },
    { budget: 0 },
  ).submit();
  const ended = executor.shutdown({ drain: 5 });
  await assert.rejects(endless, code('KNHK_CLOSED'));
  assert.deepEqual(await ended, { unfinished: 1 });
});

test('a channel both ways', async () => {
  const [here, there] = Channel.pair(2);
  const answers = (async () => {
    for await (const { n } of there) await there.send({ n: n + 1, big: 1n, when: new Date(n) });
    there.finish();
  })();
  const asks = (async () => {
    for (let n = 0; n < 500; n++) await here.send({ n });
    here.finish();
  })();
  let expected = 1;
  for await (const answer of here) assert.deepEqual(answer, { n: expected++, big: 1n, when: new Date(expected - 2) });
  await Promise.all([answers, asks]);
  assert.equal(expected, 501);
  assert.deepEqual([here.outgoing.sent, here.incoming.done, here.outgoing.window], [500, 500, 2]);
  await assert.rejects(here.send(1), code('KNHK_CLOSED'));
});

test('credit, and ends that wake whoever waits', async () => {
  const [here, there] = Channel.pair(1);
  assert.equal(there.tryReceive(), undefined);
  assert.ok(here.trySend(undefined) && !here.trySend('two'));
  const delivery = await there.take();
  assert.equal(delivery.value, undefined);
  assert.ok(!here.trySend('two'));
  delivery.done();
  delivery.done();
  there.hold();
  assert.ok(here.outgoing.held && !here.trySend('two'));
  const sent = here.send('two');
  there.release();
  await sent;
  assert.equal(await there.receive(), 'two');
  const aborted = new AbortController();
  const waits = there.receive({ signal: aborted.signal });
  aborted.abort(new Error('enough'));
  await assert.rejects(waits, /enough/);
  const first = there.receive();
  await here.send('three');
  assert.equal(await first, 'three', 'what was aborted received nothing');
  for (const end of [here, there]) {
    const [left, right] = end === here ? [here, there] : Channel.pair(1);
    const waiting = [left.receive(), right.receive()];
    left.close();
    await Promise.all(waiting.map((each) => assert.rejects(each, code('KNHK_CLOSED'))));
  }
  assert.throws(() => Channel.pair(0), RangeError);
  assert.throws(() => Channel.attach('knhk-channel:1:1'), code('KNHK_NOT_FOUND'));
});

test('a channel to a worker holds its sender back', async (t) => {
  const [here, there] = Channel.pair(4);
  const token = there.share();
  assert.throws(() => there.trySend(1), code('KNHK_CLOSED'));
  const other = worker(t, 'channel.mjs', token);
  const asked = message(other);
  let n = 0;
  while (here.trySend(++n));
  assert.equal(n, 5, 'four are under way');
  other.postMessage('go on');
  await here.send('five');
  here.finish();
  const all = [];
  for await (const answer of here) all.push(answer);
  assert.deepEqual(all, [2, 4, 6, 8, 'fivefive']);
  assert.equal(await asked, 'the end');
});

class Part {
  constructor(name, log, does = {}) {
    Object.assign(this, { name, log, does });
  }
  #asked(what) {
    this.log.push(`${what} ${this.name}`);
    return this.does[what]?.();
  }
  start() {
    return this.#asked('start');
  }
  async drain() {
    return this.#asked('drain');
  }
  stop() {
    return this.#asked('stop');
  }
  health() {
    return this.does.health ?? 1;
  }
}

test('a graph starts and stops in order', async () => {
  const log = [];
  const parts = new Graph();
  parts.add('store', new Part('store', log, { health: 0.4 }));
  parts.add('engine', new Part('engine', log), { needs: ['store'] });
  assert.throws(() => parts.depend('store', 'engine'), code('KNHK_INVALID_ARGUMENT', /store -> engine -> store/));
  assert.throws(() => parts.add('other', new Part(), { needs: ['stor'] }), code('KNHK_NOT_FOUND'));
  assert.throws(() => parts.add('store', new Part()), code('KNHK_ALREADY_EXISTS'));
  assert.throws(() => parts.add('other', {}), TypeError);
  assert.ok((await parts.start({ timeout: 60_000 })).allWell);
  assert.throws(() => parts.depend('engine', 'store'), code('KNHK_BUSY'));
  assert.deepEqual(parts.health(), [
    { name: 'store', own: 0.4, effective: 0.4, becauseOf: [] },
    { name: 'engine', own: 1, effective: 0.4, becauseOf: ['store'] },
  ]);
  assert.ok((await parts.shutdown({ drain: 60_000, stop: 60_000 })).allWell);
  const phases = ['start store', 'start engine', 'drain engine', 'drain store', 'stop engine', 'stop store'];
  assert.deepEqual(log, phases);
});

test('a start that fails leaves nothing running', async () => {
  const log = [];
  const parts = new Graph();
  parts.add('store', new Part('store', log));
  parts.add('ledger', new Part('ledger', log, { start: () => Promise.reject(new Error('no disk')) }), { needs: ['store'] });
  parts.add('engine', new Part('engine', log), { needs: ['ledger'] });
  await assert.rejects(parts.start({ timeout: 60_000 }), (error) => {
    assert.ok(error instanceof StartFailedError && error.code === 'KNHK_CALL_FAILED' && error.item === 'ledger');
    assert.match(error.message, /ledger failed: no disk/);
    return assert.deepEqual(error.how.all.map(({ outcome }) => outcome), ['done', 'failed', 'skipped']) ?? true;
  });
  assert.deepEqual(log, ['start store', 'start ledger', 'stop store']);
});

test('a shutdown ends at its deadline and names the stuck', async () => {
  const log = [];
  const parts = new Graph();
  let letGo;
  const stuck = new Promise((resolve) => (letGo = resolve));
  for (let n = 0; n < 50; n++) {
    const does = n === 20 ? { drain: () => stuck } : n === 30 ? { stop: () => stuck } : {};
    parts.add(`part ${n}`, new Part(`part ${n}`, log, does));
  }
  await parts.start({ timeout: 60_000 });
  const report = await parts.shutdown({ drain: 1_000, stop: 1_000 });
  assert.ok(report.took >= 2_000 && report.stuck.includes('part 20') && report.stuck.includes('part 30'), report.text);
  assert.match(report.text, /part 20 did not return from drain\n/);
  letGo();
});

// The closed loop: each row of the table that C, Python and Node share, and what the methods give.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { open, Signer } from '../index.mjs';
import { code } from './support.mjs';

const table = JSON.parse(readFileSync(new URL('../../../tests/loop/table.json', import.meta.url), 'utf8'));
// Beyond 2^53: exact as text.
const begin = BigInt(1_800_000_000_000) * 1_000_000n;
const fault = table.rows[1];

async function opened(t, row) {
  const manualTimeMs = Number(begin / 1_000_000n);
  const engine = await open(':memory:', { signer: Signer.generate(), observations: true, manualTimeMs, ringRecords: 1 << 14 });
  t?.after(() => engine.close());
  await engine.createSector('gateway', { kind: 'governed' });
  const document = table.ontology + row.declares.join('\n');
  const first = await engine.propose({ gateway: { document, format: 'turtle' } }, { by: 'ops-1' });
  assert.equal(first.state, 'enacted', JSON.stringify(first.reports));
  return engine;
}

function traffic(engine, phases) {
  const key = engine.sector('gateway').key('concurrency', 'i64');
  let now = begin;
  for (const [seconds, records, failed, value] of phases) {
    for (let second = 0; second < seconds; second++) {
      for (let record = 0; record < records; record++) {
        assert.ok(engine.observe(key, value, { outcome: record < failed ? 'error' : 'success', timeNs: now + BigInt(record) }));
      }
      engine.advanceTime(1000);
      now += 1_000_000_000n;
    }
  }
}

const concurrency = (engine) => engine.sector('gateway').key('concurrency', 'i64').value;

for (const row of table.rows) {
  test(row.name, async (t) => {
    const engine = await opened(t, row);
    const { loop } = engine;
    if (row.plan) {
      loop.addProposer('own', async (question) => {
        assert.equal(question.parameters.find(({ path }) => path === 'concurrency').value, 64);
        if (row.plan.throws) throw new Error(row.plan.throws);
        if (row.plan.value === undefined) return undefined;
        return { changes: [{ path: 'concurrency', value: row.plan.value }], why: 'own: it is known to hold', confidence: 0.9 };
      });
    }
    if (row.detector) {
      const { throws, above } = row.detector;
      loop.addDetector('jump', (sector, watch) => {
        assert.deepEqual([sector, watch], ['gateway', 'Jump']);
        return ({ value, counts, from_ns, to_ns }) => {
          if (throws) throw new Error(throws);
          if (value === null) return null;
          assert.ok(counts.count === 60 && to_ns > from_ns);
          return { statistic: value, confidence: value > above ? 0.9999 : 0, expected: above };
        };
      });
    }
    const { changes_per_hour: changesPerHour, confirm_above: confirmAbove, ...settings } = row.settings ?? {};
    await loop.start({ every: 0, ...settings, ...(changesPerHour !== undefined && { changesPerHour }), ...(confirmAbove !== undefined && { confirmAbove }) });
    await loop.step();
    traffic(engine, row.traffic);
    await loop.step();
    await loop.step();
    const [cycle] = await loop.cycles({ limit: 1 });
    if (row.cycle === null) {
      assert.equal(cycle, undefined);
    } else {
      const { state = 'closed', says = '', watch, ...rest } = row.cycle;
      assert.equal(cycle.state, state, cycle.said);
      assert.equal(cycle.pattern.watch, watch);
      assert.ok(cycle.said.includes(says), cycle.said);
      for (const [name, value] of Object.entries(rest)) assert.equal(cycle[name], value, cycle.said);
    }
    assert.equal(concurrency(engine), row.value);
    assert.ok((await loop.status()).callbacks_failed >= (row.failed ?? 0));
  });
}

test('finished cycles are iterated, and hooks hear of phases', async (t) => {
  const engine = await opened(t, fault);
  const { loop } = engine;
  const heard = [];
  loop.addHook('plan', 'before', ({ phase, when, sector }) => heard.push([phase, when, sector]));
  const learned = new Promise((resolve) => {
    loop.addHook('learn', 'after', ({ phase, when, cycle }) => {
      heard.push([phase, when, cycle.id]);
      resolve();
    });
  });
  await loop.start({ every: 0 });
  await loop.step();
  traffic(engine, fault.traffic);
  const finished = loop.finished();
  await loop.step();
  await loop.step();
  const { value: cycle } = await finished.next();
  assert.deepEqual([cycle.id, cycle.outcome, cycle.plan.changes], ['l-1', 'kept', [{ path: 'concurrency', value: 32 }]]);
  await finished.return();
  await learned;
  assert.deepEqual(heard, [['plan', 'before', 'gateway'], ['learn', 'after', 'l-1']]);

  const ends = loop.finished();
  engine.close();
  assert.deepEqual(await ends.next(), { done: true, value: undefined });
  assert.throws(() => loop.finished(), code('KNHK_CLOSED'));
});

test('what was found and learned is told, and carried elsewhere', async (t) => {
  const [engine, other] = [await opened(t, fault), await opened(t, fault)];
  const { loop } = engine;
  await loop.start({ every: 0 });
  await loop.step();
  traffic(engine, fault.traffic);
  await loop.step();
  await loop.step();
  const [pattern] = await loop.patterns({ sector: 'gateway' });
  assert.deepEqual([pattern.watch, pattern.cycle, pattern.concerns], ['Errors', 'l-1', 'concurrency']);
  const cycle = await loop.cycle('l-1');
  assert.deepEqual(cycle.versions, { gateway: 2 });
  assert.equal((await engine.proposal(cycle.proposal)).state, 'enacted');
  assert.deepEqual(await loop.cycles({ open: true }), []);
  const { proposers, watches } = await loop.knowledge();
  assert.deepEqual([proposers.rule.kept, watches['gateway/Errors'].rate], [1, 1]);
  const replayed = await loop.replay({ cycle: 'l-1' });
  assert.deepEqual([replayed.equal, replayed.left_out], [true, []]);
  assert.ok((await other.loop.importKnowledge(await loop.exportKnowledge())) > 0);
  assert.equal((await other.loop.knowledge()).proposers.rule.kept, 1);
  await assert.rejects(loop.cycle('l-99'), code('KNHK_NOT_FOUND'));
});

test('what is refused', async (t) => {
  const engine = await opened(t, fault);
  const { loop } = engine;
  loop.addProposer('own', () => null);
  assert.throws(() => loop.addProposer('own', () => null), code('KNHK_ALREADY_EXISTS'));
  assert.throws(() => loop.addProposer('rule', () => null), code('KNHK_INVALID_ARGUMENT'));
  assert.throws(() => loop.addProposer('other', 7), TypeError);
  assert.deepEqual([loop.removeProposer('own'), loop.removeProposer('own')], [true, false]);
  loop.addDetector('jump', () => () => null);
  assert.deepEqual([loop.removeDetector('jump'), loop.removeDetector('jump')], [true, false]);
  assert.throws(() => loop.addHook('dream', 'after', () => {}), code('KNHK_INVALID_ARGUMENT'));
  const hook = loop.addHook('monitor', 'before', () => {});
  assert.deepEqual([loop.removeHook(hook), loop.removeHook(hook)], [true, false]);
  await assert.rejects(loop.start({ step: -1 }), code('KNHK_INVALID_ARGUMENT'));
  await assert.rejects(loop.start({ unheardOf: 1 }), code('KNHK_INVALID_ARGUMENT'));
  assert.equal((await loop.stop()).running, false);
  const plain = await open(':memory:', { signer: Signer.generate() });
  await assert.rejects(plain.loop.start(), code('KNHK_NOT_READY'));
  assert.throws(() => plain.advanceTime(1), code('KNHK_INVALID_ARGUMENT'));
  plain.close();
});

test('an engine is closed while the loop waits for its proposer, and nobody waits for nobody', async () => {
  const row = table.rows.find(({ name }) => name === 'what a proposer throws is said');
  const engine = await opened(undefined, row);
  const asked = new Promise((resolve) => {
    engine.loop.addProposer('own', () => {
      resolve();
      // Never answers.
      return new Promise(() => {});
    });
  });
  await engine.loop.start({ every: 0, proposers: ['own'], deadline: 600_000 });
  await engine.loop.step();
  traffic(engine, row.traffic);
  const step = engine.loop.step().catch((error) => error);
  await asked;
  engine.close();
  assert.ok(await step);
});

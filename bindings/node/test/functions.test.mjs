// Functions of the program in governance, what is tried before it is everyone's, and the history.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { open, renderReport, Signer } from '../index.mjs';
import { code } from './support.mjs';

const table = JSON.parse(readFileSync(new URL('../../../tests/governance/table.json', import.meta.url), 'utf8'));

async function opened(t) {
  const engine = await open(':memory:', { signer: Signer.generate() });
  t.after(() => engine.close());
  await engine.createSector('orders', { kind: 'governed' });
  const document = JSON.stringify({ ...table.base, governance: table.governance });
  const first = await engine.propose({ orders: { document } }, { by: 'ops-1', why: 'the first' });
  assert.equal(first.state, 'enacted', JSON.stringify(first.reports));
  return engine;
}

const qty = (engine, max_qty, options) => engine.propose({ orders: { values: { max_qty } } }, { by: 'bob', ...options });
const text = (proposal) => proposal.reports.map(renderReport).join('\n');
const below = (question, view) => {
  const lots = view.find('orders/max_qty');
  return lots > 2000 ? `${lots} lots are too many` : undefined;
};

test('a rule asks a function, which reads what would be', async (t) => {
  const engine = await opened(t);
  const toml = '[[rule]]\nid = "below"\nsector = "orders"\nenforcement = "hard_mandatory"\n[rule.callback]\nname = "below"\n';
  const [rule] = await engine.addRules(toml, { by: 'ops-1' });
  assert.equal(rule.rule.id, 'below');
  assert.equal((await qty(engine, 1100)).state, 'refused');
  let asked;
  engine.setRuleFunction('below', async (question, view) => {
    asked = question;
    await null;
    return below(question, view);
  });
  const refused = await qty(engine, 2500, { why: 'ticket 881' });
  assert.equal(refused.state, 'refused');
  assert.match(text(refused), /2500 lots are too many/);
  assert.deepEqual([asked.kind, asked.name, asked.proposal, asked.rule.id], ['rule', 'below', refused.id, 'below']);
  assert.equal(asked.differences[0].summary, 'max_qty 1000 → 2500');
  assert.equal((await qty(engine, 1100)).state, 'enacted');
  engine.setRuleFunction('below', () => {
    throw new RangeError('the desk is closed');
  });
  assert.match(text(await qty(engine, 1200)), /RangeError: the desk is closed/);
  assert.equal(engine.unset('rule', 'below'), true);
  assert.equal(engine.unset('rule', 'below'), false);
  assert.throws(() => engine.setRuleFunction('below', 7), TypeError);
});

test('an invariant is a function or a condition', async (t) => {
  const engine = await opened(t);
  engine.setInvariant('hedged', below);
  assert.match(text(await qty(engine, 2500)), /hedged would not hold any more: 2500 lots are too many/);
  engine.setInvariant('hedged', () => false, { severity: 'warning' });
  assert.equal((await qty(engine, 2500)).state, 'enacted');
  engine.setInvariant('hedged', 'after["orders/max_qty"] <= 1500');
  assert.equal((await qty(engine, 2600)).state, 'refused');
  assert.equal(engine.unset('invariant', 'hedged'), true);
  assert.throws(() => engine.setInvariant('hedged', 'after.'), code('KNHK_DOCUMENT', /hedged/));
  assert.throws(() => engine.setInvariant('hedged', 'true', { severity: 'grave' }), code('KNHK_INVALID_ARGUMENT', /severity/));
});

test('a shadow is tested by a function', async (t) => {
  const engine = await opened(t);
  const shadow = await engine.shadow({ orders: { values: { max_qty: 2600 } } });
  assert.equal(shadow.differences[0].differences[0].summary, 'max_qty 1000 → 2600');
  engine.setTestFunction('hedged', (question, view) => {
    assert.equal(question.shadow, shadow.id);
    return below(question, view);
  });
  const tests = [{ name: 'hedged', severity: 'blocker', assertion: { function: { name: 'hedged' } } }];
  const [{ report }] = await engine.testShadow(shadow.id, tests);
  assert.deepEqual([report.verdict, report.outcomes[0].failed], ['refused', '2600 lots are too many']);
});

test('work is measured', async (t) => {
  const engine = await opened(t);
  const max = engine.sector('orders').key('max_qty', 'i64');
  engine.setWorkload('orders', 'sweep', (view) => {
    let sum = 0;
    // 25 times as much at five times the value: far from the threefold that is allowed, whatever a call costs on this machine.
    for (let n = view.get(max) ** 2 / 50; n > 0; n--) sum += n % 7;
    return sum;
  });
  assert.match(text(await qty(engine, 5000)), /measurement sweep/);
  assert.equal((await qty(engine, 900)).state, 'enacted');
  engine.setWorkload('orders', 'sweep', () => {
    throw new Error('no desk');
  });
  assert.match(text(await qty(engine, 800)), /Error: no desk/);
  assert.equal(engine.unset('workload', 'sweep', { sector: 'orders' }), true);
  assert.throws(() => engine.setWorkload('nowhere', 'sweep', () => 0), code('KNHK_NOT_FOUND', /nowhere/));
});

test('stages tell how far they are, and what was aborted refuses', async (t) => {
  const engine = await opened(t);
  const told = [];
  const progress = (sector, stage, report) => told.push([sector, stage, report?.verdict]);
  const [report] = await engine.check({ orders: { values: { max_qty: 1100 } } }, { progress });
  assert.equal(report.verdict, 'passed');
  assert.equal(told.length, 14);
  assert.deepEqual(new Set(told.filter(([, , verdict]) => verdict).map(([, stage]) => stage)), new Set(report.stages.map(({ stage }) => stage)));
  // A rule that waits for the abort holds the stages until it is there.
  const toml = '[[rule]]\nid = "slow"\nsector = "orders"\nenforcement = "hard_mandatory"\n[rule.callback]\nname = "slow"\n';
  await engine.addRules(toml, { by: 'ops-1' });
  const leaves = new AbortController();
  engine.setRuleFunction('slow', () => leaves.abort());
  const stopped = await qty(engine, 1100, { signal: leaves.signal });
  assert.equal(stopped.state, 'refused');
  assert.match(text(stopped), /stopped before it began/);
});

test('what cannot be read is not judged by the rest', async (t) => {
  const engine = await opened(t);
  const [report] = await engine.check({ orders: { values: { max_qty: 9000 } } });
  const verdict = (name) => report.stages.find(({ stage }) => stage === name).verdict;
  assert.deepEqual([report.verdict, verdict('invariants'), verdict('performance')], ['refused', 'refused', 'not_judged']);
});

test('a rollback ends a canary, a schedule is taken back, a merge is resolved', async (t) => {
  const engine = await opened(t);
  const held = await qty(engine, 1100, { enact: false });
  const canary = await engine.canary(held.id, { share: 0.5, by: 'bob' });
  assert.deepEqual([canary.state, canary.share], ['running', 0.5]);
  await engine.sector('orders').rollback(1);
  assert.equal((await engine.canaries())[0].state, 'stopped');
  const later = await qty(engine, 1200, { enact: false });
  const schedule = await engine.schedule(later.id, { moment: '2099-01-01T00:00:00Z' });
  assert.equal(schedule.state, 'waiting');
  assert.equal((await engine.unschedule(schedule.id)).state, 'cancelled');
  const band = (price_band) => engine.propose({ orders: { values: { price_band } } }, { by: 'bob' });
  const [{ version: theirs }] = (await band(0.1)).versions;
  await engine.sector('orders').rollback(1);
  await band(0.2);
  const merge = await engine.merge('orders', theirs.version);
  assert.deepEqual(merge.conflicts.map(({ item }) => item), ['price_band']);
  const merged = await engine.merge('orders', theirs.version, { resolve: { price_band: { value: '0.15' } }, propose: true, by: 'bob' });
  assert.equal(merged.proposal.state, 'enacted', merged.text);
  const blamed = await engine.blame('orders', { path: 'price_band' });
  assert.ok(blamed.some(({ statement, change }) => statement.includes('0.15') && change.by === 'bob'));
  const [back] = await engine.rollbackTogether({ orders: 1 }, { emergency: true });
  assert.equal(back.version.rollback_of, 1);
  assert.equal(await engine.recompose(), null);
});

// Governance: each row of the table that C, Python and Node share, and what the methods give.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { approverKey, open, renderReport, signApproval, Signer } from '../index.mjs';
import { code } from './support.mjs';

const table = JSON.parse(readFileSync(new URL('../../../tests/governance/table.json', import.meta.url), 'utf8'));

async function opened(t, governance, options) {
  const engine = await open(':memory:', { signer: Signer.generate(), ...options });
  t.after(() => engine.close());
  await engine.createSector('orders', { kind: 'governed' });
  const document = { ...table.base, governance: { ...table.governance, ...governance } };
  const first = await engine.propose({ orders: { document: JSON.stringify(document) } }, { by: 'ops-1', why: 'the first' });
  assert.equal(first.state, 'enacted', JSON.stringify(first.reports));
  return engine;
}

async function approvers(engine) {
  const keys = { ada: approverKey(), eve: approverKey() };
  const member = ([name, key]) =>
    `[[approver]]\nname = "${name}"\nkey = "${key.public}"\ngroups = ["${name === 'ada' ? 'desk-risk' : 'head-of-desk'}"]\n`;
  const toml = `revision = 1\nthreshold = 1\n${Object.entries(keys).map(member).join('')}`;
  const change = await engine.changeApprovers(toml, { by: 'ops-1', why: 'the first' });
  const { payload } = await engine.approvalRequest('approvers', change.id);
  const { change: done } = await engine.approve(signApproval(payload, keys.ada.secret));
  assert.equal(done.in_force, true);
  return keys;
}

const proposed = (engine, { content, ...rest }) =>
  engine.govern('propose', { by: 'bob', why: 'the test', ...rest, changes: [{ sector: 'orders', content }] });

for (const row of table.rows) {
  test(`${row.name}: refused by ${row.stage}, and mended it passes`, async (t) => {
    const engine = await opened(t, row.governance, { retainVersions: row.retain_versions });
    if (row.approvers) await approvers(engine);
    for (const [verb, request] of row.setup ?? []) await engine.govern(verb, request);
    const held = row.holds && engine.sector('orders').key(...row.holds);
    const broken = await proposed(engine, row.breaks);
    const state = row.state ?? 'refused';
    assert.equal(broken.state, state, broken.said);
    const stage = broken.reports[0].stages.find((stage) => stage.stage === row.stage);
    assert.equal(stage.verdict, state);
    const said = [...stage.findings.map(({ item, what }) => `${item}: ${what}`), ...stage.needs.map(({ item }) => item)];
    assert.ok(said.some((line) => line.startsWith(row.item) && line.includes(row.says)), said.join('\n'));
    const other = row.mended_governance ? await opened(t, row.mended_governance) : engine;
    const mended = await proposed(other, row.mended);
    assert.equal(mended.state, row.mended_state ?? 'enacted', JSON.stringify(mended.reports, null, 1));
    assert.ok(held === undefined || held);
  });
}

test('a proposal waits for an approval and is current with it', async (t) => {
  const engine = await opened(t);
  const keys = await approvers(engine);
  const rule = '[[rule]]\nid = "four-eyes"\nsector = "orders"\nenforcement = "hard_mandatory"\n[rule.approval_chain]\nsteps = [{ quorum = 1 }]\n';
  assert.equal((await engine.addRules(rule, { by: 'ops-1' })).length, 1);
  const waiting = await engine.propose({ orders: { values: { max_qty: 1400 } } }, { by: 'bob', why: 'ticket 881' });
  assert.equal(waiting.state, 'waiting');
  assert.match(renderReport(waiting.reports[0]), /doctrine .*four-eyes/);
  await assert.rejects(engine.enact(waiting.id), (error) => {
    assert.equal(error.code, 'KNHK_WAITING');
    assert.equal(error.stages[0].verdict, 'waiting');
    return true;
  });
  const { payload, text } = await engine.approvalRequest('proposal', waiting.id);
  assert.ok(text.includes(waiting.id));
  await assert.rejects(engine.approve(signApproval(payload, approverKey().secret)));
  const { proposal } = await engine.approve(signApproval(payload, keys.eve.secret));
  assert.deepEqual([proposal.state, proposal.approvals.map(({ by }) => by)], ['enacted', ['eve']]);
  assert.equal(engine.sector('orders').key('max_qty', 'i64').value, 1400);
  assert.deepEqual(await engine.proposals({ open: true }), []);
});

test('a governed sector is not promoted, and a check files nothing', async (t) => {
  const engine = await opened(t);
  await assert.rejects(engine.sector('orders').promote({ max_qty: 1 }), code('KNHK_UNGOVERNED'));
  const [report] = await engine.check({ orders: { values: { max_qty: 9000 } } });
  assert.equal(report.verdict, 'refused');
  assert.match(renderReport(report), /max_qty/);
  assert.equal((await engine.proposals()).length, 1);
  const held = await engine.propose({ orders: { values: { max_qty: 1100 } } }, { by: 'bob', enact: false });
  assert.equal(held.state, 'passed');
  assert.equal((await engine.withdraw(held.id, { by: 'bob' })).state, 'withdrawn');
  await assert.rejects(engine.proposal('p-99'), code('KNHK_NOT_FOUND'));
  await assert.rejects(engine.govern('frobnicate'), code('KNHK_INVALID_ARGUMENT'));
  await assert.rejects(engine.propose({ orders: { nothing: 1 } }), TypeError);
});

test('guards come and go one by one, and rules that are over are cleaned up', async (t) => {
  const engine = await opened(t);
  const guard = { id: 'max', kind: 'safety_interlock', criticality: 'low', limit: [{ paths: ['max_qty'], max: 1500 }] };
  assert.ok((await engine.addGuard(guard, { by: 'ops-1', why: 'audit' })).in_force);
  const [kept] = (await engine.guards()).guard;
  assert.deepEqual([kept.id, kept.limit[0].max], ['max', 1500]);
  assert.equal((await engine.propose({ orders: { values: { max_qty: 1600 } } }, { by: 'bob' })).state, 'refused');
  assert.ok((await engine.removeGuard('max', { by: 'ops-1' })).in_force);
  assert.deepEqual((await engine.guards()).guard, []);
  await assert.rejects(engine.removeGuard('max'), code('KNHK_NOT_FOUND'));
  assert.deepEqual(await engine.cleanUpDoctrine(), []);
});

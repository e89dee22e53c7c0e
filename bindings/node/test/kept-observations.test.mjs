import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';

import { open } from '../index.mjs';
import { code, engineWith, folder } from './support.mjs';

const ONTOLOGY = `
@prefix : <urn:knhk:orders:> . @prefix k: <urn:knhk:core:> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
:max_qty k:value 1000 ; k:unit "lots" .
:reject_share k:value 5 ; k:unit "%" .
:OrderChecked a k:ObservationKind ; k:concerns :max_qty ; k:valueType "i64" ; k:unit "lots" ; k:min 1 ;
    rdfs:comment "Recorded for each order that was checked, with its quantity."@en .
:Rejects a k:Slo ; k:indicator :OrderChecked ; k:aggregate "failure_share" ; k:atMost :reject_share ;
    k:window 60 ; k:onMissingData "hold" ; rdfs:comment "Few orders are refused."@en .
`;

test('observations are added up, kept, and proven one by one', async (t) => {
  const engine = await open(join(folder(t), 'limits'), { observations: { segmentRecords: 1024, windowMs: 10_000 } });
  t.after(() => engine.close());
  const orders = await engine.createSector('orders');
  await orders.promoteRdf(ONTOLOGY);
  const key = orders.key('max_qty', 'i64');
  for (const quantity of [100, 700, 1100, 300]) {
    assert.ok(engine.observe(key, quantity, { outcome: quantity <= key.value ? 'success' : 'rejected' }));
  }
  await engine.flushObservations();
  const [checked] = await orders.aggregates();
  assert.deepEqual([checked.key, checked.kind, checked.unit], ['max_qty', 'OrderChecked', 'lots']);
  assert.deepEqual([checked.total.count, checked.total.success, checked.total.rejected], [4, 3, 1]);
  assert.deepEqual([checked.window.max, checked.window.failureShare], [1100, 25]);
  const [rejects] = await orders.objectives();
  assert.deepEqual([rejects.name, rejects.value, rejects.met, rejects.burn, rejects.limit], ['Rejects', 25, false, 5, 5]);
  const stats = await engine.observeStats();
  assert.deepEqual([stats.drained, stats.persisted, stats.lost, stats.failing], [4, 4, 0, undefined]);

  const [segment] = await engine.segments({ sector: 'orders' });
  assert.equal(segment.count, 4);
  const receipt = await engine.receipt(segment.receipt);
  assert.deepEqual([receipt.kind, receipt.evidence.root], ['observations ingested', segment.root]);
  const kept = await engine.observations(segment.number);
  assert.deepEqual(
    kept.map((one) => [one.value, one.outcome, one.key]),
    [
      [100n, 1, 'max_qty'],
      [700n, 1, 'max_qty'],
      [1100n, 2, 'max_qty'],
      [300n, 1, 'max_qty'],
    ],
  );
  const { record, proof } = await engine.proveObservation(segment.number, 2);
  await engine.verifyObservation(record, proof);
  record[8] ^= 1;
  await assert.rejects(engine.verifyObservation(record, proof), code('KNHK_UNPROVEN'));
  await assert.rejects(engine.verifyObservation(record, record), code('KNHK_INVALID_ARGUMENT'));
  await assert.rejects(engine.proveObservation(segment.number, 99), code('KNHK_NOT_FOUND'));
  assert.equal((await engine.verify()).observations, 4);
  assert.throws(() => engine.drain(), code('KNHK_INVALID_ARGUMENT', /drains its observations by itself/));
});

test('options of observations that make no sense', async (t) => {
  for (const observations of [5, { windowMs: 1 }, { segmentRecords: 0 }, { compression: 99 }]) {
    await assert.rejects(open(folder(t), { observations }), code('KNHK_INVALID_ARGUMENT'));
  }
  await assert.rejects(open(':memory:', { observations: true }), code('KNHK_INVALID_ARGUMENT', /under receipts/));
  const { engine, orders } = engineWith(t, { n: 1 });
  await assert.rejects(engine.observeStats(), code('KNHK_NOT_READY'));
  await assert.rejects(orders.aggregates(), code('KNHK_NOT_READY'));
});

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { KnhkError, verifyProof } from '../index.mjs';
import { code, engineWith } from './support.mjs';

const ONTOLOGY = `
@prefix : <urn:knhk:orders:> . @prefix k: <urn:knhk:core:> . @prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . @prefix ex: <http://example.com/> .
:max_qty k:value 1000 ; k:min 1 ; k:max 5000 ; k:unit "lots" .
ex:Order a rdfs:Class . ex:Limit a rdfs:Class ; rdfs:subClassOf ex:Order .
ex:OrderShape a sh:NodeShape ; sh:targetClass ex:Order ; sh:property [ sh:path ex:qty ; sh:minCount 1 ; sh:maxInclusive 5000 ] .
ex:o1 a ex:Limit ; ex:qty 7 .
`;
const BROKEN = '<http://example.com/o2> a <http://example.com/Order> ; <http://example.com/qty> 9000 .';
const value = (n) => `<urn:knhk:orders:max_qty> <urn:knhk:core:value> "${n}"^^<http://www.w3.org/2001/XMLSchema#integer> .`;

function known(t) {
  const made = engineWith(t);
  made.orders.promoteRdfSync(ONTOLOGY, { by: 'ops-1', why: 'first limits' });
  return made;
}

test('an ontology is promoted, and changed by statement', async (t) => {
  const { orders } = known(t);
  const maxQty = orders.key('max_qty', 'i64');
  assert.deepEqual([maxQty.value, maxQty.allows(5000), maxQty.allows(5001)], [1000, true, false]);
  const changed = await orders.promoteDelta({ remove: value(1000), add: value(2000) }, { by: 'ops-2' });
  assert.deepEqual([changed.version, changed.by, maxQty.value], [2, 'ops-2', 2000]);
  const { removed, added, text } = orders.diff(1, 2);
  assert.deepEqual([removed, added, text.trim().split('\n')], [[value(1000)], [value(2000)], [`- ${value(1000)}`, `+ ${value(2000)}`]]);
  assert.equal(orders.promoteDeltaSync({ remove: value(2000), add: value(3) }).version, 3);
  assert.throws(() => orders.diff(1, 9), code('KNHK_NOT_FOUND'));
});

test('every format says the same', async (t) => {
  const { orders } = known(t);
  const [{ snapshotId }] = orders.history();
  for (const format of ['turtle', 'ntriples', 'nquads', 'jsonld', 'rdfxml']) {
    const text = orders.export(undefined, { format });
    assert.equal((await orders.promoteRdf(text, { format })).snapshotId, snapshotId, format);
    assert.equal((await orders.promoteRdf(Buffer.from(text), { format })).snapshotId, snapshotId, format);
  }
  orders.promoteSync({ max_qty: 7 });
  assert.match(orders.export(undefined, { format: 'turtle' }), /OrderShape/, 'a document replaces values, and keeps the rest');
});

test('what breaks a shape is refused with a report', async (t) => {
  const { orders } = known(t);
  const whole = await orders.validate();
  assert.deepEqual([whole.conforms, whole.results], [true, []]);
  const report = await orders.validateDelta({ add: BROKEN });
  assert.equal(report.conforms, false);
  const [found] = report.results;
  assert.equal(found.severity, 'violation');
  assert.match([found.focus, found.path, found.value, found.component].join(' '), /o2.*qty.*9000.*MaxInclusive/);
  assert.ok(report.text.includes(found.message) && String(report) === report.text);
  assert.match(report.toRdf(), /ValidationReport/);
  assert.throws(() => report.toRdf('docx'), TypeError);
  await assert.rejects(orders.promoteDelta({ add: BROKEN }), (error) => {
    assert.ok(error instanceof KnhkError && error.code === 'KNHK_NONCONFORMING' && error.status === 204);
    assert.equal(error.report.text, report.text);
    assert.match(error.report.toRdf('jsonld'), /ValidationReport/);
    return true;
  });
  assert.throws(() => orders.promoteRdfSync(ONTOLOGY + BROKEN), code('KNHK_NONCONFORMING', /9000/));
  assert.equal((await orders.validateRdf(ONTOLOGY + BROKEN)).conforms, false);
  assert.equal(orders.history().length, 1);
});

test('bad input is refused and changes nothing', async (t) => {
  const { orders } = known(t);
  const refused = [
    [() => orders.promoteRdf('<a> <b'), code('KNHK_DOCUMENT')],
    [() => orders.promoteRdf('', { format: 'docx' }), TypeError],
    [() => orders.promoteRdf(7), TypeError],
    [() => orders.promoteDelta(7), TypeError],
    [() => orders.promoteDelta({ add: 7 }), TypeError],
    [() => orders.promoteRdf('<http://a> <http://b> <http://c> <http://g> .', { format: 'nquads' }), code('KNHK_DOCUMENT')],
    [() => orders.promoteDelta({ add: '<urn:knhk:core:value> <http://b> 1 .' }), code('KNHK_CONFLICT')],
    [() => orders.promoteDelta({ add: '<urn:knhk:other:x> <urn:knhk:core:value> 1 .' }), code('KNHK_CONFLICT')],
    [() => orders.promoteRdf('{"@context": "http://a.example/context"}', { format: 'jsonld' }), code('KNHK_DOCUMENT')],
  ];
  for (const [call, error] of refused) await assert.rejects(call, error);
  assert.equal(orders.history().length, 1);
});

test('a statement is proven to a stranger', (t) => {
  const { orders } = known(t);
  const [{ snapshotId }] = orders.history();
  const proof = orders.prove(value(1000));
  verifyProof(snapshotId, proof, value(1000));
  assert.throws(() => verifyProof(snapshotId, proof, value(1001)), code('KNHK_UNPROVEN'));
  for (let at = 0; at < proof.length; at++) {
    const forged = Uint8Array.from(proof);
    forged[at] ^= 1;
    assert.throws(() => verifyProof(snapshotId, forged, value(1000)), code('KNHK_UNPROVEN'));
  }
  assert.throws(() => orders.prove(value(1001)), code('KNHK_NOT_FOUND'));
  assert.throws(() => verifyProof('7c41e0', proof, value(1000)), RangeError);
});

test('conflicts between sectors are found', (t) => {
  const { engine } = known(t);
  assert.deepEqual(engine.conflicts(), []);
  engine.createSectorSync('other').promoteRdfSync(`@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
    <http://example.com/Limit> a rdfs:Class ; rdfs:subClassOf <http://example.com/Thing> .`);
  const [conflict, ...more] = engine.conflicts();
  assert.deepEqual([conflict.identifier, [...conflict.sectors].sort(), more], ['http://example.com/Limit', ['orders', 'other'], []]);
});

test('shipped sectors conform', async (t) => {
  const { engine } = engineWith(t);
  for (const name of ['finance', 'healthcare', 'logistics']) {
    const sector = await engine.createShippedSector(name);
    assert.ok((await sector.validate()).conforms && sector.keys().length >= 30);
  }
  assert.equal(engine.createShippedSectorSync('manufacturing').name, 'manufacturing');
  await assert.rejects(engine.createShippedSector('alchemy'), code('KNHK_NOT_FOUND'));
});

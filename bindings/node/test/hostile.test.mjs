// Texts made to hurt are refused by name, with little memory, and change nothing.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { engineWith } from './support.mjs';

const SH = 'http://www.w3.org/ns/shacl#';
const RDF = 'http://www.w3.org/1999/02/22-rdf-syntax-ns#';
const letter = (n) => String.fromCharCode(97 + n);
const laughs = Array.from({ length: 12 }, (_, n) => `<!ENTITY ${letter(n + 1)} "${`&${letter(n)};`.repeat(10)}">`).join('');
const clique = Array.from({ length: 1600 }, (_, n) => [n % 40, Math.floor(n / 40)])
  .filter(([a, b]) => a !== b)
  .map(([a, b]) => `_:n${a} <urn:p> _:n${b} .\n`)
  .join('');

const HOSTILE = {
  'nested blank nodes': ['turtle', `<urn:a> <urn:b> ${'[ <urn:b> '.repeat(100_000)}`, /nest/],
  'nested lists': ['turtle', `<urn:a> <urn:b> ${'( '.repeat(100_000)}`, /nest/],
  'nested arrays': ['jsonld', '['.repeat(100_000), /nest/],
  'nested objects': ['jsonld', '{"urn:b":'.repeat(100_000), /nest/],
  'nested elements': ['rdfxml', '<a>'.repeat(100_000), /nest/],
  'nested documents': ['json', '{"a":'.repeat(100_000), /./],
  'a huge literal': ['turtle', `<urn:a> <urn:b> "${'x'.repeat(2 << 20)}" .`, /./],
  'a huge IRI': ['ntriples', `<urn:a> <urn:b> <urn:${'x'.repeat(2 << 20)}> .`, /./],
  'a clique of blank nodes': ['ntriples', clique, /blank node/],
  'a billion laughs': [
    'rdfxml',
    `<!DOCTYPE r [<!ENTITY a "ha">${laughs}]><rdf:RDF xmlns:rdf="${RDF}" xmlns:e="urn:e:"><rdf:Description rdf:about="urn:a"><e:p>&m;</e:p></rdf:Description></rdf:RDF>`,
    /./,
  ],
  'a foreign file': ['rdfxml', '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><r>&x;</r>', /./],
  'a remote context': ['jsonld', '{"@context": "http://example.com/context", "a": 1}', /http:\/\/example\.com\/context/],
  'a list that bites its tail': ['turtle', `<urn:s> a <${SH}NodeShape> ; <${SH}in> _:l . _:l <${RDF}first> 1 ; <${RDF}rest> _:l .`, /urn:s/],
  'a constraint of another language': ['turtle', `<urn:s> a <${SH}NodeShape> ; <${SH}targetNode> <urn:n> ; <${SH}sparql> [ <${SH}select> "SELECT" ] .`, /sparql/],
};

for (const [name, [format, text, said]] of Object.entries(HOSTILE)) {
  test(`${name}: refused`, async (t) => {
    const { orders } = engineWith(t);
    const before = process.resourceUsage().maxRSS;
    const refused = (error) => {
      assert.match(error.code, /^KNHK_(LIMIT|DOCUMENT)$/);
      assert.match(error.message, said);
      return error.message.length < 2000;
    };
    await assert.rejects(orders.promoteRdf(text, { format }), refused);
    await assert.rejects(orders.validateRdf(text, { format }), refused);
    assert.ok(process.resourceUsage().maxRSS - before < 256 << 10);
    assert.deepEqual(orders.history(), []);
  });
}

test('an endless line is refused by its size', async (t) => {
  const { orders } = engineWith(t);
  const line = Buffer.alloc(2 ** 30); // Zeros that nobody touches.
  const before = process.resourceUsage().maxRSS;
  for (const format of ['turtle', 'ntriples', 'nquads', 'jsonld', 'rdfxml']) {
    assert.throws(() => orders.promoteRdfSync(line, { format }), { code: 'KNHK_LIMIT', message: /bytes/ });
    await assert.rejects(orders.promoteRdf(line, { format }), { code: 'KNHK_LIMIT', message: /bytes/ });
    await assert.rejects(orders.promoteDelta({ add: line, format }), { code: 'KNHK_LIMIT', message: /bytes/ });
  }
  assert.ok(process.resourceUsage().maxRSS - before < 256 << 10);
});

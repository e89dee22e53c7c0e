import assert from 'node:assert/strict';
import { test } from 'node:test';

import { folder, run } from './support.mjs';

/** Each program ends by itself, with this output, and without a crash. */
const ENDINGS = {
  'with an open engine, a subscription, a log and a loop that is not persistent': ['open-engine.mjs', 'held'],
  'with nothing but an open engine': ['open-engine.mjs', 'bare'],
  'by process.exit inside a callback': ['open-engine.mjs', 'exit-in-callback'],
  'by process.exit while promotions are under way': ['open-engine.mjs', 'exit-in-flight'],
  'with promotions asked for at the very end, which are done first': ['open-engine.mjs', 'last-words'],
  'with an unhandled view and no reference to anything': ['open-engine.mjs', 'forgotten'],
};

for (const [how, [name, mode]] of Object.entries(ENDINGS)) {
  test(`a process ends ${how}`, async (t) => {
    const { code, signal, out, err } = await run(name, mode, folder(t));
    assert.deepEqual({ code, signal, out, err }, { code: 0, signal: null, out: `${mode}\n`, err: '' });
  });
}

test('a persistent loop is waited for', async () => {
  const { code, out } = await run('loop.mjs');
  assert.deepEqual([code, out], [0, 'orders 2: n 1 → 2\norders 3: n 2 → 3\n']);
});

test('an engine that nobody refers to any more is closed', async () => {
  const { code, out, err } = await run('collected.mjs');
  assert.deepEqual([code, out, err], [0, 'collected\n', '']);
});

test('the addon comes and goes with workers alone, and is loaded twice in a thread', async () => {
  const { code, signal, out, err } = await run('only-workers.mjs');
  assert.deepEqual({ code, signal, out, err }, { code: 0, signal: null, out: '1 2\n'.repeat(4), err: '' });
});

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';

const require = createRequire(import.meta.url);
const { Kept } = require('../dist/kept.js');
const { native } = require('../dist/native.js');

const ROOT = 2;
const EPOCH = 4;

/** What the promoter's line looks like, word by word. */
function line({ root, epoch }) {
  const cells = new Int32Array(16);
  cells[ROOT] = Number(BigInt.asIntN(32, root));
  cells[EPOCH] = Number(BigInt.asIntN(32, epoch));
  cells[EPOCH + 1] = Number(BigInt.asIntN(32, epoch >> 32n));
  return cells;
}

/** Something kept in this generation. */
function keptIn(generation) {
  const [scratch, cells] = [native.scratch(), line(generation)];
  scratch.set([0, cells[ROOT], cells[EPOCH], cells[EPOCH + 1]]);
  const kept = new Kept();
  kept.keep('value');
  return kept;
}

const here = { root: 0x7f12_3456_8000n, epoch: 0x1_8000_0001n };

test('what was kept is current in its own generation only', () => {
  const kept = keptIn(here);
  assert.equal(kept.isCurrent(line(here)), true);
  const others = {
    'a newer root whose epoch is not announced yet': { ...here, root: 0x7f12_3456_a000n },
    'a newer root at the same address': { ...here, epoch: here.epoch + 1n },
    'an epoch that differs in the upper half': { ...here, epoch: here.epoch + (1n << 32n) },
    'an epoch that differs in the sign bit': { ...here, epoch: here.epoch ^ (1n << 31n) },
  };
  for (const [what, other] of Object.entries(others)) assert.equal(kept.isCurrent(line(other)), false, what);
});

test('what was never kept is never current', () => {
  const kept = new Kept();
  assert.equal(kept.isCurrent(new Int32Array(16)), false);
});

test('what was kept by a read is of that read', () => {
  const kept = keptIn(here);
  assert.equal(kept.isOfLastRead(), true);
  native.scratch()[2]++;
  assert.equal(kept.isOfLastRead(), false);
});

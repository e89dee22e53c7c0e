import assert from 'node:assert/strict';
import { createPrivateKey, generateKeyPairSync, sign as signWith } from 'node:crypto';
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { inspect } from 'node:util';

import { attach, open, openSync, Signer } from '../index.mjs';
import { code, folder } from './support.mjs';

// RFC 8032, 7.1, test 1.
const SEED = Buffer.from('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex');
const PUBLIC = Buffer.from('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a', 'hex');

/** A key of Node's own, as what holds one elsewhere would have it. */
function elsewhere() {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const key = Buffer.from(publicKey.export({ format: 'jwk' }).x, 'base64url');
  return { key, sign: (message) => signWith(null, message, privateKey) };
}

test('a key of each source', (t) => {
  const place = folder(t);
  const signer = Signer.fromSeed(SEED);
  assert.deepEqual(Buffer.from(signer.publicKey), PUBLIC);
  signer.save(join(place, 'key.pem'));
  // What is saved is what others read.
  const own = createPrivateKey(readFileSync(join(place, 'key.pem')));
  assert.deepEqual(Buffer.from(signer.sign(Buffer.from('x'))), signWith(null, Buffer.from('x'), own));
  assert.deepEqual(Signer.load(join(place, 'key.pem')).publicKey, signer.publicKey);
  assert.throws(() => signer.save(join(place, 'key.pem')), code('KNHK_KEY_FILE'));
  assert.notDeepEqual(Signer.generate().publicKey, Signer.generate().publicKey);
  assert.throws(() => new Signer(), TypeError);
});

test('no message shows the seed', async (t) => {
  const place = folder(t);
  const said = [];
  const failing = (call) => {
    try {
      call();
    } catch (error) {
      return said.push(inspect(error), String(error.item));
    }
    assert.fail('nothing was thrown');
  };
  for (const [content, mode] of [[SEED.toString('hex'), 0o644], [`${SEED.toString('hex')}x`, 0o600]]) {
    writeFileSync(join(place, 'seed'), content, { mode });
    chmodSync(join(place, 'seed'), mode);
    failing(() => Signer.load(join(place, 'seed')));
  }
  const hex = SEED.toString('hex');
  failing(() => Signer.fromSeed(hex));
  failing(() => Signer.fromSeed(SEED.subarray(1)));
  failing(() => Signer.delegated(hex, () => undefined));
  failing(() => openSync(':memory:', { signer: hex }));
  said.push(inspect(Signer.fromSeed(SEED), { showHidden: true, depth: 9 }));
  const lines = [];
  const engine = await open(join(place, 'limits'), { signer: Signer.fromSeed(SEED) });
  engine.on('log', (line) => lines.push(line.message));
  await (await engine.createSector('orders')).promote({ n: 1 });
  said.push(inspect(await engine.receipts(), { depth: 9 }), await engine.checkpoint(), ...lines);
  engine.close();
  const forms = [hex, SEED.toString('base64'), hex.slice(0, 16)];
  for (const text of said) assert.ok(!forms.some((form) => text.includes(form)), text);
  for (const name of readdirSync(join(place, 'limits'))) {
    const content = readFileSync(join(place, 'limits', name));
    for (const form of [SEED, ...forms.slice(0, 2)]) assert.equal(content.indexOf(form), -1, name);
  }
});

test('a function signs, at once or by a promise', async (t) => {
  for (const wrap of [(made) => made, async (made) => made]) {
    const place = join(folder(t), 'limits');
    const { key, sign } = elsewhere();
    let calls = 0;
    const signer = Signer.delegated(key, (message) => {
      calls++;
      return wrap(sign(message));
    });
    const engine = await open(place, { signer });
    const orders = await engine.createSector('orders');
    await orders.promote({ n: 1 });
    assert.equal((await engine.verify()).versions, 1);
    assert.deepEqual(Buffer.from((await engine.signingKeys())[0].key), key);
    assert.ok(calls >= 3 && !readdirSync(place).includes('signing.key'));
    assert.equal(orders.key('n', 'i64').value, 1);
    engine.close();
    await assert.rejects(open(place), code('KNHK_KEY_FILE'));
  }
});

test('what is not signed is not promoted', async () => {
  const { key, sign } = elsewhere();
  const cases = [
    [() => { throw new Error('the HSM is locked'); }, /the HSM is locked/],
    [async () => { throw 'no'; }, /threw no/],
    [(message) => elsewhere().sign(message), /not this key's signature/],
    [() => new Uint8Array(64), /not this key's signature/],
    [() => new Uint8Array(5), /5 bytes/],
    [() => undefined, /no Uint8Array/],
  ];
  for (const [gives, says] of cases) {
    let fails = false;
    const signer = Signer.delegated(key, (message) => (fails ? gives(message) : sign(message)));
    const engine = await open(':memory:', { signer });
    const orders = await engine.createSector('orders');
    await orders.promote({ n: 1 });
    fails = true;
    await assert.rejects(orders.promote({ n: 2 }), code('KNHK_SIGNING', says));
    assert.equal(orders.history().length, 1);
    fails = false;
    await orders.promote({ n: 3 });
    assert.equal((await engine.verify()).versions, 2);
    engine.close();
  }
});

test('a call that would wait for the function on its own thread is refused, and nothing hangs', async (t) => {
  const place = join(folder(t), 'limits');
  const { key, sign } = elsewhere();
  const signer = Signer.delegated(key, sign);
  assert.throws(() => openSync(place, { signer }), code('KNHK_WRONG_THREAD', /returns a promise/));
  const engine = await open(place, { signer });
  assert.throws(() => engine.createSectorSync('orders'), code('KNHK_WRONG_THREAD'));
  const orders = await engine.createSector('orders');
  assert.throws(() => orders.promoteSync({ n: 1 }), code('KNHK_WRONG_THREAD', /returns a promise/));
  const promoted = orders.promote({ n: 1 });
  // The promotion waits for this thread; what might wait for it is refused, and reads of values go on.
  assert.throws(() => orders.history(), code('KNHK_BUSY', /await the operation/));
  assert.throws(() => engine.sectors(), code('KNHK_BUSY'));
  assert.equal(engine.version >= 0, true);
  await promoted;
  assert.equal(orders.history().length, 1);
  const attached = attach(engine.share());
  assert.throws(() => attached.sector('orders').rollbackSync(1), code('KNHK_WRONG_THREAD'));
  attached.close();
  engine.close();
});

test('rotation to a function', async (t) => {
  const engine = await open(join(folder(t), 'limits'));
  const { key, sign } = elsewhere();
  const orders = engine.createSectorSync('orders');
  await engine.rotateKey(Signer.delegated(key, sign));
  await orders.promote({ n: 1 });
  assert.throws(() => orders.promoteSync({ n: 2 }), code('KNHK_WRONG_THREAD'));
  assert.equal((await engine.verify()).keys, 2);
  engine.close();
});

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { folder } from './support.mjs';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const examples = [...readme.matchAll(/```js\n(.*?)```\n\n```\n(.*?)```/gs)].map(([, source, output]) => ({ source, output }));

test('the README has examples with their output', () => {
  assert.equal(examples.length, readme.split('```js').length - 1);
  assert.ok(examples.length > 0);
});

for (const [number, { source, output }] of examples.entries()) {
  test(`example ${number + 1} of the README prints what it says`, (t) => {
    const home = folder(t);
    mkdirSync(join(home, 'node_modules'));
    symlinkSync(fileURLToPath(new URL('..', import.meta.url)), join(home, 'node_modules', 'knhk'));
    writeFileSync(join(home, 'example.mjs'), source);
    const ran = spawnSync(process.execPath, ['example.mjs'], { cwd: home, encoding: 'utf8' });
    assert.deepEqual({ code: ran.status, out: ran.stdout, err: ran.stderr }, { code: 0, out: output, err: '' });
  });
}

// Builds the addon and puts it beside package.json as knhk.node. `--debug` builds without optimisation.
import { spawnSync } from 'node:child_process';
import { copyFileSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const cargo = ['build', '--package', 'knhk-node', '--message-format', 'json-render-diagnostics'];
if (!process.argv.includes('--debug')) cargo.push('--release');
const built = spawnSync('cargo', cargo, {
  cwd: root,
  encoding: 'utf8',
  maxBuffer: 1 << 28,
  stdio: ['ignore', 'pipe', 'inherit'],
});
if (built.error) throw new Error(`cargo could not be run (${built.error.message}); install Rust from https://rustup.rs`);
if (built.status !== 0) process.exit(built.status ?? 1);

const library = built.stdout
  .split('\n')
  .filter((line) => line.startsWith('{'))
  .map((line) => JSON.parse(line))
  .filter((message) => message.reason === 'compiler-artifact' && message.target.name === 'knhk_node')
  .flatMap((message) => message.filenames)
  .find((name) => /\.(so|dylib|dll)$/.test(name));
if (!library) throw new Error('cargo built no library for knhk-node');

// Renamed into place: a running program keeps the file that it has mapped.
const target = join(root, 'knhk.node');
copyFileSync(library, `${target}.new`);
renameSync(`${target}.new`, target);
console.log(`knhk.node is built`);

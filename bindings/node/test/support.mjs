// What several tests need.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';

import { openSync } from '../index.mjs';

/** An engine in memory (which does not keep the test's process alive: a timer does) that is closed after the test, with a sector `orders` that holds `document`. */
export function engineWith(t, document, options) {
  const engine = openSync(':memory:', options);
  const alive = setInterval(() => {}, 2 ** 30);
  t.after(() => {
    clearInterval(alive);
    engine.close();
  });
  const orders = engine.createSectorSync('orders');
  if (document) orders.promoteSync(document);
  return { engine, orders };
}

/** A folder that is removed after the test. */
export function folder(t) {
  const path = mkdtempSync(join(tmpdir(), 'knhk-node-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** The program `test/programs/<name>`. */
export function program(name) {
  return new URL(`programs/${name}`, import.meta.url);
}

/** Runs a program to its end; gives its exit code, signal and output. */
export function run(name, ...args) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [fileURLToPath(program(name)), ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    const output = { out: '', err: '' };
    child.stdout.setEncoding('utf8').on('data', (text) => (output.out += text));
    child.stderr.setEncoding('utf8').on('data', (text) => (output.err += text));
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, ...output }));
  });
}

/** Starts a program as a worker that is terminated after the test. */
export function worker(t, name, workerData) {
  const started = new Worker(program(name), { workerData });
  t.after(() => started.terminate());
  return started;
}

/** The next message of a worker, or its error. */
export function message(from) {
  return new Promise((resolve, reject) => {
    from.once('message', resolve);
    from.once('error', reject);
  });
}

/** Matches a KnhkError with this code. */
export function code(wanted, pattern) {
  return (error) => {
    if (error.code !== wanted) throw new Error(`the code is ${error.code}, not ${wanted}: ${error.message}`, { cause: error });
    return pattern === undefined || pattern.test(error.message);
  };
}

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder of a program's own. */
export function folderOf() {
  const path = mkdtempSync(join(tmpdir(), 'knhk-node-'));
  return { path, remove: () => rmSync(path, { recursive: true }) };
}

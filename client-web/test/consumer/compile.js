/**
 * Compiles the consumers against the types in `types/`, as `npm run check` makes them.
 * `package.test.js` does so with the package that was packed, by every compiler; here it is the
 * newest alone, which is the fast one. The types are made by the oldest, which knows what it
 * understands.
 */

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/**
 * Configurations by what they stand for: bundlers, Node's own resolution, a Web Worker, a program
 * in Node.
 */
export const CONFIGS = ['tsconfig.json', 'tsconfig.nodenext.json', 'tsconfig.worker.json', 'tsconfig.node.json'];
/** Folders of `node_modules`: the oldest TypeScript that is supported, and the newest. */
export const COMPILERS = ['typescript-5.4', 'typescript'];

/** @param {string} compiler one of `COMPILERS` @returns {string} its program */
export function programOf(compiler) {
  return fileURLToPath(new URL(`../../node_modules/${compiler}/bin/tsc`, import.meta.url));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const config of CONFIGS) {
    const path = fileURLToPath(new URL(config, import.meta.url));
    const { status } = spawnSync(process.execPath, [programOf('typescript'), '-p', path], { stdio: 'inherit' });
    if (status !== 0) process.exitCode = 1;
  }
}

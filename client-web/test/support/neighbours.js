/**
 * Several real servers that are nodes of one another, as a child process: `cargo build -p
 * tickwire-harness --bins` makes it.
 */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';

import { TARGET } from './server.js';

const BINARY = `${TARGET}/debug/tickwire-neighbours`;

/**
 * @param {number} nodes
 * @param {number} maxRooms of each
 * @returns {Promise<{ urls: string[], stop(): Promise<unknown> }>} where each listens
 */
export async function startNeighbours(nodes, maxRooms) {
  assert.ok(existsSync(BINARY), `no program at ${BINARY}: build it`);
  const child = spawn(BINARY, [`${nodes}`, `${maxRooms}`], { stdio: ['pipe', 'pipe', 'inherit'] });
  const gone = new Promise((resolve) => child.once('exit', resolve));
  /** @type {string} */
  const line = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the nodes ended with ${code}`)));
    createInterface({ input: child.stdout }).once('line', resolve);
  });
  const urls = line.split(' ').slice(1).map((address) => `ws://${address}/ws`);
  return {
    urls,
    stop() {
      child.stdin.end();
      return gone;
    },
  };
}

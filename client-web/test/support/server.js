/**
 * The real server as a child process on a free port, for tests across the socket. `cargo build
 * --bins --examples` makes it; `TICKWIRE_SERVER` names another binary.
 */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** Where programs are built. */
export const TARGET = process.env.CARGO_TARGET_DIR ?? fileURLToPath(new URL('../../../target', import.meta.url));
const SERVER = process.env.TICKWIRE_SERVER ?? `${TARGET}/debug/tickwire-server`;

/** Where the examples' programs are. */
export const EXAMPLES = `${TARGET}/debug/examples`;

/**
 * Starts the server.
 * @param {string[]} [settings] more flags
 * @param {string} [listen] address; a free port if left out
 * @param {string} [binary] another game's server
 * @param {string} [ops] address of the operator's port; one that nobody is told of if left out
 */
export async function startServer(settings = [], listen = '127.0.0.1:0', binary = SERVER, ops = '127.0.0.1:0') {
  assert.ok(existsSync(binary), `no server at ${binary}: build it, or name it by TICKWIRE_SERVER`);
  const child = spawn(binary, ['--listen', listen, '--ops-listen', ops, ...settings], {
    stdio: ['ignore', 'pipe', 'inherit'],
    // It reads settings from variables of this prefix too, which are ours here.
    env: {
      ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('TICKWIRE_'))),
      TICKWIRE_STORE: 'none',
    },
  });
  /** @type {Promise<number | null>} */
  const gone = new Promise((resolve) => child.once('exit', resolve));
  const lines = createInterface({ input: child.stdout });
  /** @type {string} */
  const address = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}`)));
    lines.on('line', (line) => {
      if (line.startsWith('LISTENING ')) resolve(line.slice('LISTENING '.length).trim());
    });
  });
  return {
    address,
    url: `http://${address}/`,
    /**
     * Asks the server to stop, and waits until it has.
     * @returns {Promise<number | null>} its exit status
     */
    stop() {
      child.kill('SIGTERM');
      return gone;
    },
    /** Kills the server, which has no time to do anything about it. */
    kill() {
      child.kill('SIGKILL');
      return gone;
    },
  };
}

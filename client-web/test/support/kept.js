/**
 * Links that end with the test that opened them, so that none keeps the process waiting; and what is
 * asked of both. For tests of what a link has besides rooms. Importing it registers the hook.
 */

import assert from 'node:assert/strict';
import { afterEach } from 'node:test';

import { ControlReader } from '../../src/codec.js';
import { connected, list, playing } from './page.js';

/** @type {import('../../src/tickwire.js').Link<any>[]} */
const links = [];
afterEach(() => links.splice(0).forEach((link) => link.close()));

/** @param {import('../../src/tickwire.js').Link<any>} link */
export function kept(link) {
  links.push(link);
  return link;
}

/** @param {object} [more] options */
export async function inLobby(more) {
  const there = await connected(more);
  kept(there.link);
  return there;
}

export async function inRoom() {
  const there = await playing();
  kept(there.link);
  return there;
}

/**
 * @param {import('./fake_socket.js').FakeSocket} socket
 * @param {number} index of the message that it was sent last, of the reserved range
 * @param {number} request which one of its kind it is
 * @returns {number} its nonce
 */
export function nonceOf(socket, index, request) {
  const bytes = Uint8Array.from(/** @type {number[]} */ (socket.takeControl().at(-1)));
  assert.deepEqual(list(bytes.subarray(0, 2)), [1, index]);
  const fields = new ControlReader(new ControlReader(bytes, 2).packed(4096));
  assert.equal(fields.u8(), request);
  return fields.u32();
}

/** @param {Promise<any>} promise @param {string} reason */
export const rejects = (promise, reason) => assert.rejects(promise, (/** @type {any} */ error) => error.reason === reason);

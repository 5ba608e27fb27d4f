/**
 * What a server says from the first message on, and where the SDK refuses to listen on. Hostile
 * servers say such things in `vectors.test.js`.
 */

import assert from 'node:assert/strict';

import { Session } from '../../src/session.js';
import { checksum } from '../../src/snapshot/checksum.js';

const PERIOD_MS = 33;
/** More than a client's images and scratch memory can come to within limits. */
const MEMORY_MAX = 64 * 2 ** 20;

/**
 * Lets a session listen, doing between messages what a driver does. Anything but a refusal is
 * thrown on.
 * @param {readonly Uint8Array[]} messages
 * @returns {{ refused: number | null, dropped: number, session: Session }} the first message that
 *   was refused, by its place, and how often a layer was dropped
 */
export function listen(messages) {
  const session = new Session('Ann');
  const before = process.memoryUsage().arrayBuffers;
  let dropped = 0;
  for (const [index, bytes] of messages.entries()) {
    const nowMs = 1000 + index * PERIOD_MS;
    session.handleMessage(bytes, nowMs);
    session.handleTimeout(nowMs);
    while (session.pollTransmit() !== undefined);
    for (let event; (event = session.pollEvent()) !== undefined; ) if (event.type === 'Desync') dropped++;
    assert.ok(process.memoryUsage().arrayBuffers - before < MEMORY_MAX, `memory after message ${index}`);
    if (session.state === 'Failed') return { refused: index, dropped, session };
  }
  return { refused: null, dropped, session };
}

/**
 * @param {Session} session
 * @param {number} layer that is open
 * @returns {number | undefined} the checksum of its newest image
 */
export function checksumOf(session, layer) {
  const layers = session.room?.layers;
  return layers && checksum(layers.imageOf(layer));
}

/**
 * @param {Session} session
 * @returns {number[]} the groups' layers of which it has the server's image
 */
export function heldGroups(session) {
  const layers = session.room?.layers;
  return layers === undefined ? [] : layers.groups.filter((number) => layers.imageOf(number).tick === layers.newest?.tick);
}

/**
 * A session without a socket, in the lobby or in a room of squares: what the tests of what it makes
 * of messages stand on.
 */

import assert from 'node:assert/strict';

import { Session } from '../../src/session.js';
import * as server from './messages.js';
import { SQUARE, SquareServer } from './square.js';

/** @param {Session} session */
export function events(session) {
  const all = [];
  for (let event = session.pollEvent(); event !== undefined; event = session.pollEvent()) all.push(event);
  return all;
}

/** @param {Session} session */
export function sent(session) {
  const all = [];
  for (let bytes = session.pollTransmit(); bytes !== undefined; bytes = session.pollTransmit()) all.push([...bytes]);
  return all;
}

/** @param {import('../../src/schema/schema.js').Schema} [schema] */
export function inLobby(schema = SQUARE) {
  const session = new Session('Ann');
  session.handleMessage(server.welcome(schema), 0);
  assert.deepEqual(
    events(session).map(({ type }) => type),
    ['Welcome'],
  );
  sent(session);
  return session;
}

export function inRoom() {
  const session = inLobby();
  session.handleMessage(server.joined(), 0);
  events(session);
  const world = new SquareServer(0);
  world.squares.push({ slot: 3, generation: 1, player: 0, x: 100, y: 100, heading: 0, ammo: 5 });
  world.step(() => ({ dx: 0, dy: 0 }), 0.04);
  session.handleMessage(server.snapshot(1, { layers: world.bodies({ keyframe: true }) }), 0);
  assert.deepEqual(
    events(session).map(({ type }) => type),
    ['Snapshot'],
  );
  return { session, world };
}

/** @param {Session} session @param {RegExp} reason */
export function assertFailed(session, reason) {
  const last = events(session).pop();
  assert.ok(last?.type === 'Failed', JSON.stringify(last));
  assert.match(last.reason, reason);
  const kind = [/^the server speaks/, /not allowed now$/, /tick that cannot be$/].findIndex((words) => words.test(last.reason));
  const closeWith = 4001 + kind;
  assert.equal(last.closeWith, closeWith, last.reason);
  assert.equal(last.code, closeWith === 4001 ? 4001 : 1002, last.reason);
  assert.equal(session.state, 'Failed');
  assert.deepEqual(sent(session), []);
}

/**
 * Looking on without a seat: how it is asked for, what a page may not do then, and the way back to
 * the room when the connection is lost.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as client from '../src/protocol/client_message.js';
import { RequestError } from '../src/tickwire.js';
import * as server from './support/messages.js';
import { connected, list, nextSocket, settled, virtualTime } from './support/page.js';
import { SQUARE } from './support/square.js';

const WATCHES = { spectator: true, options: new Uint8Array() };

async function watching() {
  const { link, socket } = await connected();
  const joining = link.joinRoom(9, { spectate: true });
  assert.deepEqual(socket.takeControl(), [list(client.joinRoom(9, WATCHES))]);
  socket.receive(server.joined({ you: -1, tick: 5, said: [[1, 'hello']] }));
  return { link, socket, room: await joining };
}

/**
 * The connection is lost and comes back.
 * @param {import('node:test').TestContext} t
 */
async function lostAndBack(t) {
  const pass = virtualTime(t);
  const { link, socket, room } = await watching();
  /** @type {any[]} */
  const told = [];
  room.on('chat', ({ text }) => told.push(text));
  room.on('left', ({ reason }) => told.push(reason));
  link.on('resumed', (back) => told.push(back.room));
  socket.end(1006, '');
  const again = nextSocket(pass);
  assert.deepEqual(again.takeControl().at(-1), list(client.joinCode(room.code, WATCHES)));
  again.receive(server.welcome(SQUARE));
  return { link, room, again, told };
}

test('who looks on has no seat, sends no input and is told so', async () => {
  const { link, socket, room } = await watching();
  assert.equal(room.spectating, true);
  assert.equal(room.you, -1);
  const refused = { reason: 'NotForSpectators' };
  assert.throws(() => room.say('hi'), refused);
  assert.throws(() => room.ready(), refused);
  assert.throws(() => room.kick(1), refused);
  assert.throws(() => room.play({ input: () => ({}) }), refused);
  await assert.rejects(room.act('anything'), (error) => error instanceof RequestError && error.reason === 'NotForSpectators');
  assert.deepEqual(socket.takeControl(), []);
  assert.equal(room.view().me, undefined);
  link.close();
});

test('each way into a room leads to looking on', async () => {
  const { link, socket } = await connected();
  const asked = link.joinCode('abc', { spectate: true });
  assert.deepEqual(socket.takeControl(), [list(client.joinCode('abc', WATCHES))]);
  socket.receive(server.refused(0));
  await assert.rejects(asked, { reason: 'NoSuchRoom' });
  const chance = link.quickJoin({ spectate: true });
  assert.deepEqual(socket.takeControl(), [list(client.quickJoin([], WATCHES))]);
  socket.receive(server.refused(0));
  await assert.rejects(chance, { reason: 'NoSuchRoom' });
  link.close();
});

test('a lost connection leads back to looking on at the same room, and says nothing twice', async (t) => {
  t.mock.method(Math, 'random', () => 0);
  const { link, room, again, told } = await lostAndBack(t);
  again.receive(server.joined({ you: -1, tick: 90, said: [[1, 'hello'], [2, 'again']] }));
  assert.deepEqual(again.takeControl().at(-1), list(client.history(1, 0)));
  again.receive(server.lines(1, [[1, 'hello'], [2, 'again']]));
  await settled();
  assert.deepEqual(told, [room, 'again']);
  assert.equal(link.room, room);
  assert.deepEqual(room.chat.map(({ text }) => text), ['hello', 'again']);
});

test('a room that is gone meanwhile ends', async (t) => {
  const { link, again, told } = await lostAndBack(t);
  again.receive(server.refused(0));
  assert.deepEqual(told, [undefined, 'SeatLost']);
  assert.equal(link.room, undefined);
});

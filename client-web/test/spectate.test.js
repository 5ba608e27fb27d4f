/**
 * Looking on without a seat: how it is asked for, what a page may not do then, and the way back to
 * the room when the connection is lost.
 */

import assert from 'node:assert/strict';
import { mock, test } from 'node:test';

import * as client from '../src/protocol/client_message.js';
import { connect, RequestError } from '../src/tickwire.js';
import { FakeSocket } from './support/fake_socket.js';
import * as server from './support/messages.js';
import { SQUARE } from './support/square.js';

const options = { url: 'ws://test/ws', name: 'Ann', WebSocket: /** @type {any} */ (FakeSocket) };
const WATCHES = { spectator: true, options: new Uint8Array() };

/** @param {Uint8Array} bytes */
const list = (bytes) => [...bytes];

const newest = () => /** @type {FakeSocket} */ (FakeSocket.all.pop());

async function watching() {
  const opening = connect(options);
  const socket = newest();
  socket.open();
  socket.receive(server.welcome(SQUARE));
  const link = await opening;
  socket.takeControl();
  const joining = link.joinRoom(9, { spectate: true });
  assert.deepEqual(socket.takeControl(), [list(client.joinRoom(9, WATCHES))]);
  socket.receive(server.joined({ you: -1, tick: 5, said: [[1, 'hello']] }));
  return { link, socket, room: await joining };
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
  const opening = connect(options);
  const socket = newest();
  socket.open();
  socket.receive(server.welcome(SQUARE));
  const link = await opening;
  socket.takeControl();
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

test('a lost connection leads back to looking on at the same room, and says nothing twice', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    const { link, socket, room } = await watching();
    /** @type {string[]} */
    const lines = [];
    room.on('chat', ({ text }) => lines.push(text));
    /** @type {unknown} */
    let back;
    link.on('resumed', (resumed) => {
      back = resumed.room;
    });
    socket.end(1006, '');
    mock.timers.tick(10_000);
    const again = newest();
    assert.notEqual(again, socket);
    again.open();
    assert.deepEqual(again.takeControl().at(-1), list(client.joinCode(room.code, WATCHES)));
    again.receive(server.welcome(SQUARE));
    again.receive(server.joined({ you: -1, tick: 90, said: [[1, 'hello'], [2, 'again']] }));
    assert.equal(back, room);
    assert.equal(link.room, room);
    assert.deepEqual(lines, ['again']);
    assert.deepEqual(room.chat.map(({ text }) => text), ['hello', 'again']);
    link.close();
  } finally {
    mock.timers.reset();
  }
});

test('a room that is gone meanwhile ends', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    const { link, socket, room } = await watching();
    /** @type {unknown} */
    let reason;
    room.on('left', (left) => {
      reason = left.reason;
    });
    socket.end(1006, '');
    mock.timers.tick(10_000);
    const again = newest();
    again.open();
    again.receive(server.welcome(SQUARE));
    again.receive(server.refused(0));
    assert.equal(reason, 'SeatLost');
    assert.equal(link.room, undefined);
    link.close();
  } finally {
    mock.timers.reset();
  }
});

// A wait in the queue as the page has it, against what a server may say: whatever is lost or comes
// late, its promise settles and it stands as the server said last.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { QUEUE_JOIN_AGAIN_MS } from '../src/limits.js';
import * as client from '../src/protocol/client_message.js';
import { Feature } from '../src/protocol/frame.js';
import { OUT_OF_QUEUE } from '../src/protocol/server_message.js';
import { REFUSALS } from '../src/request_error.js';
import { connect } from '../src/tickwire.js';
import { inLobby, inRoom, kept, nonceOf as lastNonce, rejects } from './support/kept.js';
import * as server from './support/messages.js';
import { list, newest, nextSocket, options, settled, virtualTime } from './support/page.js';
import { SQUARE } from './support/square.js';

/** @typedef {import('./support/fake_socket.js').FakeSocket} FakeSocket */

/** @param {typeof OUT_OF_QUEUE[number]} why @param {number} [againMs] */
const out = (why, againMs) => server.outOfQueue(OUT_OF_QUEUE.indexOf(why), againMs);

/** @param {FakeSocket} socket of an `Enqueue` */
const nonceOf = (socket) => lastNonce(socket, 140, 0);

test('a match is accepted, its room is joined, and the promise is the room when it is played', async () => {
  const { link, socket } = await inLobby();
  const queue = link.queue('duel', { regions: ['eu'] });
  const nonce = nonceOf(socket);
  /** @type {any[]} */
  const states = [];
  queue.on('state', (state) => states.push(state.type));
  socket.receive(server.queued(nonce, server.waiting(10)));
  socket.receive(server.queued(nonce, server.offered(7)));
  queue.accept();
  assert.deepEqual(socket.takeControl(), [list(client.answerOffer(7, true))]);
  socket.receive(server.queued(nonce, server.going(7, 99)));
  assert.deepEqual(socket.takeControl(), [list(client.joinRoom(99))]);
  socket.receive(server.joined({ you: 2 }));
  socket.receive(server.queued(nonce, server.going(7, 99, true)));
  socket.receive(server.queued(nonce, out('Playing')));
  assert.equal(await queue.room, link.room);
  assert.deepEqual(states, ['waiting', 'offered', 'going', 'going', 'out']);
  // Another wait may begin, in the lobby.
  assert.throws(() => link.queue('duel'), { reason: 'NotNow' });
});

test('the end of an earlier wait is not the end of this one', async () => {
  const { link, socket } = await inLobby();
  const first = link.queue('duel');
  const before = nonceOf(socket);
  assert.throws(() => link.queue('duel'), { reason: 'NotNow' });
  socket.receive(server.queued(before, out('NotAccepted', 10_000)));
  await assert.rejects(first.room, { reason: 'NotAccepted', retryAfterMs: 10_000 });
  const second = link.queue('duel');
  const nonce = nonceOf(socket);
  assert.notEqual(nonce, before);
  socket.receive(server.queued(before, out('NotAccepted', 10_000)));
  assert.equal(second.isOver, false);
  socket.receive(server.queued(nonce, out('Cooling', 9000)));
  await rejects(second.room, 'Cooling');
});

test('a match that comes to nothing, and a click that is late, leave the wait as it stands', async () => {
  const { link, socket } = await inLobby();
  const queue = link.queue('duel');
  const nonce = nonceOf(socket);
  socket.receive(server.queued(nonce, server.offered(7)));
  socket.receive(server.queued(nonce, server.waiting(16_000)));
  queue.accept();
  queue.decline();
  assert.deepEqual(socket.takeControl(), []);
  assert.deepEqual([queue.state.type, queue.isOver], ['waiting', false]);
  // Of a match that was not accepted in this page the room is not joined by itself.
  socket.receive(server.queued(nonce, server.going(8, 99)));
  assert.deepEqual(socket.takeControl(), []);
  queue.join();
  assert.deepEqual(socket.takeControl(), [list(client.joinRoom(99))]);
  queue.cancel();
  assert.deepEqual(socket.takeControl(), [list(client.leaveQueue())]);
});

test('a room that is too busy is joined again', async (t) => {
  const pass = virtualTime(t);
  const { link, socket } = await inLobby();
  const queue = link.queue('duel');
  const nonce = nonceOf(socket);
  socket.receive(server.queued(nonce, server.offered(7)));
  queue.accept();
  socket.receive(server.queued(nonce, server.going(7, 99)));
  socket.takeControl();
  socket.receive(server.refused(REFUSALS.indexOf('Busy')));
  await settled();
  pass(QUEUE_JOIN_AGAIN_MS);
  assert.deepEqual(socket.takeControl().filter(([, index]) => index === 3), [list(client.joinRoom(99))]);
});

test('over a lost connection the wait goes on, or is told as lost', async (t) => {
  const pass = virtualTime(t);
  const { link, socket } = await inLobby();
  const queue = link.queue('duel');
  const nonce = nonceOf(socket);
  socket.receive(server.queued(nonce, server.waiting(10)));
  socket.end(1006, '');
  assert.throws(() => queue.cancel(), { reason: 'Closed' });
  const again = nextSocket(pass);
  again.receive(server.welcome(SQUARE, { token: 'who' }));
  assert.deepEqual(again.takeControl().at(-1), list(client.lookAtQueue()));
  again.receive(server.queued(nonce, server.waiting(5000)));
  assert.equal(queue.state.type, 'waiting');
  again.end(1006, '');
  const last = nextSocket(pass);
  last.receive(server.welcome(SQUARE, { token: 'who' }));
  last.receive(server.queued(0, out('NotQueued')));
  await rejects(queue.room, 'NotQueued');
  assert.equal(queue.isOver, true);
});

test('a request that was lost with its connection ends the wait', async (t) => {
  const pass = virtualTime(t);
  const { link, socket } = await inLobby();
  const queue = link.queue('duel');
  socket.end(1006, '');
  const again = nextSocket(pass);
  again.receive(server.welcome(SQUARE, { token: 'who' }));
  again.receive(server.queued(0, out('NotQueued')));
  await rejects(queue.room, 'NotQueued');
});

test('a wait of another page is handed out, and ends with the link', async () => {
  const { link, socket } = await inLobby();
  /** @type {any[]} */
  const queues = [];
  link.on('queue', (queue) => queues.push(queue));
  socket.receive(server.queued(3, out('Cancelled')));
  assert.equal(queues.length, 0);
  socket.receive(server.queued(4, server.waiting(10)));
  assert.deepEqual([queues.length, queues[0].state.waitedMs], [1, 10]);
  link.close();
  await rejects(queues[0].room, 'Closed');
});

test('there is no wait in a room, nor where the server knows of none', async () => {
  const { link } = await inRoom();
  assert.throws(() => link.queue('duel'), { reason: 'NotNow' });
  const opening = connect(options);
  const socket = newest();
  socket.open();
  socket.receive(server.welcome(SQUARE, { features: Feature.ALL & ~Feature.QUEUE }));
  const old = kept(await opening);
  assert.throws(() => old.queue('duel'), { reason: 'NoSuchMode' });
});

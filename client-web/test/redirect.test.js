/** A link that is sent elsewhere: where it ends, and what the page sees of it. On virtual time. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { REDIRECTS_MAX } from '../src/limits.js';
import * as client from '../src/protocol/client_message.js';
import { FakeSocket } from './support/fake_socket.js';
import * as server from './support/messages.js';
import { connected, list, newest, nextSocket, playing, settled, virtualTime } from './support/page.js';
import { SQUARE } from './support/square.js';

const TARGET = 'ws://target/n/3/ws';
const redirect = server.redirect({ url: TARGET, ticket: 'proof', room: 7, validMs: 5000 });
const hello = (/** @type {string} */ token) => list(client.hello('Ann', token));
const join = list(client.joinRoom(7));

/** @param {import('../src/link.js').Link} link @returns {any[]} what it tells from now on */
function told(link) {
  /** @type {any[]} */
  const heard = [];
  link.on('reconnecting', ({ reason }) => heard.push(['reconnecting', reason]));
  link.on('resumed', ({ room }) => heard.push(['resumed', room]));
  link.on('close', ({ code }) => heard.push(['close', code]));
  return heard;
}

/** @returns {FakeSocket} of the target, open */
function followed() {
  const socket = newest();
  assert.equal(socket.url, TARGET);
  socket.open();
  return socket;
}

test('a room that is elsewhere is joined there, by the ticket, and the request is answered', async (t) => {
  virtualTime(t);
  const { link, socket } = await connected();
  const heard = told(link);
  const joining = link.joinRoom(3);
  socket.receive(redirect);
  assert.equal(socket.closed?.code, 1000);
  assert.equal(link.state, 'reconnecting');
  const target = followed();
  assert.deepEqual(target.takeControl(), [hello('proof'), join]);
  target.receive(server.welcome(SQUARE, { token: 'who is there' }));
  target.receive(server.joined({ you: 4 }));
  const room = await joining;
  assert.equal(room.you, 4);
  assert.equal(link.room, room);
  assert.equal(link.state, 'open');
  assert.deepEqual(heard, [['reconnecting', 'redirected'], ['resumed', room]]);
});

test('a seat in the room that moved is taken again there, and the room goes on as the same object', async (t) => {
  virtualTime(t);
  const { link, socket, room } = await playing();
  socket.receive(redirect);
  const target = followed();
  const resume = list(client.resume('first', { chat: 0, tick: 0 }));
  assert.deepEqual(target.takeControl(), [hello('proof'), resume]);
  target.receive(server.welcome(SQUARE, { token: 'who' }));
  target.receive(server.joined({ you: 2 }));
  assert.equal(link.room, room);
  // From now on the target is where a lost connection comes back to, then home.
  target.receive(server.resumeToken('second'));
});

test('a target on which there was a room is tried once, then home is', async (t) => {
  const pass = virtualTime(t);
  const { socket } = await playing();
  socket.receive(redirect);
  const target = followed();
  target.receive(server.welcome(SQUARE, { token: 'who' }));
  target.receive(server.joined({ you: 2 }));
  target.receive(server.resumeToken('second'));
  target.end(1006, '');
  const again = nextSocket(pass);
  assert.equal(again.url, TARGET);
  again.end(1006, '');
  const home = nextSocket(pass);
  assert.equal(home.url, 'ws://test/ws');
  assert.deepEqual(home.takeControl(), [hello('who'), list(client.resume('second', { chat: 0, tick: 0 }))]);
});

test('three redirects in a row are followed, the fourth ends the link', async (t) => {
  virtualTime(t);
  const { link, socket } = await connected();
  const heard = told(link);
  const joining = link.quickJoin();
  socket.receive(redirect);
  let last = socket;
  for (let hop = 1; hop <= REDIRECTS_MAX; hop++) {
    last = followed();
    last.receive(server.welcome(SQUARE));
    last.receive(redirect);
  }
  await assert.rejects(joining, { reason: 'Closed', message: /redirected time and again/ });
  assert.equal(last.closed?.code, 4002);
  assert.equal(FakeSocket.all.length, 0);
  assert.deepEqual(heard.at(-1), ['close', 1002]);
});

test('two redirects and a room are no more than that: the next ones count anew', async (t) => {
  virtualTime(t);
  const { link, socket } = await connected();
  const joining = link.quickJoin();
  socket.receive(redirect);
  let there = followed();
  there.receive(server.welcome(SQUARE));
  there.receive(redirect);
  there = followed();
  there.receive(server.welcome(SQUARE));
  there.receive(server.joined({ you: 1 }));
  const room = await joining;
  for (let hop = 1; hop <= REDIRECTS_MAX; hop++) {
    there.receive(redirect);
    there = followed();
    there.receive(server.welcome(SQUARE));
  }
  there.receive(server.joined({ you: 1 }));
  assert.equal(link.state, 'open');
  assert.equal(link.room, room);
});

test('a ticket that is not taken ends the link with the reason', async (t) => {
  virtualTime(t);
  const { link, socket } = await connected();
  const joining = link.joinRoom(3);
  socket.receive(redirect);
  followed().end(4007, 'token not accepted');
  await assert.rejects(joining, { reason: 'Closed', code: 4007 });
  assert.equal(link.state, 'closed');
});

test('a target that is dead is tried while the ticket is good; then the link is back home, in the lobby', async (t) => {
  const pass = virtualTime(t);
  const { link, socket } = await connected();
  const joining = link.joinRoom(3);
  joining.catch(() => {});
  socket.receive(redirect);
  let tries = 0;
  for (; ; tries++) {
    for (let ms = 0; ms < 9000 && FakeSocket.all.length === 0; ms += 10) pass(10);
    const next = newest();
    if (next.url !== TARGET) {
      next.open();
      assert.deepEqual(next.takeControl(), [hello('who')]);
      next.receive(server.welcome(SQUARE, { token: 'who' }));
      break;
    }
    next.end(1006, '');
  }
  assert.ok(tries > 1, `${tries}`);
  assert.equal(link.state, 'open');
  assert.equal(link.room, undefined);
  await assert.rejects(joining, { reason: 'Closed' });
});

test('what the target refuses is the answer, in its lobby', async (t) => {
  virtualTime(t);
  const { link, socket } = await connected();
  const joining = link.joinRoom(3);
  socket.receive(redirect);
  const target = followed();
  target.receive(server.welcome(SQUARE));
  target.receive(server.refused(1));
  await assert.rejects(joining, { reason: 'RoomFull' });
  assert.equal(link.state, 'open');
  const listing = link.rooms();
  target.receive(server.rooms([3]));
  assert.equal((await listing).length, 1);
});

test('what was asked besides is answered by nobody', async (t) => {
  virtualTime(t);
  const { link, socket, room } = await playing();
  const action = room.act('buy', { item: 1 });
  const ping = link.ping();
  socket.receive(redirect);
  await assert.rejects(action, { reason: 'Closed' });
  await assert.rejects(ping, { reason: 'Closed' });
  await settled();
});

/**
 * The SDK's front over a socket that the test plays: requests, refusals, events, and every way to
 * end.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as client from '../src/protocol/client_message.js';
import { connect, RequestError } from '../src/tickwire.js';
import { FakeSocket } from './support/fake_socket.js';
import * as server from './support/messages.js';
import { settled } from './support/page.js';
import { SQUARE, SquareServer } from './support/square.js';

const options = { url: 'ws://test/ws', name: 'Ann', WebSocket: /** @type {any} */ (FakeSocket) };

/** @param {Uint8Array} bytes */
const list = (bytes) => [...bytes];

/** @param {object} [more] */
async function connected(more) {
  const opening = connect({ ...options, ...more });
  const socket = /** @type {FakeSocket} */ (FakeSocket.all.pop());
  socket.open();
  socket.receive(server.welcome(SQUARE));
  const link = await opening;
  socket.takeControl();
  return { link, socket };
}

/** @param {object} [more] */
async function playing(more) {
  const { link, socket } = await connected(more);
  const joining = link.quickJoin();
  socket.receive(server.joined({ you: 2 }));
  const room = await joining;
  socket.takeControl();
  return { link, socket, room };
}

/** @param {Promise<unknown>} promise @param {string} reason */
const assertRejects = (promise, reason) =>
  assert.rejects(promise, (error) => error instanceof RequestError && error.reason === reason);

test('connect says hello in the right subprotocol and resolves with the welcome', async () => {
  const opening = connect(options);
  const socket = /** @type {FakeSocket} */ (FakeSocket.all.pop());
  assert.equal(socket.protocol, 'tickwire.2');
  assert.equal(socket.binaryType, 'arraybuffer');
  assert.deepEqual(socket.sent, []);
  socket.open();
  assert.deepEqual(socket.sent, [list(client.hello('Ann', ''))]);
  socket.receive(server.welcome(SQUARE, { name: 'Anna' }));
  const link = await opening;
  assert.equal(link.name, 'Anna');
  assert.equal(link.schema.game, 'square');
  assert.equal(link.state, 'open');
  link.close();
});

test('a connection that fails before the welcome rejects with its code', async () => {
  const opening = connect(options);
  const socket = /** @type {FakeSocket} */ (FakeSocket.all.pop());
  socket.end(4005, '');
  await assert.rejects(opening, { reason: 'Closed', code: 4005, message: 'server is full: try again later' });
});

test('lobby requests are answered in order, one at a time', async () => {
  const { link, socket } = await connected();
  const first = link.rooms();
  const second = link.joinRoom(9);
  const third = link.joinCode('abc');
  assert.deepEqual(socket.takeControl(), [list(client.listRooms())]);
  socket.receive(server.rooms([4, 5]));
  assert.deepEqual(
    (await first).map(({ id }) => id),
    [4, 5],
  );
  assert.deepEqual(socket.takeControl(), [list(client.joinRoom(9))]);
  socket.receive(server.refused(1));
  await assertRejects(second, 'RoomFull');
  assert.deepEqual(socket.takeControl(), [list(client.joinCode('abc'))]);
  socket.receive(server.joined());
  const room = await third;
  assert.equal(room.code, 'CODE');
  assert.equal(link.room, room);
  await assertRejects(link.rooms(), 'NotNow');
  link.close();
});

test('what cannot be said rejects and blocks nothing', async () => {
  const { link, socket } = await connected();
  await assert.rejects(link.joinRoom(-1), RangeError);
  await assert.rejects(link.create({ name: 'x'.repeat(5000) }), RangeError);
  const rooms = link.rooms();
  socket.receive(server.rooms([]));
  assert.deepEqual(await rooms, []);
  link.close();
});

test('the room tells who is there, what is said and what is refused', async (t) => {
  t.mock.method(Math, 'random', () => 0);
  const { link, socket, room } = await playing();
  /** @type {unknown[]} */
  const heard = [];
  room.on('members', (members) => heard.push([...members.keys()]));
  room.on('chat', ({ text }) => heard.push(text));
  room.on('refused', ({ reason }) => heard.push(reason));
  room.on('hit', (fields, tick) => heard.push([fields, tick]));
  room.say('hi');
  room.ready(true);
  room.kick(4);
  assert.deepEqual(socket.takeControl(), [client.say(1, 'hi'), client.ready(true), client.kick(4)].map(list));
  socket.receive(server.memberChanged(4, 'Bo'));
  socket.receive(server.memberState(4, true));
  socket.receive(server.chat(1, 'hi'));
  socket.receive(server.refused(5));
  socket.receive(server.refused(12));
  socket.receive(server.snapshot(3, { events: Uint8Array.of(1, 0, 3, 0, 1, 0) }));
  assert.deepEqual(heard, [[2, 4], [2, 4], 'hi', 'NotHost', 'Muted', [{ who: 0x10003 }, 2]]);
  link.close();
});

test('a line gets its number or the reason why it was not said', async (t) => {
  t.mock.method(Math, 'random', () => 0);
  const { link, socket, room } = await playing();
  /** @type {string[]} */
  const refused = [];
  room.on('refused', ({ reason }) => refused.push(reason));
  const [first, second, third] = ['a', ' ', 'c'].map((text) => room.say(text));
  assert.deepEqual(room.unsaid, ['a', ' ', 'c']);
  socket.receive(server.said(1, 8));
  socket.receive(server.unsaid(2, 9));
  assert.deepEqual(socket.takeControl(), [client.say(1, 'a'), client.say(2, ' '), client.say(3, 'c')].map(list));
  assert.equal(await first, 8);
  await assertRejects(/** @type {Promise<unknown>} */ (second), 'BadText');
  assert.deepEqual(refused, ['BadText']);
  socket.receive(server.left(0));
  await assertRejects(/** @type {Promise<unknown>} */ (third), 'NotNow');
  assert.throws(() => room.say('d'), { reason: 'NotNow' });
  link.close();
});

test('what was said is read page by page, also over a lost connection', async (t) => {
  t.mock.method(Math, 'random', () => 0);
  const { link, socket, room } = await playing();
  const pages = room.history();
  const first = pages.next();
  assert.deepEqual(socket.takeControl(), [list(client.history(1, 0))]);
  socket.receive(server.lines(1, [[60, 'a'], [61, 'b']], { next: 60, own: true }));
  const { value } = await first;
  assert.deepEqual(value?.map(({ id, text, own }) => [id, text, own]), [[60, 'a', true], [61, 'b', true]]);
  assert.equal(value?.[0].at.getTime(), 60_000);
  const second = pages.next();
  await settled();
  assert.deepEqual(socket.takeControl(), [list(client.history(2, 60))]);
  socket.receive(server.noLines(2, 0));
  await assertRejects(second, 'NoSuchRoom');
  assert.equal((await pages.next()).done, true);
  const later = room.history({ before: 5 }).next();
  assert.deepEqual(socket.takeControl(), [list(client.history(3, 5))]);
  socket.receive(server.left(0));
  await assertRejects(later, 'NotNow');
  await assertRejects(room.history().next(), 'NotNow');
  link.close();
});

test('the others are told seldom that one is typing, and the page who is', async () => {
  const { link, socket, room } = await playing();
  /** @type {number[][]} */
  const told = [];
  room.on('typing', (players) => told.push(players));
  for (let keys = 0; keys < 9; keys++) room.typing();
  assert.deepEqual(socket.takeControl(), [list(client.typing())]);
  socket.receive(server.memberChanged(4, 'Bo'));
  socket.receive(server.memberChanged(5, 'Cy'));
  socket.receive(server.typing(4));
  socket.receive(server.typing(5));
  socket.receive(server.chat(1, 'hi', 4));
  socket.receive(server.memberLeft(5));
  assert.deepEqual(told, [[4], [4, 5], [5], []]);
  socket.receive(server.left(0));
  room.typing();
  assert.deepEqual(socket.takeControl(), []);
  link.close();
});

test('to a server that answers no lines they are said as they come', async () => {
  const opening = connect(options);
  const socket = /** @type {FakeSocket} */ (FakeSocket.all.pop());
  socket.open();
  socket.receive(server.welcome(SQUARE, { features: 1 }));
  const link = await opening;
  const joining = link.quickJoin();
  socket.receive(server.joined({ you: 2 }));
  const room = await joining;
  socket.takeControl();
  const said = ['a', 'b'].map((text) => room.say(text));
  assert.deepEqual(socket.takeControl(), [client.chat('a'), client.chat('b')].map(list));
  assert.deepEqual(await Promise.all(said), [undefined, undefined]);
  socket.receive(server.chat(1, 'a'));
  socket.receive(server.chat(5, 'e'));
  assert.deepEqual(room.chat.map(({ id }) => id), [5], 'what is missing can not be read');
  assert.equal((await room.history().next()).done, true);
  link.close();
});

test('a listener that throws hinders nobody and is reported', async (t) => {
  const { link, socket, room } = await playing();
  const uncaught = new Promise((resolve) => {
    globalThis.reportError = resolve;
  });
  t.after(() => Reflect.deleteProperty(globalThis, 'reportError'));
  room.on('chat', () => {
    throw new Error('the page is broken');
  });
  const heard = new Promise((resolve) => room.on('chat', resolve));
  socket.receive(server.chat(1, 'hi'));
  assert.equal(/** @type {any} */ (await heard).text, 'hi');
  assert.match(/** @type {Error} */ (await uncaught).message, /page is broken/);
  assert.equal(link.state, 'open');
  link.close();
});

test('actions are answered by their number, in any order', async () => {
  const { link, socket, room } = await playing();
  const first = room.act('buy', { item: 3 });
  const second = room.act('buy', { item: 4 });
  assert.deepEqual(socket.takeControl(), [
    list(client.act(1, 0, Uint8Array.of(3, 0, 0, 0))),
    list(client.act(2, 0, Uint8Array.of(4, 0, 0, 0))),
  ]);
  socket.receive(server.reply(2, 'too dear'));
  await assert.rejects(second, { reason: 'Refused', message: 'too dear' });
  socket.receive(server.reply(1));
  await first;
  await assertRejects(room.act('sell'), 'NoSuchAction');
  const third = room.act('buy');
  socket.receive(server.left(1));
  await assertRejects(third, 'NotNow');
  link.close();
});

test('an action takes entities, handles and texts, and refuses what it has no field for', async () => {
  const { link, socket, room } = await playing();
  const world = new SquareServer(2);
  world.squares.push({ slot: 3, generation: 1, player: 2, x: 100, y: 50, heading: 0, ammo: 5 });
  world.step(() => ({ dx: 0, dy: 0 }), 0.04);
  socket.receive(server.snapshot(1, { layers: world.bodies() }));
  socket.takeControl();
  const [who] = room.entities;
  const greeted = [room.act('greet', { who, text: 'hé' }), room.act('greet', { who: who.handle, text: 'hé' }), room.act('greet')];
  const bytes = Uint8Array.of(3, 0, 1, 0, 0x68, 0xc3, 0xa9, 0, 0, 0, 0, 0);
  const neutral = Uint8Array.of(255, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0);
  assert.deepEqual(socket.takeControl(), [client.act(1, 1, bytes), client.act(2, 1, bytes), client.act(3, 1, neutral)].map(list));
  for (const id of [1, 2, 3]) socket.receive(server.reply(id));
  await Promise.all(greeted);
  await assert.rejects(room.act('buy', { itme: 3 }), { name: 'RangeError', message: 'action "buy" has no field "itme": it has item' });
  await assert.rejects(room.act('sell'), { message: 'the game has no action "sell": it has buy, greet' });
  assert.deepEqual(socket.takeControl(), [], 'what cannot be said is not sent');
  link.close();
});

test('an action without an answer fails after its time-out, a late answer is nobody’s', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let now = performance.now();
  t.mock.method(performance, 'now', () => now);
  const { link, socket, room } = await playing();
  const long = room.act('buy', { item: 1 });
  const short = room.act('buy', { item: 2 }, { timeoutMs: 500 });
  /** @type {string[]} */
  const failed = [];
  long.catch(({ reason }) => failed.push(`long ${reason}`));
  short.catch(({ reason }) => failed.push(`short ${reason}`));
  const pass = async (/** @type {number} */ ms) => {
    for (const end = now + ms; now < end; now += 50) {
      socket.receive(server.rooms([]));
      t.mock.timers.tick(50);
    }
    await Promise.resolve();
  };
  await pass(450);
  assert.deepEqual(failed, []);
  await pass(150);
  assert.deepEqual(failed, ['short TimedOut']);
  socket.receive(server.reply(2));
  await pass(9000);
  assert.deepEqual(failed, ['short TimedOut']);
  await pass(600);
  assert.deepEqual(failed, ['short TimedOut', 'long TimedOut']);
  link.close();
});

test('leaving resolves with the reason, and another room can be joined', async () => {
  const { link, socket, room } = await playing();
  /** @type {unknown[]} */
  const heard = [];
  room.on('left', (info) => heard.push(info));
  const leaving = room.leave();
  assert.deepEqual(socket.takeControl(), [list(client.leaveRoom())]);
  assert.throws(() => room.say('bye'), RequestError);
  socket.receive(server.snapshot(2));
  socket.receive(server.left(0));
  assert.equal(await leaving, 'Asked');
  assert.deepEqual(heard, [{ reason: 'Asked' }]);
  assert.equal(link.room, undefined);
  const again = link.quickJoin();
  socket.receive(server.joined());
  assert.notEqual(await again, room);
  link.close();
});

test('what a room did not hear any more is not the answer to a request of the lobby', async () => {
  const { link, socket, room } = await playing();
  room.say('hi');
  const leaving = room.leave();
  socket.receive(server.left(1));
  assert.equal(await leaving, 'Kicked');
  const rooms = link.rooms();
  const joining = link.quickJoin();
  // The server heard of both in the lobby.
  socket.receive(server.refused(7));
  socket.receive(server.refused(7));
  socket.receive(server.rooms([4]));
  assert.deepEqual((await rooms).map(({ id }) => id), [4]);
  socket.receive(server.joined());
  assert.equal(await joining, link.room);
  link.close();
});

test('a view shows what the snapshots brought', async () => {
  const { link, socket, room } = await playing();
  const world = new SquareServer(2);
  world.squares.push({ slot: 3, generation: 1, player: 2, x: 100, y: 50, heading: 0, ammo: 5 });
  world.step(() => ({ dx: 0, dy: 0 }), 0.04);
  socket.receive(server.snapshot(1, { layers: world.bodies() }));
  const { me, entities, state } = room.view();
  assert.deepEqual(me?.pos, { x: 100, y: 50 });
  assert.deepEqual(me?.ammo, { n: 5 });
  assert.deepEqual(entities, [me]);
  assert.deepEqual(state, { round: { on: false } });
  room.play({ input: () => ({ dx: 1 }) });
  const input = socket.sent.filter(([kind]) => kind === 2).pop();
  assert.deepEqual(input?.slice(5, 9), [1, 0, 0, 0], 'it acknowledges');
  assert.deepEqual(input?.slice(11), [128, 64], 'what is left out is neutral');
  assert.equal(room.stats.tick, 1);
  link.close();
});

test('a stalled socket gets no inputs', async () => {
  const { link, socket, room } = await playing();
  socket.receive(server.snapshot(1));
  socket.bufferedAmount = 100_000;
  room.play({ input: () => ({ dx: 1 }) });
  assert.deepEqual(socket.sent.filter(([kind]) => kind === 2), []);
  link.close();
});

test('ping resolves with the round trip', async () => {
  const { link, socket } = await connected();
  socket.sent = [];
  const pinged = link.ping();
  const nonce = socket.sent[0][2];
  socket.receive(server.pong(nonce + 100));
  socket.receive(server.pong(nonce));
  assert.ok((await pinged) >= 0);
  link.close();
});

test('broken bytes close the socket, fail what waits, and say why', async () => {
  const { link, socket, room } = await playing();
  /** @type {any[]} */
  const heard = [];
  link.on('close', (info) => heard.push(info));
  room.on('close', (info) => heard.push(info));
  const action = room.act('buy');
  const ping = link.ping();
  socket.receive(Uint8Array.of(2, 1));
  await assertRejects(action, 'Closed');
  await assertRejects(ping, 'Closed');
  const info = { code: 1002, reason: 'protocol error: message ends too early', retryAfterMs: undefined };
  assert.deepEqual(heard, [info, info]);
  assert.deepEqual(socket.closed, { code: 4000, reason: 'malformed message' });
  assert.equal(link.state, 'closed');
  await assertRejects(link.rooms(), 'Closed');
  await assertRejects(link.ping(), 'Closed');
  socket.receive(server.rooms([]));
  socket.end(1006, '');
  assert.equal(heard.length, 2, 'the end comes once');
});

test('a text message is broken bytes too', async () => {
  const { link, socket } = await connected();
  const closed = new Promise((resolve) => link.on('close', resolve));
  socket.receive('hello');
  assert.equal(/** @type {any} */ (await closed).code, 1002);
});

test('a server that stops says when to come back', async () => {
  const { link, socket, room } = await playing({ reconnect: false });
  const rooms = room.leave();
  /** @type {unknown[]} */
  const heard = [];
  link.on('stopping', (info) => heard.push(info));
  link.on('close', (info) => heard.push(info));
  socket.receive(server.stopping(2500));
  socket.end(1012, '');
  assert.deepEqual(heard, [
    { retryAfterMs: 2500 },
    { code: 1012, reason: 'server restarts', retryAfterMs: 2500 },
  ]);
  assert.equal(await rooms, 'Asked');
});

test('goodbye closes with 1000', async () => {
  const { link, socket } = await connected();
  const waiting = link.rooms();
  link.close();
  assert.deepEqual(socket.closed, { code: 1000, reason: 'goodbye' });
  await assertRejects(waiting, 'Closed');
  link.close();
});

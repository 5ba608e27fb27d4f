/**
 * A connection that is lost and comes back: when it is tried, what the page is told, what it keeps.
 * On virtual time.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as client from '../src/protocol/client_message.js';
import { Backoff } from '../src/reconnect.js';
import { connect, join, RequestError } from '../src/tickwire.js';
import { FakeSocket } from './support/fake_socket.js';
import * as server from './support/messages.js';
import { list, newest, options, settled, Storage, virtualTime } from './support/page.js';
import { SQUARE } from './support/square.js';

/** @param {object} [more] */
async function playing(more) {
  const opening = connect({ ...options, ...more });
  const socket = newest();
  socket.open();
  socket.receive(server.welcome(SQUARE, { token: 'who' }));
  const link = await opening;
  const joining = link.quickJoin();
  socket.receive(server.joined({ you: 2 }));
  socket.receive(server.resumeToken('first'));
  const room = await joining;
  /** @type {any[]} */
  const heard = [];
  link.on('reconnecting', ({ attempt, code }) => heard.push(['reconnecting', attempt, code]));
  link.on('resumed', ({ room: back }) => heard.push(['resumed', back === room]));
  link.on('close', ({ code }) => heard.push(['close', code]));
  room.on('left', ({ reason }) => heard.push(['left', reason]));
  return { link, socket, room, heard };
}

/** @param {(ms: number) => void} pass lets the next try come @param {number} [ms] */
function nextSocket(pass, ms = 8000) {
  for (let i = 0; i < ms && FakeSocket.all.length === 0; i++) pass(1);
  const socket = newest();
  assert.deepEqual(socket.sent, [], 'nothing is sent before it is open');
  socket.open();
  return socket;
}

test('tries are spread, ever further apart, and end', () => {
  const [early, late] = [0, 0.999_999].map((chance) => {
    const backoff = new Backoff(0, () => chance);
    const delays = [];
    for (let now = 0, delay; (delay = backoff.next(now)) !== undefined; now += delay) delays.push(delay);
    return delays;
  });
  assert.equal(early[0], 0);
  assert.ok(late[0] > 299 && late[0] <= 300);
  for (const delays of [early, late]) {
    assert.ok(delays.every((delay, i) => i === 0 || delay >= delays[i - 1]));
    const total = delays.reduce((sum, delay) => sum + delay);
    assert.ok(total >= 120_000 && total <= 122_000, `${total}`);
  }
  assert.ok(Math.max(...late) <= 2000);
  const told = new Backoff(0, () => 0.5);
  assert.equal(told.next(0, 2500), 2500, 'the server knows better');
});

test('a lost socket is replaced, and the room goes on as the same object', async (t) => {
  const pass = virtualTime(t);
  t.mock.method(Math, 'random', () => 0.5);
  const { link, socket, room, heard } = await playing();
  /** @type {string[]} */
  const lines = [];
  room.on('chat', ({ text }) => lines.push(text));
  room.play({ input: () => ({ dx: 1 }) });
  socket.receive(server.chat(4, 'before'));
  const action = room.act('buy');
  const ping = link.ping();
  socket.end(1006, '');
  assert.equal(link.state, 'reconnecting');
  for (const promise of [action, ping, link.rooms()]) {
    await assert.rejects(promise, (error) => error instanceof RequestError && error.reason === 'Closed');
  }
  const lost = ['lost', 'too'].map((text) => room.say(text));
  assert.ok(room.view(performance.now()), 'the picture stays');

  for (let i = 0; i < 1000 && FakeSocket.all.length === 0; i++) pass(1);
  room.view(performance.now());
  const second = nextSocket(pass);
  assert.deepEqual(second.takeControl(), [client.hello('Ann', 'who'), client.resume('first', { chat: 4, tick: 0 })].map(list));
  second.receive(server.welcome(SQUARE, { token: 'who' }));
  assert.equal(link.state, 'reconnecting', 'the seat is not there yet');
  second.receive(server.joined({ you: 2, said: [[5, 'meanwhile']] }));
  second.receive(server.resumeToken('second'));
  assert.equal(link.state, 'open');
  assert.equal(link.room, room);
  assert.deepEqual(heard, [['reconnecting', 1, 1006], ['resumed', true]]);
  const nonce = 2 ** 31 + 1;
  assert.deepEqual(second.takeControl(), [client.history(nonce, 0), client.say(nonce, 'lost')].map(list));
  second.receive(server.chat(7, 'now'));
  assert.deepEqual(lines, ['before'], 'what was missed comes first');
  second.receive(server.lines(nonce, [[5, 'meanwhile'], [6, 'too']], { more: true }));
  second.receive(server.lines(nonce, [[7, 'now']]));
  await settled();
  assert.deepEqual(lines, ['before', 'meanwhile', 'too', 'now']);
  assert.deepEqual(room.chat.map(({ id, from, at }) => [id, from, at?.getTime()]).slice(1), [[5, 0, 5000], [6, -1, 6000], [7, 0, 7000]]);
  room.say('back');
  assert.deepEqual(room.unsaid, ['lost', 'too', 'back']);
  for (const [n, text] of room.unsaid.entries()) {
    if (n > 0) assert.deepEqual(second.takeControl(), [list(client.say(nonce + n, text))], 'in order');
    second.receive(server.said(nonce + n, 8 + n));
  }
  assert.deepEqual(await Promise.all(lost), [8, 9]);
  second.receive(server.snapshot(30));
  pass(200);
  assert.ok(second.sent.some(([kind]) => kind === 2), 'inputs go on');

  second.end(4010, '');
  const third = nextSocket(pass);
  assert.deepEqual(third.takeControl()[1], list(client.resume('second', { chat: 7, tick: 30 })));
  link.close();
});

test('what is durable of the time between comes as past, and is not asked for again', async (t) => {
  const pass = virtualTime(t);
  const { link, socket, room } = await playing();
  /** @type {any[]} */
  const hits = [];
  room.on('hit', ({ who }, tick, isPast) => hits.push([who, tick, isPast]));
  /** @param {number[][]} told by ticks back and who */
  const events = (...told) => Uint8Array.from(told.flatMap(([back, who]) => [back, 0, who, 0, 0, 0]));
  socket.receive(server.snapshot(20, { events: events([15, 1], [0, 2]) }));
  socket.end(1006, '');
  const second = nextSocket(pass);
  assert.deepEqual(second.takeControl()[1], list(client.resume('first', { chat: 0, tick: 20 })));
  second.receive(server.welcome(SQUARE, { token: 'who' }));
  second.receive(server.joined({ you: 2, tick: 40 }));
  second.end(1006, '');
  const third = nextSocket(pass);
  assert.deepEqual(third.takeControl()[1], list(client.resume('first', { chat: 0, tick: 20 })), 'no snapshot came');
  third.receive(server.welcome(SQUARE, { token: 'who' }));
  third.receive(server.joined({ you: 2, tick: 50 }));
  third.receive(server.snapshot(51, { events: events([20, 3], [0, 4]) }));
  assert.deepEqual(hits, [[1, 5, false], [2, 20, false], [3, 31, true], [4, 51, false]]);
  third.end(1006, '');
  assert.deepEqual(nextSocket(pass).takeControl()[1], list(client.resume('first', { chat: 0, tick: 51 })));
  link.close();
});

test('a server that is away is tried again and again, one that says no is not', async (t) => {
  const pass = virtualTime(t);
  const { link, socket, heard } = await playing();
  socket.receive(server.stopping(2000));
  socket.end(1012, '');
  pass(1400);
  assert.equal(FakeSocket.all.length, 0, 'not before the server said');
  for (let tries = 0; tries < 4; tries++) nextSocket(pass).end(1006, '');
  assert.deepEqual(heard.map(([, attempt]) => attempt), [1, 2, 3, 4, 5]);
  nextSocket(pass).end(4001, '');
  assert.deepEqual(heard.at(-1), ['close', 4001]);
  assert.equal(link.state, 'closed');
  pass(20_000);
  assert.equal(FakeSocket.all.length, 0);
});

test('after two minutes it gives up', async (t) => {
  const pass = virtualTime(t);
  const { socket, heard } = await playing();
  socket.end(1006, '');
  for (let tries = 0; tries < 100 && heard.at(-1)[0] !== 'close'; tries++) nextSocket(pass, 9000).end(1006, '');
  assert.deepEqual(heard.at(-1), ['close', 1006]);
});

test('who comes back too late is in the lobby and told so', async (t) => {
  const pass = virtualTime(t);
  const { link, socket, room, heard } = await playing();
  socket.end(1006, '');
  const second = nextSocket(pass);
  second.receive(server.welcome(SQUARE));
  second.receive(server.refused(11));
  assert.deepEqual(heard.slice(1), [['resumed', false], ['left', 'SeatLost']]);
  assert.equal(link.room, undefined);
  assert.equal(link.state, 'open');
  second.takeControl();
  const joining = link.joinCode('CODE');
  assert.deepEqual(second.takeControl(), [list(client.joinCode('CODE'))]);
  second.receive(server.joined({ you: 3 }));
  assert.notEqual(await joining, room);
  link.close();
});

test('a server that went silent is left with a code that gives nothing up', async (t) => {
  const pass = virtualTime(t);
  const { link, socket, heard } = await playing();
  pass(13_000);
  assert.equal(socket.closed?.code, 4010);
  const second = nextSocket(pass);
  second.receive(server.welcome(SQUARE));
  second.receive(server.joined({ you: 2 }));
  assert.deepEqual(heard, [['reconnecting', 1, 1006], ['resumed', true]]);
  link.close();
});

test('a server that is busy is asked for the seat again', async (t) => {
  const pass = virtualTime(t);
  const { link, socket, heard } = await playing();
  socket.end(1006, '');
  const second = nextSocket(pass);
  second.receive(server.welcome(SQUARE));
  second.takeControl();
  second.receive(server.refused(3));
  assert.deepEqual(second.takeControl(), []);
  pass(700);
  assert.deepEqual(second.takeControl(), [list(client.resume('first', { chat: 0, tick: 0 }))]);
  second.receive(server.joined({ you: 2 }));
  assert.deepEqual(heard.at(-1), ['resumed', true]);
  link.close();
});

test('whom an operator sends away does not come back by itself', async (t) => {
  const pass = virtualTime(t);
  for (const [code, words] of [[4011, 'removed by an operator'], [4012, 'banned by an operator']]) {
    const storage = new Storage();
    const { link, socket, heard } = await playing({ resume: true, storage });
    const told = new Promise((resolve) => link.on('close', resolve));
    socket.end(Number(code), String(words));
    assert.deepEqual(heard, [['close', code]]);
    assert.deepEqual(await told, { code, reason: words, retryAfterMs: undefined });
    assert.equal(link.state, 'closed');
    assert.doesNotMatch(storage.kept.get('tickwire ws://test/ws') ?? '', /first/, 'the seat is given up');
    pass(20_000);
    assert.equal(FakeSocket.all.length, 0);
  }
});

test('another tab with the same seat wins', async (t) => {
  const pass = virtualTime(t);
  const storage = new Storage();
  const { socket, heard } = await playing({ resume: true, storage });
  assert.match(storage.kept.get('tickwire ws://test/ws') ?? '', /first/);
  socket.end(4006, '');
  assert.deepEqual(heard, [['close', 4006]]);
  assert.doesNotMatch(storage.kept.get('tickwire ws://test/ws') ?? '', /first/);
  pass(20_000);
  assert.equal(FakeSocket.all.length, 0);
});

test('a reload comes back to the seat, with the token of the page before', async (t) => {
  virtualTime(t);
  const storage = new Storage();
  const key = 'tickwire ws://test/ws';
  storage.setItem(key, JSON.stringify({ token: 'who', seat: 'first' }));
  const joining = join({ ...options, storage, code: 'co-de' });
  await settled();
  const socket = newest();
  socket.open();
  assert.deepEqual(socket.takeControl(), [client.hello('Ann', 'who'), client.resume('first', { chat: 0, tick: 0 })].map(list));
  socket.receive(server.welcome(SQUARE, { token: 'who' }));
  socket.receive(server.joined({ you: 2 }));
  const room = await joining;
  assert.equal(room.link.token, 'who');
  socket.receive(server.resumeToken('second'));
  assert.equal(room.code, 'CODE');
  assert.deepEqual(JSON.parse(storage.kept.get(key) ?? ''), { token: 'who', seat: 'second' });

  const other = connect({ ...options, resume: true, storage });
  const second = newest();
  second.open();
  assert.deepEqual(second.takeControl(), [list(client.hello('Ann', ''))], 'one link of a page has the seat');
  second.receive(server.welcome(SQUARE));
  (await other).close();
  assert.match(storage.kept.get(key) ?? '', /second/);
  const left = room.leave();
  socket.receive(server.left(0));
  assert.equal(await left, 'Asked');
  assert.deepEqual(JSON.parse(storage.kept.get(key) ?? ''), { token: 'who', seat: '' });
  room.link.close();
});

test('what is given as undefined is as if left out', async (t) => {
  virtualTime(t);
  const storage = new Storage();
  storage.setItem('tickwire ws://test/ws', JSON.stringify({ token: 'who', seat: 'first' }));
  const joining = join({ ...options, storage, resume: undefined, code: undefined, input: undefined, draw: undefined, conditioner: undefined, reconnect: undefined });
  await settled();
  const socket = newest();
  socket.open();
  assert.deepEqual(socket.takeControl(), [client.hello('Ann', 'who'), client.resume('first', { chat: 0, tick: 0 })].map(list));
  socket.receive(server.welcome(SQUARE, { token: 'who' }));
  socket.receive(server.joined({ you: 2 }));
  const { link } = await joining;
  socket.end(1006, '');
  assert.equal(link.state, 'reconnecting');
  link.close();
});

test('a seat that is gone, or was another room, leads to the door', async (t) => {
  virtualTime(t);
  const storage = new Storage();
  storage.setItem('tickwire ws://test/ws', JSON.stringify({ token: 'who', seat: 'first' }));
  const gone = join({ ...options, storage });
  await settled();
  const socket = newest();
  socket.open();
  socket.receive(server.welcome(SQUARE));
  socket.takeControl();
  socket.receive(server.refused(11));
  await settled();
  assert.deepEqual(socket.takeControl(), [list(client.quickJoin())]);
  socket.receive(server.joined());
  (await gone).link.close();

  storage.setItem('tickwire ws://test/ws', 'no JSON');
  const fresh = connect({ ...options, resume: true, storage });
  const second = newest();
  second.open();
  assert.deepEqual(second.takeControl(), [list(client.hello('Ann', ''))]);
  second.receive(server.welcome(SQUARE));
  (await fresh).close();
});

test('a kept token that is not taken any more is dropped', async (t) => {
  virtualTime(t);
  const storage = new Storage();
  storage.setItem('tickwire ws://test/ws', JSON.stringify({ token: 'old', seat: 'first' }));
  const opening = connect({ ...options, token: 'fresh', resume: true, storage });
  const given = newest();
  given.open();
  assert.deepEqual(given.takeControl()[0], list(client.hello('Ann', 'fresh')), 'what the page says comes first');
  given.end(4007, '');
  await assert.rejects(opening, { reason: 'Closed', code: 4007 });
  storage.setItem('tickwire ws://test/ws', JSON.stringify({ token: 'old', seat: 'first' }));
  const again = connect({ ...options, resume: true, storage });
  const first = newest();
  first.open();
  first.takeControl();
  first.end(4007, '');
  const second = newest();
  second.open();
  assert.deepEqual(second.takeControl(), [list(client.hello('Ann', ''))]);
  second.receive(server.welcome(SQUARE));
  (await again).close();
});

test('a goodbye ends it, also between two tries', async (t) => {
  const pass = virtualTime(t);
  const { link, socket, heard } = await playing();
  socket.end(1006, '');
  link.close();
  assert.deepEqual(heard, [['reconnecting', 1, 1006], ['close', 1000]]);
  pass(20_000);
  assert.equal(FakeSocket.all.length, 0);
});

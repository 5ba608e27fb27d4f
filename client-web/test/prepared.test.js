/**
 * A redirect that is announced: what becomes of the socket that is opened for it, and that play goes
 * on meanwhile. On virtual time.
 */

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';

import { PREPARE_EVERY_MS, PREPARED_MAX_MS } from '../src/limits.js';
import * as client from '../src/protocol/client_message.js';
import { FakeSocket } from './support/fake_socket.js';
import * as server from './support/messages.js';
import { connected, list, newest, nextSocket, playing, settled, virtualTime } from './support/page.js';
import { SQUARE } from './support/square.js';

const TARGET = 'ws://target/n/3/ws';
const ELSEWHERE = 'ws://elsewhere/ws';
const redirect = server.redirect({ url: TARGET, ticket: 'proof', room: 7, validMs: 5000 });
/** What is said at the target by who has a seat in the room. */
const comeOver = [client.hello('Ann', 'proof'), client.resume('first', { chat: 0, tick: 0 })].map(list);

afterEach(() => void FakeSocket.all.splice(0));

/**
 * In a room, with a socket prepared.
 * @param {object} [options]
 */
async function prepared(options) {
  const page = await playing(options);
  /** @type {string[]} */
  const heard = [];
  page.link.on('reconnecting', ({ reason }) => void heard.push(reason));
  page.link.on('resumed', ({ room }) => void heard.push(room === page.room ? 'back' : 'without the room'));
  page.socket.receive(server.prepare(TARGET));
  const target = newest();
  assert.equal(target.url, TARGET);
  return { ...page, heard, target };
}

/** @param {FakeSocket} target answers for the player who comes over */
function welcomed(target) {
  assert.deepEqual(target.takeControl(), comeOver);
  target.receive(server.welcome(SQUARE, { token: 'who' }));
  target.receive(server.joined({ you: 2 }));
}

test('play goes on while it opens, and nothing is said on it', async (t) => {
  const pass = virtualTime(t);
  const { link, socket, room, heard, target } = await prepared();
  room.play({ input: () => ({ dx: 1 }) });
  socket.receive(server.snapshot(5));
  pass(200);
  target.open();
  socket.sent = [];
  socket.receive(server.snapshot(12));
  pass(200);
  assert.ok(socket.sent.some(([kind]) => kind === 2), 'inputs are sent');
  assert.deepEqual([target.sent, target.closed], [[], undefined]);
  assert.deepEqual([link.state, heard], ['open', []]);
  link.close();
  assert.equal(target.closed?.code, 1000);
});

for (const when of ['before', 'after']) {
  test(`a redirect takes it: it opens ${when} that, and no other does`, async (t) => {
    const pass = virtualTime(t);
    const { link, socket, room, heard, target } = await prepared();
    if (when === 'before') target.open();
    socket.receive(redirect);
    assert.equal(socket.closed?.code, 1000);
    if (when === 'after') {
      pass(1000);
      assert.deepEqual(target.sent, []);
      target.open();
    }
    assert.equal(FakeSocket.all.length, 0, 'no third one');
    welcomed(target);
    assert.deepEqual([link.state, link.room, heard], ['open', room, ['redirected', 'back']]);
    // What it was held for at most does not end it.
    for (let ms = 0; ms < 2 * PREPARED_MAX_MS; ms += 500, pass(500)) target.receive(server.stopping(0));
    assert.equal(target.closed, undefined);
    link.close();
  });
}

test('who asks for a room in the lobby is led there as well', async (t) => {
  virtualTime(t);
  const { link, socket } = await connected();
  const joining = link.joinRoom(3);
  socket.receive(server.prepare(TARGET));
  const target = newest();
  target.open();
  socket.receive(redirect);
  assert.deepEqual(target.takeControl(), [client.hello('Ann', 'proof'), client.joinRoom(7)].map(list));
  target.receive(server.welcome(SQUARE));
  target.receive(server.joined({ you: 4 }));
  assert.equal((await joining).you, 4);
  link.close();
});

test('its time passes: it is closed, and a redirect opens its own', async (t) => {
  const pass = virtualTime(t);
  for (const [validMs, heldMs] of [[4000, 4000], [0xffff_ffff, PREPARED_MAX_MS]]) {
    const { link, socket } = await playing();
    socket.receive(server.prepare(TARGET, validMs));
    const target = newest();
    target.open();
    pass(heldMs - 10);
    assert.deepEqual([target.closed], [undefined]);
    pass(10);
    assert.equal(target.closed?.code, 1000);
    socket.receive(redirect);
    welcomed(nextSocket(pass));
    link.close();
  }
});

test('said again it is not opened again, nor held for longer', async (t) => {
  const pass = virtualTime(t);
  const { link, socket, target } = await prepared();
  pass(3000);
  socket.receive(server.prepare(TARGET));
  assert.equal(FakeSocket.all.length, 0);
  pass(1000);
  assert.equal(target.closed?.code, 1000);
  link.close();
});

test('another takes its place', async (t) => {
  const pass = virtualTime(t);
  const { link, socket, target } = await prepared();
  pass(PREPARE_EVERY_MS);
  socket.receive(server.prepare(ELSEWHERE));
  assert.equal(target.closed?.code, 1000);
  const other = newest();
  assert.equal(other.url, ELSEWHERE);
  pass(3500);
  assert.deepEqual([other.closed], [undefined], 'its time begins with it');
  link.close();
  assert.equal(other.closed?.code, 1000);
});

test('a server that says ever others does not have the page knock everywhere', async (t) => {
  const pass = virtualTime(t);
  const { link, socket, target } = await prepared();
  for (let n = 0; n < 100; n++) {
    socket.receive(server.prepare(`${ELSEWHERE}?${n}`));
    pass(10);
  }
  assert.equal(target.closed?.code, 1000);
  assert.equal(FakeSocket.all.length, 0);
  socket.receive(server.prepare(TARGET));
  assert.equal(newest().url, TARGET, 'a second later it may');
  link.close();
});

/** @type {Record<string, (page: Awaited<ReturnType<typeof prepared>>) => void>} */
const ENDS = {
  'a redirect elsewhere': ({ socket }) => socket.receive(server.redirect({ url: ELSEWHERE, room: 7 })),
  'the room is left': ({ socket, room }) => (room.leave(), socket.receive(server.left(0))),
  'the connection is lost': ({ socket }) => socket.end(1006, ''),
  'the server stops': ({ socket }) => socket.end(1012, ''),
  'the page closes the link': ({ link }) => link.close(),
  'the server breaks the protocol': ({ socket }) => socket.receive(Uint8Array.of(9)),
};

for (const [name, end] of Object.entries(ENDS)) {
  test(`${name}: it is closed with 1000`, async (t) => {
    virtualTime(t);
    for (const isOpen of [true, false]) {
      const page = await prepared();
      if (isOpen) page.target.open();
      end(page);
      assert.equal(page.target.closed?.code, 1000);
      assert.deepEqual(page.target.sent, []);
      page.link.close();
      FakeSocket.all.splice(0);
    }
  });
}

/** @type {Record<string, (target: FakeSocket) => void>} */
const FAILURES = {
  'never opens': (target) => target.end(1006, ''),
  'is closed': (target) => (target.open(), target.end(4004, '')),
  'is closed for good': (target) => (target.open(), target.end(4012, '')),
  speaks: (target) => (target.open(), target.receive(server.stopping(0))),
};

for (const [name, fail] of Object.entries(FAILURES)) {
  test(`one that ${name} is no loss`, async (t) => {
    const pass = virtualTime(t);
    const { link, socket, heard, target } = await prepared();
    fail(target);
    await settled();
    assert.deepEqual([link.state, heard], ['open', []]);
    socket.receive(redirect);
    const own = newest();
    assert.equal(own.url, TARGET, 'at once');
    own.open();
    welcomed(own);
    assert.deepEqual(heard, ['redirected', 'back']);
    pass(10_000);
    link.close();
  });
}

test('one that cannot be opened at all is no loss', async (t) => {
  const pass = virtualTime(t);
  let forbids = true;
  class Picky extends FakeSocket {
    constructor(/** @type {string} */ url, /** @type {string} */ protocol) {
      super(url, protocol);
      if (!forbids || url !== TARGET) return;
      FakeSocket.all.pop();
      throw new Error('insecure');
    }
  }
  const { link, socket } = await playing({ WebSocket: Picky });
  socket.receive(server.prepare(TARGET));
  assert.equal(link.state, 'open');
  forbids = false;
  socket.receive(redirect);
  welcomed(nextSocket(pass));
  link.close();
});

for (const [code, when] of /** @type {[number, string][]} */ ([[1006, 'while it opens'], [1000, 'open'], [4004, 'open'], [1006, 'open'], [4005, 'open']])) {
  test(`taken, ${when}, and closed with ${code} before a word: the redirect is followed as without, at once`, async (t) => {
    virtualTime(t);
    const { link, socket, heard, target } = await prepared();
    if (when === 'open') target.open();
    socket.receive(redirect);
    target.end(code, '');
    const own = newest();
    assert.equal(own.url, TARGET);
    own.open();
    welcomed(own);
    assert.deepEqual(heard, ['redirected', 'back']);
    link.close();
  });
}

test('once only: what follows is tried at growing distances', async (t) => {
  const pass = virtualTime(t);
  t.mock.method(Math, 'random', () => 0.5);
  const { link, socket, target } = await prepared();
  socket.receive(redirect);
  target.end(1006, '');
  newest().end(1006, '');
  assert.equal(FakeSocket.all.length, 0);
  pass(150);
  assert.equal(newest().url, TARGET);
  link.close();
});

test('what the target says to the hello is the end', async (t) => {
  virtualTime(t);
  const { link, socket, target } = await prepared();
  target.open();
  socket.receive(redirect);
  target.end(4007, 'token not accepted');
  assert.equal(link.state, 'closed');
  assert.equal(FakeSocket.all.length, 0);
});

test('a page that closes the link when it hears of the redirect leaves nothing open', async (t) => {
  virtualTime(t);
  const { link, socket, target } = await prepared();
  target.open();
  link.on('reconnecting', () => link.close());
  socket.receive(redirect);
  assert.equal(target.closed?.code, 1000);
  assert.deepEqual(target.sent, []);
  assert.equal(FakeSocket.all.length, 0);
});

test('from a target there may be a next one', async (t) => {
  const pass = virtualTime(t);
  const { link, socket, room, target } = await prepared();
  target.open();
  socket.receive(redirect);
  welcomed(target);
  target.receive(server.resumeToken('first'));
  pass(PREPARE_EVERY_MS);
  target.receive(server.prepare(ELSEWHERE));
  const next = newest();
  next.open();
  // The time of the first one passes meanwhile.
  pass(3500);
  target.receive(server.redirect({ url: ELSEWHERE, ticket: 'proof', room: 7 }));
  welcomed(next);
  assert.equal(link.room, room);
  link.close();
});

test('the conditions of the link hold for both sockets, and after', async (t) => {
  const pass = virtualTime(t);
  t.mock.method(Math, 'random', () => 0);
  const { link, socket, room, target } = await prepared();
  link.conditioner = { rttMs: 200 };
  target.open();
  socket.sent = [];
  room.say('slow');
  pass(90);
  assert.deepEqual(socket.takeControl(), []);
  pass(20);
  assert.deepEqual(socket.takeControl(), [list(client.say(1, 'slow'))]);
  socket.receive(redirect);
  pass(90);
  assert.deepEqual([socket.closed], [undefined], 'the redirect is on its way');
  pass(20);
  assert.equal(socket.closed?.code, 1000);
  assert.deepEqual(target.sent, [], 'the hello is on its way');
  pass(100);
  assert.deepEqual(target.takeControl(), comeOver);
  link.conditioner = undefined;
  target.receive(server.welcome(SQUARE, { token: 'who' }));
  target.receive(server.joined({ you: 2 }));
  assert.equal(link.state, 'open', 'at once again');
  assert.deepEqual(target.takeControl(), [list(client.say(1, 'slow'))], 'whether it was said nobody knows');
  target.receive(server.said(1, 1));
  room.say('quick');
  assert.deepEqual(target.takeControl(), [list(client.say(2, 'quick'))]);
  link.close();
});

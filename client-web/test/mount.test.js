/**
 * A page whose parts come and go: React's strict mode mounts twice, hot reload mounts anew, tabs
 * are duplicated. Whoever plays last has the seat, and a reload comes back to it. On a socket that
 * the test plays, then against the real server.
 */

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';

import { WebSocket } from 'ws';

import * as client from '../src/protocol/client_message.js';
import { connect, join } from '../src/tickwire.js';
import { FakeSocket } from './support/fake_socket.js';
import { forAll } from './support/for_all.js';
import * as server from './support/messages.js';
import { answered, connected, KEY, list, newest, nextSocket, options, playing, settled, Storage, virtualTime } from './support/page.js';
import { startServer } from './support/server.js';
import { SQUARE } from './support/square.js';

const real = await forAll(startServer(['--npcs', '5', '--seed', '7']));

afterEach(() => void FakeSocket.all.splice(0));

/** @param {string} seat @returns {Storage} of a page that had it */
function keeping(seat) {
  const storage = new Storage();
  storage.setItem(KEY, JSON.stringify({ token: 'who', seat }));
  return storage;
}

/**
 * The next socket says hello and is welcomed.
 * @param {string} [seat] that is asked for
 * @returns {FakeSocket}
 */
function welcomed(seat) {
  const socket = newest();
  socket.open();
  const [hello, ...more] = socket.takeControl();
  assert.equal(hello[1], 0);
  assert.deepEqual(more, seat === undefined ? [] : [list(client.resume(seat, { chat: 0, tick: 0 }))]);
  socket.receive(server.welcome(SQUARE, { token: 'who' }));
  return socket;
}

test('a signal that is aborted already opens nothing', async () => {
  const why = new Error('unmounted');
  for (const open of [connect, join]) {
    await assert.rejects(open({ ...options, signal: AbortSignal.abort(why) }), why);
    await assert.rejects(open({ ...options, signal: AbortSignal.abort(null) }), (error) => error === null, 'whatever the reason is');
  }
  assert.equal(FakeSocket.all.length, 0);
});

test('aborted on the way, connect and join reject with the reason, and the socket is closed', async () => {
  /** @type {[string, (socket: FakeSocket) => unknown][]} */
  const moments = [
    ['before the socket is open', () => {}],
    ['before the welcome', (socket) => socket.open()],
    [
      'before the seat',
      (socket) => {
        socket.open();
        socket.receive(server.welcome(SQUARE));
        return settled();
      },
    ],
  ];
  for (const [moment, reach] of moments) {
    for (const open of [connect, join]) {
      const isOpenedThen = open === connect && moment === 'before the seat';
      const abort = new AbortController();
      const opening = open({ ...options, signal: abort.signal, storage: new Storage() });
      const socket = newest();
      await reach(socket);
      if (isOpenedThen) await opening;
      abort.abort('unmounted');
      assert.equal(socket.closed?.code, 1000, moment);
      if (isOpenedThen) assert.equal(/** @type {any} */ (await opening).state, 'closed');
      else await assert.rejects(opening, (error) => error === 'unmounted', moment);
      await settled();
      assert.equal(FakeSocket.all.length, 0);
    }
  }
});

test('mounted twice, the second mount takes the seat that was kept, and a reload too', async () => {
  const storage = keeping('first');
  const first = new AbortController();
  const unmounted = join({ ...options, storage, signal: first.signal });
  const left = newest();
  first.abort();
  assert.equal(left.closed?.code, 4010, 'not a goodbye, which would give the seat up');
  const mounted = join({ ...options, storage });
  await assert.rejects(unmounted, { name: 'AbortError' });
  const socket = welcomed('first');
  socket.receive(server.joined({ you: 2 }));
  socket.receive(server.resumeToken('second'));
  const room = await mounted;
  assert.equal(room.you, 2);
  assert.equal(storage.seat, 'second');
  room.link.close();
});

test('aborted in the room the seat is kept for the next mount; without a storage it is given up', async () => {
  const storage = new Storage();
  const abort = new AbortController();
  const { link, socket, room } = await playing({ resume: true, storage, signal: abort.signal });
  /** @type {any} */
  let closed;
  room.on('close', (info) => (closed = info));
  const action = room.act('buy');
  abort.abort();
  await assert.rejects(action, { reason: 'Closed', message: 'aborted by the page' });
  assert.deepEqual(closed, { code: 1000, reason: 'aborted by the page', retryAfterMs: undefined });
  assert.equal(link.state, 'closed');
  assert.equal(await room.leave(), 'RoomClosed');
  assert.equal(socket.closed?.code, 4010);
  assert.equal(storage.seat, 'first');
  const again = connect({ ...options, resume: true, storage });
  welcomed('first').receive(server.joined({ you: 2 }));
  (await again).close();

  for (const kept of [{}, { resume: true, storage: new Storage() }]) {
    const other = new AbortController();
    // With a storage whose key another link holds it is the same.
    const holder = 'storage' in kept ? await playing(kept) : undefined;
    const { socket: given } = await playing({ ...kept, signal: other.signal });
    other.abort();
    assert.equal(given.closed?.code, 1000);
    holder?.link.close();
  }
});

test('aborted while the connection is away nothing is tried any more, and the seat is kept', async (t) => {
  const pass = virtualTime(t);
  const storage = new Storage();
  const abort = new AbortController();
  const { link, socket } = await playing({ resume: true, storage, signal: abort.signal });
  socket.end(1006, '');
  abort.abort();
  assert.equal(link.state, 'closed');
  pass(20_000);
  assert.equal(FakeSocket.all.length, 0);
  assert.equal(storage.seat, 'first');
});

test('a link that is over listens to its signal no more', async () => {
  const abort = new AbortController();
  let listening = 0;
  const { signal } = abort;
  const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
  signal.addEventListener = (/** @type {[any, any]} */ ...args) => void (listening++, add(...args));
  signal.removeEventListener = (/** @type {[any, any]} */ ...args) => void (listening--, remove(...args));
  const { link } = await connected({ signal });
  assert.equal(listening, 1);
  link.close();
  assert.equal(listening, 0);
  abort.abort();
});

test('the key is free after every failure and every end', async (t) => {
  const pass = virtualTime(t);
  /** @type {Record<string, (storage: Storage) => Promise<unknown>>} */
  const ends = {
    'no WebSocket': (storage) => assert.rejects(connect({ ...options, WebSocket: /** @type {any} */ (null), resume: true, storage })),
    'no URL': (storage) => assert.rejects(connect({ ...options, url: 'ftp://test/', resume: true, storage })),
    'no server': (storage) => {
      const opening = connect({ ...options, resume: true, storage });
      newest().end(1006, '');
      return assert.rejects(opening);
    },
    'no welcome': (storage) => {
      const opening = connect({ ...options, resume: true, storage });
      newest().open();
      pass(20_000);
      return assert.rejects(opening);
    },
    'no room': async (storage) => {
      const joining = join({ ...options, storage });
      const socket = welcomed(storage.seat || undefined);
      if (storage.seat) socket.receive(server.refused(11));
      await settled();
      socket.receive(server.refused(1));
      await assert.rejects(joining, { reason: 'RoomFull' });
    },
    'a goodbye': async (storage) => (await connected({ resume: true, storage })).link.close(),
    'a final end': async (storage) => (await connected({ resume: true, storage })).socket.end(4012, ''),
    'broken bytes': async (storage) => (await connected({ resume: true, storage })).socket.receive(Uint8Array.of(9)),
    'no other try': async (storage) => (await connected({ resume: true, storage, reconnect: false })).socket.end(1006, ''),
    'lost for good': async (storage) => {
      const { link, socket } = await connected({ resume: true, storage });
      socket.end(1006, '');
      while (link.state === 'reconnecting') nextSocket(pass).end(1006, '');
    },
  };
  for (const [how, end] of Object.entries(ends)) {
    const storage = new Storage();
    await end(storage);
    FakeSocket.all.splice(0);
    storage.setItem(KEY, JSON.stringify({ token: 'who', seat: 'kept' }));
    const opening = connect({ ...options, resume: true, storage });
    const socket = newest();
    socket.open();
    assert.deepEqual(socket.takeControl()[1], list(client.resume('kept', { chat: 0, tick: 0 })), `free after ${how}`);
    socket.receive(server.welcome(SQUARE));
    socket.receive(server.refused(11));
    (await opening).close();
  }
});

test('a link that waits takes the key over, and a reload comes back to its seat', async () => {
  const storage = new Storage();
  const one = await playing({ resume: true, storage });
  const two = await playing({ resume: true, storage });
  const three = await playing({ resume: true, storage });
  one.socket.receive(server.resumeToken('of one'));
  two.socket.receive(server.resumeToken('of two'));
  three.socket.receive(server.resumeToken('of three'));
  assert.equal(storage.seat, 'of one');
  one.link.close();
  assert.equal(storage.seat, 'of two');
  three.link.close();
  assert.equal(storage.seat, 'of two');
  two.socket.receive(server.resumeToken('of two, later'));
  assert.equal(storage.seat, 'of two, later');
  two.link.close();
  assert.equal(storage.seat, '');
});

test('a duplicated tab takes the seat, and the first one drops its copy, not the other’s', async () => {
  for (const shared of [false, true]) {
    const first = new Storage();
    const a = await playing({ resume: true, storage: first });
    // One storage, seen by two tabs: each has its own object.
    const second = new Storage(first);
    if (shared) second.kept = first.kept;
    const opening = connect({ ...options, resume: true, storage: second });
    const socket = welcomed('first');
    socket.receive(server.joined({ you: 2 }));
    socket.receive(server.resumeToken('second'));
    const link = await opening;
    a.socket.end(4006, '');
    assert.equal(first.seat, shared ? 'second' : '');
    assert.equal(second.seat, 'second');
    link.close();
    assert.equal(second.seat, '');
  }
});

test('against the real server: mount, unmount, mount, and a reload afterwards keep the figure', async () => {
  const storage = new Storage();
  // To and fro, away from the wall.
  let dx = 1;
  const mount = (/** @type {AbortSignal} */ signal) => join({ url: real.url, name: 'Ann', WebSocket, storage, signal, input: () => ({ dx }) });
  const seatOf = async (/** @type {import('../src/room.js').Room} */ room) => {
    const { handle } = await answered(room);
    dx = -dx;
    return { code: room.code, you: room.you, handle, members: [...room.members.keys()] };
  };
  /** @type {any} */
  let before;
  // The first round finds no seat kept; the later ones are a reload, or a module that was hot
  // reloaded.
  for (let round = 0; round < 3; round++) {
    const [strict, mounted] = [new AbortController(), new AbortController()];
    const unmounted = mount(strict.signal);
    strict.abort();
    const mounting = mount(mounted.signal);
    await assert.rejects(unmounted, { name: 'AbortError' });
    const room = await mounting;
    const seat = await seatOf(room);
    assert.deepEqual(seat, before ?? seat, `round ${round}`);
    before = seat;
    mounted.abort();
  }
  const last = await mount(new AbortController().signal);
  assert.deepEqual(await seatOf(last), before);
  assert.equal(await last.leave(), 'Asked');
  last.link.close();
});

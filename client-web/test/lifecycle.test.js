/**
 * Every public method in every state of a link: none hangs, none throws where it should reject, and
 * all say the same. On virtual time, against a server that is silent, one that answers nothing but
 * pings, and one that talks but answers nothing.
 */

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';

import * as client from '../src/protocol/client_message.js';
import { connect, join, RequestError } from '../src/tickwire.js';
import { FakeSocket } from './support/fake_socket.js';
import * as server from './support/messages.js';
import { connected, KEY, list, newest, nextSocket, options, playing, settled, Storage, virtualTime } from './support/page.js';
import { SQUARE } from './support/square.js';

/** @typedef {(ms: number) => void} Pass */
/** @typedef {{ link: import('../src/link.js').Link, room?: import('../src/room.js').Room }} Page */

afterEach(() => {
  FakeSocket.all.splice(0);
  FakeSocket.onMade = undefined;
});

/**
 * Longer than anything may take to settle once it was asked for: the tries to come back are given
 * up after two minutes.
 */
const ALL_MS = 180_000;

/**
 * How each state is come to, and what methods of the link and of its room say in it: a reason, or
 * `sent`. What is said in the room, `chat`, waits where other things can't be asked of it.
 * @type {Record<string, { enter: (pass: Pass) => Promise<Page>, lobby: string, room: string,
 *   chat?: string, ping: string }>}
 */
const STATES = {
  lobby: { enter: () => connected(), lobby: 'sent', room: '', ping: 'sent' },
  joining: {
    async enter() {
      const page = await connected();
      page.link.quickJoin().catch(() => {});
      return page;
    },
    lobby: 'sent',
    room: '',
    ping: 'sent',
  },
  'in a room': { enter: () => playing(), lobby: 'NotNow', room: 'sent', ping: 'sent' },
  leaving: {
    async enter() {
      const page = await playing();
      page.room.leave();
      return page;
    },
    lobby: 'NotNow',
    room: 'NotNow',
    ping: 'sent',
  },
  left: {
    async enter() {
      const page = await playing();
      page.room.leave();
      page.socket.receive(server.left(0));
      return page;
    },
    lobby: 'sent',
    room: 'NotNow',
    ping: 'sent',
  },
  'in another room': {
    async enter() {
      const page = await playing();
      page.socket.receive(server.left(1));
      const joining = page.link.quickJoin();
      page.socket.receive(server.joined({ you: 3 }));
      await joining;
      return page;
    },
    lobby: 'NotNow',
    room: 'NotNow',
    ping: 'sent',
  },
  away: {
    async enter() {
      const page = await playing();
      page.socket.end(1006, '');
      return page;
    },
    lobby: 'Closed',
    room: 'Closed',
    chat: 'sent',
    ping: 'Closed',
  },
  'coming back': {
    async enter(pass) {
      const page = await playing();
      page.socket.end(1006, '');
      nextSocket(pass);
      return page;
    },
    lobby: 'Closed',
    room: 'Closed',
    chat: 'sent',
    ping: 'Closed',
  },
  'seat lost': {
    async enter(pass) {
      const page = await playing();
      page.socket.end(1006, '');
      const socket = nextSocket(pass);
      socket.receive(server.welcome(SQUARE));
      socket.receive(server.refused(11));
      return page;
    },
    lobby: 'sent',
    room: 'NotNow',
    ping: 'sent',
  },
  'closed by the page': {
    async enter() {
      const page = await playing();
      page.link.close();
      return page;
    },
    lobby: 'Closed',
    room: 'Closed',
    ping: 'Closed',
  },
  'closed while away': {
    async enter() {
      const page = await playing();
      page.socket.end(1006, '');
      page.link.close();
      return page;
    },
    lobby: 'Closed',
    room: 'Closed',
    ping: 'Closed',
  },
  'closed finally': {
    async enter() {
      const page = await playing();
      page.socket.end(4011, '');
      return page;
    },
    lobby: 'Closed',
    room: 'Closed',
    ping: 'Closed',
  },
  'closed on broken bytes': {
    async enter() {
      const page = await playing();
      page.socket.receive(Uint8Array.of(9));
      return page;
    },
    lobby: 'Closed',
    room: 'Closed',
    ping: 'Closed',
  },
  'lost without another try': {
    async enter() {
      const page = await playing({ reconnect: false });
      page.socket.end(1006, '');
      return page;
    },
    lobby: 'Closed',
    room: 'Closed',
    ping: 'Closed',
  },
  'lost for good': {
    async enter(pass) {
      const page = await playing();
      page.socket.end(1006, '');
      while (page.link.state === 'reconnecting') nextSocket(pass).end(1006, '');
      return page;
    },
    lobby: 'Closed',
    room: 'Closed',
    ping: 'Closed',
  },
  aborted: {
    async enter() {
      const abort = new AbortController();
      const page = await playing({ signal: abort.signal });
      abort.abort();
      return page;
    },
    lobby: 'Closed',
    room: 'Closed',
    ping: 'Closed',
  },
};

/**
 * Methods that promise, by where they may be asked.
 * @type {Record<string, [where: 'lobby' | 'room' | 'chat' | 'ping', ask: (page: Required<Page>) =>
 *   Promise<any>]>}
 */
const PROMISING = {
  rooms: ['lobby', ({ link }) => link.rooms()],
  create: ['lobby', ({ link }) => link.create({ name: 'Mine' })],
  joinRoom: ['lobby', ({ link }) => link.joinRoom(7)],
  joinCode: ['lobby', ({ link }) => link.joinCode('CODE')],
  quickJoin: ['lobby', ({ link }) => link.quickJoin()],
  ping: ['ping', ({ link }) => link.ping()],
  act: ['room', ({ room }) => room.act('buy', { item: 1 })],
  // It throws where it can't be said any more.
  say: ['chat', async ({ room }) => room.say('hi')],
};

/**
 * Methods that say something and hear nothing.
 * @type {Record<string, (page: Required<Page>) => void>}
 */
const SAYING = {
  ready: ({ room }) => room.ready(),
  kick: ({ room }) => room.kick(4),
};

/**
 * What a server does every half second with each open socket.
 * @type {Record<string, (socket: FakeSocket) => void>}
 */
const SERVERS = {
  'is silent': () => {},
  'answers pings': (socket) => {
    for (const [kind, index, ...nonce] of socket.sent.splice(0)) {
      if (kind === 1 && index === 10) socket.receive(Uint8Array.of(1, 8, ...nonce, 0));
    }
  },
  talks: (socket) => socket.receive(server.stopping(0)),
};

for (const [state, { enter, ...says }] of Object.entries(STATES)) {
  test(`${state}: requests settle, at once where they cannot be sent`, async (t) => {
    const pass = virtualTime(t);
    for (const [does, serve] of Object.entries(SERVERS)) {
      for (const [name, [where, ask]] of Object.entries(PROMISING)) {
        const expected = says[where] ?? says.room;
        if (expected === '') continue;
        /** @type {Set<FakeSocket>} */
        const sockets = new Set();
        FakeSocket.onMade = (socket) => void sockets.add(socket);
        const page = /** @type {Required<Page>} */ (await enter(pass));
        const asked = `${name} (the server ${does})`;
        /** @type {any} */
        let end;
        const promise = ask(page);
        assert.ok(promise instanceof Promise, asked);
        promise.then(
          (value) => (end = { value }),
          (error) => (end = error),
        );
        await settled();
        if (expected === 'sent') assert.equal(end, undefined, `${asked} waits`);
        for (let ms = 0; ms < ALL_MS && end === undefined; ms += 500) {
          pass(500);
          for (const socket of sockets) if (socket.closed === undefined && socket.readyState === 1) serve(socket);
          await settled();
        }
        const isAnswered = name === 'ping' && does === 'answers pings' && expected === 'sent';
        assert.ok(isAnswered ? end?.value >= 0 : end instanceof RequestError, `${asked} settles, as ${end}`);
        if (expected !== 'sent') assert.equal(end.reason, expected, asked);
        else if (!isAnswered) assert.ok(['Closed', 'TimedOut'].includes(end.reason), `${asked}: ${end.reason}`);
        page.link.close();
        FakeSocket.all.splice(0);
      }
    }
  });

  if (says.room === '') continue;
  test(`${state}: what hears no answer throws where it cannot be sent`, async (t) => {
    const pass = virtualTime(t);
    const page = /** @type {Required<Page>} */ (await enter(pass));
    for (const [name, say] of Object.entries(SAYING)) {
      if (says.room === 'sent') say(page);
      else assert.throws(() => say(page), (error) => error instanceof RequestError && error.reason === says.room, name);
    }
    page.link.close();
  });

  test(`${state}: leaving and closing never throw, may come twice, and end it`, async (t) => {
    const pass = virtualTime(t);
    const page = /** @type {Required<Page>} */ (await enter(pass));
    const left = [page.room.leave(), page.room.leave()];
    assert.equal(left[0], left[1]);
    if (page.link.state !== 'open') {
      assert.match(await left[0], /^(Asked|RoomClosed)$/, 'at once');
    }
    page.link.close();
    page.link.close();
    assert.match(await left[0], /^(Asked|Kicked|RoomClosed|SeatLost)$/);
    assert.equal(await page.room.leave(), await left[0]);
    assert.ok(page.room.view(), 'the picture stays');
    assert.ok(page.room.entities && page.room.state && page.room.stats);
    page.room.play({ input: () => ({}) });
    await assert.rejects(page.room.act('buy'), { reason: 'Closed' });
    assert.throws(() => page.room.say('hi'), { reason: 'Closed' });
  });
}

test('who leaves while the connection is away is gone at once, and the server hears of it first', async (t) => {
  const pass = virtualTime(t);
  const storage = new Storage();
  const { link, socket, room } = await playing({ resume: true, storage });
  /** @type {any[]} */
  const heard = [];
  room.on('left', ({ reason }) => heard.push(['left', reason]));
  link.on('resumed', ({ room: back }) => heard.push(['resumed', back]));
  const action = room.act('buy');
  socket.end(1006, '');
  await assert.rejects(action, { reason: 'Closed' });
  assert.equal(storage.seat, 'first');
  assert.equal(await room.leave(), 'Asked');
  assert.deepEqual(heard, [['left', 'Asked']]);
  assert.equal(link.room, undefined);
  assert.equal(storage.seat, '', 'a reload does not come back to it');

  const second = nextSocket(pass);
  assert.deepEqual(second.takeControl(), [client.hello('Ann', 'who'), client.resume('first', { chat: 0, tick: 0 })].map(list));
  second.receive(server.welcome(SQUARE, { token: 'who' }));
  second.receive(server.joined({ you: 2 }));
  second.receive(server.resumeToken('second'));
  assert.deepEqual(second.takeControl(), [list(client.leaveRoom())]);
  second.receive(server.snapshot(5));
  assert.equal(link.state, 'reconnecting', 'the lobby is not there yet');
  await assert.rejects(link.quickJoin(), { reason: 'Closed' });

  // Lost once more before the server has confirmed it: the seat may still be there.
  second.end(1006, '');
  const third = nextSocket(pass);
  assert.deepEqual(third.takeControl()[1], list(client.resume('second', { chat: 0, tick: 0 })));
  third.receive(server.welcome(SQUARE, { token: 'who' }));
  third.receive(server.joined({ you: 2 }));
  third.receive(server.left(0));
  assert.equal(link.state, 'open');
  assert.deepEqual(heard, [['left', 'Asked'], ['resumed', undefined]]);
  assert.equal(storage.seat, '');
  third.takeControl();
  const joining = link.quickJoin();
  assert.deepEqual(third.takeControl(), [list(client.quickJoin())]);
  third.receive(server.joined());
  assert.notEqual(await joining, room);
  link.close();
});

test('a seat that was left is not asked for when the server has given it up by itself', async (t) => {
  const pass = virtualTime(t);
  const { link, socket, room } = await playing();
  socket.receive(server.resumeToken('second', 5000));
  socket.end(1006, '');
  room.leave();
  const endAll = () => FakeSocket.all.splice(0).forEach((tried) => tried.end(1006, ''));
  // It may have noticed 15 s after the loss.
  for (let gone = 0; gone < 20_000; gone += 500, pass(500)) endAll();
  endAll();
  const late = nextSocket(pass);
  assert.deepEqual(late.takeControl(), [list(client.hello('Ann', 'who'))]);
  late.receive(server.welcome(SQUARE));
  assert.equal(link.state, 'open');
  link.close();
});

test('who is leaving when the connection goes is gone, and leaves once more', async (t) => {
  const pass = virtualTime(t);
  const { link, socket, room } = await playing();
  const left = room.leave();
  socket.end(1006, '');
  assert.equal(await left, 'Asked');
  const second = nextSocket(pass);
  second.takeControl();
  second.receive(server.welcome(SQUARE));
  second.receive(server.refused(11));
  assert.equal(link.state, 'open', 'the server had heard of it');
  link.close();
});

test('a page that leaves and closes whatever it hears is left alone', async (t) => {
  const pass = virtualTime(t);
  const { link, socket, room } = await playing();
  /** @type {string[]} */
  const heard = [];
  for (const name of /** @type {const} */ (['reconnecting', 'resumed', 'close'])) link.on(name, () => heard.push(name));
  room.on('left', () => void room.leave());
  socket.receive(server.left(1));
  assert.equal(await room.leave(), 'Kicked');
  for (let ms = 0; ms < 60_000; ms += 500, pass(500)) SERVERS.talks(socket);
  assert.equal(heard.join(), '', 'no answer is waited for that does not come');
  link.close();

  const other = await playing();
  for (const name of /** @type {const} */ (['reconnecting', 'close'])) other.link.on(name, () => heard.push(name));
  other.room.on('left', () => other.link.close());
  other.room.leave();
  heard.splice(0);
  other.socket.end(1006, '');
  assert.equal(await other.room.leave(), 'Asked');
  assert.equal(heard.join(), 'close', 'nothing comes after the end');
});

test('who leaves while the seat is being taken again leaves it', async (t) => {
  const pass = virtualTime(t);
  const { link, socket, room } = await playing();
  socket.end(1006, '');
  const second = nextSocket(pass);
  second.receive(server.welcome(SQUARE));
  second.takeControl();
  assert.equal(await room.leave(), 'Asked');
  second.receive(server.joined({ you: 2 }));
  assert.deepEqual(second.takeControl(), [list(client.leaveRoom())]);
  second.receive(server.left(0));
  assert.equal(link.state, 'open');
  assert.equal(link.room, undefined);
  link.close();
});

test('seats of two games at one URL are kept apart', () => {
  const storage = new Storage();
  storage.setItem(KEY, JSON.stringify({ token: 'who', seat: 'first' }));
  for (const [game, messages] of /** @type {[string | undefined, number][]} */ ([[undefined, 2], ['other', 1]])) {
    const leave = new AbortController();
    connect({ ...options, game, resume: true, storage, signal: leave.signal }).catch(() => {});
    const socket = newest();
    socket.open();
    assert.equal(socket.sent.length, messages, 'the hello, and whose seat it is also the request for it');
    leave.abort();
  }
});

test('a seat that the server is too busy to tell of counts as lost in the end', async (t) => {
  const pass = virtualTime(t);
  const storage = new Storage();
  storage.setItem(KEY, JSON.stringify({ token: 'who', seat: 'first' }));
  const opening = connect({ ...options, resume: true, storage });
  const socket = newest();
  socket.open();
  socket.receive(server.welcome(SQUARE));
  /** @type {import('../src/link.js').Link | undefined} */
  let link;
  opening.then((opened) => (link = opened));
  for (let ms = 0; ms < 60_000 && link === undefined; ms += 700) {
    if (socket.takeControl().length > 0) socket.receive(server.refused(3));
    pass(700);
    await settled();
  }
  assert.equal(link?.room, undefined);
  assert.equal(link?.state, 'open');
  link?.close();
});

test('a server that talks, but of neither welcome nor seat, is given up', async (t) => {
  const pass = virtualTime(t);
  for (const isWelcome of [false, true]) {
    const storage = new Storage();
    storage.setItem(KEY, JSON.stringify({ token: 'who', seat: 'first' }));
    const opening = connect({ ...options, resume: true, storage });
    const socket = newest();
    socket.open();
    if (isWelcome) socket.receive(server.welcome(SQUARE));
    /** @type {any} */
    let failed;
    opening.catch((error) => (failed = error));
    for (let ms = 0; ms < 60_000 && failed === undefined; ms += 500, pass(500)) {
      SERVERS.talks(socket);
      await settled();
    }
    assert.equal(failed?.reason, 'Closed', isWelcome ? 'no seat' : 'no welcome');
    assert.equal(socket.closed?.code, 4010);
    assert.equal(storage.seat, 'first', 'a reload may find it');
  }
});

test('a WebSocket that cannot be made any more ends in an end', async (t) => {
  const pass = virtualTime(t);
  let isForbidden = false;
  class Forbidden extends FakeSocket {
    /** @param {string} url @param {string} protocol */
    constructor(url, protocol) {
      super(url, protocol);
      if (!isForbidden) return;
      FakeSocket.all.pop();
      throw new Error('not any more');
    }
  }
  const { link, socket } = await playing({ WebSocket: Forbidden });
  /** @type {any} */
  let closed;
  link.on('close', (info) => (closed = info));
  isForbidden = true;
  socket.end(1006, '');
  pass(ALL_MS);
  assert.match(closed.reason, /not any more/);
  assert.equal(link.state, 'closed');
});

test('a join that cannot end well ends', async (t) => {
  const pass = virtualTime(t);
  for (const fail of /** @type {((socket: FakeSocket) => void)[]} */ ([
    (socket) => socket.receive(server.refused(1)),
    (socket) => socket.end(1006, ''),
    () => pass(60_000),
  ])) {
    const joining = join({ ...options, storage: new Storage() });
    const socket = newest();
    socket.open();
    socket.receive(server.welcome(SQUARE));
    await settled();
    assert.deepEqual(socket.takeControl().at(-1), list(client.quickJoin()));
    fail(socket);
    await assert.rejects(joining, RequestError);
    FakeSocket.all.splice(0);
    pass(ALL_MS);
    assert.equal(FakeSocket.all.length, 0, 'nothing goes on');
  }
});

test('what can only be a mistake is refused before anything is opened', async () => {
  for (const wrong of /** @type {any[]} */ ([{ draw: 1 }, { input: {} }, { input: () => ({}), step: 1 }, { code: 5 }, { signal: {} }, { storage: 'mine' }])) {
    await assert.rejects(join({ ...options, ...wrong }), TypeError);
  }
  await assert.rejects(join({ ...options, input: () => ({}), smooth: NaN }), TypeError);
  assert.equal(FakeSocket.all.length, 0);
  const { link, socket, room } = await playing();
  assert.throws(() => room.play(/** @type {any} */ ({})), TypeError);
  assert.throws(() => room.on('chat', /** @type {any} */ (undefined)), TypeError);
  assert.throws(() => room.kick(-1), RangeError);
  for (const timeoutMs of [NaN, -1, /** @type {any} */ ('soon')]) await assert.rejects(room.act('buy', {}, { timeoutMs }), RangeError);
  for (const item of [NaN, Infinity, /** @type {any} */ ('3')]) await assert.rejects(room.act('buy', { item }), { name: 'RangeError', message: /"item" is/ });
  assert.deepEqual(socket.takeControl(), []);
  link.close();
});

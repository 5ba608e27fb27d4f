/**
 * Who leaves while the connection is away: the server hears of it, whatever becomes of the link. On
 * virtual time, then against the real server.
 */

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';

import { WebSocket } from 'ws';

import * as client from '../src/protocol/client_message.js';
import { connect } from '../src/tickwire.js';
import { FakeSocket } from './support/fake_socket.js';
import { forAll } from './support/for_all.js';
import * as server from './support/messages.js';
import { answered, list, newest, nextSocket, options, playing, settled, Storage, virtualTime } from './support/page.js';
import { startProxy } from './support/proxy.js';
import { startServer } from './support/server.js';
import { SQUARE } from './support/square.js';
import { until } from './support/until.js';

const real = await forAll(startServer(['--npcs', '5', '--seed', '7']));

afterEach(() => void FakeSocket.all.splice(0));

const comeBack = [client.hello('Ann', 'who'), client.resume('first', { chat: 0, tick: 0 })].map(list);

test('a link that is closed after it says so in the background, once', async (t) => {
  const pass = virtualTime(t);
  const storage = new Storage();
  const { link, socket, room } = await playing({ resume: true, storage });
  socket.end(1006, '');
  assert.equal(await room.leave(), 'Asked');
  link.close();
  assert.equal(link.state, 'closed');
  assert.equal(storage.seat, '');
  nextSocket(pass).end(1006, '');
  const busy = nextSocket(pass);
  assert.deepEqual(busy.takeControl(), comeBack);
  busy.receive(server.welcome(SQUARE));
  busy.receive(server.refused(3));
  const second = nextSocket(pass);
  assert.deepEqual(second.takeControl(), comeBack);
  second.receive(server.welcome(SQUARE));
  assert.equal(second.closed, undefined);
  second.receive(server.joined({ you: 2 }));
  assert.deepEqual(second.closed, { code: 1000, reason: 'goodbye' }, 'which gives the seat up');
  assert.equal(storage.seat, '', 'and keeps none');
  pass(60_000);
  assert.equal(FakeSocket.all.length, 0);
});

test('it is given up in the game that it is of, and no link of another game takes it over', async (t) => {
  const pass = virtualTime(t);
  const storage = new Storage();
  const { link, socket, room } = await playing({ game: 'cards', resume: true, storage });
  socket.end(1006, '');
  await room.leave();
  link.close();
  const other = connect({ ...options, game: 'chess', token: 'who' });
  const elsewhere = newest();
  elsewhere.open();
  assert.deepEqual(elsewhere.takeControl(), [list(client.hello('Ann', 'who', { game: 'chess' }))]);
  const tried = nextSocket(pass);
  assert.deepEqual(tried.takeControl(), [list(client.hello('Ann', 'who', { game: 'cards' })), comeBack[1]]);
  elsewhere.end(4013, '');
  await assert.rejects(other, { code: 4013 });
});

test('it ends with the time for which the server holds the seat, and with an answer', async (t) => {
  const pass = virtualTime(t);
  for (const answer of /** @type {(((socket: FakeSocket) => void) | undefined)[]} */ ([
    undefined,
    (socket) => socket.end(4007, ''),
    (socket) => socket.receive(Uint8Array.of(9)),
    (socket) => {
      socket.receive(server.welcome(SQUARE));
      socket.receive(server.refused(11));
    },
  ])) {
    const { link, socket, room } = await playing();
    socket.end(1006, '');
    room.leave();
    link.close();
    let tries = 0;
    for (let ms = 0; ms < 60_000; ms += 100, pass(100)) {
      for (const tried of FakeSocket.all.splice(0)) {
        assert.ok(ms <= 45_000, 'the server has given it up by itself');
        tries++;
        tried.open();
        if (answer === undefined) tried.end(1006, '');
        else answer(tried);
      }
    }
    assert.ok(answer === undefined ? tries > 3 : tries === 1, `${tries} tries`);
  }
});

test('who is leaving when the connection goes is given up too where nothing is tried again', async (t) => {
  const pass = virtualTime(t);
  const { link, socket, room } = await playing({ reconnect: false });
  const left = room.leave();
  socket.end(1006, '');
  assert.equal(await left, 'Asked');
  assert.equal(link.state, 'closed');
  const tried = nextSocket(pass);
  assert.deepEqual(tried.takeControl(), comeBack);
  tried.receive(server.welcome(SQUARE));
  tried.receive(server.joined({ you: 2 }));
  assert.equal(tried.closed?.code, 1000);
});

test('its time begins anew when the server has held it once more', async (t) => {
  const pass = virtualTime(t);
  const { link, socket, room } = await playing();
  socket.end(1006, '');
  room.leave();
  const away = (/** @type {number} */ untilMs) => {
    for (; performance.now() < untilMs; pass(100)) for (const tried of FakeSocket.all.splice(0)) tried.end(1006, '');
  };
  const lostMs = performance.now();
  away(lostMs + 30_000);
  const second = nextSocket(pass);
  assert.deepEqual(second.takeControl(), comeBack);
  second.receive(server.welcome(SQUARE));
  second.receive(server.joined({ you: 2 }));
  second.receive(server.resumeToken('second'));
  // Lost before the server has said that it is left.
  second.end(1006, '');
  away(lostMs + 60_000);
  const third = nextSocket(pass);
  assert.deepEqual(third.takeControl()[1], list(client.resume('second', { chat: 0, tick: 0 })));
  link.close();
});

test('a new link of the same player gives it up before it asks for anything, so that no join leads back to it', async (t) => {
  const pass = virtualTime(t);
  for (const isUnderWay of [false, true]) {
    const storage = new Storage();
    const { link, socket, room } = await playing({ resume: true, storage });
    socket.end(1006, '');
    room.leave();
    link.close();
    const background = isUnderWay ? nextSocket(pass) : undefined;
    const opening = connect({ ...options, resume: true, storage });
    if (background !== undefined) assert.equal(background.closed?.code, 1000);
    const other = newest();
    other.open();
    assert.deepEqual(other.takeControl(), comeBack);
    other.receive(server.welcome(SQUARE, { token: 'who' }));
    other.receive(server.joined({ you: 2 }));
    assert.deepEqual(other.takeControl(), [list(client.leaveRoom())]);
    other.receive(server.left(0));
    const next = await opening;
    assert.equal(next.room, undefined);
    next.close();
    pass(60_000);
    assert.equal(FakeSocket.all.length, 0, 'nobody else is at it');

    const stranger = connect({ ...options, token: 'another' });
    newest().end(1006, '');
    await assert.rejects(stranger);
  }
});

test('on an open connection the goodbye is enough, and who has not left says nothing', async (t) => {
  const pass = virtualTime(t);
  const open = await playing();
  open.room.leave();
  open.link.close();
  const away = await playing();
  away.socket.end(1006, '');
  away.link.close();
  const back = await playing();
  back.socket.end(1006, '');
  back.room.leave();
  const socket = nextSocket(pass);
  back.link.close();
  assert.equal(socket.closed?.code, 1000);
  pass(60_000);
  await settled();
  assert.equal(FakeSocket.all.length, 0);
});

for (const closes of [false, true]) {
  test(`against the real server: the others see them go at once, ${closes ? 'the link being closed' : 'the link going on'}`, async (t) => {
    const proxy = await startProxy(real.address);
    t.after(() => proxy.stop());
    const bo = await connect({ url: real.url, name: 'Bo', WebSocket });
    const theirs = await bo.create({ name: 'ours' });
    const ann = await connect({ url: proxy.url, name: 'Ann', WebSocket });
    const mine = await ann.joinCode(theirs.code);
    mine.play({ input: () => ({ dx: 1 }) });
    await until(() => theirs.members.size === 2);
    await answered(mine);
    const lost = new Promise((resolve) => ann.on('reconnecting', resolve));
    const back = new Promise((resolve) => ann.on('resumed', resolve));
    proxy.cut();
    await lost;
    assert.equal(await mine.leave(), 'Asked');
    if (closes) ann.close();
    // Far less than the 30 s for which the seat would be held.
    await until(() => theirs.members.size === 1);
    if (!closes) {
      assert.deepEqual(await back, { room: undefined });
      const again = await ann.joinCode(theirs.code);
      await until(() => theirs.members.size === 2);
      assert.notEqual(again, mine);
    }
    ann.close();
    bo.close();
  });
}

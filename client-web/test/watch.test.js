// Players whom a page watches, on virtual time: what the server is told of whom, on each connection,
// and what of it the page hears.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ControlReader } from '../src/codec.js';
import { WATCHED_MAX, WATCH_AGAIN_MS, WATCH_EVERY_MS } from '../src/limits.js';
import { RequestError } from '../src/tickwire.js';
import { Watching } from '../src/watching.js';
import * as server from './support/messages.js';
import { connected, nextSocket, settled, virtualTime } from './support/page.js';
import { SQUARE } from './support/square.js';

/** @param {number} number */
const handle = (number) => `${number}`.padStart(16, '0');
const [ANN, BO, CY] = [1, 2, 3].map(handle);
const ROOM = { type: /** @type {const} */ ('Room'), game: 'arena', room: 7 };

/** @param {Uint8Array} bytes @returns {string[]} of all whom one watches */
function readWatch(bytes) {
  assert.equal(bytes[1], 134);
  const r = new ControlReader(new ControlReader(bytes, 2).packed(4096));
  const handles = r.list(WATCHED_MAX + 1, (of) => of.string());
  r.finish();
  return handles;
}

/** A link that watches, and what a server hears of it. @param {boolean} [knows] whether the server does */
function page(knows = true) {
  /** @type {{ now: number, isOver: boolean, way: boolean | undefined }} */
  const link = { now: 5000, isOver: false, way: knows };
  /** @type {string[][]} */
  const out = [];
  const watching = new Watching(
    {
      send: (message) => {
        if (link.way) out.push(readWatch(message));
        return link.way;
      },
      soon: () => {},
      assertOpen: () => {
        if (link.isOver) throw new RequestError('Closed', 'the link is over');
      },
    },
    () => link.now,
  );
  watching.wake();
  const asked = () => {
    watching.onTime(link.now);
    return out.splice(0);
  };
  /** @param {string} of @param {import('../src/protocol/server_message.js').PeerAt} at */
  const told = (of, at) => watching.onPresence({ type: 'Presence', peers: [{ handle: of, at }] }, link.now);
  return { watching, link, asked, told };
}

/** @param {import('../src/watch.js').Watch} watch @returns {any[]} what it tells, from now on */
function changes(watch) {
  /** @type {any[]} */
  const heard = [];
  watch.on('change', (of, presence, before) => heard.push([of, presence.type, before.type]));
  return heard;
}

test('each is unknown until the server says, and each change is told once', () => {
  const { watching, asked, told } = page();
  const watch = watching.watch([ANN, BO, ANN]);
  const heard = changes(watch);
  assert.deepEqual(asked(), [[ANN, BO]]);
  assert.deepEqual([watch.size, watch.get(ANN), watch.get(CY)], [2, { type: 'unknown' }, undefined]);
  told(ANN, ROOM);
  told(ANN, { ...ROOM });
  told(ANN, { ...ROOM, room: undefined });
  told(BO, { type: 'Offline' });
  told(CY, { type: 'Offline' });
  assert.deepEqual(heard, [
    [ANN, 'room', 'unknown'],
    [ANN, 'room', 'room'],
    [BO, 'offline', 'unknown'],
  ]);
  assert.deepEqual(
    [...watch],
    [
      [ANN, { type: 'room', game: 'arena', room: undefined }],
      [BO, { type: 'offline' }],
    ],
  );
});

test('a list that changes all the time is said once a second, as it is then', () => {
  const { watching, link, asked } = page();
  const watch = watching.watch([ANN]);
  assert.deepEqual(asked(), [[ANN]]);
  watch.add(BO);
  assert.deepEqual(asked(), []);
  assert.equal(watching.dueMs, link.now + WATCH_EVERY_MS);
  watch.add(CY, ANN);
  watch.remove(ANN, handle(9));
  link.now += WATCH_EVERY_MS;
  assert.deepEqual(asked(), [[BO, CY]]);
  assert.equal(watching.dueMs, Infinity);
  watch.close();
  link.now += WATCH_EVERY_MS;
  assert.deepEqual([asked(), watch.size], [[[]], 0]);
});

test('what several parts of a page watch is one list, of which each hears its own', () => {
  const { watching, link, asked, told } = page();
  const [one, other] = [watching.watch([ANN, BO]), watching.watch([BO, CY])];
  assert.deepEqual(asked(), [[ANN, BO, CY]]);
  const [heard, others] = [changes(one), changes(other)];
  for (const of of [ANN, BO, CY]) told(of, { type: 'Lobby', game: 'chess' });
  assert.deepEqual(
    [heard, others].map((all) => all.map(([of]) => of)),
    [
      [ANN, BO],
      [BO, CY],
    ],
  );
  one.close();
  link.now += WATCH_EVERY_MS;
  assert.deepEqual(asked(), [[BO, CY]]);
  // What is known already is not said again.
  other.add(ANN);
  assert.equal(other.get(ANN)?.type, 'unknown');
  assert.deepEqual(watching.watch([CY]).get(CY), { type: 'lobby', game: 'chess' });
});

test('on another connection all are watched anew, and stay as they were until it says otherwise', () => {
  const { watching, link, asked, told } = page();
  const watch = watching.watch([ANN]);
  assert.deepEqual(asked(), [[ANN]]);
  told(ANN, ROOM);
  const heard = changes(watch);
  watching.sleep();
  link.way = undefined;
  watch.add(BO);
  assert.deepEqual([asked(), watching.dueMs], [[], Infinity]);
  assert.equal(watch.get(ANN)?.type, 'room');
  link.way = true;
  watching.wake();
  assert.deepEqual(asked(), [[ANN, BO]]);
  told(ANN, ROOM);
  told(BO, { type: 'Offline' });
  assert.deepEqual(heard, [[BO, 'offline', 'unknown']]);
});

test('a server without room for them is asked again later', () => {
  const { watching, link, asked, told } = page();
  const watch = watching.watch([ANN, BO]);
  asked();
  told(ANN, ROOM);
  told(BO, { type: 'Unwatched' });
  assert.equal(watch.get(BO)?.type, 'unknown');
  assert.equal(watching.dueMs, link.now + WATCH_AGAIN_MS);
  link.now += WATCH_AGAIN_MS;
  assert.deepEqual(asked(), [[ANN, BO]]);
  assert.equal(watching.dueMs, Infinity);
});

test('one too many, what is no handle, and a link that is over are refused, and change nothing', () => {
  const { watching, link, asked } = page();
  const all = Array.from({ length: WATCHED_MAX }, (_, number) => handle(number));
  const watch = watching.watch(all);
  assert.equal(asked()[0].length, WATCHED_MAX);
  assert.throws(() => watch.add(handle(WATCHED_MAX)), { reason: 'TooMuch' });
  assert.throws(() => watching.watch([handle(WATCHED_MAX)]), { reason: 'TooMuch' });
  for (const no of ['', 'x', `@${ANN}`, /** @type {any} */ (7)]) assert.throws(() => watch.add(no), TypeError);
  watching.watch([ANN]);
  watch.remove(ANN);
  link.isOver = true;
  assert.throws(() => watch.add(BO, handle(500)), { reason: 'Closed' });
  assert.equal(watch.size, WATCHED_MAX - 1);
});

test('of a server that watches nobody all stay unknown', () => {
  const { watching, asked } = page(false);
  const watch = watching.watch([ANN]);
  assert.deepEqual([asked(), watch.get(ANN), watching.dueMs], [[], { type: 'unknown' }, Infinity]);
});

test('a link watches wherever it is, and over another connection by itself', async (t) => {
  const pass = virtualTime(t);
  const { link, socket } = await connected();
  const watch = link.watch([ANN]);
  const heard = changes(watch);
  await settled();
  /** @param {import('./support/fake_socket.js').FakeSocket} of */
  const watched = (of) =>
    of
      .takeControl()
      .filter(([, index]) => index === 134)
      .map((bytes) => readWatch(Uint8Array.from(bytes)));
  assert.deepEqual(watched(socket), [[ANN]]);
  socket.receive(server.presence(ANN, ROOM));
  assert.deepEqual(heard, [[ANN, 'room', 'unknown']]);
  socket.end(1006, '');
  const next = nextSocket(pass);
  next.receive(server.welcome(SQUARE, { token: 'who' }));
  assert.deepEqual(watched(next), [[ANN]]);
  next.receive(server.presence(ANN, { type: 'Offline' }));
  assert.deepEqual(heard.at(-1), [ANN, 'offline', 'room']);
  link.close();
  assert.throws(() => link.watch([BO]), { reason: 'Closed' });
});

test('the lobby is followed on each connection, beside those who are watched', () => {
  const { watching, link, asked } = page();
  watching.watch([ANN]);
  asked();
  const lobby = watching.watchLobby();
  const other = watching.watchLobby();
  /** @type {number[]} */
  const told = [];
  lobby.on('change', ({ count }) => told.push(count));
  link.now += WATCH_EVERY_MS;
  assert.deepEqual(asked(), [['lobby', ANN]]);
  const names = () => [...lobby].map(({ name }) => name);
  watching.onLobby({ type: 'Lobby', count: 2, here: [{ handle: ANN, name: 'Ann' }, { handle: BO, name: 'Bo' }], gone: [] });
  watching.onLobby({ type: 'Lobby', count: 2, here: [{ handle: CY, name: 'Cy' }], gone: [BO] });
  assert.deepEqual([names(), lobby.count, other.count, lobby.has(BO)], [['Ann', 'Cy'], 2, 2, false]);
  watching.sleep();
  assert.deepEqual(names(), ['Ann', 'Cy'], 'as it was told last');
  watching.wake();
  assert.deepEqual(asked(), [['lobby', ANN]]);
  watching.onLobby({ type: 'Lobby', count: 1, here: [{ handle: BO, name: 'Bo' }], gone: [] });
  assert.deepEqual([names(), told], [['Bo'], [2, 2, 1]]);
  const many = Array.from({ length: 3 * WATCHED_MAX }, (_, n) => ({ handle: handle(100 + n), name: 'x' }));
  watching.onLobby({ type: 'Lobby', count: 999, here: many, gone: [] });
  assert.equal(names().length, 2 * WATCHED_MAX);
  link.now += WATCH_EVERY_MS;
  lobby.close();
  assert.deepEqual(asked(), []);
  other.close();
  other.close();
  assert.deepEqual(asked(), [[ANN]]);
  link.isOver = true;
  assert.throws(() => watching.watchLobby(), RequestError);
});

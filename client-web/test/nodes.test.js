/**
 * The SDK in Node against two real servers that are nodes of one another: whichever it comes to, it
 * is in one world of rooms.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { WebSocket } from 'ws';

import { connect } from '../src/tickwire.js';
import { forAll } from './support/for_all.js';
import { startNeighbours } from './support/neighbours.js';
import { answered, Storage } from './support/page.js';
import { startProxy } from './support/proxy.js';
import { until } from './support/until.js';

const MAX_ROOMS = 2;

const nodes = await forAll(startNeighbours(2, MAX_ROOMS));

/**
 * Somebody in the lobby of a node.
 * @param {number} node
 * @param {typeof WebSocket} [Socket]
 */
async function come(node, Socket = WebSocket) {
  const link = await connect({ url: nodes.urls[node], name: `at ${node}`, WebSocket: /** @type {any} */ (Socket) });
  /** @type {string[]} */
  const heard = [];
  link.on('reconnecting', ({ reason }) => heard.push(reason));
  return { link, heard };
}

/** Between two looks, in milliseconds: what a node tells takes a moment to reach the other. */
const LOOK_MS = 200;

/**
 * @template T
 * @param {() => Promise<T | undefined>} look
 * @returns {Promise<T>} what it saw first
 */
async function eventually(look) {
  for (let end = performance.now() + 10_000; performance.now() < end; ) {
    const seen = await look();
    if (seen !== undefined) return seen;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  throw new Error(`never happened: ${look}`);
}

/**
 * A room at a node: where rooms of before are still counted there, one is made at the other.
 * @param {string} name
 * @param {number} [node]
 */
const made = (name, node = 0) =>
  eventually(async () => {
    const host = await come(node);
    const room = await host.link.create({ name }).catch(() => undefined);
    if (room && host.heard.length === 0) return { host, room };
    host.link.close();
    return undefined;
  });

/** @param {Awaited<ReturnType<typeof come>>[]} all */
const leave = (...all) => all.forEach(({ link }) => link.close());

test('where there is no place for one more room it is made at the other node', async () => {
  const makers = [];
  for (let made = 0; made <= MAX_ROOMS; made++) {
    const maker = await come(0);
    const room = await maker.link.create({ name: `hut ${made}` });
    assert.equal(room.info.name, `hut ${made}`);
    makers.push(maker);
  }
  assert.deepEqual(makers.map(({ heard }) => heard.length), [0, 0, 1]);
  leave(...makers);
});

test('a room is listed, joined by number and by code, at both nodes', async () => {
  const { host, room } = await made('den');
  const bo = await come(1);
  const listed = await eventually(async () => (await bo.link.rooms()).find(({ id }) => id === room.info.id));
  assert.equal(listed.name, 'den');
  const there = await bo.link.joinRoom(listed.id);
  assert.deepEqual([there.info.id, bo.heard], [room.info.id, ['redirected']]);
  await until(() => room.members.size === 2);
  const cy = await come(1);
  assert.equal((await cy.link.joinCode(room.code)).info.id, room.info.id);
  await until(() => there.entities.length > 0);
  assert.equal(there.stats.desyncs, 0);
  leave(host, bo, cy);
});

test('a private room is in no list, and its code leads there', async () => {
  const host = await come(0);
  const room = await eventually(() => host.link.create({ name: 'secret', private: true }).catch(() => undefined));
  const bo = await come(1);
  assert.equal((await bo.link.rooms()).find(({ id }) => id === room.info.id), undefined);
  const code = () => bo.link.joinCode(room.code).catch(() => undefined);
  const there = await eventually(code);
  assert.equal(there.info.id, room.info.id);
  const cy = await come(1);
  await assert.rejects(cy.link.joinRoom(room.info.id), { reason: 'NoSuchRoom' });
  leave(host, bo, cy);
});

test('quick joins at both nodes lead to one room', async () => {
  const first = await come(0);
  const room = await eventually(() => first.link.quickJoin().catch(() => undefined));
  const other = await come(1);
  await eventually(async () => (await other.link.rooms()).find(({ id }) => id === room.info.id));
  const there = await other.link.quickJoin();
  assert.equal(there.info.id, room.info.id);
  leave(first, other);
});

test('a player whose connection is lost comes back to their seat by the node where they came from', async () => {
  const { host, room } = await made('home');
  /** @type {WebSocket[]} */
  const sockets = [];
  class Kept extends WebSocket {
    /** @param {string} url @param {string} protocol */
    constructor(url, protocol) {
      // The node where the room is can't be reached at first when it is tried again.
      super(sockets.length === 2 ? 'ws://127.0.0.1:1/ws' : url, protocol);
      sockets.push(this);
    }
  }
  const bo = await come(1, /** @type {any} */ (Kept));
  const there = await eventually(() => bo.link.joinCode(room.code).catch(() => undefined));
  const you = /** @type {number} */ (there.you);
  // What nobody has answered yet is not held.
  const { tick } = there.stats;
  await until(() => there.stats.tick > tick + 10);
  assert.equal(sockets.length, 2);
  sockets[1].terminate();
  await until(() => bo.link.state === 'open' && sockets.length > 3);
  await until(() => room.members.get(you)?.connected);
  assert.deepEqual([bo.link.room, there.you], [there, you]);
  assert.deepEqual(sockets.slice(3).map(({ url }) => url), [nodes.urls[1], nodes.urls[0]]);
  leave(host, bo);
});

test('a page that names several doors comes in by one that is there, back by another, and so does its reload', async (t) => {
  t.mock.method(Math, 'random', () => 0);
  const { host, room } = await made('many doors', 1);
  const proxy = await startProxy(new URL(nodes.urls[1]).host);
  t.after(() => proxy.stop());
  const second = proxy.url.replace('http', 'ws') + 'ws';
  /** @type {string[]} */
  const went = [];
  class Told extends WebSocket {
    /** @param {string} url @param {string} protocol */
    constructor(url, protocol) {
      super(url, protocol);
      went.push(url);
    }
  }
  const storage = new Storage();
  const away = 'ws://127.0.0.1:1/ws';
  const life = new AbortController();
  const options = { name: 'Bo', WebSocket: /** @type {any} */ (Told), resume: true, storage };
  const link = await connect({ ...options, url: [away, second, nodes.urls[0]], signal: life.signal });
  t.after(() => link.close());
  const there = await link.joinCode(room.code);
  const { you } = there;
  there.play({ input: () => ({ dx: 1 }) });
  await answered(there);
  const back = new Promise((resolve) => link.on('resumed', resolve));
  proxy.stop();
  assert.deepEqual(await back, { room: there });
  assert.equal(there.you, you);
  assert.deepEqual(went, [away, second, second, nodes.urls[0], nodes.urls[1]], 'the room is behind the door that is gone');
  await answered(there);
  life.abort();

  went.length = 0;
  const reloaded = await connect({ ...options, url: [nodes.urls[0], away, second] });
  t.after(() => reloaded.close());
  assert.equal(reloaded.room?.you, you);
  assert.deepEqual(went, [nodes.urls[0], nodes.urls[1]]);
  await until(() => room.members.size === 2);
  leave(host);
});

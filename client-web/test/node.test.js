/**
 * A program in Node plays through a WebSocket that it passes in, that of the package `ws`, against
 * the real server: the guide's way for bots and tools.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { WebSocket } from 'ws';

import { connect, join, RequestError } from '../src/tickwire.js';
import { forAll } from './support/for_all.js';
import { startServer } from './support/server.js';
import { until } from './support/until.js';

const server = await forAll(startServer(['--npcs', '5', '--seed', '7']));

test('a program joins, moves and sees where it is', async () => {
  const room = await join({ url: server.url, name: 'Bot', WebSocket, input: () => ({ dx: 1, dy: 0.5 }) });
  const me = () => room.entities.find(({ owner, avatar }) => avatar && owner === room.you);
  const start = (await until(() => me()?.pos)).x;
  await until(() => Math.abs(me()?.pos.x - start) > 20);
  assert.ok(room.entities.length >= 6, 'the drones are there');
  assert.equal(room.view().me?.owner, room.you);
  assert.notDeepEqual(room.state, {});
  assert.equal(room.stats.desyncs, 0);
  assert.equal(await room.leave(), 'Asked');
  room.link.close();
});

test('a program whose own code throws everywhere hears on', async (t) => {
  const written = t.mock.method(console, 'error', () => {});
  let isBroken = true;
  const fail = () => {
    if (isBroken) throw new Error('the program is broken');
  };
  const room = await join({
    url: server.url,
    name: 'Broken',
    WebSocket,
    input() {
      fail();
      return { dx: 1 };
    },
    step: fail,
  });
  /** @type {string[]} */
  const heard = [];
  for (const name of ['chat', 'members', 'shot']) room.on(name, fail);
  room.on('chat', ({ text }) => heard.push(text));
  const { tick } = room.stats;
  for (let i = 0; i < 3; i++) {
    room.say(`line ${i}`);
    await until(() => heard.length === i + 1);
  }
  await until(() => room.stats.tick > tick + 60);
  assert.deepEqual(heard, ['line 0', 'line 1', 'line 2']);
  assert.ok(written.mock.callCount() > 0);
  assert.equal(room.stats.desyncs, 0);
  // It played neutral, and plays on.
  const me = () => room.entities.find(({ owner, avatar }) => avatar && owner === room.you);
  const start = (await until(() => me()?.pos)).x;
  isBroken = false;
  await until(() => Math.abs(me()?.pos.x - start) > 5);
  room.link.close();
});

test('where no server listens the error says what to look at', async () => {
  for (const url of ['ws://127.0.0.1:1/ws', `ws://${server.address}/elsewhere`]) {
    await assert.rejects(
      connect({ url, WebSocket }),
      (error) => error instanceof RequestError && error.code === 1006 && error.message.startsWith(`could not connect to ${url}`),
    );
  }
});

test('a page of another origin is told about --allowed-origin', async () => {
  class Elsewhere extends WebSocket {
    constructor(/** @type {string} */ url, /** @type {string} */ protocol) {
      super(url, protocol, { origin: 'https://elsewhere.example' });
    }
  }
  await assert.rejects(connect({ url: server.url, WebSocket: Elsewhere }), { code: 1006, message: /--allowed-origin/ });
});

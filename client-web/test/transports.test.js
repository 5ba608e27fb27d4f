/**
 * A program plays where WebSocket does not get through, against the real server: by each transport
 * that it names, and by the one that is found behind proxies that break WebSocket in their ways.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { WebSocket } from 'ws';

import { connect, join } from '../src/tickwire.js';
import { startBadProxy } from './support/bad_proxy.js';
import { forAll } from './support/for_all.js';
import { startServer } from './support/server.js';
import { until } from './support/until.js';

const server = await forAll(startServer(['--npcs', '5', '--seed', '7']));

/** @typedef {import('../src/types.js').Transport} Transport */

/**
 * Joins, moves, and sees it.
 * @param {object} options
 */
async function play(options) {
  const room = await join({ name: 'Bot', WebSocket, input: () => ({ dx: 1, dy: 0.5 }), ...options });
  const me = () => room.entities.find(({ owner, avatar }) => avatar && owner === room.you);
  const start = (await until(() => me()?.pos)).x;
  await until(() => Math.abs(me()?.pos.x - start) > 20);
  assert.equal(room.stats.desyncs, 0);
  return room;
}

for (const transport of /** @type {const} */ (['websocket', 'stream', 'poll'])) {
  test(`a program plays by ${transport}`, async () => {
    const room = await play({ url: server.url, transports: [transport] });
    assert.equal(room.link.transport, transport);
    const { tick } = room.stats;
    await room.say('hello');
    await until(() => room.stats.tick > tick + 60);
    assert.equal(room.stats.desyncs, 0);
    assert.equal(await room.leave(), 'Asked');
    room.link.close();
  });
}

for (const [behind, how, expected] of /** @type {const} */ ([
  ['refuses it', { upgrade: 'refuses' }, 'stream'],
  ['lets it hang', { upgrade: 'hangs' }, 'stream'],
  ['holds its messages', { upgrade: 'holds' }, 'stream'],
  ['refuses it and collects answers', { upgrade: 'refuses', collects: true }, 'poll'],
])) {
  test(`behind a proxy that ${behind} a program plays by ${expected}`, async (t) => {
    const proxy = await startBadProxy(server.address, how);
    t.after(() => proxy.stop());
    const room = await play({ url: proxy.url, transports: ['websocket', 'stream', 'poll'] });
    assert.equal(room.link.transport, expected);
    room.link.close();
  });
}

test('a seat is come back to over connections that are cut', async (t) => {
  for (const transport of /** @type {Transport[]} */ (['stream', 'poll'])) {
    const proxy = await startBadProxy(server.address, { upgrade: 'refuses' });
    t.after(() => proxy.stop());
    const room = await play({ url: proxy.url, transports: [transport] });
    const { you } = room;
    for (let i = 0; i < 3; i++) {
      const { tick } = room.stats;
      proxy.cut();
      await until(() => room.stats.tick > tick + 30);
    }
    assert.deepEqual([room.you, room.stats.desyncs, room.link.state], [you, 0, 'open']);
    room.link.close();
  }
});

test('who goes is gone for the others at once', async () => {
  const host = await connect({ url: server.url, name: 'Host', WebSocket });
  const room = await host.create({ name: 'Goodbyes' });
  for (const transport of /** @type {Transport[]} */ (['stream', 'poll'])) {
    const guest = await connect({ url: server.url, name: transport, transports: [transport] });
    await guest.joinCode(room.code);
    await until(() => room.members.size === 2);
    guest.close();
    await until(() => room.members.size === 1);
  }
  host.close();
});

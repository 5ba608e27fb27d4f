/**
 * A WebSocket that is refused at first, and taken over in play once it gets through: the real server
 * behind a proxy that is the test's.
 */

import assert from 'node:assert/strict';
import net from 'node:net';
import { after, test } from 'node:test';

import { WebSocket } from 'ws';

import { UPGRADE_AGAIN_MS } from '../src/limits.js';
import { connect } from '../src/tickwire.js';
import { forAll } from './support/for_all.js';
import { startServer } from './support/server.js';
import { until } from './support/until.js';

const server = await forAll(startServer(['--npcs', '5', '--seed', '7']));

/** Whether a handshake gets through. */
let isOpen = false;
let refused = 0;

const proxy = net.createServer((client) => {
  client.on('error', () => client.destroy());
  client.once('data', (head) => {
    if (/^upgrade:/im.test(head.toString('latin1')) && !isOpen) {
      refused++;
      client.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
      return;
    }
    const { hostname, port } = new URL(server.url);
    const up = net.connect(Number(port), hostname);
    up.on('error', () => client.destroy());
    client.on('close', () => up.destroy());
    up.on('close', () => client.destroy());
    up.write(head);
    client.pipe(up);
    up.pipe(client);
  });
});
await new Promise((resolve) => proxy.listen(0, '127.0.0.1', () => resolve(undefined)));
after(() => void proxy.close());

test('a WebSocket that gets through again is taken over in play, without a gap', { timeout: 60_000 }, async () => {
  const url = new URL(server.url);
  url.port = String(/** @type {net.AddressInfo} */ (proxy.address()).port);
  const link = await connect({ url: url.href, name: 'Ann', WebSocket, transports: ['websocket', 'stream'] });
  assert.equal(link.transport, 'stream');
  assert.equal(refused, 1);
  const idle = await connect({ url: url.href, name: 'Bo', WebSocket, transports: ['websocket', 'stream'] });
  const room = await link.quickJoin();
  room.play({ input: () => ({ dx: 1, dy: 0.5 }) });
  const { you } = room;
  /** @type {string[]} */
  const heard = [];
  /** @type {string[]} */
  const told = [];
  for (const name of /** @type {const} */ (['reconnecting', 'resumed', 'close'])) {
    link.on(name, () => told.push(name));
    idle.on(name, () => told.push(name));
  }
  room.on('left', () => told.push('left'));
  room.on('chat', ({ text }) => heard.push(text));
  await until(() => room.stats.tick > 0 && room.entities.length > 5);
  const figure = () => room.entities.find(({ owner, avatar }) => avatar && owner === you)?.handle;
  const [before, mine] = [room.stats, figure()];
  isOpen = true;
  /** @type {string[]} */
  const said = [];
  /** @type {Promise<unknown>[]} */
  const answers = [];
  const talks = setInterval(() => {
    said.push(`line ${said.length}`);
    answers.push(room.say(/** @type {string} */ (said.at(-1))));
  }, UPGRADE_AGAIN_MS / 10);
  await until(() => link.transport === 'websocket' && idle.transport === 'websocket');
  const moved = room.stats;
  await until(() => room.stats.tick > moved.tick + 60);
  clearInterval(talks);
  await Promise.all(answers);
  await until(() => heard.length === said.length);
  assert.deepEqual(heard, said, 'each line once, in order');
  assert.deepEqual(told, [], 'the page heard of nothing');
  assert.equal(link.room, room);
  assert.deepEqual([room.you, figure()], [you, mine]);
  assert.equal(room.stats.desyncs, 0);
  assert.ok(moved.snapshots > before.snapshots);
  assert.ok(room.stats.skipped - before.skipped <= 2, `${room.stats.skipped - before.skipped} snapshots were left out`);
  assert.ok((await idle.rooms()).length > 0, 'the lobby answers');
  assert.equal(await room.leave(), 'Asked');
  link.close();
  idle.close();
});

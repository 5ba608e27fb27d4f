/**
 * The SDK against the real server and its arena: what the in-memory tests can't show is that both
 * speak the same language. Needs a global WebSocket (Node 20: `--experimental-websocket`).
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { connect, partyIn, RequestError } from '../src/tickwire.js';
import { forAll } from './support/for_all.js';
import { startServer } from './support/server.js';
import './support/served_paths.js';
import { until } from './support/until.js';

const { step } = await import('../../server/arena/page/arena_rule.js');
const { COOLDOWN, SHOT_SPEED } = await import('../../server/arena/page/shots.js');

const server = await forAll(startServer(['--npcs', '10', '--seed', '7']));

/** @param {string} name @param {object} [more] */
const link = (name, more) => connect({ url: `ws://${server.address}/ws`, name, ...more });

test('two players meet in a room: one moves, the other sees it, chat crosses', async () => {
  const [ann, bo] = await Promise.all([link('Ann'), link('Bo')]);
  const mine = await ann.create({ name: 'meeting', private: true });
  await assert.rejects(bo.joinCode('NOPE'), (error) => error instanceof RequestError && error.reason === 'NoSuchRoom');
  assert.ok((await bo.rooms()).every(({ name }) => name !== 'meeting'), 'a private room is not listed');
  const theirs = await bo.joinCode(mine.code.toLowerCase());
  await until(() => mine.members.size === 2 && theirs.members.size === 2);

  const heard = new Promise((resolve) => theirs.on('chat', resolve));
  mine.say('<b>hello</b>');
  const line = /** @type {import('../src/types.js').ChatLine} */ (await heard);
  assert.deepEqual([line.from, line.name, line.text], [mine.you, 'Ann', '<b>hello</b>']);

  const sees = () => theirs.view().entities.find(({ avatar, owner }) => avatar && owner === mine.you);
  const start = { .../** @type {any} */ (await until(sees)).pos };
  const began = performance.now();
  mine.play({
    input: () => ({ dx: Math.sin((performance.now() - began) / 400), dy: Math.cos((performance.now() - began) / 300) }),
    step,
  });
  theirs.play({ input: () => ({}), step });
  let worst = 0;
  await until(() => {
    assert.ok(mine.view().me !== undefined);
    worst = Math.max(worst, mine.stats.predictionError);
    const { x, y } = sees()?.pos;
    return Math.abs(x - start.x) + Math.abs(y - start.y) > 30;
  });
  assert.equal(worst, 0, 'the prediction is the server’s rule');
  assert.ok(theirs.view().entities.length > 10, 'the drones are there');
  for (const room of [mine, theirs]) assert.equal(room.stats.desyncs, 0);

  assert.equal(await theirs.leave(), 'Asked');
  await until(() => mine.members.size === 1);
  ann.close();
  bo.close();
});

test('the demo’s shots fly as the server’s and come as often', async () => {
  const ann = await link('Ann');
  const room = await ann.create({ name: 'range', private: true });
  /** @type {number[]} */
  const fired = [];
  room.on('shot', (_, tick) => fired.push(tick));
  room.play({ input: () => ({ fire: true }) });
  const shot = await until(() => room.entities.find(({ flight }) => flight));
  assert.equal(shot.owner, room.you);
  assert.equal(shot.avatar, false);
  // The velocity's step is below a quarter of a unit a second.
  assert.ok(Math.abs(Math.hypot(shot.flight.vx, shot.flight.vy) - SHOT_SPEED) < 0.5);
  await until(() => fired.length >= 3);
  for (let i = 1; i < 3; i++) assert.equal(fired[i] - fired[i - 1], Math.round(COOLDOWN * room.tickRate));
  ann.close();
});

test('a player is kicked by the host and may play elsewhere', async () => {
  const [ann, bo] = await Promise.all([link('Ann'), link('Bo')]);
  const mine = await ann.create({ name: 'small', seats: 2, kicks: true });
  assert.equal(mine.info.kicks, true);
  const theirs = await bo.joinRoom(mine.info.id);
  const refused = new Promise((resolve) => theirs.on('refused', resolve));
  theirs.kick(mine.you);
  assert.deepEqual(await refused, { reason: 'NotHost' });
  const left = new Promise((resolve) => theirs.on('left', resolve));
  mine.kick(theirs.you);
  assert.deepEqual(await left, { reason: 'Kicked' });
  await assert.rejects(bo.joinRoom(mine.info.id), (error) => error instanceof RequestError && error.reason === 'KeptOut');
  const another = await bo.create({ name: 'another' });
  assert.equal(another.info.kicks, false);
  assert.notEqual(another.info.id, mine.info.id);
  assert.ok((await bo.ping()) > 0);
  ann.close();
  bo.close();
});

test('a server that stops says so, and exits with 0', async (t) => {
  const other = await startServer();
  t.after(() => other.stop());
  const watcher = await connect({ url: `ws://${other.address}/ws`, name: 'Cy', reconnect: false });
  const room = await watcher.quickJoin();
  const closed = new Promise((resolve) => room.on('close', resolve));
  const status = other.stop();
  const info = /** @type {import('../src/types.js').CloseInfo} */ (await closed);
  assert.equal(info.code, 1012);
  assert.ok((info.retryAfterMs ?? 0) > 0);
  assert.equal(await status, 0);
});

test('who has the code is in the party, follows its leader into a private room, and is out when sent away', async () => {
  const [ann, bo] = await Promise.all([link('Ann'), link('Bo', { followParty: true })]);
  await ann.party.create();
  const code = partyIn(ann.party.invitation('https://play.test/'));
  await bo.party.join(/** @type {string} */ (code));
  await until(() => ann.party.members.length === 2);
  assert.deepEqual(bo.party.members.map(({ name, connected }) => [name, connected]), [['Ann', true], ['Bo', true]]);
  assert.deepEqual([ann.party.leads, bo.party.leads], [true, false]);
  await assert.rejects(bo.party.join('AAAABBBB'), { reason: 'NoSuchParty' });
  const refused = bo.queue('duel');
  await assert.rejects(refused.room, { reason: 'NotLeader' });

  const room = await ann.create({ private: true, seats: 2 });
  await until(() => bo.room !== undefined);
  assert.equal(bo.room?.info.id, room.info.id);
  await until(() => room.members.size === 2);
  const out = new Promise((resolve) => bo.party.on('out', resolve));
  ann.party.kick(2);
  assert.deepEqual(await out, { why: 'Kicked' });
  await until(() => ann.party.members.length === 1);
  assert.notEqual(ann.party.code, code);
  assert.ok(bo.room !== undefined, 'the room is another matter');
  ann.close();
  bo.close();
});

test('who is watched is seen to join and to leave a room, and which one it is if it is listed', async () => {
  const [ann, bo] = await Promise.all([link('Ann'), link('Bo')]);
  void bo.chat;
  await until(() => bo.handle !== undefined);
  const watch = ann.watch([/** @type {string} */ (bo.handle), 'x'.repeat(16)]);
  const seen = () => watch.get(/** @type {string} */ (bo.handle));
  /** @type {string[]} */
  const heard = [];
  watch.on('change', (handle, { type }) => handle === bo.handle && heard.push(type));
  await until(() => seen()?.type === 'lobby' && watch.get('x'.repeat(16))?.type === 'offline');
  const room = await bo.create({ name: 'watched' });
  await until(() => seen()?.type === 'room');
  assert.deepEqual(seen(), { type: 'room', game: 'arena', room: room.info.id });
  assert.equal((await ann.joinRoom(room.info.id)).info.id, room.info.id);
  await room.leave();
  await until(() => seen()?.type === 'lobby');
  await bo.create({ name: 'hidden', private: true });
  await until(() => seen()?.type === 'room');
  assert.deepEqual(seen(), { type: 'room', game: 'arena', room: undefined });
  bo.close();
  await until(() => seen()?.type === 'offline');
  assert.deepEqual(heard, ['lobby', 'room', 'lobby', 'room', 'offline']);
  ann.close();
});

test('two who queue for a duel play it in a room of their own; who cancels or asks for what is not there is out', async () => {
  const [ann, bo] = await Promise.all([link('Ann'), link('Bo')]);
  const queues = [ann, bo].map((each) => each.queue('duel'));
  for (const queue of queues) {
    await until(() => queue.state.type === 'offered');
    queue.accept();
  }
  const rooms = await Promise.all(queues.map(({ room }) => room));
  assert.equal(rooms[0].info.id, rooms[1].info.id);
  assert.ok(rooms.every((room, nth) => room === [ann, bo][nth].room));
  await until(() => rooms[0].members.size === 2);
  assert.equal(rooms[0].info.seats, 2);
  await Promise.all(rooms.map((room) => room.leave()));

  const again = ann.queue('duel');
  await until(() => again.state.type === 'waiting');
  assert.ok(again.state.type === 'waiting' && again.state.players === 1);
  again.cancel();
  await assert.rejects(again.room, { reason: 'Cancelled' });
  const nowhere = bo.queue('chess');
  await assert.rejects(nowhere.room, { reason: 'NoSuchMode' });
  ann.close();
  bo.close();
});

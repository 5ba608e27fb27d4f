/**
 * What a page throws from within: it is told once a kind and second, and costs neither an event nor
 * the connection.
 */

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';

import { report } from '../src/report.js';
import { join } from '../src/tickwire.js';
import { FakeSocket } from './support/fake_socket.js';
import * as server from './support/messages.js';
import { connected, newest, options, playing, settled, Storage, virtualTime } from './support/page.js';
import { SQUARE, SquareServer, step } from './support/square.js';

afterEach(() => void FakeSocket.all.splice(0));

const broken = new Error('the page is broken');
const fail = () => {
  throw broken;
};

/**
 * @param {import('node:test').TestContext} t
 * @returns {unknown[]} what the page's `reportError` gets
 */
function reported(t) {
  /** @type {unknown[]} */
  const told = [];
  globalThis.reportError = (error) => void told.push(error);
  t.after(() => Reflect.deleteProperty(globalThis, 'reportError'));
  return told;
}

/** @returns {SquareServer} whose player 2 has a square */
function squares() {
  const world = new SquareServer(2);
  world.squares.push({ slot: 3, generation: 1, player: 2, x: 100, y: 50, heading: 0, ammo: 5 });
  return world;
}

test('an error is told once a kind and second', (t) => {
  const told = reported(t);
  for (const [where, ms] of /** @type {[string, number][]} */ ([
    ['a', 9e6], ['a', 9e6 + 999], ['b', 9e6 + 999], ['a', 9e6 + 1000], ['a', 9e6 + 1001], ['a', 10],
  ])) report(where, `${where} ${ms}`, ms);
  assert.deepEqual(told, ['a 9000000', 'b 9000999', 'a 9001000', 'a 10']);
  told.length = 0;
  for (let kind = 0; kind < 1000; kind++) report(`kind ${kind}`, kind, 9e6);
  report('kind 0', 'forgotten', 9e6);
  assert.equal(told.length, 1001, 'a bounded number of kinds is remembered');
});

test('where nobody hears of uncaught errors they are written, and the program goes on', (t) => {
  const written = t.mock.method(console, 'error', () => {});
  report('listener of "chat"', broken, 2e7);
  assert.deepEqual(written.mock.calls[0].arguments, ['tickwire: an error in the page\'s listener of "chat":', broken]);
});

test('a page’s own reportError may throw, to end the program', async (t) => {
  globalThis.reportError = fail;
  t.after(() => Reflect.deleteProperty(globalThis, 'reportError'));
  const later = t.mock.method(globalThis, 'queueMicrotask', () => {});
  report('input', broken, 3e7);
  assert.throws(() => /** @type {any} */ (later.mock.calls[0].arguments[0])(), broken);
});

test('every listener may throw, and no event is lost', async (t) => {
  virtualTime(t);
  const told = reported(t);
  const { link, socket, room } = await playing();
  /** @type {any[]} */
  const heard = [];
  for (const name of /** @type {const} */ (['members', 'chat', 'refused', 'left', 'close', 'hit'])) {
    room.on(name, fail);
    room.on(name, async () => heard.push(name));
  }
  for (const name of /** @type {const} */ (['stopping', 'reconnecting', 'resumed', 'close'])) {
    link.on(name, fail);
    link.on(name, () => heard.push(`link ${name}`));
  }
  const action = room.act('buy');
  socket.receive(server.memberChanged(4, 'Bo'));
  socket.receive(server.chat(1, 'hi'));
  socket.receive(server.refused(5));
  // Durable ones among them: who was away hears of them once.
  socket.receive(server.snapshot(3, { events: Uint8Array.of(1, 0, 3, 0, 1, 0, 0, 0, 3, 0, 1, 0) }));
  socket.receive(server.reply(1));
  await action;
  socket.receive(server.stopping(100));
  socket.receive(server.left(2));
  link.close();
  assert.deepEqual(heard, ['members', 'chat', 'refused', 'hit', 'hit', 'link stopping', 'left', 'link close']);
  assert.equal(told.length, 7, 'the second hit is of the same kind and second');
  assert.ok(told.every((error) => error === broken));
});

test('a step that throws holds nothing up: events come, acknowledgements and inputs go', async (t) => {
  const pass = virtualTime(t);
  const told = reported(t);
  const { link, socket, room } = await playing();
  /** @type {number[]} */
  const hits = [];
  room.on('hit', (_, tick) => hits.push(tick));
  let mode = 'throws';
  room.play({
    input: () => ({ dx: 1 }),
    step(me, input, time) {
      me.pos.x += 10;
      if (mode === 'throws') fail();
      if (mode === 'gives NaN') me.pos.x = NaN;
      if (mode === 'breaks') me.pos = null;
      if (mode === 'is fine') {
        me.pos.x -= 10;
        step(me, input, time);
      }
    },
  });
  const world = squares();
  for (let tick = 1; tick <= 100; tick++) {
    if (tick === 26) mode = 'gives NaN';
    if (tick === 51) mode = 'breaks';
    if (tick === 76) mode = 'is fine';
    world.step(() => ({ dx: 0, dy: 0 }), 0.04);
    socket.receive(server.snapshot(tick, { layers: world.bodies(), events: Uint8Array.of(0, 0, 3, 0, 1, 0) }));
    const { me } = room.view(performance.now());
    assert.ok(me !== undefined);
    if (tick <= 75) assert.deepEqual(me.pos, { x: 100, y: 50 }, 'the figure stands where the server has it');
    pass(40);
  }
  assert.deepEqual(hits, Array.from({ length: 100 }, (_, i) => i + 1));
  const inputs = socket.sent.filter(([kind]) => kind === 2);
  assert.ok(inputs.length >= 90, `${inputs.length} inputs`);
  assert.equal(inputs.at(-1)?.[5], 100, 'they acknowledge');
  assert.ok(/** @type {any} */ (room.view(performance.now())).me.pos.x > 100, 'a step that is well again counts');
  assert.ok(told.length >= 3 && told.length <= 5, `once a second, ${told.length} in four`);
  assert.equal(link.state, 'open');
  link.close();
});

test('an input that throws sends neutral ones for every tick', async (t) => {
  const pass = virtualTime(t);
  const told = reported(t);
  const { link, socket, room } = await playing();
  room.play({ input: fail });
  for (let tick = 1; tick <= 50; tick++) {
    socket.receive(server.snapshot(tick));
    room.view(performance.now());
    pass(40);
  }
  const inputs = socket.sent.filter(([kind]) => kind === 2);
  assert.ok(inputs.length >= 45);
  for (const input of inputs) assert.deepEqual(input.slice(11), [64, 64]);
  assert.ok(told.length >= 2 && told.length <= 3, `${told.length} in two seconds`);
  link.close();
});

test('a draw that throws is called for the next frame', async (t) => {
  const pass = virtualTime(t);
  const told = reported(t);
  /** @type {((nowMs: number) => void)[]} */
  const frames = [];
  globalThis.requestAnimationFrame = (frame) => frames.push(frame);
  t.after(() => Reflect.deleteProperty(globalThis, 'requestAnimationFrame'));
  let drawn = 0;
  const joining = join({
    ...options,
    storage: new Storage(),
    draw() {
      drawn++;
      fail();
    },
  });
  const socket = newest();
  socket.open();
  socket.receive(server.welcome(SQUARE));
  await settled();
  socket.receive(server.joined());
  const room = await joining;
  for (let i = 0; i < 120; i++, pass(10)) frames.shift()?.(performance.now());
  assert.equal(drawn, 120);
  assert.deepEqual(told, [broken, broken]);
  room.link.close();
  frames.shift()?.(performance.now());
  assert.equal(frames.length, 0, 'and ends with the link');
});

test('a storage that throws keeps nothing, and hinders nothing', async () => {
  const storage = { getItem: fail, setItem: fail, removeItem: fail };
  const { link, room } = await playing({ resume: true, storage });
  assert.equal(link.room, room);
  link.close();
});

test('a listener that closes the link ends it there', async () => {
  const { link, socket } = await connected();
  /** @type {string[]} */
  const heard = [];
  link.on('stopping', () => link.close());
  link.on('close', ({ code }) => heard.push(`closed ${code}`));
  const joining = link.quickJoin();
  socket.receive(server.stopping(100));
  socket.receive(server.joined());
  await assert.rejects(joining, { reason: 'Closed' });
  assert.deepEqual(heard, ['closed 1000']);
  assert.equal(link.room, undefined);
});

/**
 * A link made worse: what may be asked for, that it reaches the socket in order, and that it is off
 * by default.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Conditions, conditionsIn } from '../src/conditions.js';
import { Delayed } from '../src/delayed.js';
import { connect } from '../src/tickwire.js';
import { FakeSocket } from './support/fake_socket.js';
import * as server from './support/messages.js';
import { SQUARE } from './support/square.js';

/** Time that passes when the test says so. @param {import('node:test').TestContext} t */
function virtualTime(t) {
  let now = 1000;
  t.mock.method(performance, 'now', () => now);
  t.mock.timers.enable({ apis: ['setTimeout'] });
  return (/** @type {number} */ ms) => {
    for (let i = 0; i < ms; i++) {
      now++;
      t.mock.timers.tick(1);
    }
  };
}

test('an address may ask for it', () => {
  assert.equal(conditionsIn(undefined), undefined);
  assert.equal(conditionsIn('http://host/?other=1#conditioner=rtt:9'), undefined);
  assert.deepEqual(conditionsIn('http://host/?conditioner=rtt:200,jitter:30#CODE'), { rttMs: 200, jitterMs: 30 });
  assert.deepEqual(conditionsIn('http://host/?conditioner=stall:500,every:4000,rate:20000,seed:7'), {
    stallMs: 500,
    stallEveryMs: 4000,
    bytesPerSecond: 20_000,
    seed: 7,
  });
  for (const asked of ['latency:3', 'rtt', 'rtt:', '200']) {
    assert.throws(() => conditionsIn(`http://host/?conditioner=${asked}`), /write \?conditioner=rtt:200/);
  }
});

test('what cannot be is refused, whoever asks', async () => {
  for (const [settings, message] of /** @type {[any, RegExp][]} */ ([
    [{ rttMs: -1 }, /rttMs is 0 to 10000, not -1/],
    [{ jitterMs: NaN }, /jitterMs/],
    [{ bytesPerSecond: 10 }, /bytesPerSecond/],
    [{ stallMs: 5000 }, /less than its stallEveryMs/],
    [{ latencyMs: 5 }, /no "latencyMs": it has rttMs/],
  ])) {
    assert.throws(() => new Conditions(settings), { name: 'RangeError', message });
    await assert.rejects(connect({ url: 'ws://test/ws', WebSocket: FakeSocket, conditioner: settings }), { name: 'RangeError', message });
  }
});

test('a direction that is as it is passes at once; else all comes later, in order', (t) => {
  const pass = virtualTime(t);
  /** @type {number[]} */
  const came = [];
  const direction = new Delayed();
  const send = (/** @type {number} */ n) => direction.pass(10, () => came.push(n));
  send(1);
  assert.deepEqual(came, [1]);
  direction.set({ latencyUs: 50_000, jitterUs: 20_000, stallEveryUs: 0, stallUs: 0, bytesPerSecond: 0 }, 3);
  for (let n = 2; n < 40; n++) {
    send(n);
    pass(2);
  }
  assert.ok(came.length > 1 && came.length < 20, `${came.length} came`);
  assert.equal(direction.bytes, 10 * (38 - (came.length - 1)));
  // Switched off: what is on the way still comes first.
  direction.set(undefined, 1);
  send(40);
  assert.ok(!came.includes(40));
  pass(80);
  assert.deepEqual(came, Array.from({ length: 40 }, (_, i) => i + 1));
  send(41);
  assert.equal(came.at(-1), 41);
});

test('a link of 200 ms greets and answers 200 ms later, and may change while it lasts', async (t) => {
  const pass = virtualTime(t);
  const opening = connect({ url: 'ws://test/ws', WebSocket: FakeSocket, conditioner: { rttMs: 200 } });
  await Promise.resolve();
  const socket = /** @type {FakeSocket} */ (FakeSocket.all.pop());
  socket.open();
  pass(99);
  assert.equal(socket.sent.length, 0);
  pass(101);
  assert.equal(socket.sent.length, 1, 'the hello');
  socket.receive(server.welcome(SQUARE));
  pass(100);
  const link = await opening;
  assert.deepEqual(link.conditioner, {
    rttMs: 200, jitterMs: 0, stallMs: 0, stallEveryMs: 5000, bytesPerSecond: Infinity, seed: 1,
  });
  link.conditioner = undefined;
  pass(200);
  socket.takeControl();
  const rooms = link.rooms();
  assert.equal(socket.takeControl().length, 1, 'at once');
  socket.receive(server.rooms([1]));
  assert.equal((await rooms).length, 1);
  link.close();
});

test('a connection of which too much is held back ends, rather than lose a message', async (t) => {
  const pass = virtualTime(t);
  const opening = connect({ url: 'ws://test/ws', WebSocket: FakeSocket, reconnect: false });
  await Promise.resolve();
  const socket = /** @type {FakeSocket} */ (FakeSocket.all.pop());
  socket.open();
  socket.receive(server.welcome(SQUARE));
  const link = await opening;
  const ended = new Promise((resolve) => link.on('close', resolve));
  link.conditioner = { bytesPerSecond: 500 };
  for (let n = 0; n < 5 && socket.closed === undefined; n++) socket.receive(new Uint8Array(256 * 1024));
  assert.deepEqual(await ended, { code: 1006, reason: 'the conditioner holds back too much', retryAfterMs: undefined });
  assert.equal(socket.closed?.code, 1000);
  pass(1);
});

/** What wakes a link, and what does not. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { connect } from '../src/tickwire.js';
import { onWake } from '../src/wake.js';
import { FakeSocket } from './support/fake_socket.js';
import * as server from './support/messages.js';
import { SQUARE } from './support/square.js';

/**
 * A page that was hidden, on virtual time, with a link in the lobby.
 * @param {import('node:test').TestContext} t
 */
async function onPage(t) {
  let now = 1000;
  t.mock.method(performance, 'now', () => now);
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const document = Object.assign(new EventTarget(), { hidden: false });
  Object.defineProperty(globalThis, 'document', { value: document, configurable: true });
  t.after(() => Reflect.deleteProperty(globalThis, 'document'));
  if (!('addEventListener' in globalThis)) {
    Object.assign(globalThis, { addEventListener() {} });
    t.after(() => Reflect.deleteProperty(globalThis, 'addEventListener'));
  }
  const opening = connect({ url: 'ws://test/ws', WebSocket: /** @type {any} */ (FakeSocket) });
  const socket = /** @type {FakeSocket} */ (FakeSocket.all.pop());
  socket.open();
  socket.receive(server.welcome(SQUARE));
  const link = await opening;
  // The first ping is answered.
  answer(socket);
  return {
    link,
    socket,
    wake: () => void document.dispatchEvent(new Event('visibilitychange')),
    pass: (/** @type {number} */ ms) => {
      for (let i = 0; i < ms; i++) {
        now++;
        t.mock.timers.tick(1);
      }
    },
    /** Time goes on without the page. @param {number} ms */
    sleep: (ms) => void (now += ms),
  };
}

/** Answers the newest ping. @param {FakeSocket} socket */
function answer(socket) {
  const ping = socket.sent.filter(([kind, index]) => kind === 1 && index === 10).at(-1);
  assert.ok(ping !== undefined);
  socket.receive(server.pong(ping[2]));
}

test('a woken link tries its connection, and gives up a dead one in seconds', async (t) => {
  const { link, socket, wake, pass } = await onPage(t);
  socket.sent = [];
  wake();
  assert.equal(socket.sent.length, 1, 'a ping, at once');
  wake();
  assert.equal(socket.sent.length, 1, 'one is out');
  pass(2900);
  assert.equal(link.state, 'open');
  pass(700);
  assert.equal(link.state, 'reconnecting');
  link.close();
});

test('a socket that is prepared for a redirect may be dead too: it is not kept', async (t) => {
  const { link, socket, wake } = await onPage(t);
  socket.receive(server.prepare('ws://target/ws'));
  const prepared = /** @type {FakeSocket} */ (FakeSocket.all.pop());
  prepared.open();
  wake();
  assert.equal(prepared.closed?.code, 1000);
  socket.receive(server.redirect({ url: 'ws://target/ws' }));
  const own = /** @type {FakeSocket} */ (FakeSocket.all.pop());
  own.open();
  assert.equal(own.takeControl().length, 2, 'hello and join');
  link.close();
});

test('an answer keeps it, also one that waited while the page stood still', async (t) => {
  const { link, socket, wake, pass, sleep } = await onPage(t);
  wake();
  pass(100);
  sleep(4000);
  pass(100);
  assert.equal(link.state, 'open');
  answer(socket);
  pass(4000);
  assert.equal(link.state, 'open');
  link.close();
});

test('a link that waits for its next try tries at once when the page wakes', async (t) => {
  const { link, socket, wake, pass } = await onPage(t);
  socket.end(1006, '');
  for (let tries = 0; tries < 4; tries++) {
    while (FakeSocket.all.length === 0) pass(1);
    FakeSocket.all.pop()?.end(1006, '');
  }
  pass(1);
  assert.equal(FakeSocket.all.length, 0, 'the next try is seconds away');
  wake();
  const next = /** @type {FakeSocket} */ (FakeSocket.all.pop());
  next.open();
  next.receive(server.welcome(SQUARE));
  assert.equal(link.state, 'open');
  link.close();
  wake();
});

test('a page wakes when it is shown, goes on, is online again or on another network', () => {
  const page = { document: Object.assign(new EventTarget(), { hidden: true }), window: new EventTarget(), connection: new EventTarget() };
  let wakes = 0;
  const stop = onWake(() => wakes++, page);
  const tell = (/** @type {EventTarget} */ target, /** @type {string} */ name, /** @type {object} */ more = {}) => {
    target.dispatchEvent(Object.assign(new Event(name), more));
    const seen = wakes;
    wakes = 0;
    return seen;
  };
  assert.equal(tell(page.document, 'visibilitychange'), 0, 'hidden');
  page.document.hidden = false;
  assert.equal(tell(page.document, 'visibilitychange'), 1);
  assert.equal(tell(page.document, 'resume'), 1);
  assert.equal(tell(page.window, 'online'), 1);
  assert.equal(tell(page.window, 'pageshow', { persisted: false }), 0, 'just loaded');
  assert.equal(tell(page.window, 'pageshow', { persisted: true }), 1);
  assert.equal(tell(page.connection, 'change'), 1);
  stop();
  assert.equal(tell(page.window, 'online'), 0);
});

test('without a page nothing is heard, and nothing breaks', () => {
  onWake(() => assert.fail('woken'))();
});

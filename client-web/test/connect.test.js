/** Connecting to what is not there, or is something else: every error says what to do. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { gameOf, socketUrls } from '../src/address.js';
import { URLS_MAX } from '../src/limits.js';
import { connect, join } from '../src/tickwire.js';
import { FakeSocket } from './support/fake_socket.js';
import * as server from './support/messages.js';
import { SQUARE } from './support/square.js';

const options = { url: 'ws://test/ws', WebSocket: FakeSocket };

/** @param {unknown} [given] @param {import('../src/address.js').Place} [place] */
function socketUrl(given, place) {
  const [url, ...more] = socketUrls(given, place);
  assert.deepEqual(more, []);
  return url;
}

/**
 * @param {import('node:test').TestContext} t
 * @param {string} href of the page that the test is on
 */
function onPage(t, href) {
  Object.defineProperty(globalThis, 'location', { value: new URL(href), configurable: true });
  t.after(() => Reflect.deleteProperty(globalThis, 'location'));
}

test('a URL is the page’s, a path on it, or anyone’s', (t) => {
  for (const [given, url] of [
    ['ws://host:7777/ws', 'ws://host:7777/ws'],
    ['wss://host/game/ws?room=1#top', 'wss://host/game/ws?room=1'],
    ['http://host:7777', 'ws://host:7777/ws'],
    ['https://host/', 'wss://host/ws'],
    ['https://host/g/arena/', 'wss://host/g/arena/ws'],
    [' ws://host/ws\n', 'ws://host/ws'],
  ]) {
    assert.equal(socketUrl(given), url);
    assert.equal(socketUrl(new URL(given)), url);
  }
  onPage(t, 'https://example.org/play/index.html#CODE');
  for (const [given, url] of [
    [undefined, 'wss://example.org/ws'],
    ['/other', 'wss://example.org/other'],
    ['./ws', 'wss://example.org/play/ws'],
    ['../ws', 'wss://example.org/ws'],
    ['//elsewhere/ws', 'wss://elsewhere/ws'],
    ['ws://host/ws', 'ws://host/ws'],
  ]) assert.equal(socketUrl(given), url);
});

test('left out, it is the neighbour of the SDK that a server hands out, at whatever path', () => {
  for (const [page, module, url] of /** @type {[string | undefined, string | undefined, string][]} */ ([
    ['https://example.org/', 'https://example.org/client/address.js', 'wss://example.org/ws'],
    ['https://example.org/game/', 'https://example.org/game/client/address.js', 'wss://example.org/game/ws'],
    ['https://example.org/game/deep/page.html', 'https://example.org/game/client/address.js?v=2', 'wss://example.org/game/ws'],
    ['https://example.org/game/', 'https://example.org/game/assets/index-1f.js', 'wss://example.org/ws'],
    ['http://localhost:5173/', 'http://localhost:5173/node_modules/tickwire-client/src/address.js', 'ws://localhost:5173/ws'],
    ['https://example.org/game/', 'file:///build/client/address.js', 'wss://example.org/ws'],
    ['https://example.org/game/', undefined, 'wss://example.org/ws'],
    [undefined, 'http://127.0.0.1:7777/client/address.js', 'ws://127.0.0.1:7777/ws'],
    ['https://example.org/g/cards/', 'https://example.org/g/cards/client/address.js', 'wss://example.org/g/cards/ws'],
    ['https://example.org/g/cards/', 'https://example.org/g/cards/bundle.js', 'wss://example.org/g/cards/ws'],
    ['https://example.org/play/g/cards/index.html', undefined, 'wss://example.org/play/g/cards/ws'],
  ])) assert.equal(socketUrl(undefined, { page, module }), url);
});

test('the folder says which game it is', () => {
  for (const [url, game] of [
    ['wss://example.org/ws', ''],
    ['wss://example.org/g/cards/ws', 'cards'],
    ['wss://example.org/play/g/Cards-2_x/ws?room=1', 'Cards-2_x'],
    ['https://example.org/g/a/g/b/', 'b'],
    ['https://example.org/g/cards', ''],
    ['https://example.org/bag/cards/', ''],
    ['https://example.org/g/two words/ws', ''],
    [`https://example.org/g/${'x'.repeat(33)}/ws`, ''],
  ]) assert.equal(gameOf([url]), game, url);
});

test('in a worker that a bundler made from a blob it is the host that made it', (t) => {
  onPage(t, 'blob:https://example.org/0d3f');
  assert.equal(socketUrl(), 'wss://example.org/ws');
  assert.equal(socketUrl('/game/ws'), 'wss://example.org/game/ws');
});

test('in a worker of a page without an origin a whole URL will do', () => {
  const place = { page: 'null/0d3f', module: 'blob:null/0d3f' };
  assert.equal(socketUrl('wss://example.org/ws', place), 'wss://example.org/ws');
  for (const given of [undefined, '/ws']) assert.throws(() => socketUrl(given, place), { reason: 'BadUrl' });
});

test('a URL that leads nowhere says what one looks like', async (t) => {
  const nowhere = /** @type {[any, RegExp][]} */ ([
    ['127.0.0.1:7777', /is not a URL such as wss:/],
    ['localhost:7777', /does not lead to a WebSocket: use a URL such as/],
    ['example.org/ws', /is not a URL such as .* begins with \/ or \.\//],
    ['ws', /begins with/],
    ['?room=1', /is not a URL/],
    ['#top', /is not a URL/],
    ['ftp://host/ws', /does not lead to a WebSocket/],
    ['javascript:alert(1)', /does not lead to a WebSocket/],
    ['data:,ws', /does not lead to a WebSocket/],
    ['file:///ws', /does not lead to a WebSocket/],
    ['ws://', /is not a URL/],
    ['ws://host:99999/ws', /is not a URL/],
    ['ws://ho st/ws', /is not a URL/],
    ['', /^url is empty: leave it out for the page's own server, or pass one such as wss:/],
    ['  ', /^url is empty/],
    [null, /^url is null: leave it out/],
    [7777, /^url is 7777/],
    [false, /^url is false/],
    [{ url: 'ws://host/ws' }, /^url is an object/],
    [[['ws://host/ws']], /^url\[0\] is an object: pass one such as wss:/],
    [[], /^url is an empty list/],
    [Array(URLS_MAX + 1).fill('ws://host/ws'), /^url is a list of 17: name at most 16/],
    [['ws://a/ws', undefined], /^url\[1\] is undefined: pass one/],
    [[, 'ws://a/ws'], /^url\[0\] is undefined/],
    [['ws://a/ws', ' ', 'ws://b/ws'], /^url\[1\] is empty: pass one/],
    [['ws://a/ws', 'ws://b/ws', 'b:7777'], /^url\[2\], "b:7777", does not lead to a WebSocket/],
    [['ws://a/ws', 'example.org/ws'], /^url\[1\], "example.org\/ws", is not a URL such as/],
    [['ws://a/g/cards/ws', 'ws://b/g/cards/ws', 'ws://c/ws'], /^url\[0\] and url\[2\] are of two games, "cards" and "": /],
    [Symbol('ws'), /^url is Symbol/],
    [() => 'ws://host/ws', /^url is /],
  ]);
  for (const [url, message] of [...nowhere, /** @type {[any, RegExp]} */ ([undefined, /there is no page .* pass url, such as wss:\/\//]), /** @type {[any, RegExp]} */ (['/ws', /is not a URL such as/])]) {
    await assert.rejects(connect({ url, WebSocket: FakeSocket }), { name: 'RequestError', reason: 'BadUrl', message });
  }
  onPage(t, 'https://example.org/play/');
  for (const [url, message] of nowhere) {
    await assert.rejects(connect({ url, WebSocket: FakeSocket }), { name: 'RequestError', reason: 'BadUrl', message });
  }
  assert.equal(FakeSocket.all.length, 0, 'nothing was opened');
});

test('a page from a file has no address to connect to', async (t) => {
  onPage(t, 'file:///home/ann/index.html');
  await assert.rejects(connect({ WebSocket: FakeSocket }), { reason: 'BadUrl', message: /pass url/ });
});

test('without a WebSocket the error says where to get one', async (t) => {
  const own = Object.getOwnPropertyDescriptor(globalThis, 'WebSocket');
  t.after(() => own && Object.defineProperty(globalThis, 'WebSocket', own));
  Reflect.deleteProperty(globalThis, 'WebSocket');
  const message = /pass one, connect\(\{ WebSocket \}\), such as that of the package ws/;
  await assert.rejects(connect({ url: options.url }), { reason: 'NoWebSocket', message });
});

test('a WebSocket that the browser forbids says why', async () => {
  class Forbidden extends FakeSocket {
    constructor(/** @type {string} */ url, /** @type {string} */ protocol) {
      super(url, protocol);
      FakeSocket.all.pop();
      throw new Error('insecure from a page loaded over HTTPS');
    }
  }
  await assert.rejects(connect({ ...options, WebSocket: Forbidden }), {
    reason: 'BadUrl',
    message: 'could not open ws://test/ws: insecure from a page loaded over HTTPS',
  });
});

test('to draw takes a page', async () => {
  await assert.rejects(join({ ...options, draw() {} }), { reason: 'NoPage', message: /leave draw out, and call room.view/ });
  assert.equal(FakeSocket.all.length, 0, 'nothing was opened');
});

test('an end before the welcome says what to look at', async () => {
  for (const [code, said, message] of /** @type {[number, string, RegExp][]} */ ([
    [1006, '', /^could not connect to ws:\/\/test\/ws: is a Tickwire server running there.*--allowed-origin/],
    [1012, '', /^server restarts: try again in a moment$/],
    [4001, 'protocol version not supported', /not supported: update tickwire-client or the server/],
    [4005, '', /^server is full: try again later$/],
    [4321, 'something of its own', /^something of its own$/],
  ])) {
    const opening = connect(options);
    const socket = /** @type {FakeSocket} */ (FakeSocket.all.pop());
    socket.open();
    socket.end(code, said);
    await assert.rejects(opening, { name: 'RequestError', reason: 'Closed', code, message });
  }
});

test('a server of another version is told apart from a broken one', async () => {
  for (const [version, message] of /** @type {[number, RegExp][]} */ ([
    [3, /the server speaks version 3 of the protocol, this client 2: update tickwire-client$/],
    [1, /the server speaks version 1 of the protocol, this client 2: update the server$/],
  ])) {
    const opening = connect(options);
    const socket = /** @type {FakeSocket} */ (FakeSocket.all.pop());
    socket.open();
    // What follows the version may be anything.
    socket.receive(Uint8Array.of(...server.welcome(SQUARE, { version }).subarray(0, 3), 99, 1, 2));
    await assert.rejects(opening, { reason: 'Closed', code: 4001, message });
    assert.equal(socket.closed?.code, 4001);
  }
});

test('a server that takes the socket but never answers is given up', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let now = performance.now();
  t.mock.method(performance, 'now', () => now);
  for (const opens of [false, true]) {
    const opening = connect(options);
    const socket = /** @type {FakeSocket} */ (FakeSocket.all.pop());
    if (opens) socket.open();
    /** @type {any} */
    let failed;
    opening.catch((error) => (failed = error));
    for (const end = now + 9500; now < end; now += 100) t.mock.timers.tick(100);
    await Promise.resolve();
    assert.equal(failed, undefined);
    for (const end = now + 3000; now < end; now += 100) t.mock.timers.tick(100);
    await assert.rejects(opening, { reason: 'Closed', code: 1006, message: /^could not connect to/ });
    assert.equal(socket.closed?.code, 4010);
  }
});

test('the hello names the game: the one that is asked for, else that of the folder', () => {
  for (const [url, asked, told] of /** @type {[string, string | undefined, string][]} */ ([
    ['ws://test/ws', undefined, ''],
    ['ws://test/ws', 'cards', 'cards'],
    ['ws://test/g/arena/ws', undefined, 'arena'],
    ['ws://test/g/arena/ws', 'cards', 'cards'],
    ['ws://test/g/arena/ws', '', ''],
  ])) {
    const leave = new AbortController();
    connect({ ...options, url, game: asked, signal: leave.signal }).catch(() => {});
    const socket = /** @type {FakeSocket} */ (FakeSocket.all.at(-1));
    socket.open();
    // Kind, variant, version, features in three bytes, and the string.
    const [kind, variant, version, , , , length, ...rest] = socket.sent[0];
    assert.deepEqual([kind, variant, version], [1, 0, 2]);
    assert.equal(String.fromCharCode(...rest.slice(0, length)), told, url);
    leave.abort();
  }
});

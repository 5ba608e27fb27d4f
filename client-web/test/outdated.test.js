/** A page of another version than its server is loaded anew once. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { isCurrent, reloadOnce } from '../src/outdated.js';
import { connect } from '../src/tickwire.js';
import * as server from './support/messages.js';
import { newest, options, Storage } from './support/page.js';
import { SQUARE } from './support/square.js';

/** @returns {any} a tab, and how often its page was loaded anew */
function tab() {
  const page = { sessionStorage: new Storage(), reloads: 0, location: { reload: () => page.reloads++ } };
  return page;
}

test('once, until a server of its version was met', () => {
  const page = tab();
  assert.equal(reloadOnce(page), true);
  assert.equal(reloadOnce(page), false);
  assert.equal(page.reloads, 1);
  isCurrent(page);
  assert.equal(reloadOnce(page), true);
  assert.equal(page.reloads, 2);
});

test('without a page, or a storage to remember it in, never', () => {
  const { location, sessionStorage } = tab();
  assert.equal(reloadOnce(/** @type {any} */ ({ sessionStorage })), false);
  assert.equal(reloadOnce(/** @type {any} */ ({ location })), false);
  const closed = { location, get sessionStorage() { throw new Error('denied'); } };
  assert.equal(reloadOnce(/** @type {any} */ (closed)), false);
});

test('a close with 4001, and a welcome of another version, load it anew and tell it', async (t) => {
  const page = tab();
  for (const name of /** @type {const} */ (['location', 'sessionStorage'])) {
    const before = Object.getOwnPropertyDescriptor(globalThis, name);
    Object.defineProperty(globalThis, name, { value: page[name], configurable: true });
    t.after(() => (before ? Object.defineProperty(globalThis, name, before) : Reflect.deleteProperty(globalThis, name)));
  }
  for (const [end, reloads] of /** @type {[(socket: any) => void, number][]} */ ([
    [(socket) => socket.end(4001, 'protocol version not supported'), 1],
    [(socket) => socket.receive(server.welcome(SQUARE, { version: 3 })), 1],
    [(socket) => socket.receive(server.welcome(SQUARE)), 1],
    [(socket) => socket.receive(server.welcome(SQUARE, { version: 3 })), 2],
  ])) {
    const opening = connect(options);
    const socket = newest();
    socket.open();
    end(socket);
    await opening.then((link) => link.close(), (error) => assert.equal(error.code, 4001));
    assert.equal(page.reloads, reloads);
  }
});

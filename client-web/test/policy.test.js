/** A socket that a page's policy forbids, as browsers tell of it. On virtual time. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { connect } from '../src/tickwire.js';
import { FakeSocket } from './support/fake_socket.js';
import { newest, options, playing, nextSocket, settled, virtualTime } from './support/page.js';

/** @param {import('node:test').TestContext} t @returns {EventTarget} what stands for the page */
function pageOf(t) {
  const page = new EventTarget();
  const own = /** @type {any} */ (globalThis);
  own.addEventListener = page.addEventListener.bind(page);
  own.removeEventListener = page.removeEventListener.bind(page);
  t.after(() => {
    delete own.addEventListener;
    delete own.removeEventListener;
  });
  return page;
}

/** @param {object} fields @returns {Event} that something was forbidden */
const violation = (fields) =>
  Object.assign(new Event('securitypolicyviolation'), { effectiveDirective: 'connect-src', disposition: 'enforce', ...fields });

const FORBIDDEN = /^could not connect to ws:\/\/test\/ws: the page's Content-Security-Policy .* connect to ws:\/\/test \(--connect-origin ws:\/\/test /;

test('what the policy forbids is told at once, whatever part of the URL the browser names', async (t) => {
  virtualTime(t);
  const page = pageOf(t);
  for (const blockedURI of ['ws://test/ws', 'ws://test', 'ws']) {
    const opening = connect(options);
    newest().readyState = 3;
    page.dispatchEvent(violation({ blockedURI }));
    await assert.rejects(opening, { reason: 'Closed', code: 1006, message: FORBIDDEN });
  }
});

test('the reason is kept for a socket that says later that it is closed', async (t) => {
  virtualTime(t);
  const page = pageOf(t);
  const opening = connect(options);
  page.dispatchEvent(violation({ blockedURI: 'ws://test/ws' }));
  newest().end(1006, '');
  await assert.rejects(opening, { message: FORBIDDEN });
});

test('what is forbidden of others, or only reported, is nothing to a socket', async (t) => {
  virtualTime(t);
  const page = pageOf(t);
  const opening = connect(options);
  for (const other of [{ blockedURI: 'ws://other/ws' }, { blockedURI: 'ws://test/ws', disposition: 'report' }, { blockedURI: 'ws://test/ws', effectiveDirective: 'img-src' }, { blockedURI: '' }]) {
    page.dispatchEvent(violation(other));
  }
  newest().end(1006, '');
  await assert.rejects(opening, { message: /is a Tickwire server running there/ });
});

test('a socket that only says that it failed is a lost connection', async (t) => {
  const pass = virtualTime(t);
  const { link, socket } = await playing();
  /** @type {string[]} */
  const heard = [];
  link.on('reconnecting', ({ reason }) => heard.push(reason));
  // An error of a socket that lives is nothing.
  socket.onerror?.();
  pass(10);
  assert.deepEqual(heard, []);
  socket.readyState = 3;
  socket.onerror?.();
  pass(10);
  await settled();
  assert.deepEqual(heard, ['connection lost']);
  assert.ok(nextSocket(pass) instanceof FakeSocket);
});

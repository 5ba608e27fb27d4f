/** Lines that wait to be said: in order, one out at a time, each said once. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ACTION_TIMEOUT_MS, CHAT_AGAIN_MS, UNSAID_MAX } from '../src/limits.js';
import { RequestError } from '../src/tickwire.js';
import { Unsaid } from '../src/unsaid.js';

/** @param {{ way: boolean | undefined }} [server] what `send` says */
function lines({ way } = { way: true }) {
  /** @type {{ nonce: number, text: string }[]} */
  const out = [];
  const server = { way };
  const unsaid = new Unsaid((line) => {
    if (server.way !== undefined) out.push(line);
    return server.way;
  }, () => 0);
  const said = (/** @type {number} */ id, /** @type {number} */ nonce = out[out.length - 1].nonce) => unsaid.onSaid({ nonce, id, refusal: undefined }, 0);
  const refused = (/** @type {import('../src/types.js').Refusal} */ refusal, nowMs = 0) =>
    unsaid.onSaid({ nonce: out[out.length - 1].nonce, id: undefined, refusal }, nowMs);
  return { unsaid, out, server, said, refused, texts: () => out.map(({ text }) => text) };
}

test('one line is out at a time, and each gets its number', async () => {
  const { unsaid, out, said, texts } = lines();
  const all = ['a', 'b', 'c'].map((text) => unsaid.add(text));
  assert.deepEqual(texts(), ['a']);
  assert.deepEqual(unsaid.texts, ['a', 'b', 'c']);
  said(4);
  said(9, out[0].nonce);
  said(6);
  said(7);
  assert.deepEqual(texts(), ['a', 'b', 'c']);
  assert.deepEqual(await Promise.all(all), [4, 6, 7]);
  assert.equal(new Set(out.map(({ nonce }) => nonce)).size, 3);
  assert.deepEqual(unsaid.texts, []);
});

test('what was out when the way was lost goes first, as the same line', () => {
  const { unsaid, out, server, said, texts } = lines();
  unsaid.add('a');
  server.way = undefined;
  unsaid.sleep();
  unsaid.add('b');
  assert.equal(unsaid.dueMs, Infinity);
  server.way = true;
  unsaid.wake();
  assert.deepEqual(texts(), ['a', 'a']);
  assert.equal(out[0].nonce, out[1].nonce);
  said(1);
  assert.deepEqual(texts(), ['a', 'a', 'b']);
});

test('a line that came too soon is said again a second later, and those behind it wait', () => {
  const { unsaid, out, said, refused, texts } = lines();
  unsaid.add('a');
  unsaid.add('b');
  assert.equal(refused('TooOften', 500), false);
  unsaid.add('c');
  assert.equal(unsaid.dueMs, 500 + CHAT_AGAIN_MS);
  unsaid.onTime(499 + CHAT_AGAIN_MS);
  assert.deepEqual(texts(), ['a']);
  unsaid.onTime(500 + CHAT_AGAIN_MS);
  assert.deepEqual(texts(), ['a', 'a']);
  assert.equal(out[0].nonce, out[1].nonce);
  said(1);
  assert.deepEqual(texts(), ['a', 'a', 'b']);
});

test('a line that is refused lets the next one go', async () => {
  const { unsaid, refused, said } = lines();
  const [a, b] = ['a', 'b'].map((text) => unsaid.add(text));
  assert.equal(refused('Muted'), true);
  said(3);
  await assert.rejects(a, (error) => error instanceof RequestError && error.reason === 'Muted');
  assert.equal(await b, 3);
});

test('a line that nobody answers is given up, and the next one goes', async () => {
  const { unsaid, texts } = lines();
  const [a] = ['a', 'b'].map((text) => unsaid.add(text));
  unsaid.onTime(ACTION_TIMEOUT_MS - 1);
  assert.deepEqual(texts(), ['a']);
  unsaid.onTime(ACTION_TIMEOUT_MS);
  await assert.rejects(a, { reason: 'TimedOut' });
  assert.deepEqual(texts(), ['a', 'b']);
});

test('when nothing can be said any more nothing is due', async () => {
  const { unsaid } = lines();
  const said = unsaid.add('a');
  assert.equal(unsaid.dueMs, ACTION_TIMEOUT_MS);
  unsaid.fail(new RequestError('NotNow', 'left'));
  assert.equal(unsaid.dueMs, Infinity);
  await assert.rejects(said, { reason: 'NotNow' });
});

test('a server that answers no lines is told them as they come', async () => {
  const { unsaid, server, texts } = lines({ way: undefined });
  const all = ['a', 'b'].map((text) => unsaid.add(text));
  server.way = false;
  unsaid.wake();
  assert.deepEqual(texts(), ['a', 'b']);
  assert.deepEqual(await Promise.all(all), [undefined, undefined]);
});

test('too many are not taken, and none is kept that could not be sent', async () => {
  const { unsaid, server } = lines({ way: undefined });
  const all = Array.from({ length: UNSAID_MAX }, (_, n) => unsaid.add(String(n)));
  assert.throws(() => unsaid.add('more'), { reason: 'TooMuch' });
  unsaid.fail(new RequestError('NotNow', 'left'));
  for (const said of all) await assert.rejects(said, { reason: 'NotNow' });
  const broken = new Unsaid(() => {
    throw new RequestError('TooMuch', 'too many messages');
  });
  assert.throws(() => broken.add('a'), { reason: 'TooMuch' });
  assert.deepEqual(broken.texts, []);
  server.way = true;
  assert.deepEqual(unsaid.texts, []);
});

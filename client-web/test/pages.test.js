/** Pages that are asked for: one at a time, of their parts, over a lost connection, again when it was too soon. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ACTION_TIMEOUT_MS, CHAT_AGAIN_MS, PAGE_TRIES_MAX, PAGES_WAITING_MAX } from '../src/limits.js';
import { Pages } from '../src/pages.js';
import { RequestError } from '../src/tickwire.js';

/** @param {{ way: boolean | undefined }} [server] what `send` says */
function reader({ way } = { way: true }) {
  /** @type {{ nonce: number, before: number }[]} */
  const out = [];
  const server = { way };
  const pages = new Pages((nonce, before) => {
    if (server.way !== undefined) out.push({ nonce, before });
    return server.way;
  }, () => 0);
  const newest = () => out[out.length - 1].nonce;
  /** @param {number[]} ids @param {{ more?: boolean, next?: number, nonce?: number, nowMs?: number }} [options] */
  const part = (ids, { more = false, next = 0, nonce = newest(), nowMs = 0 } = {}) => {
    const lines = ids.map((id) => ({ id, at: id, own: false, name: 'Ann', text: `line ${id}` }));
    pages.onLines({ nonce, page: { lines, more, next }, refusal: undefined }, nowMs);
  };
  const refuse = (/** @type {import('../src/types.js').Refusal} */ refusal, nowMs = 0) =>
    pages.onLines({ nonce: newest(), page: undefined, refusal }, nowMs);
  return { pages, out, server, part, refuse, asked: () => out.map(({ before }) => before) };
}

/** @param {Promise<import('../src/pages.js').Page | undefined>} page */
const ids = async (page) => (await page)?.lines.map(({ id }) => id);

test('a page comes in parts, and the next one is asked for when it is whole', async () => {
  const { pages, out, part, asked } = reader();
  const [first, second] = [pages.ask(0), pages.ask(30)];
  part([30, 31], { more: true, next: 30 });
  part([1], { nonce: out[0].nonce + 5 });
  assert.deepEqual(asked(), [0]);
  part([32], { next: 30 });
  assert.deepEqual(asked(), [0, 30]);
  part([29], { next: 0 });
  assert.deepEqual(await ids(first), [30, 31, 32]);
  assert.deepEqual((await first)?.next, 30);
  assert.equal((await first)?.lines[0].at.getTime(), 30_000);
  assert.deepEqual([await ids(second), (await second)?.next], [[29], 0]);
});

test('what was out when the way was lost is asked for again, and half of it is forgotten', async () => {
  const { pages, server, part, asked } = reader();
  const page = pages.ask(9);
  part([7], { more: true });
  server.way = undefined;
  pages.sleep();
  assert.equal(pages.dueMs, Infinity);
  server.way = true;
  pages.wake();
  assert.deepEqual(asked(), [9, 9]);
  part([7, 8]);
  assert.deepEqual(await ids(page), [7, 8]);
});

test('a server that is busy is asked again, but not for ever', async () => {
  const { pages, part, refuse, asked } = reader();
  const [patient, second] = [pages.ask(0), pages.ask(1)];
  refuse('TooOften', 100);
  assert.equal(pages.dueMs, 100 + CHAT_AGAIN_MS);
  pages.onTime(99 + CHAT_AGAIN_MS);
  assert.deepEqual(asked(), [0]);
  pages.onTime(100 + CHAT_AGAIN_MS);
  assert.deepEqual(asked(), [0, 0]);
  part([]);
  assert.deepEqual(await ids(patient), []);
  for (let tries = 1; tries < PAGE_TRIES_MAX; tries++) {
    refuse('Busy', 0);
    pages.onTime(CHAT_AGAIN_MS);
  }
  refuse('Busy', 0);
  await assert.rejects(second, { reason: 'Busy' });
  assert.equal(pages.dueMs, Infinity);
});

test('what is refused, answered by nobody or too late ends', async () => {
  const { pages, part, refuse, asked } = reader();
  const refused = pages.ask(0);
  refuse('NotInRoom');
  await assert.rejects(refused, (error) => error instanceof RequestError && error.reason === 'NotInRoom');
  const late = pages.ask(0);
  part([1], { more: true, nowMs: 5000 });
  pages.onTime(ACTION_TIMEOUT_MS);
  assert.equal(pages.dueMs, 5000 + ACTION_TIMEOUT_MS, 'it goes on');
  pages.onTime(5000 + ACTION_TIMEOUT_MS);
  await assert.rejects(late, { reason: 'TimedOut' });
  const left = pages.ask(0);
  pages.fail(new RequestError('NotNow', 'left'));
  await assert.rejects(left, { reason: 'NotNow' });
  assert.deepEqual(asked(), [0, 0, 0]);
});

test('of a server that knows of no pages there are none, and too many are not asked for', async () => {
  const { pages, server } = reader({ way: undefined });
  const all = Array.from({ length: PAGES_WAITING_MAX }, () => pages.ask(0));
  assert.throws(() => pages.ask(0), { reason: 'TooMuch' });
  server.way = false;
  pages.wake();
  assert.deepEqual(await Promise.all(all), all.map(() => undefined));
});

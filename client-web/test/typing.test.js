/** Who is typing: shown for six seconds, until they say it or go; the server is told seldom. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { TYPING_EVERY_MS, TYPING_MAX, TYPING_SHOWN_MS } from '../src/limits.js';
import { Typing } from '../src/typing.js';

function shown() {
  /** @type {number[][]} */
  const told = [];
  /** @type {Typing<number>} */
  const typing = new Typing((players) => told.push(players));
  return { typing, told };
}

test('each is shown for so long after the last time', () => {
  const { typing, told } = shown();
  assert.equal(typing.dueMs, Infinity);
  typing.onTyping(4, 4, 0);
  typing.onTyping(7, 7, 1000);
  typing.onTyping(4, 4, 3000);
  assert.deepEqual(told, [[4], [4, 7]], 'what is known is not told again');
  assert.equal(typing.dueMs, 1000 + TYPING_SHOWN_MS);
  typing.onTime(999 + TYPING_SHOWN_MS);
  assert.equal(told.length, 2);
  typing.onTime(1000 + TYPING_SHOWN_MS);
  assert.deepEqual(told.at(-1), [4]);
  typing.onTime(3000 + TYPING_SHOWN_MS);
  assert.deepEqual(told.at(-1), []);
  assert.equal(typing.dueMs, Infinity);
});

test('who said it or went is not shown any more, and nobody is when the connection was lost', () => {
  const { typing, told } = shown();
  for (const player of [4, 7, 9]) typing.onTyping(player, player, 0);
  typing.ended(7);
  typing.ended(8);
  assert.deepEqual(told.slice(3), [[4, 9]]);
  typing.clear();
  typing.clear();
  assert.deepEqual(told.slice(4), [[]]);
});

test('of very many not all are shown', () => {
  const { typing, told } = shown();
  for (let player = 0; player < 2 * TYPING_MAX; player++) typing.onTyping(player, player, 0);
  assert.equal(told.at(-1)?.length, TYPING_MAX);
  assert.equal(told.length, TYPING_MAX);
});

test('the server is told at once, and then seldom, until it was said', () => {
  const { typing } = shown();
  assert.equal(typing.mayTell(0), true);
  assert.equal(typing.mayTell(TYPING_EVERY_MS - 1), false);
  assert.equal(typing.mayTell(TYPING_EVERY_MS), true);
  typing.said();
  assert.equal(typing.mayTell(TYPING_EVERY_MS + 1), true);
});

/**
 * Lines as a page hears of them: whatever of them is missed, late, or comes on two ways, each is
 * told once and in order.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { HELD_LINES_MAX, MISSED_PAGES_MAX, PAGE_LINES_MAX } from '../src/limits.js';
import { Lines } from '../src/lines.js';
import { forSeeds } from './support/random.js';

/** @param {number} id @param {number} [from] */
const line = (id, from = 3) => ({ id, from, own: false, name: 'Ann', text: `line ${id}` });
/** @param {number} first @param {number} last */
const span = (first, last) => Array.from({ length: Math.max(0, last - first + 1) }, (_, n) => first + n);
const settled = () => new Promise((resolve) => setImmediate(resolve));

/** A channel with a history, and a page that hears of it. */
function channel({ known = /** @type {number[]} */ ([]), isThere = true } = {}) {
  /** @type {import('../src/types.js').ChatLine[]} */
  const told = [];
  /** @type {{ before: number, resolve: (page: any) => void, reject: (error: Error) => void }[]} */
  const asked = [];
  const lines = new Lines(
    known.map((id) => line(id)),
    (of) => told.push(of),
    (before) => (isThere ? new Promise((resolve, reject) => asked.push({ before, resolve, reject })) : undefined),
  );
  /** Answers what is asked, of a channel with these lines. @param {number[]} said */
  const answer = async (said) => {
    const { before, resolve } = asked.shift() ?? assert.fail('nothing is asked');
    const older = said.filter((id) => before === 0 || id < before);
    const page = older.slice(-PAGE_LINES_MAX).map((id) => ({ id, at: new Date(id * 1000), own: id % 2 === 0, name: 'Ann', text: `line ${id}` }));
    resolve({ lines: page, next: older.length > PAGE_LINES_MAX ? page[0].id : 0 });
    await settled();
  };
  return { lines, told, asked, answer, ids: () => told.map(({ id }) => id) };
}

test('lines that follow one another are told at once, and none twice', () => {
  const { lines, asked, ids } = channel({ known: [7] });
  for (const id of [8, 9, 9, 8, 10]) lines.take(line(id));
  assert.deepEqual(ids(), [8, 9, 10]);
  assert.deepEqual(lines.recent.map(({ id }) => id), [7, 8, 9, 10]);
  assert.deepEqual(asked, []);
  const fresh = channel();
  fresh.lines.take(line(100));
  assert.deepEqual(fresh.ids(), [100], 'what was before is not missed');
});

test('a line behind a gap waits for those that were missed', async () => {
  const { lines, told, answer, ids } = channel({ known: [5] });
  lines.take(line(9));
  lines.take(line(10));
  assert.deepEqual(ids(), []);
  await answer(span(1, 9));
  assert.deepEqual(ids(), [6, 7, 8, 9, 10]);
  assert.deepEqual(told.map(({ from }) => from), [-1, -1, -1, 3, 3]);
  assert.deepEqual(told.map(({ at }) => at?.getTime()), [6000, 7000, 8000, 9000, undefined]);
  lines.take(line(11));
  assert.equal(ids().at(-1), 11);
});

test('what was missed while the connection was lost is told with its times, before what is new', async () => {
  const { lines, told, answer, asked, ids } = channel({ known: [1] });
  lines.resume([line(2), line(3)]);
  lines.take(line(4));
  assert.deepEqual(ids(), []);
  await answer([1, 2, 3]);
  assert.deepEqual(ids(), [2, 3, 4]);
  assert.deepEqual(told.map(({ at }) => at?.getTime()), [2000, 3000, undefined]);
  assert.deepEqual(told.map(({ own }) => own), [true, false, false]);
  lines.resume([]);
  assert.deepEqual(asked, [], 'nothing was missed');
});

test('more than a page is read back to what is known', async () => {
  const { lines, answer, asked, ids } = channel({ known: [10] });
  lines.resume(span(119, 150).map((id) => line(id)));
  await answer(span(1, 150));
  assert.equal(asked[0].before, 101);
  await answer(span(1, 150));
  await answer(span(1, 150));
  assert.deepEqual(ids(), span(11, 150));
  assert.equal(lines.recent.length, 32);
});

test('of very many the newest are told, and what is recent has no gap', async () => {
  const { lines, answer, ids } = channel({ known: [10] });
  lines.resume([line(1000)]);
  for (let pages = 0; pages < MISSED_PAGES_MAX; pages++) await answer(span(1, 1000));
  assert.deepEqual(ids(), span(1001 - MISSED_PAGES_MAX * PAGE_LINES_MAX, 1000));
  assert.deepEqual(lines.recent.map(({ id }) => id), span(969, 1000));
  const flooded = channel({ known: [10] });
  for (let id = 20; id <= 20 + HELD_LINES_MAX; id++) flooded.lines.take(line(id));
  assert.deepEqual(flooded.ids(), span(20, 20 + HELD_LINES_MAX));
  await flooded.answer(span(1, 30));
  assert.deepEqual(flooded.ids(), span(20, 20 + HELD_LINES_MAX), 'it is too late');
});

test('where nothing can be read the others follow', async () => {
  const { lines, asked, ids } = channel({ known: [1] });
  lines.take(line(5));
  asked[0].reject(new Error('busy'));
  await settled();
  assert.deepEqual(ids(), [5]);
  const old = channel({ known: [1], isThere: false });
  old.lines.take(line(5));
  old.lines.resume([line(7), line(8)]);
  assert.deepEqual(old.ids(), [5, 7, 8], 'at once');
  const numbered = channel({ known: [1] });
  numbered.lines.take(line(100_001));
  await numbered.answer([1, 100_001]);
  assert.deepEqual(numbered.ids(), [100_001], 'numbers were left out');
});

test('a listener that leaves hears no more', async () => {
  const { lines, answer, ids, told } = channel({ known: [1] });
  const push = told.push.bind(told);
  told.push = (...all) => {
    lines.end();
    return push(...all);
  };
  lines.take(line(4));
  await answer([1, 2, 3, 4]);
  assert.deepEqual(ids(), [2]);
  const left = channel({ known: [1] });
  left.lines.take(line(4));
  left.lines.end();
  await left.answer([1, 2, 3, 4]);
  assert.deepEqual(left.ids(), []);
});

test('whatever is lost, repeated and asked late: each once and in order', async () => {
  /** @type {[import('./support/random.js').Random, string][]} */
  const runs = [];
  forSeeds(300, (random, seed) => runs.push([random, `seed ${seed}`]));
  for (const [random, seed] of runs) {
    const { lines, asked, answer, ids } = channel();
    let said = 1;
    lines.take(line(1));
    for (let step = 0; step < 60; step++) {
      const chance = random.below(10);
      if (chance < 6) {
        said++;
        if (random.below(4) > 0) lines.take(line(said));
      } else if (chance < 8) {
        // The connection was lost, and brings what the room remembers.
        const from = ids().at(-1) ?? 0;
        lines.resume(span(Math.max(from + 1, said - 31), said).map((id) => line(id)));
      } else if (asked.length > 0) {
        await answer(span(1, said));
      }
    }
    said++;
    lines.take(line(said));
    while (asked.length > 0) await answer(span(1, said));
    assert.deepEqual(ids(), span(1, said), seed);
    assert.deepEqual(lines.recent.map(({ id }) => id), span(Math.max(1, said - 31), said), seed);
  }
});

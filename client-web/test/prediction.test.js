/** The bookkeeping of prediction. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { INPUT_REPEATS_MAX, INPUTS_QUEUED_MAX } from '../src/limits.js';
import { Prediction } from '../src/netcode/prediction.js';

function started() {
  /** @type {Prediction<{ sum: number }, number>} */
  const own = new Prediction({
    next: ({ sum }, input) => ({ sum: sum + input }),
    neutral: 0,
  });
  assert.equal(own.reconcile(10, { sum: 100 }), undefined);
  return own;
}

test('inputs show at once and are confirmed', () => {
  const own = started();
  for (let tick = 11; tick <= 14; tick++) own.step(tick, 1);
  assert.deepEqual(own.state, { sum: 104 });
  assert.deepEqual(own.previous, { sum: 103 });
  assert.deepEqual(own.reconcile(12, { sum: 102 }), { sum: 102 });
  assert.deepEqual(own.state, { sum: 104 });
  assert.equal(own.tick, 14);
  assert.equal(own.pending.length, 2);
});

test('a correction is replayed over', () => {
  const own = started();
  for (let tick = 11; tick <= 14; tick++) own.step(tick, 1);
  assert.deepEqual(own.reconcile(12, { sum: 50 }), { sum: 102 });
  assert.deepEqual(own.state, { sum: 52 });
  assert.deepEqual(own.reconcile(13, { sum: 51 }), { sum: 51 });
});

test('a gap is replayed as the server fills it', () => {
  let own = started();
  own.step(11, 5);
  own.step(14, 1);
  own.reconcile(11, { sum: 105 });
  assert.deepEqual(own.state, { sum: 116 }, '12 and 13 repeat the 5 of 11');
  own = started();
  own.step(11, 5);
  own.step(30, 1);
  own.reconcile(11, { sum: 105 });
  assert.deepEqual(own.state, { sum: 105 + 5 * INPUT_REPEATS_MAX + 1 });
});

test('nothing is predicted before the first state', () => {
  const own = started();
  own.clear();
  own.step(11, 1);
  assert.equal(own.state, undefined);
  assert.equal(own.pending.length, 0);
});

test('an unanswered client remembers a bounded past', () => {
  const own = started();
  for (let tick = 11; tick < 500; tick++) own.step(tick, 1);
  assert.equal(own.pending.length, INPUTS_QUEUED_MAX);
});

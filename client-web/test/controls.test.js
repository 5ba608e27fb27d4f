/** What is sent of controls that change between two ticks. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Controls } from '../src/netcode/controls.js';

/** @type {import('../src/schema/field.js').Field[]} */
const FIELDS = [
  { name: 'note', kind: { type: 'Text', bytes: 8 }, predictor: { type: 'Hold' } },
  { name: 'dx', kind: { type: 'Real', min: -1, max: 1, step: 1 / 64 }, predictor: { type: 'Hold' } },
  { name: 'fire', kind: { type: 'Bool' }, predictor: { type: 'Hold' } },
  { name: 'jump', kind: { type: 'Bool' }, predictor: { type: 'Hold' } },
];

test('a tap between two ticks is sent, once; of all else the newest counts', () => {
  const held = { dx: 0, fire: false, jump: false };
  const controls = new Controls(FIELDS, () => held);
  held.fire = true;
  held.dx = 1;
  assert.deepEqual(controls.look(), { note: '', dx: 1, fire: true, jump: false });
  held.fire = false;
  held.dx = -0.501;
  assert.deepEqual(controls.look(), { note: '', dx: -0.5, fire: true, jump: false });
  const { qs, input } = controls.take();
  assert.deepEqual(input, { note: '', dx: -0.5, fire: true, jump: false });
  assert.deepEqual(qs, [0, 0, 32, 1, 0]);
  assert.deepEqual(controls.take().input, { note: '', dx: -0.5, fire: false, jump: false });
});

test('a tick without a frame takes the controls as they are', () => {
  const held = { jump: true };
  const controls = new Controls(FIELDS, () => held);
  assert.equal(controls.take().input.jump, true);
  held.jump = false;
  assert.equal(controls.take().input.jump, false);
});

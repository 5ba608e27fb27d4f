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

test('an input that throws or gives nonsense is reported once a second, and plays neutral', (t) => {
  /** @type {any[]} */
  const told = [];
  globalThis.reportError = (error) => void told.push(error);
  t.after(() => Reflect.deleteProperty(globalThis, 'reportError'));
  let now = 1e7;
  t.mock.method(performance, 'now', () => now);
  const neutral = { note: '', dx: 0, fire: false, jump: false };
  const broken = new Error('the page is broken');
  for (const [give, message] of /** @type {[() => any, RegExp][]} */ ([
    [() => { throw broken; }, /page is broken/],
    [() => undefined, /an object, and at once/],
    [() => null, /an object/],
    [() => 1, /an object/],
    [async () => ({ dx: 1 }), /at once/],
    [() => ({ dx: NaN }), /"dx" is NaN, expected a finite number/],
    [() => ({ dx: Infinity, fire: true }), /"dx" is Infinity/],
    [() => ({ dx: '1' }), /"dx" is "1"/],
    [() => ({ fire: 'yes' }), /"fire" is "yes", expected true or false/],
    [() => ({ jump: {} }), /"jump" is an object/],
    [() => ({ note: 5 }), /"note" is 5, expected a string/],
    [() => Object.defineProperty({}, 'dx', { get() { throw broken; } }), /page is broken/],
  ])) {
    now += 1000;
    told.length = 0;
    const controls = new Controls(FIELDS, give);
    for (let frame = 0; frame < 60; frame++) assert.deepEqual(controls.look(), neutral);
    assert.deepEqual(controls.take(), { qs: [0, 0, 64, 0, 0], input: neutral });
    assert.equal(told.length, 1, `${give}`);
    assert.match(told[0].message, message);
  }
  const fine = new Controls(FIELDS, () => ({ dx: null, fire: 1, jump: undefined, more: 'is not asked for' }));
  now += 1000;
  told.length = 0;
  assert.equal(fine.take().input.fire, true);
  assert.deepEqual(told, []);
});

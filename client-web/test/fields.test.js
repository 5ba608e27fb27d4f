/** Values of a game to integers and back. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { fromQ, qMax, toQ } from '../src/schema/field.js';
import { BitReader } from '../src/snapshot/bit_coder.js';
import { dequantiseAll, pack, quantiseAll, unpack } from '../src/snapshot/fields.js';
import { ProtocolError } from '../src/protocol/protocol_error.js';
import { randomQOf, randomSchema } from './support/history.js';
import { forSeeds } from './support/random.js';

/** @typedef {import('../src/schema/field.js').FieldKind} FieldKind */

test('every integer of a kind survives its value', () => {
  forSeeds(200, (random) => {
    for (const { kind } of randomSchema(random).input) {
      for (let i = 0; i < 20; i++) {
        const q = randomQOf(kind, random);
        assert.equal(toQ(kind, fromQ(kind, q)), q, JSON.stringify(kind));
      }
    }
  });
});

test('what a page may pass becomes what the server can take', () => {
  /** @type {FieldKind} */
  const axis = { type: 'Real', min: -1, max: 1, step: 1 / 64 };
  /** @type {FieldKind} */
  const colour = { type: 'Enum', names: ['red', 'blue'] };
  for (const [value, q] of [
    [0, 64],
    [NaN, 0],
    [-Infinity, 0],
    [Infinity, 128],
    [undefined, 64],
    ['0.5', 96],
    [null, 64],
  ]) {
    assert.equal(toQ(axis, value), q, `${value}`);
  }
  assert.equal(toQ(colour, 'blue'), 1);
  assert.equal(toQ(colour, undefined), 0);
  assert.equal(toQ(colour, 7), 1);
  assert.throws(() => toQ(colour, 'green'), RangeError);
  assert.equal(toQ({ type: 'Entity' }, undefined), -1);
  assert.equal(fromQ({ type: 'Entity' }, -1), undefined);
  assert.equal(fromQ({ type: 'Entity' }, toQ({ type: 'Entity' }, 0xffff0003)), 0xffff0003);
  assert.equal(toQ({ type: 'Bool' }, 'yes'), 1);
  assert.equal(fromQ({ type: 'Bool' }, 1), true);
  assert.equal(fromQ(colour, 9), 'blue', 'an index beyond the names is the last one');
});

test('packed fields come back, and one above its greatest is refused', () => {
  forSeeds(100, (random) => {
    const { input } = randomSchema(random);
    const qs = input.map(({ kind }) => randomQOf(kind, random));
    const bytes = pack(input, qs);
    const reader = new BitReader();
    reader.open(bytes, 0, bytes.length);
    assert.deepEqual(unpack(input, reader), qs);
    reader.finish();
    assert.deepEqual(quantiseAll(input, dequantiseAll(input, qs)), qs);
  });
  /** @type {FieldKind} */
  const kind = { type: 'Int', min: 0, max: 4 };
  const fields = [{ name: 'n', kind, predictor: /** @type {const} */ ({ type: 'Hold' }) }];
  assert.equal(qMax(kind), 4);
  const reader = new BitReader();
  reader.open(Uint8Array.of(5), 0, 1);
  assert.throws(() => unpack(fields, reader), ProtocolError);
});

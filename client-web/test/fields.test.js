/** Values of a game to integers and back. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ProtocolError } from '../src/protocol_error.js';
import { fromQ, fromQs, qMax, toQ, toQs } from '../src/schema/field.js';
import { BitReader } from '../src/snapshot/bit_coder.js';
import { dequantiseAll, pack, quantiseAll, unpack } from '../src/snapshot/fields.js';
import { randomQsOf, randomSchema } from './support/history.js';
import { forSeeds } from './support/random.js';

/** @typedef {import('../src/schema/field.js').FieldKind} FieldKind */

test('every integer of a kind survives its value', () => {
  forSeeds(200, (random) => {
    const { input, events } = randomSchema(random);
    for (const { kind } of [...input, ...events[0].fields]) {
      for (let i = 0; i < 20; i++) {
        const qs = randomQsOf(kind, random);
        assert.deepEqual(toQs(kind, fromQs(kind, [9, ...qs], 1)), qs, JSON.stringify(kind));
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
  assert.equal(toQ({ type: 'Entity' }, { handle: 0x10003, pos: {} }), 0x10003, 'an entity is its handle');
  assert.equal(toQ({ type: 'Bool' }, 'yes'), 1);
  assert.equal(fromQ({ type: 'Bool' }, 1), true);
  assert.equal(fromQ(colour, 9), 'blue', 'an index beyond the names is the last one');
});

test('packed fields come back, and one above its greatest is refused', () => {
  forSeeds(100, (random) => {
    const { fields } = randomSchema(random).events[0];
    const qs = fields.flatMap(({ kind }) => randomQsOf(kind, random));
    const bytes = pack(fields, qs);
    const reader = new BitReader();
    reader.open(bytes, 0, bytes.length);
    assert.deepEqual(unpack(fields, reader), qs);
    reader.align();
    assert.ok(reader.done);
    assert.deepEqual(quantiseAll(fields, dequantiseAll(fields, qs)), qs);
  });
  /** @type {FieldKind} */
  const kind = { type: 'Int', min: 0, max: 4 };
  const fields = [{ name: 'n', kind, predictor: /** @type {const} */ ({ type: 'Hold' }) }];
  assert.equal(qMax(kind), 4);
  const reader = new BitReader();
  reader.open(Uint8Array.of(5), 0, 1);
  assert.throws(() => unpack(fields, reader), ProtocolError);
});

test('a text is cut between characters, and at its NUL', () => {
  /** @type {FieldKind} */
  const kind = { type: 'Text', bytes: 8 };
  for (const [text, back] of [
    [undefined, ''],
    [7, '7'],
    ['12345678', '12345678'],
    ['123456789', '12345678'],
    ['1234567ß', '1234567'],
    ['🦀🦀🦀', '🦀🦀'],
    ['a\0b', 'a'],
    ['\ud83e', '\ufffd'],
  ]) {
    assert.equal(fromQs(kind, toQs(kind, text), 0), back);
  }
});

test('a text that is not UTF-8 breaks the protocol', () => {
  /** @type {FieldKind} */
  const kind = { type: 'Text', bytes: 4 };
  assert.throws(() => fromQs(kind, [0xff], 0), ProtocolError);
  assert.throws(() => fromQs(kind, [0x80], 0), ProtocolError);
  assert.equal(fromQs(kind, [0x00800041], 0), 'A', 'what follows a NUL does not matter');
});

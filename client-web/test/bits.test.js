/** Bits and Exp-Golomb numbers come back, at every width and edge. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ProtocolError } from '../src/protocol/protocol_error.js';
import { BitReader, BitWriter } from '../src/snapshot/bit_coder.js';
import { forSeeds, Random } from './support/random.js';

test('numbers come back', () => {
  forSeeds(300, (random) => {
    const numbers = Array.from({ length: 30 }, () => ({
      value: random.u32(),
      width: random.between(0, 32),
      k: random.between(0, 24),
    }));
    const writer = new BitWriter();
    for (const { value, width, k } of numbers) {
      writer.bits(width, value);
      writer.expGolomb(k, value);
      writer.signed(k, value | 0);
    }
    const bytes = writer.finish();
    const reader = new BitReader();
    reader.open(bytes, 0, bytes.length);
    for (const { value, width, k } of numbers) {
      assert.equal(reader.bits(width), width === 32 ? value : value % 2 ** width);
      assert.equal(reader.expGolomb(k), value);
      assert.equal(reader.signed(k), value | 0);
    }
    reader.finish();
  });
});

test('bits fill bytes from the least significant one', () => {
  const writer = new BitWriter();
  writer.bits(1, 1);
  writer.bits(2, 0b10);
  writer.expGolomb(0, 2);
  // 1, then 0 1, then 2: w = 3, one zero, a one, low bit 1.
  assert.deepEqual([...writer.finish()], [0b0011_0101]);
});

test('an Exp-Golomb number has at most 32 - k zeros and stays below 2^32', () => {
  const read = (/** @type {number} */ k, /** @type {number[]} */ bytes) => {
    const reader = new BitReader();
    reader.open(Uint8Array.from(bytes), 0, bytes.length);
    return reader.expGolomb(k);
  };
  // 32 zeros, a one, 32 bits: 2^32 + low - 1.
  assert.equal(read(0, [0, 0, 0, 0, 1, 0, 0, 0, 0]), 0xffffffff);
  assert.throws(() => read(0, [0, 0, 0, 0, 3, 0, 0, 0, 0]), ProtocolError);
  assert.throws(() => read(0, [0, 0, 0, 0, 2, 0, 0, 0, 0]), ProtocolError);
  assert.throws(() => read(3, [0, 0, 0, 0x40, 0, 0, 0, 0, 0]), ProtocolError);
  assert.throws(() => read(0, [0]), ProtocolError);
  assert.throws(() => read(0, []), ProtocolError);
});

test('any bytes end in a number or a ProtocolError', () => {
  const random = new Random(3);
  const reader = new BitReader();
  for (let i = 0; i < 5000; i++) {
    const bytes = Uint8Array.from({ length: random.below(20) }, () => (random.chance(0.7) ? 0 : random.below(256)));
    reader.open(bytes, 0, bytes.length);
    try {
      for (let reads = 0; ; reads++) {
        assert.ok(reads <= bytes.length * 8);
        const value = reader.expGolomb(random.below(25));
        assert.ok(Number.isInteger(value) && value >= 0 && value < 2 ** 32);
      }
    } catch (error) {
      assert.ok(error instanceof ProtocolError, `${error}`);
    }
  }
});

test('filling bits must be zero and fewer than eight', () => {
  const reader = new BitReader();
  reader.open(Uint8Array.of(0b0000_0101, 7), 0, 2);
  assert.equal(reader.bits(3), 5);
  reader.align();
  assert.equal(reader.u8(), 7);
  assert.ok(reader.done);
  reader.open(Uint8Array.of(0b1000_0101), 0, 1);
  reader.bits(3);
  assert.throws(() => reader.finish(), ProtocolError);
  reader.open(Uint8Array.of(0, 0), 0, 2);
  reader.bits(3);
  assert.throws(() => reader.finish(), ProtocolError);
});

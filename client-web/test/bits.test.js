/** Bits and range-coded numbers come back, at every width and edge. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ProtocolError } from '../src/protocol_error.js';
import { BitReader, BitWriter } from '../src/snapshot/bit_coder.js';
import { RangeDecoder, UNSURE } from '../src/snapshot/range_coder.js';
import { forSeeds, Random } from './support/random.js';
import { RangeEncoder } from './support/range_encoder.js';

test('bits come back', () => {
  forSeeds(300, (random) => {
    const numbers = Array.from({ length: 30 }, () => ({ value: random.u32(), width: random.between(0, 32) }));
    const writer = new BitWriter();
    for (const { value, width } of numbers) writer.bits(width, value);
    const bytes = writer.finish();
    const reader = new BitReader();
    reader.open(bytes, 0, bytes.length);
    for (const { value, width } of numbers) assert.equal(reader.bits(width), value % 2 ** width);
    reader.align();
    assert.ok(reader.done);
  });
});

test('bits fill bytes from the least significant one', () => {
  const writer = new BitWriter();
  writer.bits(1, 1);
  writer.bits(2, 0b10);
  writer.bits(3, 0b110);
  assert.deepEqual([...writer.finish()], [0b0011_0101]);
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
  assert.throws(() => reader.align(), ProtocolError);
  reader.open(Uint8Array.of(0, 0), 0, 2);
  reader.bits(3);
  reader.align();
  assert.ok(!reader.done);
});

/** Contexts of the tests' numbers. */
const CONTEXTS = 14;
/** @param {number} [context] */
const priorOf = (context = UNSURE) => new Uint16Array(CONTEXTS).fill(context);

/** @param {Uint8Array} bytes @param {Uint16Array} [prior] */
function decoderOf(bytes, prior = priorOf()) {
  const decoder = new RangeDecoder(CONTEXTS);
  decoder.open(bytes, 0, bytes.length, prior);
  return decoder;
}

test('range-coded decisions come back from any prior, and only they', () => {
  forSeeds(300, (random) => {
    const prior = priorOf().map(() => (random.between(4, 4092) << 4) | random.below(16));
    const steps = Array.from({ length: random.below(200) }, () => ({
      type: random.pick(['bit', 'raw', 'number']),
      value: random.u32(),
      width: random.between(0, 32),
      at: random.below(CONTEXTS),
      count: 0,
    }));
    const encoder = new RangeEncoder(prior);
    for (const step of steps) {
      step.count = random.between(1, CONTEXTS - step.at);
      if (step.type === 'bit') encoder.bit(step.at, step.value % 2 === 1);
      else if (step.type === 'raw') encoder.raw(step.width, step.value);
      else encoder.number(step.at, step.count, step.value);
    }
    const bytes = encoder.finish();
    const read = (/** @type {Uint8Array} */ coded) => {
      const decoder = decoderOf(coded, prior);
      for (const { type, value, width, at, count } of steps) {
        if (type === 'bit') assert.equal(decoder.bit(at), value % 2);
        else if (type === 'raw') assert.equal(decoder.raw(width), value % 2 ** width);
        else assert.equal(decoder.number(at, count), value);
        decoder.check();
      }
      return decoder;
    };
    read(bytes).finish();
    assert.throws(() => read(Uint8Array.from([...bytes, 0])).finish(), /bytes after/);
  });
});

test('what is foreseen costs next to nothing', () => {
  const encoder = new RangeEncoder(priorOf());
  for (let i = 0; i < 1000; i++) encoder.bit(0, false);
  assert.ok(encoder.finish().length <= 3);
});

test('a number has at most 32 zeros and stays below 2^32', () => {
  const coded = (/** @type {number} */ zeros, /** @type {number} */ rest) => {
    const encoder = new RangeEncoder(priorOf());
    for (let i = 0; i < zeros; i++) encoder.bit(Math.min(i, CONTEXTS - 1), false);
    encoder.bit(Math.min(zeros, CONTEXTS - 1), true);
    encoder.raw(Math.min(zeros, 32), rest);
    return decoderOf(encoder.finish());
  };
  assert.equal(coded(31, 0xffffffff).number(0, CONTEXTS), 0xfffffffe);
  assert.equal(coded(32, 0).number(0, CONTEXTS), 0xffffffff);
  assert.throws(() => coded(32, 1).number(0, CONTEXTS), ProtocolError);
  assert.throws(() => coded(33, 0).number(0, CONTEXTS), ProtocolError);
});

test('any bytes end in numbers or a ProtocolError', () => {
  const random = new Random(3);
  for (let i = 0; i < 2000; i++) {
    const bytes = Uint8Array.from({ length: random.below(20) }, () => random.pick([0, 0xff, random.below(256)]));
    const decoder = decoderOf(bytes, priorOf((random.between(4, 4092) << 4) | random.below(16)));
    try {
      for (let reads = 0; ; reads++) {
        // The surest bit has a thousandth of a byte.
        assert.ok(reads <= (bytes.length + 8) * 8000);
        const value = decoder.number(0, CONTEXTS);
        assert.ok(Number.isInteger(value) && value >= 0 && value < 2 ** 32);
        assert.ok(decoder.raw(random.between(0, 32)) < 2 ** 32);
        decoder.check();
      }
    } catch (error) {
      assert.ok(error instanceof ProtocolError, `${error}`);
    }
  }
});

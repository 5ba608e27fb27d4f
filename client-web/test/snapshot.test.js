/**
 * A body decodes to the image that was encoded: any game, any baseline. And any bytes end in an
 * error.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ByteReader } from '../src/bytes.js';
import { ProtocolError } from '../src/protocol_error.js';
import { checksum } from '../src/snapshot/checksum.js';
import { DeltaDecoder, decodeBodyHead } from '../src/snapshot/delta.js';
import { Image } from '../src/snapshot/image.js';
import { Layout } from '../src/snapshot/layout.js';
import { bare, encodeBody } from './support/delta_encoder.js';
import { nextImage, plain, randomSchema } from './support/history.js';
import { forSeeds } from './support/random.js';

/**
 * @param {import('../src/snapshot/layout.js').ColumnSet} set
 * @param {DeltaDecoder} decoder
 * @param {Uint8Array} body
 * @param {Image | undefined} baseline
 * @param {number} tick
 */
function decode(set, decoder, body, baseline, tick) {
  const reader = new ByteReader(body);
  const head = decodeBodyHead(reader);
  const image = new Image(set.width);
  decoder.decode(reader, baseline ?? new Image(set.width), head.back, tick, image);
  return { head, image };
}

/** @param {import('./support/random.js').Random} random @param {number} layer */
function randomSet(random, layer) {
  return new Layout(randomSchema(random)).sets[layer];
}

test('bodies give back what was encoded against any baseline', () => {
  forSeeds(60, (random, seed) => {
    const layer = seed % 3;
    const set = randomSet(random, layer);
    const decoder = new DeltaDecoder(set);
    /** @type {Image[]} */
    const images = [];
    let tick = random.between(1, 1000);
    for (let step = 0; step < 25; step++) {
      const last = images[images.length - 1];
      const image = nextImage(random, set, last, tick);
      for (const baseline of [undefined, last, random.pick([undefined, ...images])]) {
        const body = encodeBody(layer, set, baseline, image, random.chance());
        const { head, image: decoded } = decode(set, decoder, body, baseline, tick);
        assert.equal(head.layer, layer);
        const expected = baseline === undefined ? bare(set, image) : image;
        assert.deepEqual(plain(decoded), plain(expected), `step ${step}, back ${head.back}`);
        if (head.checksum !== undefined) assert.equal(head.checksum, checksum(expected));
        else assert.equal(head.back, image.gap);
      }
      images.push(image);
      tick += random.pick([1, 1, 1, 2, 5, 100]);
    }
  });
});

test('a slot that is given out again is another entity', () => {
  forSeeds(20, (random) => {
    const set = randomSet(random, 0);
    const first = nextImage(random, set, undefined, 1);
    const second = new Image(set.width);
    second.tick = 2;
    second.gap = 1;
    for (let i = 0; i < first.count; i++) {
      second.push(first.slots[i], first.generations[i] ^ 1, first.owners[i], 0);
    }
    const body = encodeBody(0, set, first, second, true);
    const { image } = decode(set, new DeltaDecoder(set), body, first, 2);
    assert.deepEqual(plain(image), plain(second));
  });
});

test('broken bodies end in a ProtocolError or in an image, never otherwise', () => {
  forSeeds(150, (random, seed) => {
    const set = randomSet(random, seed % 3);
    const decoder = new DeltaDecoder(set);
    const before = nextImage(random, set, undefined, 10);
    const after = nextImage(random, set, before, 11);
    const baseline = random.chance(0.7) ? before : undefined;
    const body = encodeBody(seed % 3, set, baseline, after, true);
    for (let round = 0; round < 40; round++) {
      const broken = spoil(body, random);
      try {
        const { image } = decode(set, decoder, broken, baseline, 11);
        assert.ok(image.count <= 4096);
      } catch (error) {
        assert.ok(error instanceof ProtocolError, `${error}`);
      }
    }
    // The decoder holds nothing of what it failed on.
    const expected = baseline === undefined ? bare(set, after) : after;
    assert.deepEqual(plain(decode(set, decoder, body, baseline, 11).image), plain(expected));
  });
});

/**
 * @param {Uint8Array} body
 * @param {import('./support/random.js').Random} random
 * @returns {Uint8Array} cut, flipped, lengthened or random
 */
function spoil(body, random) {
  const bytes = Uint8Array.from(body);
  switch (random.below(4)) {
    case 0:
      return bytes.subarray(0, random.below(bytes.length));
    case 1:
      for (let i = random.between(1, 4); i > 0; i--) bytes[random.below(bytes.length)] ^= 1 << random.below(8);
      return bytes;
    case 2:
      return Uint8Array.from([...bytes, ...Array.from({ length: random.between(1, 9) }, () => random.below(256))]);
    default:
      return Uint8Array.from([0, 1, 1, ...Array.from({ length: random.below(200) }, () => random.below(256))]);
  }
}

test('every cut of a body is an error, or else its checksum tells', () => {
  forSeeds(10, (random) => {
    const set = randomSet(random, 0);
    const image = nextImage(random, set, undefined, 5);
    const body = encodeBody(0, set, undefined, image, true);
    for (let length = 0; length < body.length; length++) {
      try {
        const { head, image: other } = decode(set, new DeltaDecoder(set), body.subarray(0, length), undefined, 5);
        assert.notEqual(head.checksum, checksum(other));
      } catch (error) {
        assert.ok(error instanceof ProtocolError, `${error}`);
      }
    }
  });
});

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
import { GROUP_LAYERS, Layout, setNumber } from '../src/snapshot/layout.js';
import { bare, encodeBody } from './support/delta_encoder.js';
import { nextImage, plain, randomSchema, randomTables } from './support/history.js';
import { forSeeds } from './support/random.js';

/** @typedef {import('../src/snapshot/layout.js').ColumnSet} ColumnSet */

/** What bodies of a layer are of. @typedef {{ layer: number, set: ColumnSet, epoch: number }} Of */

/**
 * @param {Of} of
 * @param {DeltaDecoder} decoder
 * @param {Uint8Array} body
 * @param {Image | undefined} baseline
 * @param {number} tick
 */
function decode({ layer, set }, decoder, body, baseline, tick) {
  const reader = new ByteReader(body);
  const head = decodeBodyHead(reader, layer);
  const image = new Image(set.width);
  decoder.decode(reader, baseline ?? new Image(set.width), head.back, tick, image);
  return { head, image };
}

/**
 * @param {import('./support/random.js').Random} random
 * @param {number} layer
 * @returns {Of}
 */
function randomLayer(random, layer) {
  const schema = randomSchema(random);
  const { sets, epoch } = new Layout(schema, randomTables(random, schema));
  return { layer, set: sets[setNumber(layer)], epoch };
}

test('bodies give back what was encoded against any baseline', () => {
  forSeeds(60, (random, seed) => {
    const layer = seed % 5;
    const of = randomLayer(random, layer);
    const { set } = of;
    const decoder = new DeltaDecoder(set, layer >= GROUP_LAYERS);
    /** @type {Image[]} */
    const images = [];
    let tick = random.between(1, 1000);
    for (let step = 0; step < 25; step++) {
      const last = images[images.length - 1];
      const image = nextImage(random, set, last, tick);
      for (const baseline of [undefined, last, random.pick([undefined, ...images])]) {
        const body = encodeBody(layer, set, baseline, image, random.chance(), of);
        const { head, image: decoded } = decode(of, decoder, body, baseline, tick);
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
    const of = randomLayer(random, 0);
    const { set } = of;
    const first = nextImage(random, set, undefined, 1);
    const second = new Image(set.width);
    second.tick = 2;
    second.gap = 1;
    for (let i = 0; i < first.count; i++) {
      second.push(first.slots[i], first.generations[i] ^ 1, first.owners[i], 0);
    }
    const body = encodeBody(0, set, first, second, true, of);
    const { image } = decode(of, new DeltaDecoder(set), body, first, 2);
    assert.deepEqual(plain(image), plain(second));
  });
});

test('broken bodies end in a ProtocolError or in an image, never otherwise', () => {
  forSeeds(150, (random, seed) => {
    const of = randomLayer(random, seed % 4);
    const { layer, set } = of;
    const decoder = new DeltaDecoder(set, layer >= GROUP_LAYERS);
    const before = nextImage(random, set, undefined, 10);
    const after = nextImage(random, set, before, 11);
    const baseline = random.chance(0.7) ? before : undefined;
    const body = encodeBody(layer, set, baseline, after, true, of);
    for (let round = 0; round < 40; round++) {
      const broken = spoil(body, random);
      try {
        const { image } = decode(of, decoder, broken, baseline, 11);
        assert.ok(image.count <= 4096);
      } catch (error) {
        assert.ok(error instanceof ProtocolError, `${error}`);
      }
    }
    // The decoder holds nothing of what it failed on.
    const expected = baseline === undefined ? bare(set, after) : after;
    assert.deepEqual(plain(decode(of, decoder, body, baseline, 11).image), plain(expected));
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
      return Uint8Array.from([body[0], ...Array.from({ length: random.below(200) }, () => random.below(256))]);
  }
}

test('every cut of a body is an error, or else its checksum tells', () => {
  forSeeds(10, (random) => {
    const of = randomLayer(random, 0);
    const { set } = of;
    const image = nextImage(random, set, undefined, 5);
    const body = encodeBody(0, set, undefined, image, true, of);
    for (let length = 0; length < body.length; length++) {
      try {
        const { head, image: other } = decode(of, new DeltaDecoder(set), body.subarray(0, length), undefined, 5);
        assert.notEqual(head.checksum, checksum(other));
      } catch (error) {
        assert.ok(error instanceof ProtocolError, `${error}`);
      }
    }
  });
});

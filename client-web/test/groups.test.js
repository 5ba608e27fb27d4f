/**
 * Layers of groups: what a client holds is what the server has, whatever moves, opens and closes;
 * what goes wrong is dropped and healed.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { GROUP_ENTITIES_MAX } from '../src/limits.js';
import { Guess } from '../src/schema/guess.js';
import { Session } from '../src/session.js';
import { DeltaDecoder } from '../src/snapshot/delta.js';
import { Image, handleAt } from '../src/snapshot/image.js';
import { Layout } from '../src/snapshot/layout.js';
import { encodeBody } from './support/delta_encoder.js';
import { GroupServer } from './support/group_server.js';
import { nextImage, plain, randomSchema, randomTables, withTexts } from './support/history.js';
import * as server from './support/messages.js';
import { forSeeds } from './support/random.js';
import { SQUARE } from './support/square.js';

/** @typedef {import('./support/random.js').Random} Random */

const GROUPS = 6;
/** Those that `nextImage` gives out. */
const SLOTS = 40;

/** A room of groups, and a session that hears of it. */
class World {
  /** @param {Random} random */
  constructor(random) {
    this.random = random;
    const schema = randomSchema(random);
    const tables = randomTables(random, schema);
    this.layout = new Layout(schema, tables);
    this.server = new GroupServer(this.layout);
    this.#mix();
    this.server.turn(this.#next(undefined, random.between(1, 1000)));
    this.session = new Session('Ann');
    this.session.handleMessage(server.welcome(schema, { tables }), 0);
    this.session.handleMessage(server.joined({ tick: 0 }), 0);
    this.nowMs = 0;
    for (; this.session.pollEvent() !== undefined; );
  }

  get layers() {
    const { room } = this.session;
    assert.ok(room !== undefined);
    return room.layers;
  }

  /** @param {Image | undefined} previous @param {number} tick */
  #next(previous, tick) {
    return withTexts(this.layout.room, nextImage(this.random, this.layout.room, previous, tick));
  }

  /** Some entities go to other groups. */
  #mix() {
    const { groupOf } = this.server;
    for (let slot = 0; slot < SLOTS; slot++) {
      if (!groupOf.has(slot) || this.random.chance(0.15)) groupOf.set(slot, this.random.below(GROUPS + 1));
    }
  }

  /** The room goes on by an image, in which all may have gone as predicted. */
  step() {
    const { random, server: { room } } = this;
    const tick = room.tick + random.pick([1, 1, 1, 2, 40]);
    // All go as predicted: the encoder agrees, or it would not leave out what comes of it.
    const predicted = new Image(room.width);
    new DeltaDecoder(this.layout.room).advance(room, tick, predicted);
    const isPredicted = random.chance(0.4) && isInRange(this.layout.room, predicted);
    const next = isPredicted ? predicted : this.#next(room, tick);
    if (random.chance(0.7)) this.#mix();
    this.server.turn(next);
  }

  /** @returns {number[]} groups, any of them */
  choose() {
    return Array.from({ length: GROUPS }, (_, i) => i + 1).filter(() => this.random.chance());
  }

  /**
   * @param {Uint8Array} bytes
   * @returns {string[]} what happened
   */
  hear(bytes) {
    this.nowMs += 40;
    this.session.handleMessage(bytes, this.nowMs);
    this.session.handleTimeout(this.nowMs);
    const types = [];
    for (let event = this.session.pollEvent(); event !== undefined; event = this.session.pollEvent()) types.push(event.type);
    return types;
  }

  /** @returns {number[]} layers whose keyframe was asked for */
  asked() {
    const layers = [];
    for (let bytes = this.session.pollTransmit(); bytes !== undefined; bytes = this.session.pollTransmit()) {
      if (bytes[0] === 1 && bytes[1] === 11) layers.push(bytes[2]);
    }
    return layers;
  }

  /** @param {string} when */
  check(when) {
    const { held, numbers, set } = this.server;
    assert.deepEqual(this.layers.groups, [...numbers.values()].sort((a, b) => a - b), when);
    /** @type {[number, string][]} */
    const all = [];
    for (const number of [0, ...numbers.values()]) {
      const image = /** @type {Image} */ (held[number]);
      assert.deepEqual(plain(this.layers.imageOf(number)), plain(image), `layer ${number}, ${when}`);
      for (let i = 0; i < image.count; i++) all.push([image.slots[i], entityOf(image, i)]);
    }
    const union = this.layers.newest?.images[0] ?? new Image(set.width);
    assert.deepEqual(
      Array.from({ length: union.count }, (_, i) => entityOf(union, i)),
      all.sort(([a], [b]) => a - b).map(([, entity]) => entity),
      when,
    );
  }
}

/** @param {Image} image @param {number} i @returns {string} the entity and its row */
const entityOf = (image, i) =>
  [handleAt(image, i), image.owners[i], image.masks[i], ...image.rows.subarray(i * image.width, (i + 1) * image.width)].join();

/**
 * @param {import('../src/snapshot/layout.js').ColumnSet} set
 * @param {Image} image
 * @returns {boolean} whether its values are such as a room can have
 */
const isInRange = ({ qMax, guess, width }, { rows, count }) =>
  rows
    .subarray(0, count * width)
    .every((value, at) => guess[at % width] === Guess.Change || guess[at % width] === Guess.SecondDiff || value >>> 0 <= qMax[at % width]);

test('what is held of groups is what the server has, whatever moves, opens and closes', () => {
  const counts = { sent: 0, leftOut: 0, arrived: 0 };
  forSeeds(16, (random) => {
    const world = new World(random);
    for (let step = 0; step < 60; step++) {
      world.step();
      // Now and then the client is skipped.
      while (random.chance(0.2)) world.step();
      const wanted = random.chance(0.3) ? world.choose() : undefined;
      const keyframes = random.chance(0.05) ? [...world.server.numbers.values()].slice(0, 1) : [];
      const bytes = world.server.snapshot({ wanted, keyframes, isChecked: random.chance(0.1) });
      assert.deepEqual(world.hear(bytes), ['Snapshot'], `step ${step}`);
      world.check(`step ${step}`);
    }
    for (const name of /** @type {const} */ (['sent', 'leftOut', 'arrived'])) counts[name] += world.server.counts[name];
  });
  assert.ok(counts.arrived > 100 && counts.leftOut > 20, JSON.stringify(counts));
});

test('a layer of a group that was spoilt is dropped, asked for, and comes back with its entities', () => {
  let dropped = 0;
  forSeeds(8, (random) => {
    const world = new World(random);
    const all = Array.from({ length: GROUPS }, (_, i) => i + 1);
    world.hear(world.server.snapshot({ wanted: all }));
    world.check('at first');
    for (let step = 0; step < 30; step++) {
      world.step();
      const spoil = (/** @type {Uint8Array} */ body) => {
        // Behind the head, in which what is broken may end the connection.
        const bytes = Uint8Array.from(body);
        if (random.chance()) bytes[random.between(Math.min(7, bytes.length - 1), bytes.length - 1)] ^= 1 << random.below(8);
        return random.chance(0.1) ? bytes.subarray(0, -1) : bytes;
      };
      dropped += world.hear(world.server.snapshot({ isChecked: true, spoil })).length - 1;
      world.asked();
      // Those that are right go on, and the others are as they were.
      for (let i = 0; i < 3; i++) {
        world.step();
        world.hear(world.server.snapshot());
      }
      world.nowMs += 2000;
      world.step();
      const numbers = [0, ...world.server.numbers.values()];
      world.hear(world.server.snapshot({ keyframes: numbers }));
      world.check(`step ${step}`);
    }
  });
  assert.ok(dropped > 100, `${dropped}`);
});

/** A session in a room of a small game, and its layout. */
function listening() {
  const session = new Session('Ann');
  session.handleMessage(server.welcome(SQUARE), 0);
  session.handleMessage(server.joined({ tick: 0 }), 0);
  const { room } = session;
  assert.ok(room !== undefined);
  return { session, layers: room.layers, set: room.layout.room };
}

/**
 * @param {import('../src/snapshot/layout.js').ColumnSet} set
 * @param {number} tick
 * @param {readonly number[]} slots of entities without components
 */
function crowd(set, tick, slots) {
  const image = new Image(set.width);
  image.begin(tick, 1);
  for (const slot of slots) image.push(slot, 0, 0, 0);
  return image;
}

test('layers of groups hold no more than twice a room', () => {
  const { session, layers, set } = listening();
  const many = Array.from({ length: GROUP_ENTITIES_MAX / 2 }, (_, i) => i);
  const keyframe = (/** @type {number} */ tick, /** @type {number[]} */ slots) => encodeBody(3, set, undefined, crowd(set, tick, slots), true);
  const counts = () => layers.groups.map((number) => [number, layers.imageOf(number).count]);
  session.handleMessage(server.snapshot(1, { groups: { 3: keyframe(1, many), 4: keyframe(1, many), 5: keyframe(1, [7]) } }), 0);
  assert.deepEqual(counts(), [[3, many.length], [4, many.length], [5, 0]]);
  assert.equal(layers.newest?.images[0].count, many.length, 'who is in two layers is there once');
  session.handleMessage(server.snapshot(2, { closed: [4], groups: { 5: keyframe(2, [7]) } }), 0);
  assert.deepEqual(counts(), [[3, many.length], [5, 1]]);
  // Both are gone, and the memory with them: a handful of layers that held a crowd is no room.
  session.handleMessage(server.snapshot(3, { groups: { 3: keyframe(3, []), 5: keyframe(3, many) } }), 0);
  session.handleMessage(server.snapshot(4), 0);
  assert.ok(layers.imageOf(3).slots.length < 100, `${layers.imageOf(3).slots.length}`);
});

test('a number may be closed and opened again in one snapshot, and who was there arrives elsewhere', () => {
  const { session, layers, set } = listening();
  const opened = [crowd(set, 1, [5]), crowd(set, 1, [6])];
  const keyframes = opened.map((image) => encodeBody(3, set, undefined, image, true));
  session.handleMessage(server.snapshot(1, { groups: { 3: keyframes[0], 4: keyframes[1] } }), 0);
  const held = layers.imageOf(3);
  const joined = encodeBody(4, set, layers.imageOf(4), crowd(set, 2, [5, 6]), true, { from: () => held });
  session.handleMessage(server.snapshot(2, { closed: [3], groups: { 3: encodeBody(3, set, undefined, crowd(set, 2, [9]), true), 4: joined } }), 0);
  assert.deepEqual([3, 4].map((number) => [...layers.imageOf(number).slots.subarray(0, layers.imageOf(number).count)]), [[9], [5, 6]]);
  assert.deepEqual(layers.newest?.hidden, []);
});

test('who arrives from nowhere, or where somebody is, drops the layer alone', () => {
  /** @type {Record<string, { slot: number, sources: number[], late?: boolean }>} */
  const arrivals = {
    'from no layer': { slot: 8, sources: [] },
    'from one that is not as bare': { slot: 5, sources: [4], late: true },
    'in a slot that is taken': { slot: 7, sources: [4] },
  };
  for (const [what, { slot, sources, late = false }] of Object.entries(arrivals)) {
    const { session, layers, set } = listening();
    const keyframe = (/** @type {number} */ tick, /** @type {number[]} */ slots) => encodeBody(3, set, undefined, crowd(set, tick, slots), true);
    /** @type {Record<number, Uint8Array>} */
    const first = late ? { 3: keyframe(1, [7]) } : { 3: keyframe(1, [7]), 4: keyframe(1, [5]) };
    session.handleMessage(server.snapshot(1, { groups: first }), 0);
    if (late) session.handleMessage(server.snapshot(2, { groups: { 4: keyframe(2, [5]) } }), 0);
    const tick = late ? 2 : 1;
    // To the encoder the entity is where it is not, or not in the baseline.
    const baseline = what === 'in a slot that is taken' ? crowd(set, tick, []) : layers.imageOf(3);
    const source = crowd(set, tick, [slot]);
    const image = crowd(set, tick + 1, [...(baseline.count > 0 ? [7] : []), slot].sort());
    const body = encodeBody(3, set, baseline, image, true, { from: (at) => (at === slot ? source : undefined) });
    session.handleMessage(server.snapshot(tick + 1, { groups: { 3: body } }), 0);
    assert.equal(session.state, 'Room', what);
    assert.equal(layers.imageOf(3).tick, tick, what);
    if (sources.length > 0) assert.equal(layers.imageOf(4).tick, tick + 1, what);
  }
});

test('a layer that nothing was said of for longer than a baseline may be old is dropped', () => {
  const { session, layers, set } = listening();
  session.handleMessage(server.snapshot(1, { groups: { 3: encodeBody(3, set, undefined, crowd(set, 1, [5]), true) } }), 0);
  session.handleMessage(server.snapshot(4097), 0);
  assert.equal(layers.imageOf(3).tick, 4097);
  for (; session.pollEvent() !== undefined; );
  session.handleMessage(server.snapshot(4097 + 4097), 0);
  assert.equal(session.pollEvent()?.type, 'Desync');
  assert.equal(layers.imageOf(3).tick, 4097);
});

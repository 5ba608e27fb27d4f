/** How the session notices that a layer is not the server's, and gets it back. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as client from '../src/protocol/client_message.js';
import { Layout } from '../src/snapshot/layout.js';
import { bare, encodeBody } from './support/delta_encoder.js';
import { nextImage, plain, randomSchema, withTexts } from './support/history.js';
import * as server from './support/messages.js';
import { forSeeds, Random } from './support/random.js';
import { events, inLobby, inRoom, sent } from './support/session.js';

/** @typedef {import('../src/snapshot/image.js').Image} Image */

test('a layer whose checksum disagrees is dropped, asked for, and comes back', () => {
  const { session, world } = inRoom();
  const room = session.room;
  assert.ok(room !== undefined);
  sent(session);
  const right = room.layers.newest?.images[0];
  world.step(() => ({ dx: 1, dy: 0 }), 0.04);
  const [body, own] = world.bodies();
  body[1] ^= 1; // In the checksum, behind the mode.
  session.handleMessage(server.snapshot(2, { layers: [body, own] }), 40);
  assert.deepEqual(
    events(session).map(({ type }) => type),
    ['Desync', 'Snapshot'],
  );
  assert.equal(room.layers.newest?.images[0], right, 'what is shown is the last right image');
  session.handleTimeout(40);
  assert.deepEqual(sent(session), [[...client.resync(0)]]);
  // Deltas that were under way are passed over, the other layer goes on.
  world.step(() => ({ dx: 1, dy: 0 }), 0.04);
  session.handleMessage(server.snapshot(3, { layers: world.bodies() }), 80);
  assert.equal(room.layers.newest?.images[0], right);
  assert.equal(room.layers.newest?.images[1].tick, 3);
  // An unanswered request is made again.
  session.sendInput(9, [64, 64], 0);
  sent(session);
  session.handleTimeout(2039);
  assert.deepEqual(sent(session), []);
  session.handleTimeout(2040);
  assert.deepEqual(sent(session), [[...client.resync(0)]]);
  world.step(() => ({ dx: 1, dy: 0 }), 0.04);
  session.handleMessage(server.snapshot(4, { layers: world.bodies({ keyframe: true }) }), 2100);
  assert.equal(room.layers.newest?.images[0].tick, 4);
  assert.equal(session.state, 'Room');
  session.handleTimeout(9000);
  assert.deepEqual(sent(session), [[3, 4, 0, 0, 0]]);
});

test('a body that makes no sense is a failed checksum', () => {
  /** @type {Record<string, (body: Uint8Array) => Uint8Array>} */
  const spoilers = {
    'against another baseline': (body) => Uint8Array.of(body[0] | 7, ...body.subarray(1)),
    cut: (body) => body.subarray(0, -1),
    'by other tables': (body) => Uint8Array.of(body[0] ^ 0x40, ...body.subarray(1)),
    longer: (body) => Uint8Array.of(...body, 7, 7, 7, 7, 7),
    'mixed up': (body) => body.map((byte, at) => (at < 5 ? byte : byte ^ 0xff)),
  };
  for (const [what, spoil] of Object.entries(spoilers)) {
    const { session, world } = inRoom();
    const { room } = session;
    assert.ok(room !== undefined);
    sent(session);
    const right = room.layers.newest?.images[0];
    world.step(() => ({ dx: 1, dy: 0 }), 0.04);
    const [body, own] = world.bodies();
    const event = Uint8Array.of(0, 0, 0xff, 0xff, 0xff, 0xff);
    session.handleMessage(server.snapshot(2, { layers: [spoil(body), own], events: event }), 40);
    const heard = events(session);
    assert.deepEqual(heard.map(({ type }) => type), ['Desync', 'Snapshot'], what);
    // The head, the other layer and the events of the same snapshot are taken.
    assert.ok(heard[1].type === 'Snapshot' && heard[1].events.length === 1, what);
    assert.equal(room.newest, 2);
    assert.equal(room.layers.newest?.images[0], right, what);
    assert.equal(room.layers.newest?.images[1].tick, 2, what);
    session.handleTimeout(40);
    assert.deepEqual(sent(session), [[...client.resync(0)]], what);
    world.step(() => ({ dx: 1, dy: 0 }), 0.04);
    session.handleMessage(server.snapshot(3, { layers: world.bodies() }), 80);
    assert.equal(room.layers.newest?.images[0], right, what);
    world.step(() => ({ dx: 1, dy: 0 }), 0.04);
    session.handleMessage(server.snapshot(4, { layers: world.bodies({ keyframe: true }) }), 120);
    assert.equal(room.layers.newest?.images[0].tick, 4, what);
    assert.equal(session.state, 'Room');
  }
});

test('a layer that begins with no keyframe is asked for', () => {
  const session = inLobby();
  session.handleMessage(server.joined(), 0);
  session.handleMessage(server.snapshot(1, { layers: [Uint8Array.of(1, 0)] }), 0);
  session.handleTimeout(0);
  assert.deepEqual(sent(session), [[...client.resync(0)]]);
  assert.equal(session.state, 'Room');
});

/**
 * Changes one integer of an image: its gap, what its entities' heads have, or a value.
 * @param {import('../src/snapshot/image.js').Image} image
 * @param {Random} random
 */
function changeAnInteger(image, random) {
  const { count, width } = image;
  const at = random.below(1 + 4 * count + width * count);
  const bit = random.below(32);
  if (at === 0) image.gap = (image.gap ^ (1 << bit)) >>> 0;
  else if (at <= 4 * count) {
    const numbers = [image.slots, image.generations, image.owners, image.masks][(at - 1) % 4];
    numbers[(at - 1) >> 2] ^= 1 << bit % (8 * numbers.BYTES_PER_ELEMENT);
  } else image.rows[at - 1 - 4 * count] ^= 1 << bit;
}

test('an integer of a held image that is not the server\'s is healed by a keyframe', () => {
  let dropped = 0;
  let byBody = 0;
  forSeeds(300, (random, seed) => {
    const schema = randomSchema(random);
    const layer = seed % 3;
    const set = new Layout(schema).sets[layer];
    const session = inLobby(schema);
    session.handleMessage(server.joined(), 0);
    const layers = session.room?.layers;
    assert.ok(layers !== undefined);
    let nowMs = 0;
    /** @param {Image} image @param {Image | undefined} baseline @param {boolean} isChecked */
    const hear = (image, baseline, isChecked) => {
      nowMs += 33;
      const layers = Array(layer + 1);
      layers[layer] = encodeBody(layer, set, baseline, image, isChecked);
      session.handleMessage(server.snapshot(image.tick, { layers }), nowMs);
      session.handleTimeout(nowMs);
      assert.equal(session.state, 'Room');
      sent(session);
      return events(session).some(({ type }) => type === 'Desync');
    };
    let tick = 1;
    let image = withTexts(set, nextImage(random, set, undefined, tick));
    hear(image, undefined, true);
    let before = bare(set, image);
    /** @param {boolean} isLast */
    const goOn = (isLast) => {
      const last = image;
      image = withTexts(set, nextImage(random, set, last, ++tick));
      const isNoticed = hear(image, before, isLast);
      before = image;
      return isNoticed;
    };
    assert.ok(!goOn(false));
    const held = layers.newest?.images[layer];
    assert.ok(held !== undefined);
    assert.deepEqual(plain(held), plain(image));
    changeAnInteger(held, random);
    const LAST = 12;
    let step = 1;
    while (!goOn(step === LAST) && step < LAST) step++;
    // Noticed, or gone by itself.
    const { newest } = layers;
    if (newest?.images[layer].tick !== tick) {
      dropped++;
      if (step < LAST) byBody++;
    } else assert.deepEqual(plain(newest.images[layer]), plain(image));
    image = withTexts(set, nextImage(random, set, image, ++tick));
    hear(image, undefined, true);
    assert.deepEqual(plain(/** @type {Image} */ (layers.newest?.images[layer])), plain(bare(set, image)));
  });
  if (process.env.TICKWIRE_SEED === undefined) assert.ok(dropped > 60 && byBody > 30, `${dropped} dropped, ${byBody} for a body`);
});

test('resyncs are asked for once a second', () => {
  const { session, world } = inRoom();
  sent(session);
  const spoiled = (/** @type {number} */ tick, /** @type {boolean} */ keyframe) => {
    world.step(() => ({ dx: 0, dy: 0 }), 0.04);
    const [body] = world.bodies({ keyframe });
    body[keyframe ? 2 : 1] ^= 1; // In the checksum.
    return server.snapshot(tick, { layers: [body] });
  };
  session.handleMessage(spoiled(2, false), 0);
  session.handleTimeout(0);
  session.handleMessage(spoiled(3, true), 50);
  session.handleTimeout(50);
  assert.deepEqual(sent(session), [[...client.resync(0)]]);
  session.handleTimeout(999);
  assert.deepEqual(sent(session), [[3, 3, 0, 0, 0]]);
  session.handleTimeout(1000);
  assert.deepEqual(sent(session), [[...client.resync(0)]]);
});

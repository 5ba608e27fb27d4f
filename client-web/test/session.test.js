/**
 * What the session makes of a server's messages: its state, its answers, and its end on broken
 * bytes.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as client from '../src/protocol/client_message.js';
import { decodeServer } from '../src/protocol/server_message.js';
import { ProtocolError } from '../src/protocol_error.js';
import { RequestError } from '../src/request_error.js';
import { Session } from '../src/session.js';
import { Layout } from '../src/snapshot/layout.js';
import { UNSURE } from '../src/snapshot/range_coder.js';
import { STARTS, SYMBOLS, THRESHOLDS } from '../src/snapshot/symbols.js';
import { bare, encodeBody } from './support/delta_encoder.js';
import { nextImage, plain, randomSchema, withTexts } from './support/history.js';
import * as server from './support/messages.js';
import { forSeeds, Random } from './support/random.js';
import { SQUARE, SquareServer } from './support/square.js';

/** @typedef {import('../src/snapshot/image.js').Image} Image */

/** @param {Session} session */
function events(session) {
  const all = [];
  for (let event = session.pollEvent(); event !== undefined; event = session.pollEvent()) all.push(event);
  return all;
}

/** @param {Session} session */
function sent(session) {
  const all = [];
  for (let bytes = session.pollTransmit(); bytes !== undefined; bytes = session.pollTransmit()) all.push([...bytes]);
  return all;
}

/** @param {import('../src/schema/schema.js').Schema} [schema] */
function inLobby(schema = SQUARE) {
  const session = new Session('Ann');
  session.handleMessage(server.welcome(schema), 0);
  assert.deepEqual(
    events(session).map(({ type }) => type),
    ['Welcome'],
  );
  sent(session);
  return session;
}

function inRoom() {
  const session = inLobby();
  session.handleMessage(server.joined(), 0);
  events(session);
  const world = new SquareServer(0);
  world.squares.push({ slot: 3, generation: 1, player: 0, x: 100, y: 100, heading: 0, ammo: 5 });
  world.step(() => ({ dx: 0, dy: 0 }), 0.04);
  session.handleMessage(server.snapshot(1, { layers: world.bodies({ keyframe: true }) }), 0);
  assert.deepEqual(
    events(session).map(({ type }) => type),
    ['Snapshot'],
  );
  return { session, world };
}

/** @param {Session} session @param {RegExp} reason */
function assertFailed(session, reason) {
  const last = events(session).pop();
  assert.ok(last?.type === 'Failed', JSON.stringify(last));
  assert.match(last.reason, reason);
  const kind = [/^the server speaks/, /not allowed now$/, /tick that cannot be$/].findIndex((words) => words.test(last.reason));
  const closeWith = 4001 + kind;
  assert.equal(last.closeWith, closeWith, last.reason);
  assert.equal(last.code, closeWith === 4001 ? 4001 : 1002, last.reason);
  assert.equal(session.state, 'Failed');
  assert.deepEqual(sent(session), []);
}

test('hello goes out first, and the welcome opens the lobby', () => {
  const session = new Session('Ann', 'proof');
  assert.deepEqual(sent(session), [[...client.hello('Ann', 'proof')]]);
  session.handleMessage(server.welcome(SQUARE, { name: 'Anna' }), 0);
  assert.equal(session.state, 'Lobby');
  assert.equal(session.welcome?.name, 'Anna');
  assert.deepEqual(session.welcome?.schema, SQUARE);
  assert.equal(session.welcome?.limits.seats, 64);
});

test('any checked schema crosses the welcome', () => {
  forSeeds(100, (random) => {
    const schema = randomSchema(random);
    assert.deepEqual(inLobby(schema).welcome?.schema, schema);
  });
});

test('what has no place ends the session', () => {
  /** @type {[string, Uint8Array[], RegExp][]} */
  const cases = [
    ['another version', [server.welcome(SQUARE, { version: 3 })], /version 3/],
    ['rooms before the welcome', [server.rooms([])], /not allowed now/],
    ['a second welcome', [server.welcome(SQUARE), server.welcome(SQUARE)], /not allowed now/],
    ['a snapshot in the lobby', [server.welcome(SQUARE), server.snapshot(1)], /not allowed now/],
    ['joined twice', [server.welcome(SQUARE), server.joined(), server.joined()], /not allowed now/],
    ['left from the lobby', [server.welcome(SQUARE), server.left(0)], /not allowed now/],
    ['a member of the lobby', [server.welcome(SQUARE), server.memberChanged(1, 'Bo')], /not allowed now/],
    ['the state of a member of the lobby', [server.welcome(SQUARE), server.memberState(1, true)], /not allowed now/],
    ['the state of somebody unknown', [server.welcome(SQUARE), server.joined(), server.memberState(1, true)], /not allowed now/],
    ['more members than there are', [server.welcome(SQUARE), server.joined(), server.members([4], false)], /not allowed now/],
    ['a room without a rate', [server.welcome(SQUARE), server.joined({ tickRate: 0 })], /rate/],
    ['no kind', [new Uint8Array()], /unknown message kind/],
    ['an unknown kind', [Uint8Array.of(9)], /unknown message kind/],
    ['an acknowledgement', [Uint8Array.of(3, 0, 0, 0, 0)], /unknown message kind/],
    ['an unknown variant', [Uint8Array.of(1, 127)], /variant/],
    ['a message of the reserved range that is cut', [Uint8Array.of(1, 200, 2, 7)], /too early/],
    ['a welcome without a schema', [server.welcome(SQUARE, { without: ['schema'] })], /schema that is known/],
    ['bytes left over', [Uint8Array.of(...server.welcome(SQUARE), 0)], /after/],
    ['too big', [new Uint8Array(300_000)], /too big/],
  ];
  for (const [name, messages, reason] of cases) {
    const session = new Session('Ann');
    for (const message of messages) session.handleMessage(message, 0);
    assert.equal(session.state, 'Failed', name);
    assertFailed(session, reason);
    session.handleMessage(server.rooms([]), 0);
    assert.deepEqual(events(session), [], 'nothing is taken in after the end');
  }
});

test('snapshots rise, and sections are what they say', () => {
  /** @type {[Uint8Array, RegExp][]} */
  const cases = [
    [server.snapshot(1), /tick/],
    [server.snapshot(0), /tick/],
    [server.snapshot(0x80000001), /tick/],
    [server.snapshot(2, { flags: 0b1000 }), /unknown flags/],
    [server.snapshot(2, { flags: 0x90, more: [1, 9, 2, 8] }), /too early/],
    [server.snapshot(2, { flags: 0x40, more: [0x80, 0] }), /varint/],
    [Uint8Array.of(...server.snapshot(2), 126, 0), /unknown section/],
    [Uint8Array.of(...server.snapshot(2), 127, 0), /unknown section/],
    [Uint8Array.of(...server.snapshot(2), 1, 200, 1), /too early/],
    [Uint8Array.of(...server.snapshot(2), 200, 200, 1), /too early/],
    [Uint8Array.of(...server.snapshot(2), 1, 0x80, 0x00), /varint/],
    [server.snapshot(2, { layers: [Uint8Array.of()] }), /too early/],
    [server.snapshot(2, { layers: [Uint8Array.of(0x80, 0, 1, 2, 3)] }), /too early/],
    [server.snapshot(2, { layers: [Uint8Array.of(0)] }), /too early/],
    [server.snapshot(2, { layers: [Uint8Array.of(0, 1, 0)] }), /unknown columns/],
    [server.snapshot(2, { layers: [undefined, Uint8Array.of(0, 0, 0)] }), /unknown columns/],
    [server.snapshot(2, { groups: { 123: Uint8Array.of(0, 3, 0) } }), /unknown columns/],
    [server.snapshot(2, { layers: [Uint8Array.of(31, 30, 0)] }), /in many bytes/],
    [server.snapshot(2, { layers: [Uint8Array.of(31, 0x81, 0x20, 0)] }), /too far back/],
    [Uint8Array.of(...server.snapshot(2), 0, 2, 1, 0, 0, 2, 1, 0), /twice/],
    [Uint8Array.of(...server.snapshot(2), 9, 2, 1, 0, 9, 2, 1, 0), /twice/],
    [Uint8Array.of(...server.snapshot(2), 9, 2, 1, 0, 125, 1, 9), /twice/],
    [server.snapshot(2, { closed: [3] }), /not open/],
    [server.snapshot(2, { closed: [0] }), /not open/],
    [server.snapshot(2, { closed: [200] }), /not open/],
    [server.snapshot(2, { events: Uint8Array.of(0, 1, 0, 0, 0, 0) }), /unknown event/],
    [server.snapshot(2, { events: Uint8Array.of(3, 0, 0, 0, 0, 0) }), /before the first tick/],
    [server.snapshot(2, { events: Uint8Array.of(0, 0, 0, 0) }), /too early/],
    [server.snapshot(2).subarray(0, 8), /too early/],
  ];
  for (const [bytes, reason] of cases) {
    const { session } = inRoom();
    session.handleMessage(bytes, 0);
    assertFailed(session, reason);
  }
});

test('what an older client does not know of is skipped', () => {
  const { session, world } = inRoom();
  world.step(() => ({ dx: 1, dy: 0 }), 0.04);
  const more = [2, 0xff, 0xff, 0, 1, 7];
  const bytes = server.snapshot(2, { flags: 0b1101_0001, more, layers: world.bodies() });
  session.handleMessage(Uint8Array.of(...bytes, 128, 3, 1, 2, 3, 255, 0), 0);
  const [event] = events(session);
  assert.ok(event.type === 'Snapshot');
  assert.deepEqual(event.head, { tick: 2, inputTick: 0, substituted: true, slack: -128 });
  assert.equal(session.room?.layers.newest?.images[0].tick, 2);
});

test('a snapshot brings its events, oldest first', () => {
  const { session } = inRoom();
  const bytes = Uint8Array.of(1, 0, 3, 0, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff);
  session.handleMessage(server.snapshot(5, { events: bytes }), 0);
  const [event] = events(session);
  assert.ok(event.type === 'Snapshot');
  assert.deepEqual(event.events, [
    { name: 'hit', tick: 4, fields: { who: 0x10003 } },
    { name: 'hit', tick: 5, fields: { who: undefined } },
  ]);
});

test('the newest snapshot is acknowledged after 100 ms, or by an input', () => {
  const { session } = inRoom();
  sent(session);
  assert.equal(session.pollTimeout(), 100);
  session.handleMessage(server.snapshot(2), 40);
  session.handleTimeout(99);
  assert.deepEqual(sent(session), []);
  session.handleTimeout(100);
  assert.deepEqual(sent(session), [[3, 2, 0, 0, 0]]);
  assert.equal(session.pollTimeout(), Infinity);
  session.handleMessage(server.snapshot(3), 200);
  session.sendInput(9, [64, 64], 5);
  assert.deepEqual(sent(session), [[2, 9, 0, 0, 0, 3, 0, 0, 0, 5, 0, 0x40, 0x40]]);
  assert.equal(session.pollTimeout(), Infinity);
});

test('what piled up in a silence is acknowledged at once, message by message', () => {
  const { session } = inRoom();
  session.handleMessage(server.snapshot(2), 90);
  session.handleTimeout(190);
  sent(session);
  for (const [tick, nowMs] of [[3, 900], [4, 900], [5, 999]]) {
    session.handleMessage(server.snapshot(tick), nowMs);
    assert.equal(session.pollTimeout(), nowMs);
    session.handleTimeout(nowMs);
    assert.deepEqual(sent(session), [[3, tick, 0, 0, 0]]);
  }
  session.handleMessage(server.snapshot(6), 1000);
  assert.equal(session.pollTimeout(), 1100, 'snapshots come in time again');
});

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

test('members and chat follow the room', () => {
  const { session } = inRoom();
  session.handleMessage(server.memberChanged(4, 'Bo'), 0);
  session.handleMessage(server.memberChanged(5, 'Cy'), 0);
  session.handleMessage(server.memberState(5, true), 0);
  session.handleMessage(server.memberLeft(4), 0);
  assert.deepEqual([...(session.room?.members.keys() ?? [])], [0, 5]);
  assert.deepEqual(session.room?.members.get(5), { player: 5, name: 'Cy', ready: true, host: false, connected: true });
  // Of one who was told to have gone, or was never told of: nothing.
  session.handleMessage(server.memberLeft(4), 0);
  for (let id = 1; id <= 40; id++) session.handleMessage(server.chat(id, '<b>hi</b>'), 0);
  assert.equal(session.room?.chat.length, 32);
  assert.equal(session.room?.chat[31].text, '<b>hi</b>');
});

test('requests belong to their place', () => {
  const session = inLobby();
  assert.throws(() => session.request('Room', client.ready(true)), RequestError);
  session.request('Lobby', client.quickJoin());
  session.handleMessage(server.joined(), 0);
  assert.throws(() => session.request('Lobby', client.quickJoin()), RequestError);
  session.leave();
  assert.throws(() => session.request('Room', client.ready(true)), RequestError);
  session.sendInput(1, [0, 0], 0);
  assert.deepEqual(sent(session), [[...client.quickJoin()], [...client.leaveRoom()]]);
  session.handleMessage(server.left(0), 0);
  assert.equal(session.state, 'Lobby');
  for (let i = 0; i < 256; i++) session.request('Lobby', client.listRooms());
  assert.throws(() => session.request('Lobby', client.listRooms()), /too many/);
});

test('broken messages end in a failure or in events, never otherwise', () => {
  forSeeds(300, (random) => {
    const { session, world } = inRoom();
    world.step(() => ({ dx: 1, dy: 0 }), 0.04);
    const whole = random.pick([
      server.welcome(SQUARE),
      server.rooms([1, 2]),
      server.chat(3, 'hi'),
      server.snapshot(2, { layers: world.bodies({ keyframe: random.chance() }) }),
    ]);
    const bytes = Uint8Array.from(whole);
    for (let i = random.between(1, 5); i > 0; i--) bytes[random.below(bytes.length)] = random.below(256);
    session.handleMessage(random.chance(0.3) ? bytes.subarray(0, random.below(bytes.length)) : bytes, 0);
    events(session);
  });
});

test('random control messages decode or are a ProtocolError', () => {
  const random = new Random(7);
  for (let i = 0; i < 20_000; i++) {
    const bytes = Uint8Array.from({ length: random.below(60) }, () => random.below(256));
    bytes[0] = 1;
    if (bytes.length > 1) bytes[1] = random.below(13);
    try {
      decodeServer(bytes);
    } catch (error) {
      assert.ok(error instanceof ProtocolError, `${error}`);
    }
  }
});

test('a list that claims more than its message has is refused without allocating', () => {
  const bytes = Uint8Array.of(1, 2, 252, 0xff, 0xff, 0xff, 0xff);
  assert.throws(() => decodeServer(bytes), ProtocolError);
  const string = Uint8Array.of(1, 11, 252, 0xff, 0xff, 0xff, 0x7f);
  assert.throws(() => decodeServer(string), ProtocolError);
});

/**
 * A position, and a heading and a velocity that follow it.
 * @returns {any[]} fields
 */
function following() {
  const kind = { type: 'Real', min: 0, max: 8, step: 0.5 };
  return [
    { name: 'x', kind: { ...kind }, predictor: { type: 'Linear' } },
    { name: 'y', kind: { ...kind }, predictor: { type: 'Linear' } },
    { name: 'heading', kind: { type: 'Turn', steps: 64 }, predictor: { type: 'Bearing', x: 0, y: 1 } },
    { name: 'vx', kind: { type: 'Int', min: -9, max: 9 }, predictor: { type: 'Rate', of: 0, scale: -(2 ** 20) } },
  ];
}

/** @param {(fields: any[]) => void} spoil @returns {(schema: any) => void} */
const spoiledFollowing = (spoil) => (schema) => spoil((schema.components[0].fields = following()));

test('a heading and a velocity that follow a position are taken', () => {
  const schema = { ...SQUARE, components: [{ ...SQUARE.components[0], fields: following() }] };
  assert.deepEqual(inLobby(schema).welcome?.schema, schema);
});

/**
 * @param {import('../src/schema/schema.js').Schema} schema
 * @returns {number[][]} tables that say nothing, by layer
 */
const tables = (schema) => new Layout(schema).sets.map(tableOf);

/** @param {Uint16Array} symbols @returns {number[]} what is sent of the tables */
const thresholdsOf = (symbols) => Array.from(symbols).filter((_, i) => (i % STARTS) % SYMBOLS !== 0);

/**
 * @param {import('../src/snapshot/layout.js').ColumnSet} set
 * @returns {number[]} contexts, gains as 16 bits, thresholds
 */
const tableOf = ({ prior, gains, symbols }) => [
  ...prior,
  ...Array.from(gains, (gain) => gain & 0xffff),
  ...thresholdsOf(symbols),
];

test('tables are taken for the layers that have one, with odds up to the edges', () => {
  const [room, , team] = new Layout(SQUARE).sets.map(({ prior, gains, symbols }) => [
    ...Array.from(prior, (_, i) => (i % 2 === 0 ? 4 << 4 : (4092 << 4) | 15)),
    ...Array.from(gains, (_, i) => (i % 2 === 0 ? 64 : -64) & 0xffff),
    ...thresholdsOf(symbols).map((_, i) => (i % (2 * THRESHOLDS) < THRESHOLDS ? 1 + (i % THRESHOLDS) : 32753 + (i % THRESHOLDS))),
  ]);
  for (const some of [[], [[]], [room], [[], [], team], [room, [], team]]) {
    const session = new Session('Ann');
    const trained = { epoch: 9, layers: some };
    session.handleMessage(server.welcome(SQUARE, { tables: trained }), 0);
    assert.deepEqual([session.welcome?.schema, session.welcome?.tables], [SQUARE, trained]);
    assert.equal(session.layout?.epoch, 9);
    const expected = tables(SQUARE).map((untrained, layer) => (some[layer]?.length ? some[layer] : untrained));
    assert.deepEqual(session.layout?.sets.map(tableOf), expected);
  }
});

/**
 * @param {any} schema
 * @param {number} layer
 * @param {number} gain
 * @returns {number[]} its table with that for the last gain
 */
function withGain(schema, layer, gain) {
  const { prior, gains } = new Layout(schema).sets[layer];
  const end = prior.length + gains.length;
  return tables(schema)[layer].fill(gain, end - 1, end);
}

/**
 * @param {{ min: number, max: number, step: number }} range
 * @returns {(schema: any) => void} predicts its positions in the range's step
 */
const onGrid = (range) => ({ components: [pos] }) => {
  pos.predicted = 'Grid';
  pos.fields[1].kind = { type: 'Real', ...range };
};

/** @param {number} count @returns {import('../src/schema/field.js').Field[]} of 16 columns each */
const manyTexts = (count) =>
  Array.from({ length: count }, (_, i) => ({ name: `t${i}`, kind: { type: 'Text', bytes: 64 }, predictor: { type: 'Hold' } }));

test('schemas that no game can mean are refused', () => {
  /** @type {[RegExp, (schema: any) => void][]} */
  const cases = [
    [/declared twice/, (s) => (s.components[1].name = 'pos')],
    [/usable name/, (s) => (s.components[0].fields[0].name = '__proto__')],
    [/usable name/, (s) => (s.events[0].name = '')],
    [/cannot be called/, (s) => (s.components[0].name = 'handle')],
    [/everyone sees/, (s) => (s.components[2].predicted = 'Fine')],
    [/empty range/, (s) => (s.input[0].kind = { type: 'Real', min: 1, max: 1, step: 1 })],
    [/empty range/, (s) => (s.input[0].kind = { type: 'Real', min: NaN, max: 1, step: 1 })],
    [/empty range/, (s) => (s.input[0].kind = { type: 'Int', min: 2, max: 1 })],
    [/bad step/, (s) => (s.input[0].kind = { type: 'Real', min: 0, max: 1, step: 0 })],
    [/too many steps/, (s) => (s.input[0].kind = { type: 'Real', min: 0, max: 1e300, step: 1e-300 })],
    [/power of two/, (s) => (s.input[0].kind = { type: 'Turn', steps: 3 })],
    [/power of two/, (s) => (s.input[0].kind = { type: 'Turn', steps: 0 })],
    [/no names/, (s) => (s.input[0].kind = { type: 'Enum', names: [] })],
    [/multiple of 1\/1024/, (s) => (s.components[0].fields[0].kind = { type: 'Real', min: 0.3, max: 1, step: 0.5 })],
    [/everyone sees/, (s) => (s.components[2].predicted = 'Grid')],
    [/no power of two/, onGrid({ min: 0, max: 1, step: 0.01 })],
    [/no power of two/, onGrid({ min: 0, max: 9, step: 2 })],
    [/no power of two/, onGrid({ min: 0, max: 9, step: 0.75 })],
    [/no power of two/, onGrid({ min: 0, max: 9, step: 2 ** -10 * (1 - 2 ** -53) })],
    [/no power of two/, onGrid({ min: 0, max: 9, step: 2 ** -21 })],
    [/not on its grid/, onGrid({ min: 0.25, max: 9, step: 0.5 })],
    [/not on its grid/, onGrid({ min: -(2 ** 31) - 1, max: -(2 ** 31), step: 1 })],
    [/empty range/, onGrid({ min: -Infinity, max: 0, step: 1 })],
    [/no number/, (s) => (s.components[0].fields[0].predictor = { type: 'Velocity', by: 0, num: 1, den: 1 })],
    [/no number/, (s) => (s.components[1].fields[0].predictor = { type: 'Velocity', by: 9, num: 1, den: 1 })],
    [/out of range/, (s) => (s.components[0].fields[0].predictor = { type: 'Velocity', by: 1, num: 1, den: 0 })],
    [/a bearing of what/, spoiledFollowing((f) => (f[1].kind.step = 0.25))],
    [/a bearing of what/, spoiledFollowing((f) => (f[1].kind = { type: 'Bits' }))],
    [/a bearing of what/, spoiledFollowing((f) => (f[1].predictor = { type: 'Hold' }))],
    [/a bearing of what/, spoiledFollowing((f) => (f[2].kind = { type: 'Int', min: 0, max: 63 }))],
    [/a bearing of what/, spoiledFollowing((f) => (f[2].predictor.y = 0))],
    [/a bearing of what/, spoiledFollowing((f) => (f[2].predictor.y = 7))],
    [/a bearing of what/, spoiledFollowing((f) => f.unshift(...f.splice(2, 1)))],
    [/a rate of what/, spoiledFollowing((f) => (f[3].predictor.of = 2))],
    [/a rate of what/, spoiledFollowing((f) => (f[3].predictor.of = 3))],
    [/a rate of what/, spoiledFollowing((f) => (f[3].kind = { type: 'Bits' }))],
    [/a rate of what/, spoiledFollowing((f) => (f[3].predictor.scale = 2 ** 20 + 1))],
    [/a rate of what/, spoiledFollowing((f) => (f[3].predictor.scale = 0))],
    [/a rate of what/, spoiledFollowing((f) => (f[3].predictor.scale = NaN))],
    [/at most 448/, (s) => (s.components[1].fields = manyTexts(29))],
    [/multiple of 4/, (s) => (s.events[0].fields[0].kind = { type: 'Text', bytes: 6 })],
    [/multiple of 4/, (s) => (s.events[0].fields[0].kind = { type: 'Text', bytes: 68 })],
    [/multiple of 4/, (s) => (s.events[0].fields[0].kind = { type: 'Text', bytes: 0 })],
    [/a text that is predicted/, (s) => (s.components[0].fields[0].kind = { type: 'Text', bytes: 8 })],
    [/neither entities nor texts/, (s) => (s.input[0].kind = { type: 'Text', bytes: 8 })],
    [/neither entities nor texts/, (s) => (s.input[0].kind = { type: 'Entity' })],
  ];
  for (const [reason, spoil] of cases) {
    const schema = structuredClone(SQUARE);
    spoil(schema);
    const session = new Session('Ann');
    session.handleMessage(server.welcome(schema), 0);
    assertFailed(session, reason);
  }
});

test('tables that are not of the game are refused', () => {
  /** @type {[RegExp, number[][]][]} */
  const cases = [
    [/a list of 4, at most 3/, [[], [], [], []]],
    [/does not fit 16 bits/, [[0x10000]]],
    [/layer 0 is not of this schema/, [[UNSURE]]],
    [/layer 1 is not of this schema/, [[], tables(SQUARE)[0]]],
    [/layer 0 has odds out of range/, tables(SQUARE).map((table) => table.fill(3 << 4 | 15, 7, 8))],
    [/layer 2 has odds out of range/, [[], [], tables(SQUARE)[2].fill(4093 << 4, -1)]],
    [/layer 0 has a gain out of range/, [withGain(SQUARE, 0, 65)]],
    [/layer 1 has a gain out of range/, [[], withGain(SQUARE, 1, -65 & 0xffff)]],
    [/layer 0 has thresholds that do not rise/, [tables(SQUARE)[0].fill(0, -THRESHOLDS, 1 - THRESHOLDS)]],
    [/layer 0 has thresholds that do not rise/, [tables(SQUARE)[0].fill(32768, -1)]],
    [/layer 1 has thresholds that do not rise/, [[], tables(SQUARE)[1].fill(9000, -2)]],
  ];
  for (const [reason, layers] of cases) {
    const session = new Session('Ann');
    session.handleMessage(server.welcome(SQUARE, { tables: { epoch: 1, layers } }), 0);
    assertFailed(session, reason);
  }
});

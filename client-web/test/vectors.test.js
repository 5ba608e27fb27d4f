/**
 * The golden vectors of `shared/vectors`, which Rust makes and checks as well, and the demo's:
 * every file that lies there, by its `kind`. A kind that nothing here checks is a failure, and so
 * is an empty folder.
 */

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { basename } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';

import { ByteReader, readVarint } from '../src/bytes.js';
import { bearing, unit, Xorshift32 } from '../src/exact.js';
import * as limits from '../src/limits.js';
import * as client from '../src/protocol/client_message.js';
import { CloseCode, closeReason, isFinal } from '../src/protocol/close_code.js';
import { decodeSnapshotHead, encodeAck, encodeInput, readSections, SectionKind } from '../src/protocol/frame.js';
import { decodeServer } from '../src/protocol/server_message.js';
import { ProtocolError } from '../src/protocol_error.js';
import { Backoff } from '../src/reconnect.js';
import { bits, dequantise, fromQs, quantise, toQs } from '../src/schema/field.js';
import { encodePayload } from '../src/schema/payload.js';
import { checkSchema } from '../src/schema/schema.js';
import { decodeEvents } from '../src/session/events.js';
import { checksum } from '../src/snapshot/checksum.js';
import { DeltaDecoder, decodeBodyHead } from '../src/snapshot/delta.js';
import { pack, quantiseAll } from '../src/snapshot/fields.js';
import { Image } from '../src/snapshot/image.js';
import { Layout, checkLayout } from '../src/snapshot/layout.js';
import { checksumOf, heldGroups, listen } from './support/conversation.js';
import { encodeBody, isPredicted } from './support/delta_encoder.js';
import { plain } from './support/history.js';
import './support/served_paths.js';
import { camel, schemaOf, variant } from './support/vector_schema.js';

const { advance, SPEED } = await import('../../server/arena/page/arena_rule.js');
const { OBSTACLES, PLAYER_RADIUS } = await import('../../server/arena/page/arena_map.js');

/** Others than those in the repository: see `shared/tests/codec/soak.rs`. */
const { TICKWIRE_VECTORS } = process.env;
const folders = TICKWIRE_VECTORS
  ? [pathToFileURL(`${TICKWIRE_VECTORS}/`)]
  : ['../../shared/vectors/', '../../server/arena/vectors/'].map((path) => new URL(path, import.meta.url));

/** @param {URL} folder */
const filesOf = (folder) => readdirSync(folder).filter((name) => name.endsWith('.json'));

test('there are vectors', () => folders.forEach((folder) => assert.notEqual(filesOf(folder).length, 0)));

/** @param {Uint8Array} bytes */
const hex = (bytes) => Buffer.from(bytes).toString('hex');
/** @param {string} text */
const bytesOf = (text) => new Uint8Array(Buffer.from(text, 'hex'));

/** @type {Record<string, (vectors: any) => void>} */
const CHECKS = {
  control: checkControl,
  frames: checkFrames,
  fields: checkFields,
  texts: checkTexts,
  bodies: checkBodies,
  group_bodies: checkGroupBodies,
  conversations: checkConversations,
  bearings: checkBearings,
  exact_unit: checkUnit,
  arena_step: checkArenaStep,
  reconnect: checkReconnect,
  close_codes: checkCloseCodes,
  limits: checkLimits,
};

for (const file of folders.flatMap((folder) => filesOf(folder).map((name) => new URL(name, folder)))) {
  test(basename(file.pathname), () => {
    const vectors = JSON.parse(readFileSync(file, 'utf8'));
    const check = CHECKS[vectors.kind];
    assert.ok(check, `no check for kind ${vectors.kind}`);
    assert.notEqual(vectors.cases.length, 0);
    check(vectors);
  });
}

/** @param {any} who */
const whoOf = ({ spectator, options }) => ({ spectator, options: Uint8Array.from(options) });

/** @param {any} message @returns {Uint8Array} */
function encodeClient({ type, ...m }) {
  switch (type) {
    case 'Hello':
      return client.hello(m.name, m.token, { game: m.game, features: m.features, known: { schemaHash: m.schema, tablesHash: m.tables } });
    case 'ListRooms':
      return client.listRooms(m.filter);
    case 'CreateRoom':
      return client.createRoom({
        ...m,
        isPrivate: m.private,
        options: Uint8Array.from(m.options),
        player: Uint8Array.from(m.player),
      });
    case 'JoinRoom':
      return client.joinRoom(m.room, whoOf(m.who));
    case 'JoinCode':
      return client.joinCode(m.code, whoOf(m.who));
    case 'QuickJoin':
      return client.quickJoin(m.filter, whoOf(m.who), Uint8Array.from(m.options));
    case 'LeaveRoom':
      return client.leaveRoom();
    case 'Ready':
      return client.ready(m.ready);
    case 'Kick':
      return client.kick(m.player);
    case 'Chat':
      return client.chat(m.text);
    case 'Ping':
      return client.ping(m.nonce);
    case 'Resync':
      return client.resync(m.layer);
    case 'Act':
      return client.act(m.id, m.action, Uint8Array.from(m.fields));
    case 'Resume':
      return client.resume(m.token, { chat: m.chat, tick: m.seen });
    case 'NoticesSeen':
      return client.noticesSeen(m.number);
    case 'Say':
      return client.say(m.nonce, m.text, m.channel);
    case 'History':
      return client.history(m.nonce, m.before, m.channel);
    case 'Typing':
      return client.typing(m.channel);
    case 'Watch':
      return client.watch(m.handles);
    case 'People':
      return peopleRequest(variant(m.value ?? m));
    case 'Queue':
      return queueRequest(variant(m.value ?? m));
    case 'Party':
      return partyRequest(variant(m.value ?? m));
    default:
      throw new Error(`no client message ${type}`);
  }
}

/** @param {any} request as the vectors spell it */
function peopleRequest(request) {
  switch (request.type) {
    case 'Enter':
      return client.enterPeople(request.nonce, request.lobby);
    case 'Who':
      return client.whoIs(request.nonce, request.player);
    case 'Block':
      return client.block(request.nonce, request.who, request.blocked);
    case 'Read':
      return client.read(request.who, request.number);
    default:
      throw new Error(`no request ${request.type}`);
  }
}

/** @param {any} request as the vectors spell it */
function queueRequest(request) {
  switch (request.type) {
    case 'Enqueue':
      return client.enqueue(request.nonce, request.mode, request.regions);
    case 'Look':
      return client.lookAtQueue();
    case 'Cancel':
      return client.leaveQueue();
    case 'Answer':
      return client.answerOffer(request.offer, request.accept);
    default:
      throw new Error(`no request ${request.type}`);
  }
}

/** @param {any} request as the vectors spell it */
function partyRequest(request) {
  switch (request.type) {
    case 'Create':
      return client.createParty(request.nonce);
    case 'Join':
      return client.joinParty(request.nonce, request.code);
    case 'Leave':
      return client.leaveParty();
    case 'Kick':
      return client.kickFromParty(request.member);
    case 'Look':
      return client.lookAtParty();
    default:
      throw new Error(`no request ${request.type}`);
  }
}

/** @param {any} presence a watched player as the vectors spell them */
function presenceOf({ handle, at }) {
  const of = variant(at);
  return { handle, at: of.type === 'Room' ? { ...of, room: of.room ?? undefined } : of };
}

/** @param {any} room a room as the vectors spell it */
const roomOf = (room) => ({ ...room, metadata: Uint8Array.from(room.metadata) });

/** @param {any} message @returns {any} a server's message in the SDK's spelling */
function serverMessage(message) {
  if (message === null) return undefined;
  const decoded = variant(message);
  switch (decoded.type) {
    case 'Welcome':
      return { ...decoded, schema: message.Welcome.schema ? schemaOf(message.Welcome.schema) : undefined, tables: decoded.tables ?? undefined };
    case 'Reply': {
      const { Ok = [], Err } = message.Reply.result;
      return { type: 'Reply', id: decoded.id, answer: Uint8Array.from(Ok), error: Err };
    }
    case 'Said': {
      const { Ok, Err } = message.Said.result;
      return { type: 'Said', nonce: decoded.nonce, id: Ok, refusal: Err };
    }
    case 'Lines': {
      const { Ok, Err } = message.Lines.result;
      return { type: 'Lines', nonce: decoded.nonce, page: Ok, refusal: Err };
    }
    case 'Past': {
      const { Ok, Err } = message.Past.result;
      return { type: 'Past', nonce: decoded.nonce, page: Ok, refusal: Err };
    }
    case 'People': {
      const news = variant(message.People);
      const { Ok, Err } = news.result ?? {};
      if (news.type !== 'Answer') return { type: 'People', news };
      return { type: 'People', news: { type: 'Answer', nonce: news.nonce, peer: Ok, refusal: Err } };
    }
    case 'Presence':
      return { ...decoded, peers: decoded.peers.map(presenceOf) };
    case 'Queue': {
      const state = variant(message.Queue.state);
      if (state.type === 'Waiting') state.expectedMs ??= undefined;
      return { ...decoded, state };
    }
    case 'Party': {
      const state = variant(message.Party.state);
      if (state.type === 'In') state.room ??= undefined;
      return { ...decoded, state };
    }
    case 'Notice':
      return { ...decoded, event: decoded.event ? { ...decoded.event, fields: Uint8Array.from(decoded.event.fields) } : undefined };
    case 'Rooms':
      return { ...decoded, rooms: decoded.rooms.map(roomOf) };
    case 'Joined':
      return { ...decoded, room: roomOf(decoded.room), you: decoded.you ?? -1, options: Uint8Array.from(decoded.options) };
    default:
      return decoded;
  }
}

/** @param {any} vectors */
function checkControl({ cases }) {
  for (const { from, bytes, message, broken } of cases) {
    if (from === 'client') assert.equal(hex(encodeClient(variant(message))), bytes);
    else if (broken) assert.throws(() => decodeServer(bytesOf(bytes)), ProtocolError, bytes);
    else assert.deepEqual(decodeServer(bytesOf(bytes)), serverMessage(message));
  }
}

/** @param {any} vectors */
function checkFrames({ schema: raw, cases }) {
  const schema = schemaOf(raw);
  for (const frame of cases) {
    const expected = camel(frame);
    if (frame.message === 'input') {
      const fields = pack(schema.input, frame.values);
      assert.equal(hex(encodeInput(frame.tick, frame.ack, frame.view_lag, fields)), frame.bytes);
    } else if (frame.message === 'ack') {
      assert.equal(hex(encodeAck(frame.ack)), frame.bytes);
    } else {
      assert.equal(frame.message, 'snapshot');
      checkSnapshot(schema, expected);
    }
  }
}

/** @param {import('../src/schema/schema.js').Schema} schema @param {any} expected */
function checkSnapshot(schema, expected) {
  const reader = new ByteReader(bytesOf(expected.bytes));
  const { tick, inputTick, substituted, slack } = expected;
  assert.deepEqual(decodeSnapshotHead(reader), { tick, inputTick, substituted, slack });
  /** @type {[number, string][]} */
  const sections = [];
  /** @type {any[]} */
  const events = [];
  readSections(reader, (kind, section) => {
    sections.push([kind, hex(section.bytes.subarray(section.at, section.end))]);
    if (kind === SectionKind.Events) events.push(...decodeEvents(section, tick, schema));
  });
  assert.deepEqual(sections, expected.sections);
  const found = events.map((event) => {
    const index = schema.events.findIndex(({ name }) => name === event.name);
    const { fields, payload } = schema.events[index];
    const found = payload === undefined ? null : payloadText(payload, event.fields[payload.name]);
    return { event: index, tick: event.tick, values: quantiseAll(fields, event.fields), payload: found };
  });
  assert.deepEqual(found, expected.events);
}

/**
 * @param {import('../src/schema/payload.js').Payload} payload
 * @param {any} value
 * @returns {string} the bytes it came in, hexadecimal
 */
function payloadText(payload, value) {
  const encoded = new ByteReader(encodePayload(payload, value));
  return hex(encoded.bytes.subarray(encoded.take(readVarint(encoded))));
}

/** @param {any} vectors */
function checkFields({ cases }) {
  for (const { field, bits: width, values } of cases) {
    const kind = variant(field);
    assert.equal(bits(kind), width);
    for (const { value, q, back } of values) {
      assert.equal(quantise(kind, value), q, `${JSON.stringify(field)} of ${value}`);
      assert.equal(dequantise(kind, q), back, `${JSON.stringify(field)}, q ${q}`);
    }
  }
}

/** @param {any} vectors */
function checkTexts({ cases }) {
  for (const { field, text, words, back } of cases) {
    const kind = variant(field);
    assert.deepEqual(toQs(kind, text), words);
    assert.equal(fromQs(kind, words, 0), back);
  }
}

/** @param {any} vectors */
function checkBodies({ layer, schema: raw, tables, cases }) {
  const schema = schemaOf(raw);
  checkSchema(schema);
  checkLayout(schema, tables);
  const layout = new Layout(schema, tables);
  // A group's layer has the room's columns.
  const set = layout.sets[layer] ?? layout.room;
  const decoder = new DeltaDecoder(set);
  /** @type {Map<number, Image>} */
  const images = new Map();
  /** @type {Map<number, Image>} as keyframes brought them */
  const bares = new Map();
  /**
   * @type {any} an image is spelled out in the first case of its tick, and as a keyframe brings
   *   it
   */
  let expected;
  for (const { tick, baseline: baselineTick, bare: isBare, body, checksum: sum, image: spelled } of cases) {
    expected = spelled ?? expected;
    const held = isBare ? bares : images;
    const baseline = baselineTick === null ? undefined : (held.get(baselineTick) ?? bares.get(baselineTick));
    const reader = new ByteReader(bytesOf(body));
    const head = decodeBodyHead(reader, layer);
    assert.equal(head.epoch, layout.epoch % 4);
    assert.equal(head.back, baseline === undefined ? 0 : tick - baseline.tick);
    const image = new Image(set.width);
    decoder.decode(reader, baseline ?? new Image(set.width), head.back, tick, image);
    assertImage(image, tick, expected, sum);
    if (head.checksum !== undefined) assert.equal(head.checksum, sum);
    const again = encodeBody(layer, set, baseline, image, head.checksum !== undefined, layout);
    assert.equal(hex(again), body, `tick ${tick} against ${baselineTick}`);
    (baseline === undefined ? bares : images).set(tick, image);
  }
}

/**
 * @param {Image} image
 * @param {number} tick
 * @param {{ gap: number, entities: number[][], values: number[] }} spelled
 * @param {number} sum its checksum
 */
function assertImage(image, tick, { gap, entities, values }, sum) {
  const [slots, generations, owners, masks] = [0, 1, 2, 3].map((part) => entities.map((entity) => entity[part]));
  assert.deepEqual(plain(image), { tick, gap, slots, generations, owners, masks, rows: values });
  assert.equal(checksum(image), sum);
}

/** @param {any} vectors bodies of several layers of groups, each of which some others are held with */
function checkGroupBodies({ schema: raw, tables, cases }) {
  const schema = schemaOf(raw);
  checkLayout(schema, tables);
  const { room: set, epoch } = new Layout(schema, tables);
  const decoder = new DeltaDecoder(set, true);
  /** @type {Map<string, Image>} by layer, tick, and whether a keyframe brought it */
  const images = new Map();
  for (const { layer, tick, baseline: from, bare: isBare, sources, body, departed, checksum: sum, image: spelled } of cases) {
    const what = `layer ${layer}, tick ${tick} against ${from}`;
    const heldOf = (/** @type {number} */ number) => {
      const found = images.get(`${number} ${from} ${isBare}`);
      assert.ok(found !== undefined, what);
      return found;
    };
    const baseline = from === null ? undefined : heldOf(layer);
    const others = from === null ? [] : sources.map(heldOf);
    const image = new Image(set.width);
    if (body === null) {
      assert.ok(baseline !== undefined && isPredicted(set, baseline, imageOf(spelled, tick, set.width)), what);
      decoder.advance(baseline, tick, image);
    } else {
      const reader = new ByteReader(bytesOf(body));
      const head = decodeBodyHead(reader, layer);
      assert.deepEqual([head.back, head.epoch], [from === null ? 0 : tick - from, epoch % 4], what);
      decoder.decode(reader, baseline ?? new Image(set.width), head.back, tick, image, others);
      assert.equal(head.checksum ?? sum, sum, what);
      const living = departed.flatMap((/** @type {any[]} */ [slot, generation, lives]) => (lives ? [generation * 0x10000 + slot] : []));
      assert.deepEqual(decoder.moved, living, what);
      const again = encodeBody(layer, set, baseline, image, head.checksum !== undefined, {
        epoch,
        from: (slot) => others.find((/** @type {Image} */ other) => other.find(slot) !== -1),
        livesOn: (handle) => living.includes(handle),
      });
      assert.equal(hex(again), body, what);
    }
    assertImage(image, tick, spelled, sum);
    images.set(`${layer} ${tick} ${from === null}`, image);
  }
}

/**
 * @param {{ gap: number, entities: number[][], values: number[] }} spelled
 * @param {number} tick
 * @param {number} width
 * @returns {Image}
 */
function imageOf({ gap, entities, values }, tick, width) {
  const image = new Image(width);
  image.begin(tick, gap);
  for (const [slot, generation, owner, mask] of entities) image.push(slot, generation, owner, mask);
  image.rows.set(values);
  return image;
}

/** @param {any} vectors */
function checkBearings({ cases }) {
  for (const { x, y, turns } of cases) assert.equal(bearing(x, y), turns, `bearing(${x}, ${y})`);
}

/**
 * @param {any} vectors what hostile servers say, the first message of it that a client has to
 *   refuse, and how often it drops a layer
 */
function checkConversations({ openings, cases }) {
  for (const { input, opening, messages, refused, dropped, checksums, groups } of cases) {
    const before = opening === null ? [] : openings[opening].map(bytesOf);
    const heard = listen([...before, ...messages.map(bytesOf)]);
    assert.equal(heard.refused, refused === null ? null : before.length + refused, input);
    assert.equal(heard.dropped, dropped, input);
    checksums.forEach((/** @type {number | null} */ sum, /** @type {number} */ layer) => {
      if (sum !== null) assert.equal(checksumOf(heard.session, layer), sum, input);
    });
    for (const [layer, sum] of groups) assert.equal(checksumOf(heard.session, layer), sum, input);
    if (refused === null) assert.deepEqual(heldGroups(heard.session), groups.map((/** @type {number[]} */ [layer]) => layer), input);
  }
}

/** The hash of the generated vectors, over 32-bit words. */
class Hash {
  value = 0x811c9dc5;

  /** @param {number} word */
  fold(word) {
    this.value = Math.imul(this.value ^ word, 0x01000193) >>> 0;
  }
}

const double = new DataView(new ArrayBuffer(8));

/** @param {any} vectors */
function checkUnit({ cases, seed, count, hash: expected }) {
  for (const { angle, cos, sin } of cases) {
    const found = unit(angle).map((value) => {
      double.setFloat64(0, value);
      return double.getBigUint64(0).toString(16).padStart(16, '0');
    });
    assert.deepEqual(found, [cos, sin], `unit(${angle})`);
  }
  const dice = new Xorshift32(seed);
  const hash = new Hash();
  for (let n = 0; n < count; n++) {
    for (const value of unit((dice.below(16777216) - 8388608) / 65536)) {
      double.setFloat64(0, value);
      hash.fold(double.getUint32(4));
      hash.fold(double.getUint32(0));
    }
  }
  assert.equal(hash.value, expected);
}

/** @param {any} vectors */
function checkArenaStep({ cases, seed, spawns, rates, hashes, speed, radius, obstacles }) {
  const ours = OBSTACLES.map(({ block: _, ...shape }) => shape);
  assert.deepEqual({ speed, radius, obstacles }, { speed: SPEED, radius: PLAYER_RADIUS, obstacles: ours });
  for (const { x, y, dx, dy, rate, to } of cases) {
    const mover = { x, y };
    advance(mover, dx, dy, speed, radius, 1 / rate);
    assert.deepEqual(mover, to);
  }
  const dice = new Xorshift32(seed);
  const hash = new Hash();
  const mover = { x: 0, y: 0 };
  const control = { dx: 0, dy: 0 };
  let rate = 0;
  let hold = 0;
  let n = 0;
  for (const { steps, hash: expected } of hashes) {
    for (; n < steps; n++) {
      if (n % 1000 === 0) {
        [mover.x, mover.y] = spawns[dice.below(spawns.length)];
        rate = rates[dice.below(rates.length)];
        hold = 0;
      }
      if (hold === 0) {
        hold = 1 + dice.below(64);
        control.dx = (dice.below(129) - 64) / 64;
        control.dy = (dice.below(129) - 64) / 64;
      }
      hold--;
      advance(mover, control.dx, control.dy, speed, radius, 1 / rate);
      hash.fold(mover.x * 128);
      hash.fold(mover.y * 128);
    }
    assert.equal(hash.value, expected, `after ${steps} steps`);
  }
}

/** @param {any} vectors */
function checkReconnect({ cases }) {
  for (const { chance, told_ms: told, delays_ms: expected } of cases) {
    const backoff = new Backoff(0, () => chance);
    const delays = [];
    for (let now = 0, first = told ?? undefined, delay; (delay = backoff.next(now, first)) !== undefined; now += delay) {
      delays.push(delay);
      first = undefined;
    }
    assert.deepEqual(delays, expected);
  }
}

/** @param {any} vectors */
function checkCloseCodes({ cases }) {
  assert.deepEqual({ ...CloseCode }, Object.fromEntries(cases.map((/** @type {any} */ { name, code }) => [name, code])));
  const known = new Set();
  for (const { code, name, reason, final, holds_seat: holdsSeat } of cases) {
    known.add(code);
    assert.equal(closeReason(code), reason, name);
    assert.equal(isFinal(code), final, name);
    // A seat that is held waits for somebody who comes back.
    assert.ok(!(holdsSeat && isFinal(code)), name);
  }
  for (let code = 0; code < 2 ** 16; code++) assert.ok(known.has(code) || !isFinal(code), `${code}`);
}

/** @param {any} vectors */
function checkLimits({ cases, clients }) {
  for (const { name, value } of cases) {
    const ours = /** @type {Record<string, number>} */ (limits)[name];
    assert.ok(ours === value || (ours === undefined && !clients.includes(name)), `${name} is ${value}, here ${ours}`);
  }
}

/** Payloads of events and actions: there and back, at their limit, and as bytes that are none. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ByteReader } from '../src/bytes.js';
import * as client from '../src/protocol/client_message.js';
import { ProtocolError } from '../src/protocol_error.js';
import { encodePayload } from '../src/schema/payload.js';
import { Session } from '../src/session.js';
import { decodeEvents } from '../src/session/events.js';
import { connect, RequestError } from '../src/tickwire.js';
import { varint } from './support/delta_encoder.js';
import { FakeSocket } from './support/fake_socket.js';
import * as server from './support/messages.js';
import { forSeeds } from './support/random.js';
import { SQUARE } from './support/square.js';

/** @typedef {import('../src/schema/payload.js').Payload} Payload */

const LIMIT = 1024;
const JSON_MORE = { name: 'more', json: true };
const RAW_MORE = { name: 'more', json: false };
const item = SQUARE.actions[0].fields;

/** @type {import('../src/schema/schema.js').Schema} */
const TRADE = {
  ...SQUARE,
  events: [
    { name: 'said', fields: item, payload: JSON_MORE },
    { name: 'drawn', fields: [], payload: RAW_MORE },
    ...SQUARE.events,
  ],
  actions: [
    { name: 'say', fields: item, payload: JSON_MORE, answer: [], answerPayload: undefined },
    { name: 'draw', fields: [], payload: RAW_MORE, answer: [], answerPayload: undefined },
  ],
};

/** @param {string} text */
const utf8 = (text) => [...new TextEncoder().encode(text)];

/** @param {number[]} bytes */
function decode(bytes) {
  return decodeEvents(new ByteReader(Uint8Array.from(bytes)), 5, TRADE);
}

/** @param {number[]} payload @param {number} [length] that is claimed */
const said = (payload, length = payload.length) => [1, 0, 7, 0, 0, 0, ...varint(length), ...payload];
/** @param {number[]} payload @param {number} [length] that is claimed */
const drawn = (payload, length = payload.length) => [0, 1, ...varint(length), ...payload];

/** A page in a room of the game. */
async function playing() {
  const opening = connect({ url: 'ws://test/ws', WebSocket: /** @type {any} */ (FakeSocket) });
  const socket = /** @type {FakeSocket} */ (FakeSocket.all.pop());
  socket.open();
  socket.receive(server.welcome(TRADE));
  const link = await opening;
  const joining = link.quickJoin();
  socket.receive(server.joined());
  const room = await joining;
  socket.takeControl();
  return { link, socket, room };
}

test('an event’s payload stands beside its fields, and the next event behind it', () => {
  const events = decode([...said(utf8('{"à":[1,null]}')), ...drawn([0, 255]), ...drawn([]), 0, 2, 3, 0, 1, 0]);
  assert.deepEqual(events, [
    { name: 'said', tick: 4, fields: { item: 7, more: { à: [1, null] } } },
    { name: 'drawn', tick: 5, fields: { more: Uint8Array.of(0, 255) } },
    { name: 'drawn', tick: 5, fields: { more: new Uint8Array() } },
    { name: 'hit', tick: 5, fields: { who: 0x10003 } },
  ]);
});

test('bytes of a payload are the listener’s own', () => {
  const [first] = decode(drawn([1, 2, 3]));
  const [second] = decode(drawn([4, 5, 6]));
  assert.deepEqual(first.fields.more, Uint8Array.of(1, 2, 3));
  assert.equal(first.fields.more.buffer.byteLength, 3, 'nothing else can be reached by them');
  first.fields.more.fill(9);
  assert.deepEqual(second.fields.more, Uint8Array.of(4, 5, 6));
});

test('what a payload holds comes back', () => {
  forSeeds(200, (random) => {
    const bytes = Uint8Array.from({ length: random.pick([0, 1, 127, 128, LIMIT, random.below(LIMIT)]) }, () => random.below(256));
    assert.deepEqual(decode([0, 1, ...encodePayload(RAW_MORE, bytes)])[0].fields.more, bytes);
    const value = { text: '한🦀\ufeff\0', list: [...bytes.subarray(0, 100)], deep: [[[{ is: random.chance() }]]], none: null };
    assert.deepEqual(decode([1, 0, 7, 0, 0, 0, ...encodePayload(JSON_MORE, value)])[0].fields.more, value);
  });
});

test('JSON cannot reach a prototype', () => {
  const [{ fields }] = decode(said(utf8('{"__proto__":{"admin":true}}')));
  assert.equal(Object.getPrototypeOf(fields.more), Object.prototype);
  assert.equal(fields.more.admin, undefined);
});

test('bytes that are no payload break the protocol', () => {
  const text = utf8(JSON.stringify('x'.repeat(LIMIT - 2)));
  assert.equal(decode(said(text))[0].fields.more.length, LIMIT - 2, 'the limit itself is allowed');
  /** @type {[string, number[], RegExp][]} */
  const cases = [
    ['one byte too many', drawn(Array(LIMIT + 1).fill(0)), /1025 bytes, at most 1024/],
    ['JSON of one byte too many', said([...text, 32]), /1025 bytes, at most 1024/],
    ['a length beyond all', drawn([], 0xffffffff), /4294967295 bytes/],
    ['no length', [0, 1], /too early/],
    ['half a length', [0, 1, 0x80], /too early/],
    ['a longer length than needed', [0, 1, 0x80, 0], /varint/],
    ['less than its length', drawn([1, 2], 3), /too early/],
    ['no JSON', said([]), /not JSON/],
    ['half of a JSON', said(utf8('{"a":')), /not JSON/],
    ['two JSONs', said(utf8('1 2')), /not JSON/],
    ['a byte order mark', said(utf8('\ufeff1')), /not JSON/],
    ['undefined', said(utf8('undefined')), /not JSON/],
    ['half a character', said([0x22, 0xc3, 0x22]), /not JSON/],
    ['an encoded surrogate', said([0x22, 0xed, 0xa0, 0x80, 0x22]), /not JSON/],
  ];
  for (const [name, bytes, message] of cases) {
    assert.throws(() => decode(bytes), (error) => error instanceof ProtocolError && message.test(error.message), name);
  }
  const deep = decode(said(utf8('['.repeat(512) + ']'.repeat(512))));
  assert.equal(deep[0].fields.more.length, 1);
});

test('random bytes are events or a ProtocolError', () => {
  forSeeds(3000, (random) => {
    const bytes = [...said(utf8('{"a":"b"}')), ...drawn([1, 2, 3])];
    for (let i = random.between(1, 4); i > 0; i--) bytes[random.below(bytes.length)] = random.below(256);
    try {
      decode(random.chance(0.3) ? bytes.slice(0, random.below(bytes.length)) : bytes);
    } catch (error) {
      assert.ok(error instanceof ProtocolError, `${error}`);
    }
  });
});

test('a schema’s payload needs a name of its own', () => {
  /** @type {[Payload, RegExp][]} */
  const cases = [
    [{ name: '', json: true }, /a payload without a usable name/],
    [{ name: '__proto__', json: false }, /a payload without a usable name/],
    [{ name: 'item', json: true }, /payload "item" is called like a field/],
  ];
  for (const [payload, reason] of cases) {
    for (const part of ['events', 'actions']) {
      const session = new Session('Ann');
      session.handleMessage(server.welcome({ ...SQUARE, [part]: [{ name: 'said', fields: item, payload, answer: [], answerPayload: undefined }] }), 0);
      const event = session.pollEvent();
      assert.ok(event?.type === 'Failed');
      assert.match(event.reason, reason);
    }
  }
});

test('an action carries its payload behind its fields', async () => {
  const { link, socket, room } = await playing();
  const memory = Uint8Array.of(9, 1, 2, 9);
  room.act('say', { item: 7, more: { to: 'Bö', all: undefined } });
  room.act('say', { more: 'hi' });
  room.act('say');
  room.act('say', { more: () => {} });
  room.act('draw', { more: memory.subarray(1, 3) });
  room.act('draw', { more: memory.buffer });
  room.act('draw');
  const told = utf8('{"to":"Bö"}');
  /** @type {[number, number[]][]} */
  const expected = [
    [0, [7, 0, 0, 0, told.length, ...told]],
    [0, [0, 0, 0, 0, 4, ...utf8('"hi"')]],
    [0, [0, 0, 0, 0, 4, ...utf8('null')]],
    [0, [0, 0, 0, 0, 4, ...utf8('null')]],
    [1, [2, 1, 2]],
    [1, [4, 9, 1, 2, 9]],
    [1, [0]],
  ];
  const messages = expected.map(([action, bytes], i) => [...client.act(i + 1, action, Uint8Array.from(bytes))]);
  assert.deepEqual(socket.takeControl(), messages);
  for (let id = 1; id <= messages.length; id++) socket.receive(server.reply(id));
  link.close();
});

test('an action whose payload cannot be sent says why and sends nothing', async () => {
  const { link, socket, room } = await playing();
  const tooBig = (/** @type {unknown} */ error) =>
    error instanceof RequestError && error.reason === 'TooBig' && error.message === '"more" has 1025 bytes, at most 1024 can be sent';
  await assert.rejects(room.act('draw', { more: new Uint8Array(LIMIT + 1) }), tooBig);
  await assert.rejects(room.act('say', { more: 'é'.repeat(511) + 'x' }), tooBig);
  await assert.rejects(room.act('draw', { more: 'text' }), { name: 'TypeError', message: /neither a Uint8Array nor an ArrayBuffer/ });
  await assert.rejects(room.act('say', { more: 1n }), TypeError);
  await assert.rejects(room.act('say', { mroe: 1 }), { message: 'action "say" has no field "mroe": it has item, more' });
  assert.deepEqual(socket.takeControl(), []);
  const most = room.act('say', { more: 'é'.repeat(511) });
  const [[, , id, ...rest]] = socket.takeControl();
  assert.equal(id, 1, 'what was not sent has no number');
  assert.equal(rest.length, 1 + 3 + 4 + 2 + LIMIT, 'action, length, field, length of the payload');
  socket.receive(server.reply(1));
  await most;
  link.close();
});

test('listeners get the payload', async () => {
  const { link, socket, room } = await playing();
  /** @type {unknown[]} */
  const heard = [];
  room.on('said', ({ item, more }, tick) => heard.push([item, more, tick]));
  socket.receive(server.snapshot(3, { events: Uint8Array.from(said(utf8('["hi"]'))) }));
  assert.deepEqual(heard, [[7, ['hi'], 2]]);
  const closed = new Promise((resolve) => link.on('close', resolve));
  socket.receive(server.snapshot(4, { events: Uint8Array.from(said(utf8('hi'))) }));
  assert.deepEqual(await closed, { code: 1002, reason: 'protocol error: a payload is not JSON', retryAfterMs: undefined });
});

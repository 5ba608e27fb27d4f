/**
 * What the session makes of a server's messages: its state, its answers, and its end on broken
 * bytes. Layers that are not the server's: `session_layers.test.js`; what a welcome may say:
 * `session_schema.test.js`.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as client from '../src/protocol/client_message.js';
import { decodeServer } from '../src/protocol/server_message.js';
import { ProtocolError } from '../src/protocol_error.js';
import { RequestError } from '../src/request_error.js';
import { Session } from '../src/session.js';
import { randomSchema } from './support/history.js';
import * as server from './support/messages.js';
import { forSeeds, Random } from './support/random.js';
import { assertFailed, events, inLobby, inRoom, sent } from './support/session.js';
import { SQUARE } from './support/square.js';

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
  assert.equal(session.room?.seen.chat, 40);
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

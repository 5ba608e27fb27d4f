/**
 * What everyone, the owner and the team see of an entity comes together in views: private hands,
 * team notes, names.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Play } from '../src/netcode/play.js';
import { toQs } from '../src/schema/field.js';
import { Session } from '../src/session.js';
import { Image, Owner } from '../src/snapshot/image.js';
import { Layout } from '../src/snapshot/layout.js';
import { encodeBody } from './support/delta_encoder.js';
import * as server from './support/messages.js';

/** @typedef {import('../src/schema/field.js').FieldKind} FieldKind */
/** @typedef {import('../src/schema/schema.js').Component} Component */

/** @type {FieldKind} */
const place = { type: 'Real', min: 0, max: 1000, step: 0.5 };

/**
 * @param {string} name
 * @param {Component['audience']} audience
 * @param {Record<string, FieldKind>} kinds
 * @param {Component['predicted']} [predicted]
 * @returns {Component}
 */
const component = (name, audience, kinds, predicted = 'No') => ({
  name,
  audience,
  predicted,
  fields: Object.entries(kinds).map(([field, kind]) => ({ name: field, kind, predictor: { type: 'Hold' } })),
});

/** @type {import('../src/schema/schema.js').Schema} */
const CARDS = {
  game: 'cards',
  components: [
    component('pos', 'Everyone', { x: place }, 'Fine'),
    component('tag', 'Everyone', { name: { type: 'Text', bytes: 12 } }),
    component('hand', 'Owner', { card: { type: 'Int', min: 1, max: 52 } }),
    component('plan', 'Team', { note: { type: 'Text', bytes: 8 }, at: place }),
    component('table', 'Room', { title: { type: 'Text', bytes: 16 } }),
  ],
  input: [{ name: 'dx', kind: { type: 'Int', min: -1, max: 1 }, predictor: { type: 'Hold' } }],
  newestWins: false,
  events: [],
  actions: [],
  roomOptions: [],
  playerOptions: [],
  metadata: [],
};

const layout = new Layout(CARDS);
const YOU = 3;
const PERIOD_MS = 40;

/**
 * An entity of a layer: its components by name.
 * @typedef {{ slot: number, generation?: number, owner?: number, [component: string]: any }} Row
 */

/**
 * @param {number} layer
 * @param {number} tick
 * @param {Row[]} rows in order of slot
 * @returns {Uint8Array} a keyframe
 */
function keyframe(layer, tick, rows) {
  const set = layout.sets[layer];
  const image = new Image(set.width);
  image.tick = tick;
  for (const { slot, generation = 0, owner = 0, ...components } of rows) {
    const has = set.components.map(({ component: { name } }) => name in components);
    const index = image.push(slot, generation, owner, has.reduce((mask, is, c) => mask | (Number(is) << c), 0));
    for (const { component: { name }, fields } of set.components) {
      if (!(name in components)) continue;
      for (const { name: field, kind, column } of fields) {
        image.rows.set(toQs(kind, components[name][field]), index * set.width + column);
      }
    }
  }
  return encodeBody(layer, set, undefined, image, true);
}

/** A player in a room of that game. */
class Player {
  now = 0;
  session = new Session('Ann');
  play;

  constructor() {
    this.session.handleMessage(server.welcome(CARDS), 0);
    this.session.handleMessage(server.joined({ you: YOU, tickRate: 1000 / PERIOD_MS }), 0);
    const { room } = this.session;
    if (room === undefined) throw new Error('not in the room');
    this.play = new Play(this.session, room);
  }

  /**
   * A snapshot comes in time.
   * @param {number} tick
   * @param {(Row[] | undefined)[]} layers rows of each layer that it has
   * @returns {any} the last thing that happened
   */
  receive(tick, layers) {
    const bodies = layers.map((rows, layer) => (rows === undefined ? undefined : keyframe(layer, tick, rows)));
    return this.hear(tick, bodies);
  }

  /**
   * @param {number} tick
   * @param {(Uint8Array | undefined)[]} bodies by layer
   * @returns {any} the last thing that happened
   */
  hear(tick, bodies) {
    this.now = tick * PERIOD_MS;
    this.session.handleMessage(server.snapshot(tick, { layers: bodies }), this.now);
    let last;
    for (let event = this.session.pollEvent(); event !== undefined; event = this.session.pollEvent()) {
      last = event;
      if (event.type === 'Snapshot') this.play.onSnapshot(event, this.now);
    }
    return last;
  }

  /** @param {number} ticks after the newest snapshot */
  view(ticks) {
    return this.play.view(this.now + ticks * PERIOD_MS);
  }
}

const mine = Owner.avatarOf(YOU);
const plain = (/** @type {any} */ value) => JSON.parse(JSON.stringify(value));

test('an entity has the components of every layer that it is in, whichever those are', () => {
  const player = new Player();
  player.receive(1, [
    [
      { slot: 0, table: { title: 'Zoë’s table' } },
      { slot: 2, owner: mine, pos: { x: 10 }, tag: { name: 'Ann' } },
      { slot: 5, pos: { x: 20 } },
    ],
    [
      { slot: 2, owner: mine, pos: { x: 10.25 } },
      { slot: 3, owner: mine + 1, hand: { card: 7 } },
    ],
    [
      { slot: 1, plan: { note: 'wait 한', at: 4 } },
      { slot: 2, owner: mine, plan: { note: 'go', at: 8 } },
      { slot: 9, generation: 2, plan: { note: '', at: 0 } },
    ],
  ]);
  const { entities, me, state } = player.view(5);
  assert.deepEqual(state, { table: { title: 'Zoë’s table' } });
  assert.deepEqual(plain(entities), [
    { handle: 1, slot: 1, generation: 0, avatar: false, plan: { note: 'wait 한', at: 4 } },
    { handle: 2, slot: 2, generation: 0, owner: 3, avatar: true, pos: { x: 10.25 }, tag: { name: 'Ann' }, plan: { note: 'go', at: 8 } },
    { handle: 3, slot: 3, generation: 0, owner: 3, avatar: false, hand: { card: 7 } },
    { handle: 5, slot: 5, generation: 0, avatar: false, pos: { x: 20 } },
    { handle: 0x20009, slot: 9, generation: 2, avatar: false, plan: { note: '', at: 0 } },
  ]);
  assert.equal(me, entities[1]);
  assert.deepEqual(player.play.entities.map(({ handle }) => handle), [1, 2, 3, 5, 0x20009]);
  assert.deepEqual(player.play.state, state);
});

test('what only the team sees is interpolated, and goes with the team', () => {
  const player = new Player();
  const room = [{ slot: 2, pos: { x: 10 } }];
  const plan = (/** @type {number} */ at) => [{ slot: 2, plan: { note: 'go', at } }, { slot: 4, plan: { note: 'stay', at } }];
  player.receive(1, [room, undefined, plan(100)]);
  player.receive(2, [room, undefined, plan(110)]);
  player.receive(3, [room, undefined, []]);
  const [first, second] = player.view(0).entities;
  assert.deepEqual([first.plan, second.plan], [{ note: 'go', at: 105 }, { note: 'stay', at: 105 }]);
  assert.equal(player.play.entities[0].plan, undefined, 'the newest has no team any more');
  const later = player.view(3).entities;
  assert.deepEqual(plain(later), [{ handle: 2, slot: 2, generation: 0, avatar: false, pos: { x: 10 } }]);
});

test('a layer that stayed behind does not lend its rows to who came after', () => {
  const player = new Player();
  player.receive(1, [[{ slot: 2, pos: { x: 10 } }], [], [{ slot: 2, plan: { note: 'old', at: 1 } }]]);
  // The team's body is none: the layer is dropped.
  player.hear(2, [keyframe(0, 2, [{ slot: 2, generation: 1, owner: mine, pos: { x: 20 } }]), undefined, Uint8Array.of(1, 0)]);
  const { entities } = player.view(5);
  assert.deepEqual(plain(entities), [{ handle: 0x10002, slot: 2, generation: 1, owner: 3, avatar: true, pos: { x: 20 } }]);
});

test('the predicted avatar has its name and its team’s notes', () => {
  const player = new Player();
  player.play.start({ input: () => ({ dx: 1 }), step: (me, { dx }) => void (me.pos.x += dx) });
  player.receive(1, [
    [{ slot: 2, owner: mine, pos: { x: 10 }, tag: { name: 'Ann' } }],
    [{ slot: 2, owner: mine, pos: { x: 10 }, hand: { card: 9 } }],
    [{ slot: 2, owner: mine, plan: { note: 'go', at: 8 } }],
  ]);
  const { me } = player.view(0);
  assert.deepEqual(plain([me?.tag, me?.hand, me?.plan]), [{ name: 'Ann' }, { card: 9 }, { note: 'go', at: 8 }]);
});

test('a text that is not UTF-8 is never shown, in any layer', () => {
  for (const layer of [0, 2]) {
    const player = new Player();
    const rows = layer === 0 ? [{ slot: 1, tag: { name: '' } }] : [{ slot: 1, plan: { note: '', at: 0 } }];
    const set = layout.sets[layer];
    const image = new Image(set.width);
    image.tick = 1;
    image.push(1, 0, 0, layer === 0 ? 0b10 : 0b1);
    image.rows[set.texts[0].column] = 0xff;
    const layers = Array(layer + 1);
    layers[layer] = encodeBody(layer, set, undefined, image, true);
    player.session.handleMessage(server.snapshot(1, { layers }), 0);
    const types = [];
    for (let event = player.session.pollEvent(); event !== undefined; event = player.session.pollEvent()) types.push(event.type);
    assert.deepEqual(types, ['Welcome', 'Joined', 'Desync', 'Snapshot']);
    assert.equal(player.session.room?.layers.newest?.images[layer].count, 0);
    assert.equal(new Player().receive(1, layer === 0 ? [rows] : [[], undefined, rows]).type, 'Snapshot');
  }
});

/**
 * Projectiles: the own ones at the tick of the own inputs, all others where everybody else is. And
 * who comes and goes.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Others } from '../src/netcode/others.js';
import { quantise } from '../src/schema/field.js';
import { Image, Owner } from '../src/snapshot/image.js';
import { Layout } from '../src/snapshot/layout.js';

/** @typedef {import('../src/schema/field.js').Field} Field */

const place = /** @type {const} */ ({ type: 'Real', min: 0, max: 1000, step: 0.125 });
const speed = /** @type {const} */ ({ type: 'Real', min: -400, max: 400, step: 0.5 });
/**
 * Velocities are units a second, there are 25 ticks in one: a step of velocity is 0.02 units a
 * tick, 4/25 steps of a place.
 */
const flying = /** @type {const} */ ({ type: 'Velocity', by: 1, num: 4, den: 25 });

const layout = new Layout({
  game: 'shots',
  components: [
    {
      name: 'flight',
      audience: 'Everyone',
      predicted: 'No',
      fields: [
        { name: 'x', kind: place, predictor: flying },
        { name: 'vx', kind: speed, predictor: { type: 'Hold' } },
      ],
    },
    { name: 'mark', audience: 'Everyone', predicted: 'No', fields: [{ name: 'on', kind: { type: 'Bool' }, predictor: { type: 'Hold' } }] },
  ],
  input: [],
  newestWins: false,
  events: [],
  actions: [],
  roomOptions: [],
  playerOptions: [],
  metadata: [],
});
const YOU = 2;
const MINE = Owner.avatarOf(YOU) + 1;
const THEIRS = Owner.avatarOf(7) + 1;

/**
 * @param {number} tick
 * @param {{ slot: number, owner?: number, x?: number, vx?: number, on?: boolean }[]} rows a
 *   flight, or a mark without an x
 */
function snapshot(tick, rows) {
  const image = new Image(layout.room.width);
  image.tick = tick;
  const [flight, mark] = layout.room.components;
  for (const { slot, owner = 0, x, vx = 0, on = false } of rows) {
    const row = image.push(slot, 0, owner, x === undefined ? 0b10 : 0b01) * image.width;
    if (x === undefined) {
      image.rows[row + mark.fields[0].column] = Number(on);
      continue;
    }
    image.rows[row + flight.fields[0].column] = quantise(place, x);
    image.rows[row + flight.fields[1].column] = quantise(speed, vx);
  }
  return { tick, images: [image, new Image(0), new Image(0)], ticks: undefined, hidden: [] };
}

/**
 * What is shown between two snapshots, by slot.
 * @param {ReturnType<typeof snapshot>} older
 * @param {ReturnType<typeof snapshot>} newer
 * @param {number} alpha
 * @param {number} [ownTick]
 */
function shown(older, newer, alpha, ownTick = newer.tick) {
  const others = new Others(layout);
  const own = { you: YOU, predicted: undefined, newest: newer, tick: ownTick };
  const entities = others.entities({ older, newer, alpha, ticks: newer.tick - older.tick }, own);
  return Object.fromEntries(entities.map((entity) => [entity.slot, entity.flight?.x ?? entity.mark.on]));
}

test('the own projectiles fly ahead of the newest snapshot, the others’ are with everybody else', () => {
  const older = snapshot(10, [{ slot: 1, owner: MINE, x: 100, vx: 400 }, { slot: 2, owner: THEIRS, x: 100, vx: 400 }]);
  const newer = snapshot(11, [{ slot: 1, owner: MINE, x: 116, vx: 400 }, { slot: 2, owner: THEIRS, x: 116, vx: 400 }]);
  assert.deepEqual(shown(older, newer, 0.5, 14.5), { 1: 116 + 16 * 3.5, 2: 108 });
});

test('an own projectile is there with its first snapshot and gone with the first without it, whatever the view', () => {
  const none = snapshot(10, []);
  const there = snapshot(11, [{ slot: 1, owner: MINE, x: 50, vx: -200 }]);
  assert.deepEqual(shown(none, there, 0.1, 12), { 1: 42 });
  assert.deepEqual(shown(there, snapshot(12, []), 0.1, 13), {});
});

test('the avatar and what does not fly are not moved ahead', () => {
  const rows = [{ slot: 1, owner: MINE }, { slot: 2, owner: Owner.avatarOf(YOU), x: 10, vx: 400 }];
  assert.deepEqual(shown(snapshot(10, rows), snapshot(11, rows), 0.5, 20), { 1: false, 2: 10 });
});

test('who enters is there when the view reaches the tick, who leaves stays until then', () => {
  const older = snapshot(10, [{ slot: 1, x: 5 }, { slot: 3, on: false }]);
  const newer = snapshot(12, [{ slot: 2, x: 9 }, { slot: 3, on: true }]);
  assert.deepEqual(shown(older, newer, 0.99), { 1: 5, 3: false });
  assert.deepEqual(shown(older, newer, 1), { 2: 9, 3: true });
  assert.deepEqual(shown(older, newer, 1.4), { 2: 9, 3: true });
});

test('beyond the newest all that moved goes straight on, and what jumped does not', () => {
  const older = snapshot(10, [{ slot: 1, owner: THEIRS, x: 100, vx: 400 }, { slot: 2, x: 100 }]);
  const newer = snapshot(12, [{ slot: 1, owner: THEIRS, x: 132, vx: 400 }, { slot: 2, x: 700 }]);
  assert.deepEqual(shown(older, newer, 0.75), { 1: 124, 2: 100 });
  assert.deepEqual(shown(older, newer, 1.25), { 1: 140, 2: 700 });
});

test('who was extrapolated wrongly is drawn on at no more than the speed that two snapshots showed', () => {
  const others = new Others(layout);
  const rows = (/** @type {number} */ x) => [{ slot: 1, owner: THEIRS, x, vx: 0 }];
  const history = [snapshot(10, rows(96)), snapshot(11, rows(100)), snapshot(12, rows(104))];
  const own = { you: YOU, predicted: undefined, newest: history[0], tick: 12 };
  const x = (/** @type {any[]} */ [entity]) => entity.flight.x;
  const draw = (/** @type {number} */ at, /** @type {number} */ alpha, ms = 10) => {
    const pair = { older: history[at - 1], newer: history[at], alpha, ticks: 1 };
    return x(others.entities(pair, own, { ms, periodMs: 40, passed: [pair], history }));
  };
  others.learn(history, 0);
  assert.equal(draw(2, 1), 104);
  assert.equal(draw(2, 4, 120), 116);
  // It had stopped: 4 units a tick of 40 ms are 1 in a frame.
  history.push(snapshot(13, rows(104)), snapshot(14, rows(104)), snapshot(15, rows(104)));
  others.learn(history, 12);
  let before = 116;
  for (const _ of [1, 2, 3, 4, 5]) {
    const now = draw(5, 0.5);
    assert.ok(now < before && before - now < 1 + 1e-9, `${before} to ${now}`);
    before = now;
  }
  for (let frame = 0; frame < 200; frame++) draw(5, 0.5);
  assert.ok(Math.abs(draw(5, 0.5) - 104) < 0.01);
  // A respawn shows at once, whatever pairs it was passed in.
  history.push(snapshot(16, rows(700)), snapshot(17, rows(700)));
  others.learn(history, 15);
  const pairs = [5, 6, 7].map((at) => ({ older: history[at - 1], newer: history[at], alpha: 7.5 - at, ticks: 1 }));
  assert.equal(x(others.entities(pairs[2], own, { ms: 10, periodMs: 40, passed: pairs, history })), 700);
});

/** The demo's own shots between the trigger and the server's word. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import './support/served_paths.js';

const { COOLDOWN, SHOT_SPEED, Shots } = await import('../../server/arena/page/shots.js');

const YOU = 4;
const PULLED = { fire: true, aim: 0 };
const LET_GO = { fire: false, aim: 0 };

/**
 * A view of an arena with the own player far from walls.
 * @param {{ rounds?: number, readyAt?: number, hp?: number, phase?: string, flights?: { handle:
 *   number, x: number, vx?: number }[], at?: [number, number] }} [what]
 * @returns {any}
 */
function view({ rounds = 12, readyAt = 0, hp = 100, phase = 'play', flights = [], at = [260, 420] } = {}) {
  return {
    me: { pos: { x: at[0], y: at[1] }, health: { hp }, gun: { rounds, ready_at: readyAt } },
    state: { round: { phase } },
    entities: flights.map(({ handle, x, vx = SHOT_SPEED }) => ({ handle, owner: YOU, flight: { x, y: at[1], vx, vy: 0 } })),
  };
}

/** @param {InstanceType<typeof Shots>} shots @param {number} nowMs */
function places(shots, nowMs) {
  /** @type {number[]} */
  const xs = [];
  shots.each(nowMs, (x) => xs.push(Math.round(x)));
  return xs;
}

test('a pulled trigger shows a shot at once, again after the cooldown', () => {
  const shots = new Shots();
  assert.equal(shots.update(view(), YOU, PULLED, 1000), true);
  assert.deepEqual(places(shots, 1000), [260]);
  assert.equal(shots.update(view(), YOU, PULLED, 1000 + COOLDOWN * 1000 - 1), false);
  assert.equal(shots.update(view(), YOU, PULLED, 1000 + COOLDOWN * 1000), true);
  assert.deepEqual(places(shots, 1200), [340, 260]);
});

test('a gun that cannot fire does not', () => {
  for (const what of [{ rounds: 0 }, { readyAt: 99 }, { hp: 0 }, { phase: 'countdown' }, { phase: 'results' }]) {
    assert.equal(new Shots().update(view(what), YOU, PULLED, 0), false, JSON.stringify(what));
  }
  assert.equal(new Shots().update(view(), YOU, LET_GO, 0), false);
  const shots = new Shots();
  assert.equal(shots.update(view({ rounds: 1 }), YOU, PULLED, 0), true);
  assert.equal(shots.update(view({ rounds: 1 }), YOU, PULLED, 300), false, 'the last round is on its way');
});

test('the server’s projectile takes the shot’s place, and its end is the shot’s', () => {
  const shots = new Shots();
  shots.update(view(), YOU, PULLED, 0);
  const [flight] = view({ flights: [{ handle: 9, x: 300 }] }).entities;
  shots.update(view({ flights: [{ handle: 9, x: 300 }] }), YOU, LET_GO, 120);
  assert.deepEqual(places(shots, 120), []);
  assert.equal(shots.hides(flight), false);
  shots.update(view(), YOU, LET_GO, 200);
  assert.deepEqual(places(shots, 200), []);
});

test('a projectile of another direction is not the shot', () => {
  const shots = new Shots();
  shots.update(view(), YOU, PULLED, 0);
  shots.update(view({ flights: [{ handle: 9, x: 300, vx: -SHOT_SPEED }] }), YOU, LET_GO, 100);
  assert.deepEqual(places(shots, 100), [300]);
});

test('a wall ends the shot, and hides the projectile that is shown beyond it', () => {
  const shots = new Shots();
  // A bar stands from x 360 on.
  const at = /** @type {[number, number]} */ ([300, 500]);
  shots.update(view({ at }), YOU, PULLED, 0);
  assert.deepEqual(places(shots, 140), [356]);
  assert.deepEqual(places(shots, 160), []);
  const beyond = view({ at, flights: [{ handle: 9, x: 370 }] });
  shots.update(beyond, YOU, LET_GO, 180);
  assert.equal(shots.hides(beyond.entities[0]), true);
  const before = view({ at, flights: [{ handle: 9, x: 340 }] });
  assert.equal(shots.hides(before.entities[0]), false);
  const behind = view({ at, flights: [{ handle: 9, x: 290 }] });
  assert.equal(shots.hides(behind.entities[0]), true);
});

test('a shot that the server never confirms was none', () => {
  const shots = new Shots();
  shots.update(view(), YOU, PULLED, 0);
  shots.update(view(), YOU, LET_GO, 699);
  shots.update(view(), YOU, LET_GO, 701);
  assert.deepEqual(places(shots, 701), []);
  assert.equal(shots.update(view({ rounds: 1 }), YOU, PULLED, 702), true);
});

/**
 * What a page sees of entities in groups: one object each, whatever groups it goes through; and of
 * those that are gone why.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Game, YOU } from './support/game.js';
import { forSeeds } from './support/random.js';
import { GroupedSquares, SQUARE, onGrid, step } from './support/square.js';

/** @typedef {import('../src/types.js').Leave} Leave */

/**
 * @param {{ jitterMs?: number, seed?: number }} [link]
 * @param {import('../src/schema/schema.js').Schema} [schema]
 */
function play(link, schema = SQUARE) {
  const world = new GroupedSquares(YOU, schema);
  return { world, game: new Game({ downMs: 40, upMs: 40, ...link }, schema, world) };
}

test('who goes from group to group is the same object, goes on evenly, and is never absent', () => {
  forSeeds(8, (random, seed) => {
    const { world, game } = play({ jitterMs: 30, seed });
    for (let slot = 1; slot <= 12; slot++) game.add({ slot, x: 100, y: 20 * slot });
    /** @type {Map<number, number>} */
    const groups = new Map();
    world.groupOf = (slot) => groups.get(slot) ?? slot % 5;
    world.wanted = [1, 2, 3, 4];
    game.run(600);
    const shown = game.view().entities.filter(({ pos }) => pos !== undefined);
    assert.equal(shown.length, 12);
    const places = shown.map(({ pos }) => pos.x);
    for (let frame = 0; frame < 200; frame++) {
      if (frame % 5 === 0) for (let slot = 1; slot <= 12; slot++) if (random.chance(0.4)) groups.set(slot, random.below(5));
      game.run(16);
      const { entities, leaves } = game.view();
      assert.deepEqual(leaves, []);
      const now = entities.filter(({ pos }) => pos !== undefined);
      assert.ok(now.length === 12 && now.every((entity, i) => entity === shown[i]), `frame ${frame}`);
      now.forEach(({ pos }, i) => {
        // They run at 90 a second.
        const way = pos.x - places[i];
        places[i] = pos.x;
        assert.ok(way > 0 && way < 0.09 * 16 * 1.6, `frame ${frame}, slot ${i + 1}: ${way}`);
      });
      assert.equal(game.play.entities.length, 12);
    }
    assert.equal(game.play.stats(game.now, 0).desyncs, 0);
  });
});

test('the own avatar is predicted without error in any group', () => {
  for (const schema of [SQUARE, onGrid()]) {
    const { world, game } = play({}, schema);
    game.add({ slot: 3, player: YOU, x: 500, y: 500, ammo: 7 });
    game.add({ slot: 4, player: 9, x: 100, y: 100 });
    let group = 1;
    world.groupOf = (slot) => (slot === 3 ? group : 5);
    world.wanted = [1, 2, 5];
    game.start(() => ({ dx: Math.sin(game.now / 300), dy: 0.77 * Math.cos(game.now / 170) }));
    game.run(2500);
    const { me } = game.view();
    assert.deepEqual(me?.ammo, { n: 7 });
    assert.deepEqual(me?.look.colour, 'blue');
    game.run(3000, (now) => {
      if (now % 240 === 0) group = group === 2 ? 0 : group + 1;
      if (now % 16 !== 0) return;
      assert.equal(game.view().me, me);
      assert.equal(game.play.stats(now, 0).predictionError, 0);
    });
  }
});

/**
 * @param {Game} game
 * @param {number} ms
 * @returns {[number, Leave['reason']][]} who left in the time, by slot, and why
 */
function leavesIn(game, ms) {
  /** @type {[number, Leave['reason']][]} */
  const all = [];
  game.run(ms, (now) => {
    if (now % 16 === 0) for (const { entity, reason } of game.view().leaves) all.push([entity.slot, reason]);
  });
  return all;
}

test('who is gone was destroyed or is out of view, and who comes back is the same entity', () => {
  const { world, game } = play();
  for (let slot = 1; slot <= 5; slot++) game.add({ slot, x: 100 * slot });
  /** @type {Record<number, number>} */
  const groups = { 1: 1, 2: 1, 3: 2, 4: 2, 5: 0 };
  world.groupOf = (slot) => groups[slot] ?? 0;
  world.wanted = [1, 2];
  assert.deepEqual(leavesIn(game, 600), []);
  const handles = game.view().entities.map(({ handle }) => handle);
  const isThere = (/** @type {number} */ slot) => game.view().entities.some((entity) => entity.slot === slot);
  // Into a group that is not held, and destroyed.
  groups[1] = 3;
  world.squares = world.squares.filter(({ slot }) => slot !== 4);
  assert.deepEqual(leavesIn(game, 600), [[1, 'view'], [4, 'destroyed']]);
  // A group is closed, and with none of them too.
  world.wanted = [1];
  assert.deepEqual(leavesIn(game, 600), [[3, 'view']]);
  world.wanted = [];
  assert.deepEqual(leavesIn(game, 600), [[2, 'view']]);
  assert.deepEqual([1, 2, 3, 4, 5].filter(isThere), [5]);
  world.squares = world.squares.filter(({ slot }) => slot !== 5 && slot !== 3);
  assert.deepEqual(leavesIn(game, 600), [[5, 'destroyed']], 'not of who is out of view');
  world.wanted = [2, 3, 1];
  assert.deepEqual(leavesIn(game, 600), []);
  assert.deepEqual(game.view().entities.map(({ handle }) => handle), [handles[0], handles[1]]);
  assert.equal(game.play.stats(game.now, 0).desyncs, 0);
});

test('who is seen again is where it then is, and not on its way there', () => {
  const { world, game } = play();
  const square = game.add({ slot: 1, x: 100 });
  game.others = () => ({ dx: 0, dy: 0 });
  world.groupOf = () => 1;
  world.wanted = [1];
  game.run(600);
  game.view();
  world.wanted = [];
  assert.deepEqual(leavesIn(game, 400), [[1, 'view']]);
  square.x = 130;
  world.wanted = [1];
  game.run(400);
  assert.equal(game.view().entities[0].pos.x, 130);
});

test('a new entity in the slot of one that moved out of view is another', () => {
  const { world, game } = play();
  game.add({ slot: 1, x: 100 });
  world.groupOf = () => 1;
  world.wanted = [1];
  game.run(600);
  game.view();
  world.squares = [];
  game.add({ slot: 1, generation: 1, x: 300 });
  assert.deepEqual(leavesIn(game, 600), [[1, 'destroyed']]);
  assert.deepEqual(game.view().entities.map(({ generation }) => generation), [1]);
});

/** What a page that was reconnected is told is a keyframe, which says nothing of who is gone. */
test('who is missing in a keyframe is out of view', () => {
  const { world, game } = play();
  for (let slot = 1; slot <= 2; slot++) game.add({ slot, x: 100 * slot });
  world.groupOf = () => 1;
  world.wanted = [1];
  game.run(600);
  game.view();
  world.squares = world.squares.filter(({ slot }) => slot !== 2);
  world.keyframes = [3];
  assert.deepEqual(leavesIn(game, 600), [[2, 'view']]);
});

test('a rule that predicts needs no group', () => {
  const { game } = play();
  game.add({ slot: 3, player: YOU, x: 500, y: 500 });
  game.start(() => ({ dx: 1 }), { step });
  game.run(600);
  assert.ok(game.view().me !== undefined);
  assert.equal(game.room.layers.newest?.ticks, undefined);
});

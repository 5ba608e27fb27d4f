/** What a player sees: the own square predicted without error, the others smoothly in the past. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Game, PERIOD_MS, YOU } from './support/game.js';
import { forSeeds } from './support/random.js';
import { SQUARE, onGrid, step } from './support/square.js';

test('before the first snapshot there is nothing to see', () => {
  const game = new Game();
  game.start(() => ({}));
  assert.deepEqual(game.view(), { entities: [], me: undefined, state: {}, tick: 0, events: [], leaves: [] });
});

test('on a clean link the prediction error is exactly 0, at any distance', () => {
  for (const wayMs of [0, 20, 75, 200]) {
    const game = new Game({ downMs: wayMs, upMs: wayMs });
    game.add({ slot: 3, player: YOU, x: 500, y: 500 });
    game.start(() => ({ dx: Math.sin(game.now / 300), dy: 0.77 * Math.cos(game.now / 170) }));
    game.run(2500);
    let worst = 0;
    game.run(3000, () => {
      worst = Math.max(worst, game.play.stats(game.now, 0).predictionError);
    });
    assert.equal(worst, 0, `way ${wayMs}`);
    const { inputSlack } = game.play.stats(game.now, 0);
    assert.ok(inputSlack >= 0 && inputSlack <= 2, `way ${wayMs}: ${inputSlack}`);
  }
});

test('the own square answers in the next frame, and moves evenly', () => {
  forSeeds(20, (random) => {
    const game = new Game({ downMs: 60, upMs: 60 });
    game.add({ slot: 3, player: YOU, x: 500, y: 100 });
    const held = { dx: 0 };
    game.start(() => held);
    game.run(3000);
    let before = game.view().me?.pos.x;
    assert.equal(before, 500);
    for (let presses = 0; presses < 10; presses++) {
      const was = held.dx;
      held.dx = random.pick([-1, 0, 1].filter((dx) => dx !== was));
      for (let frame = 0; frame < 30; frame++) {
        const ms = random.pick([8, 16, 17]);
        game.run(ms);
        const { x } = game.view().me?.pos;
        const way = x - before;
        before = x;
        // 90 units a second, a tenth more or less while the lead is being trimmed. What a change
        // left over is at most a tick's way, and fades to a third in 100 ms.
        const rest = Math.abs(held.dx - was) * 0.09 * PERIOD_MS * Math.exp(-frame * 8 / 100) * (ms / 100);
        assert.ok(Math.abs(way - held.dx * 0.09 * ms) < rest + 0.01 * ms, `frame ${frame} after ${was} to ${held.dx}: ${way} in ${ms} ms`);
        if (frame === 0 && held.dx !== 0) assert.ok(way * held.dx > 0, `${was} to ${held.dx} moves by ${way}`);
      }
      game.run(600);
      before = game.view().me?.pos.x;
    }
    assert.equal(game.play.stats(game.now, 0).predictionError, 0);
  });
});

test('without smoothing a key shows whole at once, and its tick changes nothing more', () => {
  const game = new Game({ downMs: 100, upMs: 100 });
  game.add({ slot: 3, player: YOU, x: 100, y: 100 });
  let dx = 0;
  game.start(() => ({ dx }), { step, smooth: 0 });
  game.run(3000);
  dx = 1;
  game.run(PERIOD_MS);
  let before = game.play.view(game.now - 1).me?.pos.x;
  assert.ok(before > 100, 'within a tick, on a link of 200 ms');
  game.run(1000, () => {
    const { x } = game.view().me?.pos;
    const way = x - before;
    assert.ok(Math.abs(way - 0.09) < 0.02, `${way} in a millisecond`);
    before = x;
  });
});

test('on any link the own square goes on without a jump or a stop, also when inputs begin to leave earlier', () => {
  forSeeds(10, (random, seed) => {
    const game = new Game({ downMs: 40, upMs: 40, jitterMs: 90, seed });
    game.add({ slot: 3, player: YOU, x: 10, y: 500 });
    game.start(() => ({ dx: 1 }));
    game.run(300);
    let before = game.view().me?.pos.x;
    const leads = new Set();
    // The server goes on with the last input where one is late: there is no error to smooth.
    for (let frame = 0; frame < 400; frame++) {
      const ms = random.between(8, 24);
      game.run(ms);
      const { x } = game.view().me?.pos;
      leads.add(game.room.timing.lead);
      const way = x - before;
      before = x;
      assert.ok(way > 0 && way < 0.09 * ms * 4, `frame ${frame}: ${way} in ${ms} ms, lead ${game.room.timing.lead}`);
    }
    assert.ok(leads.size > 3, `${[...leads]}`);
  });
});

test('what is predicted in its own step is exact on what everyone is told, with anything else in the owner’s layer and with nothing', () => {
  for (const schema of [onGrid(), onGrid('ammo')]) {
    const game = new Game({ downMs: 80, upMs: 80 }, schema);
    const own = game.add({ slot: 3, player: YOU, x: 500, y: 500, ammo: 7 });
    game.start(() => ({ dx: Math.sin(game.now / 300), dy: 0.77 * Math.cos(game.now / 170) }));
    game.run(2500);
    assert.equal(game.session.layout?.owner.width, schema.components.length === SQUARE.components.length ? 1 : 0);
    let worst = 0;
    const places = new Set();
    game.run(3000, () => {
      worst = Math.max(worst, game.play.stats(game.now, 0).predictionError);
      places.add(own.x);
    });
    assert.equal(worst, 0);
    assert.ok(places.size > 20 && [...places].every((x) => Number.isInteger(x * 8)), `${places.size} places`);
    const { me } = game.view();
    assert.equal(me?.avatar, true);
    assert.deepEqual(me?.ammo, schema.components.length === SQUARE.components.length ? { n: 7 } : undefined);
    assert.ok(Math.abs(me?.pos.x - own.x) < 20);
    // Who does not play is shown theirs as everyone's is.
    const watched = game.play.entities.find((entity) => entity.avatar);
    assert.equal(watched?.pos.x % 0.125, 0);
  }
});

test('while the layer of what is predicted is behind, the own square goes by its inputs', () => {
  const game = new Game({ downMs: 60, upMs: 60 }, onGrid());
  game.add({ slot: 3, player: YOU, x: 100, y: 100 });
  game.start(() => ({ dx: 1 }), { step, smooth: 0 });
  game.run(3000);
  const bodies = game.world.bodies.bind(game.world);
  // The room's is none: the layer is dropped.
  game.world.bodies = () => [Uint8Array.of(1, 0), ...bodies().slice(1)];
  let before = game.play.view(game.now - 1).me?.pos.x;
  game.run(400, () => {
    const { x } = game.view().me?.pos;
    assert.ok(Math.abs(x - before - 0.09) < 0.02, `${x - before} in a millisecond`);
    before = x;
  });
});

test('what the owner knows replaces what everyone sees', () => {
  const game = new Game();
  game.add({ slot: 3, player: YOU, x: 100 + 1 / 1024, y: 100, ammo: 7 });
  game.start(() => ({}), {});
  game.run(500);
  const { me } = game.view();
  assert.equal(me?.pos.x, 100 + 1 / 1024);
  assert.deepEqual(me?.ammo, { n: 7 });
  assert.equal(me?.owner, YOU);
  assert.equal(me?.avatar, true);
  assert.equal(me?.look.colour, 'blue');
  assert.equal(me?.look.target, undefined);
});

test('on a clean link others are drawn between snapshots, at a fixed delay', () => {
  const game = new Game();
  game.add({ slot: 1, player: 9, x: 100, y: 100 });
  game.run(1000);
  let before = game.view();
  game.run(1000, () => {
    const view = game.view();
    assert.ok(view.tick >= before.tick);
    // 90 units a second from 100, after `tick` ticks; positions come in steps of 1/8.
    assert.ok(Math.abs(view.entities[0].pos.x - (100 + view.tick * 90 * 0.04)) < 0.13);
    before = view;
  });
  const newest = game.world.tick;
  assert.ok(before.tick > newest - 4 && before.tick < newest - 1, `${before.tick} of ${newest}`);
  assert.equal(game.play.stats(game.now, 0).interpolationMs, 60);
});

test('through missing snapshots everybody goes straight on, for half a second', () => {
  const game = new Game();
  game.add({ slot: 1, player: 9, x: 100, y: 100 });
  game.others = () => ({ dx: 1, dy: 0 });
  game.run(1000);
  const place = () => game.view().entities[0].pos.x;
  const before = place();
  game.isSkipped = true;
  game.run(480);
  // 90 units a second; positions come in steps of 1/8.
  const through = place();
  assert.ok(Math.abs(through - before - 43.2) < 1.5, `${through - before}`);
  game.run(400);
  const held = { x: place(), tick: game.view().tick };
  game.run(80);
  assert.deepEqual({ x: place(), tick: game.view().tick }, held, 'not for longer');
  game.isSkipped = false;
  game.run(1000);
  assert.ok(game.view().tick > held.tick + 20);
  assert.equal(game.play.stats(game.now, 0).skipped, 24);
});

test('who leapt in the last snapshot before a stall is where it showed them until the next one', () => {
  const game = new Game();
  const other = game.add({ slot: 1, player: 9, x: 100, y: 100 });
  game.others = () => ({ dx: 1, dy: 0 });
  game.run(1000, () => void game.view());
  // Not far enough for a jump; at this pace they would cross half the map through the stall.
  other.x += 50;
  game.run(PERIOD_MS, () => void game.view());
  const landed = other.x;
  game.isSkipped = true;
  game.run(600, () => {
    const { x } = game.view().entities[0].pos;
    assert.ok(x <= landed + 0.13, `${x} beyond ${landed}`);
  });
  assert.ok(Math.abs(game.view().entities[0].pos.x - landed) < 0.13);
  game.isSkipped = false;
  game.others = () => ({ dx: 0, dy: 0 });
  game.run(3000, () => void game.view());
  assert.ok(Math.abs(game.view().entities[0].pos.x - other.x) < 0.13, 'they walk to where they went meanwhile');
});

test('on any link others never move faster than they can, and nobody pops', () => {
  const links = [
    { downMs: 60, upMs: 60, jitterMs: 30 },
    { downMs: 30, upMs: 30, jitterMs: 120 },
    { downMs: 100, upMs: 100, jitterMs: 5, stallMs: 500, stallEveryMs: 3000 },
  ];
  forSeeds(6, (random, seed) => {
    for (const link of links) {
      const game = new Game({ ...link, seed });
      const other = game.add({ slot: 1, player: 9, x: 500, y: 500 });
      game.add({ slot: 3, player: YOU });
      let way = { dx: 1, dy: 0 };
      game.others = () => {
        if (random.chance(0.2)) way = { dx: random.between(-1, 1), dy: random.between(-1, 1) };
        return way;
      };
      game.start(() => ({}));
      game.run(1000);
      /** @type {{ x: number, y: number } | undefined} */
      let before;
      let drawnMs = 0;
      let moved = 0;
      for (let frame = 0; frame < 700; frame++) {
        // Someone else comes and goes.
        if (frame % 90 === 50) game.add({ slot: 2, generation: frame, player: 8, x: 200, y: 200 });
        if (frame % 90 === 80) game.world.squares = game.world.squares.filter(({ slot }) => slot !== 2);
        game.isSkipped = random.chance(0.05);
        game.run(random.between(8, 24));
        const { entities, tick } = game.view();
        const shown = entities.find(({ slot }) => slot === 1)?.pos;
        assert.ok(shown !== undefined);
        const passed = game.now - drawnMs;
        drawnMs = game.now;
        if (before !== undefined) {
          const far = Math.hypot(shown.x - before.x, shown.y - before.y);
          moved += far;
          // Both axes at 90 units a second; positions come in steps of 1/8.
          const speed = Math.hypot(90, 90) + Math.hypot(0.125, 0.125) * (1000 / PERIOD_MS);
          const most = speed * (passed / 1000) * 1.001;
          assert.ok(far <= most, `${far} in ${passed} ms, frame ${frame}, tick ${tick} of ${game.world.tick}`);
        }
        before = { ...shown };
      }
      assert.ok(moved > 100, `${moved}`);
      assert.ok(other.x > 0);
    }
  });
});

test('turns go the short way round, and names hold', () => {
  const game = new Game();
  const other = game.add({ slot: 1, player: 9 });
  other.heading = -0.5;
  game.run(400);
  other.heading = 0.5;
  const seen = new Set();
  game.run(400, () => {
    const { heading, colour } = game.view().entities[0].look;
    const turned = ((heading + Math.PI) % (2 * Math.PI)) - Math.PI;
    assert.ok(turned > -0.52 && turned < 0.52, `${heading}`);
    assert.equal(colour, 'blue');
    seen.add(Math.round(turned * 10));
  });
  assert.ok(seen.has(0) && seen.has(3), 'it passes through the middle');
});

test('who comes appears, who goes is gone, and a slot given out again is another entity', () => {
  const game = new Game();
  game.add({ slot: 1, player: 9, generation: 4 });
  game.run(400);
  const [first] = game.view().entities;
  assert.equal(first.handle, 4 * 0x10000 + 1);
  game.world.squares = [];
  game.add({ slot: 1, player: 9, generation: 5, x: 700 });
  const handles = new Set();
  game.run(400, () => {
    const { entities } = game.view();
    assert.equal(entities.length, 1, 'never both, never none');
    if (entities[0].generation === 4) assert.ok(entities[0].pos.x < 200, 'the old is not drawn towards the new');
    handles.add(entities[0].handle);
  });
  assert.deepEqual([...handles], [4 * 0x10000 + 1, 5 * 0x10000 + 1]);
  game.world.squares = [];
  game.run(400);
  assert.deepEqual(game.view().entities, []);
});

test('a teleport is not drawn as a movement', () => {
  const game = new Game();
  const other = game.add({ slot: 1, player: 9, x: 100 });
  const own = game.add({ slot: 3, player: YOU, x: 300 });
  game.start(() => ({}));
  game.run(400);
  other.x = 800;
  own.x = 900;
  game.run(400, () => {
    const { entities, me } = game.view();
    assert.ok(entities[0].pos.x < 200 || entities[0].pos.x >= 800);
    assert.ok(me?.pos.x === 300 || me?.pos.x === 900);
  });
  assert.equal(game.view().me?.pos.x, 900);
});

test('a small correction fades instead of jumping', () => {
  const game = new Game();
  const own = game.add({ slot: 3, player: YOU, x: 300 });
  game.start(() => ({}), { step, smooth: 100 });
  game.run(1000);
  own.x = 320;
  let before = 300;
  let steps = 0;
  game.run(800, () => {
    const x = game.view().me?.pos.x;
    assert.ok(x >= before - 1e-9 && x - before < 1.5, `${before} to ${x}`);
    if (x !== before) steps++;
    before = x;
  });
  assert.ok(steps > 50);
  assert.ok(Math.abs(before - 320) < 0.1);
});

test('room-wide state is beside the entities, events come when their tick is drawn', () => {
  const game = new Game();
  game.add({ slot: 1, player: 9 });
  game.run(400);
  assert.deepEqual(game.view().state, { round: { on: false } });
  game.world.on = true;
  game.events = Uint8Array.of(0, 0, 1, 0, 0, 0);
  const happened = game.world.tick + 1;
  /** @type {any[]} */
  const drawn = [];
  game.run(400, () => {
    const { events, tick } = game.view();
    for (const event of events) {
      assert.ok(tick >= event.tick && tick < event.tick + 1);
      drawn.push(event);
    }
  });
  assert.deepEqual(drawn, [{ name: 'hit', tick: happened, fields: { who: 1 } }]);
  assert.deepEqual(game.view().state, { round: { on: true } });
});

test('after a minute without a frame the first one is in the present', () => {
  const game = new Game({ jitterMs: 10 });
  game.add({ slot: 1, player: 9, x: 100, y: 100 });
  game.add({ slot: 3, player: YOU, x: 300 });
  game.others = () => ({ dx: Math.sin(game.world.tick / 20), dy: 0 });
  game.start(() => ({ dx: 0.1 }));
  game.run(1000);
  game.view();
  game.run(60_000);
  const { tick, me } = game.view();
  assert.ok(tick > game.world.tick - 5, `${tick} of ${game.world.tick}`);
  assert.ok(me !== undefined);
  game.run(500, () => assert.ok(Math.abs(game.world.tick - game.view().tick) < 5));
  assert.equal(game.play.stats(game.now, 0).predictionError, 0);
});

test('events that were not drawn for a second are not drawn any more', () => {
  const game = new Game();
  game.add({ slot: 1, player: 9 });
  game.run(400);
  game.view();
  game.events = Uint8Array.of(0, 0, 1, 0, 0, 0);
  game.run(1000);
  game.events = Uint8Array.of(0, 0, 2, 0, 0, 0);
  game.run(1000);
  assert.deepEqual(
    game.view().events.map(({ fields }) => fields.who),
    [2],
  );
});

test('the own avatar goes when the server takes it, and the prediction starts anew with the next', () => {
  const game = new Game();
  game.add({ slot: 3, player: YOU, x: 300 });
  game.start(() => ({ dx: 1 }));
  game.run(1000);
  game.world.squares = [];
  game.run(400);
  assert.equal(game.view().me, undefined);
  game.add({ slot: 3, generation: 1, player: YOU, x: 500 });
  game.run(400);
  const { me, entities } = game.view();
  assert.ok(me !== undefined && me.pos.x > 500 && me.generation === 1);
  assert.equal(entities.filter(({ slot }) => slot === 3).length, 1);
});

test('views cost no memory: entities are the same objects', () => {
  const game = new Game();
  game.add({ slot: 1, player: 9 });
  game.run(400);
  const [before] = game.view().entities;
  const { pos } = before;
  game.run(100);
  const [after] = game.view().entities;
  assert.equal(after, before);
  assert.equal(after.pos, pos);
});

test('a room that wakes is shown at once, however long it rested, and its rests are neither delay nor loss', () => {
  for (const restMs of [5200, 20_000, 20_520, 20_840]) {
    const game = new Game();
    game.add({ slot: 3, player: YOU });
    game.add({ slot: 5 });
    game.start(() => ({}));
    const watch = (/** @type {number} */ ms) => game.run(ms, (now) => void (now % 16 === 0 && game.view()));
    watch(5000);
    const { interpolationMs } = game.play.stats(game.now, 0);
    game.isResting = true;
    watch(restMs);
    game.isResting = false;
    // The first snapshot after it, and a frame.
    watch(100);
    const late = game.world.tick - game.view().tick;
    assert.ok(late < 4, `${late} ticks late after ${restMs} ms`);
    const stats = game.play.stats(game.now, 0);
    assert.equal(stats.interpolationMs, interpolationMs, `after ${restMs} ms`);
    assert.equal(stats.skipped, 0);
    assert.equal(stats.underruns, 1, 'as the first rest began');
  }
});

test('what a room under load, or the server for this client, leaves out is waited for and counted as ever', () => {
  const game = new Game();
  game.add({ slot: 5 });
  const { world } = game;
  const { skip } = world;
  // The room makes one image of four, of which this client gets every second one.
  world.skip = () => void (world.tick % 4 === 0 && skip.call(world));
  const step = world.step.bind(world);
  world.step = (...args) => {
    step(...args);
    game.isSkipped = world.tick % 8 !== 0;
  };
  game.run(8000, (now) => void (now % 16 === 0 && game.view()));
  const { interpolationMs, skipped } = game.play.stats(game.now, 0);
  assert.ok(interpolationMs >= 8 * PERIOD_MS, `${interpolationMs} ms`);
  assert.ok(skipped > 10, `${skipped}`);
});

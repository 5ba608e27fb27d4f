/**
 * What the own avatar's prediction keeps between snapshots: what the server can say, whatever the
 * rule makes of it.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Avatar } from '../src/netcode/avatar.js';
import { dequantise, quantise } from '../src/schema/field.js';
import { Image, Owner } from '../src/snapshot/image.js';
import { Layout } from '../src/snapshot/layout.js';

const YOU = 2;
const heading = /** @type {const} */ ({ type: 'Turn', steps: 256 });
const place = /** @type {const} */ ({ type: 'Real', min: 0, max: 100, step: 0.125 });

/** @param {'Fine' | 'Grid'} predicted */
const layoutOf = (predicted) =>
  new Layout({
    game: 'turning',
    components: [
      {
        name: 'pose',
        audience: 'Everyone',
        predicted,
        fields: [
          { name: 'heading', kind: heading, predictor: { type: 'Hold' } },
          { name: 'x', kind: place, predictor: { type: 'Hold' } },
        ],
      },
    ],
    input: [],
    newestWins: false,
    events: [],
    actions: [],
    roomOptions: [],
    playerOptions: [],
    metadata: [],
  });

test('reals and turns that are predicted are in steps after each tick, so what adds up agrees with the server’s', () => {
  for (const predicted of /** @type {const} */ (['Fine', 'Grid'])) {
    const layout = layoutOf(predicted);
    const x = predicted === 'Fine' ? { ...place, step: 1 / 1024 } : place;
    const server = { heading: dequantise(heading, 250), x: 1 };
    const rule = (/** @type {any} */ pose) => {
      pose.heading += 0.017;
      pose.x += 0.3;
    };
    const avatar = new Avatar(layout, YOU, 1 / 25, { step: (me) => rule(me.pose), smoothMs: 0, neutral: {} });
    const images = (/** @type {number} */ tick) =>
      layout.sets.map((set, layer) => {
        const image = new Image(set.width);
        if (set.width === 0) return image;
        image.tick = tick;
        image.push(1, 0, Owner.avatarOf(YOU), 1);
        image.rows[0] = quantise(heading, server.heading);
        image.rows[1] = quantise(layer === 0 ? place : x, server.x);
        return image;
      });
    // Inputs are four ticks ahead of what the server tells.
    for (let tick = 1; tick < 100; tick++) {
      avatar.onSnapshot({ tick, images: images(tick), ticks: undefined, hidden: [] });
      assert.equal(avatar.error, 0, `${predicted}, tick ${tick}`);
      for (let ahead = tick === 1 ? 2 : tick + 4; ahead <= tick + 4; ahead++) avatar.onInput(ahead, {});
      rule(server);
      server.heading = dequantise(heading, quantise(heading, server.heading));
      server.x = dequantise(x, quantise(x, server.x));
    }
    assert.ok(server.x > 20 && avatar.draw(0, 0, undefined, 0) !== undefined);
  }
});

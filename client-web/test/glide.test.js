/** What is drawn follows the clock evenly. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Glide } from '../src/netcode/glide.js';

/** @param {(now: number) => number} target */
function ticks(target, frames = 200) {
  const glide = new Glide(40);
  return Array.from({ length: frames }, (_, i) => glide.follow(target(i * 16), i * 16));
}

test('on an even clock it is the clock', () => {
  ticks((now) => now / 40 + 7).forEach((tick, i) => assert.ok(Math.abs(tick - ((i * 16) / 40 + 7)) < 1e-9));
});

test('small steps of the clock are made up for by a tenth of the speed', () => {
  for (const step of [-1, -0.2, 0.3, 2]) {
    const drawn = ticks((now) => now / 40 + (now > 800 ? step : 0));
    for (let i = 1; i < drawn.length; i++) {
      const way = drawn[i] - drawn[i - 1];
      assert.ok(way > 0.4 * 0.89 && way < 0.4 * 1.11, `${way}`);
    }
    assert.ok(Math.abs((drawn.at(-1) ?? 0) - ((199 * 16) / 40 + step)) < 1e-9);
  }
});

test('a pause is jumped over', () => {
  const drawn = ticks((now) => now / 40 + (now > 800 ? 50 : 0));
  assert.ok(Math.abs((drawn.at(-1) ?? 0) - ((199 * 16) / 40 + 50)) < 1e-9);
  assert.ok(drawn[52] - drawn[50] > 50);
});

/**
 * The golden vectors of `shared/vectors/netcode`: clocks, timing and links, which Rust makes and
 * checks as well (`shared/tests/netcode`), and what is drawn. `interpolation`, `pursuit` and
 * `smoothing` were made by a second implementation of the view, in Rust, that nothing but a
 * yardstick used and that is gone; they are kept as it made them. A file that nothing here checks
 * is a failure.
 */

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';

import { Conditioner } from '../src/conditioner.js';
import { ClockSync, endsRest } from '../src/netcode/clock_sync.js';
import { InputTiming } from '../src/netcode/input_timing.js';
import { Interpolation, blend } from '../src/netcode/interpolation.js';
import { CatchUp, TopSpeed } from '../src/netcode/catch_up.js';
import { Smoothing } from '../src/netcode/smoothing.js';

const folder = new URL('../../shared/vectors/netcode/', import.meta.url);

/** @type {Record<string, (cases: any[]) => void>} */
const CHECKS = {
  clock_sync: checkClockSync,
  conditioner: checkConditioner,
  input_timing: checkInputTiming,
  interpolation: checkInterpolation,
  pursuit: checkCatchUp,
  smoothing: checkSmoothing,
};

for (const file of readdirSync(folder)) {
  const { kind, cases } = JSON.parse(readFileSync(new URL(file, folder), 'utf8'));
  test(`netcode/${file}`, () => {
    assert.ok(CHECKS[kind], `no check for kind ${kind}`);
    assert.notEqual(cases.length, 0);
    CHECKS[kind](cases);
  });
}

/** @param {any} c @returns {import('../src/conditioner.js').DirectionConditions} */
function direction(c) {
  return {
    latencyUs: c.latency_us,
    jitterUs: c.jitter_us,
    stallEveryUs: c.stall_every_us,
    stallUs: c.stall_us,
    bytesPerSecond: c.bytes_per_s,
  };
}

/** @param {any[]} cases */
function checkConditioner(cases) {
  for (const { conditions, seed, steps, then } of cases) {
    /** @type {Conditioner<number>} */
    const link = new Conditioner(direction(conditions), seed);
    /** @type {[number, number][]} */
    const due = [];
    steps.forEach((/** @type {number[]} */ [nowUs, bytes, arrivalUs], /** @type {number} */ n) => {
      if (then?.at === n) link.set(direction(then));
      assert.ok(link.push(nowUs, bytes, n));
      due.push([arrivalUs, n]);
    });
    for (const [arrivalUs, n] of due) {
      assert.equal(link.pollTimeout(), arrivalUs, `message ${n}`);
      assert.equal(link.poll(arrivalUs - 1), undefined);
      assert.equal(link.poll(arrivalUs), n);
    }
    assert.equal(link.pollTimeout(), Infinity);
  }
}

/**
 * @param {number | undefined} actual
 * @param {number} expected
 * @param {number} tolerance
 * @param {string} what
 */
function near(actual, expected, tolerance, what) {
  assert.ok(actual !== undefined && Math.abs(actual - expected) <= tolerance, `${what}: ${actual}, not ${expected}`);
}

/** @param {any[]} cases */
function checkClockSync(cases) {
  for (const { name, tick_rate: tickRate, every, steps } of cases) {
    const clock = new ClockSync(tickRate);
    for (const [tick, atUs, serverTick, jitter, wait, slope, thenUs, then, asked, timeUs, gap] of steps) {
      clock.onSnapshot(tick, atUs / 1000, gap !== undefined && endsRest(gap, tickRate, every));
      const at = `${name}, tick ${tick}`;
      near(clock.serverTick(atUs / 1000), serverTick, 1e-6, at);
      near(clock.jitter, jitter, 1e-6, `${at}, jitter`);
      near(clock.wait, wait, 1e-6, `${at}, wait`);
      near(clock.slope, slope, 1e-6, `${at}, slope`);
      near(clock.serverTick(thenUs / 1000), then, 1e-6, `${at}, then`);
      near((clock.timeOf(asked) ?? NaN) * 1000, timeUs, 1e-3, `${at}, time`);
    }
  }
}

/** @param {any[]} cases */
function checkInputTiming(cases) {
  for (const { name, tick_rate: tickRate, round_trip: roundTrip, steps } of cases) {
    const timing = new InputTiming(tickRate);
    if (roundTrip !== null) timing.onRoundTrip(roundTrip);
    for (const [serverTick, slack, lead, stamps, due] of steps) {
      if (slack !== null) timing.onReport(Math.floor(serverTick), slack, serverTick);
      assert.equal(timing.lead, lead, `${name}, lead at ${serverTick}`);
      const given = [];
      for (let stamp = timing.nextStamp(serverTick); stamp !== undefined; stamp = timing.nextStamp(serverTick)) given.push(stamp);
      assert.deepEqual(given, stamps, `${name}, stamps at ${serverTick}`);
      assert.equal(timing.nextDue, due ?? -Infinity, `${name}, due at ${serverTick}`);
    }
  }
}

/** @param {any[]} cases */
function checkInterpolation(cases) {
  for (const { name, tick_rate: tickRate, snapshot_every: every, steps = [], blends = [] } of cases) {
    const view = new Interpolation(tickRate, every);
    /** @type {import('../src/session/layers.js').Snapshot[]} */
    const history = [];
    for (const [pushed, nowUs, serverTick, wait, delay, tick, older, newer, alpha, viewLag, underruns, ownTick, passed] of steps) {
      for (const each of pushed) history.push({ tick: each, images: [], ticks: undefined, hidden: [] });
      const at = `${name}, ${nowUs} us`;
      const newest = history[history.length - 1];
      // Before the first snapshot there is no view.
      if (newest === undefined) continue;
      view.advance(nowUs / 1000, serverTick, wait, newest.tick, 0);
      near(view.delay, delay, 1e-6, `${at}, delay`);
      near(view.view, tick, 1e-6, `${at}, view`);
      const pair = view.pair(history);
      assert.deepEqual([pair.older.tick, pair.newer.tick, view.underruns], [older, newer, underruns], at);
      near(pair.alpha, alpha, 1e-6, `${at}, alpha`);
      near(view.viewLag(newest.tick), viewLag, 0, `${at}, view lag`);
      near(view.ownTick(serverTick + 6), ownTick, 1e-6, `${at}, own tick`);
      const pairs = view.passed(history);
      assert.deepEqual(pairs.map((each) => [each.older.tick, each.newer.tick]), passed.map((/** @type {number[]} */ [a, b]) => [a, b]), `${at}, passed`);
      pairs.forEach((each, n) => near(each.alpha, passed[n][2], 1e-6, `${at}, passed`));
    }
    for (const [type, older, newer, alpha, value] of blends) {
      near(blend(/** @type {any} */ ({ type, min: -10, max: 10 }), older, newer, alpha), value, 1e-6, `${type} ${older} to ${newer} at ${alpha}`);
    }
  }
}

/** @param {any[]} cases */
function checkCatchUp(cases) {
  for (const { first, tops, steps } of cases) {
    const top = new TopSpeed();
    for (const [speed, leaps, then] of tops) {
      assert.equal(top.leaps(speed), leaps);
      top.saw(speed);
      assert.equal(top.top, then);
    }
    const catchUp = new CatchUp(first);
    steps.forEach((/** @type {any[]} */ [target, speed, ms, reaches, put, place], /** @type {number} */ n) => {
      assert.equal(catchUp.reaches(target, speed, ms), reaches, `step ${n}`);
      if (put) catchUp.put(target);
      catchUp.follow(target, speed, ms);
      catchUp.place.forEach((axis, i) => near(axis, place[i], 1e-9, `step ${n}`));
    });
  }
}

/** @param {any[]} cases */
function checkSmoothing(cases) {
  for (const { steps } of cases) {
    const own = new Smoothing(2);
    for (const [correct, nowUs, offset] of steps) {
      if (correct !== null) {
        const [before, after, jumped] = correct;
        own.correct(before.map((/** @type {number} */ axis, /** @type {number} */ i) => axis - after[i]), jumped);
      }
      own.fade(nowUs / 1000);
      own.offset.forEach((axis, i) => near(axis, offset[i], 1e-9, `offset at ${nowUs} us`));
    }
  }
}

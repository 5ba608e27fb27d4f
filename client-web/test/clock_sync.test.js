/** The client's clock: the same cases as in `shared/src/netcode/clock_sync.rs`, in milliseconds. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ClockSync, LEAD_MAX, SLACK_NONE, SLACK_TARGET } from '../src/netcode/clock_sync.js';

const PERIOD_MS = 40;

/**
 * A server at 25 Hz that the client reaches after `up` and hears after `down` milliseconds.
 * @param {number} ticks
 * @param {(tick: number) => number} down
 * @param {(tick: number) => number} up
 */
function run(ticks, down, up) {
  const clock = new ClockSync(25);
  /** @type {number[]} */
  const slacks = [];
  /** @type {{ atMs: number, tick: number, slack: number }[]} */
  const snapshots = [];
  /** @type {{ atMs: number, stamp: number }[]} */
  let inputs = [];
  let newest = 0;
  for (let now = 0; now < ticks * PERIOD_MS; now++) {
    for (const { atMs, stamp } of inputs) if (atMs <= now) newest = Math.max(newest, stamp);
    inputs = inputs.filter(({ atMs }) => atMs > now);
    if (now % PERIOD_MS === 0) {
      const tick = now / PERIOD_MS + 100;
      const slack = newest === 0 ? SLACK_NONE : Math.max(-127, Math.min(127, newest - tick));
      slacks.push(slack);
      snapshots.push({ atMs: now + down(tick), tick, slack });
    }
    while (snapshots.length > 0 && snapshots[0].atMs <= now) {
      const { tick, slack } = /** @type {{ tick: number, slack: number }} */ (snapshots.shift());
      clock.onSnapshot(tick, slack, now);
    }
    for (let stamp = clock.nextStamp(now); stamp !== undefined; stamp = clock.nextStamp(now)) {
      inputs.push({ atMs: now + up(stamp), stamp });
    }
  }
  return { clock, slacks };
}

test('the least delayed snapshot sets the tick', () => {
  const clock = new ClockSync(25);
  assert.equal(clock.serverTick(5), undefined);
  assert.equal(clock.nextStamp(5), undefined);
  assert.equal(clock.nextStampMs(), Infinity);
  clock.onSnapshot(10, SLACK_NONE, 430);
  clock.onSnapshot(11, SLACK_NONE, 450);
  clock.onSnapshot(12, SLACK_NONE, 520);
  assert.equal(clock.serverTick(490), 12);
  assert.equal(clock.serverTick(510), 12.5);
  assert.ok(clock.jitterMs > 0);
});

test('a server that lost time is followed after the window', () => {
  const clock = new ClockSync(25);
  clock.onSnapshot(1, SLACK_NONE, 40);
  let now = 0;
  for (let tick = 2; tick < 80; tick++) {
    now = tick * 40 + 500;
    clock.onSnapshot(tick, SLACK_NONE, now);
  }
  assert.equal(clock.serverTick(now), 79);
});

test('stamps rise one by one and skip after a pause', () => {
  const clock = new ClockSync(25);
  clock.onSnapshot(10, SLACK_NONE, 400);
  assert.equal(clock.nextStampMs(), -Infinity);
  assert.equal(clock.nextStamp(400), 14);
  assert.equal(clock.nextStamp(400), undefined);
  assert.equal(clock.nextStampMs(), 440);
  assert.equal(clock.nextStamp(439.9), undefined);
  assert.equal(clock.nextStamp(490), 15);
  assert.equal(clock.nextStamp(490), 16);
  assert.equal(clock.nextStamp(490), undefined);
  assert.equal(clock.nextStamp(4000), 104);
  assert.equal(clock.nextStamp(4000), undefined);
});

test('the lead settles on near and far links', () => {
  for (const way of [0, 15, 60, 300]) {
    const { clock, slacks } = run(800, () => way, () => way);
    const settled = slacks.slice(-200);
    assert.ok(settled.every((slack) => slack === 2), `way ${way}: lead ${clock.lead}, ${settled}`);
  }
});

test('jitter on the way up is covered', () => {
  const { slacks } = run(2000, () => 20, (stamp) => 20 + (stamp % 7) * 10);
  assert.deepEqual(slacks.slice(400).filter((slack) => slack < 0), []);
});

test('a pause of the client raises the lead once', () => {
  const { clock } = run(400, () => 10, () => 10);
  const { lead, stamped } = clock;
  for (let tick = 500; tick < 700; tick++) {
    clock.onSnapshot(tick, Math.max(-127, stamped - tick), (tick - 100) * PERIOD_MS + 10);
  }
  assert.ok(clock.lead <= lead + SLACK_TARGET, `${clock.lead}`);
});

test('no report makes the lead leave its bounds', () => {
  const clock = new ClockSync(25);
  for (let tick = 1; tick < 2000; tick++) {
    const now = tick * PERIOD_MS;
    clock.onSnapshot(tick, tick % 3 === 0 ? -127 : 127, now);
    while (clock.nextStamp(now) !== undefined);
    assert.ok(clock.lead >= 1 && clock.lead <= LEAD_MAX);
  }
});

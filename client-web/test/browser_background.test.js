/**
 * A page that nobody looks at, in a real browser: a hidden tab keeps up, and whoever comes back,
 * from another tab or from a machine that slept, sees the present at once and nothing of what was
 * missed. The server is the real one, the page the demo.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { startServer, startTabs } from './browser_support.js';
import { forAll } from './support/for_all.js';

/** Ticks a second of the server. */
const TICK_RATE = 30;
/** The newest snapshot that the page has. */
const TICK = 'tickwire.room.stats.tick';

const browser = await forAll(startTabs());
const server = await forAll(startServer(['--npcs', '20', '--seed', '7', '--tick-rate', String(TICK_RATE)]));

/** @returns {Promise<import('./browser_support.js').Tab>} a tab with a player in the arena */
async function play() {
  const tab = await browser.openTab(server.url);
  await tab.show();
  await tab.until(`document.readyState === 'complete' && typeof tickwire === 'object'`);
  await tab.evaluate(`document.querySelector('#play').click()`);
  await tab.until('tickwire.view?.me?.health?.hp > 0');
  // Every frame is written down: the tick that it shows, the newest that was known, the oldest
  // event that it plays.
  await tab.evaluate(`
    var frames = [];
    requestAnimationFrame(function note() {
      requestAnimationFrame(note);
      const { tick, events, me } = tickwire.view ?? {};
      frames.push({ tick, newest: ${TICK}, event: Math.min(...events.map((event) => event.tick)), me: me !== undefined });
    });`);
  return tab;
}

/**
 * What the page showed from a frame on: it is in the present, and did not play what lies between.
 * @param {{ tick: number, newest: number, event: number, me: boolean }[]} frames
 * @param {number} left the tick that was shown last before
 * @param {number} now a tick that it has to get to
 */
function assertCurrent(frames, left, now) {
  const at = frames.findIndex(({ tick }) => tick >= now);
  assert.ok(at !== -1, `it is at ${frames.at(-1)?.tick}, not at ${now}`);
  // A second's worth of frames, however slow they come.
  assert.ok(at < 60, `it took ${at} frames`);
  const between = frames.filter(({ tick }) => tick > left + TICK_RATE && tick < now - TICK_RATE);
  assert.ok(between.length <= 2, `frames between: ${JSON.stringify(between)}`);
  for (const { tick, event } of frames) assert.ok(event === null || event >= tick - 1.5 * TICK_RATE, `${event} in ${tick}`);
  assert.ok(frames.slice(at).every(({ me }) => me));
}

test('a hidden tab acknowledges and plays on; shown again it is in the present', async () => {
  const tab = await play();
  const other = await browser.openTab('about:blank');
  await other.show();
  await tab.until('document.hidden');
  const from = await tab.evaluate('({ ...tickwire.room.stats, frames: frames.length, shown: tickwire.view.tick })');
  await tab.until(`${TICK} > ${from.tick + 4 * TICK_RATE}`);
  const behind = await tab.evaluate('({ ...tickwire.room.stats, frames: frames.length })');
  assert.ok(behind.frames - from.frames < 5, 'it was hidden');
  assert.ok(behind.snapshots - from.snapshots > 3 * TICK_RATE, `${behind.snapshots - from.snapshots} snapshots came, so acknowledgements left`);
  assert.ok(behind.lateInputs - from.lateInputs < TICK_RATE, `${behind.lateInputs - from.lateInputs} inputs were late`);
  await tab.show();
  await tab.until(`frames.length > ${behind.frames + 60}`);
  const frames = await tab.evaluate(`frames.slice(${from.frames})`);
  assertCurrent(frames, from.shown, behind.tick);
  assert.equal(await tab.evaluate('tickwire.room.stats.desyncs'), 0);
});

test('a page that stood still for seconds is in the present at once', async () => {
  const tab = await play();
  await tab.until('frames.length > 30');
  // As when the machine sleeps: nothing of the page runs, while the server goes on.
  const from = await tab.evaluate(`(() => {
    const from = { frames: frames.length, shown: tickwire.view.tick };
    const end = performance.now() + 6000;
    while (performance.now() < end);
    return from;
  })()`);
  await tab.until(`frames.length > ${from.frames + 60}`);
  const frames = await tab.evaluate(`frames.slice(${from.frames})`);
  assertCurrent(frames, from.shown, from.shown + 5.5 * TICK_RATE);
  assert.equal(await tab.evaluate('tickwire.room.stats.desyncs'), 0);
});

test('a page that the browser froze, which ends its connection, comes back by itself', async () => {
  const tab = await play();
  const code = await tab.evaluate('tickwire.room.code');
  const other = await browser.openTab('about:blank');
  await other.show();
  await tab.until('document.hidden');
  await tab.evaluate(`var log = []; for (const name of ['freeze', 'resume']) document.addEventListener(name, () => log.push(name)); 1`);
  await tab.send('Page.setWebLifecycleState', { state: 'frozen' });
  await tab.send('Page.setWebLifecycleState', { state: 'active' });
  await tab.until(`log.join() === 'freeze,resume'`);
  await tab.show();
  await tab.until(`document.querySelector('#overlay').hidden && tickwire.room?.link.state === 'open' && tickwire.room.code === '${code}'`);
  const at = await tab.evaluate(TICK);
  await tab.until(`${TICK} > ${at + TICK_RATE} && tickwire.view.me?.health.hp > 0`);
});

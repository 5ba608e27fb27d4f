/**
 * How the game feels, in a real browser: the link is made worse by the page's address, and what the
 * page draws is judged frame by frame. The server is the real one, the pages are the demo.
 */

import assert from 'node:assert/strict';
import { createConnection, createServer } from 'node:net';
import { test } from 'node:test';

import { inArena, openPage, startBrowser, startServer } from './browser_support.js';
import { forAll } from './support/for_all.js';

/** @typedef {import('playwright-core').Page} Page */

const browser = await forAll(startBrowser());
const server = await forAll(startServer(['--npcs', '20', '--seed', '7']));

/** Plays in a page of its own. @param {string} [query] of the address */
async function play(query = '') {
  const opened = await openPage(browser, `${server.url}${query}`);
  await opened.page.click('#play');
  await inArena(opened.page);
  return opened;
}

/** @param {Page} page @returns {Promise<import('../src/types.js').Stats>} */
const statsOf = (page) => page.evaluate(() => /** @type {any} */ (window).tickwire.room.stats);

test('at 120 ms the own movement answers in the frame after the key press, without an error', async () => {
  const { page, complaints } = await play('?conditioner=rtt:120');
  await page.waitForFunction(() => /** @type {any} */ (window).tickwire.room.stats.rttMs >= 120);
  const answers = await page.evaluate(pressKeys, 12);
  const stats = await statsOf(page);
  for (const { key, moved } of answers) assert.ok(moved > 0, `${key} moved it by ${moved} in the next frame`);
  assert.equal(answers.length, 12);
  assert.equal(stats.predictionError, 0);
  assert.equal(stats.desyncs, 0);
  assert.deepEqual(complaints, []);
  await page.context().close();
});

/**
 * Runs in a page: presses a key between two frames, again and again, at any phase of a tick.
 * @param {number} times
 * @returns {Promise<{ key: string, moved: number }[]>} how far the next frame shows the own
 *   figure in the key's direction
 */
async function pressKeys(times) {
  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
  const press = (/** @type {string} */ code, /** @type {string} */ type) => window.dispatchEvent(new KeyboardEvent(type, { code }));
  // The page's own frame comes first: what it drew is read after it.
  const place = () => ({ .../** @type {any} */ (window).tickwire.view.me.pos });
  const answers = [];
  for (let n = 0; n < times; n++) {
    for (let wait = 0; wait < 20 + (n % 3); wait++) await frame();
    const from = place();
    // To and fro, so that no wall comes in the way.
    const key = n % 2 === Number(from.x < 500) ? 'KeyA' : 'KeyD';
    press(key, 'keydown');
    await frame();
    const to = place();
    answers.push({ key, moved: (to.x - from.x) * (key === 'KeyD' ? 1 : -1) });
    for (let held = 0; held < 5; held++) await frame();
    press(key, 'keyup');
  }
  return answers;
}

test('through stalls of 500 ms nobody is drawn faster than they can be', async () => {
  const { page, complaints } = await play('?conditioner=rtt:120,stall:500,every:2000');
  const { speeds, underruns } = await page.evaluate(watchDrones, 300);
  assert.ok(speeds.length > 1000, `${speeds.length}`);
  // Two stalls and more; places come in steps of 1/128.
  assert.ok(underruns >= 2, `${underruns}`);
  const most = Math.max(...speeds);
  assert.ok(most <= 45 * 1.02, `${most}`);
  assert.deepEqual(complaints, []);
  await page.context().close();
});

/**
 * Runs in a page: looks at the drones frame by frame.
 * @param {number} frames
 * @returns {Promise<{ speeds: number[], underruns: number }>} how fast each is from frame to
 *   frame, in units a second
 */
async function watchDrones(frames) {
  const { room } = /** @type {any} */ (window).tickwire;
  /** @type {number[]} */
  const speeds = [];
  let before = new Map();
  let drawnMs = 0;
  for (let n = 0; n < frames; n++) {
    await new Promise((resolve) => requestAnimationFrame(resolve));
    const now = performance.now();
    const places = new Map();
    for (const { handle, pos, kind } of room.view(now).entities) {
      if (kind?.is !== 'drone') continue;
      const was = before.get(handle);
      if (was !== undefined) speeds.push((Math.hypot(pos.x - was.x, pos.y - was.y) / (now - drawnMs)) * 1000);
      places.set(handle, { ...pos });
    }
    before = places;
    drawnMs = now;
  }
  return { speeds, underruns: room.stats.underruns };
}

test('the net graph shows by a key and a button, is remembered, and makes the link worse', async () => {
  const { page, complaints } = await play('?conditioner=stall:100,every:3000');
  const panel = page.locator('.dev-panel');
  await page.keyboard.press('F3');
  await panel.getByText('100 / 3 s').waitFor();
  await panel.getByText('Prediction error').waitFor();
  await panel.getByText(/\d+ \/s of \d+ B/).waitFor();
  // A line was drawn: the strip is not empty.
  await page.waitForFunction(() => {
    const canvas = /** @type {HTMLCanvasElement} */ (document.querySelector('.dev-panel')?.shadowRoot?.querySelector('canvas'));
    const { data } = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d')).getImageData(0, 0, canvas.width, canvas.height);
    return data.some((value) => value > 200);
  });
  await panel.getByRole('button', { name: '200 ms' }).click();
  await page.waitForFunction(() => /** @type {any} */ (window).tickwire.room.stats.rttMs >= 200);
  assert.equal((await page.evaluate(() => /** @type {any} */ (window).tickwire.room.link.conditioner)).rttMs, 200);
  await page.reload();
  await inArena(page);
  await panel.getByText('Prediction error').waitFor();
  await page.click('#tool-net');
  await panel.waitFor({ state: 'hidden' });
  assert.equal(await page.locator('#tool-net').getAttribute('aria-expanded'), 'false');
  assert.deepEqual(complaints, []);
  await page.context().close();
});

test('on another network the page is back in its seat in seconds, though nobody says that the connection died', async (t) => {
  const network = await startNetwork(server.address);
  t.after(() => network.stop());
  const { page } = await openPage(browser, network.url);
  await page.click('#play');
  await inArena(page);
  const seat = () => page.evaluate(() => {
    const { room } = /** @type {any} */ (window).tickwire;
    return { code: room.code, you: room.you };
  });
  const before = await seat();
  await page.evaluate(() => {
    const { link } = /** @type {any} */ (window).tickwire.room;
    Object.assign(window, { heard: [] });
    for (const name of ['reconnecting', 'resumed']) link.on(name, () => /** @type {any} */ (window).heard.push(name));
  });
  network.leave();
  await page.evaluate(() => void window.dispatchEvent(new Event('online')));
  await page.waitForFunction(() => /** @type {any} */ (window).heard.includes('resumed'));
  const tick = (await statsOf(page)).tick;
  await page.waitForFunction((last) => /** @type {any} */ (window).tickwire.room.stats.tick > last + 10, tick);
  assert.deepEqual(await seat(), before);
  await page.context().close();
});

/**
 * A way to the server that can die without a word: what is under way is neither delivered nor
 * refused.
 * @param {string} address of the server
 */
async function startNetwork(address) {
  const [host, port] = address.split(':');
  /** @type {Set<import('node:net').Socket>} */
  const sockets = new Set();
  const proxy = createServer((near) => {
    const far = createConnection(Number(port), host);
    for (const [from, to] of [[near, far], [far, near]]) {
      sockets.add(from);
      from.on('data', (bytes) => to.write(bytes));
      from.on('close', () => to.destroy());
      from.on('error', () => to.destroy());
    }
  });
  await new Promise((resolve) => proxy.listen(0, '127.0.0.1', () => resolve(undefined)));
  const { port: own } = /** @type {import('node:net').AddressInfo} */ (proxy.address());
  return {
    url: `http://127.0.0.1:${own}/`,
    /** All connections of now are dead. */
    leave() {
      for (const socket of sockets) socket.pause();
    },
    stop() {
      for (const socket of sockets) socket.destroy();
      proxy.close();
    },
  };
}

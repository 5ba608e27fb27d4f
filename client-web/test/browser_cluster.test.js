/**
 * The game's page over a cluster, in a real browser: its room's node is drained, then the next one
 * is killed, and it plays on in its seat.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { inArena, openPage, startBrowser } from './browser_support.js';
import { startCluster } from './support/cluster.js';
import { forAll } from './support/for_all.js';

/** @typedef {import('playwright-core').Page} Page */

/** Where the page is from, and to which it goes back. */
const HOME = 0;

const cluster = await forAll(startCluster(3, ['--npcs', '5', '--seed', '7']));
const browser = await forAll(startBrowser());

/** @param {Page} page @returns {Promise<any>} what a move must not change */
const seatOf = (page) =>
  page.evaluate(() => {
    const { room, view } = /** @type {any} */ (window).tickwire;
    return { id: room.info.id, code: room.code, you: room.you, handle: view.me.handle, members: [...room.members.keys()] };
  });

/** @param {Page} page @returns {Promise<void>} when a second more of the room was seen */
async function playsOn(page) {
  const at = await page.evaluate(() => /** @type {any} */ (window).tickwire.room.seen.tick);
  await page.waitForFunction((tick) => /** @type {any} */ (window).tickwire.room.seen.tick > tick + 30, at);
  await inArena(page);
}

test('a page plays on in its seat when its room\'s node is drained, and when the next is killed', async () => {
  const { page, complaints } = await openPage(browser, cluster.urls[HOME]);
  await page.fill('#name', 'Ann');
  await page.click('#create');
  await page.click('#create-form [type=submit]');
  await inArena(page);
  await page.evaluate(() => {
    const { room } = /** @type {any} */ (window).tickwire;
    const heard = /** @type {any} */ (window).heard = /** @type {string[]} */ ([]);
    room.link.on('reconnecting', (/** @type {any} */ { reason }) => heard.push(reason));
  });
  const heard = () => page.evaluate(() => /** @type {string[]} */ (/** @type {any} */ (window).heard.splice(0)));
  const before = await seatOf(page);

  const first = await cluster.ownerOf(before.id);
  assert.equal(await cluster.drain(first), 0, 'it gave its rooms away');
  const second = await cluster.ownerOf(before.id, first);
  await playsOn(page);
  assert.deepEqual(await heard(), ['redirected'], 'nothing but that it was sent on');
  assert.deepEqual(await seatOf(page), before);

  await cluster.restart(first);
  await cluster.kill(second);
  // Its page comes back to where it is from, as whatever supervises a node has it there again.
  if (second === HOME) await cluster.restart(HOME);
  const third = await cluster.ownerOf(before.id, second);
  assert.notEqual(third, second);
  await page.waitForFunction(() => /** @type {any} */ (window).tickwire.room.link.state === 'open');
  await page.locator('#overlay').waitFor({ state: 'hidden' });
  await playsOn(page);
  assert.deepEqual(await seatOf(page), before);
  assert.ok((await heard()).length > 0, 'the connection was lost');
  assert.equal(await page.evaluate(() => /** @type {any} */ (window).tickwire.room.stats.desyncs), 0);

  const others = complaints.filter((complaint) => !/WebSocket|ERR_CONNECTION_REFUSED|Failed to load resource/.test(complaint));
  assert.deepEqual(others, [], 'nothing but that there was no server for a while');
  await page.context().close();
});

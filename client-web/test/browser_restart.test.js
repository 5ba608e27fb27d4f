/**
 * A seat that outlives the server, in a real browser: the program is killed and started again with
 * the folder in which it keeps its rooms, at the same address.
 */

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { inArena, openPage, startBrowser, startServer } from './browser_support.js';
import { forAll } from './support/for_all.js';
import { until } from './support/until.js';

/** @typedef {import('playwright-core').Page} Page */

const browser = await forAll(startBrowser());
const folder = mkdtempSync(join(tmpdir(), 'tickwire-restart-'));
after(() => rmSync(folder, { recursive: true }));
const rooms = join(folder, 'rooms');
const settings = ['--state-file', rooms, '--npcs', '5', '--seed', '7'];

/** @returns {Promise<void>} when a room's state of later than now is kept */
async function kept() {
  const written = () => readdirSync(rooms).filter((name) => name.endsWith('.room')).map((name) => statSync(join(rooms, name)).mtimeMs);
  const since = Math.max(0, ...written());
  // One may be under way.
  const first = await until(() => written().find((at) => at > since));
  await until(() => written().some((at) => at > first));
}

/** @param {Page} page @returns {Promise<any>} what must be the same after the restart */
function seatOf(page) {
  return page.evaluate(() => {
    const { room, view } = /** @type {any} */ (window).tickwire;
    return { code: room.code, you: room.you, handle: view.me.handle, members: [...room.members.keys()], said: room.chat.map((/** @type {any} */ line) => line.text) };
  });
}

/** @param {Page} page @returns {Promise<number>} the newest of the room's ticks that the page has seen */
const newest = (page) => page.evaluate(() => /** @type {any} */ (window).tickwire.room.seen.tick);

test('a page is back in its seat when the server was killed and started again', async () => {
  let server = await startServer(settings);
  try {
    const { page, complaints } = await openPage(browser, server.url);
    await page.fill('#name', 'Ann');
    await page.click('#create');
    await page.click('#create-form [type=submit]');
    await inArena(page);
    await page.evaluate(() => /** @type {any} */ (window).tickwire.room.say('before'));
    await page.waitForFunction(() => /** @type {any} */ (window).tickwire.room.chat.length === 1);
    await kept();
    const before = await seatOf(page);
    assert.deepEqual(before.said, ['before']);
    // What is not kept: the next state is some time off, and its room goes on until then.
    const at = await newest(page);
    await page.waitForFunction((tick) => /** @type {any} */ (window).tickwire.room.seen.tick > tick + 3, at);
    await server.kill();
    await page.waitForFunction(() => /** @type {any} */ (window).tickwire.room.link.state !== 'open');
    server = await startServer(settings, server.address);
    await page.waitForFunction(() => /** @type {any} */ (window).tickwire.room.link.state === 'open');
    await page.locator('#overlay').waitFor({ state: 'hidden' });
    const again = await newest(page);
    await page.waitForFunction((tick) => /** @type {any} */ (window).tickwire.room.seen.tick > tick + 30, again);
    await inArena(page);
    assert.deepEqual(await seatOf(page), before);
    await page.evaluate(() => /** @type {any} */ (window).tickwire.room.say('after'));
    await page.waitForFunction(() => /** @type {any} */ (window).tickwire.room.chat.length === 2);
    const desyncs = await page.evaluate(() => /** @type {any} */ (window).tickwire.room.stats.desyncs);
    assert.equal(desyncs, 0);
    const others = complaints.filter((complaint) => !/WebSocket|ERR_CONNECTION_REFUSED|Failed to load resource/.test(complaint));
    assert.deepEqual(others, [], 'nothing but that there was no server for a while');
    await page.context().close();
  } finally {
    await server.stop();
  }
});

/**
 * Two games in one process, in a real browser: the page that lists them, and both games' pages,
 * each on its own SDK, socket and rooms.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { inArena, openPage, startBrowser } from './browser_support.js';
import { forAll } from './support/for_all.js';
import { EXAMPLES, startServer } from './support/server.js';

const browser = await forAll(startBrowser());
const server = await forAll(startServer(['--npcs', '4', '--seed', '5'], '127.0.0.1:0', `${EXAMPLES}/arcade`));

/** @param {string} game @returns {Promise<import('playwright-core').Page & { complaints: string[] }>} the game's page, by way of the list */
async function enter(game) {
  const { page, complaints } = await openPage(browser, server.url);
  await page.click(`a:has-text("${game}")`);
  await page.waitForURL(`${server.url}g/${game}/`);
  return Object.assign(page, { complaints });
}

/** @param {string} path @returns {Promise<any>} */
async function json(path) {
  return (await fetch(new URL(path, server.url))).json();
}

test('both games of a process are played at once, and each sees its own rooms alone', async () => {
  const ann = await enter('arena');
  const [bo, cy] = [await enter('cards'), await enter('cards')];
  await ann.fill('#name', 'Ann');
  await ann.click('#play');
  for (const [page, name] of /** @type {const} */ ([[bo, 'Bo'], [cy, 'Cy']])) {
    await page.fill('#name', name);
    await page.click('#door button');
  }
  await inArena(ann);
  for (const page of [bo, cy]) await page.waitForFunction(() => document.querySelectorAll('#hand button').length === 5);

  const rate = await ann.evaluate(() => /** @type {any} */ (window).tickwire.room.tickRate);
  assert.equal(rate, 30);
  const [arena, cards] = [await json('g/arena/api/rooms'), await json('g/cards/api/rooms')];
  assert.deepEqual([arena, cards].map((rooms) => rooms.map((/** @type {any} */ room) => [room.game, room.players])), [[['arena', 1]], [['cards', 2]]]);
  assert.equal((await json('api/rooms')).length, 2);

  const { page: list, complaints } = await openPage(browser, server.url);
  assert.deepEqual(await list.locator('li').allInnerTexts().then((lines) => lines.map((line) => line.replace(/\s+/g, ' '))), ['arena 1 room, 1 player', 'cards 1 room, 2 players']);

  // A reload takes the seat in the same game again.
  await ann.reload();
  await inArena(ann);
  assert.equal((await json('g/arena/api/rooms'))[0].players, 1);
  assert.deepEqual([...complaints, ...ann.complaints, ...bo.complaints, ...cy.complaints], []);
});

/**
 * A page whose SDK is of the version before its server's, as one that is open over an update: it
 * is loaded anew once, and told if that is no better. In a real browser, with the demo.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { inArena, openPage, startBrowser, startServer, WAIT_MS } from './browser_support.js';
import { forAll } from './support/for_all.js';

const browser = await forAll(startBrowser());
const server = await forAll(startServer(['--npcs', '2']));

/**
 * Opens the demo with an older SDK the first so many times.
 * @param {number} times
 */
async function open(times) {
  const { page } = await openPage(browser, 'about:blank');
  let loads = 0;
  await page.route('**/client/protocol/frame.js', async (route) => {
    if (++loads > times) return route.continue();
    const answer = await route.fetch();
    const older = (await answer.text()).replace('VERSION = 2', 'VERSION = 1').replace('tickwire.2', 'tickwire.1');
    return route.fulfill({ response: answer, body: older });
  });
  await page.goto(server.url);
  return { page, loads: () => loads };
}

/**
 * @param {() => number} loads
 * @param {number} least
 */
async function loaded(loads, least) {
  for (const end = performance.now() + WAIT_MS; loads() < least; ) {
    assert.ok(performance.now() < end, `the SDK was loaded ${loads()} times`);
    await new Promise(setImmediate);
  }
}

test('a page of the version before is loaded anew, and then plays', async () => {
  const { page, loads } = await open(1);
  await loaded(loads, 2);
  await page.waitForLoadState();
  await page.click('#play');
  await inArena(page);
  assert.equal(loads(), 2);
  await page.context().close();
});

test('a page that stays as it was is loaded anew once, and told', async () => {
  const { page, loads } = await open(Infinity);
  await loaded(loads, 2);
  await page.waitForLoadState();
  await page.click('#play');
  await page.waitForFunction(() => /older than the server/.test(document.body.innerText));
  assert.equal(loads(), 2);
  await page.context().close();
});

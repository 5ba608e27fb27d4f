/**
 * Seats that outlive their connection, in a real browser: a reload, a network that is gone, a page
 * that stood still, two tabs with one seat. The server is the real one, the page is the demo.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { inArena, openPage, startBrowser, startServer } from './browser_support.js';
import { forAll } from './support/for_all.js';
import { startProxy } from './support/proxy.js';

/** @typedef {import('playwright-core').Page} Page */

const browser = await forAll(startBrowser());
const server = await forAll(startServer(['--npcs', '5', '--seed', '7']));

/**
 * @param {string} url
 * @param {string} name
 * @param {import('playwright-core').Browser} [of]
 * @returns {ReturnType<typeof openPage>} a page in a room of its own
 */
async function alone(url, name, of = browser) {
  const opened = await openPage(of, url);
  await opened.page.fill('#name', name);
  await opened.page.click('#create');
  await opened.page.click('#create-form [type=submit]');
  await inArena(opened.page);
  return opened;
}

/** @param {Page} page @returns {Promise<any>} what must be the same after coming back */
function seatOf(page) {
  return page.evaluate(() => {
    const { room, view } = /** @type {any} */ (window).tickwire;
    return { code: room.code, you: room.you, handle: view.me.handle, members: [...room.members.keys()] };
  });
}

/** @param {Page} page @returns {Promise<void>} when the room's own connection is there */
const connected = (page) =>
  page.waitForFunction(() => /** @type {any} */ (window).tickwire.room?.link.state === 'open').then(() => inArena(page));

test('a reload comes back to the same figure', async () => {
  const { page, complaints } = await alone(server.url, 'Ann');
  const before = await seatOf(page);
  for (let times = 0; times < 2; times++) {
    await page.reload();
    await connected(page);
    assert.deepEqual(await seatOf(page), before);
  }
  assert.deepEqual(complaints, []);
  await page.click('#tool-leave');
  await page.waitForSelector('#lobby:not([hidden])');
  const rooms = await page.evaluate(async () => (await fetch('/api/rooms')).json());
  assert.deepEqual(rooms.filter((/** @type {any} */ { players }) => players > 0), [], 'who leaves keeps no seat');
  await page.context().close();
});

test('a cut connection is back at once, and the others see who is away', async () => {
  const proxy = await startProxy(server.address);
  try {
    const { page } = await alone(proxy.url, 'Ann');
    const before = await seatOf(page);
    const ben = await openPage(browser, `${server.url}#${before.code}`);
    await inArena(ben.page);
    await ben.page.evaluate(() => {
      const { room } = /** @type {any} */ (window).tickwire;
      const seen = (/** @type {any} */ (window).seen = /** @type {boolean[]} */ ([]));
      room.on('members', (/** @type {Map<number, any>} */ members) => seen.push(members.get(0).connected));
    });
    // Who is back within the tick was never away to the others: the next connection waits for Ben.
    proxy.hold(true);
    proxy.cut();
    await ben.page.waitForFunction(() => /** @type {any} */ (window).seen.at(-1) === false);
    proxy.hold(false);
    await ben.page.waitForFunction(() => /** @type {any} */ (window).seen.at(-1) === true);
    await connected(page);
    await page.locator('#overlay').waitFor({ state: 'hidden' });
    assert.deepEqual({ ...(await seatOf(page)), members: [] }, { ...before, members: [] });
    await ben.page.context().close();
    await page.context().close();
  } finally {
    proxy.stop();
  }
});

test('a network that is gone for ten seconds costs nobody the seat', async () => {
  const proxy = await startProxy(server.address);
  try {
    const { page } = await alone(proxy.url, 'Ann');
    const before = await seatOf(page);
    proxy.hold(true);
    await page.getByText('Getting you back into your seat.').waitFor();
    proxy.hold(false);
    await connected(page);
    await page.locator('#overlay').waitFor({ state: 'hidden' });
    assert.deepEqual(await seatOf(page), before);
    await page.context().close();
  } finally {
    proxy.stop();
  }
});

test('a page that stood still until the server gave up on it comes back', async () => {
  // A browser of its own, all pages of which are stopped.
  const stopped = await startBrowser();
  const { page } = await alone(server.url, 'Ann', stopped);
  const before = await seatOf(page);
  const watch = await openPage(browser, `${server.url}#${before.code}`);
  await inArena(watch.page);
  const cdp = await stopped.newBrowserCDPSession();
  const { processInfo } = await cdp.send('SystemInfo.getProcessInfo');
  const renderers = processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => id);
  assert.ok(renderers.length > 0);
  try {
    for (const id of renderers) process.kill(id, 'SIGSTOP');
    await watch.page.waitForFunction(
      (you) => /** @type {any} */ (window).tickwire.room.members.get(you)?.connected === false,
      before.you,
      { timeout: 40_000 },
    );
  } finally {
    for (const id of renderers) process.kill(id, 'SIGCONT');
  }
  await watch.page.waitForFunction(
    (you) => /** @type {any} */ (window).tickwire.room.members.get(you)?.connected === true,
    before.you,
  );
  await connected(page);
  assert.deepEqual({ ...(await seatOf(page)), members: [] }, { ...before, members: [] });
  await stopped.close();
  await watch.page.context().close();
});

test('of two tabs with one seat the later one has it', async () => {
  const { page } = await alone(server.url, 'Ann');
  const before = await seatOf(page);
  const kept = await page.evaluate(() => JSON.stringify({ ...sessionStorage }));
  const second = await page.context().newPage();
  await second.addInitScript((storage) => {
    for (const [key, value] of Object.entries(JSON.parse(storage))) sessionStorage.setItem(key, String(value));
  }, kept);
  await second.goto(page.url());
  await connected(second);
  assert.deepEqual(await seatOf(second), before);
  await page.locator('#overlay-note', { hasText: 'You continued in another window.' }).waitFor();
  assert.equal((await seatOf(second)).members.length, 1);
  await page.context().close();
});

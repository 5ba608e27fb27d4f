/**
 * The demo's lobby as its visitors use it together: the chat of all, talks of two, who spoke, parties.
 * The server is the real one, the pages are the demo; whatever anybody says or is called is text.
 */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { DESKTOP, WAIT_MS, inArena, openPage, startBrowser, startServer } from './browser_support.js';
import { EVIL } from './support/evil.js';
import { forAll } from './support/for_all.js';
import { freeAddress } from './support/free_address.js';

/** @typedef {import('playwright-core').Page} Page */

const TOKEN = 'operators-0123456789-0123456789-token';
const NARROW = { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true };

const browser = await forAll(startBrowser());

/** A folder that is gone after the test, and how to start a server that stores there. @param {import('node:test').TestContext} t */
function place(t) {
  const folder = mkdtempSync(join(tmpdir(), 'tickwire-panels-'));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'token'), TOKEN);
  return {
    /** @param {string} [address] */
    async start(address) {
      const ops = await freeAddress();
      const settings = ['--store', join(folder, 'tickwire.db'), '--admin-token-file', join(folder, 'token')];
      const server = await startServer(settings, address, undefined, ops);
      t.after(() => server.stop());
      return { ...server, ops };
    },
  };
}

/** @param {Page} page @param {string} name as others see them from now on */
async function called(page, name) {
  await page.fill('#name', name);
  await page.locator('#name').blur();
  await page.waitForFunction((wanted) => {
    const { link } = /** @type {any} */ (window).tickwire;
    return link?.state === 'open' && link.name === wanted && link.handle !== undefined;
  }, name);
}

/** Opens the page as somebody. @param {string} url @param {string} name @param {import('playwright-core').BrowserContextOptions} [options] */
async function come(url, name, options = DESKTOP) {
  const opened = await openPage(browser, url, options);
  await called(opened.page, name);
  return opened;
}

/** @param {Page} page @param {string} text */
async function say(page, text) {
  await page.fill('#talk-text', text);
  await page.press('#talk-text', 'Enter');
}

/** @param {Page} page @param {string} text @returns what was said, in the talk that is shown */
const line = (page, text) => page.locator('#talk-log li, #talk-past li').filter({ hasText: text });

/** Nobody's text was more than that, and nothing was complained of. @param {{ page: Page, complaints: string[] }} opened */
async function isUnharmed({ page, complaints }) {
  assert.equal(await page.evaluate(() => /** @type {any} */ (window).hacked), undefined);
  for (const panel of ['#talk', '#party']) {
    assert.equal(await page.locator(['img', 'script', 'svg', 'iframe', 'a', 'details', 'math', 'video', 'style'].map((tag) => `${panel} ${tag}`).join()).count(), 0);
  }
  // A server that stops is a connection that fails, which browsers tell.
  const others = complaints.filter((complaint) => !/WebSocket|ERR_CONNECTION_REFUSED|Failed to load resource/.test(complaint));
  assert.deepEqual(others, []);
}

/** Runs in a page: guests by these names say these lines in the lobby, as many as they may at once. @param {{ names: string[], texts: string[] }} what */
async function talk({ names, texts }) {
  const sdk = '/client/tickwire.js';
  const { connect } = await import(sdk);
  for (const name of names) {
    const link = await connect({ name });
    for (const text of texts.splice(0, 5)) await link.chat.say(text);
    link.close();
  }
}

test('two talk in the lobby: what waits is said when the server is back, what is refused says why', async (t) => {
  const there = place(t);
  let server = await there.start();
  const ann = await come(server.url, 'Ann');
  const bo = await come(server.url, 'Bo');
  await say(ann.page, 'anybody?');
  await line(bo.page, 'anybody?').waitFor();
  assert.match(String(await line(bo.page, 'anybody?').textContent()), /^\d\d[:.]\d\d.*Annanybody\?$/);
  await say(bo.page, 'me');
  await line(ann.page, 'me').waitFor();

  await server.stop();
  await ann.page.getByRole('status').filter({ hasText: 'Connection lost' }).waitFor();
  await say(ann.page, 'while you were away');
  const unsent = ann.page.locator('#talk-unsent li');
  assert.equal(await unsent.textContent(), 'while you were awayNot sent yet');
  server = await there.start(server.address);
  await line(bo.page, 'while you were away').waitFor();
  await unsent.waitFor({ state: 'detached' });
  assert.equal(await line(ann.page, 'while you were away').count(), 1, 'said once');

  const headers = { authorization: `Bearer ${TOKEN}` };
  const all = await (await fetch(`http://${server.ops}/admin/players`, { headers })).json();
  const { player } = all.find((/** @type {any} */ of) => of.name === 'Ann');
  const muted = await fetch(`http://${server.ops}/admin/mute`, { method: 'POST', headers, body: JSON.stringify({ player, for: '1h' }) });
  assert.equal(muted.status, 200);
  await say(ann.page, 'hello?');
  await unsent.filter({ hasText: 'Not sent. You are muted for now.' }).waitFor();
  const lifted = await fetch(`http://${server.ops}/admin/unmute`, { method: 'POST', headers, body: JSON.stringify({ player }) });
  assert.equal(lifted.status, 200);
  await unsent.getByRole('button', { name: 'Send again' }).click();
  await line(bo.page, 'hello?').waitFor();
  for (const opened of [ann, bo]) {
    await isUnharmed(opened);
    await opened.page.context().close();
  }
});

test('earlier lines are read on demand, and names and lines are text wherever they show', async (t) => {
  const server = await place(t).start();
  const ann = await come(server.url, 'Ann');
  const names = EVIL.map((evil) => evil.slice(0, 24));
  const texts = [...Array.from({ length: 60 }, (_, n) => `line ${n}`), ...EVIL];
  await ann.page.evaluate(talk, { names, texts });
  await line(ann.page, EVIL[14]).waitFor();

  const bo = await come(server.url, 'Bo');
  await line(bo.page, EVIL[14]).waitFor();
  assert.equal(await line(bo.page, 'line').count(), 35, 'a page of 50');
  await bo.page.getByRole('button', { name: 'Earlier lines' }).click();
  await line(bo.page, 'line 0').waitFor();
  assert.equal(await line(bo.page, 'line').count(), 60);
  await bo.page.locator('#talk-more').waitFor({ state: 'hidden' });
  const shown = await bo.page.locator('#talk-scroll .talk-text').allTextContents();
  assert.deepEqual(shown.slice(-EVIL.length), EVIL);

  await bo.page.getByRole('tab', { name: 'People' }).click();
  // Ann is there, who said nothing; those who spoke have gone.
  await bo.page.locator('#people-list .person', { hasText: 'Ann' }).filter({ hasText: 'here' }).waitFor();
  assert.equal(await bo.page.textContent('#people-count'), '2 are in the lobby.');
  const listed = await bo.page.locator('#people-list bdi').allTextContents();
  assert.equal(listed.length, names.length + 1);
  assert.ok(listed.includes(names[0]));
  await bo.page.locator('#people-list button').filter({ hasText: names[0] }).click();
  await bo.page.locator('#talk-peer-name', { hasText: names[0] }).waitFor();
  for (const text of EVIL.slice(0, 5)) await say(bo.page, text);
  await line(bo.page, EVIL[4]).waitFor();

  // As an evil party's evil member.
  await bo.page.click('#party-create');
  const code = await bo.page.evaluate(async () => {
    const { link } = /** @type {any} */ (window).tickwire;
    while (link.party.code === undefined) await new Promise((resolve) => link.party.on('change', resolve));
    return link.party.code;
  });
  await ann.page.evaluate(async (/** @type {any} */ [party, name]) => {
    const sdk = '/client/tickwire.js';
    const { connect } = await import(sdk);
    await (await connect({ name })).party.join(party);
  }, [code, names[0]]);
  await bo.page.locator('#party-list bdi', { hasText: names[0] }).waitFor();
  for (const opened of [ann, bo]) {
    await isUnharmed(opened);
    await opened.page.context().close();
  }
});

test('what is said to who is away waits for them, and whom they block they hear no more', async (t) => {
  const there = place(t);
  let server = await there.start();
  const ann = await come(server.url, 'Ann');
  const context = await browser.newContext(DESKTOP);
  t.after(() => context.close());
  context.setDefaultTimeout(WAIT_MS);
  let bo = await context.newPage();
  await bo.goto(server.url);
  await called(bo, 'Bo');
  await say(bo, 'hello');
  await line(ann.page, 'hello').waitFor();
  await bo.close();

  // By who said a line, and the server ends in between.
  await line(ann.page, 'hello').getByRole('button', { name: 'Bo' }).click();
  await say(ann.page, 'are you there?');
  await line(ann.page, 'are you there?').waitFor();
  await server.stop();
  server = await there.start(server.address);
  await say(ann.page, EVIL[0]);
  await line(ann.page, EVIL[0]).waitFor();

  bo = await context.newPage();
  await bo.goto(server.url);
  const tab = bo.getByRole('tab', { name: 'Ann, 2 unread' });
  await tab.click();
  await line(bo, EVIL[0]).waitFor();
  assert.deepEqual(await bo.locator('#talk-scroll .talk-text').allTextContents(), ['are you there?', EVIL[0]]);
  await say(bo, 'now I am');
  await line(ann.page, 'now I am').waitFor();
  await bo.reload();
  const again = bo.getByRole('tab', { name: 'Ann', exact: true });
  await again.click();
  await line(bo, 'now I am').waitFor();

  await bo.getByRole('button', { name: 'Block' }).click();
  await bo.getByRole('status').filter({ hasText: 'Ann is blocked' }).waitFor();
  assert.equal(await again.count(), 0);
  await say(ann.page, 'psst');
  await line(ann.page, 'psst').waitFor();
  await ann.page.getByRole('tab', { name: 'Lobby' }).click();
  await say(ann.page, 'hello all');
  await line(ann.page, 'hello all').waitFor();
  await say(bo, 'silence');
  await line(bo, 'silence').waitFor();
  assert.equal(await line(bo, 'hello all').count(), 0);
  await bo.getByRole('tab', { name: 'People' }).click();
  await bo.locator('#blocked-list button').click();
  await bo.locator('#blocked-box').waitFor({ state: 'hidden' });
  await ann.page.getByRole('tab', { name: 'Bo' }).click();
  await say(ann.page, 'peace?');
  await bo.getByRole('tab', { name: 'Ann, 1 unread' }).waitFor();
  await isUnharmed(ann);
  await ann.page.context().close();
});

/** @param {Page} page @returns {Promise<string>} the room's code */
const codeOf = (page) => page.evaluate(() => /** @type {any} */ (window).tickwire.room.code);

test('a party comes together by a link, goes into a room and back, and into a match', async (t) => {
  const server = await startServer();
  t.after(() => server.stop());
  const ann = await come(server.url, 'Ann');
  await ann.page.focus('#party-create');
  await ann.page.keyboard.press('Enter');
  const link = ann.page.getByLabel('Whoever opens this link is in your party');
  await link.waitFor();
  assert.equal(await ann.page.evaluate(() => document.activeElement?.id), 'party-copy', 'the keyboard is where one goes on');
  const address = await link.inputValue();
  assert.match(address, new RegExp(`^${server.url.replace(/[.]/g, '\\.')}\\?party=[A-Z0-9]{8}$`));

  // Somebody who was never here.
  const bo = await openPage(browser, address);
  await bo.page.getByRole('status').filter({ hasText: 'You are in the party of Ann.' }).waitFor();
  assert.equal(bo.page.url(), server.url, 'a reload does not ask again');
  await called(bo.page, 'Bo');
  await ann.page.locator('#party-list li', { hasText: 'Bo' }).waitFor();
  assert.deepEqual(await bo.page.locator('#party-list li').allTextContents(), ['Annleader', 'Boyou']);

  // They talk by themselves, and each sees that the other writes.
  await ann.page.getByRole('button', { name: 'Write to the party' }).click();
  await bo.page.getByRole('tab', { name: 'Party' }).click();
  await ann.page.keyboard.type('shall we?');
  await bo.page.locator('#talk-typing', { hasText: 'Ann is typing' }).waitFor();
  await ann.page.keyboard.press('Enter');
  await line(bo.page, 'shall we?').waitFor();
  assert.equal(await bo.page.locator('#talk-typing').textContent(), '', 'it is said');
  await say(bo.page, EVIL[0]);
  await line(ann.page, EVIL[0]).waitFor();
  await ann.page.getByRole('tab', { name: 'Lobby' }).click();
  assert.equal(await line(ann.page, 'shall we?').count(), 0);

  await ann.page.click('#play');
  await Promise.all([inArena(ann.page), inArena(bo.page)]);
  assert.equal(await codeOf(bo.page), await codeOf(ann.page), 'they follow');
  for (const { page } of [ann, bo]) {
    await page.click('#tool-leave');
    await page.locator('#party-list li').nth(1).waitFor();
  }

  await ann.page.focus('#pair');
  await ann.page.keyboard.press('Enter');
  for (const { page } of [ann, bo]) {
    await page.waitForSelector('#overlay-accept:not([hidden])');
    assert.match(String(await page.textContent('#overlay-title')), /^A (hunt|match) is found$/);
    await page.keyboard.press('Enter');
  }
  await Promise.all([inArena(ann.page), inArena(bo.page)]);
  assert.equal(await codeOf(bo.page), await codeOf(ann.page));
  for (const { page } of [ann, bo]) await page.click('#tool-leave');

  // A duel is one against one, and who does not lead can't ask.
  await ann.page.locator('#duel').click();
  await ann.page.getByRole('status').filter({ hasText: 'Your party is too large for that.' }).waitFor();
  await bo.page.locator('#pair').click();
  await bo.page.getByRole('status').filter({ hasText: 'Only the leader of your party can look for a match.' }).waitFor();

  await ann.page.getByRole('button', { name: 'Remove Bo from the party' }).click();
  await bo.page.getByRole('status').filter({ hasText: 'You were removed from the party.' }).waitFor();
  await bo.page.fill('#party-code', address);
  await bo.page.press('#party-code', 'Enter');
  await bo.page.getByRole('status').filter({ hasText: 'There is no such party any more.' }).waitFor();
  await bo.page.fill('#party-code', await link.inputValue());
  await bo.page.press('#party-code', 'Enter');
  await bo.page.locator('#party-list li').nth(1).waitFor();
  assert.deepEqual((await bo.page.locator('#talk-scroll .talk-text').allTextContents()), [], 'the lobby is shown since they were removed');
  await bo.page.getByRole('tab', { name: 'Party' }).click();
  await line(bo.page, 'shall we?').waitFor();
  await bo.page.getByRole('button', { name: 'Leave party' }).click();
  await bo.page.locator('#party-create').waitFor();
  assert.equal(await bo.page.getByRole('tab', { name: 'Party' }).count(), 0);
  assert.equal(await bo.page.evaluate(() => document.activeElement?.id), 'party-create');
  await ann.page.locator('#party-list li').nth(1).waitFor({ state: 'detached' });
  for (const opened of [ann, bo]) {
    await isUnharmed(opened);
    await opened.page.context().close();
  }
});

test('the chat is used by the keyboard alone, and a screen reader is not flooded', async (t) => {
  const server = await place(t).start();
  const ann = await come(server.url, 'Ann');
  const bo = await come(server.url, 'Bo');
  await say(bo.page, 'hi');
  await line(ann.page, 'hi').waitFor();

  const { keyboard } = ann.page;
  const focused = () => ann.page.evaluate(() => document.activeElement?.id);
  await ann.page.focus('#tab-lobby');
  await keyboard.press('ArrowRight');
  assert.equal(await focused(), 'tab-people');
  await keyboard.press('Tab');
  await keyboard.press('Enter');
  assert.equal(await focused(), 'talk-text');
  await keyboard.type('just us two');
  await keyboard.press('Enter');
  await line(ann.page, 'just us two').waitFor();
  await bo.page.getByRole('tab', { name: 'Ann, 1 unread' }).waitFor();
  await bo.page.locator('#announcer', { hasText: 'Ann: just us two' }).waitFor({ state: 'attached' });
  await keyboard.press('Escape');
  assert.equal(await focused(), 'talk-text');
  assert.equal(await ann.page.getByRole('tab').count(), 2, 'the talk is closed');

  // Whoever is at the chat is told of its lines, and of many at once what comes last.
  const told = ann.page.evaluate(() => {
    let times = 0;
    const region = /** @type {HTMLElement} */ (document.getElementById('announcer'));
    new MutationObserver(() => times++).observe(region, { childList: true });
    return new Promise((resolve) => {
      const log = /** @type {HTMLElement} */ (document.getElementById('talk-log'));
      new MutationObserver(() => log.textContent?.includes('line 39') && resolve([times, region.getAttribute('aria-live')])).observe(log, { childList: true });
    });
  });
  await bo.page.evaluate(talk, { names: Array.from({ length: 8 }, (_, n) => `Guest ${n}`), texts: Array.from({ length: 40 }, (_, n) => `line ${n}`) });
  const [times, live] = /** @type {[number, string]} */ (await told);
  assert.equal(live, 'polite');
  assert.ok(times > 0 && times < 20, `${times} messages of 40 lines`);
  for (const opened of [ann, bo]) {
    await isUnharmed(opened);
    await opened.page.context().close();
  }
});

test('on a screen of 360 pixels nothing sticks out', async (t) => {
  const server = await startServer();
  t.after(() => server.stop());
  const ann = await come(server.url, 'A name as long as can be', NARROW);
  const bo = await come(server.url, 'W'.repeat(24), NARROW);
  const wide = () => ann.page.evaluate(() => {
    const page = /** @type {HTMLElement} */ (document.getElementById('lobby'));
    return [document.documentElement.scrollWidth - window.innerWidth, page.scrollWidth - page.clientWidth];
  });
  assert.deepEqual(await wide(), [0, 0]);
  await ann.page.tap('#party-create');
  await ann.page.locator('#party-list li').waitFor();
  await say(bo.page, 'W'.repeat(200));
  await line(ann.page, 'WWW').waitFor();
  await say(ann.page, `https://example.org/${'x'.repeat(150)}`);
  await bo.page.locator('.talk-author').first().tap();
  await say(bo.page, 'psst');
  await ann.page.locator('.tab .badge:not([hidden])').first().waitFor();
  assert.deepEqual(await wide(), [0, 0]);
  await ann.page.getByRole('tab', { name: 'People' }).tap();
  assert.deepEqual(await wide(), [0, 0]);
  await ann.page.getByRole('tab').last().tap();
  await line(ann.page, 'psst').waitFor();
  assert.deepEqual(await wide(), [0, 0]);
  for (const opened of [ann, bo]) {
    await isUnharmed(opened);
    await opened.page.context().close();
  }
});

test('a server of before has no panels of what it knows nothing of', async (t) => {
  const server = await startServer();
  t.after(() => server.stop());
  const context = await browser.newContext(DESKTOP);
  t.after(() => context.close());
  context.setDefaultTimeout(WAIT_MS);
  // As a welcome of such a server reads.
  await context.route('**/client/protocol/server_message.js', async (route) => {
    const answer = await route.fetch();
    const body = (await answer.text()).replace('features: r.u32()', 'features: r.u32() & 63');
    return route.fulfill({ response: answer, body });
  });
  const page = await context.newPage();
  await page.goto(server.url);
  await page.waitForFunction(() => /** @type {any} */ (window).tickwire.link?.state === 'open');
  for (const id of ['talk', 'party', 'duel', 'pair']) assert.ok(await page.locator(`#${id}`).isHidden(), id);
  await page.click('#play');
  await inArena(page);
});

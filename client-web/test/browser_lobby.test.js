/**
 * The demo's lobby and chat as visitors use them: the board and their own place, what was said
 * before they came, the keyboard, what a screen reader is told. The server is the real one, with a
 * file; peers' texts are such as would harm a page that took them for markup.
 */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { DESKTOP, WAIT_MS, inArena, openPage, startBrowser, startServer } from './browser_support.js';
import { forAll } from './support/for_all.js';
import { freeAddress } from './support/free_address.js';

/** @typedef {import('playwright-core').Page} Page */

const TOKEN = 'operators-0123456789-0123456789-token';
const EVIL = [
  '<img src=x onerror=hacked=1>',
  '<script>hacked=1</script>',
  '<svg/onload=hacked=1>',
  '"><b onfocus=hacked=1>',
  "';hacked=1;//",
  'javascript:hacked=1',
  '</table><img src=x>',
  '\u202Eevil\u202C',
];

const browser = await forAll(startBrowser());

/** A folder that is gone after the test, and how to start a server that stores there. @param {import('node:test').TestContext} t */
function place(t) {
  const folder = mkdtempSync(join(tmpdir(), 'tickwire-lobby-'));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'token'), TOKEN);
  const file = join(folder, 'tickwire.db');
  return {
    file,
    /** @param {string} [address] */
    async start(address) {
      const ops = await freeAddress();
      const settings = ['--store', file, '--admin-token-file', join(folder, 'token')];
      const server = await startServer(settings, address, undefined, ops);
      t.after(() => server.stop());
      return { ...server, ops };
    },
  };
}

/** Who is connected, by the operator's list. @param {string} ops */
async function players(ops) {
  const answer = await fetch(`http://${ops}/admin/players`, { headers: { authorization: `Bearer ${TOKEN}` } });
  return /** @type {Promise<{ player: string, name: string }[]>} */ (answer.json());
}

/** @param {string} file @param {[player: string, name: string, value: number][]} rows */
function fill(file, rows) {
  const script = `
import json, sqlite3, sys, time
now = int(time.time() * 1000)
with sqlite3.connect(sys.argv[1]) as db:
    for player, name, value in json.loads(sys.argv[2]):
        db.execute('INSERT OR REPLACE INTO players (player, name, first_seen, last_seen) VALUES (?, ?, ?, ?)', (player, name, now, now))
        db.execute('INSERT INTO scores VALUES (?, ?, ?, ?, ?)', ('arena', '', player, value, now))
`;
  execFileSync('python3', ['-c', script, file, JSON.stringify(rows)]);
}

/** @param {Page} page @param {string} name */
async function play(page, name) {
  await page.fill('#name', name);
  await page.click('#play');
  await inArena(page);
}

/** @param {Page} page @returns {Promise<unknown>} what a text did that ran */
const harm = (page) => page.evaluate(() => /** @type {any} */ (window).hacked);

test('who played finds their place in a next visit, among names that are no markup', async (t) => {
  const there = place(t);
  const first = await there.start();
  const context = await browser.newContext(DESKTOP);
  t.after(() => context.close());
  context.setDefaultTimeout(WAIT_MS);
  const page = await context.newPage();
  await page.goto(first.url);
  await page.getByText('Nobody is on it yet.').waitFor();
  assert.ok(await page.locator('#board').isHidden());
  await play(page, 'Ann');
  const { player } = (await players(first.ops)).find(({ name }) => name === 'Ann') ?? assert.fail('nobody of that name');
  assert.match(player, /^guest:/);
  await page.close();
  await first.stop();

  // As if they had been in rounds: the best have the worst names.
  const others = EVIL.map((name, n) => /** @type {[string, string, number]} */ ([`user:${n}`, name, 50 - n]));
  const crowd = Array.from({ length: 150 }, (_, n) => /** @type {[string, string, number]} */ ([`guest:${n}`, `Guest ${n}`, 20]));
  fill(there.file, [...others, ...crowd, [player, 'Ann', 30], ['gone:1', '', 10]]);
  const second = await there.start(first.address);
  const again = await context.newPage();
  /** @type {string[]} */
  const complaints = [];
  again.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  await again.goto(second.url);
  const table = again.getByRole('table', { name: 'The most points that somebody had in a round' });
  await table.getByRole('rowheader', { name: EVIL[0] }).waitFor();
  assert.equal(await table.locator('tbody tr').count(), 100);
  const own = table.locator('tr[aria-current=true]');
  assert.deepEqual(await own.locator('th, td').allTextContents(), [String(EVIL.length + 1), 'Annyouguest', '30']);
  assert.equal(await again.locator('#board-own').textContent(), `You are at place ${EVIL.length + 1} with 30 points.`);
  const names = await table.locator('tbody tr:nth-child(-n+8) bdi').allTextContents();
  assert.deepEqual(names, EVIL);
  assert.equal(await again.locator('.board img, .board script, .board svg, .board b').count(), 0);

  // Another tab is another player, who has no place.
  const beside = await context.newPage();
  await beside.goto(second.url);
  await beside.locator('#board-rows tr').first().waitFor();
  assert.equal(await beside.locator('#board-rows .me').count(), 0);
  assert.ok(await beside.locator('#board-own').isHidden());
  await play(beside, 'Ben');
  const here = await players(second.ops);
  const ben = here.find(({ name }) => name === 'Ben');
  assert.ok(ben !== undefined && ben.player !== player, 'somebody else');
  assert.equal(await harm(again), undefined);
  assert.deepEqual(complaints, []);
});

test('without a store the lobby says why there is no board', async (t) => {
  const server = await startServer();
  t.after(() => server.stop());
  const { page, complaints } = await openPage(browser, server.url);
  await page.getByText('This server keeps no results, so it has no board.').waitFor();
  assert.ok(await page.locator('#board').isHidden());
  assert.deepEqual(complaints, []);
  await page.context().close();
});

/**
 * Runs in a page: players who say so many lines in a room, and leave.
 * @param {{ code: string, texts: string[], players: number }} what
 */
async function talk({ code, texts, players: count }) {
  const sdk = '/client/tickwire.js';
  const { connect } = await import(sdk);
  const links = [];
  for (let n = 0; n < count; n += 1) {
    const link = await connect({ name: texts[n % texts.length] });
    links.push({ link, room: await link.joinCode(code) });
  }
  // As many as may be said at once.
  for (let n = 0; n < 5; n += 1) {
    for (const { room } of links) await room.say(`${n} ${texts[n % texts.length]}`);
  }
  for (const { link } of links) link.close();
}

test('what was said before is read by the keyboard and by scrolling, and stays where it is', async (t) => {
  const server = await place(t).start();
  const ann = await openPage(browser, server.url);
  await play(ann.page, 'Ann');
  const code = await ann.page.evaluate(() => /** @type {any} */ (window).tickwire.room.code);
  const crowd = await openPage(browser, server.url);
  await crowd.page.evaluate(talk, { code, texts: EVIL, players: 24 });
  await crowd.page.context().close();

  const ben = await openPage(browser, `${server.url}#${code}`);
  await inArena(ben.page);
  await ben.page.keyboard.press('Enter');
  const [log, past] = [ben.page.locator('#chat-log li'), ben.page.locator('#chat-past li')];
  const shown = await log.count();
  assert.ok(shown >= 30, `${shown} lines of before`);
  // The welcome to the room does not say when they were said; it is read.
  await ben.page.waitForFunction(() => document.querySelectorAll('#chat-log li:not(:has(time))').length === 0);

  // As one scrolls to the top, and what is looked at stays where it is.
  const top = () => log.first().evaluate((line) => line.getBoundingClientRect().top);
  await ben.page.locator('#chat-scroll').evaluate((at) => at.scrollTo(0, 10));
  const before = await top();
  await past.nth(49).waitFor({ state: 'attached' });
  assert.ok(Math.abs(await top() - before) < 2, 'it stays where it was');
  await ben.page.getByRole('status').filter({ hasText: '50 earlier lines' }).waitFor({ state: 'attached' });

  // By the keyboard until there is no more to ask for.
  await ben.page.keyboard.press('Shift+Tab');
  assert.equal(await ben.page.evaluate(() => document.activeElement?.id), 'chat-more');
  await past.nth(119 - shown).waitFor({ state: 'attached' });
  await ben.page.keyboard.press('Enter');
  await ben.page.locator('#chat-more').waitFor({ state: 'hidden' });
  const numbers = await ben.page.locator('#chat-scroll li').evaluateAll((all) => all.map((line) => Number(line.dataset.line)));
  assert.deepEqual(numbers, Array.from({ length: 120 }, (_, n) => n + 1));
  const first = await past.first().evaluate((line) => [...line.childNodes].map((part) => part.nodeName));
  assert.deepEqual(first, ['TIME', 'B', '#text']);

  // Who writes is shown to the other, and what they say comes below.
  await ben.page.focus('#chat-text');
  await ben.page.keyboard.type(EVIL[0]);
  await ann.page.locator('.chat-typing', { hasText: 'is typing' }).waitFor();
  await ben.page.keyboard.press('Enter');
  await ann.page.locator('#chat-log li[data-line="121"]', { hasText: EVIL[0] }).waitFor();
  assert.equal(await past.count(), 0, 'closed, it lets go of what was read');
  for (const { page, complaints } of [ann, ben]) {
    assert.equal(await harm(page), undefined);
    assert.equal(await page.locator('.chat img, .chat script, .chat svg, .chat b b').count(), 0);
    assert.deepEqual(complaints, []);
    await page.context().close();
  }
});

/** What somebody does something with, by what a screen reader calls it. */
const CONTROLS = ['button', 'link', 'textbox', 'checkbox', 'radio', 'slider', 'combobox', 'application', 'table', 'region', 'dialog', 'alertdialog', 'log', 'radiogroup', 'list'];

/**
 * @param {Page} page
 * @returns {Promise<{ role: string, name: string, live: string }[]>} what a screen reader finds
 */
async function heard(page) {
  const devtools = await page.context().newCDPSession(page);
  const { nodes } = await devtools.send('Accessibility.getFullAXTree');
  await devtools.detach();
  return nodes.filter((node) => !node.ignored).map((node) => ({
    role: String(node.role?.value ?? ''),
    name: String(node.name?.value ?? ''),
    live: String(node.properties?.find(({ name }) => name === 'live')?.value.value ?? ''),
  }));
}

/** @param {Page} page @param {string} where */
async function allNamed(page, where) {
  const nodes = await heard(page);
  const nameless = nodes.filter(({ role, name }) => CONTROLS.includes(role) && role !== 'list' && name.trim() === '');
  assert.deepEqual(nameless, [], where);
  assert.ok(nodes.some(({ role }) => role === 'button'), where);
  return nodes;
}

test('every control has a name, and what comes is read out', async (t) => {
  const server = await place(t).start();
  const { page, complaints } = await openPage(browser, server.url);
  await page.getByText('Nobody is on it yet.').waitFor();
  await allNamed(page, 'the lobby');
  await page.click('#create');
  await allNamed(page, 'the dialog');
  await page.keyboard.press('Escape');
  await play(page, 'Ann');
  await page.keyboard.press('Enter');
  const nodes = await allNamed(page, 'the game');
  const log = nodes.find(({ role }) => role === 'log');
  assert.deepEqual([log?.name, log?.live], ['Chat', 'polite']);
  await page.keyboard.press('Escape');
  // Tab shows the scores while one plays; Escape leads from there to what is around.
  await page.focus('#stage');
  await page.keyboard.press('Escape');
  for (const tool of ['tool-link', 'tool-chat', 'tool-scores']) {
    assert.equal(await page.evaluate(() => document.activeElement?.id), tool);
    if (tool !== 'tool-scores') await page.keyboard.press('Tab');
  }
  await page.keyboard.press('Enter');
  await page.locator('#scores-rows tr').waitFor();
  await allNamed(page, 'the scoreboard');
  assert.deepEqual(complaints, []);
  await page.context().close();
});

test('the keyboard goes through the lobby in the order in which it is read', async (t) => {
  const server = await place(t).start();
  const { page } = await openPage(browser, server.url);
  await page.getByText('Nobody is on it yet.').waitFor();
  await page.locator('#talk').waitFor();
  await page.focus('#name');
  const order = [];
  do {
    order.push(await page.evaluate(() => {
      const { id, name } = /** @type {HTMLInputElement} */ (document.activeElement);
      return id || name || document.activeElement?.className;
    }));
    await page.keyboard.press('Tab');
  } while (order.length < 30 && !(await page.evaluate(() => document.activeElement === document.body)));
  assert.deepEqual(order, [
    'name', 'colour', 'mode', 'play', 'duel', 'pair', 'code', 'button', 'party-create', 'party-code', 'button', 'refresh', 'create', 'board-scroll',
    'tab-lobby', 'talk-scroll', 'talk-text', 'button',
  ]);
  await page.context().close();
});

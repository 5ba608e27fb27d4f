/**
 * The demo's lobby as visitors use it: the board and their own place. The server is the real one,
 * with a file; names are such as would harm a page that took them for markup.
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
        db.execute('INSERT OR REPLACE INTO players VALUES (?, ?, ?, ?)', (player, name, now, now))
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
  const [{ player }] = await players(first.ops);
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
  assert.equal(here.length, 1);
  assert.notEqual(here[0].player, player);
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

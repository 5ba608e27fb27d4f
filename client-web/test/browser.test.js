/**
 * The whole path in a real browser: from a key press on one page to another page's screen. The
 * server is the real one, the pages are the demo. `TICKWIRE_SCREENSHOT=1` also takes the README's
 * picture.
 */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { PHONE, inArena, openPage, startBrowser, startServer } from './browser_support.js';
import { forAll } from './support/for_all.js';
import { freeAddress } from './support/free_address.js';

/** @typedef {import('playwright-core').Page} Page */

const browser = await forAll(startBrowser());
const TOKEN = 'operators-0123456789-0123456789-token';
const folder = mkdtempSync(join(tmpdir(), 'tickwire-browser-'));
writeFileSync(join(folder, 'token'), TOKEN);
const ops = await freeAddress();
const server = await forAll(startServer(['--npcs', '20', '--seed', '7', '--admin-token-file', join(folder, 'token')], undefined, undefined, ops));
after(() => rmSync(folder, { recursive: true }));

/** @param {Page} page @returns {Promise<any>} the current room's code and the own number */
function roomOf(page) {
  return page.evaluate(() => {
    const { room } = /** @type {any} */ (window).tickwire;
    return { code: room.code, you: room.you };
  });
}

/**
 * @param {Page} page
 * @param {number} player
 * @returns {Promise<{ x: number, y: number }>} where the page shows them
 */
async function placeOf(page, player) {
  const handle = await page.waitForFunction((wanted) => {
    const { view } = /** @type {any} */ (window).tickwire;
    const entity = view?.entities.find((/** @type {any} */ e) => e.avatar && e.owner === wanted);
    return entity?.pos && { x: entity.pos.x, y: entity.pos.y };
  }, player);
  return /** @type {any} */ (await handle.jsonValue());
}

/**
 * @param {Page} page
 * @param {number} player
 * @param {number} x
 * @param {number} direction waits until they moved there by 20 units: walls may be near
 */
function movedFrom(page, player, x, direction) {
  return page.waitForFunction(([wanted, from, way]) => {
    const { view } = /** @type {any} */ (window).tickwire;
    const entity = view?.entities.find((/** @type {any} */ e) => e.avatar && e.owner === wanted);
    return entity && (entity.pos.x - from) * way > 20;
  }, [player, x, direction]);
}

/** @param {Page} page @param {string} name */
async function play(page, name) {
  await page.fill('#name', name);
  await page.click('#play');
  await inArena(page);
}

test('two clicks lead into the arena, and a key press reaches the other screen', async () => {
  const ann = await openPage(browser, server.url);
  await play(ann.page, 'Ann');
  const { code, you } = await roomOf(ann.page);
  assert.equal(new URL(ann.page.url()).hash, `#${code}`, 'the address names the room');

  const ben = await openPage(browser, `${server.url}#${code}`);
  await inArena(ben.page);
  assert.equal((await roomOf(ben.page)).code, code, 'a link leads into the same room');

  const from = await placeOf(ben.page, you);
  const [key, way] = from.x < 500 ? ['KeyD', 1] : ['KeyA', -1];
  await ann.page.keyboard.down(String(key));
  await movedFrom(ann.page, you, from.x, Number(way));
  await movedFrom(ben.page, you, from.x, Number(way));
  await ann.page.keyboard.up(String(key));

  const stats = await ann.page.evaluate(() => /** @type {any} */ (window).tickwire.room.stats);
  assert.equal(stats.desyncs, 0);
  assert.equal(stats.predictionError, 0, 'the rule is exact on both sides');
  assert.deepEqual(ann.complaints, []);
  assert.deepEqual(ben.complaints, []);
  await ann.page.context().close();
  await ben.page.context().close();
});

test('chat and names cross as text, never as markup', async () => {
  const evil = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>';
  const ann = await openPage(browser, server.url);
  await play(ann.page, '<b>Mallory</b>');
  const { code } = await roomOf(ann.page);
  const ben = await openPage(browser, `${server.url}#${code}`);
  await inArena(ben.page);

  await ann.page.keyboard.press('Enter');
  await ann.page.keyboard.type(evil);
  await ann.page.keyboard.press('Enter');
  const line = ben.page.locator('#chat-log li').filter({ hasText: evil });
  await line.waitFor();
  assert.match(String(await line.locator('time').textContent()), /^\d\d[:.]\d\d/);
  assert.ok((await line.textContent())?.endsWith(`<b>Mallory</b>${evil}`));
  await ben.page.keyboard.down('Tab');
  await ben.page.locator('#scores-rows').getByText('<b>Mallory</b>', { exact: true }).waitFor();
  await ben.page.keyboard.up('Tab');

  for (const { page, complaints } of [ann, ben]) {
    assert.equal(await page.locator('#game img, #game script, #game b b').count(), 0);
    assert.equal(await page.evaluate(() => /** @type {any} */ (window).hacked), undefined);
    assert.deepEqual(complaints, []);
  }
  await ann.page.context().close();
  await ben.page.context().close();
});

test('what an operator says is shown as text, and read out', async () => {
  const ann = await openPage(browser, server.url);
  await play(ann.page, 'Ann');
  const evil = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script> Supper!';
  const headers = { authorization: `Bearer ${TOKEN}` };
  const said = await fetch(`http://${ops}/admin/announce`, { method: 'POST', headers, body: JSON.stringify({ text: evil, durable: true }) });
  assert.deepEqual(await said.json(), { now: 1, later: 0 });
  const note = ann.page.getByRole('status').filter({ hasText: 'Supper!' });
  await note.waitFor();
  assert.equal(await note.locator('.toast').last().textContent(), evil);
  assert.equal(await note.locator('img, script').count(), 0);
  // Who comes is told too.
  const ben = await openPage(browser, server.url);
  await play(ben.page, 'Ben');
  await ben.page.getByRole('status').filter({ hasText: 'Supper!' }).waitFor();
  for (const { page, complaints } of [ann, ben]) {
    assert.equal(await page.evaluate(() => /** @type {any} */ (window).hacked), undefined);
    assert.deepEqual(complaints, []);
    await page.context().close();
  }
});

test('a private room is made, hidden from the list, and joined by its code', async () => {
  const ann = await openPage(browser, server.url);
  await ann.page.click('#create');
  await ann.page.fill('#create-name', 'Hideout');
  await ann.page.locator('.switch:has(#create-private)').click();
  await ann.page.click('#create-form [type=submit]');
  await inArena(ann.page);
  const { code } = await roomOf(ann.page);

  const ben = await openPage(browser, server.url);
  const rooms = await ben.page.evaluate(async () => (await fetch('/api/rooms')).json());
  assert.ok(!JSON.stringify(rooms).includes('Hideout'));
  await ben.page.fill('#code', `see you at ${server.url}#${code}`);
  await ben.page.click('#code-form [type=submit]');
  await inArena(ben.page);
  assert.equal((await roomOf(ben.page)).code, code);

  await ben.page.click('#tool-leave');
  await ben.page.waitForSelector('#lobby:not([hidden])');
  assert.equal(new URL(ben.page.url()).hash, '');
  await ben.page.fill('#code', 'NOSUCH99');
  await ben.page.click('#code-form [type=submit]');
  await ben.page.getByText('There is no such room.').waitFor();
  assert.deepEqual(ann.complaints, []);
  assert.deepEqual(ben.complaints, []);
  await ann.page.context().close();
  await ben.page.context().close();
});

test('two who look for a duel accept it by the keyboard and meet in an arena of their own', async () => {
  const pages = [];
  for (const name of ['Ann', 'Ben']) {
    const { page, complaints } = await openPage(browser, server.url);
    await page.fill('#name', name);
    await page.focus('#duel');
    await page.keyboard.press('Enter');
    pages.push({ page, complaints });
  }
  for (const { page } of pages) {
    await page.waitForSelector('#overlay-accept:not([hidden])');
    assert.equal(await page.textContent('#overlay-title'), 'A duel is found');
    assert.match(String(await page.textContent('#overlay-note')), /^[01] of 2 have accepted\. \d+ s left\.$/);
    // It has the focus, and a screen reader the title and the note.
    await page.keyboard.press('Enter');
  }
  await Promise.all(pages.map(({ page }) => inArena(page)));
  const [ann, ben] = await Promise.all(pages.map(({ page }) => roomOf(page)));
  assert.equal(ann.code, ben.code);
  for (const { page, complaints } of pages) {
    assert.deepEqual(complaints, []);
    await page.context().close();
  }
});

test('on a phone the left thumb moves and the right thumb fires', async () => {
  const { page, complaints } = await openPage(browser, server.url, PHONE);
  await page.tap('#play');
  await inArena(page);
  const { you } = await roomOf(page);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
  assert.equal(overflow, false, 'nothing sticks out sideways');

  const from = await placeOf(page, you);
  const way = from.x < 500 ? 1 : -1;
  const touch = await page.context().newCDPSession(page);
  const left = { x: 100, y: 690, id: 1 };
  const right = { x: 290, y: 690, id: 2 };
  await touch.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: [left, right] });
  left.x += 50 * way;
  right.y -= 50;
  await touch.send('Input.dispatchTouchEvent', { type: 'touchMove', touchPoints: [left, right] });
  await movedFrom(page, you, from.x, way);
  await page.waitForFunction(() => /** @type {any} */ (window).tickwire.view.me.gun.rounds < 12);
  await touch.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
  await page.waitForFunction(() => document.querySelectorAll('.stick.held').length === 0);

  await page.tap('#tool-scores');
  await page.locator('#scores:not([hidden])').waitFor();
  await page.tap('#tool-chat');
  await page.fill('#chat-text', 'from my phone');
  await page.tap('#chat-form [type=submit]');
  await page.locator('#chat-log').getByText('from my phone').waitFor();
  assert.deepEqual(complaints, []);
  await page.context().close();
});

test('a colour and a mode that are chosen reach the room, the other screen and the list', async () => {
  const ann = await openPage(browser, server.url);
  await ann.page.click('#colours [data-value=teal]');
  await ann.page.click('#modes [data-value=hunt]');
  await play(ann.page, 'Ann');
  const room = await roomOf(ann.page);
  const mode = await ann.page.evaluate(() => /** @type {any} */ (window).tickwire.room.options.mode);
  assert.equal(mode, 'hunt');

  const ben = await openPage(browser, server.url);
  await ben.page.locator('.room-what', { hasText: 'Hunt' }).first().waitFor();
  await ben.page.click('#colours [data-value=pink]');
  await ben.page.click('#modes [data-value=hunt]');
  await play(ben.page, 'Ben');
  assert.equal((await roomOf(ben.page)).code, room.code, 'the only room of that mode');
  await ben.page.waitForFunction((ann) => {
    const { room: here, view } = /** @type {any} */ (window).tickwire;
    const worn = (/** @type {number} */ player) => view.entities.find((/** @type {any} */ e) => e.avatar && e.owner === player)?.look.colour;
    return worn(ann) === 'teal' && worn(here.you) === 'pink';
  }, room.you);

  await ben.page.reload();
  await inArena(ben.page);
  await ben.page.click('#tool-leave');
  assert.ok(await ben.page.locator('#colours [value=pink]').isChecked(), 'it is remembered');
  for (const { page, complaints } of [ann, ben]) {
    assert.deepEqual(complaints, []);
    await page.context().close();
  }
});

test('a page returns by itself when the server restarts', async (t) => {
  const first = await startServer();
  t.after(() => first.stop());
  const { page } = await openPage(browser, first.url);
  await play(page, 'Ann');
  await first.stop();
  await page.locator('#overlay:not([hidden])').waitFor();
  const second = await startServer([], first.address);
  t.after(() => second.stop());
  await page.locator('#overlay').waitFor({ state: 'hidden' });
  await inArena(page);
  assert.equal(await page.evaluate(() => /** @type {any} */ (window).tickwire.room.link.state), 'open');
  await page.context().close();
});

test('the README picture', { skip: process.env.TICKWIRE_SCREENSHOT !== '1' }, async () => {
  const { page, complaints } = await openPage(browser, server.url);
  await page.fill('#name', 'Falcon');
  await page.click('#create');
  await page.fill('#create-name', 'Friday skirmish');
  await page.click('#create-form [type=submit]');
  await inArena(page);
  const { code } = await roomOf(page);
  const crowd = await openPage(browser, server.url);
  await crowd.page.evaluate(joinCrowd, code);
  await page.waitForFunction(() => /** @type {any} */ (window).tickwire.room.members.size === 8);
  await page.click('#ready');
  await page.waitForFunction(() => /** @type {any} */ (window).tickwire.view.state.round.phase === 'play');
  await inArena(page);
  await page.mouse.move(900, 260);
  await page.mouse.down();
  await page.evaluate(walkToTheMiddle);
  // A moment with a fight in it, away from the walls: others near, shots in the air.
  await page.waitForFunction(() => {
    const { view } = /** @type {any} */ (window).tickwire;
    const { x, y } = view.me.pos;
    const near = (/** @type {any} */ at) => Math.abs(at.x - x) < 320 && Math.abs(at.y - y) < 190;
    const others = view.entities.filter((/** @type {any} */ e) => e.avatar && e !== view.me && e.health.hp > 0 && near(e.pos));
    const shots = view.entities.filter((/** @type {any} */ e) => e.flight && near(e.flight));
    const inside = x > 250 && x < 750 && y > 200 && y < 800;
    return inside && view.me.health.hp > 0 && others.length >= 3 && shots.length >= 4;
  }, undefined, { timeout: 60_000 });
  await page.screenshot({ path: fileURLToPath(new URL('../screenshot.png', import.meta.url)) });
  assert.deepEqual(complaints, []);
  await crowd.page.context().close();
  await page.context().close();
});

/** Runs in a page: presses keys towards the open ground south of the middle. */
function walkToTheMiddle() {
  const press = (/** @type {string} */ code, /** @type {boolean} */ down) =>
    window.dispatchEvent(new KeyboardEvent(down ? 'keydown' : 'keyup', { code }));
  setInterval(() => {
    const { x, y } = /** @type {any} */ (window).tickwire.view.me.pos;
    press('KeyD', x < 420);
    press('KeyA', x > 580);
    press('KeyS', y < 660);
    press('KeyW', y > 720);
  }, 100);
}

/**
 * Runs in a page: seven players who chase whoever is nearest and say something.
 * @param {string} code the room's
 */
async function joinCrowd(code) {
  const sdk = '/client/tickwire.js';
  const { connect } = await import(sdk);
  const names = ['Marla', 'Kestrel', 'Jin', 'Octavia', 'Reza', 'Tumbleweed', 'Pip'];
  for (const [n, name] of names.entries()) {
    const link = await connect({ name });
    const room = await link.joinCode(code);
    const input = { dx: 0, dy: 0, aim: 0, fire: false };
    room.play({ input: () => input });
    room.ready(true);
    setInterval(() => {
      const { me, entities } = room.view();
      if (!me?.pos) return;
      const others = entities.filter((/** @type {any} */ e) => e.avatar && e !== me && e.health.hp > 0);
      const far = (/** @type {any} */ e) => (e.pos.x - me.pos.x) ** 2 + (e.pos.y - me.pos.y) ** 2;
      const [prey] = others.sort((/** @type {any} */ a, /** @type {any} */ b) => far(a) - far(b));
      const host = others.find((/** @type {any} */ e) => e.owner === 0) ?? prey;
      if (!prey || !host) return;
      const way = Math.atan2(host.pos.y - me.pos.y, host.pos.x - me.pos.x) + Math.sin(performance.now() / 700 + n * 2);
      input.dx = Math.cos(way);
      input.dy = Math.sin(way);
      input.aim = Math.atan2(prey.pos.y - me.pos.y, prey.pos.x - me.pos.x);
      input.fire = far(prey) < 250 ** 2;
    }, 50);
    // Lines fade after nine seconds.
    const line = ['meet in the middle', 'on my way', 'who took the ammo?'][n];
    if (line) setInterval(() => room.say(line), 7000 + n * 1000);
  }
}

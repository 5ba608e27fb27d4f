/**
 * The examples as a newcomer meets them: each one's own program and page, in a real browser. What
 * their rules do is tested beside them, in Rust.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { openPage, startBrowser } from './browser_support.js';
import { forAll } from './support/for_all.js';
import { startProxy } from './support/proxy.js';
import { EXAMPLES, startServer } from './support/server.js';

/** @typedef {import('playwright-core').Page} Page */

const browser = await forAll(startBrowser());

/**
 * Waits until a colour's middle on the canvas is where it should be.
 * @param {Page} page
 * @param {'own' | 'other'} whose the own square is green, the other's is orange
 * @param {'left' | 'right'} half
 */
function squareIn(page, whose, half) {
  return page.waitForFunction(([square, side]) => {
    const canvas = /** @type {HTMLCanvasElement} */ (document.querySelector('canvas'));
    const { data } = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d')).getImageData(0, 0, 1000, 1000);
    let [sum, count] = [0, 0];
    for (let at = 0; at < data.length; at += 4) {
      if (data[at + 3] === 0 || (data[at + 1] > data[at]) !== (square === 'own')) continue;
      sum += (at / 4) % 1000;
      count++;
    }
    const middle = sum / count;
    return side === 'left' ? middle < 450 : middle > 550;
  }, [whose, half]);
}

test('squares move with the arrow keys, on both pages', async () => {
  const server = await startServer([], '127.0.0.1:0', `${EXAMPLES}/square`);
  try {
    const ann = await openPage(browser, server.url);
    const bo = await openPage(browser, server.url);
    await ann.page.keyboard.down('ArrowLeft');
    await bo.page.keyboard.down('ArrowRight');
    await squareIn(ann.page, 'own', 'left');
    await squareIn(ann.page, 'other', 'right');
    await squareIn(bo.page, 'own', 'right');
    await squareIn(bo.page, 'other', 'left');
    assert.deepEqual([...ann.complaints, ...bo.complaints], []);
  } finally {
    assert.equal(await server.stop(), 0);
  }
});

/** @param {Page} page @param {number} cards waits until the own hand has so many */
function holds(page, cards) {
  return page.waitForFunction((wanted) => document.querySelectorAll('#hand button').length === wanted, cards);
}

test('a card table: hands are dealt, turns are answered, both pages tell of it, and players of one name apart', async () => {
  const server = await startServer(['--seed', '3'], '127.0.0.1:0', `${EXAMPLES}/cards`);
  try {
    const players = [];
    for (let i = 0; i < 2; i++) {
      const { page, complaints } = await openPage(browser, server.url);
      await page.fill('#name', '<i>Bo');
      await page.click('#door button');
      players.push({ name: '', page, complaints });
    }
    for (const player of players) {
      await holds(player.page, 5);
      player.name = (await player.page.locator('#seats .me b').textContent()) ?? '';
      assert.match(player.name, /^<i>Bo#\d+$/);
    }
    assert.notEqual(players[0].name, players[1].name);
    const hands = await Promise.all(players.map(({ page }) => page.locator('#hand button').evaluateAll(titles)));
    assert.equal(new Set(hands.flat()).size, 10, 'no card is in two hands');

    const isFirst = (await players[0].page.locator('#hand.mine').count()) === 1;
    const [now, next] = isFirst ? players : [...players].reverse();
    await next.page.click('#stock');
    await next.page.getByText('No: it is not your turn').waitFor();
    await now.page.click('#stock');
    await now.page.getByText('You drew').waitFor();
    await now.page.locator('#hand .new').waitFor();
    await next.page.getByText(`${now.name} drew`).waitFor();
    const door = await openPage(browser, server.url);
    await door.page.getByText(/: 2 of \d+ seats, round 1, 2 play/).waitFor();
    await door.page.close();
    await next.page.locator('#hand.mine').waitFor();
    await holds(now.page, 6);

    // The log is told again to a page that forgot it: what everyone heard, and what one heard
    // alone.
    const log = await now.page.locator('#log li').allTextContents();
    assert.equal(log.length, 3, log.join(', '));
    await now.page.reload();
    await now.page.fill('#name', '<i>Bo');
    await now.page.click('#door button');
    await holds(now.page, 6);
    await now.page.waitForFunction((lines) => document.querySelectorAll('#log li').length >= lines, log.length);
    assert.deepEqual(await now.page.locator('#log li').allTextContents(), log);
    assert.deepEqual(players.flatMap(({ complaints }) => complaints), []);
  } finally {
    assert.equal(await server.stop(), 0);
  }
});

test('what happens at the table while a connection is lost is told once, when it is back', async () => {
  const server = await startServer(['--seed', '3'], '127.0.0.1:0', `${EXAMPLES}/cards`);
  const proxies = [await startProxy(server.address), await startProxy(server.address)];
  try {
    const players = [];
    for (const proxy of proxies) {
      const { page } = await openPage(browser, proxy.url);
      await page.fill('#name', `player ${players.length}`);
      await page.click('#door button');
      players.push({ name: `player ${players.length}`, page, proxy });
    }
    for (const { page } of players) await holds(page, 5);
    const isFirst = (await players[0].page.locator('#hand.mine').count()) === 1;
    const [now, away] = isFirst ? players : [...players].reverse();
    const lines = () => away.page.locator('#log li').allTextContents();
    const before = await lines();
    away.proxy.hold(true);
    away.proxy.cut();
    await now.page.click('#stock');
    await now.page.getByText('You drew').waitFor();
    assert.deepEqual(await lines(), before);
    away.proxy.hold(false);
    await away.page.getByText(`${now.name} drew`).waitFor();
    await away.page.locator('#hand.mine').waitFor();
    assert.deepEqual(await lines(), [...before, `${now.name} drew`]);
  } finally {
    for (const proxy of proxies) proxy.stop();
    assert.equal(await server.stop(), 0);
  }
});

/** @param {(SVGElement | HTMLElement)[]} cards @returns {string[]} */
function titles(cards) {
  return cards.map((card) => /** @type {HTMLElement} */ (card).title);
}

/** @param {Page} page @param {string} text */
async function says(page, text) {
  await page.fill('#line', text);
  await page.press('#line', 'Enter');
}

/** @param {Page} page @param {string} text waits until it is in the log */
const heard = (page, text) => page.locator('#log li', { hasText: text }).waitFor();

test('a chat: rooms, who is writing, one to one also with who is away, and what was said before', async () => {
  const server = await startServer([], '127.0.0.1:0', `${EXAMPLES}/chat`);
  try {
    const [ann, bo] = [await openPage(browser, server.url), await openPage(browser, server.url)];
    for (const [{ page }, name] of /** @type {const} */ ([[ann, 'Ann'], [bo, '<b>Bo']])) {
      await page.fill('#name', name);
      await page.press('#name', 'Enter');
      await page.locator('#title', { hasText: 'Lobby' }).waitFor();
    }
    await says(ann.page, 'hello, lobby');
    await heard(bo.page, 'hello, lobby');
    await ann.page.fill('#room-name', 'tea');
    await ann.page.press('#room-name', 'Enter');
    await ann.page.locator('#title', { hasText: 'Room' }).waitFor();
    await says(ann.page, 'before Bo came');
    await heard(ann.page, 'before Bo came');
    await bo.page.getByRole('button', { name: 'tea (1)' }).click();
    await heard(bo.page, 'before Bo came');
    await bo.page.locator('#line').pressSequentially('<img src=x onerror=alert(1)>');
    await ann.page.getByText('<b>Bo …').waitFor();
    await bo.page.press('#line', 'Enter');
    await heard(ann.page, '<img src=x onerror=alert(1)>');

    // To one alone, who goes and finds the rest on coming back.
    await bo.page.getByRole('button', { name: 'Ann', exact: true }).click();
    await bo.page.locator('#title', { hasText: 'Ann' }).waitFor();
    await says(bo.page, 'psst');
    await ann.page.getByRole('button', { name: '<b>Bo (new)' }).waitFor();
    await ann.page.goto('about:blank');
    await says(bo.page, 'are you there?');
    await heard(bo.page, 'are you there?');
    await bo.page.getByRole('button', { name: 'Ann, away' }).waitFor();
    await ann.page.goto(server.url);
    await ann.page.fill('#name', 'Ann');
    await ann.page.press('#name', 'Enter');
    await ann.page.getByRole('button', { name: '<b>Bo (new)' }).click();
    await heard(ann.page, 'are you there?');
    await bo.page.locator('#directs').getByRole('button', { name: 'Ann', exact: true }).waitFor();
    assert.deepEqual(await ann.page.locator('#log li span').allTextContents(), ['psst', 'are you there?']);
    assert.deepEqual([...ann.complaints, ...bo.complaints], []);
  } finally {
    assert.equal(await server.stop(), 0);
  }
});

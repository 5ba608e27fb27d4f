/**
 * Two people in two browsers, beyond their rooms: what is said to somebody who is away is read when
 * they come back, the lobby is heard, a block holds; and whatever anybody says is text. The server is
 * the real one, with a store of its own, which ends in between.
 */

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { openPage, startBrowser, startServer } from './browser_support.js';
import { EVIL } from './support/evil.js';
import { forAll } from './support/for_all.js';

/** @typedef {import('playwright-core').Page} Page */

const browser = await forAll(startBrowser());
const folder = await mkdtemp(join(tmpdir(), 'tickwire-people-'));

const KEY = 'a-secret-of-thirty-two-bytes-or-more';

/** @param {string} sub @returns {string} the operator's word that somebody is this user */
function tokenOf(sub) {
  const encode = (/** @type {object} */ of) => Buffer.from(JSON.stringify(of)).toString('base64url');
  const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ sub, iss: 'us', aud: 'them', exp: 4_000_000_000 })}`;
  return `${signed}.${createHmac('sha256', KEY).update(signed).digest('base64url')}`;
}

/**
 * Connects as a user, and shows what is said.
 * @param {Page} page
 * @param {string} user
 * @param {string} name
 * @returns {Promise<string>} by which others address them
 */
function connect(page, user, name) {
  return page.evaluate(async ([own, token]) => {
    const sdk = '/client/tickwire.js';
    const { connect: open } = await import(sdk);
    const link = await open({ name: own, token });
    const list = document.createElement('ul');
    list.id = 'said';
    document.body.append(list);
    /** @type {any[]} */
    const lines = [];
    const show = (/** @type {any} */ line) => {
      lines.push(line.text);
      const item = document.createElement('li');
      item.textContent = `${line.name}: ${line.text}`;
      list.append(item);
    };
    /** @type {any[]} */
    const unread = [];
    link.on('direct', (/** @type {any} */ _, /** @type {any} */ line) => show(line));
    link.on('unread', (/** @type {any[]} */ of) => unread.push(...of));
    link.chat.on('line', show);
    const known = new Promise((resolve) => link.on('blocked', resolve));
    await known;
    Object.assign(window, { people: { link, lines, unread, show } });
    return link.handle;
  }, [name, tokenOf(user)]);
}

/** @param {Page} page @returns {Promise<string[]>} what was shown */
const shown = (page) => page.evaluate(() => /** @type {any} */ (window).people.lines);

/** @param {Page} page @param {string} text @returns {Promise<any>} when it was shown */
const hears = (page, text) => page.waitForFunction((of) => /** @type {any} */ (window).people.lines.includes(of), text);

/** @param {Page} page @param {string | undefined} to a handle; undefined for the lobby @param {string} text */
const say = (page, to, text) =>
  page.evaluate(
    async ([handle, line]) => {
      const { link } = /** @type {any} */ (window).people;
      await (handle === undefined ? link.chat : link.direct(handle)).say(line);
    },
    /** @type {const} */ ([to, text]),
  );

test('who was away reads what was said to them, as text', async (t) => {
  const key = join(folder, 'key');
  await writeFile(key, KEY, { mode: 0o600 });
  const settings = ['--store', join(folder, 'tickwire.db'), '--auth-key-file', key, '--auth-issuer', 'us', '--auth-audience', 'them'];
  let server = await startServer(settings);
  t.after(async () => {
    await server.stop();
    await rm(folder, { recursive: true });
  });
  const { address } = server;
  const [ann, bo] = await Promise.all([openPage(browser, server.url), openPage(browser, server.url)]);
  const [annIs, boIs] = await Promise.all([connect(ann.page, 'ann', 'Ann'), connect(bo.page, 'bo', 'Bo <b>')]);
  assert.notEqual(annIs, boIs);
  await say(ann.page, undefined, 'anybody?');
  await hears(bo.page, 'anybody?');
  await say(bo.page, annIs, 'me');
  await hears(ann.page, 'me');

  // Bo goes; the server ends meanwhile, and begins again.
  await bo.page.goto('about:blank');
  for (const text of EVIL) await say(ann.page, boIs, text);
  await server.stop();
  server = await startServer(settings, address);
  await ann.page.waitForFunction(() => /** @type {any} */ (window).people.link.state === 'open');
  await say(ann.page, boIs, 'the last one');
  await bo.page.goto(server.url);
  assert.equal(await connect(bo.page, 'bo', 'Bo'), boIs, 'the same person');
  const read = await bo.page.evaluate(async () => {
    const { link, unread, show } = /** @type {any} */ (window).people;
    /** @type {any[]} */
    const all = [];
    const channel = link.direct(unread[0].peer.handle);
    for await (const page of channel.history()) all.unshift(...page);
    all.forEach(show);
    channel.read(all.at(-1).id);
    return { from: unread.map((/** @type {any} */ { peer }) => peer.name), texts: all.map(({ text }) => text) };
  });
  assert.deepEqual(read, { from: ['Ann'], texts: ['me', ...EVIL, 'the last one'] });
  const items = await bo.page.locator('#said li').allTextContents();
  assert.deepEqual(items.slice(0, 3), ['Bo <b>: me', `Ann: ${EVIL[0]}`, `Ann: ${EVIL[1]}`]);
  assert.equal(await bo.page.locator('#said *:not(li)').count(), 0);
  for (const { page } of [ann, bo]) assert.equal(await page.evaluate(() => /** @type {any} */ (window).hacked), undefined);

  // What was read is not told again, and who is blocked is not heard.
  await bo.page.evaluate((of) => /** @type {any} */ (window).people.link.block(of), annIs);
  await say(ann.page, boIs, 'psst');
  await say(ann.page, undefined, 'hello?');
  await say(bo.page, undefined, 'nobody there');
  await hears(ann.page, 'nobody there');
  await hears(bo.page, 'nobody there');
  assert.ok((await shown(ann.page)).includes('psst'));
  for (const text of ['psst', 'hello?']) assert.ok(!(await shown(bo.page)).includes(text), text);
  await bo.page.reload();
  await connect(bo.page, 'bo', 'Bo');
  assert.deepEqual(
    await bo.page.evaluate(() => {
      const { link, unread } = /** @type {any} */ (window).people;
      return [unread.length, link.blocked.map((/** @type {any} */ { handle }) => handle)];
    }),
    [0, [annIs]],
  );
  await Promise.all([ann, bo].map(({ page }) => page.context().close()));
});

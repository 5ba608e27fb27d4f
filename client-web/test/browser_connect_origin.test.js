/**
 * A page that is sent to a server of another origin, in a real browser: its policy lets it go where
 * `--connect-origin` says so, and without it the SDK tells what is forbidden.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import WebSocket from 'ws';

import { connect } from '../src/tickwire.js';
import { openPage, startBrowser, startServer } from './browser_support.js';
import { startDoor } from './support/door.js';
import { forAll } from './support/for_all.js';

const browser = await forAll(startBrowser());
const first = await startServer(['--npcs', '0']);
/** @type {import('./support/door.js').Ways} */
const ways = {};
const door = await forAll(startDoor(first.address, ways));
const target = await forAll(startServer(['--npcs', '2', '--allowed-origin', `${new URL(door.url).origin},none`]));
const origin = `ws://${target.address}`;
const host = await connect({ url: `${origin}/ws`, name: 'Host', WebSocket: /** @type {any} */ (WebSocket) });
const room = await host.create({ name: 'elsewhere' });
test.after(() => host.close());

/**
 * @param {string} url of the WebSocket
 * @returns {Promise<any>} what becomes of a page of the door's that asks for a room there
 */
async function visit(url) {
  const { page } = await openPage(browser, door.url);
  const outcome = await page.evaluate(async (to) => {
    const { connect: open } = await import(/** @type {string} */ ('/client/tickwire.js'));
    /** @type {string[]} */
    const heard = [];
    try {
      const link = await open({ name: 'Visitor', url: to });
      link.on('reconnecting', (/** @type {any} */ { reason }) => heard.push(reason));
      const joined = await link.quickJoin();
      const names = Array.from(joined.members.values(), (/** @type {any} */ { name }) => name).sort();
      link.close();
      return { heard, room: joined.info.id, names };
    } catch (error) {
      const { reason, code, message } = /** @type {any} */ (error);
      return { heard, reason, code, message };
    }
  }, url);
  await page.context().close();
  return outcome;
}

test('without the setting a page that is sent elsewhere is told what its policy forbids', async () => {
  ways['/ws'] = { to: `${origin}/ws`, room: room.info.id, validMs: 800 };
  const { heard, reason, message } = await visit('/ws');
  const forbidden = `the page's Content-Security-Policy does not let it connect to ${origin} (--connect-origin ${origin} of the page's server would)`;
  assert.deepEqual(heard.slice(0, 2), ['redirected', forbidden]);
  assert.deepEqual([reason, message], ['Closed', `the server of that room could not be reached: ${forbidden}`]);
  // Where the page itself names that server `connect` says so at once.
  const straight = await visit(`${origin}/ws`);
  assert.deepEqual([straight.reason, straight.code], ['Closed', 1006]);
  assert.equal(straight.message, `could not connect to ${origin}/ws: ${forbidden}`);
});

test('with it the page ends in the room there', async (t) => {
  ways['/ws'] = { to: `${origin}/ws`, room: room.info.id };
  assert.equal(await first.stop(), 0);
  const again = await startServer(['--npcs', '0', '--connect-origin', origin], first.address);
  t.after(() => again.stop());
  assert.deepEqual(await visit('/ws'), { heard: ['redirected'], room: room.info.id, names: ['Host', 'Visitor'] });
});

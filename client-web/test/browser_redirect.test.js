/**
 * A page that is sent elsewhere, in a real browser, from a door in front of the real server: where
 * each way ends is what PROTOCOL.md §2 says.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import WebSocket from 'ws';

import { connect } from '../src/tickwire.js';
import { openPage, startBrowser, startServer } from './browser_support.js';
import { startDoor } from './support/door.js';
import { forAll } from './support/for_all.js';

const browser = await forAll(startBrowser());
const server = await forAll(startServer(['--npcs', '2', '--seed', '7']));
const host = await connect({ url: `ws://${server.address}/ws`, name: 'Host', WebSocket: /** @type {any} */ (WebSocket) });
const room = await host.create({ name: 'far away' });
/** @type {import('./support/door.js').Ways} */
const ways = {};
const door = await forAll(startDoor(server.address, ways));
const { page } = await openPage(browser, door.url);
test.after(() => host.close());

/**
 * Asks the door for a room, in the page.
 * @returns {Promise<any>} what became of it
 */
const ask = () =>
  page.evaluate(async () => {
    const { connect: open } = await import(/** @type {string} */ ('/client/tickwire.js'));
    const link = await open({ name: 'Visitor', url: '/ws' });
    /** @type {any[]} */
    const heard = [];
    link.on('reconnecting', (/** @type {any} */ { reason }) => heard.push(reason));
    link.on('close', (/** @type {any} */ { code }) => heard.push(code));
    try {
      const joined = await link.quickJoin();
      const names = Array.from(joined.members.values(), (/** @type {any} */ { name }) => name).sort();
      for (let end = Date.now() + 10_000; joined.entities.length === 0 && Date.now() < end; ) await new Promise(requestAnimationFrame);
      return { heard: [...heard], room: joined.info.id, names, sees: joined.entities.length > 0, state: link.state };
    } catch (error) {
      const { reason, code, message } = /** @type {any} */ (error);
      return { heard: [...heard], reason, code, message, state: link.state };
    } finally {
      link.close();
    }
  });

const redirected = 'redirected';
/** Where nobody answers. */
const DEAD = '/n/dead/ws';

test('one hop and two lead into the room', async () => {
  for (const [more, hops] of /** @type {[import('./support/door.js').Ways, number][]} */ ([
    [{ '/ws': { to: '/n/1/ws', room: room.info.id } }, 1],
    [{ '/ws': { to: '/d/2/ws', room: room.info.id }, '/d/2/ws': { to: '/n/1/ws', room: room.info.id } }, 2],
  ])) {
    Object.assign(ways, more);
    door.left.length = 0;
    const { heard, room: there, names, sees, state } = await ask();
    assert.deepEqual({ heard, there, names, sees, state }, {
      heard: Array(hops).fill(redirected),
      there: room.info.id,
      names: ['Host', 'Visitor'],
      sees: true,
      state: 'open',
    });
    assert.deepEqual(door.left, Array(hops).fill(1000));
  }
});

test('where the door says so before the page is there already, and knocks once', async () => {
  const to = '/n/1/ws';
  for (const [prepare, knocks] of /** @type {[{ to: string, isAwaited: boolean }, string[]][]} */ ([
    [{ to, isAwaited: true }, ['/ws', to]],
    [{ to, isAwaited: false }, ['/ws', to]],
    [{ to: DEAD, isAwaited: true }, ['/ws', DEAD, to]],
    [{ to: DEAD, isAwaited: false }, ['/ws', to]],
  ])) {
    ways['/ws'] = { to, room: room.info.id, prepare };
    door.left.length = 0;
    door.knocks.length = 0;
    const { heard, room: there, names, sees, state } = await ask();
    assert.deepEqual({ heard, there, names, sees, state }, {
      heard: [redirected],
      there: room.info.id,
      names: ['Host', 'Visitor'],
      sees: true,
      state: 'open',
    });
    assert.deepEqual(door.left, [1000]);
    // A redirect that comes at once may end a dead knock before it is on the wire, or beside the next.
    const isSeen = (/** @type {string} */ path) => prepare.isAwaited || path !== DEAD;
    assert.deepEqual(door.knocks.filter(isSeen), knocks);
  }
});

test('a door that leads to itself is left after three hops, with the reason', async () => {
  ways['/ws'] = { to: '/ws', room: room.info.id };
  const { heard, reason, message, state } = await ask();
  assert.deepEqual(heard, [redirected, redirected, redirected, 1002]);
  assert.deepEqual([reason, state], ['Closed', 'closed']);
  assert.match(message, /redirected time and again/);
});

test('a ticket that the target does not take is the end, by its code', async () => {
  ways['/ws'] = { to: '/n/1/ws', room: room.info.id, ticket: 'forged' };
  const { heard, code, state } = await ask();
  assert.deepEqual(heard, [redirected, 4007]);
  assert.deepEqual([code, state], [4007, 'closed']);
});

test('from a dead target the page comes home when the ticket is no good any more', async () => {
  ways['/ws'] = { to: DEAD, room: room.info.id, validMs: 800 };
  const { heard, reason, message, state } = await ask();
  assert.equal(heard[0], redirected);
  assert.deepEqual([reason, state], ['Closed', 'open']);
  assert.match(message, /could not be reached/);
});

test('a room that is not there is refused by the target', async () => {
  ways['/ws'] = { to: '/n/1/ws', room: 1 };
  const { heard, reason, state } = await ask();
  assert.deepEqual([heard, reason, state], [[redirected], 'NoSuchRoom', 'open']);
});

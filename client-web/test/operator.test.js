/**
 * What a page hears of an operator's orders, from the real server: that it is muted, sent away,
 * kept out.
 */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { connect, RequestError } from '../src/tickwire.js';
import { forAll } from './support/for_all.js';
import { freeAddress } from './support/free_address.js';
import { startServer } from './support/server.js';

const TOKEN = 'operators-0123456789-0123456789-token';
const folder = mkdtempSync(join(tmpdir(), 'tickwire-operator-'));

const token = join(folder, 'token');
writeFileSync(token, TOKEN);
const ops = await freeAddress();
const server = await forAll(startServer(['--admin-token-file', token], undefined, undefined, ops));
after(() => rmSync(folder, { recursive: true }));

/** @param {string} path @param {object} [order] @returns {Promise<any>} */
async function admin(path, order) {
  const headers = { authorization: `Bearer ${TOKEN}` };
  const request = order === undefined ? { headers } : { method: 'POST', headers, body: JSON.stringify(order) };
  const answer = await fetch(`http://${ops}/admin/${path}`, request);
  assert.equal(answer.status, 200, await answer.clone().text());
  return answer.json();
}

/**
 * @param {string} name
 * @param {Map<string, string>} tab what its page keeps over a reload: who they are
 */
function enter(name, tab) {
  const storage = {
    getItem: (/** @type {string} */ key) => tab.get(key) ?? null,
    setItem: (/** @type {string} */ key, /** @type {string} */ value) => void tab.set(key, value),
    removeItem: (/** @type {string} */ key) => void tab.delete(key),
  };
  return connect({ url: `ws://${server.address}/ws`, name, resume: true, storage });
}

/** @param {string} name @returns {Promise<string>} the identity of who is there by that name */
async function player(name) {
  const players = await admin('players');
  return players.find((/** @type {any} */ line) => line.name === name && line.gone_s === null).player;
}

test('a page is told when an operator mutes, removes and bans its player', async () => {
  const tab = new Map();
  const link = await enter('Ann', tab);
  const room = await link.quickJoin();
  const ann = await player('Ann');
  const refused = new Promise((resolve) => room.on('refused', resolve));
  await admin('mute', { player: ann, for: '1h' });
  room.say('hello?');
  assert.deepEqual(await refused, { reason: 'Muted' });

  let reconnects = 0;
  link.on('reconnecting', () => reconnects++);
  const removed = new Promise((resolve) => link.on('close', resolve));
  await admin('kick', { player: ann, reason: 'rude' });
  assert.deepEqual(await removed, { code: 4011, reason: 'removed by an operator', retryAfterMs: undefined });
  assert.equal(reconnects, 0, 'it does not come back by itself');

  const again = await enter('Ann', tab);
  assert.equal(await player('Ann'), ann, 'but may be brought back');
  const banned = new Promise((resolve) => again.on('close', resolve));
  await admin('ban', { player: ann, for: '7d' });
  assert.deepEqual(await banned, { code: 4012, reason: 'banned by an operator', retryAfterMs: undefined });
  await assert.rejects(enter('Ann', tab), (error) => error instanceof RequestError && error.code === 4012);
  const other = await enter('Bo', new Map());
  other.close();
});

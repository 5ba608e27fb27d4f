/**
 * Options, filters and metadata against the real server and its arena: what was chosen is there,
 * and what cannot be chosen is refused with the reason, by the SDK before anything is sent, or by
 * the server where a page sends it all the same.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import WebSocket from 'ws';

import { connect } from '../src/tickwire.js';
import { forAll } from './support/for_all.js';
import { startServer } from './support/server.js';
import { until } from './support/until.js';

/** @typedef {import('../src/schema/field.js').Field} Field */

const server = await forAll(startServer(['--npcs', '2', '--seed', '7']));

/**
 * @param {import('node:test').TestContext} t
 * @param {Record<string, any>} [options] what the player brings
 */
async function visit(t, options) {
  const link = await connect({ url: `ws://${server.address}/ws`, name: 'Ann', WebSocket: /** @type {any} */ (WebSocket), options });
  t.after(() => link.close());
  return link;
}

/** @param {import('../src/room.js').Room} room @returns {Promise<string>} what the own player wears */
const colourIn = async (room) => (await until(() => room.entities.find(({ owner, avatar }) => avatar && owner === room.you)))?.look.colour;

test('a player is who they chose to be, a room is what it was made for, and lists tell it', async (t) => {
  const ann = await visit(t, { colour: 'violet' });
  const mine = await ann.create({ name: 'chosen', options: { mode: 'hunt' } });
  assert.deepEqual(mine.options, { mode: 'hunt' });
  assert.equal(await colourIn(mine), 'violet');

  const bo = await visit(t, { colour: 'violet' });
  const named = async (/** @type {object | undefined} */ filter) => (await bo.rooms({ filter })).filter(({ name }) => name === 'chosen');
  assert.deepEqual((await named({ mode: 'hunt' })).map(({ metadata }) => metadata.mode), ['hunt']);
  assert.deepEqual(await named({ mode: 'brawl' }), []);
  // A quick join for another mode makes a room of its own, for this one it is led there.
  const other = await bo.quickJoin({ filter: { mode: 'brawl' }, options: { mode: 'brawl' } });
  assert.notEqual(other.info.id, mine.info.id);
  await other.leave();
  const theirs = await bo.quickJoin({ filter: { mode: 'hunt' }, options: { mode: 'hunt' } });
  assert.equal(theirs.info.id, mine.info.id);
  assert.deepEqual(theirs.options, { mode: 'hunt' });
});

test('what the game does not declare is refused by name, and the link plays on', async (t) => {
  const link = await visit(t);
  const nine = Object.fromEntries(Array.from({ length: 9 }, (_, n) => [`mode${n}`, 'hunt']));
  /** @type {[() => Promise<unknown>, string, RegExp][]} */
  const wrong = [
    [() => link.create({ options: { mode: 'solo' } }), 'BadOptions', /room option "mode" is "solo", expected one of brawl, hunt/],
    [() => link.create({ options: { mode: undefined } }), 'BadOptions', /room option "mode" is missing/],
    [() => link.create({ options: { mode: 'hunt', map: 'cave' } }), 'BadOptions', /no room option "map", expected one of mode/],
    [() => link.create({ options: /** @type {any} */ ('hunt') }), 'BadOptions', /room options are "hunt", expected an object/],
    [() => link.create({ player: { colour: 'lime' } }), 'BadOptions', /player option "colour" is "lime"/],
    [() => link.joinCode('ABC', { player: { hat: 1 } }), 'BadOptions', /no player option "hat"/],
    [() => link.quickJoin({ filter: { level: 3 } }), 'BadFilter', /rooms say nothing of "level", expected one of mode, phase/],
    [() => link.quickJoin({ filter: { mode: { atLeast: 'solo' } } }), 'BadFilter', /filter's "mode" is "solo"/],
    [() => link.rooms({ filter: nine }), 'BadFilter', /9 conditions, at most 8/],
  ];
  for (const [ask, reason, message] of wrong) await assert.rejects(ask, { name: 'RequestError', reason, message });
  const rude = await visit(t, { colour: 'lime' });
  await assert.rejects(rude.quickJoin(), { reason: 'BadOptions', message: /player option "colour" is "lime"/ });
  for (const each of [link, rude]) assert.equal(await colourIn(await each.quickJoin({ player: { colour: 'teal' } })), 'teal');
});

/**
 * A page that packs by another schema than the server's.
 * @param {Field[]} fields of the schema that the SDK packs by
 * @param {Field[]} instead
 * @param {() => Promise<unknown>} ask
 */
async function packedBy(fields, instead, ask) {
  const own = fields.splice(0, fields.length, ...instead);
  try {
    return await ask();
  } finally {
    fields.splice(0, fields.length, ...own);
  }
}

test('what a page sends all the same is refused by the server, and the SDK says why', async (t) => {
  const link = await visit(t);
  const { roomOptions, playerOptions, metadata } = /** @type {Record<string, any>} */ (link.schema);
  const field = (/** @type {string} */ name, /** @type {any} */ kind) => /** @type {Field} */ ({ name, kind, predictor: { type: 'Hold' } });
  // 300 bytes, of which options may have 256.
  const long = Array.from({ length: 5 }, (_, n) => field(`t${n}`, { type: 'Text', bytes: 60 }));
  const text = Object.fromEntries(long.map(({ name }) => [name, 'x'.repeat(60)]));
  const bits = [field('mode', { type: 'Bits' })];
  const extra = [...metadata, field('level', { type: 'Int', min: 0, max: 9 })];
  const wide = [field('mode', { type: 'Int', min: 0, max: 1000 })];
  /** @type {[Field[], Field[], () => Promise<unknown>, string, RegExp][]} */
  const hostile = [
    [roomOptions, bits, () => link.create({ options: { mode: 2 ** 32 - 1 } }), 'BadOptions', /not what the game declares/],
    [roomOptions, long, () => link.create({ options: text }), 'BadOptions', /not what the game declares/],
    [playerOptions, bits, () => link.quickJoin({ player: { mode: 2 ** 32 - 1 } }), 'BadOptions', /not what the game declares/],
    [playerOptions, long, () => link.quickJoin({ player: text }), 'BadOptions', /not what the game declares/],
    [metadata, extra, () => link.quickJoin({ filter: { level: 3 } }), 'BadFilter', /not on the game's metadata/],
    [metadata, extra, () => link.rooms({ filter: { level: { atLeast: 3 } } }), 'BadFilter', /not on the game's metadata/],
    [metadata, wide, () => link.rooms({ filter: { mode: 1000 } }), 'BadFilter', /not on the game's metadata/],
  ];
  for (const [fields, instead, ask, reason, message] of hostile) {
    await assert.rejects(packedBy(fields, instead, ask), { name: 'RequestError', reason, message });
    assert.equal(link.state, 'open');
  }
  assert.equal((await link.create({ name: 'after all' })).info.name, 'after all');
});

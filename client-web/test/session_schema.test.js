/** Which schemas and tables the session takes from a welcome, and which are refused. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Session } from '../src/session.js';
import { Layout } from '../src/snapshot/layout.js';
import { UNSURE } from '../src/snapshot/range_coder.js';
import { STARTS, SYMBOLS, THRESHOLDS } from '../src/snapshot/symbols.js';
import * as server from './support/messages.js';
import { assertFailed, inLobby } from './support/session.js';
import { SQUARE } from './support/square.js';

/**
 * A position, and a heading and a velocity that follow it.
 * @returns {any[]} fields
 */
function following() {
  const kind = { type: 'Real', min: 0, max: 8, step: 0.5 };
  return [
    { name: 'x', kind: { ...kind }, predictor: { type: 'Linear' } },
    { name: 'y', kind: { ...kind }, predictor: { type: 'Linear' } },
    { name: 'heading', kind: { type: 'Turn', steps: 64 }, predictor: { type: 'Bearing', x: 0, y: 1 } },
    { name: 'vx', kind: { type: 'Int', min: -9, max: 9 }, predictor: { type: 'Rate', of: 0, scale: -(2 ** 20) } },
  ];
}

/** @param {(fields: any[]) => void} spoil @returns {(schema: any) => void} */
const spoiledFollowing = (spoil) => (schema) => spoil((schema.components[0].fields = following()));

test('a heading and a velocity that follow a position are taken', () => {
  const schema = { ...SQUARE, components: [{ ...SQUARE.components[0], fields: following() }] };
  assert.deepEqual(inLobby(schema).welcome?.schema, schema);
});

/**
 * @param {import('../src/schema/schema.js').Schema} schema
 * @returns {number[][]} tables that say nothing, by layer
 */
const tables = (schema) => new Layout(schema).sets.map(tableOf);

/** @param {Uint16Array} symbols @returns {number[]} what is sent of the tables */
const thresholdsOf = (symbols) => Array.from(symbols).filter((_, i) => (i % STARTS) % SYMBOLS !== 0);

/**
 * @param {import('../src/snapshot/layout.js').ColumnSet} set
 * @returns {number[]} contexts, gains as 16 bits, thresholds
 */
const tableOf = ({ prior, gains, symbols }) => [
  ...prior,
  ...Array.from(gains, (gain) => gain & 0xffff),
  ...thresholdsOf(symbols),
];

test('tables are taken for the layers that have one, with odds up to the edges', () => {
  const [room, , team] = new Layout(SQUARE).sets.map(({ prior, gains, symbols }) => [
    ...Array.from(prior, (_, i) => (i % 2 === 0 ? 4 << 4 : (4092 << 4) | 15)),
    ...Array.from(gains, (_, i) => (i % 2 === 0 ? 64 : -64) & 0xffff),
    ...thresholdsOf(symbols).map((_, i) => (i % (2 * THRESHOLDS) < THRESHOLDS ? 1 + (i % THRESHOLDS) : 32753 + (i % THRESHOLDS))),
  ]);
  for (const some of [[], [[]], [room], [[], [], team], [room, [], team]]) {
    const session = new Session('Ann');
    const trained = { epoch: 9, layers: some };
    session.handleMessage(server.welcome(SQUARE, { tables: trained }), 0);
    assert.deepEqual([session.welcome?.schema, session.welcome?.tables], [SQUARE, trained]);
    assert.equal(session.layout?.epoch, 9);
    const expected = tables(SQUARE).map((untrained, layer) => (some[layer]?.length ? some[layer] : untrained));
    assert.deepEqual(session.layout?.sets.map(tableOf), expected);
  }
});

/**
 * @param {any} schema
 * @param {number} layer
 * @param {number} gain
 * @returns {number[]} its table with that for the last gain
 */
function withGain(schema, layer, gain) {
  const { prior, gains } = new Layout(schema).sets[layer];
  const end = prior.length + gains.length;
  return tables(schema)[layer].fill(gain, end - 1, end);
}

/**
 * @param {{ min: number, max: number, step: number }} range
 * @returns {(schema: any) => void} predicts its positions in the range's step
 */
const onGrid = (range) => ({ components: [pos] }) => {
  pos.predicted = 'Grid';
  pos.fields[1].kind = { type: 'Real', ...range };
};

/** @param {number} count @returns {import('../src/schema/field.js').Field[]} of 16 columns each */
const manyTexts = (count) =>
  Array.from({ length: count }, (_, i) => ({ name: `t${i}`, kind: { type: 'Text', bytes: 64 }, predictor: { type: 'Hold' } }));

test('schemas that no game can mean are refused', () => {
  /** @type {[RegExp, (schema: any) => void][]} */
  const cases = [
    [/declared twice/, (s) => (s.components[1].name = 'pos')],
    [/usable name/, (s) => (s.components[0].fields[0].name = '__proto__')],
    [/usable name/, (s) => (s.events[0].name = '')],
    [/cannot be called/, (s) => (s.components[0].name = 'handle')],
    [/everyone sees/, (s) => (s.components[2].predicted = 'Fine')],
    [/empty range/, (s) => (s.input[0].kind = { type: 'Real', min: 1, max: 1, step: 1 })],
    [/empty range/, (s) => (s.input[0].kind = { type: 'Real', min: NaN, max: 1, step: 1 })],
    [/empty range/, (s) => (s.input[0].kind = { type: 'Int', min: 2, max: 1 })],
    [/bad step/, (s) => (s.input[0].kind = { type: 'Real', min: 0, max: 1, step: 0 })],
    [/too many steps/, (s) => (s.input[0].kind = { type: 'Real', min: 0, max: 1e300, step: 1e-300 })],
    [/power of two/, (s) => (s.input[0].kind = { type: 'Turn', steps: 3 })],
    [/power of two/, (s) => (s.input[0].kind = { type: 'Turn', steps: 0 })],
    [/no names/, (s) => (s.input[0].kind = { type: 'Enum', names: [] })],
    [/multiple of 1\/1024/, (s) => (s.components[0].fields[0].kind = { type: 'Real', min: 0.3, max: 1, step: 0.5 })],
    [/everyone sees/, (s) => (s.components[2].predicted = 'Grid')],
    [/no power of two/, onGrid({ min: 0, max: 1, step: 0.01 })],
    [/no power of two/, onGrid({ min: 0, max: 9, step: 2 })],
    [/no power of two/, onGrid({ min: 0, max: 9, step: 0.75 })],
    [/no power of two/, onGrid({ min: 0, max: 9, step: 2 ** -10 * (1 - 2 ** -53) })],
    [/no power of two/, onGrid({ min: 0, max: 9, step: 2 ** -21 })],
    [/not on its grid/, onGrid({ min: 0.25, max: 9, step: 0.5 })],
    [/not on its grid/, onGrid({ min: -(2 ** 31) - 1, max: -(2 ** 31), step: 1 })],
    [/empty range/, onGrid({ min: -Infinity, max: 0, step: 1 })],
    [/no number/, (s) => (s.components[0].fields[0].predictor = { type: 'Velocity', by: 0, num: 1, den: 1 })],
    [/no number/, (s) => (s.components[1].fields[0].predictor = { type: 'Velocity', by: 9, num: 1, den: 1 })],
    [/out of range/, (s) => (s.components[0].fields[0].predictor = { type: 'Velocity', by: 1, num: 1, den: 0 })],
    [/a bearing of what/, spoiledFollowing((f) => (f[1].kind.step = 0.25))],
    [/a bearing of what/, spoiledFollowing((f) => (f[1].kind = { type: 'Bits' }))],
    [/a bearing of what/, spoiledFollowing((f) => (f[1].predictor = { type: 'Hold' }))],
    [/a bearing of what/, spoiledFollowing((f) => (f[2].kind = { type: 'Int', min: 0, max: 63 }))],
    [/a bearing of what/, spoiledFollowing((f) => (f[2].predictor.y = 0))],
    [/a bearing of what/, spoiledFollowing((f) => (f[2].predictor.y = 7))],
    [/a bearing of what/, spoiledFollowing((f) => f.unshift(...f.splice(2, 1)))],
    [/a rate of what/, spoiledFollowing((f) => (f[3].predictor.of = 2))],
    [/a rate of what/, spoiledFollowing((f) => (f[3].predictor.of = 3))],
    [/a rate of what/, spoiledFollowing((f) => (f[3].kind = { type: 'Bits' }))],
    [/a rate of what/, spoiledFollowing((f) => (f[3].predictor.scale = 2 ** 20 + 1))],
    [/a rate of what/, spoiledFollowing((f) => (f[3].predictor.scale = 0))],
    [/a rate of what/, spoiledFollowing((f) => (f[3].predictor.scale = NaN))],
    [/at most 448/, (s) => (s.components[1].fields = manyTexts(29))],
    [/multiple of 4/, (s) => (s.events[0].fields[0].kind = { type: 'Text', bytes: 6 })],
    [/multiple of 4/, (s) => (s.events[0].fields[0].kind = { type: 'Text', bytes: 68 })],
    [/multiple of 4/, (s) => (s.events[0].fields[0].kind = { type: 'Text', bytes: 0 })],
    [/a text that is predicted/, (s) => (s.components[0].fields[0].kind = { type: 'Text', bytes: 8 })],
    [/neither entities nor texts/, (s) => (s.input[0].kind = { type: 'Text', bytes: 8 })],
    [/neither entities nor texts/, (s) => (s.input[0].kind = { type: 'Entity' })],
  ];
  for (const [reason, spoil] of cases) {
    const schema = structuredClone(SQUARE);
    spoil(schema);
    const session = new Session('Ann');
    session.handleMessage(server.welcome(schema), 0);
    assertFailed(session, reason);
  }
});

test('tables that are not of the game are refused', () => {
  /** @type {[RegExp, number[][]][]} */
  const cases = [
    [/a list of 4, at most 3/, [[], [], [], []]],
    [/does not fit 16 bits/, [[0x10000]]],
    [/layer 0 is not of this schema/, [[UNSURE]]],
    [/layer 1 is not of this schema/, [[], tables(SQUARE)[0]]],
    [/layer 0 has odds out of range/, tables(SQUARE).map((table) => table.fill(3 << 4 | 15, 7, 8))],
    [/layer 2 has odds out of range/, [[], [], tables(SQUARE)[2].fill(4093 << 4, -1)]],
    [/layer 0 has a gain out of range/, [withGain(SQUARE, 0, 65)]],
    [/layer 1 has a gain out of range/, [[], withGain(SQUARE, 1, -65 & 0xffff)]],
    [/layer 0 has thresholds that do not rise/, [tables(SQUARE)[0].fill(0, -THRESHOLDS, 1 - THRESHOLDS)]],
    [/layer 0 has thresholds that do not rise/, [tables(SQUARE)[0].fill(32768, -1)]],
    [/layer 1 has thresholds that do not rise/, [[], tables(SQUARE)[1].fill(9000, -2)]],
  ];
  for (const [reason, layers] of cases) {
    const session = new Session('Ann');
    session.handleMessage(server.welcome(SQUARE, { tables: { epoch: 1, layers } }), 0);
    assertFailed(session, reason);
  }
});

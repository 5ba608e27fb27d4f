/** What a page chooses and asks for is checked by the schema, and packed as the server reads it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { RequestError } from '../src/request_error.js';
import { conditionsOf, packOptions, readAnswer, readOptions } from '../src/session/options.js';

/** @typedef {import('../src/schema/field.js').Field} Field */
/** @typedef {import('../src/schema/field.js').FieldKind} FieldKind */

/** @param {string} name @param {FieldKind} kind @returns {Field} */
const field = (name, kind) => ({ name, kind, predictor: { type: 'Hold' } });

const FIELDS = [
  field('mode', { type: 'Enum', names: ['alone', 'teams', 'ranked'] }),
  field('level', { type: 'Int', min: -5, max: 300 }),
  field('speed', { type: 'Real', min: 0, max: 2, step: 0.25 }),
  field('late', { type: 'Bool' }),
  field('seed', { type: 'Bits' }),
  field('map', { type: 'Text', bytes: 8 }),
];
const GOOD = { mode: 'teams', level: 7, speed: 0.5, late: true, seed: 0xffffffff, map: 'cave é' };

/**
 * @param {() => unknown} work
 * @param {string} reason
 * @param {RegExp} message
 */
function refuses(work, reason, message) {
  assert.throws(work, (error) => error instanceof RequestError && error.reason === reason && message.test(error.message));
}

test('options come back as they were chosen, an enum by name or number', () => {
  const packed = packOptions('room', FIELDS, GOOD);
  // 2 + 9 + 4 + 1 + 32 + 64 bits.
  assert.equal(packed.length, 14);
  assert.deepEqual(readOptions(FIELDS, packed), GOOD);
  assert.deepEqual(packOptions('room', FIELDS, { ...GOOD, mode: 1 }), packed);
  for (const nothing of [undefined, {}]) assert.equal(packOptions('room', FIELDS, nothing).length, 0);
  assert.deepEqual(readOptions(FIELDS, new Uint8Array()), {});
});

test('an option that there is not, is missing or out of its range is refused by name', () => {
  const wrong = /** @type {[object, RegExp][]} */ ([
    [{ ...GOOD, colour: 3 }, /no room option "colour", expected one of mode, level/],
    [{ ...GOOD, level: undefined }, /"level" is missing/],
    [{ mode: 'teams' }, /"level" is missing/],
    [{ ...GOOD, mode: 'solo' }, /"mode" is "solo", expected one of alone, teams, ranked/],
    [{ ...GOOD, mode: 3 }, /"mode" is 3/],
    [{ ...GOOD, level: 301 }, /"level" is 301, expected a whole number from -5 to 300/],
    [{ ...GOOD, level: 1.5 }, /"level" is 1.5/],
    [{ ...GOOD, level: '7' }, /"level" is "7"/],
    [{ ...GOOD, speed: -0.1 }, /"speed" is -0.1, expected a number from 0 to 2/],
    [{ ...GOOD, speed: NaN }, /"speed" is NaN/],
    [{ ...GOOD, late: 1 }, /"late" is 1, expected true or false/],
    [{ ...GOOD, seed: 2 ** 32 }, /"seed" is 4294967296/],
    [{ ...GOOD, map: 'caves é é' }, /"map" is "caves é é", expected a string of at most 8 bytes/],
    [{ ...GOOD, map: 'a\0b' }, /without NUL/],
  ]);
  for (const [values, message] of wrong) refuses(() => packOptions('room', FIELDS, values), 'BadOptions', message);
  refuses(() => packOptions('player', [], { colour: 3 }), 'BadOptions', /no player option "colour": the game declares none/);
  refuses(() => packOptions('player', FIELDS, /** @type {any} */ ('teams')), 'BadOptions', /are "teams", expected an object/);
});

test('a filter is the values that are asked for, equal or at least', () => {
  const asked = conditionsOf(FIELDS, { mode: 'teams', level: { atLeast: 3 }, late: undefined, seed: 0xffffffff });
  assert.deepEqual(asked, [
    { field: 0, test: 'Equal', value: 1 },
    { field: 1, test: 'AtLeast', value: 8 },
    { field: 4, test: 'Equal', value: -1 },
  ]);
  assert.deepEqual(conditionsOf(FIELDS, undefined), []);
});

test('a filter that cannot be meant is refused by name', () => {
  const wrong = /** @type {[Record<string, any>, RegExp][]} */ ([
    [{ colour: 3 }, /rooms say nothing of "colour", expected one of mode/],
    [{ map: 'cave' }, /"map" is a text/],
    [{ mode: { atLeast: 'solo' } }, /"mode" is "solo"/],
    [{ level: {} }, /"level" is an object/],
    [{ level: 1e9 }, /"level" is 1000000000/],
    [Object.fromEntries(Array.from({ length: 9 }, (_, n) => [`f${n}`, 1])), /9 conditions, at most 8/],
  ]);
  for (const [filter, message] of wrong) refuses(() => conditionsOf(FIELDS, filter), 'BadFilter', message);
});

test('options and answers that are not as declared are the server to blame for', () => {
  const packed = packOptions('room', FIELDS, GOOD);
  for (const bytes of [packed.subarray(1), Uint8Array.from([...packed, 0])]) {
    assert.throws(() => readOptions(FIELDS, bytes), /bits|bytes|range|zero|UTF-8/);
  }
  const declared = { name: 'ask', fields: [], payload: undefined, answer: FIELDS.slice(1, 2), answerPayload: { name: 'note', json: true } };
  const answer = Uint8Array.from([12, 0, 2, 52, 50]);
  assert.deepEqual(readAnswer(declared, answer), { level: 7, note: 42 });
  assert.throws(() => readAnswer(declared, answer.subarray(0, 4)), /early/);
  assert.throws(() => readAnswer(declared, Uint8Array.from([...answer, 0])), /bytes after the answer/);
  const silent = { ...declared, answer: [], answerPayload: undefined };
  assert.equal(readAnswer(silent, new Uint8Array()), undefined);
});

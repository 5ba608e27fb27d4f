/** Random games and their images over time, for property tests of the snapshot codec. */

import { qMax, words } from '../../src/schema/field.js';
import { Guess } from '../../src/schema/guess.js';
import { PREDICTED, checkSchema } from '../../src/schema/schema.js';
import { UNTRAINED } from '../../src/schema/tables.js';
import { textWords } from '../../src/schema/text.js';
import { Image } from '../../src/snapshot/image.js';
import { Layout, checkLayout } from '../../src/snapshot/layout.js';
import { GAIN_MAX, difference, follow, follows, secondDiffOf } from '../../src/snapshot/predictor.js';
import { ODDS_MAX, ODDS_MIN } from '../../src/snapshot/range_coder.js';
import { STARTS, SYMBOLS, SYMBOL_BITS, THRESHOLDS } from '../../src/snapshot/symbols.js';

/** @typedef {import('./random.js').Random} Random */
/** @typedef {import('../../src/schema/field.js').FieldKind} FieldKind */
/** @typedef {import('../../src/schema/field.js').Field} Field */
/** @typedef {import('../../src/schema/schema.js').Schema} Schema */
/** @typedef {import('../../src/schema/tables.js').Tables} Tables */
/** @typedef {import('../../src/snapshot/layout.js').ColumnSet} ColumnSet */

/**
 * @param {Random} random
 * @returns {FieldKind}
 */
function randomKind(random) {
  switch (random.below(9)) {
    case 0:
      return { type: 'Int', min: -(2 ** 31), max: 2 ** 31 - 1 };
    case 1:
      return { type: 'Int', min: 0 - random.below(100), max: 1 + random.below(1000) };
    case 2:
      return { type: 'Bits' };
    case 3:
      return { type: 'Bool' };
    case 4:
      return { type: 'Turn', steps: 2 ** random.between(1, 16) };
    case 5:
      return { type: 'Enum', names: Array.from({ length: random.between(1, 9) }, (_, i) => `n${i}`) };
    case 6:
      return { type: 'Entity' };
    case 7:
      return { type: 'Text', bytes: 4 * random.between(1, 16) };
    default:
      return { type: 'Real', min: 0 - random.below(1000), max: 1 + random.below(1000), step: random.pick([1 / 128, 0.01, 0.5]) };
  }
}

/**
 * @param {Random} random
 * @param {number} count
 * @returns {Field[]}
 */
function randomFields(random, count) {
  /** @type {Field[]} */
  const fields = Array.from({ length: count }, (_, i) => ({
    name: `f${i}`,
    kind: randomKind(random),
    predictor: { type: 'Hold' },
  }));
  fields.forEach((field, i) => {
    const numbers = fields.flatMap(({ kind }, by) => (by !== i && /Real|Int/.test(kind.type) ? [by] : []));
    const choice = field.kind.type === 'Text' ? 0 : random.below(4);
    if (choice === 1) field.predictor = { type: 'Linear' };
    else if (choice === 2) field.predictor = { type: 'Counter', perTick: random.u32() | 0 };
    else if (choice === 3 && numbers.length > 0) {
      const num = random.between(-(2 ** 20), 2 ** 20);
      field.predictor = { type: 'Velocity', by: random.pick(numbers), num, den: 1 + random.below(2 ** 20) };
    }
  });
  return fields;
}

/**
 * @param {Random} random
 * @param {number} first index that the first of the fields will have
 * @returns {Field[]} a position, and a heading and a velocity that follow it
 */
function followingFields(random, first) {
  const step = random.pick([1 / 64, 0.01]);
  const kind = () => /** @type {const} */ ({ type: 'Real', min: 0 - random.below(1000), max: 1 + random.below(1000), step });
  const scale = random.pick([0.9375, -30, 2 ** 20, -(2 ** -10)]);
  return [
    { name: 'x', kind: kind(), predictor: { type: 'Linear' } },
    { name: 'y', kind: kind(), predictor: { type: 'Linear' } },
    {
      name: 'heading',
      kind: { type: 'Turn', steps: 2 ** random.between(1, 16) },
      predictor: { type: 'Bearing', x: first, y: first + 1 },
    },
    { name: 'vy', kind: randomNumber(random), predictor: { type: 'Rate', of: first + 1, scale } },
  ];
}

/** @param {Random} random @returns {FieldKind} */
const randomNumber = (random) =>
  random.pick(/** @type {const} */ ([{ type: 'Int', min: -500, max: 500 }, { type: 'Real', min: -300, max: 300, step: 0.125 }]));

/**
 * @param {Random} random
 * @returns {Schema} checked
 */
export function randomSchema(random) {
  const schema = {
    game: 'random',
    components: Array.from({ length: random.between(1, 6) }, (_, i) => {
      const audience = random.pick(/** @type {const} */ (['Everyone', 'Everyone', 'Owner', 'Room', 'Team']));
      const fields = randomFields(random, random.below(6));
      if (random.chance(0.3)) fields.push(...followingFields(random, fields.length));
      const predicted = audience === 'Everyone' ? random.pick(PREDICTED) : 'No';
      if (predicted === 'Grid') fields.forEach(({ kind }) => kind.type === 'Real' && kind.step === 0.01 && (kind.step = 1 / 64));
      return { name: `c${i}`, audience, predicted, fields };
    }),
    input: randomFields(random, 3)
      .filter(({ kind }) => kind.type !== 'Entity' && kind.type !== 'Text')
      .map((field) => ({ ...field, predictor: /** @type {const} */ ({ type: 'Hold' }) })),
    newestWins: false,
    events: [{ name: 'hit', fields: randomFields(random, 2), payload: random.pick([undefined, { name: 'more', json: random.chance() }]) }],
    actions: [],
    roomOptions: [],
    playerOptions: [],
    metadata: [],
  };
  checkSchema(schema);
  return schema;
}

/**
 * @param {Random} random
 * @param {Schema} schema
 * @returns {Tables} of some or all of its layers, or of none; checked
 */
export function randomTables(random, schema) {
  if (random.chance()) return UNTRAINED;
  const layers = new Layout(schema).sets
    .slice(0, random.between(1, 3))
    .map(({ prior, gains, symbols }) => {
      if (random.chance(0.2)) return [];
      const thresholds = Array.from({ length: symbols.length / STARTS }, () => randomThresholds(random)).flat();
      return [...Array.from(prior, () => randomContext(random)), ...Array.from(gains, () => randomGain(random)), ...thresholds];
    });
  const tables = { epoch: random.between(1, 255), layers };
  checkLayout(schema, tables);
  return tables;
}

/** @param {Random} random @returns {number} a context, often with odds at an edge */
function randomContext(random) {
  const odds = random.chance(0.2) ? random.pick([ODDS_MIN, ODDS_MAX]) : random.between(ODDS_MIN, ODDS_MAX);
  return (odds << 4) | random.below(16);
}

/** @param {Random} random @returns {number} a gain as tables have it: 16 bits, unsigned */
const randomGain = (random) => random.between(-GAIN_MAX, GAIN_MAX) & 0xffff;

/**
 * @param {Random} random
 * @returns {number[]} a table's thresholds, often with symbols that take the least or nearly all
 */
function randomThresholds(random) {
  if (random.chance(0.2)) return Array.from({ length: THRESHOLDS }, (_, i) => i + 1);
  if (random.chance(0.2)) return Array.from({ length: THRESHOLDS }, (_, i) => (1 << SYMBOL_BITS) - THRESHOLDS + i);
  const most = Math.floor((1 << SYMBOL_BITS) / SYMBOLS);
  let start = 0;
  return Array.from({ length: THRESHOLDS }, () => (start += random.between(1, most)));
}

/**
 * The image after `previous`: most entities go on, some change, leave, enter, or reuse a slot.
 * @param {Random} random
 * @param {ColumnSet} set
 * @param {Image | undefined} previous
 * @param {number} tick
 * @returns {Image}
 */
export function nextImage(random, set, previous, tick) {
  const image = new Image(set.width);
  image.tick = tick;
  image.gap = previous === undefined ? 0 : tick - previous.tick;
  for (let slot = 0; slot < 40; slot++) {
    const old = previous === undefined ? -1 : previous.find(slot);
    if (old === -1 || previous === undefined) {
      if (random.chance(0.15)) enter(random, set, image, slot, random.u32() & 0xffff);
    } else if (random.chance(0.05)) {
      if (random.chance()) enter(random, set, image, slot, (previous.generations[old] + 1) & 0xffff);
    } else {
      const mask = random.chance(0.03) ? random.u32() : previous.masks[old];
      const owner = random.chance(0.02) ? random.below(9) : previous.owners[old];
      const index = image.push(slot, previous.generations[old], owner, mask & allOf(set));
      goOn(random, set, image, index, previous, old);
    }
  }
  return image;
}

/** @param {ColumnSet} set */
const allOf = (set) => 2 ** set.components.length - 1;

/**
 * @param {Random} random
 * @param {ColumnSet} set
 * @param {Image} image
 * @param {number} slot
 * @param {number} generation
 */
function enter(random, set, image, slot, generation) {
  const index = image.push(slot, generation, random.below(9), random.u32() & allOf(set));
  eachColumn(set, image, index, (column, at) => {
    if (!isMemory(set, column)) image.rows[at] = randomQ(random, set, column);
  });
}

/**
 * @param {Random} random
 * @param {ColumnSet} set
 * @param {Image} image
 * @param {number} index
 * @param {Image} previous
 * @param {number} old
 */
function goOn(random, set, image, index, previous, old) {
  const isSame = previous.masks[old] === image.masks[index] && previous.owners[old] === image.owners[index];
  const row = index * set.width;
  eachColumn(set, image, index, (column, at) => {
    const was = previous.rows[old * set.width + column];
    if (isMemory(set, column)) return;
    const moved = (was >>> 0) + random.between(-3, 3);
    const isInside = moved >= 0 && moved <= set.qMax[column];
    if (follows(set, column, image.rows, row) && random.chance(0.7)) {
      const followed = follow(set, column, image.rows, row, image.gap);
      image.rows[at] = Math.min(Math.max(followed, 0), set.qMax[column]);
    } else {
      image.rows[at] = random.chance(0.1) || !isInside ? randomQ(random, set, column) : random.chance() ? moved : was;
    }
    if (set.guess[column] !== Guess.Linear || !isSame) return;
    const before = previous.rows[old * set.width + column + 1];
    image.rows[at + 1] = difference(image.rows[at], was, set.shift[column]);
    image.rows[at + 2] = secondDiffOf(image.rows[at + 1], before);
  });
}

/**
 * @param {ColumnSet} set
 * @param {number} column
 * @returns {boolean} whether it is what a linear column remembers
 */
const isMemory = ({ guess }, column) => guess[column] === Guess.Change || guess[column] === Guess.SecondDiff;

/**
 * @param {ColumnSet} set
 * @param {Image} image
 * @param {number} index
 * @param {(column: number, at: number) => void} visit
 */
function eachColumn(set, image, index, visit) {
  set.components.forEach(({ start, end }, c) => {
    if (((image.masks[index] >>> c) & 1) === 0) return;
    for (let column = start; column < end; column++) visit(column, index * set.width + column);
  });
}

/**
 * @param {Random} random
 * @param {ColumnSet} set
 * @param {number} column
 */
function randomQ(random, set, column) {
  return Math.min(random.u32(), set.qMax[column]);
}

/**
 * @param {FieldKind} kind
 * @param {Random} random
 * @returns {number[]} the `q` of any value of a kind
 */
export function randomQsOf(kind, random) {
  if (kind.type !== 'Text') return [Math.min(random.u32(), qMax(kind)) | 0];
  const characters = Array.from({ length: random.below(20) }, () => random.pick(['a', 'B', '7', ' ', 'ß', '한', '🦀', '\ufeff']));
  return textWords(characters.join(''), words(kind));
}

/**
 * @param {ColumnSet} set
 * @param {Image} image whose texts are random
 * @returns {Image} the same, whose texts are letters: a session refuses what is none
 */
export function withTexts({ texts, width }, image) {
  for (const { component, column, words } of texts) {
    for (let i = 0; i < image.count; i++) {
      if (((image.masks[i] >>> component) & 1) === 0) continue;
      for (let at = i * width + column, end = at + words; at < end; at++) image.rows[at] = (image.rows[at] & 0x0f0f0f0f) | 0x60606060;
    }
  }
  return image;
}

/**
 * @param {Image} image
 * @returns {unknown} it as plain data, for comparisons
 */
export function plain(image) {
  const { tick, gap, count, width } = image;
  const of = (/** @type {any} */ array, scale = 1) => Array.from(array.subarray(0, count * scale));
  return {
    tick,
    gap,
    slots: of(image.slots),
    generations: of(image.generations),
    owners: of(image.owners),
    masks: of(image.masks),
    rows: of(image.rows, width),
  };
}

/**
 * Which columns an image has, derived from the schema by both ends in the same way (PROTOCOL.md
 * §7). Columns are kept as typed arrays, one entry a column, because the decoder walks them for
 * every entity. Not the values: those are `snapshot/image.js`.
 */

import { COLUMNS_MAX } from '../limits.js';
import { ProtocolError } from '../protocol_error.js';
import { bits, fine, modulus, qMax, quantise, words } from '../schema/field.js';
import { Guess } from '../schema/guess.js';
import { SETS } from '../schema/schema.js';
import { UNTRAINED } from '../schema/tables.js';
import { enteringContexts } from './entering.js';
import { TABLES, columnContexts, columnsStart, untrainedTables } from './model.js';
import { GAINS, GAIN_MAX, UNTRAINED_GAINS } from './predictor.js';
import { ODDS_MAX, ODDS_MIN, UNSURE } from './range_coder.js';
import { THRESHOLDS, areThresholds, tablesOf } from './symbols.js';

/** @typedef {import('../schema/schema.js').Schema} Schema */
/** @typedef {import('../schema/schema.js').Component} Component */
/** @typedef {import('../schema/tables.js').Tables} Tables */
/** @typedef {import('../schema/field.js').Field} Field */
/** @typedef {import('../schema/field.js').FieldKind} FieldKind */

/** Layer of what everyone in the room sees. */
export const ROOM_LAYER = 0;
/** Layer of what only the receiving player sees; that of what their team sees is behind it. */
export const OWNER_LAYER = 1;
/**
 * The first layer of a group of entities, with the columns and tables of the room's. Which group it
 * is the client is not told: the numbers are its own, and given out again.
 */
export const GROUP_LAYERS = SETS;

/**
 * @param {number} layer
 * @returns {number} of its column set among the layout's; a keyframe names it
 */
export const setNumber = (layer) => (layer < GROUP_LAYERS ? layer : ROOM_LAYER);

/**
 * A component's place in a column set.
 * @typedef {object} ComponentColumns
 * @property {Component} component
 * @property {number} start first column
 * @property {number} end one past the last column
 * @property {number} linearStart first of its part of the set's `linear`
 * @property {number} linearEnd one past the last
 * @property {number} othersStart first of its part of the set's `others`
 * @property {number} othersEnd one past the last
 * @property {boolean} hasRest whether one bit says that none of its other columns differs from
 *   its guess: where things move, the rest seldom changes
 * @property {FieldColumns[]} fields
 */

/**
 * A field's place in a column set.
 * @typedef {object} FieldColumns
 * @property {string} name
 * @property {FieldKind} kind which its integers follow
 * @property {number} column first of its value
 * @property {boolean} moves whether a velocity or change predicts it
 */

/** The columns of one layer. */
export class ColumnSet {
  /**
   * @param {{ component: Component, fine: boolean }[]} parts in schema order; the index is the
   *   bit in a mask
   * @param {readonly number[]} [table] what was trained for it; left out or of another length
   *   there are even odds
   */
  constructor(parts, table) {
    const columnsOf = (/** @type {{ component: Component, fine: boolean }} */ part) =>
      part.component.fields.reduce((sum, field) => sum + words(field.kind) + (goesOn(field, part.fine) ? 2 : 0), 0);
    /** Integers of an entity's row. */
    this.width = parts.reduce((sum, part) => sum + columnsOf(part), 0);
    const { width } = this;
    /** How each column is guessed, a `Guess`. */
    this.guess = new Uint8Array(width);
    /** Bits of an absolute value. */
    this.bits = new Uint8Array(width);
    /** The greatest absolute value, unsigned. */
    this.qMax = new Float64Array(width);
    /**
     * Bits by which a number is shifted up and down again to wrap it: for turns to their steps; 0
     * for the others.
     */
    this.shift = new Uint8Array(width);
    /** The column of a velocity; the change that a rate or the first that a bearing follows. */
    this.by = new Uint16Array(width);
    /** The second change that a bearing follows. */
    this.second = new Uint16Array(width);
    /** The `q` of zero: a velocity's, or a rate's own. */
    this.zero = new Int32Array(width);
    /** A velocity's numerator, or a counter's change a tick. */
    this.num = new Int32Array(width);
    /** A velocity's denominator, positive. */
    this.den = new Int32Array(width);
    /** A rate's steps for each step of change a tick, or a bearing's directions of a turn. */
    this.scale = new Float64Array(width);
    /** @type {number[]} */
    const linear = [];
    /** @type {number[]} */
    const others = [];
    /**
     * @type {{ component: number, column: number, words: number }[]} the texts, by the number of
     *   their component
     */
    this.texts = [];
    let start = 0;
    /** @type {ComponentColumns[]} */
    this.components = parts.map((part, number) => {
      const columns = this.#push(number, part.component, part.fine, start, linear, others);
      start = columns.end;
      return columns;
    });
    /** The columns of linear fields' values, by rising number. */
    this.linear = Uint16Array.from(linear);
    /** The columns of all other fields, by rising number. */
    this.others = Uint16Array.from(others);
    /** Place of each column's contexts in a body's. */
    this.contexts = new Int32Array(width);
    let place = columnsStart(parts.length);
    for (let column = 0; column < width; column++) {
      this.contexts[column] = place;
      place += columnContexts(this.guess[column]);
    }
    /** Place of those that only entering entities need. */
    this.entering = new Int32Array(width);
    for (let column = 0; column < width; column++) {
      this.entering[column] = place;
      place += enteringContexts(this.guess[column], this.bits[column]);
    }
    /**
     * Numbers of what is trained: its contexts, the gains of its linear columns, the thresholds of
     * their tables.
     */
    this.tableSize = place + (GAINS + TABLES * THRESHOLDS) * linear.length;
    const learnt = table?.length === this.tableSize ? table : undefined;
    /** What the contexts of every body start as (`snapshot/model.js`). */
    this.prior = learnt === undefined ? new Uint16Array(place).fill(UNSURE) : Uint16Array.from(learnt.slice(0, place));
    /**
     * Of each linear column, in order of `linear`, how much of its last second difference it
     * repeats, in 1/32, by its component's activity: `GAINS` each.
     */
    this.gains = Int32Array.from({ length: GAINS * linear.length }, (_, i) =>
      learnt === undefined ? UNTRAINED_GAINS[i % GAINS] : gainOf(learnt[place + i]),
    );
    /**
     * Of each linear column, in order of `linear`, the tables of its steady residuals
     * (`snapshot/symbols.js`): `TABLES` each.
     */
    this.symbols = tablesOf(learnt === undefined ? untrainedTables(this) : learnt.slice(place + this.gains.length));
  }

  /**
   * @param {number} number in the layer
   * @param {Component} component
   * @param {boolean} isFine
   * @param {number} start its first column
   * @param {number[]} linear columns of the components before it; gets its own
   * @param {number[]} others as `linear`
   * @returns {ComponentColumns}
   */
  #push(number, component, isFine, start, linear, others) {
    const [linearStart, othersStart] = [linear.length, others.length];
    let at = start;
    /** @type {FieldColumns[]} */
    const fields = component.fields.map((field) => {
      const kind = isFine ? fine(field.kind) : field.kind;
      const column = at;
      at += words(kind) + (goesOn(field, isFine) ? 2 : 0);
      return { name: field.name, kind, column, moves: /Linear|Velocity/.test(field.predictor.type) };
    });
    component.fields.forEach((field, index) => {
      const { kind, column } = fields[index];
      const count = words(kind);
      this.bits.fill(bits(kind), column, column + count);
      this.qMax.fill(qMax(kind), column, column + count);
      this.shift[column] = modulus(kind) === 0 ? 0 : Math.clz32(modulus(kind) - 1);
      if (kind.type === 'Text') this.texts.push({ component: number, column, words: count });
      if (goesOn(field, isFine)) {
        this.guess.set([Guess.Linear, Guess.Change, Guess.SecondDiff], column);
        linear.push(column);
      } else {
        this.#guess(field.predictor, column, fields, kind);
        for (let i = 0; i < count; i++) others.push(column + i);
      }
    });
    const [linearEnd, othersEnd] = [linear.length, others.length];
    const hasRest = linearEnd > linearStart && othersEnd - othersStart > 1;
    return { component, start, end: at, linearStart, linearEnd, othersStart, othersEnd, hasRest, fields };
  }

  /**
   * @param {import('../schema/field.js').Predictor} predictor of a field that does not go on by
   *   its change
   * @param {number} column
   * @param {FieldColumns[]} fields of its component
   * @param {FieldKind} kind
   */
  #guess(predictor, column, fields, kind) {
    if (predictor.type === 'Velocity') {
      const by = fields[predictor.by];
      this.guess[column] = Guess.Velocity;
      this.by[column] = by.column;
      this.zero[column] = quantise(by.kind, 0);
      this.num[column] = predictor.num;
      this.den[column] = predictor.den;
    } else if (predictor.type === 'Counter') {
      this.guess[column] = Guess.Counter;
      this.num[column] = predictor.perTick;
    } else if (predictor.type === 'Bearing') {
      this.guess[column] = Guess.Bearing;
      this.by[column] = fields[predictor.x].column + 1;
      this.second[column] = fields[predictor.y].column + 1;
      this.scale[column] = modulus(kind);
    } else if (predictor.type === 'Rate') {
      this.guess[column] = Guess.Rate;
      this.by[column] = fields[predictor.of].column + 1;
      this.zero[column] = quantise(kind, 0);
      this.scale[column] = predictor.scale;
    }
  }
}

/** @param {number} number of a table, 16 bits @returns {number} the gain that it is, signed */
export const gainOf = (number) => (number << 16) >> 16;

/** The column sets of a checked schema. */
export class Layout {
  /**
   * @param {Schema} schema
   * @param {Tables} [tables] checked by `checkLayout`
   */
  constructor(schema, tables = UNTRAINED) {
    /** Which training the tables are of. */
    this.epoch = tables.epoch;
    /** @type {{ component: Component, fine: boolean }[][]} */
    const [room, owner, team] = [[], [], []];
    for (const component of schema.components) {
      const layer = component.audience === 'Owner' ? owner : component.audience === 'Team' ? team : room;
      layer.push({ component, fine: false });
      if (component.predicted === 'Fine') owner.push({ component, fine: true });
    }
    /** Columns of the layers 0 to 2, by their numbers. */
    this.sets = [room, owner, team].map((parts, number) => new ColumnSet(parts, tables.layers[number]));
  }

  /** Columns of layer 0 and of those of groups. */
  get room() {
    return this.sets[ROOM_LAYER];
  }

  /** Columns of layer 1. */
  get owner() {
    return this.sets[OWNER_LAYER];
  }
}

/**
 * Whether a field's value is followed by its last change and second difference. In the fine columns
 * of the owner a velocity's ratio would not hold (both steps change), so `Real` fields that move go
 * on by their last change there.
 * @param {Field} field
 * @param {boolean} isFine
 */
function goesOn({ kind, predictor: { type } }, isFine) {
  if (!isFine) return type === 'Linear';
  return type === 'Linear' || type === 'Rate' || (type === 'Velocity' && kind.type === 'Real');
}

/**
 * Throws a `ProtocolError` on layers that are too wide, and on tables that are not of this schema.
 * Called when the rest of it is known to be right.
 * @param {Schema} schema
 * @param {Tables} [tables]
 */
export function checkLayout(schema, { layers } = UNTRAINED) {
  if (layers.length > SETS) throw new ProtocolError('more tables than layers');
  const { sets } = new Layout(schema);
  const wide = sets.findIndex(({ width }) => width > COLUMNS_MAX);
  if (wide !== -1) throw new ProtocolError(`layer ${wide} has ${sets[wide].width} columns, at most ${COLUMNS_MAX}`);
  layers.forEach((table, layer) => {
    if (table.length === 0) return;
    if (table.length !== sets[layer].tableSize) throw new ProtocolError(`the table of layer ${layer} is not of this schema`);
    const contexts = sets[layer].prior.length;
    if (table.slice(0, contexts).some((context) => context >>> 4 < ODDS_MIN || context >>> 4 > ODDS_MAX)) {
      throw new ProtocolError(`the table of layer ${layer} has odds out of range`);
    }
    const thresholds = contexts + GAINS * sets[layer].linear.length;
    if (table.slice(contexts, thresholds).some((gain) => Math.abs(gainOf(gain)) > GAIN_MAX)) {
      throw new ProtocolError(`the table of layer ${layer} has a gain out of range`);
    }
    if (!areThresholds(table.slice(thresholds))) {
      throw new ProtocolError(`the table of layer ${layer} has thresholds that do not rise`);
    }
  });
}

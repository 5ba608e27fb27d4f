/**
 * Which columns an image has, derived from the schema by both ends in the same way (PROTOCOL.md §7).
 * Columns are kept as typed arrays, one entry a column, because the decoder walks them for every
 * entity. Not the values: those are `snapshot/image.js`.
 */

import { priorOf } from '../snapshot/model.js';
import { bits, fine, modulus, qMax, quantise, words } from './field.js';
import { turnTable } from './turn_table.js';

/** @typedef {import('./schema.js').Schema} Schema */
/** @typedef {import('./schema.js').Component} Component */
/** @typedef {import('./field.js').Field} Field */
/** @typedef {import('./field.js').FieldKind} FieldKind */

/** Layer of what everyone in the room sees. */
export const ROOM_LAYER = 0;
/** Layer of what only the receiving player sees. */
export const OWNER_LAYER = 1;
/** Layer of what the receiving player's team sees. */
export const TEAM_LAYER = 2;
/** Layers that a room has for one player. */
export const LAYERS = 3;

/** How a column is guessed from the baseline. */
export const Guess = Object.freeze({
  /** Stays. */
  Hold: 0,
  /** Goes on by the next column. */
  Linear: 1,
  /** The last change of the column before: implied where the baseline is the image before. */
  Change: 2,
  /** Moves by another column. */
  Velocity: 3,
  /** Rises by the same every tick. */
  Counter: 4,
  /** Goes on by the next column, turned with a heading. */
  Rotate: 5,
});

/**
 * How a column of a rotating pair turns.
 * @typedef {object} Rotation
 * @property {number} x change column of the pair's first field
 * @property {number} y change column of the pair's second field
 * @property {number} heading change column of the heading
 * @property {boolean} isSecond whether the column is the pair's second field
 * @property {import('./turn_table.js').TurnTable} table sines and cosines of the heading's steps
 */

/** A component's place in a column set. */
export class ComponentColumns {
  /**
   * @param {Component} component
   * @param {number} start first column
   * @param {number} end one past the last column
   * @param {{ name: string, kind: FieldKind, column: number, moves: boolean }[]} fields
   *   each field's first value column and the kind that its integers follow; `moves` when a velocity or change predicts it
   */
  constructor(component, start, end, fields) {
    this.component = component;
    this.start = start;
    this.end = end;
    this.fields = fields;
  }
}

/** The columns of one layer. */
export class ColumnSet {
  /**
   * @param {{ component: Component, fine: boolean }[]} parts in schema order; the index is the bit in a mask
   * @param {readonly number[]} [table] what its bodies' contexts start as; even odds if it is left out or of another length
   */
  constructor(parts, table) {
    const columnsOf = (/** @type {{ component: Component }} */ { component }) => component.fields.reduce((sum, { kind }) => sum + words(kind) + 1, 0);
    const columns = parts.reduce((sum, part) => sum + columnsOf(part), 0);
    /** How each column is guessed, a `Guess`. */
    this.guess = new Uint8Array(columns);
    /** Bits of an absolute value. */
    this.bits = new Uint8Array(columns);
    /** The greatest absolute value, unsigned. */
    this.qMax = new Float64Array(columns);
    /** Modulus of differences, a power of two; 0 for 2^32. */
    this.modulus = new Int32Array(columns);
    /** A velocity's column. */
    this.by = new Uint16Array(columns);
    /** A velocity's `q` of zero. */
    this.zero = new Int32Array(columns);
    /** A velocity's numerator, or a counter's change a tick. */
    this.num = new Int32Array(columns);
    /** A velocity's denominator, positive. */
    this.den = new Int32Array(columns);
    /** @type {(Rotation | undefined)[]} of each column that has one */
    this.rotation = new Array(columns);
    /** @type {{ component: number, column: number, words: number }[]} the texts, by the number of their component */
    this.texts = [];
    /** Integers of an entity's row. */
    this.width = 0;
    /** @type {ComponentColumns[]} */
    this.components = parts.map((part, number) => this.#push(number, part.component, part.fine));
    const changes = this.components.flatMap(({ start, end }, number) =>
      Array.from({ length: end - start }, (_, i) => ({ column: start + i, bit: 1 << number })),
    ).filter(({ column }) => this.guess[column] === Guess.Change);
    /** The change columns, by rising number. */
    this.changes = Uint16Array.from(changes, ({ column }) => column);
    /** The bit in a mask of each change column's component. */
    this.changeBits = Int32Array.from(changes, ({ bit }) => bit);
    /** What the contexts of every body start as (`snapshot/model.js`). */
    this.prior = priorOf(this, table);
  }

  /**
   * @param {number} number in the layer
   * @param {Component} component
   * @param {boolean} isFine
   * @returns {ComponentColumns}
   */
  #push(number, component, isFine) {
    const start = this.width;
    let at = start;
    const fields = component.fields.map((field) => {
      const kind = isFine ? fine(field.kind) : field.kind;
      const column = at;
      at += words(kind) + (hasChange(field, isFine) ? 1 : 0);
      const moves = /Linear|Velocity|Rotate/.test(field.predictor.type);
      return { name: field.name, kind, column, moves };
    });
    component.fields.forEach((field, index) => {
      const { kind, column } = fields[index];
      const count = words(kind);
      this.bits.fill(bits(kind), column, column + count);
      this.qMax.fill(qMax(kind), column, column + count);
      this.modulus[column] = modulus(kind);
      if (kind.type === 'Text') this.texts.push({ component: number, column, words: count });
      this.#guess(field.predictor, column, fields, goesOn(field, isFine));
      if (!hasChange(field, isFine)) return;
      this.guess[column + 1] = Guess.Change;
      this.bits[column + 1] = 32;
    });
    this.width = at;
    return new ComponentColumns(component, start, at, fields);
  }

  /**
   * @param {import('./field.js').Predictor} predictor
   * @param {number} column
   * @param {{ kind: FieldKind, column: number }[]} fields of its component
   * @param {boolean} isLinear
   */
  #guess(predictor, column, fields, isLinear) {
    if (isLinear) {
      this.guess[column] = Guess.Linear;
    } else if (predictor.type === 'Velocity') {
      const by = fields[predictor.by];
      this.guess[column] = Guess.Velocity;
      this.by[column] = by.column;
      this.zero[column] = quantise(by.kind, 0);
      this.num[column] = predictor.num;
      this.den[column] = predictor.den;
    } else if (predictor.type === 'Counter') {
      this.guess[column] = Guess.Counter;
      this.num[column] = predictor.perTick;
    } else if (predictor.type === 'Rotate') {
      const [x, y, heading] = [predictor.x, predictor.y, predictor.heading].map((index) => fields[index]);
      this.guess[column] = Guess.Rotate;
      this.rotation[column] = {
        x: x.column + 1,
        y: y.column + 1,
        heading: heading.column + 1,
        isSecond: column === y.column,
        table: turnTable(modulus(heading.kind)),
      };
    }
  }
}

/** The column sets of a checked schema. */
export class Layout {
  /** @param {Schema} schema */
  constructor(schema) {
    /** @type {{ component: Component, fine: boolean }[][]} */
    const [room, owner, team] = [[], [], []];
    for (const component of schema.components) {
      const layer = component.audience === 'Owner' ? owner : component.audience === 'Team' ? team : room;
      layer.push({ component, fine: false });
      if (component.predicted) owner.push({ component, fine: true });
    }
    /** Columns of every layer, by its number. */
    this.sets = [room, owner, team].map((parts, layer) => new ColumnSet(parts, schema.tables[layer]));
  }

  /** Columns of layer 0. */
  get room() {
    return this.sets[ROOM_LAYER];
  }

  /** Columns of layer 1. */
  get owner() {
    return this.sets[OWNER_LAYER];
  }
}

/**
 * In the fine columns of the owner neither a velocity's ratio nor a rotation's clamp would hold (the steps
 * change), so `Real` fields that move go on by their last change there.
 * @param {Field} field
 * @param {boolean} isFine
 */
function goesOn(field, isFine) {
  const { type } = field.predictor;
  return type === 'Linear' || ((type === 'Velocity' || type === 'Rotate') && isFine && field.kind.type === 'Real');
}

/**
 * Whether a column of the last change follows the field's.
 * @param {Field} field
 * @param {boolean} isFine
 */
function hasChange(field, isFine) {
  return goesOn(field, isFine) || field.predictor.type === 'Rotate';
}

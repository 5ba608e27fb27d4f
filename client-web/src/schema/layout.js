/**
 * Which columns an image has, derived from the schema by both ends in the same way (PROTOCOL.md §7).
 * Columns are kept as typed arrays, one entry a column, because the decoder walks them for every
 * entity. Not the values: those are `snapshot/image.js`.
 */

import { bits, fine, modulus, qMax, quantise } from './field.js';

/** @typedef {import('./schema.js').Schema} Schema */
/** @typedef {import('./schema.js').Component} Component */
/** @typedef {import('./field.js').Field} Field */
/** @typedef {import('./field.js').FieldKind} FieldKind */

/** Layer of what everyone in the room sees. */
export const ROOM_LAYER = 0;
/** Layer of what only the receiving player sees. */
export const OWNER_LAYER = 1;

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
});

/** A component's place in a column set. */
export class ComponentColumns {
  /**
   * @param {Component} component
   * @param {number} start first column
   * @param {number} end one past the last column
   * @param {{ name: string, kind: FieldKind, column: number, moves: boolean }[]} fields
   *   each field's value column and the kind that its integers follow; `moves` when a velocity or change predicts it
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
  /** @param {{ component: Component, fine: boolean }[]} parts in schema order; the index is the bit in a mask */
  constructor(parts) {
    const columns = parts.reduce((sum, part) => sum + part.component.fields.length, 0) * 2;
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
    /** Integers of an entity's row. */
    this.width = 0;
    /** @type {ComponentColumns[]} */
    this.components = parts.map((part) => this.#push(part.component, part.fine));
  }

  /**
   * @param {Component} component
   * @param {boolean} isFine
   * @returns {ComponentColumns}
   */
  #push(component, isFine) {
    const start = this.width;
    let at = start;
    const fields = component.fields.map((field) => {
      const kind = isFine ? fine(field.kind) : field.kind;
      const column = at;
      at += guessesLinear(field, isFine) ? 2 : 1;
      const moves = field.predictor.type === 'Velocity' || field.predictor.type === 'Linear';
      return { name: field.name, kind, column, moves };
    });
    component.fields.forEach((field, number) => {
      const { kind, column } = fields[number];
      this.bits[column] = bits(kind);
      this.qMax[column] = qMax(kind);
      this.modulus[column] = modulus(kind);
      if (guessesLinear(field, isFine)) {
        this.guess[column] = Guess.Linear;
        this.guess[column + 1] = Guess.Change;
        this.bits[column + 1] = 32;
      } else if (field.predictor.type === 'Velocity') {
        const by = fields[field.predictor.by];
        this.guess[column] = Guess.Velocity;
        this.by[column] = by.column;
        this.zero[column] = quantise(by.kind, 0);
        this.num[column] = field.predictor.num;
        this.den[column] = field.predictor.den;
      } else if (field.predictor.type === 'Counter') {
        this.guess[column] = Guess.Counter;
        this.num[column] = field.predictor.perTick;
      }
    });
    this.width = at;
    return new ComponentColumns(component, start, at, fields);
  }
}

/** The column sets of a checked schema. */
export class Layout {
  /** @param {Schema} schema */
  constructor(schema) {
    /** @type {{ component: Component, fine: boolean }[]} */
    const room = [];
    /** @type {{ component: Component, fine: boolean }[]} */
    const owner = [];
    for (const component of schema.components) {
      (component.audience === 'Owner' ? owner : room).push({ component, fine: false });
      if (component.predicted) owner.push({ component, fine: true });
    }
    /** Columns of layer 0. */
    this.room = new ColumnSet(room);
    /** Columns of layer 1. */
    this.owner = new ColumnSet(owner);
  }
}

/**
 * In the fine columns of the owner a velocity's ratio would not hold (both steps change), so `Real`
 * fields that move go on by their last change there.
 * @param {Field} field
 * @param {boolean} isFine
 */
function guessesLinear(field, isFine) {
  const { type } = field.predictor;
  return type === 'Linear' || (type === 'Velocity' && isFine && field.kind.type === 'Real');
}

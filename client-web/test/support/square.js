/**
 * The smallest game with everything in it, and its server in a few lines: players' squares move on
 * a predicted position, an owner's ammo, room-wide state, an event and an action.
 */

import { dequantise, fine, quantise } from '../../src/schema/field.js';
import { Image, Owner } from '../../src/snapshot/image.js';
import { Layout } from '../../src/snapshot/layout.js';
import { secondDiffOf } from '../../src/snapshot/predictor.js';
import { bare, encodeBody } from './delta_encoder.js';
import { GroupServer } from './group_server.js';

/** @typedef {import('../../src/schema/schema.js').Schema} Schema */
/** @typedef {import('../../src/schema/field.js').Predictor} Predictor */

/** @type {Predictor} */
const hold = { type: 'Hold' };
/** @type {Predictor} */
const linear = { type: 'Linear' };
const range = /** @type {const} */ ({ type: 'Real', min: 0, max: 1000, step: 0.125 });
const axis = /** @type {const} */ ({ type: 'Real', min: -1, max: 1, step: 1 / 64 });

/** @type {Schema} */
export const SQUARE = {
  game: 'square',
  components: [
    {
      name: 'pos',
      audience: 'Everyone',
      predicted: 'Fine',
      fields: [
        { name: 'x', kind: range, predictor: linear },
        { name: 'y', kind: range, predictor: linear },
      ],
    },
    {
      name: 'look',
      audience: 'Everyone',
      predicted: 'No',
      fields: [
        { name: 'heading', kind: { type: 'Turn', steps: 256 }, predictor: hold },
        { name: 'colour', kind: { type: 'Enum', names: ['red', 'blue'] }, predictor: hold },
        { name: 'target', kind: { type: 'Entity' }, predictor: hold },
      ],
    },
    { name: 'ammo', audience: 'Owner', predicted: 'No', fields: [{ name: 'n', kind: { type: 'Bits' }, predictor: hold }] },
    { name: 'round', audience: 'Room', predicted: 'No', fields: [{ name: 'on', kind: { type: 'Bool' }, predictor: hold }] },
  ],
  input: [
    { name: 'dx', kind: axis, predictor: hold },
    { name: 'dy', kind: axis, predictor: hold },
  ],
  newestWins: false,
  events: [{ name: 'hit', fields: [{ name: 'who', kind: { type: 'Entity' }, predictor: hold }], payload: undefined }],
  actions: [
    { name: 'buy', fields: [{ name: 'item', kind: { type: 'Bits' }, predictor: hold }], payload: undefined, answer: [], answerPayload: undefined },
    {
      name: 'greet',
      fields: [
        { name: 'who', kind: { type: 'Entity' }, predictor: hold },
        { name: 'text', kind: { type: 'Text', bytes: 8 }, predictor: hold },
      ],
      payload: undefined,
      answer: [],
      answerPayload: undefined,
    },
  ],
  roomOptions: [],
  playerOptions: [],
  metadata: [],
};

/**
 * @param {string[]} without names of components that it lacks
 * @returns {Schema} the game with positions that are predicted in their own step, as everyone
 *   gets them
 */
export function onGrid(...without) {
  const components = SQUARE.components.filter(({ name }) => !without.includes(name));
  return { ...SQUARE, components: components.map((component) => (component.name === 'pos' ? { ...component, predicted: 'Grid' } : component)) };
}

/**
 * The rule of movement.
 * @param {any} me
 * @param {any} input
 * @param {{ dt: number }} time
 */
export function step(me, input, { dt }) {
  me.pos.x += input.dx * 90 * dt;
  me.pos.y += input.dy * 90 * dt;
}

/**
 * One square.
 * @typedef {{ slot: number, generation: number, player: number, x: number, y: number, heading:
 *   number, ammo: number }} Square
 */

/** The room's world for one player: squares in order of slot, and the bodies of its images. */
export class SquareServer {
  tick = 0;
  /** @type {Square[]} */
  squares = [];
  on = false;
  /** @type {(Image | undefined)[]} the last image of each layer */
  last = [undefined, undefined];
  /** The tick of the newest images, sent or not. */
  made = 0;

  /**
   * @param {number} you the player who is served
   * @param {Schema} [schema] the game, or that `onGrid`
   */
  constructor(you, schema = SQUARE) {
    this.you = you;
    this.layout = new Layout(schema);
    this.isFine = schema.components[0].predicted === 'Fine';
    /** What positions are snapped to after each tick. */
    this.snapped = this.isFine ? fine(range) : range;
  }

  /**
   * @param {(square: Square) => { dx: number, dy: number }} inputOf
   * @param {number} dt
   */
  step(inputOf, dt) {
    this.tick++;
    for (const square of this.squares) {
      const me = { pos: { x: square.x, y: square.y } };
      step(me, inputOf(square), { dt });
      square.x = dequantise(this.snapped, quantise(this.snapped, me.pos.x));
      square.y = dequantise(this.snapped, quantise(this.snapped, me.pos.y));
    }
  }

  /**
   * The bodies of this tick's images against the last ones that were made.
   * @param {{ keyframe?: boolean }} [options]
   * @returns {Uint8Array[]}
   */
  bodies({ keyframe = false } = {}) {
    const images = this.layout.owner.width > 0 ? [this.roomImage(), this.ownerImage()] : [this.roomImage()];
    this.skip();
    return images.map((image, layer) => {
      const baseline = keyframe ? undefined : this.last[layer];
      const set = this.layout.sets[layer];
      this.last[layer] = baseline === undefined ? bare(set, image) : image;
      return encodeBody(layer, set, baseline, image, true);
    });
  }

  /**
   * @returns {{ layers: (Uint8Array | undefined)[], closed?: number[], groups?: Record<number,
   *   Uint8Array> }} what a snapshot of this tick has of layers
   */
  parts() {
    return { layers: this.bodies() };
  }

  /** This tick's images are made and not sent. */
  skip() {
    this.made = this.tick;
  }

  /** @returns {Image} what everyone sees of this tick */
  roomImage() {
    const image = this.#image(0);
    image.push(0, 0, 0, 0b100);
    image.rows[this.layout.room.components[2].start] = this.on ? 1 : 0;
    for (const { slot, generation, player, x, y, heading } of this.squares) {
      const index = image.push(slot, generation, Owner.avatarOf(player), 0b011);
      this.#fill(image, index, 0, [quantise(range, x), quantise(range, y)]);
      const at = index * image.width + this.layout.room.components[1].start;
      image.rows[at] = quantise({ type: 'Turn', steps: 256 }, heading);
      image.rows[at + 1] = 1;
      image.rows[at + 2] = -1;
    }
    return image;
  }

  /** @returns {Image} what the player who is served sees besides */
  ownerImage() {
    const image = this.#image(1);
    for (const { slot, generation, player, x, y, ammo } of this.squares) {
      if (player !== this.you) continue;
      const { components } = this.layout.owner;
      const index = image.push(slot, generation, Owner.avatarOf(player), this.isFine ? 0b11 : 0b1);
      if (this.isFine) this.#fill(image, index, 1, [quantise(this.snapped, x), quantise(this.snapped, y)]);
      image.rows[index * image.width + components[components.length - 1].start] = ammo;
    }
    return image;
  }

  /** @param {number} layer */
  #image(layer) {
    const image = new Image(this.layout.sets[layer].width);
    image.tick = this.tick;
    const last = this.last[layer];
    image.gap = last === undefined ? 0 : this.tick - this.made;
    return image;
  }

  /**
   * Position, its changes and second differences.
   * @param {Image} image
   * @param {number} index
   * @param {number} layer
   * @param {number[]} values
   */
  #fill(image, index, layer, values) {
    const last = this.last[layer];
    const old = last?.find(image.slots[index]) ?? -1;
    const isSame =
      last !== undefined && old !== -1 && last.generations[old] === image.generations[index] && last.owners[old] === image.owners[index];
    values.forEach((value, i) => {
      const at = index * image.width + 3 * i;
      image.rows[at] = value;
      if (!isSame) return;
      const before = old * image.width + 3 * i;
      image.rows[at + 1] = value - last.rows[before];
      image.rows[at + 2] = secondDiffOf(image.rows[at + 1], last.rows[before + 1]);
    });
  }
}

/** The same, with the squares in groups, some of which the player holds. */
export class GroupedSquares extends SquareServer {
  /** Their groups by slot, 0 for none. @type {(slot: number) => number} */
  groupOf = () => 0;
  /** The groups that are held. @type {number[]} */
  wanted = [];
  /** Layers whose next body is a keyframe. @type {number[]} */
  keyframes = [];
  #groups = new GroupServer(this.layout);

  parts() {
    const { squares, layout } = this;
    const room = this.roomImage();
    const owner = this.ownerImage();
    for (const { slot } of squares) this.#groups.groupOf.set(slot, this.groupOf(slot));
    this.#groups.turn(room);
    const before = this.last[1];
    const own = encodeBody(1, layout.owner, before, owner, true);
    this.last.splice(0, 2, room, before === undefined ? bare(layout.owner, owner) : owner);
    this.skip();
    const { layers, ...rest } = this.#groups.parts({ wanted: this.wanted, keyframes: this.keyframes });
    this.keyframes = [];
    return { layers: [...layers, own], ...rest };
  }
}

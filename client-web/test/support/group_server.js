/**
 * A room whose entities are in groups, and its server for one player who holds some of them: what
 * each layer is at each tick, and the snapshots that say so. The reverse of
 * `src/session/layers.js`, as far as that follows from PROTOCOL.md.
 */

import { Image, handleAt } from '../../src/snapshot/image.js';
import { GROUP_LAYERS } from '../../src/snapshot/layout.js';
import { Guess } from '../../src/schema/guess.js';
import { secondDiffOf } from '../../src/snapshot/predictor.js';
import { bare, encodeBody, isPredicted, isSame } from './delta_encoder.js';
import { snapshot } from './messages.js';

/** @typedef {import('./random.js').Random} Random */
/** @typedef {import('../../src/snapshot/layout.js').Layout} Layout */

/** Layers that a client can hold. */
const LAYERS = 124;

/** See the module's description. */
export class GroupServer {
  /** The room's newest image, with everyone in it. */
  room;
  /** What of it is in no group: in layer 0, where who comes from a group has no past. */
  #everyone;
  /** By slot the group of who is in it, 0 for none. @type {Map<number, number>} */
  groupOf = new Map();
  /** The layer of each group that is held. @type {Map<number, number>} */
  numbers = new Map();
  /** By layer what the client has of it. @type {(Image | undefined)[]} */
  held = [];
  /** Bodies that were sent, and that were left out; entities that moved by reference. */
  counts = { sent: 0, leftOut: 0, arrived: 0 };

  /** @param {Layout} layout */
  constructor(layout) {
    this.layout = layout;
    this.set = layout.room;
    this.room = new Image(this.set.width);
    this.#everyone = new Image(this.set.width);
  }

  /**
   * The room made another image; `groupOf` is as of now.
   * @param {Image} room
   */
  turn(room) {
    const before = this.#everyone;
    const { guess, width } = this.set;
    this.room = room;
    const image = this.#filter(0);
    for (let i = 0; i < image.count; i++) {
      const old = before.find(image.slots[i]);
      const isKnown = old !== -1 && isSame(before, old, image, i);
      for (let at = i * width, column = 0; column < width; at++, column++) {
        if (guess[column] === Guess.Change && !isKnown) image.rows[at] = 0;
        if (guess[column] === Guess.SecondDiff) image.rows[at] = isKnown ? secondDiffOf(image.rows[at - 1], before.rows[old * width + column - 1]) : 0;
      }
    }
    this.#everyone = image;
  }

  /**
   * @param {number} group 0 for none
   * @returns {Image} the newest image of its layer
   */
  part(group) {
    return group === 0 ? this.#everyone : this.#filter(group);
  }

  /** @param {number} group */
  #filter(group) {
    const { room } = this;
    const image = new Image(room.width);
    image.begin(room.tick, room.gap);
    for (let i = 0; i < room.count; i++) if ((this.groupOf.get(room.slots[i]) ?? 0) === group) image.append(room, i);
    return image;
  }

  /** @returns {number} a layer that is not held */
  freeNumber() {
    const taken = new Set(this.numbers.values());
    let number = GROUP_LAYERS;
    while (taken.has(number)) number++;
    if (number >= LAYERS) throw new Error('no layer is free');
    return number;
  }

  /**
   * What says the newest image to the client.
   * @param {{ wanted?: readonly number[], keyframes?: readonly number[], isChecked?: boolean,
   *   spoil?: (body: Uint8Array, layer: number) => Uint8Array }} [options] `wanted`: the groups
   *   that are held from now on; `keyframes`: layers of which one was asked for; `spoil`: what
   *   becomes of the bodies on the way
   * @returns {{ closed: number[] | undefined, layers: (Uint8Array | undefined)[], groups:
   *   Record<number, Uint8Array> }} of a snapshot
   */
  parts({ wanted = [...this.numbers.keys()], keyframes = [], isChecked = false, spoil = (body) => body } = {}) {
    const { set, layout, room } = this;
    const before = [...this.held];
    const closed = [...this.numbers].filter(([group]) => !wanted.includes(group));
    for (const [group, number] of closed) {
      this.numbers.delete(group);
      this.held[number] = undefined;
    }
    for (const group of wanted) if (!this.numbers.has(group)) this.numbers.set(group, this.freeNumber());
    const alive = new Set(Array.from({ length: room.count }, (_, i) => handleAt(room, i)));
    /** @type {Record<number, Uint8Array>} */
    const sections = {};
    for (const [group, number] of [[0, 0], ...this.numbers]) {
      const image = this.part(group);
      const baseline = keyframes.includes(number) ? undefined : this.held[number];
      this.held[number] = baseline === undefined ? bare(set, image) : image;
      if (baseline !== undefined && !isChecked && isPredicted(set, baseline, image)) {
        this.counts.leftOut++;
        continue;
      }
      this.counts.sent++;
      const from = (/** @type {number} */ slot) => {
        const source = before.find((other, n) => n >= GROUP_LAYERS && other?.tick === baseline?.tick && other?.bare === baseline?.bare && other?.find(slot) !== -1);
        if (source !== undefined) this.counts.arrived++;
        return source;
      };
      const livesOn = (/** @type {number} */ handle) => alive.has(handle);
      const body = encodeBody(number, set, baseline, image, isChecked, { epoch: layout.epoch, from, livesOn });
      sections[number] = spoil(body, number);
    }
    const { 0: everyone, ...groups } = sections;
    return { closed: closed.length > 0 ? closed.map(([, number]) => number) : undefined, layers: [everyone], groups };
  }

  /**
   * @param {Parameters<GroupServer['parts']>[0]} [options]
   * @returns {Uint8Array} the newest image for the client, as a snapshot
   */
  snapshot(options) {
    return snapshot(this.room.tick, this.parts(options));
  }
}

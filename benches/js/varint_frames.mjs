/**
 * The reference work of `codec-yardstick`: decodes plain deltas, each number of an entity its
 * difference from the frame before in a zigzag varint. The format is that of
 * `benches/src/yardstick/varint.rs`. Run by `decode_frames.mjs`.
 */

/** One frame: entities by rising slot, `width` integers each. */
class Frame {
  /** @param {number} width */
  constructor(width) {
    this.width = width;
    this.count = 0;
    this.slots = new Uint16Array(0);
    this.masks = new Uint32Array(0);
    this.rows = new Int32Array(0);
  }

  /** @param {number} count entities that there must be room for */
  clear(count) {
    this.count = count;
    if (count > this.slots.length) {
      this.slots = new Uint16Array(count);
      this.masks = new Uint32Array(count);
      this.rows = new Int32Array(count * this.width);
    }
    this.rows.fill(0, 0, count * this.width);
  }
}

/** Decodes frames one after the other. */
export class PlainDecoder {
  #bytes = new Uint8Array(0);
  #at = 0;

  /**
   * @param {number[][]} fields the columns that are sent, by component
   * @param {number} width columns in all
   */
  constructor(fields, width) {
    this.fields = fields;
    this.newest = new Frame(width);
    this.before = new Frame(width);
  }

  /** @param {Uint8Array} bytes a frame; the first is against nothing */
  decode(bytes) {
    const before = this.newest;
    const now = this.before;
    this.newest = now;
    this.before = before;
    this.#bytes = bytes;
    this.#at = 0;
    const { fields } = this;
    const { width } = now;
    const count = this.#varint();
    now.clear(count);
    let old = 0;
    let slot = 0;
    for (let index = 0; index < count; index++) {
      const head = this.#varint();
      slot += head >>> 1;
      now.slots[index] = slot;
      let known = -1;
      if ((head & 1) === 0) {
        while (old < before.count && before.slots[old] < slot) old++;
        if (before.slots[old] !== slot || old === before.count) throw new Error('an entity that was not there goes on');
        known = old;
        now.masks[index] = before.masks[old];
      } else {
        this.#varint();
        this.#varint();
        now.masks[index] = this.#varint();
      }
      const mask = now.masks[index];
      for (let component = 0; component < fields.length; component++) {
        if (((mask >>> component) & 1) === 0) continue;
        for (const column of fields[component]) {
          const zigzag = this.#varint();
          const difference = (zigzag >>> 1) ^ -(zigzag & 1);
          now.rows[index * width + column] = known < 0 ? difference : before.rows[known * width + column] + difference;
        }
      }
    }
  }

  #varint() {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.#bytes[this.#at++];
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
  }

  /**
   * @param {number} mixed of the frames before
   * @returns {number} the newest frame's slots and rows mixed in, as Rust does
   */
  mix(mixed) {
    const { slots, rows, count, width } = this.newest;
    for (let index = 0; index < count; index++) mixed = Math.imul(mixed ^ slots[index], 0x01000193);
    for (let index = 0; index < count * width; index++) mixed = Math.imul(mixed ^ rows[index], 0x01000193);
    return mixed >>> 0;
  }
}

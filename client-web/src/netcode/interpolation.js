/**
 * The others, a little in the past: where between two snapshots the view stands, and how values
 * between them are made. Called by `room.js`; it mirrors `shared/src/netcode/interpolation.rs`. Not
 * the offset to the server: that is `clock_sync.js`.
 *
 * **Delay.** The view stands at `server tick - delay` with a fixed delay of `snapshotEvery * 1.5 + 0.5`
 * ticks (two snapshots where every tick has one): the younger snapshot of the pair is there even when it
 * comes half an interval late. The view never goes back, and never ahead of the newest snapshot.
 *
 * **Values.** Of an entity that both snapshots hold a `Real` is blended straight and a `Turn` the
 * short way round; of all other kinds the older value stays. An entity that only the older one holds is shown
 * as it was, one that only the newer one holds not yet.
 */

/** @typedef {import('../session/layers.js').Snapshot} Snapshot */

const TAU = 2 * Math.PI;

/**
 * Two snapshots and the place between them.
 * @typedef {object} Pair
 * @property {Snapshot} older the one at or before the view
 * @property {Snapshot} newer the one after it, or `older` again at the ends
 * @property {number} alpha 0 at `older`, towards 1 at `newer`
 */

/** Where the view stands. */
export class Interpolation {
  /** The tick that is shown, with a fraction. */
  view = 0;

  /** @param {number} snapshotEvery ticks between snapshots, at least 1 */
  constructor(snapshotEvery) {
    /** How far behind the server tick the view stands, in ticks. */
    this.delay = snapshotEvery * 1.5 + 0.5;
  }

  /**
   * Moves the view to what it shows at this server tick.
   * @param {number} serverTick with a fraction
   * @param {number} newest the newest snapshot's tick
   */
  advance(serverTick, newest) {
    this.view = Math.max(this.view, Math.min(serverTick - this.delay, newest));
  }

  /**
   * What the view stands between.
   * @param {readonly Snapshot[]} history oldest first, not empty
   * @returns {Pair}
   */
  pair(history) {
    let after = history.length;
    while (after > 0 && history[after - 1].tick > this.view) after--;
    const older = history[Math.max(0, after - 1)];
    const newer = history[after] ?? older;
    const span = newer.tick - older.tick;
    return { older, newer, alpha: span > 0 ? (this.view - older.tick) / span : 0 };
  }

  /**
   * @param {number} newest the newest snapshot's tick
   * @returns {number} how far the view stands behind it, in 1/64 ticks: an input's view lag
   */
  viewLag(newest) {
    return Math.min(0xffff, Math.max(0, Math.floor((newest - this.view) * 64 + 0.5)));
  }
}

/**
 * @param {number} from radians
 * @param {number} to radians
 * @returns {number} the short way from one to the other, -π..π
 */
export function turnBetween(from, to) {
  const turns = (to - from) / TAU;
  return (turns - Math.floor(turns + 0.5)) * TAU;
}

/**
 * @param {import('../schema/field.js').FieldKind} kind
 * @returns {boolean} whether there is anything between two values of it
 */
export function blends(kind) {
  return kind.type === 'Real' || kind.type === 'Turn';
}

/**
 * The value between two of a field.
 * @param {import('../schema/field.js').FieldKind} kind
 * @param {any} older
 * @param {any} newer
 * @param {number} alpha 0..1
 * @returns {any}
 */
export function blend(kind, older, newer, alpha) {
  if (kind.type === 'Real') return older + (newer - older) * alpha;
  if (kind.type === 'Turn') return older + turnBetween(older, newer) * alpha;
  return older;
}

/** A moving field that changes by more than this share of its range in one tick did not move: it jumped. */
const JUMP = 1 / 16;

/**
 * Whether a component jumped between two values (a respawn, a teleport): then it is not blended.
 * @param {readonly { name: string, kind: import('../schema/field.js').FieldKind, moves: boolean }[]} fields
 * @param {Record<string, any>} older
 * @param {Record<string, any>} newer
 * @param {number} ticks between them
 * @returns {boolean}
 */
export function jumps(fields, older, newer, ticks) {
  for (const { name, kind, moves } of fields) {
    if (!moves || kind.type !== 'Real') continue;
    if (Math.abs(newer[name] - older[name]) > (kind.max - kind.min) * JUMP * ticks) return true;
  }
  return false;
}

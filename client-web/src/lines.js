/**
 * What was said in a channel, as the page hears of it: by rising numbers, each line once. Where
 * lines are missing before one that comes, because the connection was lost or could not take them,
 * that one is held, the missing ones are read, and all are told in their order. Pure, but for the
 * promises of pages. Owned by `room.js`, and by `channel.js` for channels outside of rooms.
 *
 * Numbers alone do not say that something is missing: a server that was started again leaves some
 * out. Then nothing is found, and what was held follows. A line without text is one that the player
 * does not want to hear: it counts, and is not told.
 */

import { CHAT_HISTORY_MAX, HELD_LINES_MAX, MISSED_PAGES_MAX } from './limits.js';

/** @typedef {import('./types.js').PastLine} PastLine */

/** Of a line in a page it is not known any more which member said it. */
const NOBODY = -1;

/**
 * See the module's description.
 * @template {{ id: number, text: string }} [T=import('./types.js').ChatLine]
 * @template {PastLine} [P=PastLine]
 */
export class Lines {
  /** The last ones that were told, oldest first. @type {T[]} */
  recent;
  #tell;
  #ask;
  #join;
  /** The number of the newest line that was told. */
  #told;
  /** Those that wait for the ones before them; undefined while none is missing. @type {Map<number, T> | undefined} */
  #held;
  /** Which reading is the newest: an older one is over. */
  #reading = 0;

  /**
   * @param {T[]} known what the page is shown to begin with, oldest first
   * @param {(line: T) => void} tell the next one
   * @param {(before: number) => Promise<import('./pages.js').Page<P> | undefined> | undefined} ask
   *   for a page; undefined where there is nobody to ask
   * @param {(past: P, live: T | undefined) => T} join a line of a page, as it is told; `live` as it
   *   came by itself, if it did
   */
  constructor(known, tell, ask, join = withMember) {
    this.recent = known.filter(({ text }) => text !== '').slice(-CHAT_HISTORY_MAX);
    this.#told = known.at(-1)?.id ?? 0;
    this.#tell = tell;
    this.#ask = ask;
    this.#join = join;
  }

  /** The number of the newest line that was told, 0 for none. */
  get told() {
    return this.#told;
  }

  /** Somebody says something. @param {T} line */
  take(line) {
    if (line.id <= this.#told) return;
    // Before the first one there may be many, which nobody missed.
    const isNext = this.#told === 0 || line.id === this.#told + 1;
    if (this.#held === undefined && isNext) this.#hand(line);
    else this.#hold([line]);
  }

  /**
   * The connection was lost and is back: these were said meanwhile, as far as the room remembers
   * them. When, and what was said before them, is read.
   * @param {T[]} missed
   */
  resume(missed) {
    const lines = missed.filter(({ id }) => id > this.#told);
    if (lines.length > 0) this.#hold(lines);
  }

  /**
   * The connection is back, and nobody says what was missed: it is read. What comes meanwhile waits.
   * Where the newest line is older than one that was told, it is another server's channel, which
   * begins anew.
   */
  look() {
    if (this.#told > 0) this.#hold([], true);
  }

  /** Nothing is told any more. */
  end() {
    this.#reading++;
    this.#held = undefined;
  }

  /** @param {T[]} lines wait for those before them @param {boolean} [isLook] */
  #hold(lines, isLook = false) {
    const isFirst = this.#held === undefined;
    this.#held ??= new Map();
    for (const line of lines) this.#held.set(line.id, line);
    if (isFirst || isLook) void this.#read(isLook);
    else if (this.#held.size > HELD_LINES_MAX) this.#follow([], true);
  }

  /** Reads back from the newest line to the last one that was told. @param {boolean} isLook */
  async #read(isLook) {
    const reading = ++this.#reading;
    /** @type {P[]} */
    const found = [];
    let [before, isLacking] = [0, true];
    try {
      for (let pages = 0; pages < MISSED_PAGES_MAX && isLacking; pages++) {
        const asked = this.#ask(before);
        const page = asked && (await asked);
        if (reading !== this.#reading) return;
        if (page === undefined) break;
        if (isLook && pages === 0 && (page.lines.at(-1)?.id ?? 0) < this.#told) {
          this.#told = 0;
          break;
        }
        found.push(...page.lines);
        before = page.next;
        isLacking = before > this.#told + 1;
      }
    } catch {
      // Then there is what came by itself.
    }
    if (reading === this.#reading) this.#follow(found, isLacking);
  }

  /**
   * What was found, and what came meanwhile, in their order.
   * @param {P[]} found
   * @param {boolean} isLacking whether there may be others before them
   */
  #follow(found, isLacking) {
    const reading = ++this.#reading;
    const lines = this.#held ?? new Map();
    this.#held = undefined;
    for (const past of found) lines.set(past.id, this.#join(past, lines.get(past.id)));
    const ids = [...lines.keys()].filter((id) => id > this.#told).sort((a, b) => a - b);
    if (isLacking && ids[0] > this.#told + 1) this.recent = [];
    for (const id of ids) {
      // A listener may have left.
      if (reading !== this.#reading) return;
      this.#hand(/** @type {T} */ (lines.get(id)));
    }
  }

  /** @param {T} line */
  #hand(line) {
    this.#told = line.id;
    if (line.text === '') return;
    this.recent = [...this.recent, line].slice(-CHAT_HISTORY_MAX);
    this.#tell(line);
  }
}

/**
 * A line of the room's chat, with who said it where that is known.
 * @param {PastLine} past
 * @param {any} live as it came by itself, if it did
 * @returns {any}
 */
function withMember(past, live) {
  return { ...past, from: live?.from ?? NOBODY };
}

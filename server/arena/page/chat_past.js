/**
 * What was said before the lines that a chat shows, a room's or a talk's: read a page at a time, when
 * the log is scrolled to its top or a button is pressed. What is looked at stays where it is. The
 * lines are in a list of their own, which no screen reader reads out as new; how many came is said
 * instead.
 */

import { write } from './dom.js';

/** Lines that are kept on the page: a room's talk of an evening. */
const LINES_MAX = 1000;
/** Lines of a whole page. */
const PAGE = 50;
/** CSS pixels from the top where it counts as reached. */
const NEAR = 24;

/** @typedef {{ scroller: HTMLElement, list: HTMLElement, more: HTMLButtonElement, note: HTMLElement }} Parts */

/**
 * Whose past it is.
 * @template {{ id: number }} L
 * @typedef {object} Source
 * @property {(options: { before?: number }) => AsyncGenerator<L[], void, void>} history
 * @property {(line: L) => HTMLElement | undefined} draw a line; undefined where it is not shown
 * @property {() => number} first the number of the first line that the log shows, 0 if it shows none
 * @property {() => void} [onRead] a page is there
 * @property {boolean} [looksAhead] a page that is not whole is mostly the last: whether that is
 *   looked at at once, so that no button leads to nothing
 */

/** @template {{ id: number }} L */
export class ChatPast {
  #scroller;
  #list;
  #more;
  #note;
  #source;
  /** The number of the first line that was read, shown or not; 0 for none. */
  #reached = 0;
  /** @type {AsyncGenerator<L[], void, void> | undefined} */
  #pages;
  #isReading = false;

  /** @param {Parts} parts of the page @param {Source<L>} source @param {AbortSignal} signal */
  constructor({ scroller, list, more, note }, source, signal) {
    this.#scroller = scroller;
    this.#list = list;
    this.#more = more;
    this.#note = note;
    this.#source = source;
    this.#more.addEventListener('click', () => this.read(), { signal });
    // The text that is being written keeps the keyboard.
    this.#more.addEventListener('pointerdown', (event) => event.preventDefault(), { signal });
    this.#scroller.addEventListener('scroll', () => {
      if (this.#scroller.scrollTop < NEAR) this.read();
    }, { signal });
    this.close();
  }

  /** The chat is opened: there may be lines before. */
  open() {
    this.#scroller.tabIndex = 0;
    this.#more.hidden = false;
  }

  /** The chat is closed: what was read is let go. */
  close() {
    this.#pages = undefined;
    this.#reached = 0;
    this.#list.replaceChildren();
    this.#scroller.removeAttribute('tabindex');
    this.#more.hidden = true;
    write(this.#note, '');
  }

  /**
   * The log lets its first line go: it stands here, where the lines before it do.
   * @param {Element} item
   */
  take(item) {
    if (this.#list.childElementCount === 0) {
      // What comes before the log is something else now.
      this.#pages = undefined;
      this.#reached = 0;
      item.remove();
      return;
    }
    this.#list.append(item);
    if (this.#list.childElementCount <= LINES_MAX) return;
    this.#list.firstElementChild?.remove();
    this.#end();
  }

  /** Reads one page more. */
  async read() {
    if (this.#isReading || this.#more.hidden) return;
    this.#pages ??= this.#source.history({ before: this.#shown() });
    const pages = this.#pages;
    this.#isReading = true;
    this.#more.setAttribute('aria-disabled', 'true');
    try {
      for (let isLast = false; !isLast; ) {
        const { value: lines } = await pages.next();
        if (pages !== this.#pages) return;
        if (lines) this.#put(lines);
        if (!lines || this.#list.childElementCount >= LINES_MAX) this.#end();
        isLast = this.#more.hidden || this.#source.looksAhead !== true || (lines?.length ?? PAGE) >= PAGE;
      }
      this.#source.onRead?.();
    } catch {
      // The room was left, or the server has other things to do.
      if (pages !== this.#pages) return;
      this.#pages = undefined;
      write(this.#note, 'Earlier lines could not be read.');
    } finally {
      this.#isReading = false;
      this.#more.removeAttribute('aria-disabled');
    }
  }

  /** @returns {number} the number of the first line there is on the page */
  #shown() {
    const first = /** @type {HTMLElement | null} */ (this.#list.firstElementChild);
    return Number(first?.dataset.line ?? 0) || this.#reached || this.#source.first();
  }

  /** @param {L[]} lines oldest first */
  #put(lines) {
    const first = this.#source.first();
    // Where nothing was shown, what came meanwhile is in the page too.
    const fresh = lines.filter(({ id }) => first === 0 || id < first);
    const items = fresh.map((line) => this.#source.draw(line)).filter((item) => item !== undefined);
    this.#reached = lines[0].id;
    const below = this.#scroller.scrollHeight - this.#scroller.scrollTop;
    this.#list.prepend(...items);
    this.#scroller.scrollTop = this.#scroller.scrollHeight - below;
    write(this.#note, `${items.length} earlier ${items.length === 1 ? 'line' : 'lines'}`);
  }

  /** There are no more, or no place for them. */
  #end() {
    if (document.activeElement === this.#more) this.#scroller.focus({ preventScroll: true });
    this.#more.hidden = true;
    if (this.#list.childElementCount === 0) write(this.#note, 'Nothing was said before.');
  }
}

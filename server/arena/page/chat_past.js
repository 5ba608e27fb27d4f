/**
 * What was said before the lines that the chat shows: read a page at a time, when the log is
 * scrolled to its top or a button is pressed. What is looked at stays where it is. The lines are in
 * a list of their own, which no screen reader reads out as new; how many came is said instead.
 */

import { chatLine } from './chat_line.js';
import { element, write } from './dom.js';

/** Lines that are kept on the page: a room's talk of an evening. */
const LINES_MAX = 1000;
/** CSS pixels from the top where it counts as reached. */
const NEAR = 24;

export class ChatPast {
  #scroller = element('chat-scroll', HTMLElement);
  #list = element('chat-past', HTMLElement);
  #more = element('chat-more', HTMLButtonElement);
  #note = element('chat-past-note', HTMLElement);
  #room;
  /** The number of the first line that is shown after these. */
  #first;
  /** @type {AsyncGenerator<import('/client/types.js').PastLine[], void, void> | undefined} */
  #pages;
  #isReading = false;

  /**
   * @param {import('/client/tickwire.js').Room} room
   * @param {() => number} first the number of the first line that the log shows, 0 if it shows none
   * @param {AbortSignal} signal
   */
  constructor(room, first, signal) {
    this.#room = room;
    this.#first = first;
    this.#more.addEventListener('click', () => this.#read(), { signal });
    // The text that is being written keeps the keyboard.
    this.#more.addEventListener('pointerdown', (event) => event.preventDefault(), { signal });
    this.#scroller.addEventListener('scroll', () => {
      if (this.#scroller.scrollTop < NEAR) this.#read();
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
      item.remove();
      return;
    }
    this.#list.append(item);
    if (this.#list.childElementCount <= LINES_MAX) return;
    this.#list.firstElementChild?.remove();
    this.#end();
  }

  async #read() {
    if (this.#isReading || this.#more.hidden) return;
    this.#pages ??= this.#room.history({ before: this.#shown() });
    const pages = this.#pages;
    this.#isReading = true;
    this.#more.setAttribute('aria-disabled', 'true');
    try {
      const { value: lines } = await pages.next();
      if (pages !== this.#pages) return;
      if (lines) this.#put(lines);
      if (!lines || this.#list.childElementCount >= LINES_MAX) this.#end();
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
    return Number(first?.dataset.line ?? this.#first());
  }

  /** @param {import('/client/types.js').PastLine[]} lines oldest first */
  #put(lines) {
    const items = lines.map((line) => chatLine(this.#room, { ...line, from: -1 }));
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

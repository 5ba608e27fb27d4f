/**
 * The lines of the talk that is shown: what is said, what was said before (`chat_past.js`), and at
 * their foot what the visitor said and nobody heard yet. Made when a talk is shown, stopped when
 * another one is. Peers' text is set as text content, never parsed.
 */

import { ChatPast } from './chat_past.js';
import { element, make } from './dom.js';
import { talkLine } from './talk_line.js';
import { inWords } from './why.js';

const LINES_MAX = 200;
/** CSS pixels from its end where the log counts as scrolled to it. */
const NEAR = 48;

/** @typedef {import('/client/types.js').Line} Line */
/** @typedef {import('./talks.js').Talk} Talk */

/**
 * What it asks and tells.
 * @typedef {object} Ways
 * @property {(line: Line) => string} label what the author of a line is called
 * @property {(line: Line) => void} heard a line is shown
 * @property {(id: number) => void} reached up to this number lines are shown
 * @property {(handle: string) => boolean} isBlocked
 * @property {((handle: string, name: string) => void) | undefined} onAuthor a name was pressed
 * @property {(unsent: import('./talks.js').Unsent) => void} again a refused line is to be said again
 * @property {(unsent: import('./talks.js').Unsent) => void} forget it is not
 */

export class TalkLog {
  #scroller = element('talk-scroll', HTMLElement);
  #log = element('talk-log', HTMLElement);
  #unsent = element('talk-unsent', HTMLElement);
  #empty = element('talk-empty', HTMLElement);
  #abort = new AbortController();
  #past;
  #talk;
  #ways;

  /** @param {Talk} talk with a channel @param {Ways} ways */
  constructor(talk, ways) {
    this.#talk = talk;
    this.#ways = ways;
    const channel = /** @type {NonNullable<Talk['channel']>} */ (talk.channel);
    this.#log.replaceChildren();
    const parts = { scroller: this.#scroller, list: element('talk-past', HTMLElement), more: element('talk-more', HTMLButtonElement), note: element('talk-past-note', HTMLElement) };
    this.#past = new ChatPast(parts, {
      history: (options) => channel.history(options),
      draw: (/** @type {Line} */ line) => this.#draw(line),
      first: () => this.#first(),
      onRead: () => {
        this.#showEmpty();
        ways.reached(this.#last());
      },
      looksAhead: true,
    }, this.#abort.signal);
    for (const line of channel.lines) this.#put(line);
    this.showUnsent(true);
    this.#past.open();
    this.#past.read().then(() => this.#toEnd());
    this.#toEnd();
  }

  /** Another talk is shown, or none. */
  stop() {
    this.#abort.abort();
    this.#past.close();
    this.#log.replaceChildren();
    this.#unsent.replaceChildren();
  }

  /** @param {Line} line was said just now */
  add(line) {
    // It came with a page of what was said before.
    if (this.#has(line)) return;
    const isAtEnd = this.#isAtEnd;
    // The channel began anew: what is shown was another one's.
    if (line.id <= this.#last()) {
      this.#log.replaceChildren();
      this.#past.close();
      this.#past.open();
    }
    this.#put(line);
    while (this.#log.childElementCount > LINES_MAX) this.#past.take(/** @type {Element} */ (this.#log.firstElementChild));
    // Who reads what was said before is left there.
    if (isAtEnd || line.own) this.#toEnd();
  }

  /** Lines of whom the visitor does not want to hear any more go. @param {string} handle */
  forget(handle) {
    for (const item of this.#scroller.querySelectorAll('[data-from]')) {
      if (item instanceof HTMLElement && item.dataset.from === handle) item.remove();
    }
    this.#showEmpty();
  }

  /** What the visitor said and nobody heard. @param {boolean} [isAtEnd] */
  showUnsent(isAtEnd = this.#isAtEnd) {
    const had = this.#unsent.contains(document.activeElement);
    this.#unsent.replaceChildren(...this.#talk.unsent.map((unsent) => this.#drawUnsent(unsent)));
    if (had) element('talk-text', HTMLInputElement).focus();
    this.#showEmpty();
    if (isAtEnd) this.#toEnd();
  }

  /** @param {import('./talks.js').Unsent} unsent */
  #drawUnsent(unsent) {
    const item = make('li', unsent.reason === '' ? 'waiting' : 'refused');
    item.append(make('span', 'talk-text', unsent.text));
    if (unsent.reason === '') {
      item.append(make('span', 'talk-why', 'Not sent yet'));
      return item;
    }
    item.append(make('span', 'talk-why', `Not sent. ${inWords(unsent.reason)}`));
    const buttons = make('span', 'talk-again');
    for (const [label, does] of /** @type {const} */ ([['Send again', this.#ways.again], ['Discard', this.#ways.forget]])) {
      const button = make('button', 'link', label);
      button.type = 'button';
      button.addEventListener('click', () => does(unsent));
      buttons.append(button);
    }
    item.append(buttons);
    return item;
  }

  /** @param {Line} line */
  #draw(line) {
    this.#ways.heard(line);
    return this.#ways.isBlocked(line.from) ? undefined : talkLine(line, this.#ways.label(line), this.#ways.onAuthor);
  }

  /** @param {Line} line */
  #put(line) {
    const item = this.#draw(line);
    if (item !== undefined) this.#log.append(item);
    this.#showEmpty();
  }

  /** @returns {number} the number of the first line in the log, 0 if there is none */
  #first() {
    return numberOf(this.#log.firstElementChild);
  }

  /** @returns {number} that of the last line that is shown, 0 if there is none */
  #last() {
    return numberOf(this.#log.lastElementChild ?? element('talk-past', HTMLElement).lastElementChild);
  }

  /** @param {Line} line @returns {boolean} whether it is shown */
  #has({ id, from, text }) {
    const shown = this.#scroller.querySelector(`[data-line="${id}"]`);
    return shown instanceof HTMLElement && shown.dataset.from === from && shown.querySelector('.talk-text')?.textContent === text;
  }

  get #isAtEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    return scrollHeight - scrollTop - clientHeight < NEAR;
  }

  #toEnd() {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }

  #showEmpty() {
    this.#empty.hidden = this.#scroller.querySelector('li') !== null;
  }
}

/** @param {Element | null} item */
const numberOf = (item) => (item instanceof HTMLElement ? Number(item.dataset.line) : 0);

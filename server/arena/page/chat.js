/**
 * The room's chat: a log that fades while nobody writes, a field that Enter opens and closes.
 * Earlier lines are `chat_past.js`'s. Peers' text is set as text content, never parsed.
 */

import { chatLine, setTime } from './chat_line.js';
import { ChatPast } from './chat_past.js';
import { element, make } from './dom.js';
import { isTyping } from './input.js';
import { whoTypes } from './typing_line.js';
import { tell } from './tell.js';

const LINES_MAX = 60;
/** Milliseconds until a line fades. */
const FADE_MS = 9000;
/** CSS pixels from its end where the log counts as scrolled to it. */
const NEAR = 32;

export class Chat {
  #box = /** @type {HTMLElement} */ (document.querySelector('.chat'));
  #scroller = element('chat-scroll', HTMLElement);
  #log = element('chat-log', HTMLElement);
  #form = element('chat-form', HTMLFormElement);
  #text = element('chat-text', HTMLInputElement);
  #tool = element('tool-chat', HTMLButtonElement);
  #typing = make('p', 'chat-typing');
  #abort = new AbortController();
  #past;
  #room;
  #onOpen;
  /** Whether lines are shown of which is not known yet when they were said. */
  #lacksTimes = false;

  /**
   * @param {import('/client/tickwire.js').Room} room
   * @param {() => void} onOpen the keyboard goes to the text field
   */
  constructor(room, onOpen) {
    this.#room = room;
    this.#onOpen = onOpen;
    const signal = this.#abort.signal;
    this.#log.replaceChildren();
    const parts = { scroller: this.#scroller, list: element('chat-past', HTMLElement), more: element('chat-more', HTMLButtonElement), note: element('chat-past-note', HTMLElement) };
    this.#past = new ChatPast(parts, {
      history: (options) => room.history(options),
      draw: (/** @type {import('/client/types.js').PastLine} */ line) => chatLine(room, { ...line, from: -1 }),
      first: () => this.#first(),
    }, signal);
    this.#close();
    this.#text.maxLength = 200;
    for (const line of room.chat) this.add(line);
    this.#lacksTimes = room.chat.some((line) => line.at === undefined);
    this.#tool.classList.remove('unread');
    this.#form.before(this.#typing);
    this.#text.addEventListener('input', () => room.typing(), { signal });
    this.#form.addEventListener('submit', (event) => this.#send(event), { signal });
    this.#tool.addEventListener('click', () => (this.#form.hidden ? this.open() : this.#close()), { signal });
    this.#box.addEventListener('focusout', () => setTimeout(() => this.#closeIfLeft(), 150), { signal });
    window.addEventListener('keydown', (event) => this.#key(event), { signal });
  }

  /** The page is shown: the log can be scrolled to its end now. */
  start() {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }

  /** Ends listening. */
  stop() {
    this.#abort.abort();
    this.#typing.remove();
    this.#close();
  }

  /** @param {import('/client/types.js').ChatLine} line */
  add(line) {
    this.#put(chatLine(this.#room, line));
    if (this.#form.hidden && !line.own) this.#tool.classList.add('unread');
  }

  /** Who is writing a line, by their numbers. @param {number[]} players */
  showTyping(players) {
    this.#typing.replaceChildren(...whoTypes(players.map((player) => this.#room.label(player))));
  }

  /** Shows the field and gives it the keyboard. */
  open() {
    if (this.#room.spectating) return;
    this.#onOpen();
    this.#form.hidden = false;
    this.#box.classList.add('open');
    this.#tool.classList.remove('unread');
    this.#tool.setAttribute('aria-expanded', 'true');
    this.#text.focus({ preventScroll: true });
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#past.open();
    this.#readTimes();
  }

  /** When the lines of before the own coming were said, which the welcome to the room does not say. */
  async #readTimes() {
    if (!this.#lacksTimes) return;
    this.#lacksTimes = false;
    try {
      const { value: lines } = await this.#room.history().next();
      for (const { id, at } of lines ?? []) {
        const item = this.#log.querySelector(`[data-line="${id}"]`);
        if (item instanceof HTMLElement && item.querySelector('time') === null) setTime(item, at);
      }
    } catch {
      // The next time that it is opened.
      this.#lacksTimes = true;
    }
  }

  /** @returns {number} the number of the first line in the log, 0 if there is none */
  #first() {
    const first = this.#log.querySelector('[data-line]');
    return first instanceof HTMLElement ? Number(first.dataset.line) : 0;
  }

  #close() {
    this.#form.hidden = true;
    this.#past.close();
    this.#box.classList.remove('open');
    this.#tool.setAttribute('aria-expanded', 'false');
    this.#text.value = '';
    if (document.activeElement instanceof HTMLElement && this.#box.contains(document.activeElement)) document.activeElement.blur();
  }

  #closeIfLeft() {
    const active = document.activeElement;
    if (!this.#form.hidden && !this.#box.contains(active) && this.#text.value === '') this.#close();
  }

  /** @param {HTMLElement} item */
  #put(item) {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    const isAtEnd = this.#form.hidden || scrollHeight - scrollTop - clientHeight < NEAR;
    this.#log.append(item);
    while (this.#log.childElementCount > LINES_MAX) this.#past.take(/** @type {Element} */ (this.#log.firstElementChild));
    // Who reads what was said before is left there.
    if (isAtEnd) this.#scroller.scrollTop = this.#scroller.scrollHeight;
    setTimeout(() => item.classList.add('old'), FADE_MS);
  }

  /** @param {SubmitEvent} event */
  #send(event) {
    event.preventDefault();
    const text = this.#text.value.trim();
    if (text && !tell(() => this.#say(text))) return;
    this.#close();
  }

  /** Says a line; while the connection is away it is shown as one that waits. @param {string} text */
  #say(text) {
    const said = this.#room.say(text);
    if (this.#room.link.state !== 'reconnecting') return;
    const item = make('li', 'waiting');
    item.append(make('b', 'self', this.#room.label(this.#room.you)), document.createTextNode(`${text} (waits)`));
    this.#put(item);
    const remove = () => item.remove();
    said.then(remove, remove);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.key === 'Escape' && !this.#form.hidden) this.#close();
    else if (event.key === 'Enter' && this.#form.hidden && !isTyping(event.target) && !(event.target instanceof HTMLButtonElement)) {
      event.preventDefault();
      this.open();
    }
  }
}

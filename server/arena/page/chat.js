/**
 * The room's chat: a log that fades while nobody writes, a field that Enter opens and closes.
 * Peers' text is set as text content, never parsed.
 */

import { element, make } from './dom.js';
import { isTyping } from './input.js';
import { colourOf } from './palette.js';
import { tell } from './tell.js';

const LINES_MAX = 60;
/** Milliseconds until a line fades. */
const FADE_MS = 9000;

export class Chat {
  #box = /** @type {HTMLElement} */ (document.querySelector('.chat'));
  #log = element('chat-log', HTMLElement);
  #form = element('chat-form', HTMLFormElement);
  #text = element('chat-text', HTMLInputElement);
  #tool = element('tool-chat', HTMLButtonElement);
  #typing = make('p', 'chat-typing');
  #abort = new AbortController();
  #room;
  #onOpen;

  /**
   * @param {import('/client/tickwire.js').Room} room
   * @param {() => void} onOpen the keyboard goes to the text field
   */
  constructor(room, onOpen) {
    this.#room = room;
    this.#onOpen = onOpen;
    const signal = this.#abort.signal;
    this.#log.replaceChildren();
    this.#close();
    this.#text.maxLength = 200;
    for (const line of room.chat) this.add(line);
    this.#tool.classList.remove('unread');
    this.#form.before(this.#typing);
    this.#text.addEventListener('input', () => room.typing(), { signal });
    this.#form.addEventListener('submit', (event) => this.#send(event), { signal });
    this.#tool.addEventListener('click', () => (this.#form.hidden ? this.open() : this.#close()), { signal });
    this.#text.addEventListener('blur', () => setTimeout(() => this.#closeIfLeft(), 150), { signal });
    window.addEventListener('keydown', (event) => this.#key(event), { signal });
  }

  /** The page is shown: the log can be scrolled to its end now. */
  start() {
    this.#log.scrollTop = this.#log.scrollHeight;
  }

  /** Ends listening. */
  stop() {
    this.#abort.abort();
    this.#typing.remove();
    this.#close();
  }

  /** @param {import('/client/types.js').ChatLine} line */
  add(line) {
    const item = make('li');
    const name = make('b', line.from === this.#room.you ? 'self' : '', this.#room.label(line.from, line.name));
    if (line.from !== this.#room.you) name.style.color = colourOf(line.from, this.#room.you);
    item.append(name, document.createTextNode(line.text));
    this.#put(item);
    if (this.#form.hidden && line.from !== this.#room.you) this.#tool.classList.add('unread');
  }

  /** Who is writing a line, by their numbers. @param {number[]} players */
  showTyping(players) {
    const names = players.slice(0, 3).map((player) => make('bdi', '', this.#room.label(player)));
    const list = names.flatMap((name, n) => (n === 0 ? [name] : [', ', name]));
    this.#typing.replaceChildren(...list, players.length > 3 ? ' and others are typing' : players.length > 1 ? ' are typing' : players.length > 0 ? ' is typing' : '');
  }

  /** Shows the field and gives it the keyboard. */
  open() {
    if (this.#room.spectating) return;
    this.#onOpen();
    this.#form.hidden = false;
    this.#box.classList.add('open');
    this.#tool.classList.remove('unread');
    this.#text.focus({ preventScroll: true });
    this.#log.scrollTop = this.#log.scrollHeight;
  }

  #close() {
    this.#form.hidden = true;
    this.#box.classList.remove('open');
    this.#text.value = '';
    if (document.activeElement === this.#text) this.#text.blur();
  }

  #closeIfLeft() {
    const active = document.activeElement;
    if (!this.#form.hidden && !this.#form.contains(active) && this.#text.value === '') this.#close();
  }

  /** @param {HTMLElement} item */
  #put(item) {
    this.#log.append(item);
    while (this.#log.childElementCount > LINES_MAX) this.#log.firstElementChild?.remove();
    this.#log.scrollTop = this.#log.scrollHeight;
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

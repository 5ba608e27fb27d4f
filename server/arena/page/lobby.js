/**
 * The page before the game: name, Play, rooms, create, join by code. It lists rooms through
 * `GET /api/rooms` and holds no socket; what the visitor chose goes to `onEnter`.
 */

import { Backdrop } from './backdrop.js';
import { element, make, write } from './dom.js';

const REFRESH_MS = 3000;
const NAME_KEY = 'tickwire.name';
const CALL_SIGNS = ['Falcon', 'Otter', 'Comet', 'Badger', 'Ember', 'Lynx', 'Quartz', 'Heron', 'Drift', 'Cobalt', 'Wren', 'Saffron'];

/**
 * How to get into a room.
 * @typedef {{ how: 'quick' } | { how: 'room', id: number, spectate?: boolean }
 *   | { how: 'code', code: string, spectate?: boolean }
 *   | { how: 'create', name: string, private: boolean, seats: number, kicks: boolean }} Way
 */
/** @typedef {import('/client/types.js').RoomInfo} RoomInfo */

export class Lobby {
  #page = element('lobby', HTMLElement);
  #name = element('name', HTMLInputElement);
  #code = element('code', HTMLInputElement);
  #list = element('room-list', HTMLElement);
  #row = element('room-row', HTMLTemplateElement);
  #note = element('room-note', HTMLElement);
  #dialog = element('create-dialog', HTMLDialogElement);
  #backdrop = new Backdrop();
  #timer = 0;
  #onEnter;

  /** @param {(way: Way) => void} onEnter */
  constructor(onEnter) {
    this.#onEnter = onEnter;
    this.#name.value = recall() || callSign();
    element('play-form', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault();
      onEnter({ how: 'quick' });
    });
    element('code-form', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault();
      const code = codeIn(this.#code.value);
      if (code) onEnter({ how: 'code', code });
      else this.#code.focus();
    });
    element('refresh', HTMLButtonElement).addEventListener('click', () => this.#refresh());
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden && !this.#page.hidden) this.#refresh();
    });
    this.#prepareDialog();
  }

  /** @returns {string} the visitor's name, remembered for the next visit */
  name() {
    const name = this.#name.value.trim() || callSign();
    this.#name.value = name;
    remember(name);
    return name;
  }

  /** Shows the lobby and keeps its list fresh. */
  show() {
    this.#page.hidden = false;
    this.#backdrop.start();
    this.#refresh();
    clearInterval(this.#timer);
    this.#timer = window.setInterval(() => {
      if (!document.hidden) this.#refresh();
    }, REFRESH_MS);
    if (window.matchMedia('(pointer: fine)').matches) element('play', HTMLButtonElement).focus();
  }

  /** Leaves the screen to the game. */
  hide() {
    this.#page.hidden = true;
    this.#backdrop.stop();
    clearInterval(this.#timer);
    if (this.#dialog.open) this.#dialog.close();
  }

  #prepareDialog() {
    const seats = element('create-seats', HTMLInputElement);
    const shown = element('create-seats-out', HTMLOutputElement);
    const name = element('create-name', HTMLInputElement);
    const hidden = element('create-private', HTMLInputElement);
    const kicks = element('create-kicks', HTMLInputElement);
    // Among those who were given the code, the host may anyway.
    hidden.addEventListener('input', () => {
      kicks.checked = hidden.checked;
      kicks.disabled = hidden.checked;
    });
    seats.addEventListener('input', () => write(shown, seats.value));
    element('create', HTMLButtonElement).addEventListener('click', () => {
      name.value = `${this.name()}'s room`.slice(0, 32);
      this.#dialog.showModal();
      name.select();
    });
    element('create-cancel', HTMLButtonElement).addEventListener('click', () => this.#dialog.close());
    element('create-form', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault();
      this.#dialog.close();
      this.#onEnter({
        how: 'create', name: name.value.trim(), private: hidden.checked, seats: Number(seats.value), kicks: kicks.checked,
      });
    });
  }

  async #refresh() {
    try {
      const answer = await fetch('./api/rooms', { headers: { accept: 'application/json' } });
      if (!answer.ok) throw new Error(`status ${answer.status}`);
      this.#fill(await answer.json());
    } catch {
      // The server may be restarting: the next refresh tells.
      this.#list.replaceChildren();
      write(this.#note, 'The server does not answer. Trying again.');
      this.#note.hidden = false;
    }
  }

  /** @param {RoomInfo[]} rooms */
  #fill(rooms) {
    const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset.room : undefined;
    this.#list.replaceChildren(...rooms.map((room) => this.#item(room)));
    if (focused) /** @type {HTMLElement | null} */ (this.#list.querySelector(`[data-room="${Number(focused)}"]`))?.focus();
    this.#note.hidden = rooms.length > 0;
    write(this.#note, 'No open rooms yet. Press Play and one is opened for you.');
  }

  /** @param {RoomInfo} room */
  #item(room) {
    const item = /** @type {HTMLElement} */ (this.#row.content.firstElementChild?.cloneNode(true));
    const button = /** @type {HTMLButtonElement} */ (item.firstElementChild);
    const [title, seats, go] = button.children;
    const full = room.players >= room.seats;
    button.dataset.room = String(room.id);
    button.disabled = full;
    title.textContent = room.name;
    if (room.kicks) title.append(make('span', 'room-mark', 'host removes players'));
    seats.prepend(`${room.players} / ${room.seats}`);
    const fill = /** @type {HTMLElement} */ (seats.querySelector('i'));
    fill.style.transform = `scaleX(${Math.min(1, room.players / Math.max(1, room.seats))})`;
    go.textContent = full ? 'Full' : 'Join';
    button.setAttribute('aria-label', `${room.name}, ${room.players} of ${room.seats} players${full ? ', full' : ''}${room.kicks ? ', its host may remove players' : ''}`);
    button.addEventListener('click', () => this.#onEnter({ how: 'room', id: room.id }));
    const watch = /** @type {HTMLButtonElement} */ (item.lastElementChild);
    watch.hidden = room.players === 0;
    watch.setAttribute('aria-label', `Watch ${room.name}`);
    watch.addEventListener('click', () => this.#onEnter({ how: 'room', id: room.id, spectate: true }));
    return item;
  }
}

/** What stands before the code in the address of who only watches. */
export const WATCHED = 'WATCH-';

/**
 * @param {string} text a code, or a link that ends in one
 * @returns {string}
 */
export function codeIn(text) {
  return text.slice(text.lastIndexOf('#') + 1).trim().toUpperCase();
}

/** @returns {string} a name to begin with */
function callSign() {
  const sign = CALL_SIGNS[Math.floor(Math.random() * CALL_SIGNS.length)];
  return `${sign} ${Math.floor(Math.random() * 90) + 10}`;
}

/** @returns {string} the name of the last visit; storage may be forbidden */
function recall() {
  try {
    return localStorage.getItem(NAME_KEY) ?? '';
  } catch {
    return '';
  }
}

/** @param {string} name */
function remember(name) {
  try {
    localStorage.setItem(NAME_KEY, name);
  } catch {
    // Storage is forbidden here; the name lasts for this visit.
  }
}

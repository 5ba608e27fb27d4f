/**
 * The page before the game: name, colour, mode, Play, rooms, create, join by code, and its panels. It
 * lists rooms through `GET /api/rooms`; what the visitor chose goes to `onEnter`. The link that some
 * panels need is `main.js`'s, which tells of it.
 */

import { Backdrop } from './backdrop.js';
import { Board } from './board.js';
import { element, make, write } from './dom.js';
import { COLOURS } from './palette.js';
import { PartyPanel } from './party_panel.js';
import { recall, remember } from './storage.js';
import { TalkPanel } from './talk_panel.js';

const REFRESH_MS = 3000;
const NAME_KEY = 'tickwire.name';
const COLOUR_KEY = 'tickwire.colour';
const MODE_KEY = 'tickwire.mode';
/** What rooms are for, by the schema's names. @type {Record<string, string>} */
const MODES = { brawl: 'Brawl', hunt: 'Hunt' };
/** What a room is at, by its round's phase. @type {Record<string, string>} */
const PHASES = { lobby: 'warming up', ready: 'getting ready', countdown: 'starting', play: 'in play', results: 'between rounds' };
const CALL_SIGNS = ['Falcon', 'Otter', 'Comet', 'Badger', 'Ember', 'Lynx', 'Quartz', 'Heron', 'Drift', 'Cobalt', 'Wren', 'Saffron'];

/**
 * How to get into a room.
 * @typedef {{ how: 'quick', mode: string } | { how: 'match', mode: string, queue?: ReturnType<import('/client/tickwire.js').Link['queue']> }
 *   | { how: 'follow' } | { how: 'room', id: number, spectate?: boolean }
 *   | { how: 'code', code: string, spectate?: boolean }
 *   | { how: 'create', name: string, private: boolean, seats: number, kicks: boolean, mode: string
 *   }} Way
 */
/**
 * A room as the list has it.
 * @typedef {import('/client/types.js').RoomInfo<{ metadata: { mode?: string, phase?: string } }>}
 *   RoomInfo
 */

export class Lobby {
  #page = element('lobby', HTMLElement);
  #name = element('name', HTMLInputElement);
  #code = element('code', HTMLInputElement);
  #list = element('room-list', HTMLElement);
  #row = element('room-row', HTMLTemplateElement);
  #note = element('room-note', HTMLElement);
  #dialog = element('create-dialog', HTMLDialogElement);
  #backdrop = new Backdrop();
  /** The visitor's party. */
  party = new PartyPanel(() => this.#onEnter({ how: 'follow' }));
  /** What stands beside play and rooms: each is started when the lobby is shown. */
  #board = new Board();
  #talk = new TalkPanel();
  #matches = [element('duel', HTMLButtonElement), element('pair', HTMLButtonElement)];
  #timer = 0;
  #onEnter;

  /**
   * @param {(way: Way) => void} onEnter
   * @param {() => void} onOther the visitor has another name or colour
   */
  constructor(onEnter, onOther) {
    this.#onEnter = onEnter;
    this.#name.value = recall(NAME_KEY) || callSign();
    const colours = Object.keys(COLOURS);
    fillChoice('colours', 'colour', colours, (colour) => colour, recall(COLOUR_KEY) || colours[Math.floor(Math.random() * colours.length)]);
    fillChoice('modes', 'mode', Object.keys(MODES), (mode) => MODES[mode], recall(MODE_KEY));
    fillChoice('create-modes', 'create-mode', Object.keys(MODES), (mode) => MODES[mode], '');
    element('play-form', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault();
      onEnter({ how: 'quick', mode: this.#mode() });
    });
    for (const button of this.#matches) button.addEventListener('click', () => onEnter({ how: 'match', mode: button.id }));
    this.#name.addEventListener('change', onOther);
    element('colours', HTMLElement).addEventListener('change', onOther);
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
    remember(NAME_KEY, name);
    return name;
  }

  /** @returns {string} the visitor's colour, remembered like the name */
  colour() {
    const colour = chosen('colour');
    remember(COLOUR_KEY, colour);
    return colour;
  }

  /** @returns {string} what they want to play, remembered too */
  #mode() {
    const mode = chosen('mode');
    remember(MODE_KEY, mode);
    return mode;
  }

  /** Shows the lobby and keeps its list fresh. */
  show() {
    this.#page.hidden = false;
    this.#backdrop.start();
    for (const panel of [this.#board, this.#talk, this.party]) panel.start();
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
    for (const panel of [this.#board, this.#talk, this.party]) panel.stop();
    clearInterval(this.#timer);
    if (this.#dialog.open) this.#dialog.close();
  }

  /** There is a fresh link. @param {import('/client/tickwire.js').Link} link */
  attach(link) {
    this.#talk.attach(link);
    this.party.attach(link);
    for (const button of this.#matches) button.hidden = !link.offers.queue;
  }

  /** There is none. @param {string} why */
  detach(why) {
    this.#talk.detach(why);
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
      choose('create-mode', chosen('mode'));
      this.#dialog.showModal();
      name.select();
    });
    element('create-cancel', HTMLButtonElement).addEventListener('click', () => this.#dialog.close());
    element('create-form', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault();
      this.#dialog.close();
      this.#onEnter({
        how: 'create', name: name.value.trim(), private: hidden.checked, seats: Number(seats.value), kicks: kicks.checked, mode: chosen('create-mode'),
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
    const { mode = '', phase = '' } = room.metadata;
    const what = [MODES[mode], PHASES[phase]].filter(Boolean).join(', ');
    button.dataset.room = String(room.id);
    button.disabled = full || room.locked;
    title.append(make('span', 'room-title', room.name), make('span', `room-what ${phase === 'play' ? 'live' : ''}`, what));
    if (room.kicks) title.append(make('span', 'room-mark', 'host removes players'));
    seats.prepend(`${room.players} / ${room.seats}`);
    const fill = /** @type {HTMLElement} */ (seats.querySelector('i'));
    fill.style.transform = `scaleX(${Math.min(1, room.players / Math.max(1, room.seats))})`;
    go.textContent = full ? 'Full' : room.locked ? 'Closed' : 'Join';
    const state = full ? ', full' : room.locked ? ', closed for now' : '';
    button.setAttribute('aria-label', `${room.name}, ${what}, ${room.players} of ${room.seats} players${state}${room.kicks ? ', its host may remove players' : ''}`);
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

/**
 * Puts one radio button for each choice into a group.
 * @param {string} id the group's
 * @param {string} name the buttons'
 * @param {string[]} values
 * @param {(value: string) => string} label
 * @param {string} first what is chosen; the first of them if it is none of them
 */
function fillChoice(id, name, values, label, first) {
  const group = element(id, HTMLElement);
  for (const value of values) {
    const input = document.createElement('input');
    Object.assign(input, { type: 'radio', name, value });
    input.checked = value === (values.includes(first) ? first : values[0]);
    const face = make('span', 'choice-face', label(value));
    const item = make('label', 'choice', '');
    item.dataset.value = value;
    if (value in COLOURS) {
      item.title = value;
      item.style.setProperty('--choice', COLOURS[value]);
    }
    item.append(input, face);
    group.append(item);
  }
}

/** @param {string} name of radio buttons @returns {string} which is chosen */
function chosen(name) {
  return /** @type {HTMLInputElement | null} */ (document.querySelector(`input[name="${name}"]:checked`))?.value ?? '';
}

/** @param {string} name of radio buttons @param {string} value */
function choose(name, value) {
  const input = /** @type {HTMLInputElement | null} */ (document.querySelector(`input[name="${name}"][value="${value}"]`));
  if (input !== null) input.checked = true;
}

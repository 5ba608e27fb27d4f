/**
 * The lobby's board: who had the most points in a round, and where the visitor stands. It is asked
 * for through `GET ./api/board`, and the visitor's place with the token that the server gave them;
 * names are set as text. The lobby starts and stops it.
 */

import { element, make, write } from './dom.js';
import { visitor } from './visitor.js';

/** As often as the server reads it. */
const REFRESH_MS = 10_000;
/** Until it is asked for again that was not read yet. */
const SOON_MS = 1000;

/** @typedef {{ place: number, name: string, value: number, guest: boolean, mark: string | null }} Row */
/** @typedef {{ stored: boolean, board: Row[] }} Answer */

export class Board {
  #table = element('board', HTMLElement);
  #rows = element('board-rows', HTMLElement);
  #own = element('board-own', HTMLElement);
  #note = element('board-note', HTMLElement);
  #timer = 0;
  /** Counts starts and stops: what an older one still awaits is void. */
  #turn = 0;
  /** Where the visitor stands. @type {Row | undefined} */
  #place;
  /** What the rows show. */
  #shown = '';

  /** Shows it and keeps it fresh. */
  start() {
    this.#turn += 1;
    this.#refresh(this.#turn);
  }

  /** Ends asking. */
  stop() {
    this.#turn += 1;
    clearTimeout(this.#timer);
  }

  /** @param {number} turn */
  async #refresh(turn) {
    clearTimeout(this.#timer);
    // Who looks at something else is not counted among those who look.
    const due = document.hidden ? REFRESH_MS : await this.#ask(turn);
    if (turn === this.#turn) this.#timer = window.setTimeout(() => this.#refresh(turn), due);
  }

  /** @param {number} turn @returns {Promise<number>} when to ask again, in ms */
  async #ask(turn) {
    const [answer, own] = await Promise.all([read('./api/board'), place()]);
    if (turn !== this.#turn) return REFRESH_MS;
    if (own !== null) this.#place = own;
    if (typeof answer === 'number') {
      // What was there stays: it is as good as any until it is read again.
      if (this.#shown === '') this.#say(answer === 503 ? 'The board is being read.' : 'The server does not answer. Trying again.');
      return answer === 503 ? SOON_MS : REFRESH_MS;
    }
    this.#show(answer);
    return REFRESH_MS;
  }

  /** @param {Answer} answer */
  #show({ stored, board }) {
    const own = this.#place;
    const shown = JSON.stringify([board, own?.mark]);
    if (shown !== this.#shown) {
      this.#shown = shown;
      const isMixed = board.some((row) => row.guest) && board.some((row) => !row.guest);
      this.#rows.replaceChildren(...board.map((row) => line(row, row.mark === own?.mark, isMixed)));
    }
    this.#table.hidden = board.length === 0;
    this.#say(board.length > 0 ? '' : stored ? 'Nobody is on it yet. Play a round to its end.' : 'This server keeps no results, so it has no board.');
    write(this.#own, own ? `You are at place ${own.place} with ${points(own.value)}.` : '');
    this.#own.hidden = own === undefined;
  }

  /** @param {string} text instead of a table */
  #say(text) {
    write(this.#note, text);
    this.#note.hidden = text === '';
  }
}

/** @param {Row} row @param {boolean} isOwn @param {boolean} isMixed there are guests and others */
function line(row, isOwn, isMixed) {
  const item = make('tr', isOwn ? 'me' : '');
  const name = make('th');
  name.scope = 'row';
  name.append(make('bdi', row.name === '' ? 'nobody' : '', row.name || 'Somebody'));
  if (isOwn) name.append(make('span', 'tag', 'you'));
  if (isMixed && row.guest) name.append(make('span', 'tag', 'guest'));
  if (isOwn) item.setAttribute('aria-current', 'true');
  item.append(make('td', '', String(row.place)), name, make('td', '', String(row.value)));
  return item;
}

/** @param {number} count */
const points = (count) => `${count} ${count === 1 ? 'point' : 'points'}`;

/** @returns {Promise<Row | undefined | null>} where the visitor stands, if they do; null: nobody knows now */
async function place() {
  const token = await visitor();
  if (token === '') return undefined;
  const answer = await read('./api/board/own', { authorization: `Bearer ${token}` });
  // Of somebody whom the server does not know any more there is no place.
  if (typeof answer === 'number') return answer === 401 ? undefined : null;
  return answer.own ?? undefined;
}

/**
 * @param {string} path
 * @param {Record<string, string>} [headers]
 * @returns {Promise<any>} what it says; the status of a refusal, 0 if there is no answer
 */
async function read(path, headers = {}) {
  try {
    const answer = await fetch(path, { headers: { accept: 'application/json', ...headers } });
    return answer.ok ? await answer.json() : answer.status;
  } catch {
    return 0;
  }
}

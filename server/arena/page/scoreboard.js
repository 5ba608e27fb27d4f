/**
 * Who has how many points: shown while Tab is held, after a press of its button, and between
 * rounds. The host may send somebody away from here. Rewritten at most four times a second, only
 * while it shows.
 */

import { element, write } from './dom.js';
import { bodyOf } from './palette.js';
import { tell } from './tell.js';

const REFRESH_MS = 250;

/** @typedef {import('/client/types.js').View} View */
/**
 * @typedef {{ player: number, name: string, points: number, kills: number, deaths: number,
 *   member: import('/client/types.js').Member }} Row
 */

export class Scoreboard {
  #panel = element('scores', HTMLElement);
  #rows = element('scores-rows', HTMLElement);
  #blank = element('scores-row', HTMLTemplateElement).content;
  #tool = element('tool-scores', HTMLButtonElement);
  #abort = new AbortController();
  #pinned = false;
  #held = false;
  #drawnAt = 0;
  #wins = element('scores-wins', HTMLElement);
  /** Rounds won, by name: as long as the room remembers. @type {Map<string, number>} */
  #won = new Map();
  /** Whom the host has asked to remove, once; -1 for nobody. */
  #doomed = -1;
  #room;

  /** @param {import('/client/tickwire.js').Room} room */
  constructor(room) {
    this.#room = room;
    const signal = this.#abort.signal;
    write(element('scores-title', HTMLElement), room.info.name);
    write(element('scores-code', HTMLElement), `Code ${room.code}`);
    this.#panel.hidden = true;
    write(this.#wins, '');
    room.on('won', (/** @type {{ name: string }} */ { name }) => this.#addWin(name));
    this.#tool.addEventListener('click', () => {
      this.#pinned = !this.#pinned;
      this.#tool.blur();
    }, { signal });
    window.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') this.#pinned = false;
      // Elsewhere it leads from one control to the next, as everywhere.
      const isPlaying = event.target === document.body || event.target instanceof HTMLCanvasElement;
      if (event.key !== 'Tab' || !isPlaying || event.shiftKey) return;
      event.preventDefault();
      this.#held = true;
    }, { signal });
    window.addEventListener('keyup', (event) => {
      if (event.key === 'Tab') this.#held = false;
    }, { signal });
    window.addEventListener('blur', () => { this.#held = false; }, { signal });
  }

  /** @param {string} name */
  #addWin(name) {
    this.#won.set(name, (this.#won.get(name) ?? 0) + 1);
    const wins = [...this.#won].sort(([, a], [, b]) => b - a).map(([who, rounds]) => `${who} ${rounds}`);
    write(this.#wins, `Rounds won: ${wins.join(', ')}`);
  }

  /** Ends listening. */
  stop() {
    this.#abort.abort();
    this.#panel.hidden = true;
  }

  /** @param {View} view @param {number} now milliseconds */
  show(view, now) {
    const wanted = this.#pinned || this.#held || view.state.round?.phase === 'results';
    if (wanted === this.#panel.hidden) {
      this.#panel.hidden = !wanted;
      this.#doomed = -1;
      this.#tool.setAttribute('aria-expanded', String(wanted));
      this.#drawnAt = 0;
    }
    if (!wanted || now - this.#drawnAt < REFRESH_MS) return;
    this.#drawnAt = now;
    const rows = this.#collect(view);
    const host = this.#room.info.kicks && Boolean(this.#room.members.get(this.#room.you)?.host);
    while (this.#rows.childElementCount > rows.length) this.#rows.lastElementChild?.remove();
    while (this.#rows.childElementCount < rows.length) this.#rows.append(this.#blank.cloneNode(true));
    for (let i = 0; i < rows.length; i += 1) {
      this.#fill(/** @type {HTMLElement} */ (this.#rows.children[i]), rows[i], i + 1, host);
    }
  }

  /** @param {View} view @returns {Row[]} best first */
  #collect(view) {
    /** @type {Row[]} */
    const rows = [...this.#room.members.values()].map((member) => {
      const avatar = view.entities.find((entity) => entity.avatar && entity.owner === member.player);
      const name = this.#room.label(member.player);
      return { player: member.player, name, points: 0, kills: 0, deaths: 0, ...avatar?.score, member };
    });
    return rows.sort((a, b) => b.points - a.points || b.kills - a.kills || a.deaths - b.deaths || a.player - b.player);
  }

  /** Asks once: rows change places under the finger. @param {number} player */
  #kick(player) {
    if (this.#doomed === player) tell(() => this.#room.kick(player));
    this.#doomed = this.#doomed === player ? -1 : player;
    this.#drawnAt = 0;
  }

  /** @param {HTMLElement} line @param {Row} row @param {number} rank @param {boolean} host */
  #fill(line, row, rank, host) {
    const own = row.player === this.#room.you;
    line.className = `${own ? 'me' : ''}${row.member.connected ? '' : ' away'}`;
    const cells = /** @type {HTMLElement[]} */ ([...line.children]);
    write(cells[0], String(rank));
    const [swatch, name, tag] = /** @type {HTMLElement[]} */ ([...cells[1].children]);
    swatch.style.backgroundColor = bodyOf(row.player);
    write(name, row.name);
    write(tag, [row.member.host ? 'host' : '', row.member.ready ? 'ready' : '', row.member.connected ? '' : 'away'].filter(Boolean).join(', '));
    write(cells[2], String(row.points));
    write(cells[3], String(row.kills));
    write(cells[4], String(row.deaths));
    const kick = /** @type {HTMLButtonElement} */ (cells[5].firstElementChild);
    kick.hidden = !host || own;
    write(kick, this.#doomed === row.player ? 'Sure?' : 'Kick');
    kick.onclick = () => this.#kick(row.player);
    kick.setAttribute('aria-label', `Remove ${row.name} from the room`);
  }
}

/**
 * What the round is at: phase, time left, what to do, the Ready button, the big countdown. Reads
 * the room's state and members; presses go to the room.
 */

import { element, still, write } from './dom.js';
import { tell } from './tell.js';

/** @typedef {import('/client/types.js').View} View */

export class Banner {
  #phase = element('banner-phase', HTMLElement);
  #time = element('banner-time', HTMLElement);
  #note = element('banner-note', HTMLElement);
  #ready = element('ready', HTMLButtonElement);
  #count = element('countdown', HTMLElement);
  #counted = -1;
  #room;

  /** @param {import('/client/tickwire.js').Room} room */
  constructor(room) {
    this.#room = room;
    this.#ready.onclick = () => {
      const me = room.members.get(room.you);
      tell(() => room.ready(!me?.ready));
      this.#ready.blur();
    };
    this.#count.hidden = true;
  }

  /**
   * @param {View} view
   * @param {(handle: number | undefined) => string} nameOf whose entity it is
   */
  show(view, nameOf) {
    const round = view.state.round;
    if (!round) return;
    const left = round.ends === 0 ? 0 : Math.max(0, (round.ends - this.#room.stats.tick) / this.#room.tickRate);
    const seconds = Math.ceil(left);
    const warmUp = round.phase === 'lobby' || round.phase === 'ready';
    this.#showReady(warmUp);
    this.#showCount(round.phase === 'countdown' ? seconds : -1);
    this.#time.classList.toggle('low', round.phase === 'play' && left <= 10);
    switch (round.phase) {
      case 'lobby':
        return this.#say('Warm-up', '', this.#readiness());
      case 'ready':
        return this.#say('Starting', clock(seconds), this.#readiness());
      case 'countdown':
        return this.#say('Get set', '', 'Guns are silent until the start');
      case 'play':
        return this.#say(`Round ${round.number}`, clock(seconds), '');
      default:
        this.#say('Round over', '', round.winner === undefined ? 'Nobody scored' : `${nameOf(round.winner)} wins`);
    }
  }

  /** @param {string} phase @param {string} time @param {string} note */
  #say(phase, time, note) {
    write(this.#phase, phase);
    write(this.#time, time);
    write(this.#note, note);
  }

  /** @returns {string} how many are ready */
  #readiness() {
    const here = [...this.#room.members.values()].filter((member) => member.connected);
    const ready = here.filter((member) => member.ready).length;
    return here.length === 1 && ready === 0 && !this.#room.spectating ? 'Press Ready to start a round' : `${ready} of ${here.length} ready`;
  }

  /** @param {boolean} offered */
  #showReady(offered) {
    this.#ready.hidden = !offered;
    const ready = Boolean(this.#room.members.get(this.#room.you)?.ready);
    write(this.#ready, ready ? 'Not ready' : 'Ready');
    const pressed = String(ready);
    if (this.#ready.getAttribute('aria-pressed') !== pressed) this.#ready.setAttribute('aria-pressed', pressed);
  }

  /** @param {number} seconds -1 for none */
  #showCount(seconds) {
    if (seconds === this.#counted) return;
    this.#counted = seconds;
    this.#count.hidden = seconds <= 0;
    if (seconds <= 0) return;
    write(this.#count, String(seconds));
    if (still) return;
    this.#count.classList.remove('beat');
    // Read, so that the animation starts anew.
    void this.#count.offsetWidth;
    this.#count.classList.add('beat');
  }
}

/** @param {number} seconds @returns {string} minutes and seconds */
function clock(seconds) {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/**
 * What a spectator sees instead of an own player: whom the camera follows, and the strip at the
 * foot that says so, with the way on to the next one and into the game. Shows nothing to who plays.
 */

import { element, write } from './dom.js';
import { colourOf } from './palette.js';

/** Milliseconds for which somebody is followed before the view goes to who leads by then. */
const HOLD_MS = 4000;

/** @typedef {import('/client/types.js').View} View */
/** @typedef {import('/client/types.js').Entity} Entity */

export class Watch {
  #strip = element('watch', HTMLElement);
  #swatch = element('watch-swatch', HTMLElement);
  #name = element('watch-name', HTMLElement);
  #points = element('watch-points', HTMLElement);
  #next = element('watch-next', HTMLButtonElement);
  #room;
  /** Whose avatar is followed. @type {number | undefined} */
  #player;
  /** The visitor picked them: they are followed until they go. */
  #isPicked = false;
  #sinceMs = 0;
  #wantsNext = false;

  /**
   * @param {import('/client/tickwire.js').Room} room
   * @param {() => void} onPlay the visitor wants a seat
   */
  constructor(room, onPlay) {
    this.#room = room;
    this.#strip.hidden = !room.spectating;
    this.#next.onclick = () => {
      this.#wantsNext = true;
      this.#next.blur();
    };
    element('watch-play', HTMLButtonElement).onclick = onPlay;
  }

  /**
   * Picks whom to follow and says it.
   * @param {View} view
   * @param {number} nowMs
   * @returns {Entity | undefined} their avatar; undefined while nobody is there
   */
  follow({ entities }, nowMs) {
    const avatars = entities.filter(({ avatar, owner }) => avatar && owner !== undefined);
    const followed = avatars.find(({ owner }) => owner === this.#player);
    const picked = this.#pick(avatars, followed, nowMs);
    if (picked !== followed) {
      this.#player = picked?.owner;
      this.#sinceMs = nowMs;
    }
    this.#show(picked);
    this.#next.disabled = avatars.length < 2;
    return picked;
  }

  /**
   * @param {Entity[]} avatars
   * @param {Entity | undefined} followed
   * @param {number} nowMs
   * @returns {Entity | undefined}
   */
  #pick(avatars, followed, nowMs) {
    if (this.#wantsNext) {
      this.#wantsNext = false;
      this.#isPicked = true;
      const inOrder = avatars.sort((a, b) => Number(a.owner) - Number(b.owner));
      return inOrder.find(({ owner }) => Number(owner) > Number(this.#player ?? -1)) ?? inOrder[0];
    }
    if (followed === undefined) this.#isPicked = false;
    else if (this.#isPicked || nowMs - this.#sinceMs < HOLD_MS) return followed;
    const best = avatars.reduce((a, b) => (b.score.points > a.score.points ? b : a), followed ?? avatars[0]);
    return best;
  }

  /** @param {Entity | undefined} entity */
  #show(entity) {
    const name = entity?.owner === undefined ? '' : this.#room.label(entity.owner);
    write(this.#name, name || 'an empty arena');
    write(this.#points, entity === undefined ? '' : `${entity.score.points} points`);
    this.#swatch.style.backgroundColor = colourOf(entity?.owner, this.#room.you);
  }
}

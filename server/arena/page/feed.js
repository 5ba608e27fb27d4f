/**
 * The list of who felled whom, who joined and who left, at the screen's edge: a few lines, each for
 * a few seconds.
 */

import { element, make } from './dom.js';

const LINES_MAX = 5;
const LINE_MS = 5000;

export class Feed {
  #list = element('feed', HTMLElement);

  constructor() {
    this.#list.replaceChildren();
  }

  /**
   * @param {string} by
   * @param {string} byColour
   * @param {string} who
   * @param {string} whoColour
   * @param {boolean} mine the own player is part of it
   */
  kill(by, byColour, who, whoColour, mine) {
    const line = make('li', mine ? 'mine' : '');
    line.append(coloured(by, byColour), make('span', '', 'felled'), coloured(who, whoColour));
    this.#add(line);
  }

  /** @param {string} name @param {string} colour @param {string} what */
  note(name, colour, what) {
    const line = make('li');
    line.append(coloured(name, colour), make('span', '', what));
    this.#add(line);
  }

  /** @param {HTMLElement} line */
  #add(line) {
    this.#list.append(line);
    while (this.#list.childElementCount > LINES_MAX) this.#list.firstElementChild?.remove();
    setTimeout(() => line.remove(), LINE_MS);
  }
}

/** @param {string} text @param {string} colour */
function coloured(text, colour) {
  const name = make('b', '', text);
  name.style.color = colour;
  return name;
}

/**
 * The sheet over everything while there is no room: connecting, waiting for a duel, reconnecting,
 * lost. One button to get out of it, and one to accept where something is asked.
 */

import { element, write } from './dom.js';

export class Overlay {
  #sheet = element('overlay', HTMLElement);
  #pulse = element('overlay-pulse', HTMLElement);
  #title = element('overlay-title', HTMLElement);
  #note = element('overlay-note', HTMLElement);
  #button = element('overlay-button', HTMLButtonElement);
  #accept = element('overlay-accept', HTMLButtonElement);

  /**
   * @param {object} what
   * @param {string} what.title
   * @param {string} [what.note]
   * @param {boolean} [what.busy] something is under way
   * @param {string} what.button
   * @param {() => void} what.onPress
   * @param {() => void} [what.accept] what is asked is accepted
   */
  show({ title, note = '', busy = true, button, onPress, accept }) {
    write(this.#title, title);
    write(this.#note, note);
    write(this.#button, button);
    this.#pulse.hidden = !busy;
    this.#button.onclick = onPress;
    this.#accept.onclick = accept ?? null;
    this.#accept.hidden = accept === undefined;
    this.#sheet.hidden = false;
    (accept ? this.#accept : this.#button).focus({ preventScroll: true });
  }

  /** Changes what stands below the title, and nothing else. @param {string} text */
  note(text) {
    write(this.#note, text);
  }

  hide() {
    this.#sheet.hidden = true;
  }
}

/**
 * The sheet over everything while there is no connection: connecting, reconnecting, lost. One
 * button to get out of it.
 */

import { element, write } from './dom.js';

export class Overlay {
  #sheet = element('overlay', HTMLElement);
  #pulse = element('overlay-pulse', HTMLElement);
  #title = element('overlay-title', HTMLElement);
  #note = element('overlay-note', HTMLElement);
  #button = element('overlay-button', HTMLButtonElement);

  /**
   * @param {object} what
   * @param {string} what.title
   * @param {string} [what.note]
   * @param {boolean} [what.busy] something is under way
   * @param {string} what.button
   * @param {() => void} what.onPress
   */
  show({ title, note = '', busy = true, button, onPress }) {
    write(this.#title, title);
    write(this.#note, note);
    write(this.#button, button);
    this.#pulse.hidden = !busy;
    this.#button.onclick = onPress;
    this.#sheet.hidden = false;
    this.#button.focus({ preventScroll: true });
  }

  hide() {
    this.#sheet.hidden = true;
  }
}

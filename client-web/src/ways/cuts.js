/**
 * Whether WebSockets end soon after they opened, again and again, as behind proxies that cut or
 * silence what they let through. Pure: times are arguments. `transports.js` asks, and goes by
 * another transport then. A network that comes and goes is no such proxy: what lasted clears it.
 */

import { CUTS_MAX, CUT_WITHIN_MS } from '../limits.js';

/** See the module's description. */
export class Cuts {
  #count = 0;

  /**
   * A WebSocket has ended.
   * @param {number} lastedMs since it was open
   * @param {boolean} isCut whether nobody meant it to end
   * @returns {boolean} whether that was once too often
   */
  note(lastedMs, isCut) {
    if (lastedMs >= CUT_WITHIN_MS) this.#count = 0;
    else if (isCut) this.#count++;
    if (this.#count < CUTS_MAX) return false;
    this.#count = 0;
    return true;
  }
}

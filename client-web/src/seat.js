/**
 * What a link has to come back to: who the player is, and what opens their seat again. Owned by
 * `link.js`; what a reload finds of it is for `keeper.js`, what is done about a left one after the
 * link for `give_up_seat.js`.
 *
 * A seat that is left while the server cannot be told is nobody's to the page at once, but still
 * has to be given up: it is taken once more only to be left, unless the server has given it up by
 * itself by then.
 */

import { ACK_STALL_SECONDS } from './limits.js';

/** See the module's description. */
export class Seat {
  #keeper;
  #given;
  /** Who the player is to the server. */
  who;
  #token;
  /** For how long the server holds it without a connection, in ms. */
  #graceMs = 0;
  /**
   * One that was left unheard.
   * @type {Omit<import('./give_up_seat.js').LeftSeat, 'who'> | undefined}
   */
  #left;

  /**
   * @param {import('./keeper.js').Keeper | undefined} keeper
   * @param {string} given who the page says that the player is, empty for a guest
   */
  constructor(keeper, given) {
    const kept = keeper?.load();
    this.#keeper = keeper;
    this.#given = given;
    this.who = given || (kept?.token ?? '');
    this.#token = kept?.seat ?? '';
  }

  /** What opens it, empty for nothing. */
  get token() {
    return this.#left?.token ?? this.#token;
  }

  /** Whether a reload, or the next link of the page, comes back to it. */
  get isKept() {
    return this.#token !== '' && this.#keeper?.isHolder === true;
  }

  /**
   * The server has told what opens it from now on.
   * @param {string} token
   * @param {number} graceMs
   */
  renew(token, graceMs) {
    this.#graceMs = graceMs;
    if (this.#left !== undefined) this.#left.token = token;
    else this.#keep(token);
  }

  /** There is none to come back to. */
  drop() {
    this.#left = undefined;
    this.#keep('');
  }

  /**
   * It is left, and the server cannot be told; or that was so, and the connection on which it was
   * to be told is lost too. The server holds it from when it notices.
   * @param {number} nowMs
   */
  leave(nowMs) {
    const { token } = this;
    if (token !== '') this.#left = { token, untilMs: nowMs + ACK_STALL_SECONDS * 1000 + this.#graceMs };
    this.#keep('');
  }

  /**
   * One that an earlier link left, if there is one.
   * @param {import('./give_up_seat.js').LeftSeat | undefined} seat
   */
  adopt(seat) {
    this.#left = seat;
  }

  /** The server gives up itself what it has held for long enough. @param {number} nowMs */
  expire(nowMs) {
    if (this.#left !== undefined && nowMs >= this.#left.untilMs) this.#left = undefined;
  }

  /** @returns {import('./give_up_seat.js').LeftSeat | undefined} if it is left */
  get left() {
    return this.#left && { who: this.who, ...this.#left };
  }

  /**
   * What was kept of the player is not taken any more: they are who the page says.
   * @returns {boolean} whether that is somebody else
   */
  forget() {
    if (this.who === this.#given) return false;
    this.who = this.#given;
    this.drop();
    return true;
  }

  /** @param {string} token */
  #keep(token) {
    this.#token = token;
    this.#keeper?.save({ token: this.who, seat: token });
  }
}

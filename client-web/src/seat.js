/**
 * What a link has to come back to: who the player is, and what opens their seat again. Owned by `link.js`; what a reload finds of it is for
 * `keeper.js`.
 *
 * A seat that is left while the server cannot be told is nobody's to the page at once, but still has to be given up: it is taken once more
 * only to be left, unless the server has given it up by itself by then.
 */

/** See the module's description. */
export class Seat {
  #keeper;
  #given;
  /** Who the player is to the server. */
  who;
  #token;
  /** For how long the server holds it without a connection, in ms. */
  #graceMs = 0;
  /** One that was left unheard. @type {{ token: string, untilMs: number } | undefined} */
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

  /** Whether it has to be given up. */
  get isLeft() {
    return this.#left !== undefined;
  }

  /** Whether a reload, or the next link of the page, comes back to it. */
  get isKept() {
    return this.#token !== '' && this.#keeper?.isHolder === true;
  }

  /** The server has told what opens it from now on. @param {string} token @param {number} graceMs */
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

  /** It is left, and the server cannot be told. @param {number} nowMs */
  leave(nowMs) {
    if (this.#token !== '') this.#left = { token: this.#token, untilMs: nowMs + this.#graceMs };
    this.#keep('');
  }

  /** The server gives up itself what it has held for long enough. @param {number} nowMs */
  expire(nowMs) {
    if (this.#left !== undefined && nowMs >= this.#left.untilMs) this.#left = undefined;
  }

  /** @returns {{ who: string, token: string, untilMs: number } | undefined} what a last word takes, if it is left */
  get farewell() {
    return this.#left && { who: this.who, ...this.#left };
  }

  /** What was kept of the player is not taken any more: they are who the page says. @returns {boolean} whether that is somebody else */
  forget() {
    if (this.who === this.#given) return false;
    this.who = this.#given;
    this.drop();
    return true;
  }

  /** The link is over. */
  release() {
    this.#keeper?.release();
  }

  /** @param {string} token */
  #keep(token) {
    this.#token = token;
    this.#keeper?.save({ token: this.who, seat: token });
  }
}

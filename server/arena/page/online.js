/**
 * The visitor's link to the server, from the page's coming until it goes: in the lobby and in rooms.
 * A lost connection is the SDK's to mend; where there is none to begin with, or it ended, it is made
 * anew here, at growing distances. Who has another name or colour by now comes anew with that.
 * Owned by `main.js`, which hears of each link.
 */

import { CloseCode, RequestError } from './client/tickwire.js';
import { arrive } from './visitor.js';

/** @typedef {import('/client/tickwire.js').Link} Link */
/** @typedef {{ name: string, colour: string }} Who */

/** Milliseconds until a server that was not there is tried again, at first and at most. */
const AGAIN_MS = 1500;
const AGAIN_MAX_MS = 30_000;
/** Milliseconds for which the name and the colour have to stay as they are before others see them. */
const SETTLED_MS = 700;
/** After these nobody but the visitor decides to come again. @type {number[]} */
const FINAL = [CloseCode.Version, CloseCode.Superseded, CloseCode.Kicked, CloseCode.Banned];

export class Online {
  /** The one there is, its connection open or lost for a while. @type {Link | undefined} */
  link;
  /** As whom it is. */
  #as = '';
  #who;
  #onLink;
  #onNone;
  /** @type {Promise<Link> | undefined} */
  #coming;
  #timer = 0;
  #tries = 0;
  /** What the dev panel was set to goes on. @type {import('/client/types.js').LinkConditions | undefined} */
  #conditioner;

  /**
   * @param {object} ways
   * @param {() => Who} ways.who the visitor is now
   * @param {(link: Link) => void} ways.onLink there is a fresh one
   * @param {(error: unknown, isFinal: boolean) => void} ways.onNone there is none: why, and whether
   *   nobody tries again
   */
  constructor({ who, onLink, onNone }) {
    this.#who = who;
    this.#onLink = onLink;
    this.#onNone = onNone;
  }

  /**
   * The link of who the visitor is now. @returns {Promise<Link>} rejects as `connect`
   */
  async get() {
    // One that is coming may be somebody's whom the visitor is no more.
    await this.#coming?.catch(() => {});
    const isOurs = this.link?.state === 'open' && this.#as === this.#whom();
    return isOurs ? /** @type {Link} */ (this.link) : this.#come();
  }

  /** Has a link, as soon as there can be one. */
  keep() {
    this.get().catch(() => {});
  }

  /** The visitor may have become another: the link follows when that has settled. */
  settle() {
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => {
      // A lost connection is the SDK's, which brings what waits to be said.
      if (this.link?.state === 'reconnecting') this.settle();
      else if (this.link?.room === undefined) this.keep();
    }, SETTLED_MS);
  }

  /** What is under way on the link is given up: another one takes its place. */
  renew() {
    this.#drop();
    this.keep();
  }

  /** @returns {string} */
  #whom() {
    return JSON.stringify(this.#who());
  }

  /** @returns {Promise<Link>} */
  #come() {
    this.#coming ??= this.#connect().finally(() => (this.#coming = undefined));
    return this.#coming;
  }

  async #connect() {
    clearTimeout(this.#timer);
    const { name, colour } = this.#who();
    const as = this.#whom();
    this.#drop();
    try {
      const link = await arrive({ name, options: { colour }, resume: true, followParty: true, conditioner: this.#conditioner });
      this.link = link;
      this.#as = as;
      this.#tries = 0;
      link.on('close', (info) => this.#closed(link, info));
      this.#onLink(link);
      return link;
    } catch (error) {
      this.#lost(error, error instanceof RequestError ? error.code : undefined);
      throw error;
    }
  }

  #drop() {
    const { link } = this;
    this.link = undefined;
    if (link === undefined) return;
    this.#conditioner = link.conditioner;
    link.close();
  }

  /** @param {Link} link @param {import('/client/types.js').CloseInfo} info */
  #closed(link, { code, reason }) {
    if (this.link !== link) return;
    this.link = undefined;
    this.#conditioner = link.conditioner;
    this.#lost(Object.assign(new RequestError('Closed', reason), { code }), code);
  }

  /** @param {unknown} error @param {number | undefined} code */
  #lost(error, code) {
    const isFinal = FINAL.includes(code ?? 0);
    this.#onNone(error, isFinal);
    if (isFinal) return;
    const delayMs = Math.min(AGAIN_MAX_MS, AGAIN_MS * 2 ** this.#tries) * (0.75 + Math.random() / 2);
    this.#tries += 1;
    this.#timer = window.setTimeout(() => this.keep(), delayMs);
  }
}

/**
 * What a link's next connection is for: where it goes and as whom, and what is asked for on it
 * before anything else, the seat, the room that a redirect names, or to look on at a room again.
 * Owned by `connections.js`, which makes the connection; `link.js` hears the answer. Where redirects
 * lead is `redirect.js`'s, what opens a seat `seat.js`'s.
 */

import { SEAT_ASKED_FOR_MS } from './limits.js';
import * as client from './protocol/client_message.js';

/** @typedef {import('./room.js').Room<any>} Room */

/** See the module's description. */
export class WayBack {
  #seat;
  #redirection;
  /**
   * As what the player is in a room, or asked to be.
   * @type {client.JoinAs | undefined}
   */
  who;
  /** What was asked for first has no answer yet. */
  isAsking = false;
  /** That is the seat. */
  #isSeatAsked = false;
  #untilMs = 0;

  /**
   * @param {import('./seat.js').Seat} seat
   * @param {import('./redirect.js').Redirection} redirection
   */
  constructor(seat, redirection) {
    this.#seat = seat;
    this.#redirection = redirection;
  }

  /**
   * A connection is made.
   * @param {number} nowMs
   * @param {Room | undefined} room that there is to come back to
   * @returns {{ url: string, token: string, seat: { token: string, seen: { chat: number, tick:
   *   number } } | undefined, request: Uint8Array | undefined }} `token` says who the player is
   */
  begin(nowMs, room) {
    this.#seat.expire(nowMs);
    const to = this.#redirection.next(nowMs);
    const { token, who } = this.#seat;
    // Of a room of before a reload the seat alone is known: where it was asked for, the redirect says
    // where that is.
    const isItsRoom = room === undefined ? this.isAsking && this.#isSeatAsked : to.room === room.info.id;
    const isSeatThere = token !== '' && (to.room === undefined || isItsRoom);
    const seat = isSeatThere ? { token, seen: seenOf(room) } : undefined;
    this.#isSeatAsked = isSeatThere;
    const request = to.room === undefined ? watchAgain(room) : client.joinRoom(to.room, this.who);
    this.isAsking = seat !== undefined || request !== undefined;
    this.#untilMs = nowMs + SEAT_ASKED_FOR_MS;
    return { url: to.url, token: to.ticket ?? who, seat, request };
  }

  /**
   * It was refused.
   * @param {import('./types.js').Refusal} reason
   * @param {number} nowMs
   * @returns {boolean} whether to ask again in a while
   */
  isLater(reason, nowMs) {
    return (reason === 'Busy' || reason === 'TooOften') && nowMs < this.#untilMs && !this.#redirection.isUnderWay;
  }

  /** @param {Room | undefined} room @returns {Uint8Array} what asks again */
  again(room) {
    return watchAgain(room) ?? client.resume(this.#seat.token, seenOf(room));
  }
}

/** @param {Room | undefined} room @returns what would not be told again */
const seenOf = (room) => room?.seen ?? { chat: 0, tick: 0 };

/**
 * @param {Room | undefined} room
 * @returns {Uint8Array | undefined} what leads who looked on back there: they have no seat to take
 */
const watchAgain = (room) => (room?.spectating ? client.joinCode(room.code, client.SPECTATOR) : undefined);

/**
 * A wait in the lobby's matchmaking queue as a page has it: how it stands, a match to accept, and
 * the room in the end. The server says how things stand, the newest counts; a wait outlives a lost
 * connection, after which the server is asked how it stands now. Owned by `link.js`, which hears the
 * server; what is asked goes by what it gives.
 */

import { Emitter } from './emitter.js';
import { QUEUE_JOIN_AGAIN_MS } from './limits.js';
import * as client from './protocol/client_message.js';
import { RequestError } from './request_error.js';

/** @typedef {import('./protocol/server_message.js').QueueState} ServerState */
/** @typedef {import('./types.js').QueueState} QueueState */
/** @typedef {import('./types.js').QueueEvents} QueueEvents */

/**
 * What a wait needs of its link: to send a message, which throws a `RequestError` where it cannot;
 * to join a room by its number; and the room that the player is in.
 * @typedef {{ send: (message: Uint8Array) => void, join: (room: number) => Promise<unknown>, room:
 *   () => import('./room.js').Room<any> | undefined }} Ways
 */

/**
 * See the module's description. Made by `link.queue`, or by the link for a wait that another page
 * of the player's began, or this one before it was loaded anew.
 * @template {import('./types.js').GameTypes} [G={}]
 */
export class Queue extends Emitter {
  /**
   * The room, once the match is played; rejects with a `RequestError` when the wait is over
   * otherwise. Need not be looked at.
   * @type {Promise<import('./room.js').Room<G>>}
   */
  room;
  /** How things stand. @type {QueueState} */
  state = { type: 'asking' };
  #ways;
  #nonce;
  /** The match that was accepted here. @type {number | undefined} */
  #accepted;
  #isOver = false;
  #isJoining = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #again;
  /** @type {(room: any) => void} */
  #resolve = () => {};
  /** @type {(error: Error) => void} */
  #reject = () => {};

  /** @param {Ways} ways @param {number} nonce of the request by which it began, 0 if unknown */
  constructor(ways, nonce) {
    super();
    this.#ways = ways;
    this.#nonce = nonce;
    this.room = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.room.catch(() => {});
  }

  /**
   * Hears of `state`, whenever that changed.
   * @template {keyof QueueEvents} N
   * @param {N} name
   * @param {(...args: QueueEvents[N]) => void} listener
   * @returns {() => void} takes the listener away again
   */
  on(name, listener) {
    return super.on(name, listener);
  }

  /** Whether it has come to its end. */
  get isOver() {
    return this.#isOver;
  }

  /**
   * Takes the match that is offered; when all have, its room is joined. Nothing where none is
   * offered any more. Throws a `RequestError` while the connection is lost.
   */
  accept() {
    const { state } = this;
    if (state.type !== 'offered') return;
    this.#ways.send(client.answerOffer(state.offer, true));
    this.#accepted = state.offer;
  }

  /** Does not: that ends the wait, and the next one may not begin at once. The same otherwise. */
  decline() {
    if (this.state.type === 'offered') this.#ways.send(client.answerOffer(this.state.offer, false));
  }

  /** Waits no longer; of a match that is offered or under way as `decline`. The same otherwise. */
  cancel() {
    if (!this.#isOver) this.#ways.send(client.leaveQueue());
  }

  /**
   * Joins the room of the match, in a page that did not accept it: the connection of another page
   * of the player's that is there is closed. Nothing where no match is under way.
   */
  join() {
    if (this.state.type === 'going' && !this.#isJoining) this.#join(this.state.room);
  }

  /**
   * For the link: how things stand, as the server says. @param {number} nonce @param {ServerState}
   * state
   */
  onState(nonce, state) {
    if (this.#isOver) return;
    if (state.type === 'Out') {
      // Of a wait before this one.
      if (this.state.type === 'asking' && nonce !== this.#nonce) return;
      return this.#end(state);
    }
    this.#nonce = nonce;
    this.#show(shown(state));
    if (state.type === 'Going' && !state.there && state.offer === this.#accepted) this.join();
  }

  /**
   * For the link: the connection is back, to whichever server.
   * @returns {Uint8Array} what is to be asked of it before anything else
   */
  askAnew() {
    this.#isJoining = false;
    // The request by which it began may not have come there.
    this.#nonce = 0;
    return client.lookAtQueue();
  }

  /** For the link: it is over. @param {Error} error */
  onClose(error) {
    if (this.#isOver) return;
    this.#finish();
    this.#reject(error);
  }

  /** @param {Extract<ServerState, { type: 'Out' }>} out */
  #end({ why, own, againMs }) {
    const room = this.#ways.room();
    this.#finish();
    // By another page of the player's.
    if (why === 'Playing' && room !== undefined) this.#resolve(room);
    else this.#reject(Object.assign(new RequestError(why), { retryAfterMs: againMs }));
    this.#show({ type: 'out', why, own, againMs });
  }

  #finish() {
    this.#isOver = true;
    clearTimeout(this.#again);
  }

  /** @param {QueueState} state */
  #show(state) {
    this.state = state;
    this.emit('state', state);
  }

  /** @param {number} room */
  #join(room) {
    this.#isJoining = true;
    this.#ways.join(room).then(
      () => (this.#isJoining = false),
      (error) => {
        this.#isJoining = false;
        // Of any other refusal the server says what becomes of the wait.
        if (error.reason === 'Busy' || error.reason === 'TooOften') this.#again = setTimeout(() => this.join(), QUEUE_JOIN_AGAIN_MS);
      },
    );
  }
}

/** @param {Exclude<ServerState, { type: 'Out' }>} state @returns {QueueState} */
function shown(state) {
  switch (state.type) {
    case 'Waiting':
      return { ...state, type: 'waiting' };
    case 'Offered':
      return { ...state, type: 'offered' };
    case 'Going':
      return { ...state, type: 'going' };
    case 'Beside':
      return { type: 'beside' };
  }
}

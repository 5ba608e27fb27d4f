/**
 * The party that a player is in, as a page has it: who is in it, its code, and where its leader has
 * gone. The server says how it stands, the newest counts; it outlives a lost connection for a while,
 * after which the server is asked how it stands now. Owned by `link.js`, which hears the server.
 */

import { Emitter } from './emitter.js';
import { PARTY_JOIN_AGAIN_MS } from './limits.js';
import * as client from './protocol/client_message.js';
import { RequestError } from './request_error.js';

/** @typedef {import('./protocol/server_message.js').PartyState} ServerState */
/** @typedef {import('./types.js').PartyMember} PartyMember */
/** @typedef {import('./types.js').PartyRoom} PartyRoom */
/** @typedef {import('./types.js').PartyEvents} PartyEvents */

/** What stands before the code in the address of an invitation. */
const PARAMETER = 'party';

/**
 * What a party needs of its link: to send a message, which throws a `RequestError` where it cannot;
 * the channel of the party; to join a room by its number; the room that the player is in; and whether they wait for a match,
 * or for the seat that they had.
 * @typedef {{ send: (message: Uint8Array) => void,
 *   chat: () => import('./channel.js').Channel | undefined,
 *   join: (room: number, as?: import('./types.js').JoinAs<any>) => Promise<any>,
 *   room: () => import('./room.js').Room<any> | undefined, waits: () => boolean }} Ways
 */

/**
 * See the module's description. A link has one, which is empty where the player is in none.
 * @template {import('./types.js').GameTypes} [G={}]
 */
export class Party extends Emitter {
  /**
   * Whether the page follows the leader into a room by itself, from the lobby and while it does not
   * wait for a match.
   * @type {boolean}
   */
  follows;
  #ways;
  /** @type {Extract<ServerState, { type: 'In' }> | undefined} */
  #state;
  /** What waits for its answer, by nonce. @type {Map<number, { resolve: () => void, reject: (error: Error) => void }>} */
  #asked = new Map();
  /** The room that was followed to, or tried. @type {number | undefined} */
  #followed;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #again;

  /** @param {Ways} ways @param {boolean} follows */
  constructor(ways, follows) {
    super();
    this.#ways = ways;
    this.follows = follows;
  }

  /**
   * Hears of `change`, `room` and `out`.
   * @template {keyof PartyEvents} N
   * @param {N} name
   * @param {(...args: PartyEvents[N]) => void} listener
   * @returns {() => void} takes the listener away again
   */
  on(name, listener) {
    return super.on(name, listener);
  }

  /** The code that others join by, another one after each kick; undefined outside of a party. */
  get code() {
    return this.#state?.code;
  }

  /** Who is in it, in the order in which they came, the leader first. @returns {readonly PartyMember[]} */
  get members() {
    return this.#state?.members ?? [];
  }

  /** The own number in it; undefined outside of a party. */
  get you() {
    return this.#state?.you;
  }

  /** Who leads it; undefined outside of a party. @returns {PartyMember | undefined} */
  get leader() {
    return this.members[0];
  }

  /** Whether the player leads it. */
  get leads() {
    return this.leader !== undefined && this.leader.number === this.you;
  }

  /** How many members it may have; 0 outside of a party. */
  get most() {
    return this.#state?.most ?? 0;
  }

  /**
   * What its members say to one another, wherever they are, and what was said before somebody came.
   * It is the party's own: another one after the player has joined another party. Undefined outside of
   * a party, before the server has said where it talks, and of one that has no such channels; `change`
   * says when that is otherwise.
   */
  get chat() {
    return this.#state && this.#ways.chat();
  }

  /** Where its leader has gone, while the player may follow. @returns {PartyRoom | undefined} */
  get room() {
    const room = this.#state?.room;
    return room && { room: room.room, leftMs: room.leftMs, kept: room.kept };
  }

  /** Makes a party; who is in one stays there. In the lobby. */
  async create() {
    return this.#ask(client.createParty);
  }

  /** Joins a party, and leaves another one for it. In the lobby. @param {string} code */
  async join(code) {
    if (typeof code !== 'string') throw new TypeError("code is a party's code: a string");
    return this.#ask((nonce) => client.joinParty(nonce, code));
  }

  /** Leaves it; nothing outside of one. Throws a `RequestError` while the connection is lost. */
  leave() {
    if (this.#state !== undefined) this.#ways.send(client.leaveParty());
  }

  /**
   * Sends a member away, as the leader: the code is another one then. The same otherwise.
   * @param {number} member by their number
   */
  kick(member) {
    if (this.leads && member !== this.you) this.#ways.send(client.kickFromParty(member));
  }

  /**
   * Follows the leader into the room. Rejects with a `RequestError`: `NotNow` where there is
   * nowhere to follow to.
   * @param {import('./types.js').JoinAs<G>} [as]
   * @returns {Promise<import('./room.js').Room<G>>}
   */
  async follow(as) {
    const { room } = this;
    if (room === undefined) throw new RequestError('NotNow', 'the leader of the party is in no room to follow to');
    this.#followed = room.room;
    return this.#ways.join(room.room, as);
  }

  /**
   * The address of a page that is told the code, for who is to join: `?party=CODE`.
   * @param {string | URL} [page] this one if left out
   * @returns {string | undefined} undefined outside of a party
   */
  invitation(page = globalThis.location?.href) {
    if (this.code === undefined) return undefined;
    const url = new URL(page);
    url.searchParams.set(PARAMETER, this.code);
    return url.href;
  }

  /** For the link: what the server says. @param {number} nonce @param {ServerState} state */
  onState(nonce, state) {
    const asked = this.#asked.get(nonce);
    this.#asked.delete(nonce);
    // An answer that it was not done is no end of a party.
    if (nonce !== 0 && state.type === 'Out') return asked?.reject(new RequestError(state.why));
    const before = this.#state;
    this.#state = state.type === 'In' ? state : undefined;
    if (this.#state?.room === undefined) this.#forget();
    if (this.#state !== undefined || before !== undefined) this.emit('change', this);
    if (state.type === 'Out' && before !== undefined) this.emit('out', { why: state.why });
    asked?.resolve();
    this.onFree();
  }

  /** For the link: it talks elsewhere. */
  onChat() {
    if (this.#state !== undefined) this.emit('change', this);
  }

  /** For the link: the player may be free to follow. */
  onFree() {
    const room = this.#state?.room;
    if (!this.follows || room === undefined || this.#followed === room.room) return;
    if (this.#ways.room() !== undefined || this.#ways.waits()) return;
    this.follow().then(
      (joined) => this.emit('room', joined),
      (error) => {
        // Anything else is so for longer than there is to follow.
        if (error.reason !== 'Busy' && error.reason !== 'TooOften') return;
        this.#again = setTimeout(() => {
          this.#followed = undefined;
          this.onFree();
        }, PARTY_JOIN_AGAIN_MS);
      },
    );
  }

  /**
   * For the link: the connection is back, to whichever server.
   * @returns {Uint8Array | undefined} what is to be asked of it before anything else
   */
  askAnew() {
    this.#forget();
    return this.#state && client.lookAtParty();
  }

  /** For the link: whether an answer is to come. */
  get isAsking() {
    return this.#asked.size > 0;
  }

  /** For the link: nothing that was asked is answered any more. @param {Error} error */
  fail(error) {
    const asked = [...this.#asked.values()];
    this.#asked.clear();
    for (const { reject } of asked) reject(error);
  }

  /** For the link: it is over. @param {Error} error */
  onClose(error) {
    this.#forget();
    this.fail(error);
  }

  #forget() {
    this.#followed = undefined;
    clearTimeout(this.#again);
  }

  /** @param {(nonce: number) => Uint8Array} message @returns {Promise<void>} */
  #ask(message) {
    const nonce = 1 + Math.floor(Math.random() * 0xffffffff);
    return new Promise((resolve, reject) => {
      this.#ways.send(message(nonce));
      this.#asked.set(nonce, { resolve, reject });
    });
  }
}

/**
 * The code in the address of an invitation.
 * @param {string | URL} [page] this one if left out
 * @returns {string | undefined} undefined: it is none
 */
export function partyIn(page = globalThis.location?.href) {
  const code = page === undefined ? null : new URL(page).searchParams.get(PARAMETER);
  return code === null || code === '' ? undefined : code;
}

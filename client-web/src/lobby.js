/**
 * What a link asks of the lobby: what the page says of a room, a filter and the player, packed as
 * the game declares it. Owned by `link.js`, which hears the answers; their order is
 * `requests.js`'s. Everything rejects where it cannot be asked.
 */

import * as client from './protocol/client_message.js';
import { RequestError } from './request_error.js';
import { Requests } from './requests.js';
import { conditionsOf, packOptions } from './session/options.js';

/** @typedef {import('./schema/schema.js').Schema} Schema */

/** See the module's description. */
export class Lobby {
  /** Those that wait for an answer. */
  requests;
  #there;
  #player;

  /**
   * @param {() => import('./connection.js').Connection} there the connection; throws a
   *   `RequestError` where there is none
   * @param {Record<string, any> | undefined} player what the player brings to every room
   */
  constructor(there, player) {
    this.#there = there;
    this.#player = player;
    this.requests = new Requests((message) => there().request(message));
  }

  /** @param {{ filter?: any }} [options] */
  async rooms(options) {
    return this.requests.add(client.listRooms(conditionsOf(this.#schema.metadata, options?.filter)));
  }

  /** @param {import('./types.js').CreateOptions<any>} [options] */
  async create(options) {
    return this.#ask(options, (who, schema) => {
      const { name, private: isPrivate, seats, kicks, orJoin, options: chosen } = options ?? {};
      const packed = packOptions('room', schema.roomOptions, chosen);
      return client.createRoom({ name, isPrivate, seats, kicks, orJoin, options: packed, player: who.options });
    });
  }

  /** @param {number} id @param {import('./types.js').JoinAs<any>} [as] */
  async joinRoom(id, as) {
    return this.#ask(as, (who) => client.joinRoom(id, who));
  }

  /** @param {string} code @param {import('./types.js').JoinAs<any>} [as] */
  async joinCode(code, as) {
    return this.#ask(as, (who) => client.joinCode(code, who));
  }

  /** @param {import('./types.js').QuickJoinOptions<any>} [options] */
  async quickJoin(options) {
    return this.#ask(options, (who, schema) => {
      const conditions = conditionsOf(schema.metadata, options?.filter);
      return client.quickJoin(conditions, who, packOptions('room', schema.roomOptions, options?.options));
    });
  }

  /**
   * Asks for a room.
   * @param {import('./types.js').JoinAs<any> | undefined} as what the page says of it
   * @param {(who: client.JoinAs, schema: Schema) => Uint8Array} message may throw on what cannot
   *   be said
   */
  #ask(as, message) {
    const schema = this.#schema;
    const options = packOptions('player', schema.playerOptions, as?.player ?? this.#player);
    const who = { spectator: as?.spectate === true, options };
    return this.requests.add(message(who, schema), who);
  }

  /** Of the game. Throws a `RequestError` outside of the lobby. */
  get #schema() {
    const { state, welcome } = this.#there().session;
    if (state !== 'Lobby' || welcome === undefined) throw new RequestError('NotNow', 'only possible in the lobby: leave the room first');
    return welcome.schema;
  }
}

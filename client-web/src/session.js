/**
 * The client's end of a connection as a state machine without sockets and clocks (it mirrors
 * `shared/src/session`). `connection.js` drives it: hands in messages and the passing of time, then
 * drains `pollEvent` and `pollTransmit`. Times are milliseconds from any start, never going back.
 *
 * Not here: sockets, promises, prediction and interpolation.
 */

import { ByteReader } from './bytes.js';
import { INPUTS_QUEUED_MAX, NOTICES_SEEN_DELAY_MS, SERVER_MESSAGE_BYTES_MAX, TICK_MAX, TRANSMITS_MAX } from './limits.js';
import * as client from './protocol/client_message.js';
import { CloseCode } from './protocol/close_code.js';
import { decodeSnapshotHead, encodeAck, encodeInput, Kind, readSections, SectionKind } from './protocol/frame.js';
import { decodeServer } from './protocol/server_message.js';
import { ProtocolError } from './protocol_error.js';
import { RequestError } from './request_error.js';
import { decodeEvents, unpackEvent } from './session/events.js';
import { RoomSession } from './session/room_session.js';
import { readOptions } from './session/options.js';
import { pack } from './snapshot/fields.js';
import { Layout, checkLayout } from './snapshot/layout.js';

/** @typedef {import('./protocol/server_message.js').ServerMessage} ServerMessage */
/** @typedef {import('./protocol/server_message.js').Welcome} Welcome */
/**
 * A welcome with what it left out.
 * @typedef {Welcome & { schema: import('./schema/schema.js').Schema, tables:
 *   import('./schema/tables.js').Tables }} Known
 */
/** @typedef {import('./protocol/frame.js').SnapshotHead} SnapshotHead */
/** @typedef {import('./types.js').GameEvent} GameEvent */

/**
 * What a session tells its driver: a server's message that was in its place, an applied snapshot
 * with its events, a layer that had to be dropped (it was not the server's any more), or the end.
 * @typedef {Exclude<ServerMessage, { type: 'Welcome' | 'Rooms' | 'Notice' }> | Known
 *   | { type: 'Notice', number: number, at: number, text: string, event: { name: string, fields:
 *     Record<string, any> } | undefined }
 *   | { type: 'Rooms', rooms: import('./types.js').RoomInfo[] }
 *   | { type: 'Snapshot', head: SnapshotHead, events: GameEvent[], bytes: number }
 *   | { type: 'Desync', tick: number }
 *   | { type: 'Failed', code: number, closeWith: number, reason: string }} SessionEvent
 */

/** See the module's description. */
export class Session {
  /** @type {'Hello' | 'Lobby' | 'Room' | 'Failed'} how far the connection has come */
  state = 'Hello';
  /** @type {Known | undefined} what the welcome said, with what it left out */
  welcome;
  /** @type {Layout | undefined} the columns of the game's layers, from the welcome on */
  layout;
  /** @type {RoomSession | undefined} the room that the player is in */
  room;
  /** @type {Uint8Array[]} */
  #transmits;
  /** What is asked while another connection takes over. @type {Uint8Array[] | undefined} */
  #held;
  /** Inputs that were sent since. @type {[tick: number, qs: readonly number[], viewLag: number][]} */
  #inputs = [];
  /** @type {SessionEvent[]} */
  #events = [];
  #known;
  /** The shortest round trip that the driver told of. */
  #roundTripMs = Infinity;
  /** The newest notice that was shown, and when the server is told. */
  #noticeSeen = 0;
  #noticeDueMs = Infinity;

  /**
   * A session for a socket that is open or about to be; its `Hello` waits to be sent.
   * @param {string} name
   * @param {string} token empty for a guest
   * @param {{ token: string, seen: { chat: number, tick: number } }} [seat] to be taken again:
   *   its token, and what was seen of the room
   * @param {{ game?: string, features?: number, known?: import('./known_games.js').KnownGame,
   *   request?: Uint8Array }} [of] of which game, empty for the server's only one or its first;
   *   what is understood beyond the base; what an earlier welcome brought; what is asked for at
   *   once
   */
  constructor(name, token = '', seat = undefined, { game, features, known, request } = {}) {
    this.#known = known;
    this.#transmits = [client.hello(name, token, { game, features, known })];
    if (seat !== undefined) this.#transmits.push(client.resume(seat.token, seat.seen));
    else if (request !== undefined) this.#transmits.push(request);
  }

  /** The connection is lost: nothing is taken in or sent any more. */
  end() {
    if (this.#held === undefined) this.state = 'Failed';
    this.#transmits = [];
  }

  /** From now on what is asked waits, for `release` or another connection's `takeOver`. */
  hold() {
    this.#held = [];
  }

  /** What waited goes by this connection after all. */
  release() {
    this.#transmits.push(...(this.#held ?? []));
    this.#held = undefined;
    this.#inputs = [];
  }

  /**
   * Goes on with what another connection held: what waited there is sent here, and of the inputs
   * those that may have been lost, of which the server drops what it has. In a room it is in the
   * same seat, with a snapshot.
   * @param {Session} before
   */
  takeOver(before) {
    if (this.room !== undefined && before.room !== undefined) this.room.goOn(before.room);
    const { leaving = false } = this.room ?? {};
    if (this.room !== undefined) this.room.leaving = false;
    for (const input of before.#inputs) this.sendInput(...input);
    if (this.room !== undefined) this.room.leaving = leaving;
    this.#transmits.push(...(before.#held ?? []));
    if (before.#noticeDueMs < Infinity) this.noticesSeen(before.#noticeSeen, before.#noticeDueMs - NOTICES_SEEN_DELAY_MS);
    before.#held = undefined;
    before.end();
  }

  /** How many messages wait. */
  get #waiting() {
    return this.#transmits.length + (this.#held?.length ?? 0);
  }

  /** @param {Uint8Array} message that is asked, not told */
  #push(message) {
    (this.#held ?? this.#transmits).push(message);
  }

  /**
   * Takes a whole message in. On broken bytes the session is over: `Failed` is the last event.
   * @param {Uint8Array} bytes
   * @param {number} nowMs
   */
  handleMessage(bytes, nowMs) {
    if (this.state === 'Failed') return;
    try {
      if (bytes.length > SERVER_MESSAGE_BYTES_MAX) throw new ProtocolError('message too big');
      if (bytes[0] === Kind.Control) {
        const message = decodeServer(bytes);
        if (message !== undefined) this.#onControl(message);
      } else if (bytes[0] === Kind.State) this.#onSnapshot(bytes, nowMs);
      else throw new ProtocolError('unknown message kind');
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.fail(error.message, error.closeWith);
    }
  }

  /**
   * The server broke the protocol; nothing is taken in or sent any more.
   * @param {string} reason
   * @param {number} [closeWith] what the server is told; the page is told of any but another
   *   version as one
   */
  fail(reason, closeWith = CloseCode.Malformed) {
    this.#held = undefined;
    this.end();
    const code = closeWith === CloseCode.Version ? closeWith : CloseCode.Protocol;
    this.#events.push({ type: 'Failed', code, closeWith, reason });
  }

  /**
   * Time has passed: sends what is due.
   * @param {number} nowMs
   */
  handleTimeout(nowMs) {
    const { room } = this;
    if (this.#noticeDueMs <= nowMs && this.#held === undefined && this.state !== 'Failed' && this.#transmits.length < TRANSMITS_MAX) {
      this.#transmits.push(client.noticesSeen(this.#noticeSeen));
      this.#noticeDueMs = Infinity;
    }
    if (room === undefined || room.leaving || this.state !== 'Room') return;
    for (let layer = room.layers.takeResync(nowMs); layer !== undefined; layer = room.layers.takeResync(nowMs)) {
      this.#transmits.push(client.resync(layer));
    }
    if (room.acks.dueMs <= nowMs && this.#transmits.length < TRANSMITS_MAX) {
      this.#transmits.push(encodeAck(room.acknowledge()));
    }
  }

  /**
   * @returns {number} when `handleTimeout` has something to do, in ms; Infinity for not before a
   *   message
   */
  pollTimeout() {
    const { room } = this;
    if (this.state === 'Failed') return Infinity;
    const noticeDueMs = this.#held === undefined ? this.#noticeDueMs : Infinity;
    if (room === undefined || room.leaving || this.state !== 'Room') return noticeDueMs;
    return Math.min(room.acks.dueMs, room.layers.resyncDueMs, noticeDueMs);
  }

  /** @returns {Uint8Array | undefined} the next message to send */
  pollTransmit() {
    return this.#transmits.shift();
  }

  /** @returns {SessionEvent | undefined} the next thing that happened */
  pollEvent() {
    return this.#events.shift();
  }

  /**
   * Sends the input of a tick that the room's clock stamped. It carries the acknowledgement.
   * @param {number} tick
   * @param {readonly number[]} qs the integers of the schema's input fields
   * @param {number} viewLag how far behind the newest snapshot the others are shown, in 1/64
   *   ticks; below 0 ahead of it
   */
  sendInput(tick, qs, viewLag) {
    const { room } = this;
    if (room === undefined || room.leaving || this.state !== 'Room') return;
    if (this.#transmits.length >= TRANSMITS_MAX) return;
    if (this.#held !== undefined) {
      this.#inputs.push([tick, qs, viewLag]);
      if (this.#inputs.length > INPUTS_QUEUED_MAX) this.#inputs.shift();
    }
    this.#transmits.push(encodeInput(tick, room.acknowledge(), viewLag, pack(room.schema.input, qs)));
  }

  /**
   * Goes back to the lobby, if in a room. Until `Left` snapshots go on, but nothing of the room is
   * sent any more.
   */
  leave() {
    if (this.state !== 'Room' || this.room === undefined || this.room.leaving) return;
    // Whatever else waits to be sent: one a room.
    this.#push(client.leaveRoom());
    this.room.leaving = true;
  }

  /**
   * Asks for a `Pong`, from the lobby or a room.
   * @param {number} nonce
   * @returns {boolean} whether it was sent
   */
  ping(nonce) {
    const isOpen = this.state === 'Lobby' || this.state === 'Room';
    if (!isOpen || this.#waiting >= TRANSMITS_MAX) return false;
    this.#push(client.ping(nonce));
    return true;
  }

  /**
   * All notices up to `number` were shown: says so soon, from the lobby or a room.
   * @param {number} number
   * @param {number} nowMs
   */
  noticesSeen(number, nowMs) {
    this.#noticeSeen = number;
    this.#noticeDueMs = Math.min(this.#noticeDueMs, nowMs + NOTICES_SEEN_DELAY_MS);
  }

  /**
   * A `ping` was answered: the first inputs of a room, of whose way nothing else is known yet,
   * leave early enough for it.
   * @param {number} rttMs the round trip
   */
  onRoundTrip(rttMs) {
    this.#roundTripMs = Math.min(this.#roundTripMs, rttMs);
    this.room?.onRoundTrip(this.#roundTripMs);
  }

  /**
   * Makes a request of the lobby or of the room: throws a `RequestError`.
   * @param {'Lobby' | 'Room'} onlyIn
   * @param {Uint8Array} message made by a function of `protocol/client_message.js`
   */
  request(onlyIn, message) {
    if (this.state === 'Failed') throw new RequestError('Closed', 'the connection is lost: wait until it is back');
    if (this.state !== onlyIn || this.room?.leaving) {
      const where = onlyIn === 'Lobby' ? 'in the lobby: leave the room first' : 'in a room: join one first';
      throw new RequestError('NotNow', `only possible ${where}`);
    }
    if (this.#waiting >= TRANSMITS_MAX) throw new RequestError('TooMuch', 'too many messages wait to be sent');
    this.#push(message);
  }

  /**
   * Makes a request that is neither the lobby's nor the room's: throws a `RequestError`.
   * @param {Uint8Array} message as of `request`
   */
  requestAnywhere(message) {
    if (this.state !== 'Lobby' && this.state !== 'Room') throw new RequestError('Closed', 'the connection is lost: wait until it is back');
    if (this.#waiting >= TRANSMITS_MAX) throw new RequestError('TooMuch', 'too many messages wait to be sent');
    this.#push(message);
  }

  /** @param {ServerMessage} message */
  #onControl(message) {
    const { room, welcome, layout } = this;
    switch (message.type) {
      case 'Welcome':
        this.#onWelcome(message);
        return;
      case 'Stopping':
        break;
      case 'Rooms': {
        if (welcome === undefined) throw unexpected(message.type);
        const rooms = message.rooms.map((room) => roomInfo(room, welcome.schema));
        this.#events.push({ type: 'Rooms', rooms });
        return;
      }
      case 'Notice': {
        if (welcome === undefined) throw unexpected(message.type);
        const event = message.event && unpackEvent(message.event, welcome.schema);
        this.#events.push({ ...message, event });
        return;
      }
      case 'Joined':
        if (this.state !== 'Lobby' || welcome === undefined || layout === undefined) throw unexpected(message.type);
        if (message.tickRate === 0 || message.snapshotEvery === 0) throw new ProtocolError('a room without a rate');
        this.room = new RoomSession({ ...message, room: roomInfo(message.room, welcome.schema) }, welcome.schema, layout);
        if (this.#roundTripMs < Infinity) this.room.onRoundTrip(this.#roundTripMs);
        this.state = 'Room';
        break;
      case 'Left':
        if (room === undefined) throw unexpected(message.type);
        this.room = undefined;
        this.state = 'Lobby';
        break;
      case 'MemberChanged':
        if (room === undefined) throw unexpected(message.type);
        room.members.set(message.member.player, message.member);
        break;
      case 'MemberState': {
        const known = room?.members.get(message.player);
        if (room === undefined || known === undefined) throw unexpected(message.type);
        const { ready, host, connected } = message;
        room.members.set(message.player, { ...known, ready, host, connected });
        break;
      }
      case 'MemberLeft':
        if (room === undefined) throw unexpected(message.type);
        room.members.delete(message.player);
        break;
      case 'Chat':
        if (room === undefined) throw unexpected(message.type);
        room.onChat(message.line);
        break;
      case 'ResumeToken':
      case 'Typing':
        if (room === undefined) throw unexpected(message.type);
        break;
      case 'Members':
        if (room === undefined || !room.moreMembers) throw unexpected(message.type);
        room.moreMembers = message.more;
        for (const member of message.members) room.members.set(member.player, member);
        break;
      default:
        // Refused, Pong and Reply answer requests, Redirect and Prepare send on who was let in:
        // nothing of it comes before the welcome.
        if (this.state === 'Hello') throw unexpected(message.type);
    }
    this.#events.push(message);
  }

  /** @param {Welcome} message */
  #onWelcome(message) {
    if (this.state !== 'Hello') throw unexpected(message.type);
    const { schemaHash, tablesHash } = message;
    const known = this.#known;
    const schema = message.schema ?? (known?.schemaHash === schemaHash ? known.schema : undefined);
    const tables = message.tables ?? (known?.tablesHash === tablesHash ? known.tables : undefined);
    if (schema === undefined || tables === undefined) throw new ProtocolError('a welcome without a schema that is known');
    checkLayout(schema, tables);
    const welcome = { ...message, schema, tables };
    this.welcome = welcome;
    this.layout = new Layout(schema, tables);
    this.state = 'Lobby';
    this.#events.push(welcome);
  }

  /**
   * @param {Uint8Array} bytes
   * @param {number} nowMs
   */
  #onSnapshot(bytes, nowMs) {
    const { room } = this;
    if (room === undefined) throw unexpected('snapshot');
    const reader = new ByteReader(bytes);
    const head = decodeSnapshotHead(reader);
    const { tick } = head;
    if (tick <= room.newest || tick > TICK_MAX) throw new ProtocolError("a snapshot's tick that cannot be", CloseCode.OutOfRange);
    /** @type {GameEvent[]} */
    const events = [];
    room.layers.begin();
    readSections(reader, (kind, section) => {
      if (kind === SectionKind.Events) events.push(...decodeEvents(section, tick, room.schema));
      else if (kind === SectionKind.Closed) room.layers.close(section, tick);
      else if (!room.layers.apply(kind, section, tick, nowMs)) this.#events.push({ type: 'Desync', tick });
    });
    for (let dropped = room.layers.advance(tick, nowMs); dropped > 0; dropped--) this.#events.push({ type: 'Desync', tick });
    room.onSnapshot(head, nowMs);
    this.#events.push({ type: 'Snapshot', head, events, bytes: bytes.length });
  }
}

/**
 * @param {import('./protocol/server_message.js').ListedRoom} room
 * @param {import('./schema/schema.js').Schema} schema
 * @returns {import('./types.js').RoomInfo}
 */
function roomInfo(room, schema) {
  return { ...room, metadata: readOptions(schema.metadata, room.metadata) };
}

/** @param {string} what */
function unexpected(what) {
  return new ProtocolError(`${what} is not allowed now`, CloseCode.OutOfOrder);
}

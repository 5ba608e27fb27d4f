/**
 * Control messages to the server: one function each, which gives the whole message with its kind
 * byte. Each calls `message` with its index on the wire. When each may be sent is for `session.js`.
 */

import { ControlWriter } from '../codec.js';
import { CLIENT_MESSAGE_BYTES_MAX } from '../limits.js';
import { Feature, Kind, VERSION } from './frame.js';

/** Messages from this index on have their length behind it. */
const LATER_FROM = 129;
/** What is asked of other people. */
const PEOPLE = 133;
/** Whom one watches. */
const WATCH = 134;
/** What is said to the matchmaking queue. */
const QUEUE = 140;
/** What is said of parties. */
const PARTY = 141;

/**
 * @param {number} index
 * @param {(writer: ControlWriter) => void} [fields]
 * @returns {Uint8Array}
 */
function message(index, fields) {
  const writer = new ControlWriter();
  writer.u8(Kind.Control);
  if (index >= LATER_FROM) {
    const later = new ControlWriter();
    fields?.(later);
    writer.u8(index);
    writer.bytes(later.finish());
  } else {
    writer.uint(index);
    fields?.(writer);
  }
  const bytes = writer.finish();
  // The server would close the connection; the caller passed too long a text.
  if (bytes.length > CLIENT_MESSAGE_BYTES_MAX) {
    throw new RangeError(`message of ${bytes.length} bytes, at most ${CLIENT_MESSAGE_BYTES_MAX}`);
  }
  return bytes;
}

/**
 * As what somebody joins: whether they only watch, and the packed fields of the schema's player
 * options, empty for the game's own choice.
 * @typedef {{ spectator: boolean, options: Uint8Array }} JoinAs
 */

/**
 * What a field of a room's metadata must be: its index, how it is compared, with which integer.
 * @typedef {{ field: number, test: typeof TESTS[number], value: number }} Condition
 */

const TESTS = /** @type {const} */ (['Equal', 'AtLeast']);

/** As a player who brings nothing. @type {JoinAs} */
export const PLAYER = { spectator: false, options: new Uint8Array() };

/** As one who only looks on. @type {JoinAs} */
export const SPECTATOR = { ...PLAYER, spectator: true };

/** @param {ControlWriter} w @param {JoinAs} who */
function writeWho(w, { spectator, options }) {
  w.bool(spectator);
  w.bytes(options);
}

/** @param {ControlWriter} w @param {readonly Condition[]} filter */
function writeFilter(w, filter) {
  w.uint(filter.length);
  for (const { field, test, value } of filter) {
    w.u8(field);
    w.uint(TESTS.indexOf(test));
    w.int(value);
  }
}

/**
 * @param {string} name the name that others see; the server tidies it
 * @param {string} token proof of identity, empty for a guest
 * @param {object} [of]
 * @param {string} [of.game] which game, empty for the server's only one, or its first
 * @param {number} [of.features] bits of `Feature`
 * @param {{ schemaHash: string, tablesHash: string }} [of.known] what an earlier welcome brought
 */
export const hello = (name, token, { game = '', features = Feature.ALL, known = { schemaHash: '', tablesHash: '' } } = {}) =>
  message(0, (w) => {
    w.uint(VERSION);
    w.uint(features >>> 0);
    w.string(game);
    w.string(known.schemaHash);
    w.string(known.tablesHash);
    w.string(name);
    w.string(token);
  });

/** @param {readonly Condition[]} [filter] only the listed rooms that meet all of it */
export const listRooms = (filter = []) => message(1, (w) => writeFilter(w, filter));

/**
 * @param {object} room
 * @param {string} [room.name] what the lobby calls it
 * @param {boolean} [room.isPrivate] left out of listings, joined by its code alone
 * @param {number} [room.seats] 0 for the server's limit
 * @param {boolean} [room.kicks] whether its host may kick
 * @param {boolean} [room.orJoin] whether a public room of that name is joined instead
 * @param {Uint8Array} [room.options] packed fields of the schema's room options
 * @param {Uint8Array} [room.player] packed fields of its player options
 */
export const createRoom = ({ name = '', isPrivate = false, seats = 0, kicks = false, orJoin = false, options, player }) =>
  message(2, (w) => {
    w.string(name);
    w.bool(isPrivate);
    w.uint(whole(seats, 0xffff));
    w.bool(kicks);
    w.bool(orJoin);
    w.bytes(options ?? PLAYER.options);
    w.bytes(player ?? PLAYER.options);
  });

/** @param {number} room a listed room's number @param {JoinAs} [who] */
export const joinRoom = (room, who = PLAYER) =>
  message(3, (w) => {
    w.uint(whole(room, 0xffffffff));
    writeWho(w, who);
  });

/** @param {string} code a room's code, without regard to case @param {JoinAs} [who] */
export const joinCode = (code, who = PLAYER) =>
  message(4, (w) => {
    w.string(code);
    writeWho(w, who);
  });

/**
 * Joins a listed room that has a seat and whose host may not kick, or makes one.
 * @param {readonly Condition[]} [filter] only a room that meets all of it
 * @param {JoinAs} [who]
 * @param {Uint8Array} [options] of one that is made: packed fields of the schema's room options
 */
export const quickJoin = (filter = [], who = PLAYER, options = PLAYER.options) =>
  message(5, (w) => {
    writeFilter(w, filter);
    writeWho(w, who);
    w.bytes(options);
  });

/** Goes back to the lobby. */
export const leaveRoom = () => message(6);

/** @param {boolean} isReady */
export const ready = (isReady) => message(7, (w) => w.bool(isReady));

/** @param {number} player whom */
export const kick = (player) => message(8, (w) => w.uint(whole(player, 0xffff)));

/** @param {string} text 1 to 200 characters */
export const chat = (text) => message(9, (w) => w.string(text));

/**
 * @param {number} nonce comes back in the answer
 * @param {string} text 1 to 200 characters
 * @param {string} [channel]
 */
export const say = (nonce, text, channel = 'room') =>
  message(LATER_FROM + 1, (w) => {
    w.string(channel);
    w.uint(nonce >>> 0);
    w.string(text);
  });

/**
 * @param {number} nonce comes back in the answer
 * @param {number} before the lines before this one, 0 for the newest
 * @param {string} [channel]
 */
export const history = (nonce, before, channel = 'room') =>
  message(LATER_FROM + 2, (w) => {
    w.string(channel);
    w.uint(nonce >>> 0);
    w.uint(whole(before, 0xffffffff));
  });

/** The player is writing a line. @param {string} [channel] */
export const typing = (channel = 'room') => message(LATER_FROM + 3, (w) => w.string(channel));
/** @param {number} nonce comes back in the answer @param {boolean} lobby whether its lines are wanted */
export const enterPeople = (nonce, lobby) =>
  message(PEOPLE, (w) => {
    w.uint(0);
    w.uint(nonce >>> 0);
    w.bool(lobby);
  });

/** @param {readonly string[]} whom of all whom one watches from now on: their handles, and `lobby` */
export const watch = (whom) =>
  message(WATCH, (w) => {
    w.uint(whom.length);
    for (const of of whom) w.string(of);
  });

/** @param {number} nonce comes back in the answer @param {number} player whom, of the room */
export const whoIs = (nonce, player) =>
  message(PEOPLE, (w) => {
    w.uint(1);
    w.uint(nonce >>> 0);
    w.uint(whole(player, 0xffff));
  });

/**
 * @param {number} nonce comes back in the answer
 * @param {string} who a handle
 * @param {boolean} blocked
 */
export const block = (nonce, who, blocked) =>
  message(PEOPLE, (w) => {
    w.uint(2);
    w.uint(nonce >>> 0);
    w.string(who);
    w.bool(blocked);
  });

/** @param {string} who a handle @param {number} number of the last line that was shown */
export const read = (who, number) =>
  message(PEOPLE, (w) => {
    w.uint(3);
    w.string(who);
    w.uint(whole(number, 0xffffffff));
  });

/**
 * @param {number} nonce not 0; comes back with what follows from it
 * @param {string} mode
 * @param {readonly string[]} regions the best first
 */
export const enqueue = (nonce, mode, regions) =>
  message(QUEUE, (w) => {
    w.uint(0);
    w.uint(nonce >>> 0);
    w.string(mode);
    w.uint(regions.length);
    for (const region of regions) w.string(region);
  });

/** Asks how things stand in the queue. */
export const lookAtQueue = () => message(QUEUE, (w) => w.uint(1));

export const leaveQueue = () => message(QUEUE, (w) => w.uint(2));

/** @param {number} offer which match @param {boolean} accept */
export const answerOffer = (offer, accept) =>
  message(QUEUE, (w) => {
    w.uint(3);
    w.uint(whole(offer, 0xffffffff));
    w.bool(accept);
  });

/** @param {number} nonce comes back in the answer */
export const createParty = (nonce) =>
  message(PARTY, (w) => {
    w.uint(0);
    w.uint(nonce >>> 0);
  });

/** @param {number} nonce comes back in the answer @param {string} code */
export const joinParty = (nonce, code) =>
  message(PARTY, (w) => {
    w.uint(1);
    w.uint(nonce >>> 0);
    w.string(code);
  });

export const leaveParty = () => message(PARTY, (w) => w.uint(2));

/** @param {number} member whom the leader sends away */
export const kickFromParty = (member) =>
  message(PARTY, (w) => {
    w.uint(3);
    w.uint(whole(member, 0xffffffff));
  });

/** Asks how things stand in the party. */
export const lookAtParty = () => message(PARTY, (w) => w.uint(4));

/** @param {number} nonce comes back in the answer */
export const ping = (nonce) => message(10, (w) => w.uint(nonce >>> 0));

/** @param {number} layer whose checksum did not match */
export const resync = (layer) => message(11, (w) => w.uint(layer));

/**
 * @param {number} id comes back with the answer
 * @param {number} action index in the schema's actions
 * @param {Uint8Array} fields its packed fields
 */
export const act = (id, action, fields) =>
  message(12, (w) => {
    w.uint(id >>> 0);
    w.uint(action);
    w.bytes(fields);
  });

/** @param {number} number of the last notice that was shown */
export const noticesSeen = (number) => message(LATER_FROM, (w) => w.uint(whole(number, 0xffffffff)));

/**
 * @param {string} token the seat's newest
 * @param {{ chat: number, tick: number }} seen the newest chat line and the newest snapshot, 0
 *   for none
 */
export const resume = (token, seen) =>
  message(13, (w) => {
    w.string(token);
    w.uint(whole(seen.chat, 0xffffffff));
    w.uint(whole(seen.tick, 0xffffffff));
  });

/**
 * @param {number} value
 * @param {number} max
 * @returns {number} the value, if it is a whole number from 0 to `max`
 */
function whole(value, max) {
  if (!Number.isInteger(value) || value < 0 || value > max) {
    throw new RangeError(`${value} is not a whole number from 0 to ${max}`);
  }
  return value;
}

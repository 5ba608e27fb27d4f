/**
 * Control messages to the server: one function each, which gives the whole message with its kind
 * byte. Each calls `message` with its index on the wire. When each may be sent is for `session.js`.
 */

import { ControlWriter } from '../codec.js';
import { CLIENT_MESSAGE_BYTES_MAX } from '../limits.js';
import { Kind, VERSION } from './frame.js';

/**
 * @param {number} index
 * @param {(writer: ControlWriter) => void} [fields]
 * @returns {Uint8Array}
 */
function message(index, fields) {
  const writer = new ControlWriter();
  writer.u8(Kind.Control);
  writer.uint(index);
  fields?.(writer);
  const bytes = writer.finish();
  // The server would close the connection; the caller passed too long a text.
  if (bytes.length > CLIENT_MESSAGE_BYTES_MAX) {
    throw new RangeError(`message of ${bytes.length} bytes, at most ${CLIENT_MESSAGE_BYTES_MAX}`);
  }
  return bytes;
}

/**
 * @param {string} name the name that others see; the server tidies it
 * @param {string} token proof of identity, empty for a guest
 */
export const hello = (name, token) =>
  message(0, (w) => {
    w.uint(VERSION);
    w.string(name);
    w.string(token);
  });

/** Asks for the listed rooms. */
export const listRooms = () => message(1);

/**
 * @param {string} name what the lobby calls it
 * @param {boolean} isPrivate left out of listings, joined by its code alone
 * @param {number} seats 0 for the server's limit
 * @param {boolean} kicks whether its host may kick
 */
export const createRoom = (name, isPrivate, seats, kicks) =>
  message(2, (w) => {
    w.string(name);
    w.bool(isPrivate);
    w.uint(whole(seats, 0xffff));
    w.bool(kicks);
  });

/** @param {number} room a listed room's number */
export const joinRoom = (room) => message(3, (w) => w.uint(whole(room, 0xffffffff)));

/** @param {string} code a room's code, without regard to case */
export const joinCode = (code) => message(4, (w) => w.string(code));

/** Joins a listed room that has a seat and whose host may not kick, or makes one. */
export const quickJoin = () => message(5);

/** Goes back to the lobby. */
export const leaveRoom = () => message(6);

/** @param {boolean} isReady */
export const ready = (isReady) => message(7, (w) => w.bool(isReady));

/** @param {number} player whom */
export const kick = (player) => message(8, (w) => w.uint(whole(player, 0xffff)));

/** @param {string} text 1 to 200 characters */
export const chat = (text) => message(9, (w) => w.string(text));

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

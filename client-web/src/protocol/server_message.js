/**
 * Control messages from the server, decoded to plain objects with a `type` (PROTOCOL.md §3). What
 * they mean for the connection is for `session.js`.
 */

import { ControlReader } from '../codec.js';
import {
  CHAT_HISTORY_MAX,
  PLAYERS_PER_ROOM_MAX,
  ROOMS_LISTED_MAX,
  SERVER_MESSAGE_BYTES_MAX,
} from '../limits.js';
import { ProtocolError } from '../protocol_error.js';
import { REFUSALS } from '../request_error.js';
import { readSchema } from '../schema/schema.js';
import { readTables } from '../schema/tables.js';
import { CloseCode } from './close_code.js';
import { Kind, VERSION } from './frame.js';

/** @typedef {import('../types.js').RoomInfo} RoomInfo */
/** @typedef {import('../types.js').Member} Member */
/** @typedef {import('../types.js').ChatLine} ChatLine */
/** @typedef {import('../types.js').Limits} Limits */
/** @typedef {import('../schema/schema.js').Schema} Schema */

/** Why a player is back in the lobby, by index. */
export const LEAVE_REASONS = /** @type {const} */ (['Asked', 'Kicked', 'RoomClosed']);

/**
 * @typedef {{ type: 'Welcome', version: number, name: string, token: string, schema: Schema,
 *   tables: import('../schema/tables.js').Tables, limits: Limits }} Welcome
 * @typedef {{ type: 'Joined', room: RoomInfo, code: string, you: number, tickRate: number,
 *   snapshotEvery: number, tick: number, members: Member[], chat: ChatLine[] }} Joined
 * @typedef {Welcome | Joined
 *   | { type: 'Refused', reason: import('../types.js').Refusal }
 *   | { type: 'Rooms', rooms: RoomInfo[] }
 *   | { type: 'Left', reason: typeof LEAVE_REASONS[number] }
 *   | { type: 'MemberChanged', member: Member }
 *   | { type: 'MemberLeft', player: number }
 *   | { type: 'Chat', line: ChatLine }
 *   | { type: 'Pong', nonce: number, tick: number }
 *   | { type: 'Reply', id: number, error: string | undefined }
 *   | { type: 'Stopping', retryAfterMs: number }
 *   | { type: 'Redirect', url: string, ticket: string }
 *   | { type: 'ResumeToken', token: string, graceMs: number }
 *   | { type: 'MemberState', player: number, ready: boolean, host: boolean, connected: boolean }
 *   } ServerMessage
 */

/**
 * @param {Uint8Array} bytes a whole message, kind byte included
 * @returns {ServerMessage}
 */
export function decodeServer(bytes) {
  if (bytes.length > SERVER_MESSAGE_BYTES_MAX || bytes[0] !== Kind.Control) {
    throw new ProtocolError('not a control message');
  }
  const reader = new ControlReader(bytes, 1);
  const type = reader.variant(TYPES);
  const message = { type, ...FIELDS[type](reader) };
  reader.finish();
  return /** @type {ServerMessage} */ (message);
}

/**
 * How each type is read, in the order of their indices.
 * @type {Record<ServerMessage['type'], (r: ControlReader) => object>}
 */
const FIELDS = {
  Welcome: (r) => ({ version: version(r), name: r.string(), token: r.string(), schema: readSchema(r), tables: readTables(r), limits: limits(r) }),
  Refused: (r) => ({ reason: r.variant(REFUSALS) }),
  Rooms: (r) => ({ rooms: r.list(ROOMS_LISTED_MAX, roomInfo) }),
  Joined: (r) => ({
    room: roomInfo(r),
    code: r.string(),
    you: r.u16(),
    tickRate: r.u16(),
    snapshotEvery: r.u16(),
    tick: r.u32(),
    members: r.list(PLAYERS_PER_ROOM_MAX, member),
    chat: r.list(CHAT_HISTORY_MAX, chatLine),
  }),
  Left: (r) => ({ reason: r.variant(LEAVE_REASONS) }),
  MemberChanged: (r) => ({ member: member(r) }),
  MemberLeft: (r) => ({ player: r.u16() }),
  Chat: (r) => ({ line: chatLine(r) }),
  Pong: (r) => ({ nonce: r.u32(), tick: r.u32() }),
  Reply: (r) => ({ id: r.u32(), error: r.variant([false, true]) ? r.string() : undefined }),
  Stopping: (r) => ({ retryAfterMs: r.u32() }),
  Redirect: (r) => ({ url: r.string(), ticket: r.string() }),
  ResumeToken: (r) => ({ token: r.string(), graceMs: r.u32() }),
  MemberState: (r) => ({ player: r.u16(), ready: r.bool(), host: r.bool(), connected: r.bool() }),
};

const TYPES = /** @type {ServerMessage['type'][]} */ (Object.keys(FIELDS));

/**
 * Nothing behind another version can be read.
 * @param {ControlReader} r
 * @returns {number}
 */
function version(r) {
  const spoken = r.u16();
  if (spoken === VERSION) return spoken;
  const older = spoken < VERSION ? 'the server' : 'tickwire-client';
  throw new ProtocolError(`the server speaks version ${spoken} of the protocol, this client ${VERSION}: update ${older}`, CloseCode.Version);
}

/**
 * @param {ControlReader} r
 * @returns {Limits}
 */
function limits(r) {
  return {
    messageBytes: r.u32(),
    messagesPerSecond: r.u32(),
    chatChars: r.u16(),
    nameChars: r.u16(),
    seats: r.u16(),
  };
}

/**
 * @param {ControlReader} r
 * @returns {RoomInfo}
 */
function roomInfo(r) {
  return { id: r.u32(), name: r.string(), players: r.u16(), seats: r.u16(), private: r.bool(), kicks: r.bool() };
}

/**
 * @param {ControlReader} r
 * @returns {Member}
 */
function member(r) {
  return { player: r.u16(), name: r.string(), ready: r.bool(), host: r.bool(), connected: r.bool() };
}

/**
 * @param {ControlReader} r
 * @returns {ChatLine}
 */
function chatLine(r) {
  return { id: r.u32(), from: r.u16(), name: r.string(), text: r.string() };
}

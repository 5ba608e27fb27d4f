/**
 * Control messages from the server, decoded to plain objects with a `type` (PROTOCOL.md §3). What
 * they mean for the connection is for `session.js`.
 */

import { ControlReader } from '../codec.js';
import {
  CHAT_HISTORY_MAX,
  MEMBERS_PER_PAGE,
  NOTICE_CHARS_MAX,
  OPTIONS_BYTES_MAX,
  PAGE_LINES_MAX,
  PEERS_PER_PAGE,
  PRESENCES_PER_PAGE,
  ROOMS_LISTED_MAX,
  SERVER_MESSAGE_BYTES_MAX,
  UNREAD_MAX,
} from '../limits.js';
import { ProtocolError } from '../protocol_error.js';
import { REFUSALS } from '../request_error.js';
import { readSchema } from '../schema/schema.js';
import { readTables } from '../schema/tables.js';
import { CloseCode } from './close_code.js';
import { Kind, VERSION } from './frame.js';

/** @typedef {import('../types.js').RoomInfo} RoomInfo */
/** @typedef {import('../types.js').Member} Member */
/** @typedef {import('../types.js').Limits} Limits */
/** @typedef {import('../schema/schema.js').Schema} Schema */
/** @typedef {import('../schema/tables.js').Tables} Tables */

/**
 * A room as it is on the wire: its metadata still packed.
 * @typedef {Omit<RoomInfo, 'metadata'> & { metadata: Uint8Array }} ListedRoom
 */

/** The own number of who only watches. */
const NOBODY = -1;

/** Why a player is back in the lobby, by index. */
export const LEAVE_REASONS = /** @type {const} */ (['Asked', 'Kicked', 'RoomClosed']);

/** Why somebody is not in the matchmaking queue, by index. */
export const OUT_OF_QUEUE = /** @type {const} */ ([
  'NotQueued', 'NoSuchMode', 'NoSuchRegion', 'PartySize', 'NotLeader', 'Cooling', 'Full', 'TooOften', 'InRoom', 'Closed', 'Cancelled', 'LeftParty',
  'Lost', 'Declined', 'NotAccepted', 'NotCome', 'JoinFailed', 'Playing', 'PartyPlays', 'TooFew', 'NoRoom', 'PartyChanged',
]);

/** What there is to say of people, by index. */
const PEOPLE_NEWS = /** @type {const} */ (['You', 'Out', 'Blocked', 'Answer', 'Party']);

/** Why somebody is not in a party, by index. */
export const OUT_OF_PARTY = /** @type {const} */ ([
  'NotInParty', 'NoSuchParty', 'PartyFull', 'TooManyParties', 'TooOften', 'InRoom', 'Left', 'Kicked', 'Away', 'Idle', 'Stopped',
]);

/** Members of a party that the wire can say. */
const PARTY_MEMBERS_MAX = 255;

/** How things may stand in the queue, by index. */
const QUEUE_STATES = /** @type {const} */ (['Out', 'Waiting', 'Offered', 'Going', 'Beside']);

/**
 * An event of the schema, its fields still packed.
 * @typedef {{ event: number, fields: Uint8Array }} PackedEvent
 */

/**
 * A line that is said.
 * @typedef {{ id: number, from: number, name: string, text: string }} SaidLine
 */

/**
 * A line that was said before; `at` is in seconds since 1970.
 * @typedef {{ id: number, at: number, own: boolean, name: string, text: string }} PackedLine
 */

/**
 * A line outside of rooms; `at` is in seconds since 1970, `from` a handle.
 * @typedef {PackedLine & { from: string }} PackedSaid
 */

/**
 * @typedef {{ type: 'You', nonce: number, handle: string, unread: import('../types.js').Unread[] }
 *   | { type: 'Out', nonce: number, reason: import('../types.js').Refusal }
 *   | { type: 'Blocked', peers: import('../types.js').Peer[], more: boolean }
 *   | { type: 'Party', channel: string }
 *   | { type: 'Answer', nonce: number, peer: import('../types.js').Peer | undefined,
 *       refusal: import('../types.js').Refusal | undefined }} PeopleNews
 */

/**
 * Where a player is who is watched; of a room that lists do not show the number is not told.
 * @typedef {{ type: 'Unwatched' } | { type: 'Offline' } | { type: 'Lobby', game: string }
 *   | { type: 'Room', game: string, room: number | undefined }} PeerAt
 */

/**
 * How things stand for the player in the matchmaking queue; times are milliseconds from when it was
 * said.
 * @typedef {{ type: 'Out', why: typeof OUT_OF_QUEUE[number], own: boolean, againMs: number }
 *   | { type: 'Waiting', mode: string, waitedMs: number, leftMs: number, players: number,
 *       expectedMs: number | undefined, held: boolean }
 *   | { type: 'Offered', offer: number, leftMs: number, taken: boolean, accepted: number, of: number }
 *   | { type: 'Going', offer: number, room: number, leftMs: number, there: boolean }
 *   | { type: 'Beside' }} QueueState
 */

/**
 * How things stand for the player in their party: `members` in the order in which they came, the
 * leader first; `room` where the leader has gone, if the player may follow, `kept` whether a seat is
 * kept for them.
 * @typedef {{ type: 'Out', why: typeof OUT_OF_PARTY[number] }
 *   | { type: 'In', code: string, you: number, most: number,
 *       members: { number: number, name: string, connected: boolean }[],
 *       room: { room: number, leftMs: number, kept: boolean } | undefined }} PartyState
 */

/**
 * `schema` and `tables` are left out where the hello named them.
 * @typedef {{ type: 'Welcome', version: number, features: number, game: string, name: string,
 *   token: string, limits: Limits, schemaHash: string, tablesHash: string, schema:
 *   Schema | undefined, tables: Tables | undefined }} Welcome
 * @typedef {{ type: 'Joined', room: ListedRoom, code: string, you: number, tickRate: number,
 *   snapshotEvery: number, tick: number, members: Member[], more: boolean, chat: SaidLine[],
 *   options: Uint8Array }} Joined
 * @typedef {Welcome | Joined
 *   | { type: 'Refused', reason: import('../types.js').Refusal }
 *   | { type: 'Rooms', rooms: ListedRoom[] }
 *   | { type: 'Left', reason: typeof LEAVE_REASONS[number] }
 *   | { type: 'MemberChanged', member: Member }
 *   | { type: 'MemberLeft', player: number }
 *   | { type: 'Chat', line: SaidLine }
 *   | { type: 'Pong', nonce: number, tick: number }
 *   | { type: 'Reply', id: number, answer: Uint8Array, error: string | undefined }
 *   | { type: 'Stopping', retryAfterMs: number }
 *   | { type: 'Redirect', url: string, ticket: string, room: number, validMs: number }
 *   | { type: 'Members', members: Member[], more: boolean }
 *   | { type: 'ResumeToken', token: string, graceMs: number }
 *   | { type: 'MemberState', player: number, ready: boolean, host: boolean, connected: boolean }
 *   | { type: 'Prepare', url: string, validMs: number }
 *   | { type: 'Notice', number: number, at: number, text: string, event: PackedEvent | undefined }
 *   | { type: 'Said', nonce: number, id: number | undefined, refusal: import('../types.js').Refusal | undefined }
 *   | { type: 'Lines', nonce: number, page: { lines: PackedLine[], more: boolean, next: number } | undefined,
 *     refusal: import('../types.js').Refusal | undefined }
 *   | { type: 'Typing', player: number }
 *   | { type: 'Line', channel: string, line: PackedSaid }
 *   | { type: 'Past', nonce: number, page: { lines: PackedSaid[], more: boolean, next: number } | undefined,
 *     refusal: import('../types.js').Refusal | undefined }
 *   | { type: 'People', news: PeopleNews }
 *   | { type: 'Presence', peers: { handle: string, at: PeerAt }[] }
 *   | { type: 'Lobby', count: number, here: import('../types.js').Peer[], gone: string[] }
 *   | { type: 'PeerTyping', channel: string, peer: import('../types.js').Peer }
 *   | { type: 'Queue', nonce: number, state: QueueState }
 *   | { type: 'Party', nonce: number, state: PartyState }
 *   } ServerMessage
 */

/** A message of an index from here on has its length, and is passed over by who does not know it. */
const RESERVED_FROM = 128;
/** The last of these. */
const RESERVED_TO = 250;
/**
 * What is known of them, by their index.
 * @type {Partial<Record<number, ServerMessage['type']>>}
 */
const LATER = {
  129: 'Prepare', 130: 'Notice', 131: 'Said', 132: 'Lines', 133: 'Typing', 134: 'Line', 135: 'Past', 136: 'People', 137: 'Presence', 138: 'PeerTyping', 139: 'Lobby', 140: 'Queue', 141: 'Party',
};

/**
 * @param {Uint8Array} bytes a whole message, kind byte included
 * @returns {ServerMessage | undefined} undefined for what is to be passed over
 */
export function decodeServer(bytes) {
  if (bytes.length > SERVER_MESSAGE_BYTES_MAX || bytes[0] !== Kind.Control) {
    throw new ProtocolError('not a control message');
  }
  const reader = new ControlReader(bytes, 1);
  if (bytes[1] >= RESERVED_FROM && bytes[1] <= RESERVED_TO) {
    const type = LATER[reader.u8()];
    const fields = reader.packed(SERVER_MESSAGE_BYTES_MAX);
    reader.finish();
    return type && readFields(type, new ControlReader(fields));
  }
  return readFields(reader.variant(BASE), reader);
}

/**
 * @param {ServerMessage['type']} type
 * @param {ControlReader} reader
 * @returns {ServerMessage}
 */
function readFields(type, reader) {
  const message = { type, ...FIELDS[type](reader) };
  reader.finish();
  return /** @type {ServerMessage} */ (message);
}

/**
 * How each type is read: those of the base in the order of their indices, then the later ones.
 * @type {Record<ServerMessage['type'], (r: ControlReader) => object>}
 */
const FIELDS = {
  Welcome: (r) => ({
    version: version(r),
    features: r.u32(),
    game: r.string(),
    name: r.string(),
    token: r.string(),
    limits: limits(r),
    schemaHash: r.string(),
    tablesHash: r.string(),
    schema: r.option(readSchema),
    tables: r.option(readTables),
  }),
  Refused: (r) => ({ reason: r.variant(REFUSALS) }),
  Rooms: (r) => ({ rooms: r.list(ROOMS_LISTED_MAX, roomInfo) }),
  Joined: (r) => ({
    room: roomInfo(r),
    code: r.string(),
    you: r.option(() => r.u16()) ?? NOBODY,
    tickRate: r.u16(),
    snapshotEvery: r.u16(),
    tick: r.u32(),
    members: r.list(MEMBERS_PER_PAGE, member),
    more: r.bool(),
    chat: r.list(CHAT_HISTORY_MAX, chatLine),
    options: packed(r),
  }),
  Left: (r) => ({ reason: r.variant(LEAVE_REASONS) }),
  MemberChanged: (r) => ({ member: member(r) }),
  MemberLeft: (r) => ({ player: r.u16() }),
  Chat: (r) => ({ line: chatLine(r) }),
  Pong: (r) => ({ nonce: r.u32(), tick: r.u32() }),
  Reply: (r) => {
    const id = r.u32();
    return r.variant([true, false]) ? { id, answer: packed(r), error: undefined } : { id, answer: new Uint8Array(), error: r.string() };
  },
  Stopping: (r) => ({ retryAfterMs: r.u32() }),
  Redirect: (r) => ({ url: r.string(), ticket: r.string(), room: r.u32(), validMs: r.u32() }),
  ResumeToken: (r) => ({ token: r.string(), graceMs: r.u32() }),
  MemberState: (r) => ({ player: r.u16(), ready: r.bool(), host: r.bool(), connected: r.bool() }),
  Members: (r) => ({ members: r.list(MEMBERS_PER_PAGE, member), more: r.bool() }),
  Prepare: (r) => ({ url: r.string(), validMs: r.u32() }),
  Notice: (r) => notice(r),
  Said: (r) => {
    const nonce = r.u32();
    return r.variant([true, false]) ? { nonce, id: r.u32(), refusal: undefined } : { nonce, id: undefined, refusal: r.variant(REFUSALS) };
  },
  Lines: (r) => {
    const nonce = r.u32();
    return r.variant([true, false]) ? { nonce, page: page(r), refusal: undefined } : { nonce, page: undefined, refusal: r.variant(REFUSALS) };
  },
  Typing: (r) => ({ player: r.u16() }),
  Line: (r) => ({ channel: r.string(), line: saidLine(r) }),
  Past: (r) => {
    const nonce = r.u32();
    if (!r.variant([true, false])) return { nonce, page: undefined, refusal: r.variant(REFUSALS) };
    return { nonce, page: { lines: r.list(PAGE_LINES_MAX, saidLine), more: r.bool(), next: r.u32() }, refusal: undefined };
  },
  People: (r) => ({ news: peopleNews(r) }),
  Presence: (r) => ({ peers: r.list(PRESENCES_PER_PAGE, (of) => ({ handle: of.string(), at: peerAt(of) })) }),
  Lobby: (r) => ({ count: r.u32(), here: r.list(PEERS_PER_PAGE, peer), gone: r.list(PRESENCES_PER_PAGE, (of) => of.string()) }),
  PeerTyping: (r) => ({ channel: r.string(), peer: peer(r) }),
  Queue: (r) => ({ nonce: r.u32(), state: queueState(r) }),
  Party: (r) => ({ nonce: r.u32(), state: partyState(r) }),
};

const BASE = /** @type {ServerMessage['type'][]} */ (Object.keys(FIELDS)).filter((type) => !Object.values(LATER).includes(type));

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
    spectators: r.u16(),
  };
}

/**
 * @param {ControlReader} r
 * @returns {ListedRoom}
 */
function roomInfo(r) {
  return {
    id: r.u32(),
    name: r.string(),
    players: r.u16(),
    seats: r.u16(),
    spectators: r.u16(),
    private: r.bool(),
    kicks: r.bool(),
    locked: r.bool(),
    metadata: r.packed(OPTIONS_BYTES_MAX),
  };
}

/** @param {ControlReader} r @returns {Uint8Array} fields, and a payload perhaps, still packed */
const packed = (r) => r.packed(SERVER_MESSAGE_BYTES_MAX);

/**
 * @param {ControlReader} r
 * @returns {Member}
 */
function member(r) {
  return { player: r.u16(), name: r.string(), ready: r.bool(), host: r.bool(), connected: r.bool() };
}

/**
 * @param {ControlReader} r
 * @returns {SaidLine}
 */
function chatLine(r) {
  return { id: r.u32(), from: r.u16(), name: r.string(), text: r.string() };
}

/** @param {ControlReader} r */
function page(r) {
  return { lines: r.list(PAGE_LINES_MAX, pastLine), more: r.bool(), next: r.u32() };
}

/** @param {ControlReader} r @returns {PackedLine} */
function pastLine(r) {
  return { id: r.u32(), at: r.u32(), own: r.bool(), name: r.string(), text: r.string() };
}

/** @param {ControlReader} r @returns {PackedSaid} */
function saidLine(r) {
  return { id: r.u32(), at: r.u32(), from: r.string(), own: r.bool(), name: r.string(), text: r.string() };
}

/** @param {ControlReader} r @returns {import('../types.js').Peer} */
function peer(r) {
  return { handle: r.string(), name: r.string() };
}

/** @param {ControlReader} r @returns {PeerAt} */
function peerAt(r) {
  const type = r.variant(/** @type {const} */ (['Unwatched', 'Offline', 'Lobby', 'Room']));
  switch (type) {
    case 'Lobby':
      return { type, game: r.string() };
    case 'Room':
      return { type, game: r.string(), room: r.option(() => r.u32()) };
    default:
      return { type };
  }
}

/** @param {ControlReader} r @returns {PeopleNews} */
function peopleNews(r) {
  const type = r.variant(PEOPLE_NEWS);
  switch (type) {
    case 'You':
      return { type, nonce: r.u32(), handle: r.string(), unread: r.list(UNREAD_MAX, (of) => ({ peer: peer(of), newest: of.u32(), read: of.u32() })) };
    case 'Out':
      return { type, nonce: r.u32(), reason: r.variant(REFUSALS) };
    case 'Blocked':
      return { type, peers: r.list(PEERS_PER_PAGE, peer), more: r.bool() };
    case 'Party':
      return { type, channel: r.string() };
    case 'Answer': {
      const nonce = r.u32();
      return r.variant([true, false]) ? { type, nonce, peer: peer(r), refusal: undefined } : { type, nonce, peer: undefined, refusal: r.variant(REFUSALS) };
    }
  }
}

/** @param {ControlReader} r */
function notice(r) {
  const [number, at, text] = [r.u32(), r.u32(), r.string()];
  const event = r.option(() => ({ event: r.u16(), fields: packed(r) }));
  if ([...text].length > NOTICE_CHARS_MAX || (text === '' && event === undefined)) throw new ProtocolError("a notice's text");
  return { number, at, text, event };
}

/** @param {ControlReader} r @returns {QueueState} */
function queueState(r) {
  const type = r.variant(QUEUE_STATES);
  switch (type) {
    case 'Out':
      return { type, why: r.variant(OUT_OF_QUEUE), own: r.bool(), againMs: r.u32() };
    case 'Waiting':
      return {
        type,
        mode: r.string(),
        waitedMs: r.u32(),
        leftMs: r.u32(),
        players: r.u32(),
        expectedMs: r.option(() => r.u32()),
        held: r.bool(),
      };
    case 'Offered':
      return { type, offer: r.u32(), leftMs: r.u32(), taken: r.bool(), accepted: r.u16(), of: r.u16() };
    case 'Going':
      return { type, offer: r.u32(), room: r.u32(), leftMs: r.u32(), there: r.bool() };
    case 'Beside':
      return { type };
  }
}

/** @param {ControlReader} r @returns {PartyState} */
function partyState(r) {
  const type = r.variant(/** @type {const} */ (['Out', 'In']));
  if (type === 'Out') return { type, why: r.variant(OUT_OF_PARTY) };
  return {
    type,
    code: r.string(),
    you: r.u32(),
    most: r.u8(),
    members: r.list(PARTY_MEMBERS_MAX, () => ({ number: r.u32(), name: r.string(), connected: r.bool() })),
    room: r.option(() => ({ room: r.u32(), leftMs: r.u32(), kept: r.bool() })),
  };
}

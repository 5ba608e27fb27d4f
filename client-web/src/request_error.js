/**
 * The one error that requests of a page end in, with words that say what to do about it. Thrown by
 * `link.js`, `room.js` and `session.js`; broken bytes from the server are
 * `protocol/protocol_error.js`.
 */

/**
 * Why a request failed: the server's refusal, or how a wait in its queue or a party ended; `Refused` by the game, with its answer as the
 * message; or what the SDK found itself: `NotNow` (in the wrong place), `TooMuch` (too much waits
 * already), `TooBig` (an action's payload), `BadAnswer` (to an action, not as the game declares
 * it), `TimedOut`, `Closed` (or never open), `BadUrl`, `NoWebSocket`, `NoPage`. `BadOptions` and
 * `BadFilter` it finds itself too, before anything is sent; the message names the field.
 * @typedef {import('./types.js').Refusal | import('./types.js').OutOfQueue | import('./types.js').OutOfParty | 'Refused' | 'NotNow' | 'TooMuch' | 'TooBig'
 *   | 'BadAnswer' | 'TimedOut' | 'Closed' | 'BadUrl' | 'NoWebSocket' | 'NoPage'} Reason
 */

/**
 * What there is to say of each of the server's refusals; they are in the order of the wire.
 * @type {Record<import('./types.js').Refusal, string>}
 */
const REFUSED = {
  NoSuchRoom: 'there is no such room any more: ask for the list anew',
  RoomFull: 'the room is full: choose another',
  TooManyRooms: 'the server has as many rooms as it may: join one of them',
  Busy: 'the server is busy: try again in a moment',
  TooOften: 'too often: wait a moment',
  NotHost: 'only the host may do that, and only in a room that was made so',
  NoSuchPlayer: 'that player is not here any more',
  NotInRoom: 'only possible in a room: join one first',
  AlreadyInRoom: 'only possible in the lobby: leave the room first',
  BadText: 'the text is empty, too long, or has characters that are not allowed',
  NoSuchAction: 'the game has no such action',
  NoSuchSeat: 'the seat was given up meanwhile: join anew',
  Muted: 'an operator does not let you chat for now',
  KeptOut: 'you were removed from that room and are kept out of it for ten minutes: choose another',
  Locked: 'the room lets nobody new in for now: choose another',
  BadOptions: 'the options are not what the game declares',
  BadFilter: "the filter is not on the game's metadata",
  NotForSpectators: 'who only watches may not do that',
};

/** The server's refusals, by their index on the wire. */
export const REFUSALS = /** @type {import('./types.js').Refusal[]} */ (Object.keys(REFUSED));

/** What there is to say where nothing better is known. @type {Partial<Record<Reason, string>>} */
const MESSAGES = {
  ...REFUSED,
  NotQueued: 'not in the queue any more: queue anew',
  NoSuchMode: 'the game has no such mode',
  NoSuchRegion: 'the game has no such region',
  PartySize: 'the party is too large for that mode',
  NotLeader: "only the party's leader may queue",
  Cooling: 'a match came to nothing by you or your party: wait a while',
  Full: 'the queue is full: try again later',
  InRoom: 'only possible in the lobby: leave the room first',
  Cancelled: 'the wait was cancelled',
  LeftParty: 'you left your party',
  Lost: 'the connection was away for too long',
  Declined: 'a match was declined',
  NotAccepted: 'a match was not accepted in time',
  NotCome: "somebody did not come into the match's room in time",
  JoinFailed: "the match's room could not be joined",
  Playing: 'the match is played in another page',
  PartyPlays: 'your party plays',
  TooFew: 'too few want to play: try again later',
  NoRoom: 'the server has no room for a match: try again later',
  PartyChanged: 'somebody joined your party or left it: queue anew',
  NotInParty: 'you are in no party any more',
  NoSuchParty: 'there is no such party: ask for its code anew',
  PartyFull: 'the party is full',
  TooManyParties: 'the server has as many parties as it may: try again later',
  Left: 'you left the party',
  Kicked: "the party's leader sent you away",
  Away: 'your connection was away for too long',
  Idle: 'nothing happened in the party for too long',
  Stopped: 'the server stops',
  TimedOut: 'no answer from the server in time',
  NoWebSocket: 'no WebSocket here: pass one, connect({ WebSocket }), such as that of the package ws',
};

/** A request that was not granted or could not be made. */
export class RequestError extends Error {
  /**
   * @type {number | undefined} of a connection that was closed: the WebSocket close code; 1006
   *   when it was lost or never there
   */
  code;
  /** @type {number | undefined} when the server said to come back, if it did */
  retryAfterMs;

  /**
   * @param {Reason} reason
   * @param {string} [message]
   * @param {{ cause?: unknown }} [options]
   */
  constructor(reason, message = MESSAGES[reason] ?? reason, options = undefined) {
    super(message, options);
    this.name = 'RequestError';
    /** Why, for programs. @type {Reason} */
    this.reason = reason;
  }
}

/**
 * Why a connection ends: the WebSocket close codes of PROTOCOL.md §9, for pages that want to say it
 * in words. The server sends them, in these words; the SDK itself closes with 1000, with 4010 where
 * the seat is to be held, and on broken bytes with 4000..4003. It is
 * `shared/src/protocol/close_code.rs`; both reproduce `shared/vectors/close_codes.json`.
 */

/**
 * Every code: its number, what it means in a few words; `final` if there is nothing to come back
 * to: another try would end the same, or was not wanted; what to do about a connection that came to
 * nothing so.
 */
const ROWS = /** @type {const} */ ({
  Normal: { code: 1000, reason: 'goodbye', final: true },
  Protocol: { code: 1002, reason: 'websocket protocol error', final: true },
  Text: { code: 1003, reason: 'text frames are not spoken here', final: true },
  NotUtf8: { code: 1007, reason: 'text is not UTF-8', final: true },
  TooBig: { code: 1009, reason: 'message too big', final: true },
  ServerFailed: { code: 1011, reason: 'server failed', final: false, advice: 'try again in a moment' },
  Restart: { code: 1012, reason: 'server restarts', final: false, advice: 'try again in a moment' },
  Malformed: { code: 4000, reason: 'malformed message', final: true },
  Version: {
    code: 4001,
    reason: 'protocol version not supported',
    final: true,
    advice: 'update tickwire-client or the server, so that both are of one release',
  },
  OutOfOrder: { code: 4002, reason: 'message not allowed now', final: true },
  OutOfRange: { code: 4003, reason: 'number out of range', final: true },
  HelloTimeout: { code: 4004, reason: 'no hello in time', final: false, advice: 'the page was too busy to answer' },
  ServerFull: { code: 4005, reason: 'server is full', final: false, advice: 'try again later' },
  Superseded: { code: 4006, reason: 'session continued elsewhere', final: true },
  Unauthorised: {
    code: 4007,
    reason: 'token not accepted',
    final: true,
    advice: 'get a fresh token, or connect as a guest if the server lets guests in',
  },
  TooMany: { code: 4008, reason: 'too many messages', final: true },
  Stalled: { code: 4010, reason: 'nothing was read for too long', final: false },
  Kicked: { code: 4011, reason: 'removed by an operator', final: true },
  Banned: { code: 4012, reason: 'banned by an operator', final: true },
  NoSuchGame: { code: 4013, reason: 'no such game here', final: true, advice: "check the game's name" },
  RoomFailed: { code: 4500, reason: 'the room failed', final: true },
});

/** What a socket says of a connection that was lost, or never there; nobody sends it. */
export const LOST = 1006;

/** Close codes by name. @type {Readonly<{ [N in keyof typeof ROWS]: (typeof ROWS)[N]['code'] }>} */
export const CloseCode = Object.freeze(/** @type {any} */ (Object.fromEntries(Object.entries(ROWS).map(([name, { code }]) => [name, code]))));

/**
 * @param {number} code
 * @returns {{ reason: string, final: boolean, advice?: string } | undefined}
 */
const rowOf = (code) => Object.values(ROWS).find((row) => row.code === code);

/**
 * @param {number} code a WebSocket close code
 * @returns {string} what it means, in a few words
 */
export function closeReason(code) {
  return rowOf(code)?.reason ?? (code === LOST ? 'connection lost' : `closed with ${code}`);
}

/**
 * @param {number} code a WebSocket close code
 * @returns {boolean} whether there is nothing to come back to
 */
export function isFinal(code) {
  return rowOf(code)?.final === true;
}

/**
 * @param {number} code a WebSocket close code
 * @param {string} reason what the socket said, or what the code means
 * @param {string} where to
 * @returns {string} why `connect` failed, and what to do about it
 */
export function whyNotConnected(code, reason, where) {
  if (code === LOST) {
    const said = `could not connect to ${where}: `;
    if (reason !== closeReason(LOST)) return said + reason;
    return (
      `${said}is a Tickwire server running there, does the path end in /ws, ` +
      "and does it let this page's origin in (--allowed-origin)?"
    );
  }
  const row = rowOf(code);
  // What says more than the code already says what to do.
  return row?.advice === undefined || row.reason !== reason ? reason : `${reason}: ${row.advice}`;
}

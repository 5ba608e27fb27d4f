/**
 * Why a connection ends: the WebSocket close codes of PROTOCOL.md §9, for pages that want to say
 * it in words. The server sends them, in these words; the SDK itself closes with 1000 and, on broken bytes, 4000.
 */

/** Close codes by name. */
export const CloseCode = Object.freeze({
  Normal: 1000,
  Protocol: 1002,
  Text: 1003,
  NotUtf8: 1007,
  TooBig: 1009,
  ServerFailed: 1011,
  Restart: 1012,
  Malformed: 4000,
  Version: 4001,
  OutOfOrder: 4002,
  OutOfRange: 4003,
  HelloTimeout: 4004,
  ServerFull: 4005,
  Superseded: 4006,
  Unauthorised: 4007,
  TooMany: 4008,
  Stalled: 4010,
  Kicked: 4011,
  Banned: 4012,
  RoomFailed: 4500,
});

/** @type {Record<number, string>} */
const REASONS = {
  1000: 'goodbye',
  1002: 'websocket protocol error',
  1003: 'text frames are not spoken here',
  1006: 'connection lost',
  1007: 'text is not UTF-8',
  1009: 'message too big',
  1011: 'server failed',
  1012: 'server restarts',
  4000: 'malformed message',
  4001: 'protocol version not supported',
  4002: 'message not allowed now',
  4003: 'number out of range',
  4004: 'no hello in time',
  4005: 'server is full',
  4006: 'session continued elsewhere',
  4007: 'token not accepted',
  4008: 'too many messages',
  4010: 'nothing was read for too long',
  4011: 'removed by an operator',
  4012: 'banned by an operator',
  4500: 'the room failed',
};

/**
 * @param {number} code
 * @returns {string} what it means, in a few words
 */
export function closeReason(code) {
  return REASONS[code] ?? `closed with ${code}`;
}

/** What to do about a connection that came to nothing. @type {Record<number, string>} */
const ADVICE = {
  1011: 'try again in a moment',
  1012: 'try again in a moment',
  4001: 'update tickwire-client or the server, so that both are of one release',
  4004: 'the page was too busy to answer',
  4005: 'try again later',
  4007: 'get a fresh token, or connect as a guest if the server lets guests in',
};

/**
 * @param {number} code
 * @param {string} reason what the socket said, or what the code means
 * @param {string} url where to
 * @returns {string} why `connect` failed, and what to do about it
 */
export function whyNotConnected(code, reason, url) {
  if (code === 1006) {
    return (
      `could not connect to ${url}: is a Tickwire server running there, does the path end in /ws, ` +
      "and does it let this page's origin in (--allowed-origin)?"
    );
  }
  const advice = ADVICE[code];
  return advice === undefined ? reason : `${reason}: ${advice}`;
}

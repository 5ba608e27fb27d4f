/**
 * The one error for bytes from the server that break the protocol. Every decoder here throws it and
 * nothing else on untrusted bytes; `session.js` turns it into the end of the connection,
 * `session/layers.js` the body of a layer that makes no sense into a request for its keyframe.
 */

/**
 * Bytes from the server are not what PROTOCOL.md allows. The message says which rule they break.
 */
export class ProtocolError extends Error {
  /**
   * @param {string} message the broken rule, lower case, without a full stop
   * @param {number} [closeWith] a close code, where another than for malformed messages says more
   */
  constructor(message, closeWith) {
    super(message);
    this.name = 'ProtocolError';
    this.closeWith = closeWith;
  }
}

/**
 * A WebSocket whose other end is the test: what the SDK sends is read from `sent`, what the server
 * says is passed to `receive`. No timing: everything happens when the test says so.
 */

/** See the module's description. Its instances are collected in `FakeSocket.all`. */
export class FakeSocket {
  /** @type {FakeSocket[]} */
  static all = [];
  /** Hears of every new one. @type {((socket: FakeSocket) => void) | undefined} */
  static onMade;

  binaryType = 'blob';
  bufferedAmount = 0;
  readyState = 0;
  /** @type {number[][]} */
  sent = [];
  /** @type {{ code: number, reason: string } | undefined} what the SDK closed with */
  closed;
  /** @type {(() => void) | undefined} */
  onopen;
  /** @type {((event: { data: unknown }) => void) | undefined} */
  onmessage;
  /** @type {((event: { code: number, reason: string }) => void) | undefined} */
  onclose;
  /** @type {(() => void) | undefined} */
  onerror;

  /**
   * @param {string} url
   * @param {string} protocol
   */
  constructor(url, protocol) {
    this.url = url;
    this.protocol = protocol;
    FakeSocket.all.push(this);
    FakeSocket.onMade?.(this);
  }

  /** @param {Uint8Array} bytes */
  send(bytes) {
    this.sent.push([...bytes]);
  }

  /** @param {number} code @param {string} reason */
  close(code, reason) {
    this.closed = { code, reason };
    this.readyState = 2;
  }

  /** The handshake is done. */
  open() {
    this.readyState = 1;
    this.onopen?.();
  }

  /** @param {Uint8Array | string} message from the server */
  receive(message) {
    const data = typeof message === 'string' ? message : Uint8Array.from(message).buffer;
    this.onmessage?.({ data });
  }

  /** The server, or the network, ends it. @param {number} code @param {string} reason */
  end(code, reason) {
    this.readyState = 3;
    this.onclose?.({ code, reason });
  }

  /** @returns {number[][]} control messages sent since the last call, pings left out */
  takeControl() {
    return this.sent.splice(0).filter(([kind, index]) => kind === 1 && index !== 10);
  }
}

/**
 * Requests as a way to the server, where a WebSocket does not get through (PROTOCOL.md §1.1):
 * messages go up in numbered batches, one under way at a time, and come down in one streaming
 * answer. Where what streams is held back on the way, which shows in its silence, they are asked for
 * by long polls instead. The only file that knows `fetch`. `race.js` has it beside others.
 */

import { GOODBYE_MAX_MS, REQUEST_PAUSE_MS, REQUEST_TRIES_MAX, STREAM_SILENCE_MS, UP_BYTES_MAX } from '../limits.js';
import { CloseCode, LOST } from '../protocol/close_code.js';
import { SUBPROTOCOL } from '../protocol/frame.js';
import { Frame, FrameReader, closeFrame, frame, readClose } from './frames.js';

/** @typedef {import('./way.js').Way} Way */
/** @typedef {import('./way.js').WayHandlers} WayHandlers */
/** @typedef {typeof globalThis.fetch} Fetch */

/** See the module's description. @implements {Way} */
export class HttpStream {
  #url;
  /** Behind that, once it has a number. */
  #path = '';
  #fetch;
  /** @type {WayHandlers | undefined} */
  #handlers;
  #abort = new AbortController();
  #polls;
  #mayPoll;
  /** The secret, at the head of every body. */
  #secret = new Uint8Array(0);
  #isOpen = false;
  #isClosing = false;
  /** Messages that came. */
  #received = 0;
  /** Frames that wait to go up. @type {Uint8Array[]} */
  #waiting = [];
  /** Bytes of those, and of the batch that is under way. */
  #bytes = 0;
  #number = 0;
  #isSending = false;
  #onPageHide = () => this.#leave(1001);

  /**
   * @param {string} url of the WebSocket that it goes instead of
   * @param {Fetch} fetch the browser's, or one that behaves like it
   * @param {{ polls: boolean, mayPoll: boolean }} how whether it polls from the start; may poll
   *   where nothing streams
   * @param {WayHandlers} handlers
   */
  constructor(url, fetch, { polls, mayPoll }, handlers) {
    this.#url = requestUrl(url);
    this.#fetch = fetch;
    this.#polls = polls;
    this.#mayPoll = mayPoll;
    this.#handlers = handlers;
    globalThis.addEventListener?.('pagehide', this.#onPageHide);
    this.#open();
  }

  /** @returns {import('./way.js').Transport} */
  get transport() {
    return this.#polls ? 'poll' : 'stream';
  }

  get backlog() {
    return this.#bytes;
  }

  /** @param {Uint8Array} bytes */
  send(bytes) {
    if (this.#isClosing) return;
    this.#push(frame(Frame.MESSAGE, bytes));
  }

  /** @param {number} code */
  close(code) {
    this.#leave(code);
  }

  /** Says goodbye behind all that waits, as far as that can be said. @param {number} code */
  #leave(code) {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#handlers = undefined;
    globalThis.removeEventListener?.('pagehide', this.#onPageHide);
    if (!this.#isOpen) return this.#abort.abort();
    this.#push(closeFrame(code));
    // A dead peer must not hold it.
    /** @type {any} */
    const timer = setTimeout(() => this.#abort.abort(), GOODBYE_MAX_MS);
    // A program in Node that has nothing else to do may end.
    timer.unref?.();
  }

  async #open() {
    try {
      const answer = await this.#post('', new TextEncoder().encode(SUBPROTOCOL));
      if (answer.status === 409) return this.#lose(CloseCode.Version, '');
      if (!answer.ok) return this.#lose(LOST, (await answer.text()).trim());
      const { id, secret } = await answer.json();
      this.#path = `/${id}`;
      this.#secret = new TextEncoder().encode(secret);
    } catch {
      return this.#lose(LOST, '');
    }
    if (this.#handlers === undefined) return;
    if (this.#polls) this.#opened();
    await this.#receive();
  }

  #opened() {
    if (this.#isOpen) return;
    this.#isOpen = true;
    this.#handlers?.onOpen();
  }

  /** Asks for messages for as long as there are any to come. */
  async #receive() {
    // An answer that does not come, or ends without a word, may have been cut.
    let inVain = 0;
    while (!this.#isOver) {
      const outcome = await this.#ask();
      inVain = outcome === 'nothing' ? inVain + 1 : 0;
      if (outcome === 'held') return this.#pollInstead();
      if (outcome === 'over' || inVain === REQUEST_TRIES_MAX) return this.#lose(LOST, '');
      if (inVain > 0) await pause(inVain);
    }
  }

  /**
   * Anew: the server may go on writing to the answer that is held back, and what it writes there
   * would be lost.
   */
  #pollInstead() {
    this.#polls = true;
    this.#path = '';
    return this.#open();
  }

  get #isOver() {
    return this.#abort.signal.aborted;
  }

  /**
   * One answer, to its end.
   * @returns {Promise<'some' | 'nothing' | 'held' | 'over'>} what came of it: anything at all,
   *   nothing, nothing because it is held back, or the word that there is no more
   */
  async #ask() {
    const polls = this.#polls;
    const body = new Uint8Array(this.#secret.length + 5);
    body.set(this.#secret);
    body[this.#secret.length] = polls ? 1 : 0;
    new DataView(body.buffer).setUint32(this.#secret.length + 1, this.#received, true);
    const silent = new AbortController();
    const stop = () => silent.abort();
    this.#abort.signal.addEventListener('abort', stop);
    // Only a stream that never said anything was held back: any other is as slow as its link.
    const timer = polls || this.#isOpen ? undefined : setTimeout(stop, STREAM_SILENCE_MS);
    let hasCome = false;
    try {
      const answer = await this.#post('/down', body, silent.signal);
      if (!answer.ok) return 'over';
      const reader = new FrameReader();
      // A poll may be answered by nothing.
      hasCome = polls;
      for await (const bytes of chunks(answer)) {
        clearTimeout(timer);
        const frames = reader.push(bytes);
        if (frames === undefined) return 'over';
        hasCome ||= frames.length > 0;
        this.#opened();
        if (!this.#take(frames)) return 'over';
      }
      // What is cut amid a message is lost.
      return reader.isAmid ? 'over' : hasCome ? 'some' : 'nothing';
    } catch {
      if (this.#isOver) return 'over';
      if (silent.signal.aborted) return this.#mayPoll ? 'held' : 'over';
      return hasCome && !polls ? 'some' : 'nothing';
    } finally {
      clearTimeout(timer);
      this.#abort.signal.removeEventListener('abort', stop);
    }
  }

  /**
   * @param {{ kind: number, bytes: Uint8Array }[]} frames
   * @returns {boolean} whether there is more to come
   */
  #take(frames) {
    for (const { kind, bytes } of frames) {
      if (kind === Frame.MESSAGE) {
        this.#received = (this.#received + 1) >>> 0;
        this.#handlers?.onMessage(bytes);
      } else if (kind === Frame.CLOSE) {
        const { code, reason } = readClose(bytes);
        this.#lose(code, reason);
        return false;
      }
    }
    return true;
  }

  /** @param {Uint8Array} bytes a frame */
  #push(bytes) {
    this.#waiting.push(bytes);
    this.#bytes += bytes.length;
    if (this.#isSending) return;
    this.#isSending = true;
    // What is said in one go goes together.
    queueMicrotask(() => this.#flush());
  }

  async #flush() {
    while (this.#waiting.length > 0 && !this.#isOver) {
      const batch = this.#nextBatch();
      const isTaken = await this.#deliver(batch);
      this.#bytes -= batch.length - this.#secret.length - 4;
      if (!isTaken) return this.#lose(LOST, '');
    }
    this.#isSending = false;
    if (this.#isClosing) this.#abort.abort();
  }

  /** As many frames as one request has. @returns {Uint8Array} its body */
  #nextBatch() {
    const { length } = this.#secret;
    let count = 0;
    let bytes = 0;
    while (count < this.#waiting.length && bytes + this.#waiting[count].length <= UP_BYTES_MAX) bytes += this.#waiting[count++].length;
    const body = new Uint8Array(length + 4 + bytes);
    body.set(this.#secret);
    this.#number = (this.#number + 1) >>> 0;
    new DataView(body.buffer).setUint32(length, this.#number, true);
    let at = length + 4;
    for (const each of this.#waiting.splice(0, count)) {
      body.set(each, at);
      at += each.length;
    }
    return body;
  }

  /**
   * Brings a batch, again where its answer does not come: it is taken once.
   * @param {Uint8Array} body
   * @returns {Promise<boolean>} whether it was taken
   */
  async #deliver(body) {
    for (let tried = 0; tried < REQUEST_TRIES_MAX && !this.#isOver; tried++) {
      if (tried > 0) await pause(tried);
      try {
        const { status } = await this.#post('', body, this.#abort.signal, this.#isClosing);
        if (status === 204) return true;
        if (status !== 503 && status !== 408) return false;
      } catch {
        // It may have come all the same.
      }
    }
    return false;
  }

  /**
   * Without a header of its own: a page of another origin needs no preflight.
   * @param {string} path behind the stream's
   * @param {Uint8Array} body
   * @param {AbortSignal} [signal]
   * @param {boolean} [keepalive] whether it goes out though the page goes
   */
  #post(path, body, signal = this.#abort.signal, keepalive = false) {
    const there = new URL(this.#url);
    there.pathname += this.#path + path;
    // As a function of its own: it is none of this object's.
    const fetch = this.#fetch;
    return fetch(there.href, { method: 'POST', body: /** @type {any} */ (body), signal, keepalive, cache: 'no-store', credentials: 'omit', referrerPolicy: 'no-referrer', redirect: 'error' });
  }

  /**
   * @param {number} code
   * @param {string} reason
   */
  #lose(code, reason) {
    const handlers = this.#handlers;
    this.#handlers = undefined;
    this.#isClosing = true;
    globalThis.removeEventListener?.('pagehide', this.#onPageHide);
    this.#abort.abort();
    handlers?.onClose(code, reason);
  }
}

/** Before a request is made again. @param {number} tried how often it was made */
const pause = (tried) => new Promise((resolve) => setTimeout(resolve, REQUEST_PAUSE_MS * tried));

/**
 * Where requests go that go instead of a WebSocket.
 * @param {string} url the WebSocket's
 * @returns {string}
 */
export function requestUrl(url) {
  const there = new URL(url);
  there.protocol = there.protocol.replace(/^ws/, 'http');
  there.pathname = there.pathname.replace(/[^/]*$/, 'x');
  return there.href;
}

/**
 * An answer's bytes as they come. Not by `for await` of the body itself, which not every browser
 * has.
 * @param {Response} answer
 */
async function* chunks(answer) {
  const reader = answer.body?.getReader();
  if (reader === undefined) return;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
  }
}

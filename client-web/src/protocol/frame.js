/**
 * The hand-packed messages: input and acknowledgement to the server, the head and sections of a
 * snapshot from it. What is inside a layer's body is for `snapshot/delta.js`, in other sections for
 * `session/`.
 */

import { ByteReader, readVarint } from '../bytes.js';
import { ProtocolError } from '../protocol_error.js';

/** Protocol version, spoken in hello and welcome. */
export const VERSION = 2;
/** The WebSocket subprotocol that both ends must name. */
export const SUBPROTOCOL = 'tickwire.2';

/** What an end may understand beyond the base: bits of the hello's and the welcome's `features`. */
export const Feature = Object.freeze({
  /** Layers from 3 on. */
  LAYERS: 1,
  /** `Redirect`. */
  REDIRECT: 2,
  /** `Prepare`, and `Redirect` with it. */
  PREPARE: 4,
  /** `Notice`. */
  NOTICES: 8,
  /** `Say`, answered by `Said`. */
  CHANNELS: 16,
  /** `History`, answered by `Lines`. */
  LINES: 32,
  /** `Queue`. */
  QUEUE: 64,
  /** `People`, and the channels of the lobby and of two players. */
  PEOPLE: 128,
  /** `Party`. */
  PARTIES: 256,
  /** `Watch`, answered by `Presence`. */
  WATCH: 512,
  /** `Typing` beyond rooms, told by `PeerTyping`, and a party's channel. */
  TALKS: 1024,
  /** The lobby in `Watch`, told by `Lobby`. */
  LOBBY: 2048,
  /** All that the SDK does. */
  ALL: 4095,
});

/** First byte of a message. */
export const Kind = Object.freeze({
  /** Control message in bincode. */
  Control: 1,
  /** To the server: an input. From it: a snapshot. */
  State: 2,
  /** To the server: an acknowledgement alone. */
  Ack: 3,
});

/**
 * Kind byte of a snapshot's section: below these it is the number of the layer whose body it is;
 * from `Reserved` on it is for clients that know more, and skipped.
 */
export const SectionKind = Object.freeze({ Events: 124, Closed: 125, Unknown: 126, Reserved: 128 });

/** Bits of a head's flags that say that something follows which older clients skip. */
const FLAGS_SKIPPED = 0xf0;

/** Bytes of an input before its fields. */
export const INPUT_HEAD_BYTES = 11;

/**
 * @param {number} tick the tick that it is for
 * @param {number} ack the newest snapshot applied, 0 for none
 * @param {number} viewLag how far behind it the others are shown, in 1/64 ticks, -32768..32767;
 *   below 0 ahead of it
 * @param {Uint8Array} fields the packed fields
 * @returns {Uint8Array} the message
 */
export function encodeInput(tick, ack, viewLag, fields) {
  const bytes = new Uint8Array(INPUT_HEAD_BYTES + fields.length);
  const view = new DataView(bytes.buffer);
  bytes[0] = Kind.State;
  view.setUint32(1, tick, true);
  view.setUint32(5, ack, true);
  view.setInt16(9, viewLag, true);
  bytes.set(fields, INPUT_HEAD_BYTES);
  return bytes;
}

/**
 * @param {number} ack the newest snapshot applied
 * @returns {Uint8Array} the message
 */
export function encodeAck(ack) {
  const bytes = new Uint8Array(5);
  bytes[0] = Kind.Ack;
  new DataView(bytes.buffer).setUint32(1, ack, true);
  return bytes;
}

/**
 * The part of a snapshot that is the client's own.
 * @typedef {object} SnapshotHead
 * @property {number} tick the tick that it shows
 * @property {number} inputTick the newest tick whose input came in time and was taken, 0 for none
 * @property {boolean} substituted whether this tick's input was missing and replaced
 * @property {number} slack newest tick for which an input has arrived, less `tick`; -128 for none
 *   yet
 */

/**
 * Reads kind and head; the sections follow in `reader`.
 * @param {import('../bytes.js').ByteReader} reader
 * @returns {SnapshotHead}
 */
export function decodeSnapshotHead(reader) {
  if (reader.u8() !== Kind.State) throw new ProtocolError('not a snapshot');
  const tick = reader.fixed32();
  const inputTick = reader.fixed32();
  const flags = reader.u8();
  if ((flags & ~(FLAGS_SKIPPED | 1)) !== 0) throw new ProtocolError('unknown flags in a snapshot');
  const slack = (reader.u8() << 24) >> 24;
  for (let more = flags & FLAGS_SKIPPED; more !== 0; more &= more - 1) reader.take(readVarint(reader));
  return { tick, inputTick, substituted: (flags & 1) === 1, slack };
}

/**
 * Hands out the sections that this client knows: bodies of layers, events, closed layers.
 * @param {ByteReader} reader behind the head; read to its end
 * @param {(kind: number, section: ByteReader) => void} take gets each in turn
 */
export function readSections(reader, take) {
  while (!reader.done) {
    const kind = reader.u8();
    const length = readVarint(reader);
    const from = reader.take(length);
    if (kind >= SectionKind.Reserved) continue;
    if (kind >= SectionKind.Unknown) throw new ProtocolError('unknown section kind');
    take(kind, new ByteReader(reader.bytes, from, from + length));
  }
}

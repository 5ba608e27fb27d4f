/**
 * How `play.mjs` and `benches/src/netplay/clients.rs` talk over the process' input and output: frames in turn, each its length in a
 * u32 and then its bytes, all little-endian, as bincode has them with numbers as wide as their types. The yardstick sends a step: until when (u64,
 * microseconds), then how much arrives before (u64), and of each when (u64), for whom (u64), its length (u64) and its bytes. The answer is what
 * the players did until then, in order of time: whose (u64), when (u64), a kind (u32), and by kind what `clients.rs` reads.
 */

import { readSync, writeSync } from 'node:fs';

/** Kinds of what is told. */
export const SENT = 0;
export const SNAPSHOT = 1;
export const FRAME = 2;
export const HIT = 3;
export const FALL = 4;

/**
 * Waits for the next step.
 * @returns {{ untilUs: number, arrivals: { atUs: number, player: number, bytes: Uint8Array }[] } | undefined} undefined: there is none
 */
export function readStep() {
  const head = read(4);
  if (head === undefined) return undefined;
  const step = read(head.readUInt32LE());
  if (step === undefined) return undefined;
  const u64 = (/** @type {number} */ at) => Number(step.readBigUInt64LE(at));
  const arrivals = [];
  for (let at = 16; at < step.length; ) {
    const end = at + 24 + u64(at + 16);
    arrivals.push({ atUs: u64(at), player: u64(at + 8), bytes: step.subarray(at + 24, end) });
    at = end;
  }
  return { untilUs: u64(0), arrivals };
}

/** @param {number} length @returns {Buffer | undefined} undefined at the end */
function read(length) {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; ) {
    const got = readSync(0, bytes, at, length - at, null);
    if (got === 0) return undefined;
    at += got;
  }
  return bytes;
}

/** What the players did in a step. */
export class Report {
  #bytes = Buffer.alloc(1 << 16);
  #length = 4;

  /** @param {number} kind @param {number} player @param {number} atUs */
  begin(kind, player, atUs) {
    this.u64(player);
    this.u64(atUs);
    this.u32(kind);
  }

  /** @param {number} value */
  u8(value) {
    this.#room(1);
    this.#length = this.#bytes.writeUInt8(value, this.#length);
  }

  /** @param {number} value */
  u32(value) {
    this.#room(4);
    this.#length = this.#bytes.writeUInt32LE(value, this.#length);
  }

  /** @param {number} value */
  f64(value) {
    this.#room(8);
    this.#length = this.#bytes.writeDoubleLE(value, this.#length);
  }

  /** @param {number} value whole */
  u64(value) {
    this.#room(8);
    this.#length = this.#bytes.writeBigUInt64LE(BigInt(value), this.#length);
  }

  /**
   * What may be missing.
   * @template T
   * @param {T | undefined} value
   * @param {(value: T) => void} write
   */
  option(value, write) {
    this.u8(value === undefined ? 0 : 1);
    if (value !== undefined) write(value);
  }

  /** @param {Uint8Array} bytes */
  bytes(bytes) {
    this.u64(bytes.length);
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Sends all of it; the next one is empty. */
  flush() {
    this.#bytes.writeUInt32LE(this.#length - 4);
    for (let at = 0; at < this.#length; ) at += writeSync(1, this.#bytes, at, this.#length - at);
    this.#length = 4;
  }

  /** @param {number} more */
  #room(more) {
    if (this.#length + more <= this.#bytes.length) return;
    const bytes = Buffer.alloc(this.#bytes.length * 2 + more);
    this.#bytes.copy(bytes);
    this.#bytes = bytes;
  }
}

/**
 * How `play.mjs` and `benches/src/netplay/clients.rs` talk over the process' input and output: frames in turn, each its length in a
 * u32 and then its bytes, all little-endian. The yardstick sends a step: until when (f64, microseconds), then what arrives
 * before: when (f64), for whom (u8), its length (u32) and its bytes. The answer is what the players did until then, in order of time: a kind (u8),
 * whose (u8), when (f64), and by kind what `clients.rs` reads.
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
  const arrivals = [];
  for (let at = 8; at < step.length; ) {
    const length = step.readUInt32LE(at + 9);
    arrivals.push({ atUs: step.readDoubleLE(at), player: step[at + 8], bytes: step.subarray(at + 13, at + 13 + length) });
    at += 13 + length;
  }
  return { untilUs: step.readDoubleLE(), arrivals };
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
    this.u8(kind);
    this.u8(player);
    this.f64(atUs);
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

  /** @param {Uint8Array} bytes */
  bytes(bytes) {
    this.u32(bytes.length);
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

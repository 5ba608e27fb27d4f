/**
 * How `play.mjs` and `benches/src/netplay/clients.rs` talk over the process' input and output:
 * frames in turn, each its length in a little-endian u32 and then its bytes, which are written as
 * control messages are. The yardstick sends a step: until when, in microseconds, and a list of what
 * arrives before: when, for whom, and its bytes. The answer is what the players did until then, in
 * order of time: whose, when, a kind, and by kind what `clients.rs` reads.
 */

import { readSync, writeSync } from 'node:fs';
import { ControlReader, ControlWriter } from '../../../client-web/src/codec.js';

/** Kinds of what is told. */
export const SENT = 0;
export const SNAPSHOT = 1;
export const FRAME = 2;
export const HIT = 3;
export const FALL = 4;

/**
 * Waits for the next step.
 * @returns {{ untilUs: number, arrivals: { atUs: number, player: number, bytes: Uint8Array }[] }
 *   | undefined} undefined: there is none
 */
export function readStep() {
  const head = read(4);
  if (head === undefined) return undefined;
  const step = read(head.readUInt32LE());
  if (step === undefined) return undefined;
  const reader = new ControlReader(step);
  const untilUs = reader.u32();
  const arrivals = reader.list(step.length, () => ({
    atUs: reader.u32(),
    player: reader.u32(),
    bytes: Uint8Array.from(reader.list(step.length, () => reader.u8())),
  }));
  return { untilUs, arrivals };
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
export class Report extends ControlWriter {
  /** @param {number} kind @param {number} player @param {number} atUs */
  begin(kind, player, atUs) {
    this.uint(player);
    this.uint(atUs);
    this.uint(kind);
  }

  /**
   * What may be missing.
   * @template T
   * @param {T | undefined} value
   * @param {(value: T) => void} write
   */
  option(value, write) {
    this.bool(value !== undefined);
    if (value !== undefined) write(value);
  }

  send() {
    const bytes = this.finish();
    const frame = Buffer.alloc(4 + bytes.length);
    frame.writeUInt32LE(bytes.length);
    frame.set(bytes, 4);
    for (let at = 0; at < frame.length; ) at += writeSync(1, frame, at);
  }
}

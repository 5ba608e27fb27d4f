/**
 * Decodes snapshots with the browser's own decoder and times it. Reads messages from its input, each
 * after its length as a u32: the server's welcome, then the snapshots, the first of which is a
 * keyframe. Writes the processor time of a frame in ms (keyframe apart, the median run) and the
 * checksum of every image. Run by `codec-yardstick`.
 */

import { readFileSync } from 'node:fs';

import { ByteReader, decodeSnapshotHead } from '../../client-web/src/protocol/frame.js';
import { decodeServer } from '../../client-web/src/protocol/server_message.js';
import { Layout } from '../../client-web/src/schema/layout.js';
import { Layers } from '../../client-web/src/session/layers.js';
import { checksum } from '../../client-web/src/snapshot/checksum.js';

/** Frames that are decoded before the clock counts: the compiler has settled by then. */
const WARM_UP_FRAMES = 6_000;
const RUNS = 15;
/** Frames of a run, at least: the clock ticks in microseconds. */
const RUN_FRAMES = 1_000;

const [welcome, ...snapshots] = messages(readFileSync(0));
const { schema } = decodeServer(welcome);
const layout = new Layout(schema);

/** @param {Uint8Array} input */
function messages(input) {
  const view = new DataView(input.buffer, input.byteOffset, input.length);
  const all = [];
  for (let at = 0; at < input.length; ) {
    const length = view.getUint32(at, true);
    all.push(input.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return all;
}

/**
 * Applies a snapshot as the client's session does.
 * @param {Layers} layers
 * @param {Uint8Array} bytes
 */
function apply(layers, bytes) {
  const reader = new ByteReader(bytes);
  const { tick } = decodeSnapshotHead(reader);
  while (!reader.done) {
    reader.u8();
    const length = reader.varint();
    const from = reader.take(length);
    if (!layers.apply(new ByteReader(bytes, from, from + length), tick, 0)) throw new Error('a checksum disagrees');
  }
  layers.commit(tick);
}

/** @returns {number} processor time of a frame in ms, over one pass through the snapshots */
function pass() {
  const layers = new Layers(layout);
  apply(layers, snapshots[0]);
  const start = process.cpuUsage();
  for (let i = 1; i < snapshots.length; i++) apply(layers, snapshots[i]);
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000 / (snapshots.length - 1);
}

/** @param {number} frames */
function passes(frames) {
  const count = Math.ceil(frames / (snapshots.length - 1));
  let sum = 0;
  for (let i = 0; i < count; i++) sum += pass();
  return sum / count;
}

/** @returns {number[]} checksum of every image */
function checksums() {
  const layers = new Layers(layout);
  return snapshots.map((bytes) => {
    apply(layers, bytes);
    const { newest } = layers;
    if (newest === undefined) throw new Error('no image');
    return checksum(newest.images[0]);
  });
}

passes(WARM_UP_FRAMES);
const runs = Array.from({ length: RUNS }, () => passes(RUN_FRAMES)).sort((a, b) => a - b);
const frameMs = runs[RUNS >> 1];
process.stdout.write(JSON.stringify({ frameMs, checksums: checksums() }));

/**
 * Decodes snapshots with the browser's own decoder, in turn with plain varint deltas of the same
 * images, and times both. Reads messages from its input, each after its length as a u32: the
 * server's welcome, the snapshots, the first of which is a keyframe, and as many plain frames,
 * whose columns by component its argument names. Writes the processor time of a frame of either in
 * ms (keyframe apart, the median run), the checksum of every image, and what the plain frames come
 * to. Run by `codec-yardstick`.
 */

import { readFileSync } from 'node:fs';

import { ByteReader } from '../../client-web/src/bytes.js';
import { decodeSnapshotHead, readSections } from '../../client-web/src/protocol/frame.js';
import { decodeServer } from '../../client-web/src/protocol/server_message.js';
import { Layers } from '../../client-web/src/session/layers.js';
import { checksum } from '../../client-web/src/snapshot/checksum.js';
import { Layout } from '../../client-web/src/snapshot/layout.js';
import { PlainDecoder } from './varint_frames.mjs';

/** Frames that are decoded before the clock counts: the compiler has settled by then. */
const WARM_UP_FRAMES = 6_000;
/** Runs of either, in turn. */
const RUNS = 9;
/** Frames of a run, at least: the clock ticks in microseconds. */
const RUN_FRAMES = 1_000;

const [welcome, ...frames] = messages(readFileSync(0));
const snapshots = frames.slice(0, frames.length / 2);
const plains = frames.slice(frames.length / 2);
const { schema, tables } = decodeServer(welcome);
const layout = new Layout(schema, tables);
const { fields, width } = JSON.parse(process.argv[2]);

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
  layers.begin();
  readSections(reader, (kind, section) => {
    if (!layers.apply(kind, section, tick, 0)) throw new Error('a checksum disagrees');
  });
  layers.advance(tick, 0);
  layers.commit(tick);
}

/**
 * @param {Uint8Array[]} all frames
 * @param {(frame: Uint8Array) => void} decode
 * @returns {number} processor time of a frame in ms, the first apart
 */
function timed(all, decode) {
  decode(all[0]);
  const start = process.cpuUsage();
  for (let i = 1; i < all.length; i++) decode(all[i]);
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000 / (all.length - 1);
}

/** One pass through the snapshots. */
function pass() {
  const layers = new Layers(layout);
  return timed(snapshots, (bytes) => apply(layers, bytes));
}

/** One pass through the reference's frames. */
function plainPass() {
  const decoder = new PlainDecoder(fields, width);
  return timed(plains, (bytes) => decoder.decode(bytes));
}

/**
 * @param {number} frames of either
 * @returns {{ frameMs: number, plainMs: number }} of a frame, by passes in turn
 */
function passes(frames) {
  const count = Math.ceil(frames / (snapshots.length - 1));
  let frameMs = 0;
  let plainMs = 0;
  for (let i = 0; i < count; i++) {
    frameMs += pass();
    plainMs += plainPass();
  }
  return { frameMs: frameMs / count, plainMs: plainMs / count };
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

function plainMix() {
  const decoder = new PlainDecoder(fields, width);
  let mixed = 0;
  for (const frame of plains) {
    decoder.decode(frame);
    mixed = decoder.mix(mixed);
  }
  return mixed;
}

/** @param {number[]} figures */
function median(figures) {
  return figures.sort((a, b) => a - b)[figures.length >> 1];
}

passes(WARM_UP_FRAMES);
const runs = Array.from({ length: RUNS }, () => passes(RUN_FRAMES));
process.stdout.write(
  JSON.stringify({
    frameMs: median(runs.map((run) => run.frameMs)),
    plainMs: median(runs.map((run) => run.plainMs)),
    checksums: checksums(),
    plainMix: plainMix(),
  }),
);

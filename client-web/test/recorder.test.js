/** What the net graph remembers of a room's figures. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Recorder, SAMPLES_MAX } from '../src/dev_panel/recorder.js';

/**
 * @param {Partial<import('../src/types.js').Stats>} [figures]
 * @returns {import('../src/types.js').Stats}
 */
const stats = (figures) => ({
  rttMs: 0, jitterMs: 0, snapshotHz: 0, bytesPerSnapshot: 0, bytesPerSecond: 0, interpolationMs: 0, inputSlack: 0, predictionError: 0,
  snapshots: 0, bytes: 0, lateInputs: 0, underruns: 0, skipped: 0, desyncs: 0, tick: 0, ...figures,
});

test('a frame has the mean of the snapshots that came with it, and those that were left out', () => {
  const recorder = new Recorder();
  recorder.add(stats({ snapshots: 90, bytes: 9000, skipped: 4 }), 0);
  recorder.add(stats({ snapshots: 90, bytes: 9000, skipped: 4 }), 16);
  recorder.add(stats({ snapshots: 92, bytes: 9300, skipped: 7, rttMs: 50 }), 32);
  const { samples } = recorder;
  assert.deepEqual(samples.map(({ bytes }) => bytes), [0, 0, 150]);
  assert.deepEqual(samples.map(({ skipped }) => skipped), [0, 0, 3]);
  assert.deepEqual(samples.map(({ atMs }) => atMs), [0, 16, 32]);
  assert.equal(samples[2].rtt, 50);
});

test('the memory is bounded, and frames are those of the last second', () => {
  const recorder = new Recorder();
  recorder.add(stats({ rttMs: 900 }), 0);
  for (let n = 1; n <= SAMPLES_MAX + 10; n++) recorder.add(stats({ rttMs: n % 50 }), n * 10);
  const { samples } = recorder;
  assert.equal(samples.length, SAMPLES_MAX);
  assert.deepEqual([samples[0].atMs, samples[SAMPLES_MAX - 1].atMs], [110, (SAMPLES_MAX + 10) * 10]);
  assert.equal(recorder.framesPerSecond, 100);
});

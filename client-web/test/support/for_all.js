/** What all tests of a file use, and nobody after them. */

import { after } from 'node:test';

/**
 * Waits until it is there; it is ended after the file's last test. What was first started is ended
 * first.
 * @template {{ stop: () => unknown } | { close: () => unknown }} T
 * @param {T | Promise<T>} starting
 * @returns {Promise<T>}
 */
export async function forAll(starting) {
  const started = await starting;
  after(() => ('stop' in started ? started.stop() : started.close()));
  return started;
}

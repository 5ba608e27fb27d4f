/** An address for a server that others must know before it listens. */

import { createServer } from 'node:net';

/** @returns {Promise<string>} `host:port` on loopback, free a moment ago */
export function freeAddress() {
  return new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = /** @type {import('node:net').AddressInfo} */ (probe.address());
      probe.close(() => resolve(`127.0.0.1:${port}`));
    });
  });
}

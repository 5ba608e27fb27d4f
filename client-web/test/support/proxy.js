/**
 * A TCP proxy between page and server that the test can hold up, as a network does that is gone for
 * a while.
 */

import { connect, createServer } from 'node:net';
import { once } from 'node:events';

/**
 * @param {string} address the server's, `host:port`
 */
export async function startProxy(address) {
  const [host, port] = address.split(':');
  /** @type {Set<import('node:net').Socket>} */
  const sockets = new Set();
  let isHeld = false;
  const proxy = createServer((near) => {
    const far = connect(Number(port), host);
    for (const [from, to] of [[near, far], [far, near]]) {
      sockets.add(from);
      from.setNoDelay(true);
      if (isHeld) from.pause();
      from.on('data', (bytes) => to.write(bytes));
      from.on('end', () => to.end());
      from.on('error', () => to.destroy());
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const bound = /** @type {import('node:net').AddressInfo} */ (proxy.address());
  return {
    url: `http://127.0.0.1:${bound.port}/`,
    /** Nothing passes any more, and nobody is told. @param {boolean} held */
    hold(held) {
      isHeld = held;
      for (const socket of sockets) held ? socket.pause() : socket.resume();
    },
    /** Resets every connection. */
    cut() {
      for (const socket of sockets) socket.resetAndDestroy();
    },
    stop() {
      for (const socket of sockets) socket.destroy();
      proxy.close();
    },
  };
}

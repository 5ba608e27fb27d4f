/**
 * A proxy of HTTP between page and server that breaks WebSocket as those of schools and firms do.
 */

import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { connect } from 'node:net';

/**
 * @param {string} address the server's, `host:port`
 * @param {object} how
 * @param {'refuses' | 'hangs' | 'holds'} how.upgrade what becomes of a WebSocket's handshake:
 *   answered by 400, by nothing; `holds`: it is let through, and nothing behind it
 * @param {boolean} [how.collects] answers are passed on when they are whole
 */
export async function startBadProxy(address, { upgrade, collects = false }) {
  const [host, port] = address.split(':');
  /** @type {Set<import('node:net').Socket>} */
  const sockets = new Set();
  const proxy = createServer((near, answer) => {
    const far = request({ host, port, method: near.method, path: near.url, headers: near.headers }, (told) => {
      answer.writeHead(told.statusCode ?? 502, told.headers);
      if (!collects) {
        answer.flushHeaders();
        told.pipe(answer);
        told.on('error', () => answer.destroy());
        return;
      }
      /** @type {Buffer[]} */
      const parts = [];
      told.on('data', (part) => void parts.push(part));
      told.on('end', () => answer.end(Buffer.concat(parts)));
      told.on('error', () => answer.destroy());
    });
    far.on('error', () => answer.destroy());
    answer.on('close', () => far.destroy());
    near.pipe(far);
  });
  proxy.on('connection', (socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('close', () => sockets.delete(socket));
  });
  proxy.on('upgrade', (near, socket) => {
    socket.on('error', () => socket.destroy());
    if (upgrade === 'refuses') return void socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    if (upgrade === 'hangs') return;
    const far = connect(Number(port), host);
    const lines = near.rawHeaders.map((each, at) => (at % 2 === 0 ? `${each}: ` : `${each}\r\n`)).join('');
    far.write(`GET ${near.url} HTTP/1.1\r\n${lines}\r\n`);
    far.once('data', (head) => socket.write(head));
    far.on('error', () => socket.destroy());
    socket.on('close', () => far.destroy());
    far.on('close', () => socket.destroy());
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const bound = /** @type {import('node:net').AddressInfo} */ (proxy.address());
  return {
    url: `http://127.0.0.1:${bound.port}/`,
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

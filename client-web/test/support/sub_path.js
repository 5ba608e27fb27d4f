/**
 * A reverse proxy that puts a server at a path of its own and takes that off again on the way, as
 * nginx does by `location /game/ { proxy_pass http://server/; }`. What is asked for outside of it
 * is the host's own, and there is nothing.
 */

import { once } from 'node:events';
import { createServer, request } from 'node:http';

/**
 * @param {string} address the server's, `host:port`
 * @param {string} path that it is put at, with a `/` at both ends
 * @param {Record<string, string>} [scripts] that lie beside the server's own files, by their names
 */
export async function startSubPath(address, path, scripts = {}) {
  const [host, port] = address.split(':');
  /** @type {string[]} */
  const strays = [];
  /** @type {Set<import('node:stream').Duplex>} */
  const sockets = new Set();

  /**
   * @param {import('node:http').IncomingMessage} from
   * @returns {import('node:http').ClientRequest | undefined} the same to the server
   */
  const passOn = (from) => {
    const url = from.url ?? '';
    if (!url.startsWith(path)) {
      strays.push(url);
      return undefined;
    }
    return request({ host, port, method: from.method, path: url.slice(path.length - 1), headers: from.headers });
  };

  const proxy = createServer((from, to) => {
    if (from.url === path.slice(0, -1)) return void to.writeHead(301, { location: path }).end();
    const script = scripts[(from.url ?? '').slice(path.length)];
    if (script !== undefined) return void to.writeHead(200, { 'content-type': 'text/javascript' }).end(script);
    const onward = passOn(from);
    if (onward === undefined) return void to.writeHead(404).end();
    onward.on('response', (answer) => {
      to.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(to);
    });
    onward.on('error', () => to.destroy());
    from.pipe(onward);
  });
  proxy.on('upgrade', (from, near) => {
    const onward = passOn(from);
    if (onward === undefined) return void near.end('HTTP/1.1 404 Not Found\r\n\r\n');
    onward.on('upgrade', (answer, far, head) => {
      const lines = Object.entries(answer.headers).map(([name, value]) => `${name}: ${value}\r\n`);
      near.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join('')}\r\n`);
      near.write(head);
      for (const [one, other] of [[near, far], [far, near]]) {
        sockets.add(one);
        one.on('error', () => other.destroy());
        one.on('close', () => sockets.delete(one));
        one.pipe(other);
      }
    });
    onward.on('response', (answer) => near.end(`HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}\r\n\r\n`));
    onward.on('error', () => near.destroy());
    onward.end();
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const bound = /** @type {import('node:net').AddressInfo} */ (proxy.address());
  return {
    /** The server's page. */
    url: `http://127.0.0.1:${bound.port}${path}`,
    /** Paths outside of it that were asked for. */
    strays,
    stop() {
      for (const socket of sockets) socket.destroy();
      proxy.closeAllConnections();
      proxy.close();
    },
  };
}

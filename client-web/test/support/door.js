/**
 * A host with a door in front of a real server: what is asked for is the server's, its WebSockets
 * stand at `/n/1/ws`, and at `/ws` is a door, which welcomes as the server does and answers whoever
 * wants a room with a `Redirect`. All is of one origin, as behind nginx.
 */

import { once } from 'node:events';
import { createServer, request } from 'node:http';

import WebSocket, { WebSocketServer } from 'ws';

import { SUBPROTOCOL } from '../../src/protocol/frame.js';
import { prepare, redirect } from './messages.js';

/** Control messages that lead to a room: `CreateRoom` to `QuickJoin`, and `Resume`. */
const LEADS = new Set([2, 3, 4, 5, 13]);

/**
 * Where the door leads, by the path of the door: `/ws` is one, `/d/…/ws` are others.
 * @typedef {object} Way
 * @property {string} to a path of this host, or the URL of another's WebSocket
 * @property {string} [ticket]
 * @property {number} room
 * @property {number} [validMs]
 * @property {{ to: string, isAwaited: boolean }} [prepare] what the visitor is told to prepare
 *   before, and whether the redirect waits until they knock there
 */

/** @typedef {Record<string, Way>} Ways */

/**
 * @param {string} address the server's, `host:port`
 * @param {Ways} ways may be changed at any time
 */
export async function startDoor(address, ways) {
  const [host, port] = address.split(':');
  /** @type {Set<import('node:stream').Duplex>} */
  const sockets = new Set();
  /** @type {number[]} codes with which visitors left the door */
  const left = [];
  /** @type {string[]} paths at which somebody knocked */
  const knocks = [];

  const house = createServer((from, to) => {
    const onward = request({ host, port, method: from.method, path: from.url, headers: from.headers }, (answer) => {
      to.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(to);
    });
    onward.on('error', () => to.destroy());
    from.pipe(onward);
  });
  const door = new WebSocketServer({ noServer: true, handleProtocols: () => SUBPROTOCOL });

  /** @param {WebSocket} visitor @param {string} path */
  const welcome = (visitor, path) => {
    const inside = new WebSocket(`ws://${address}/ws`, [SUBPROTOCOL], { origin: `http://${address}` });
    /** @type {Buffer[]} */
    const early = [];
    inside.on('open', () => early.splice(0).forEach((message) => inside.send(message)));
    const welcomed = once(inside, 'message');
    inside.on('message', (message) => visitor.send(/** @type {Buffer} */ (message)));
    inside.on('error', () => visitor.terminate());
    visitor.on('message', (/** @type {Buffer} */ message) => {
      const way = ways[path];
      if (message[0] === 1 && LEADS.has(message[1])) {
        const { port: own } = /** @type {import('node:net').AddressInfo} */ (house.address());
        const urlOf = (/** @type {string} */ to) => new URL(to, `ws://127.0.0.1:${own}`).href;
        const there = redirect({ url: urlOf(way.to), ticket: way.ticket ?? '', room: way.room, validMs: way.validMs ?? 5000 });
        // Answers keep their order: the welcome comes first. Who is gone by then needs none.
        welcomed.then(async () => {
          if (way.prepare !== undefined) visitor.send(prepare(urlOf(way.prepare.to)));
          if (way.prepare?.isAwaited) await once(house, 'upgrade');
          visitor.send(there);
        }, () => {});
      } else if (inside.readyState === WebSocket.OPEN) inside.send(message);
      else early.push(message);
    });
    visitor.on('close', (code) => {
      left.push(code);
      inside.close(1000);
    });
  };

  house.on('upgrade', (from, near, head) => {
    const path = from.url ?? '';
    knocks.push(path);
    if (path in ways) return door.handleUpgrade(from, near, head, (visitor) => welcome(visitor, path));
    if (path !== '/n/1/ws') return void near.destroy();
    const onward = request({ host, port, path: '/ws', headers: from.headers });
    onward.on('upgrade', (answer, far, rest) => {
      const lines = Object.entries(answer.headers).map(([name, value]) => `${name}: ${value}\r\n`);
      near.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join('')}\r\n`);
      near.write(rest);
      for (const [one, other] of [[near, far], [far, near]]) {
        sockets.add(one);
        one.on('error', () => other.destroy());
        one.on('close', () => (sockets.delete(one), other.destroy()));
        one.pipe(other);
      }
    });
    onward.on('error', () => near.destroy());
    onward.end(head);
  });
  house.listen(0, '127.0.0.1');
  await once(house, 'listening');
  const bound = /** @type {import('node:net').AddressInfo} */ (house.address());
  return {
    url: `http://127.0.0.1:${bound.port}/`,
    left,
    knocks,
    stop() {
      for (const socket of sockets) socket.destroy();
      for (const visitor of door.clients) visitor.terminate();
      house.close();
      house.closeAllConnections();
    },
  };
}

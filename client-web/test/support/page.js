/**
 * A page over a socket that the test plays, on virtual time: what the tests of a link's life stand
 * on.
 */

import { connect } from '../../src/tickwire.js';
import { FakeSocket } from './fake_socket.js';
import * as server from './messages.js';
import { SQUARE } from './square.js';
import { until } from './until.js';

export const options = { url: 'ws://test/ws', name: 'Ann', WebSocket: /** @type {any} */ (FakeSocket) };
/** Where a page with `options` keeps its seat. */
export const KEY = `tickwire ${options.url}`;

/** @param {Uint8Array} bytes */
export const list = (bytes) => [...bytes];
/** Lets what was promised happen. */
export const settled = () => new Promise((resolve) => setImmediate(resolve));
/** @returns {FakeSocket} the one that was opened last */
export const newest = () => /** @type {FakeSocket} */ (FakeSocket.all.pop());

/** @param {import('node:test').TestContext} t @returns {(ms: number) => void} lets time pass */
export function virtualTime(t) {
  let now = 1000;
  t.mock.method(performance, 'now', () => now);
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const pass = (/** @type {number} */ ms) => {
    for (const end = now + ms; now < end; ) {
      const step = Math.min(10, end - now);
      now += step;
      t.mock.timers.tick(step);
    }
  };
  // What goes on in the background ends with the test: no seat that it left is given up by the next
  // one.
  t.after(() => {
    pass(60_000);
    FakeSocket.all.splice(0);
  });
  return pass;
}

/** A tab's storage. */
export class Storage {
  /** @type {Map<string, string>} */
  kept;

  /** @param {Storage} [of] another tab's, which this one is a copy of */
  constructor(of) {
    this.kept = new Map(of?.kept);
  }

  getItem = (/** @type {string} */ key) => this.kept.get(key) ?? null;
  setItem = (/** @type {string} */ key, /** @type {string} */ value) => void this.kept.set(key, value);
  removeItem = (/** @type {string} */ key) => void this.kept.delete(key);

  /** @returns {string} the seat that a reload would find */
  get seat() {
    return JSON.parse(this.kept.get(KEY) ?? '{}').seat ?? '';
  }
}

/** @param {object} [more] options @returns in the lobby */
export async function connected(more) {
  const opening = connect({ ...options, ...more });
  const socket = newest();
  socket.open();
  socket.receive(server.welcome(SQUARE, { token: 'who' }));
  const link = await opening;
  socket.takeControl();
  return { link, socket };
}

/** @param {object} [more] options @returns in a room, the seat's token being `first` */
export async function playing(more) {
  const { link, socket } = await connected(more);
  const joining = link.quickJoin();
  socket.receive(server.joined({ you: 2 }));
  socket.receive(server.resumeToken('first'));
  const room = await joining;
  socket.takeControl();
  return { link, socket, room };
}

/** @param {(ms: number) => void} pass @returns {FakeSocket} the next try to come back, open */
export function nextSocket(pass) {
  for (let ms = 0; ms < 9000 && FakeSocket.all.length === 0; ms += 10) pass(10);
  const socket = newest();
  socket.open();
  return socket;
}

/**
 * Against a real server: it holds the seat of who has answered it there, which an input does.
 * @param {import('../../src/room.js').Room} room in which `dx: 1` is played
 * @returns {Promise<import('../../src/types.js').Entity>} the own figure, when it has moved
 */
export async function answered(room) {
  const me = () => room.entities.find(({ owner, avatar }) => avatar && owner === room.you);
  const start = (await until(me)).pos.x;
  return until(() => Math.abs(me()?.pos.x - start) > 1 && me());
}

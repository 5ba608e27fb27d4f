/**
 * A client and a square game's server on a simulated link, on virtual time: milliseconds pass when
 * the test says so. The server takes inputs as the real one does, by the tick they are for.
 */

import { Play } from '../../src/netcode/play.js';
import { Session } from '../../src/session.js';
import { BitReader } from '../../src/snapshot/bit_coder.js';
import { dequantiseAll, unpack } from '../../src/snapshot/fields.js';
import { joined, snapshot, welcome } from './messages.js';
import { SQUARE, SquareServer, step } from './square.js';

/** Milliseconds a tick: 25 Hz. */
export const PERIOD_MS = 40;
/** The player of the client. */
export const YOU = 2;

/** @typedef {import('../../src/types.js').PlayOptions} PlayOptions */

/** See the module's description. */
export class Game {
  now = 0;
  world = new SquareServer(YOU);
  session = new Session('Ann');
  /** @type {{ atMs: number, bytes: Uint8Array }[]} */
  #down = [];
  /** @type {{ atMs: number, tick: number, input: any }[]} */
  #up = [];
  /** @type {Map<number, any>} */
  #inputs = new Map();
  #newest = 0;
  /** @type {any} */
  #last = { dx: 0, dy: 0 };
  /** Events of the next snapshot. @type {Uint8Array | undefined} */
  events;
  /** Whether snapshots are lost on the way (the server skips the client). */
  isSkipped = false;

  /** @param {{ downMs?: number, upMs?: number }} [link] */
  constructor({ downMs = 30, upMs = 30 } = {}) {
    this.downMs = downMs;
    this.upMs = upMs;
    this.session.handleMessage(welcome(SQUARE), 0);
    this.session.handleMessage(joined({ you: YOU, tickRate: 1000 / PERIOD_MS }), 0);
    const { room, layout } = this.session;
    if (room === undefined || layout === undefined) throw new Error('not in the room');
    this.room = room;
    this.play = new Play(this.session, room, SQUARE, layout);
    while (this.session.pollEvent() !== undefined);
    while (this.session.pollTransmit() !== undefined);
  }

  /** @param {PlayOptions['input']} input @param {Partial<PlayOptions>} [options] */
  start(input, options = { step }) {
    this.play.start({ input, ...options });
  }

  /**
   * Lets time pass, a millisecond at a time.
   * @param {number} ms
   * @param {(now: number) => void} [each] called every millisecond
   */
  run(ms, each = () => {}) {
    for (const end = this.now + ms; this.now < end; this.now++) {
      if (this.now % PERIOD_MS === 0) this.#tick();
      this.#receive();
      this.play.sendInputs(this.now, false);
      this.#send();
      each(this.now);
    }
  }

  #tick() {
    for (const { atMs, tick, input } of this.#up) {
      if (atMs > this.now) continue;
      this.#newest = Math.max(this.#newest, tick);
      this.#inputs.set(tick, input);
    }
    this.#up = this.#up.filter(({ atMs }) => atMs > this.now);
    const { world } = this;
    world.step(({ player }) => {
      if (player !== YOU) return { dx: 1, dy: 0 };
      this.#last = this.#inputs.get(world.tick) ?? this.#last;
      return this.#last;
    }, PERIOD_MS / 1000);
    if (this.isSkipped) return;
    const slack = this.#newest === 0 ? -128 : this.#newest - world.tick;
    const bytes = snapshot(world.tick, { slack, layers: world.bodies(), events: this.events });
    this.events = undefined;
    this.#down.push({ atMs: this.now + this.downMs, bytes });
  }

  #receive() {
    while (this.#down.length > 0 && this.#down[0].atMs <= this.now) {
      const [{ bytes }] = this.#down.splice(0, 1);
      this.session.handleMessage(bytes, this.now);
      for (let event = this.session.pollEvent(); event !== undefined; event = this.session.pollEvent()) {
        if (event.type === 'Failed') throw new Error(event.reason);
        if (event.type === 'Snapshot') this.play.onSnapshot(event, this.now);
      }
    }
  }

  #send() {
    this.session.handleTimeout(this.now);
    for (let bytes = this.session.pollTransmit(); bytes !== undefined; bytes = this.session.pollTransmit()) {
      if (bytes[0] !== 2) continue;
      const tick = new DataView(bytes.buffer).getUint32(1, true);
      const reader = new BitReader();
      reader.open(bytes, 11, bytes.length);
      const input = dequantiseAll(SQUARE.input, unpack(SQUARE.input, reader));
      this.#up.push({ atMs: this.now + this.upMs, tick, input });
    }
  }

  /** @param {Partial<import('./square.js').Square>} square */
  add(square) {
    const whole = { slot: 1, generation: 0, player: 9, x: 100, y: 100, heading: 0, ammo: 3, ...square };
    this.world.squares.push(whole);
    this.world.squares.sort((a, b) => a.slot - b.slot);
    return whole;
  }

  view() {
    return this.play.view(this.now);
  }
}

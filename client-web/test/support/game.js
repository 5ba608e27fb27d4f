/**
 * A client and a square game's server on a simulated link, on virtual time: milliseconds pass when
 * the test says so. The server takes inputs as the real one does, by the tick they are for.
 */

import { CLEAN, Conditioner } from '../../src/conditioner.js';
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
  session = new Session('Ann');
  /** @type {Conditioner<Uint8Array>} */
  #down;
  /** @type {Conditioner<{ tick: number, input: any }>} */
  #up;
  /** @type {Map<number, any>} */
  #inputs = new Map();
  #newest = 0;
  /** @type {any} */
  #last = { dx: 0, dy: 0 };
  /** Events of the next snapshot. @type {Uint8Array | undefined} */
  events;
  /** Whether snapshots are lost on the way (the server skips the client). */
  isSkipped = false;

  /**
   * Whether nobody does anything: the room simulates one tick a second (`server/src/room/doze.rs`).
   */
  isResting = false;

  /**
   * What everybody but the own player does in a tick.
   * @type {(square: import('./square.js').Square) => { dx: number, dy: number }}
   */
  others = () => ({ dx: 1, dy: 0 });

  /**
   * @param {{ downMs?: number, upMs?: number, jitterMs?: number, stallMs?: number, stallEveryMs?:
   *   number, seed?: number }} [link]
   * @param {import('../../src/schema/schema.js').Schema} [schema] the game, or that `onGrid`
   * @param {SquareServer} [world] its room
   */
  constructor(
    { downMs = 30, upMs = 30, jitterMs = 0, stallMs = 0, stallEveryMs = 0, seed = 1 } = {},
    schema = SQUARE,
    world = new SquareServer(YOU, schema),
  ) {
    this.world = world;
    const direction = { ...CLEAN, jitterUs: jitterMs * 1000, stallUs: stallMs * 1000, stallEveryUs: stallEveryMs * 1000 };
    this.#down = new Conditioner({ ...direction, latencyUs: downMs * 1000 }, seed);
    this.#up = new Conditioner({ ...direction, latencyUs: upMs * 1000 }, seed + 1);
    this.session.handleMessage(welcome(schema), 0);
    this.session.handleMessage(joined({ you: YOU, tickRate: 1000 / PERIOD_MS }), 0);
    const { room } = this.session;
    if (room === undefined) throw new Error('not in the room');
    this.room = room;
    this.play = new Play(this.session, room);
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
    for (let came = this.#up.poll(this.now * 1000); came !== undefined; came = this.#up.poll(this.now * 1000)) {
      this.#newest = Math.max(this.#newest, came.tick);
      this.#inputs.set(came.tick, came.input);
    }
    const { world } = this;
    if (this.isResting && (world.tick + 1) % (1000 / PERIOD_MS) !== 0) {
      world.tick++;
      return;
    }
    world.step((square) => {
      if (square.player !== YOU) return this.others(square);
      this.#last = this.#inputs.get(world.tick) ?? this.#last;
      return this.#last;
    }, PERIOD_MS / 1000);
    if (this.isSkipped) return world.skip();
    const slack = this.#newest === 0 ? -128 : this.#newest - world.tick;
    const bytes = snapshot(world.tick, { slack, events: this.events, ...world.parts() });
    this.events = undefined;
    this.#down.push(this.now * 1000, bytes.length, bytes);
  }

  #receive() {
    for (let bytes = this.#down.poll(this.now * 1000); bytes !== undefined; bytes = this.#down.poll(this.now * 1000)) {
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
      this.#up.push(this.now * 1000, bytes.length, { tick, input });
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

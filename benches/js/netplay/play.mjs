/**
 * Players of `netcode-yardstick`: the SDK with the demo's rule in a page for each, played by seeded
 * hands. Tells what is sent, what a snapshot says and what was predicted, and what every frame
 * shows; the yardstick judges. Run by `benches/src/netplay/clients.rs` with the number of players
 * and the seed.
 */

import { Kind } from '../../../client-web/src/protocol/frame.js';
import '../../../client-web/test/support/served_paths.js';
import { Hands, isWalker } from './hands.mjs';
import { Page, VirtualSocket, becomeBrowser } from './page.mjs';
import { FALL, FRAME, HIT, Report, SENT, SNAPSHOT, readStep } from './wire.mjs';

becomeBrowser();
const { join } = await import('../../../client-web/src/tickwire.js');
const arena = await import('../../../server/arena/page/arena_map.js');
const { step } = await import('../../../server/arena/page/arena_rule.js');
const { SHOT_SPEED } = await import('../../../server/arena/page/shots.js');

/** Ticks a second of the room. */
const TICK_RATE = 30;

let report = new Report();
let nowUs = 0;

/** One player. */
class Player {
  #index;
  #hands;
  page;
  /** @type {import('../../../client-web/src/tickwire.js').Room<any> | undefined} */
  room;
  /** The tick that is shown. */
  #view = 0;
  /**
   * The newest place that the rule gave for a tick.
   * @type {Map<number, { x: number, y: number }>}
   */
  #predicted = new Map();
  /** Ticks whose inputs left. @type {Set<number>} */
  #sent = new Set();
  #newestSent = 0;

  /** @param {number} index @param {number} seed */
  constructor(index, seed) {
    this.#index = index;
    this.#hands = new Hands(seed * 1000 + index, arena, SHOT_SPEED / TICK_RATE);
    // Nobody's frames come with anybody else's.
    this.page = new Page(60 * (index - 1), Math.round((16_667 * (index + 1)) / 5), (bytes) => this.#onSend(bytes));
  }

  async join() {
    this.room = await join({
      url: 'ws://yardstick/ws',
      name: `p${this.#index}`,
      WebSocket: VirtualSocket,
      input: () => this.#hands.control,
      step: (me, input, time) => {
        step(me, input, time);
        this.#predicted.set(time.tick, { x: me.pos.x, y: me.pos.y });
      },
      draw: (view, room) => this.#draw(view, room),
    });
    for (const [name, kind] of [['hit', HIT], ['kill', FALL]]) {
      this.room.on(name, (/** @type {any} */ { who, by }, /** @type {number} */ tick) => {
        report.begin(/** @type {number} */ (kind), this.#index, nowUs);
        report.uint(tick);
        handle(who);
        if (kind === HIT) handle(by);
      });
    }
  }

  /** @param {Uint8Array} bytes */
  #onSend(bytes) {
    let from;
    if (bytes[0] === Kind.State) {
      const tick = new DataView(bytes.buffer, bytes.byteOffset).getUint32(1, true);
      this.#sent.add(tick);
      this.#newestSent = tick;
      from = this.#predicted.get(tick);
      this.#hands.onSent(this.#view);
    }
    report.begin(SENT, this.#index, nowUs);
    place(from);
    report.bytes(bytes);
  }

  /** A message has arrived. @param {Uint8Array} bytes */
  receive(bytes) {
    const newest = this.#newestSent;
    const before = this.#predicted.get(newest);
    this.page.socket?.onmessage({ data: new Uint8Array(bytes).buffer });
    const { room } = this;
    if (bytes[0] !== Kind.State || room === undefined) return;
    const { tick, desyncs } = room.stats;
    if (desyncs > 0) throw new Error(`player ${this.#index} lost the server's state at tick ${tick}`);
    const after = this.#predicted.get(newest);
    const everyone = room.entities;
    const me = everyone.find(({ avatar, owner }) => avatar && owner === room.you);
    report.begin(SNAPSHOT, this.#index, nowUs);
    report.uint(tick);
    place(this.#sent.has(tick) ? this.#predicted.get(tick) : undefined);
    report.f64(before && after ? Math.hypot(after.x - before.x, after.y - before.y) : 0);
    handle(me?.handle);
    walkers(everyone);
    for (const old of this.#predicted.keys()) if (old <= tick) this.#predicted.delete(old);
    for (const old of this.#sent) if (old <= tick) this.#sent.delete(old);
  }

  /**
   * @param {import('../../../client-web/src/types.js').View<any>} view
   * @param {import('../../../client-web/src/tickwire.js').Room<any>} room
   */
  #draw(view, room) {
    const { interpolationMs, underruns } = room.stats;
    this.#view = view.tick;
    this.#hands.see(view);
    report.begin(FRAME, this.#index, nowUs);
    report.f64(view.tick);
    report.f64(interpolationMs);
    report.uint(underruns);
    walkers(view.entities.filter((entity) => entity !== view.me));
  }
}

/** @param {{ x: number, y: number } | undefined} at undefined for nowhere */
function place(at) {
  report.option(at, ({ x, y }) => {
    report.f64(x);
    report.f64(y);
  });
}

/** @param {number | null | undefined} of undefined or null for nobody */
function handle(of) {
  report.option(of ?? undefined, (value) => report.uint(value));
}

/** @param {import('../../../client-web/src/types.js').Entity[]} entities */
function walkers(entities) {
  const seen = entities.filter(isWalker);
  report.uint(seen.length);
  for (const { handle, kind, health, pos } of seen) {
    report.uint(handle);
    report.bool(kind.is === 'player');
    report.bool(health.hp > 0);
    report.f64(pos.x);
    report.f64(pos.y);
  }
}

const [count, seed] = process.argv.slice(2).map(Number);
const players = Array.from({ length: count }, (_, index) => new Player(index, seed));
for (const player of players) await player.page.run(0, () => void player.join());

for (let next = readStep(); next !== undefined; next = readStep()) {
  const { untilUs, arrivals } = next;
  for (;;) {
    const first = players.reduce((a, b) => (b.page.dueUs < a.page.dueUs ? b : a));
    const arrival = arrivals[0];
    nowUs = Math.min(first.page.dueUs, arrival?.atUs ?? Infinity);
    if (nowUs >= untilUs) break;
    if (arrival?.atUs === nowUs) {
      arrivals.shift();
      const player = players[arrival.player];
      await player.page.run(nowUs, () => player.receive(arrival.bytes));
    } else {
      await first.page.run(nowUs, () => first.page.next());
    }
  }
  report.send();
  report = new Report();
}

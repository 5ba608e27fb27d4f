/**
 * A player's stay in a room: who is there, the images held, the clock and the acknowledgement.
 * Starts with `Joined`, ends with `Left`. Owned by `session.js`; `room.js` reads it.
 */

import { ClockSync, endsRest } from '../netcode/clock_sync.js';
import { InputTiming } from '../netcode/input_timing.js';
import { HISTORY_MAX } from '../limits.js';
import { AckTiming } from './ack_timing.js';
import { Layers } from './layers.js';

/** @typedef {import('../types.js').Member} Member */

/** See the module's description. */
export class RoomSession {
  /** The newest snapshot applied, 0 for none. */
  newest = 0;
  /** The same, also on connections before this one: events up to it have been handed out. */
  #seenTick = 0;
  /** The newest line of chat that came, also on connections before this one, 0 for none. */
  #seenChat;
  /** Ticks between the newest snapshot's image and the one that the room made before it. */
  gap = 0;
  /** The newest snapshot that ended a rest of the room (`netcode/clock_sync.js`), 0 for none. */
  restEnd = 0;
  /** `LeaveRoom` is out: nothing of the room is sent any more. */
  leaving = false;

  /**
   * @param {Omit<import('../protocol/server_message.js').Joined, 'room'> & { room:
   *   import('../types.js').RoomInfo }} joined
   * @param {import('../schema/schema.js').Schema} schema
   * @param {import('../snapshot/layout.js').Layout} layout
   */
  constructor(joined, schema, layout) {
    this.schema = schema;
    this.layout = layout;
    /** The room's tick on joining or coming back: events up to it are from before. */
    this.joinedAt = joined.tick;
    this.info = joined.room;
    this.code = joined.code;
    /** The own number, -1 for who only watches. */
    this.you = joined.you;
    /** How the room was made: the schema's room options, packed. */
    this.options = joined.options;
    this.tickRate = joined.tickRate;
    this.snapshotEvery = joined.snapshotEvery;
    /** @type {Map<number, Member>} by number, in the order of their seats */
    this.members = new Map(joined.members.map((member) => [member.player, member]));
    /** Whether more of those who were here on joining are still to be told. */
    this.moreMembers = joined.more;
    /** What was said before that is not known yet, oldest first; later lines are `../lines.js`'s. */
    this.chat = joined.chat;
    this.#seenChat = joined.chat.at(-1)?.id ?? 0;
    this.clock = new ClockSync(joined.tickRate);
    this.timing = new InputTiming(joined.tickRate);
    this.layers = new Layers(layout);
    /** When the acknowledgement goes out alone. */
    this.acks = new AckTiming(joined.tickRate, joined.snapshotEvery);
  }

  /** What would not be told again on coming back: the newest chat line and snapshot, 0 for none. */
  get seen() {
    return { chat: this.#seenChat, tick: this.#seenTick };
  }

  /**
   * The seat was taken again: what was seen before stays so.
   * @param {RoomSession} before
   */
  follow(before) {
    this.#seenChat = Math.max(this.#seenChat, before.#seenChat);
    this.#seenTick = before.#seenTick;
  }

  /**
   * Another connection goes on with the seat, which nobody knows as lost: the clock, the inputs'
   * ticks and the last snapshots stay. The first snapshot is here.
   * @param {RoomSession} before
   */
  goOn(before) {
    const { newest } = this;
    this.follow(before);
    this.#seenTick = Math.max(newest, before.newest);
    this.joinedAt = before.joinedAt;
    this.leaving = before.leaving;
    this.restEnd = before.restEnd;
    this.clock = before.clock;
    this.timing = before.timing;
    const older = before.layers.history.filter(({ tick }) => tick < newest);
    this.layers.history = [...older, ...this.layers.history].slice(-HISTORY_MAX);
  }

  /** @param {import('../protocol/server_message.js').SaidLine} line */
  onChat(line) {
    this.#seenChat = Math.max(this.#seenChat, line.id);
  }

  /**
   * @param {import('../protocol/frame.js').SnapshotHead} head
   * @param {number} nowMs
   */
  onSnapshot(head, nowMs) {
    this.newest = head.tick;
    this.#seenTick = head.tick;
    const { images } = this.layers.commit(head.tick);
    this.gap = images.find(({ tick }) => tick === head.tick)?.gap ?? 0;
    const isRestEnd = endsRest(this.gap, this.tickRate, this.snapshotEvery);
    if (isRestEnd) this.restEnd = head.tick;
    this.clock.onSnapshot(head.tick, nowMs, isRestEnd);
    this.timing.onReport(head.tick, head.slack, this.clock.serverTick(nowMs) ?? head.tick);
    this.acks.onSnapshot(nowMs);
  }

  /** @param {number} rttMs the shortest round trip that was measured */
  onRoundTrip(rttMs) {
    this.timing.onRoundTrip(rttMs / this.clock.periodMs);
  }

  /** @returns {number} the acknowledgement, which is on its way now */
  acknowledge() {
    this.acks.dueMs = Infinity;
    return this.newest;
  }
}

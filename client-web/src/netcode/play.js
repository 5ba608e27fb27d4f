/**
 * What a player sees and does in a room: due inputs out, the newest snapshot into the prediction, a view
 * for every animation frame. Puts `clock_sync`, `avatar`, `interpolation` and `others` together; `room.js`
 * drives it. No clocks and sockets: times are arguments, in milliseconds.
 */

import { EVENT_AGE_MAX_MS, EVENTS_WAITING_MAX } from '../limits.js';
import { Meter } from '../meter.js';
import { dequantiseAll, quantiseAll } from '../snapshot/fields.js';
import { Avatar, SMOOTH_MS } from './avatar.js';
import { SLACK_NONE } from './clock_sync.js';
import { Controls } from './controls.js';
import { Glide } from './glide.js';
import { Interpolation } from './interpolation.js';
import { Others } from './others.js';

/** @typedef {import('../types.js').Entity} Entity */
/** @typedef {import('../types.js').View} View */
/** @typedef {import('../types.js').GameEvent} GameEvent */
/** @typedef {import('../types.js').PlayOptions} PlayOptions */

/** See the module's description. */
export class Play {
  #session;
  #room;
  #schema;
  #layout;
  #interpolation;
  #others;
  /** The newest snapshot as it is, in objects of its own. */
  #newest;
  /** The server's tick as the others are drawn by, and the inputs' tick as the avatar is. */
  #server;
  #ahead;
  /** @type {Controls | undefined} */
  #controls;
  /** @type {Avatar | undefined} */
  #avatar;
  /** @type {GameEvent[]} by rising tick, not yet drawn */
  #waiting = [];
  #meter = new Meter();
  #totals = { snapshots: 0, bytes: 0, skipped: 0, lateInputs: 0, underruns: 0, desyncs: 0 };
  /** Whether the view had nothing younger to go towards, in the last frame. */
  #isStarved = false;

  /**
   * @param {import('../session.js').Session} session
   * @param {import('../session/room_session.js').RoomSession} room
   * @param {import('../schema/schema.js').Schema} schema
   * @param {import('../schema/layout.js').Layout} layout
   */
  constructor(session, room, schema, layout) {
    this.#session = session;
    this.#room = room;
    this.#schema = schema;
    this.#layout = layout;
    this.#interpolation = new Interpolation(room.snapshotEvery);
    this.#others = new Others(layout);
    this.#newest = new Others(layout);
    this.#server = new Glide(room.clock.periodMs);
    this.#ahead = new Glide(room.clock.periodMs);
  }

  /**
   * From now on an input is sent for every tick.
   * @param {PlayOptions} options
   */
  start({ input, step, smooth }) {
    const fields = this.#schema.input;
    this.#controls = new Controls(fields, input);
    if (step === undefined) {
      this.#avatar = undefined;
      return;
    }
    this.#avatar = new Avatar(this.#layout, this.#room.you, 1 / this.#room.tickRate, {
      step,
      smoothMs: smooth ?? SMOOTH_MS,
      neutral: dequantiseAll(fields, quantiseAll(fields, {})),
    });
    const { newest } = this.#room.layers;
    if (newest !== undefined) this.#avatar.onSnapshot(newest);
  }

  /**
   * Sends the inputs that are due.
   * @param {number} nowMs
   * @param {boolean} isStalled the socket holds back too much: the inputs are left out
   */
  sendInputs(nowMs, isStalled) {
    const { clock, leaving, newest } = this.#room;
    if (this.#controls === undefined || leaving) return;
    for (;;) {
      const tick = clock.nextStamp(nowMs);
      if (tick === undefined) return;
      const { qs, input } = this.#controls.take();
      if (isStalled) continue;
      this.#session.sendInput(tick, qs, this.#interpolation.viewLag(newest));
      this.#avatar?.onInput(tick, input);
    }
  }

  /** @returns {number} when the next input is due, in ms; Infinity for never */
  get inputDueMs() {
    return this.#controls === undefined || this.#room.leaving ? Infinity : this.#room.clock.nextStampMs();
  }

  /**
   * A snapshot was applied.
   * @param {Extract<import('../session.js').SessionEvent, { type: 'Snapshot' }>} snapshot
   * @param {number} nowMs
   */
  onSnapshot({ head, events, bytes }, nowMs) {
    const { history } = this.#room.layers;
    const totals = this.#totals;
    const newest = history[history.length - 1];
    const before = history[history.length - 2];
    if (before !== undefined) {
      totals.skipped += Math.max(0, Math.round((newest.tick - before.tick) / this.#room.snapshotEvery) - 1);
    }
    totals.snapshots++;
    totals.bytes += bytes;
    if (head.substituted) totals.lateInputs++;
    this.#meter.add(bytes, nowMs);
    this.#avatar?.onSnapshot(newest);
    for (const event of events) this.#waiting.push(event);
    if (this.#waiting.length > EVENTS_WAITING_MAX) this.#waiting.splice(0, this.#waiting.length - EVENTS_WAITING_MAX);
  }

  /** A layer's checksum did not match. */
  onDesync() {
    this.#totals.desyncs++;
  }

  /**
   * What to draw now.
   * @param {number} nowMs
   * @returns {View}
   */
  view(nowMs) {
    const { clock, layers, you } = this.#room;
    const { newest } = layers;
    const serverTick = clock.serverTick(nowMs);
    if (newest === undefined || serverTick === undefined) {
      return { entities: [], me: undefined, state: {}, tick: 0, events: [] };
    }
    const shownTick = this.#server.follow(serverTick, nowMs);
    const isStarved = shownTick - this.#interpolation.delay > newest.tick;
    if (isStarved && !this.#isStarved) this.#totals.underruns++;
    this.#isStarved = isStarved;
    this.#interpolation.advance(shownTick, newest.tick);
    const passed = this.#ahead.follow(serverTick + clock.lead, nowMs) - clock.stamped;
    const wanted = this.#room.leaving ? undefined : this.#controls?.look();
    const predicted = this.#avatar?.draw(Math.min(2, Math.max(-1, passed)), nowMs, wanted);
    const entities = this.#others.entities(this.#interpolation.pair(layers.history), predicted);
    const me = predicted ?? entities.find((entity) => entity.avatar && entity.owner === you);
    const tick = this.#interpolation.view;
    return { entities, me, state: this.#others.state(newest), tick, events: this.#eventsUntil(tick) };
  }

  /** @returns {Entity[]} those of the newest snapshot, neither interpolated nor predicted */
  get entities() {
    const { newest } = this.#room.layers;
    return newest === undefined ? [] : this.#newest.entities({ older: newest, newer: newest, alpha: 0 }, undefined);
  }

  /** @returns {Record<string, any>} the room-wide components of the newest snapshot */
  get state() {
    const { newest } = this.#room.layers;
    return newest === undefined ? {} : this.#newest.state(newest);
  }

  /**
   * @param {number} nowMs
   * @param {number} rttMs
   * @returns {import('../types.js').Stats}
   */
  stats(nowMs, rttMs) {
    const { count, bytes } = this.#meter.read(nowMs);
    const { clock } = this.#room;
    return {
      rttMs,
      jitterMs: clock.jitterMs,
      snapshotHz: count,
      bytesPerSnapshot: count === 0 ? 0 : bytes / count,
      bytesPerSecond: bytes,
      interpolationMs: this.#interpolation.delay * clock.periodMs,
      inputSlack: clock.slack === SLACK_NONE ? 0 : clock.slack,
      predictionError: this.#avatar?.error ?? 0,
      ...this.#totals,
      tick: this.#room.newest,
    };
  }

  /**
   * @param {number} tick
   * @returns {GameEvent[]} those that are due to be drawn
   */
  #eventsUntil(tick) {
    let due = 0;
    while (due < this.#waiting.length && this.#waiting[due].tick <= tick) due++;
    const oldest = tick - EVENT_AGE_MAX_MS / this.#room.clock.periodMs;
    return this.#waiting.splice(0, due).filter((event) => event.tick >= oldest);
  }
}

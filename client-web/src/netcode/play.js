/**
 * What a player sees and does in a room: due inputs out, the newest snapshot into the prediction, a
 * view for every animation frame. Puts `clock_sync`, `avatar`, `interpolation` and `others`
 * together; `room.js` drives it. No clocks and sockets: times are arguments, in milliseconds.
 */

import { EVENT_AGE_MAX_MS, EVENTS_WAITING_MAX } from '../limits.js';
import { Meter } from '../meter.js';
import { dequantiseAll, quantiseAll } from '../snapshot/fields.js';
import { Avatar } from './avatar.js';
import { Controls } from './controls.js';
import { Glide } from './glide.js';
import { SLACK_NONE } from './input_timing.js';
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
  #interpolation;
  #others;
  /** The newest snapshot as it is, in objects of its own. */
  #newest;
  /** The inputs' tick as the own projectiles are drawn by. */
  #ahead;
  /** The lead in the last frame. */
  #drawnLead;
  /** The newest snapshot's tick in the last frame, and when that was. */
  #drawn = { newest: 0, ms: 0 };
  /** @type {Controls | undefined} */
  #controls;
  /** @type {Avatar | undefined} */
  #avatar;
  /** @type {GameEvent[]} by rising tick, not yet drawn */
  #waiting = [];
  #meter = new Meter();
  #totals = { snapshots: 0, bytes: 0, skipped: 0, lateInputs: 0, desyncs: 0 };

  /**
   * @param {import('../session.js').Session} session
   * @param {import('../session/room_session.js').RoomSession} room
   */
  constructor(session, room) {
    this.#session = session;
    this.#room = room;
    this.#interpolation = new Interpolation(room.tickRate, room.snapshotEvery);
    this.#others = new Others(room.layout);
    this.#newest = new Others(room.layout);
    this.#ahead = new Glide(room.clock.periodMs);
    this.#drawnLead = room.timing.lead;
  }

  /**
   * From now on an input is sent for every tick.
   * @param {PlayOptions} options
   */
  start({ input, step, smooth }) {
    const { schema, layout, you, tickRate } = this.#room;
    const fields = schema.input;
    this.#controls = new Controls(fields, input);
    if (step === undefined) {
      this.#avatar = undefined;
      return;
    }
    this.#avatar = new Avatar(layout, you, 1 / tickRate, {
      step,
      smoothMs: smooth,
      neutral: dequantiseAll(fields, quantiseAll(fields, {})),
    });
    const { newest } = this.#room.layers;
    if (newest !== undefined) this.#avatar.onSnapshot(newest);
  }

  /**
   * The same seat goes on over another connection: what is drawn and predicted stays.
   * @param {import('../session.js').Session} session
   * @param {import('../session/room_session.js').RoomSession} room
   */
  goOn(session, room) {
    this.#session = session;
    this.#room = room;
  }

  /**
   * Sends the inputs that are due.
   * @param {number} nowMs
   * @param {boolean} isStalled the socket holds back too much: the inputs are left out
   */
  sendInputs(nowMs, isStalled) {
    const { clock, timing, leaving, newest } = this.#room;
    const serverTick = clock.serverTick(nowMs);
    if (this.#controls === undefined || leaving || serverTick === undefined) return;
    for (let tick = timing.nextStamp(serverTick); tick !== undefined; tick = timing.nextStamp(serverTick)) {
      const { qs, input } = this.#controls.take();
      if (isStalled) continue;
      this.#session.sendInput(tick, qs, this.#interpolation.viewLag(newest));
      this.#avatar?.onInput(tick, input);
    }
  }

  /** @returns {number} when the next input is due, in ms; Infinity for never */
  get inputDueMs() {
    const { clock, timing, leaving } = this.#room;
    return this.#controls === undefined || leaving ? Infinity : (clock.timeOf(timing.nextDue) ?? Infinity);
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
      const { gap, snapshotEvery } = this.#room;
      totals.skipped += Math.max(0, Math.round((newest.tick - before.tick) / Math.max(gap, snapshotEvery)) - 1);
    }
    totals.snapshots++;
    totals.bytes += bytes;
    if (head.substituted) totals.lateInputs++;
    this.#meter.add(bytes, nowMs);
    this.#avatar?.onSnapshot(newest);
    for (const event of events) this.#waiting.push(event);
    if (this.#waiting.length > EVENTS_WAITING_MAX) this.#waiting.splice(0, this.#waiting.length - EVENTS_WAITING_MAX);
  }

  /** A layer was not the server's any more. */
  onDesync() {
    this.#totals.desyncs++;
  }

  /**
   * What to draw now.
   * @param {number} nowMs
   * @returns {View}
   */
  view(nowMs) {
    const { clock, timing, layers, restEnd, you } = this.#room;
    const { newest, history } = layers;
    const serverTick = clock.serverTick(nowMs);
    if (newest === undefined || serverTick === undefined) {
      return { entities: [], me: undefined, state: {}, tick: 0, events: [], leaves: [] };
    }
    const interpolation = this.#interpolation;
    if (newest.tick > this.#drawn.newest) this.#others.learn(history, this.#drawn.newest);
    const ms = Math.max(0, nowMs - this.#drawn.ms);
    this.#drawn = { newest: newest.tick, ms: nowMs };
    interpolation.advance(nowMs, serverTick, clock.wait, newest.tick, restEnd);
    const frame = { ms, periodMs: clock.periodMs, passed: interpolation.passed(history), history };
    const inputTick = serverTick + timing.lead;
    const passed = Math.min(2, Math.max(-1, inputTick - timing.stamped));
    const wanted = this.#room.leaving ? undefined : this.#controls?.look();
    const predicted = this.#avatar?.draw(passed, nowMs, wanted, timing.lead - this.#drawnLead);
    this.#drawnLead = timing.lead;
    const own = { you, predicted, newest, tick: interpolation.ownTick(this.#ahead.follow(inputTick, nowMs)) };
    const entities = this.#others.entities(interpolation.pair(history), own, frame);
    const me = predicted ?? entities.find((entity) => entity.avatar && entity.owner === you);
    const tick = interpolation.view;
    return { entities, me, state: this.#others.state(newest), tick, events: this.#eventsUntil(tick), leaves: this.#others.leaves };
  }

  /** @returns {Entity[]} those of the newest snapshot, neither interpolated nor predicted */
  get entities() {
    const { newest } = this.#room.layers;
    return newest === undefined ? [] : this.#newest.entities({ older: newest, newer: newest, alpha: 0, ticks: 0 });
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
    const { clock, timing } = this.#room;
    return {
      rttMs,
      jitterMs: clock.jitter * clock.periodMs,
      snapshotHz: count,
      bytesPerSnapshot: count === 0 ? 0 : bytes / count,
      bytesPerSecond: bytes,
      interpolationMs: this.#interpolation.delay * clock.periodMs,
      inputSlack: timing.slack === SLACK_NONE ? 0 : timing.slack,
      predictionError: this.#avatar?.error ?? 0,
      underruns: this.#interpolation.underruns,
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

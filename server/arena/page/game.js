/**
 * One stay in a room: owns the animation frame, the controls and all that is drawn over the arena.
 * Made when a room is joined, stopped when it is left. Connecting and leaving are main.js.
 */

import { DevPanel } from './client/dev_panel.js';
import { SIZE } from './arena_map.js';
import { step } from './arena_rule.js';
import { Banner } from './banner.js';
import { Camera } from './camera.js';
import { Chat } from './chat.js';
import { element, toast } from './dom.js';
import { Effects, find } from './effects.js';
import { Feed } from './feed.js';
import { Controls } from './input.js';
import { Minimap } from './minimap.js';
import { INK, colourOf, forgetColours, learnColours } from './palette.js';
import { Renderer } from './render.js';
import { Scoreboard } from './scoreboard.js';
import { share } from './share.js';
import { Shots } from './shots.js';
import { Vitals } from './vitals.js';
import { Watch } from './watch.js';
import { inWords } from './why.js';

/** CSS pixels that health and points cover; with the sticks, on touch. */
const FOOT = 90;
const FOOT_TOUCH = 230;
/** How far the camera leads towards the mouse, as a part of its distance. */
const LEAD = 0.12;

/** @typedef {import('/client/types.js').View} View */
/** @typedef {import('/client/types.js').Member} Member */

export class Game {
  #page = element('game', HTMLElement);
  #stage = element('stage', HTMLCanvasElement);
  #camera = new Camera();
  #effects = new Effects(this.#camera);
  #minimap = new Minimap();
  #feed = new Feed();
  #vitals;
  #watch;
  #shots = new Shots();
  #panel;
  #controls;
  #renderer;
  #banner;
  #chat;
  #scores;
  #room;
  /** What was drawn last. @type {View | undefined} */
  view;
  #frame = 0;
  #before = 0;
  /** Members as last told, to say who came and went. @type {Map<number, Member>} */
  #known = new Map();

  /**
   * @param {import('/client/tickwire.js').Room} room
   * @param {() => void} onLeave the visitor wants out
   * @param {() => void} onPlay who watches wants a seat
   */
  constructor(room, onLeave, onPlay) {
    this.#room = room;
    this.#controls = new Controls(this.#stage, () => this.#page.classList.add('touch'));
    this.#renderer = new Renderer(this.#stage, this.#camera, this.#effects, this.#shots, room);
    this.#vitals = new Vitals(room);
    this.#watch = new Watch(room, onPlay);
    this.#page.classList.toggle('watching', room.spectating);
    this.#banner = new Banner(room);
    this.#chat = new Chat(room, () => this.#controls.release());
    this.#scores = new Scoreboard(room);
    const tool = element('tool-net', HTMLButtonElement);
    this.#panel = new DevPanel(room, {
      parent: this.#page,
      onToggle: (isOpen) => tool.setAttribute('aria-expanded', String(isOpen)),
    });
    tool.onclick = () => {
      this.#panel.toggle();
      tool.blur();
    };
    for (const member of room.members.values()) this.#known.set(member.player, member);
    room.on('typing', (/** @type {number[]} */ players) => this.#chat.showTyping(players));
    room.on('chat', (/** @type {import('/client/types.js').ChatLine} */ line) => this.#chat.add(line));
    room.on('members', () => this.#membersChanged());
    room.on('won', (/** @type {{ round: number, name: string }} */ { round, name }, /** @type {number} */ _, /** @type {boolean} */ isPast) => {
      if (!isPast) this.#feed.note(name, INK.text, `won round ${round}`);
    });
    room.on('refused', (/** @type {{ reason: string }} */ { reason }) => toast(inWords(reason), true));
    // Tab is the scoreboard's there.
    this.#stage.onkeydown = (event) => {
      if (event.key === 'Escape') element('tool-link', HTMLButtonElement).focus();
    };
    element('tool-leave', HTMLButtonElement).onclick = onLeave;
    element('tool-link', HTMLButtonElement).onclick = () => share(location.href, `Link copied. Whoever opens it ${room.spectating ? 'watches' : 'joins'} this room.`);
  }

  /** Shows the arena and begins to play. */
  start() {
    this.#page.hidden = false;
    forgetColours();
    this.#chat.start();
    this.#stage.focus({ preventScroll: true });
    if (!this.#room.spectating) {
      this.#controls.start();
      this.#room.play({ input: () => this.#controls.read(), step });
    }
    this.#before = performance.now();
    /** @param {number} now */
    const loop = (now) => {
      this.#frame = requestAnimationFrame(loop);
      this.#draw(now);
    };
    this.#frame = requestAnimationFrame(loop);
  }

  /** Ends drawing and listening. The last picture stays until `hide`. */
  stop() {
    cancelAnimationFrame(this.#frame);
    this.#controls.stop();
    this.#chat.stop();
    this.#scores.stop();
    this.#panel.stop();
    this.#stage.onkeydown = null;
  }

  /** Leaves the screen to the lobby. */
  hide() {
    this.#page.hidden = true;
  }

  /** @param {number} now milliseconds */
  #draw(now) {
    const room = this.#room;
    const seconds = Math.min(0.1, Math.max(0, (now - this.#before) / 1000));
    this.#before = now;
    /** @type {View} */
    const view = room.view(performance.now());
    const { me } = view;
    this.view = view;
    learnColours(view.entities);
    if (room.spectating) this.#lookOn(this.#watch.follow(view, now), seconds);
    else this.#look(me, seconds);
    // The own gun turns at once; what the server has heard of it is older.
    if (me?.heading && me.health.hp > 0) me.heading.angle = this.#controls.aim;
    const trigger = { fire: this.#controls.takeFire(), aim: this.#controls.aim };
    if (this.#shots.update(view, this.#room.you, trigger, now)) this.#effects.fire(me, now);
    this.#effects.take(view, this.#room.you, now);
    this.#tell(view, now);
    this.#renderer.draw(view, now, seconds);
    this.#minimap.show(view, this.#room.you, this.#camera, now);
    this.#vitals.show(view, this.#effects, seconds, now);
    this.#banner.show(view, (handle) => this.#nameOfEntity(view, handle));
    this.#scores.show(view, now);
  }

  /**
   * Follows somebody; where nobody is, the camera rests.
   * @param {import('/client/types.js').Entity | undefined} who
   * @param {number} seconds
   */
  #lookOn(who, seconds) {
    if (who?.pos) this.#camera.follow(who.pos.x, who.pos.y, seconds);
    this.#camera.keepInside(SIZE, FOOT);
  }

  /** @param {import('/client/types.js').Entity | undefined} me @param {number} seconds */
  #look(me, seconds) {
    const camera = this.#camera;
    const controls = this.#controls;
    if (!me?.pos) return;
    const unit = camera.ratio / camera.scale;
    controls.turn(
      (me.pos.x * camera.scale + camera.left) / camera.ratio,
      (me.pos.y * camera.scale + camera.top) / camera.ratio,
    );
    const lead = me.health.hp > 0 ? LEAD * unit : 0;
    camera.follow(me.pos.x + controls.reachX * lead, me.pos.y + controls.reachY * lead, seconds);
    camera.keepInside(SIZE, controls.touched ? FOOT_TOUCH : FOOT);
  }

  /** Writes down what the view's events say. @param {View} view @param {number} now */
  #tell(view, now) {
    for (const event of view.events) {
      if (event.name !== 'kill') continue;
      const who = find(view, event.fields.who);
      const by = find(view, event.fields.by);
      const mine = who === view.me && who !== undefined;
      if (mine) this.#vitals.fell(by ? this.#nameOfEntity(view, by.handle) : '', now);
      const own = mine || (by !== undefined && by === view.me);
      // A room of drones would fill the list; drones are worth a line to who felled them.
      if (who?.kind?.is !== 'player' && !own) continue;
      this.#feed.kill(
        this.#nameOfEntity(view, event.fields.by),
        colourOf(by?.owner, this.#room.you),
        this.#nameOfEntity(view, event.fields.who),
        colourOf(who?.avatar ? who.owner : undefined, this.#room.you),
        own,
      );
    }
  }

  #membersChanged() {
    const { members } = this.#room;
    for (const member of members.values()) {
      if (!this.#known.has(member.player)) this.#feed.note(this.#room.label(member.player), colourOf(member.player, this.#room.you), 'joined');
    }
    for (const member of this.#known.values()) {
      if (!members.has(member.player)) this.#feed.note(this.#room.label(member.player, member.name), INK.muted, 'left');
    }
    this.#known = new Map(members);
  }

  /** @param {View} view @param {number | undefined} handle @returns {string} */
  #nameOfEntity(view, handle) {
    const entity = find(view, handle);
    if (!entity) return 'someone';
    return entity.owner === undefined ? 'a drone' : this.#room.label(entity.owner) || 'someone';
  }
}

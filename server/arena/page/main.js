/**
 * The page: lobby, connection, game, and the way between them. A link lives from choosing a room
 * until leaving it. Lost sockets and reloads are the SDK's: it comes back to the seat. Where the
 * seat is gone, the page joins the room again by its code, which also stands in the address. Who
 * only watches has an address of their own, which leads to watching again.
 *
 * `window.tickwire` is for tests and for the curious, and only to read: `room` is the current room,
 * `view` what was drawn last. Nothing in the page reads it.
 */

import { CloseCode, RequestError } from './client/tickwire.js';
import { toast } from './dom.js';
import { DUEL_OVER, duel } from './duel.js';
import { Game, refusal } from './game.js';
import { Lobby, WATCHED, codeIn } from './lobby.js';
import { Overlay } from './overlay.js';
import { arrive } from './visitor.js';

/** What there is to say about close codes. @type {Map<number, string>} */
const WHY = new Map([
  [CloseCode.Normal, 'The server said goodbye.'],
  [CloseCode.Version, 'This page is older than the server. Reload it.'],
  [CloseCode.ServerFull, 'The server is full. Try again in a moment.'],
  [CloseCode.Superseded, 'You continued in another window.'],
  [CloseCode.Kicked, 'An operator removed you.'],
  [CloseCode.Banned, 'An operator banned you.'],
  [CloseCode.RoomFailed, 'The room failed and was closed.'],
]);
/** For so long what the operator says is shown, in milliseconds: as long as it takes to read it. */
const NOTICE_MS = 12_000;
const UNREACHED = 'The server could not be reached.';

/** @typedef {import('./lobby.js').Way} Way */

const overlay = new Overlay();
const lobby = new Lobby((way) => enter(way));
/** @type {import('/client/tickwire.js').Room | undefined} */
let room;
/** @type {Game | undefined} */
let game;
/** @type {import('/client/tickwire.js').Link | undefined} */
let link;
/** Counts ways into rooms: what an older one still awaits is void. */
let attempt = 0;

/**
 * Connects and joins; shows why if it can't.
 * @param {Way} way
 */
async function enter(way) {
  const mine = ++attempt;
  overlay.show({ title: 'Joining', button: 'Cancel', onPress: toLobby });
  // Another code in the address leads from room to room. What the dev panel was set to goes on in
  // the next one.
  const conditioner = link?.conditioner;
  room?.leave();
  link?.close();
  link = undefined;
  let fresh;
  try {
    fresh = await arrive({ name: lobby.name(), options: { colour: lobby.colour() }, resume: true, conditioner });
    const joined = mine === attempt ? await joinBy(fresh, way) : undefined;
    if (joined === undefined || mine !== attempt) return fresh.close();
    link = fresh;
    fresh.on('notice', ({ text }) => text !== '' && toast(text, false, NOTICE_MS));
    fresh.on('stopping', () => toast('The server restarts. You will be reconnected.'));
    follow(fresh, joined, mine);
  } catch (error) {
    fresh?.close();
    giveUp(error, mine);
  }
}

/**
 * There is no way into a room, unless that was given up meanwhile.
 * @param {unknown} error
 * @param {number} mine the attempt that it ends
 */
function giveUp(error, mine) {
  if (mine !== attempt) return;
  toLobby();
  toast(why(error), true);
}

/**
 * Plays in a room until it is left or lost.
 * @param {import('/client/tickwire.js').Link} fresh
 * @param {import('/client/tickwire.js').Room} joined
 * @param {number} mine the attempt that led here
 */
function follow(fresh, joined, mine) {
  fresh.on('reconnecting', (lost) => mine === attempt && showLost(lost));
  fresh.on('resumed', (back) => mine === attempt && back.room === joined && overlay.hide());
  fresh.on('close', (info) => mine === attempt && onClosed(info));
  joined.on('left', (/** @type {{ reason: string }} */ { reason }) => {
    if (mine !== attempt) return;
    if (reason === 'SeatLost' && !joined.spectating) {
      seatAgain(fresh, joined);
      return;
    }
    toLobby();
    if (reason === 'Kicked') toast('You were removed from the room.', true);
    else if (reason === 'RoomClosed' && joined.spectating) toast('Nobody plays there any more.');
    else if (reason !== 'Asked') toast('The room was closed.', true);
  });
  play(joined);
}

/**
 * @param {import('/client/tickwire.js').Link} fresh
 * @param {Way} way
 * @returns {Promise<import('/client/tickwire.js').Room>}
 */
async function joinBy(fresh, way) {
  // A reload came back to its seat.
  if (fresh.room !== undefined) {
    if (way.how === 'code' && way.code === fresh.room.code && !way.spectate) return fresh.room;
    await fresh.room.leave();
  }
  switch (way.how) {
    case 'quick': return fresh.quickJoin({ filter: { mode: way.mode }, options: { mode: way.mode } });
    case 'room': return fresh.joinRoom(way.id, { spectate: way.spectate });
    case 'code': return fresh.joinCode(way.code, { spectate: way.spectate });
    case 'duel': return duel(fresh, overlay, toLobby);
    default: return fresh.create({ name: way.name, private: way.private, seats: way.seats, kicks: way.kicks, options: { mode: way.mode } });
  }
}

/** @param {import('/client/tickwire.js').Room} joined */
function play(joined) {
  game?.stop();
  room = joined;
  game = new Game(joined, toLobby, () => enter({ how: 'code', code: joined.code }));
  history.replaceState(null, '', `#${addressed(joined)}`);
  document.title = `${joined.info.name} · Tickwire Arena`;
  lobby.hide();
  overlay.hide();
  game.start();
}

/** Ends whatever is under way. */
function toLobby() {
  attempt += 1;
  game?.stop();
  game?.hide();
  game = undefined;
  // Also while the connection is away: a goodbye alone would leave the seat waiting for who is
  // gone.
  room?.leave();
  room = undefined;
  link?.close();
  link = undefined;
  overlay.hide();
  history.replaceState(null, '', location.pathname);
  document.title = 'Tickwire Arena';
  lobby.show();
}

/**
 * The connection is lost and tried again, or the server sends the player on.
 * @param {{ attempt: number, reason: string }} lost
 */
function showLost({ attempt: tries, reason }) {
  const title = reason === 'redirected' ? 'Moving to another server' : 'Connection lost';
  const note = tries < 4 ? 'Getting you back into your seat.' : `Still trying: the server could not be reached ${tries - 1} times.`;
  overlay.show({ title, note, button: 'Back to the lobby', onPress: toLobby });
}

/**
 * The connection is back but the seat is gone, with its room if the server was restarted: then any
 * room will do.
 * @param {import('/client/tickwire.js').Link} fresh
 * @param {import('/client/tickwire.js').Room} before the room
 */
async function seatAgain(fresh, before) {
  const { code, options: { mode } } = before;
  const mine = ++attempt;
  overlay.show({ title: 'Joining again', note: 'You were away for too long to keep your seat.', button: 'Back to the lobby', onPress: toLobby });
  game?.stop();
  try {
    const joined = await fresh.joinCode(code).catch((error) => {
      if (error instanceof RequestError && ['NoSuchRoom', 'KeptOut', 'Locked'].includes(error.reason)) return fresh.quickJoin({ filter: { mode }, options: { mode } });
      throw error;
    });
    if (mine === attempt) follow(fresh, joined, mine);
    else fresh.close();
  } catch (error) {
    giveUp(error, mine);
  }
}

/**
 * The connection is over though nobody asked for it.
 * @param {import('/client/types.js').CloseInfo} info
 */
function onClosed({ code }) {
  attempt += 1;
  game?.stop();
  link = undefined;
  const note = WHY.get(code) ?? UNREACHED;
  overlay.show({ title: 'Disconnected', note, busy: false, button: 'Back to the lobby', onPress: toLobby });
}

/** @param {unknown} error @returns {string} what to tell the visitor */
function why(error) {
  if (!(error instanceof RequestError)) return UNREACHED;
  if (error.reason !== 'Closed') return DUEL_OVER[error.reason] ?? refusal(error.reason);
  return WHY.get(error.code ?? 0) ?? UNREACHED;
}

/** @param {import('/client/tickwire.js').Room} there @returns {string} its part of the address */
function addressed(there) {
  return there.spectating ? `${WATCHED}${there.code}` : there.code;
}

/** Joins the room that the address names, if it names one. */
function joinByAddress() {
  const named = codeIn(location.hash);
  const spectate = named.startsWith(WATCHED);
  const code = spectate ? named.slice(WATCHED.length) : named;
  if (code) enter({ how: 'code', code, spectate });
}

window.addEventListener('hashchange', () => {
  if (room === undefined || codeIn(location.hash) !== addressed(room)) joinByAddress();
});
Object.defineProperty(window, 'tickwire', {
  value: {
    get room() {
      return room;
    },
    get view() {
      return game?.view;
    },
  },
});
lobby.show();
joinByAddress();

/**
 * The page: lobby, link, game, and the way between them. The link (`online.js`) is there from the
 * page's coming on, in the lobby and in rooms. Lost sockets and reloads are the SDK's: it comes back
 * to the seat. Where the seat is gone, the page joins the room again by its code, which also stands
 * in the address. Who only watches has an address of their own, which leads to watching again; who is
 * invited to a party comes by one with `?party=CODE`.
 *
 * `window.tickwire` is for tests and for the curious, and only to read: `room` is the current room,
 * `view` what was drawn last, `link` the link. Nothing in the page reads it.
 */

import { CloseCode, RequestError, partyIn } from './client/tickwire.js';
import { toast } from './dom.js';
import { Game } from './game.js';
import { Lobby, WATCHED, codeIn } from './lobby.js';
import { waitForMatch } from './match_wait.js';
import { Online } from './online.js';
import { Overlay } from './overlay.js';
import { inWords } from './why.js';

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
/** @typedef {import('/client/tickwire.js').Link} Link */
/** @typedef {import('/client/tickwire.js').Room} Room */

const overlay = new Overlay();
const lobby = new Lobby((way) => enter(way), () => online.settle());
const online = new Online({ who: () => ({ name: lobby.name(), colour: lobby.colour() }), onLink, onNone });
/** @type {Room | undefined} */
let room;
/** @type {Game | undefined} */
let game;
/** Counts ways into rooms: what an older one still awaits is void. */
let attempt = 0;
/** A room was asked for on the link, and there is no answer yet. */
let isAsking = false;
/** To which party the address invites. */
let invitation = partyIn();

/** @param {Link} link that is fresh, in the lobby or back in the seat of before a reload */
function onLink(link) {
  lobby.attach(link);
  link.on('notice', ({ text }) => text !== '' && toast(text, false, NOTICE_MS));
  link.on('stopping', () => toast('The server restarts. You will be reconnected.'));
  link.on('reconnecting', (lost) => room !== undefined && showLost(lost));
  link.on('resumed', (back) => room !== undefined && back.room === room && overlay.hide());
  // By the party's leader, or by this page before it was loaded anew.
  link.on('queue', (queue) => link.room === undefined && room === undefined && enter({ how: 'match', mode: '', queue }));
  link.party.on('room', (joined) => {
    attempt += 1;
    follow(joined);
  });
  /** Of which room it was told that the party goes there. @type {number | undefined} */
  let told;
  link.party.on('change', ({ room: theirs }) => {
    if (room !== undefined && theirs !== undefined && theirs.room !== told) toast('Your party goes to another room. Leave this one to follow.');
    told = theirs?.room;
  });
  // Who comes to the lobby has left the room of before, if a reload brought them back to it.
  if (attempt === 0) link.room?.leave();
  const code = invitation;
  invitation = undefined;
  if (code === undefined) return;
  // A reload does not ask again.
  history.replaceState(null, '', location.pathname + location.hash);
  const party = () => lobby.party.join(code);
  if (link.room === undefined) party();
  else link.room.on('left', party);
}

/** There is no link. @param {unknown} error @param {boolean} isFinal nobody tries again */
function onNone(error, isFinal) {
  lobby.detach(isFinal ? why(error) : `${why(error)} Trying again.`);
  if (room === undefined) return;
  attempt += 1;
  game?.stop();
  room = undefined;
  overlay.show({ title: 'Disconnected', note: why(error), busy: false, button: 'Back to the lobby', onPress: toLobby });
}

/**
 * Joins; shows why if it can't.
 * @param {Way} way
 */
async function enter(way) {
  const mine = ++attempt;
  overlay.show({ title: 'Joining', button: 'Cancel', onPress: toLobby });
  // Another code in the address leads from room to room.
  room?.leave();
  room = undefined;
  try {
    const link = await online.get();
    if (mine !== attempt) return;
    const joined = await joinBy(link, way);
    if (mine === attempt) follow(joined);
    else joined.leave();
  } catch (error) {
    giveUp(error, mine);
  } finally {
    if (mine === attempt) isAsking = false;
  }
}

/**
 * There is no way into a room, unless that was given up meanwhile.
 * @param {unknown} error
 * @param {number} mine the attempt that it ends
 */
function giveUp(error, mine) {
  if (mine !== attempt) return;
  isAsking = false;
  toLobby();
  toast(why(error), true);
}

/** Plays in a room until it is left or lost. @param {Room} joined */
function follow(joined) {
  isAsking = false;
  joined.on('left', (/** @type {{ reason: string }} */ { reason }) => {
    if (room !== joined) return;
    if (reason === 'SeatLost' && !joined.spectating) {
      seatAgain(joined);
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
 * @param {Link} link
 * @param {Way} way
 * @returns {Promise<Room>}
 */
async function joinBy(link, way) {
  // A reload came back to its seat.
  if (link.room !== undefined) {
    if (way.how === 'code' && way.code === link.room.code && !way.spectate) return link.room;
    await link.room.leave();
  }
  if (way.how === 'match') return waitForMatch(link, way.queue ?? link.queue(way.mode), way.mode, overlay, toLobby);
  isAsking = true;
  switch (way.how) {
    case 'quick': return link.quickJoin({ filter: { mode: way.mode }, options: { mode: way.mode } });
    case 'room': return link.joinRoom(way.id, { spectate: way.spectate });
    case 'code': return link.joinCode(way.code, { spectate: way.spectate });
    case 'follow': return link.party.follow();
    default: return link.create({ name: way.name, private: way.private, seats: way.seats, kicks: way.kicks, options: { mode: way.mode } });
  }
}

/** @param {Room} joined */
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
  const left = room;
  room = undefined;
  // Also while the connection is away: a goodbye alone would leave the seat waiting for who is
  // gone.
  left?.leave();
  // What was asked for would come all the same.
  if (isAsking) online.renew();
  else if (online.link === undefined) online.keep();
  isAsking = false;
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
 * @param {Room} before the room
 */
async function seatAgain(before) {
  const { code, link, options: { mode } } = before;
  const mine = ++attempt;
  room = undefined;
  overlay.show({ title: 'Joining again', note: 'You were away for too long to keep your seat.', button: 'Back to the lobby', onPress: toLobby });
  game?.stop();
  isAsking = true;
  try {
    const joined = await link.joinCode(code).catch((error) => {
      if (error instanceof RequestError && ['NoSuchRoom', 'KeptOut', 'Locked'].includes(error.reason)) return link.quickJoin({ filter: { mode }, options: { mode } });
      throw error;
    });
    if (mine === attempt) follow(joined);
    else joined.leave();
  } catch (error) {
    giveUp(error, mine);
  }
}

/** @param {unknown} error @returns {string} what to tell the visitor */
function why(error) {
  if (!(error instanceof RequestError)) return UNREACHED;
  if (error.reason !== 'Closed') return inWords(error.reason);
  return WHY.get(error.code ?? 0) ?? UNREACHED;
}

/** @param {Room} there @returns {string} its part of the address */
function addressed(there) {
  return there.spectating ? `${WATCHED}${there.code}` : there.code;
}

/** Joins the room that the address names. @returns {boolean} whether it names one */
function joinByAddress() {
  const named = codeIn(location.hash);
  const spectate = named.startsWith(WATCHED);
  const code = spectate ? named.slice(WATCHED.length) : named;
  if (code) enter({ how: 'code', code, spectate });
  return code !== '';
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
    get link() {
      return online.link;
    },
  },
});
lobby.show();
if (!joinByAddress()) online.keep();

/**
 * The page: lobby, connection, game, and the way between them. A socket lives from choosing a room until leaving
 * it; a lost one is opened again and the room re-joined by its code, which also stands in the address.
 *
 * `window.tickwire` is for tests and for the curious, and only to read: `room` is the current room, `view` what was
 * drawn last. Nothing in the page reads it.
 */

import { RequestError, connect } from '/client/tickwire.js';
import { toast } from './dom.js';
import { Game, refusal } from './game.js';
import { Lobby, codeIn } from './lobby.js';
import { Overlay } from './overlay.js';

/** Tries to get back into a room before giving up. */
const TRIES_MAX = 8;
/** Close codes after which trying again would end the same. */
const FINAL = new Map([
  [1000, 'The server said goodbye.'],
  [4001, 'This page is older than the server. Reload it.'],
  [4005, 'The server is full. Try again in a moment.'],
  [4006, 'You continued in another window.'],
  [4500, 'The room failed and was closed.'],
]);

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
  try {
    if (!(await tryJoin(way, mine))) return;
  } catch (error) {
    if (mine !== attempt) return;
    toLobby();
    toast(why(error), true);
  }
}

/**
 * @param {Way} way
 * @param {number} mine the attempt that this is part of
 * @returns {Promise<boolean>} whether the game runs; false if the attempt was given up meanwhile
 */
async function tryJoin(way, mine) {
  // What the dev panel was set to goes on in the next room.
  const fresh = await connect({ name: lobby.name(), conditioner: link?.conditioner });
  if (mine !== attempt) {
    fresh.close();
    return false;
  }
  let joined;
  try {
    joined = await joinBy(fresh, way);
  } catch (error) {
    fresh.close();
    throw error;
  }
  if (mine !== attempt) {
    fresh.close();
    return false;
  }
  // Another code in the address leads from room to room.
  link?.close();
  link = fresh;
  fresh.on('stopping', () => toast('The server restarts. You will be reconnected.'));
  fresh.on('close', (/** @type {import('/client/types.js').CloseInfo} */ info) => {
    if (mine === attempt) onLost(info, joined.code);
  });
  joined.on('left', (/** @type {{ reason: string }} */ { reason }) => {
    if (mine !== attempt) return;
    toLobby();
    if (reason === 'Kicked') toast('The host removed you from the room.', true);
    else if (reason === 'RoomClosed') toast('The room was closed.', true);
  });
  play(joined);
  return true;
}

/** @param {import('/client/tickwire.js').Link} fresh @param {Way} way @returns {Promise<import('/client/tickwire.js').Room>} */
function joinBy(fresh, way) {
  switch (way.how) {
    case 'quick': return fresh.quickJoin();
    case 'room': return fresh.joinRoom(way.id);
    case 'code': return fresh.joinCode(way.code);
    default: return fresh.create({ name: way.name, private: way.private, seats: way.seats });
  }
}

/** @param {import('/client/tickwire.js').Room} joined */
function play(joined) {
  game?.stop();
  room = joined;
  game = new Game(joined, () => {
    joined.leave();
    toLobby();
  });
  history.replaceState(null, '', `#${joined.code}`);
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
  room = undefined;
  link?.close();
  link = undefined;
  overlay.hide();
  history.replaceState(null, '', location.pathname);
  document.title = 'Tickwire Arena';
  lobby.show();
}

/**
 * The socket is gone though nobody asked for it.
 * @param {import('/client/types.js').CloseInfo} info
 * @param {string} code the room's
 */
async function onLost(info, code) {
  const mine = ++attempt;
  game?.stop();
  link = undefined;
  const final = FINAL.get(info.code);
  if (final) {
    overlay.show({ title: 'Disconnected', note: final, busy: false, button: 'Back to the lobby', onPress: toLobby });
    return;
  }
  overlay.show({ title: 'Connection lost', note: 'Getting you back into the room.', button: 'Back to the lobby', onPress: toLobby });
  let wait = info.retryAfterMs ?? 300;
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    // Spread, so that a server's whole crowd doesn't return at once.
    await new Promise((done) => setTimeout(done, wait * (0.75 + Math.random() * 0.5)));
    if (mine !== attempt) return;
    try {
      // After a restart the room is gone with its code: any room will do.
      await tryJoin({ how: 'code', code }, mine).catch((error) => {
        if (info.code === 1012 && reasonOf(error) === 'NoSuchRoom') return tryJoin({ how: 'quick' }, mine);
        throw error;
      });
      return;
    } catch (error) {
      if (mine !== attempt) return;
      if (reasonOf(error) !== 'Closed') {
        toLobby();
        toast(why(error), true);
        return;
      }
      wait = Math.min(8000, Math.max(500, wait * 1.7));
    }
  }
  overlay.show({ title: 'Connection lost', note: 'The server could not be reached.', busy: false, button: 'Back to the lobby', onPress: toLobby });
}

/** @param {unknown} error @returns {string | undefined} a Refusal's name, `Closed` if there was no connection */
function reasonOf(error) {
  return error instanceof RequestError ? error.reason : undefined;
}

/** @param {unknown} error @returns {string} what to tell the visitor */
function why(error) {
  const reason = reasonOf(error);
  if (reason && reason !== 'Closed') return refusal(reason);
  const code = error instanceof Error && 'code' in error ? Number(error.code) : 0;
  return FINAL.get(code) ?? 'The server could not be reached.';
}

/** Joins the room that the address names, if it names one. */
function joinByAddress() {
  const code = codeIn(location.hash);
  if (code) enter({ how: 'code', code });
  return code !== '';
}

window.addEventListener('hashchange', () => {
  if (codeIn(location.hash) !== room?.code) joinByAddress();
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

/**
 * Where the server is: the WebSocket's URL, or several, from what the page gives, or from where the page and the
 * SDK lie. Called by `tickwire.js`; what is opened there is for `socket.js`.
 *
 * A server hands out the SDK below its own root, at `client/`. So where that is known the WebSocket
 * is its neighbour, `ws`, also behind a proxy that puts the server at a path of its own (`/game/`).
 * A bundle says nothing of that: it has the host's `/ws`.
 *
 * Of a server of several games each has a folder, `/g/NAME/`, with the page, the SDK and the
 * WebSocket in it: so the path says which game a connection is of, too.
 */

import { URLS_MAX } from './limits.js';
import { RequestError } from './request_error.js';

/** What a URL may look like, for errors. */
const EXAMPLE = 'wss://example.org/ws, or ws://127.0.0.1:7777/ws';

/** Where this file lies if a Tickwire server handed it out. */
const SERVED = /\/client\/address\.js$/;

/** A game's folder, as the start of a path, and its name. */
const FOLDER = /^(.*\/g\/([A-Za-z0-9_-]{1,32})\/)/;

/**
 * @typedef {object} Place
 * @property {string | undefined} page the URL that relative ones are relative to; undefined where
 *   there is no page
 * @property {string | undefined} module the URL of this file, as far as it is known
 */

/** @returns {Place} */
function here() {
  // In a page its base, which it may have set; in a worker the script's own URL, which is a blob's
  // where a bundler made it.
  const base = globalThis.document?.baseURI ?? globalThis.location?.href;
  return { page: base?.startsWith('blob:') ? base.slice('blob:'.length) : base, module: import.meta.url };
}

/**
 * The WebSocket's URLs: `http` becomes `ws`, a host or a game's folder alone gets `ws` behind it.
 * Throws a `RequestError` of reason `BadUrl`.
 * @param {unknown} [given] a string or URL, absolute, or relative to the page: `/ws`, `./ws`;
 *   left out: the server that the SDK came from, else that of the game whose folder the page is in,
 *   else `/ws` on the page's host; an array of strings and URLs
 * @param {Place} [place]
 * @returns {string[]} one, or as many as the array has
 */
export function socketUrls(given, place = here()) {
  const named = (/** @type {unknown} */ each, /** @type {string} */ what) => socketUrl(givenUrl(each, place.page, what), each, what);
  if (given === undefined) return [socketUrl(ownUrl(place), given, 'url')];
  if (!Array.isArray(given)) return [named(given, 'url')];
  if (given.length === 0) throw bad('url is an empty list: name at least one');
  if (given.length > URLS_MAX) throw bad(`url is a list of ${given.length}: name at most ${URLS_MAX}`);
  return Array.from(given, (each, at) => named(each, `url[${at}]`));
}

/**
 * @param {readonly string[]} urls absolute
 * @returns {string} the name of the game in whose folder they are; empty where they are in none.
 *   Throws a `RequestError` where they are not of one
 */
export function gameOf(urls) {
  const [first, ...others] = urls.map((url) => FOLDER.exec(new URL(url).pathname)?.[2] ?? '');
  const odd = others.findIndex((game) => game !== first);
  if (odd !== -1) throw bad(`url[0] and url[${odd + 1}] are of two games, ${shown(first)} and ${shown(others[odd])}: name URLs of one, or pass game`);
  return first;
}

/**
 * @param {URL} url
 * @param {unknown} given what it was made of
 * @param {string} what it is called
 * @returns {string}
 */
function socketUrl(url, given, what) {
  url.protocol = url.protocol.replace(/^http/, 'ws');
  if (!/^wss?:$/.test(url.protocol) || url.host === '') throw bad(`${subject(given, what)} does not lead to a WebSocket: use a URL such as ${EXAMPLE}`);
  if (url.pathname === '/' || FOLDER.exec(url.pathname)?.[1] === url.pathname) url.pathname += 'ws';
  url.hash = '';
  return url.href;
}

/**
 * @param {Place} place
 * @returns {URL}
 */
function ownUrl({ page, module }) {
  if (module !== undefined && /^https?:/.test(module) && SERVED.test(new URL(module).pathname)) return new URL('../ws', module);
  if (page !== undefined && /^https?:/.test(page)) return new URL(`${FOLDER.exec(new URL(page).pathname)?.[1] ?? '/'}ws`, page);
  throw bad(`there is no page to take the server's address from: pass url, such as ${EXAMPLE}`);
}

/**
 * @param {unknown} given
 * @param {string | undefined} page
 * @param {string} what it is called
 * @returns {URL}
 */
function givenUrl(given, page, what) {
  const isUrl = typeof given === 'object' && given !== null && Object.prototype.toString.call(given) === '[object URL]';
  const advice = what === 'url' ? `leave it out for the page's own server, or pass one such as ${EXAMPLE}` : `pass one such as ${EXAMPLE}`;
  if (typeof given !== 'string' && !isUrl) throw bad(`${what} is ${shown(given)}: ${advice}`);
  const text = String(given).trim();
  if (text === '') throw bad(`${what} is empty: ${advice}`);
  const isRelative = /^\.{0,2}\//.test(text);
  // A host without its scheme would be taken for the name of a file beside the page.
  if (!isRelative && !/^[a-z][a-z0-9+.-]*:/i.test(text)) {
    throw bad(`${subject(given, what)} is not a URL such as ${EXAMPLE}; a path on the page's own host begins with / or ./`);
  }
  if (isRelative && page === undefined) throw bad(`${subject(given, what)} is not a URL such as ${EXAMPLE}: there is no page that it could be relative to`);
  try {
    // A page without an origin of its own (a file's worker, a sandboxed frame's) gives a base that
    // is none.
    return new URL(text, isRelative ? page : undefined);
  } catch (cause) {
    throw bad(`${subject(given, what)} is not a URL such as ${EXAMPLE}`, cause);
  }
}

/** @param {string} message @param {unknown} [cause] */
function bad(message, cause) {
  return new RequestError('BadUrl', message, { cause });
}

/**
 * @param {unknown} given
 * @param {string} what it is called
 * @returns {string} it, and which of several
 */
function subject(given, what) {
  return what === 'url' ? shown(given) : `${what}, ${shown(given)},`;
}

/** @param {unknown} given @returns {string} it in a few words */
function shown(given) {
  if (typeof given === 'string' || given instanceof URL) return JSON.stringify(String(given).slice(0, 200));
  return given === null || typeof given !== 'object' ? String(given).slice(0, 40) : 'an object';
}

/**
 * Who the visitor is to the server from one visit to the next: a guest whose token the page keeps,
 * for whom rounds count and who has a place on the board.
 *
 * **Several tabs** are several players. The first one is whom the visitor was last time, and has a
 * lock (Web Locks) on that until it is closed; the others are guests of their own, each until its
 * tab is closed. So is every tab where a browser has no locks, as for a page that came without TLS
 * from another machine.
 */

import { CloseCode, RequestError, connect } from './client/tickwire.js';
import { recall, remember } from './storage.js';

/** A server's guests are nobody to another one below the same host. */
const KEY = `tickwire.guest ${new URL('.', location.href).pathname}`;

/** @type {Promise<boolean> | undefined} whether this tab is the first */
let first;

/** @returns {Promise<string>} what the server knows the visitor by; empty if it does not yet */
export async function visitor() {
  const own = recall(KEY, 'sessionStorage');
  const last = recall(KEY);
  // A reload of a tab of its own.
  if (own !== '' && own !== last) return own;
  first ??= isFirst();
  return (await first) ? last : own;
}

/**
 * Connects as whom the visitor was, or as somebody new whom they are from then on.
 * @param {import('/client/types.js').ConnectOptions} options
 * @returns {Promise<import('/client/tickwire.js').Link>}
 */
export async function arrive(options) {
  const token = await visitor();
  const link = await connect({ ...options, token }).catch((error) => {
    const isUnknown = error instanceof RequestError && error.code === CloseCode.Unauthorised;
    if (token === '' || !isUnknown) throw error;
    keep('');
    return connect(options);
  });
  keep(link.token);
  return link;
}

/** @param {string} token */
async function keep(token) {
  remember(KEY, token, 'sessionStorage');
  if (await first) remember(KEY, token);
}

/** @returns {Promise<boolean>} whether no other tab is; none is then until this one is closed */
function isFirst() {
  return new Promise((resolve) => {
    if (navigator.locks === undefined) return resolve(false);
    const held = navigator.locks.request(KEY, { ifAvailable: true }, (lock) => {
      resolve(lock !== null);
      return lock === null ? undefined : new Promise(() => {});
    });
    held.catch(() => resolve(false));
  });
}

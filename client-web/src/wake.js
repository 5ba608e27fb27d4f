/**
 * When a page may have been cut off without hearing of it: it is shown or goes on after it was
 * hidden or frozen, the browser is online again, the network is another one (then the old one's
 * connections are dead, and nobody says so). `connections.js` asks the server right away instead of
 * waiting for its silence. A Web Worker hears of the network alone, a program in Node of nothing.
 */

/**
 * @param {() => void} wake called each time
 * @param {{ document?: EventTarget & { hidden: boolean }, window?: EventTarget, connection?:
 *   EventTarget }} [page] the page
 * @returns {() => void} ends it
 */
export function onWake(wake, page = thisPage()) {
  const { document, window, connection } = page;
  const abort = new AbortController();
  const { signal } = abort;
  document?.addEventListener('visibilitychange', () => document.hidden || wake(), { signal });
  document?.addEventListener('resume', wake, { signal });
  window?.addEventListener('online', wake, { signal });
  window?.addEventListener('pageshow', (event) => /** @type {PageTransitionEvent} */ (event).persisted && wake(), { signal });
  connection?.addEventListener('change', wake, { signal });
  return () => abort.abort();
}

function thisPage() {
  if (typeof globalThis.addEventListener !== 'function') return {};
  return { document: globalThis.document, window: globalThis, connection: /** @type {any} */ (globalThis.navigator)?.connection };
}

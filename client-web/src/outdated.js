/**
 * A page whose SDK is of another version than its server, as after an update: it is loaded anew
 * once, which brings the server's own SDK. If that is no better, the page is told as ever. Called
 * by `link.js`; a program without a page is only told.
 */

/** In the tab's storage: the page was loaded anew for this and has met no server since. */
const KEY = 'tickwire reloaded';

/**
 * The server speaks another version.
 * @param {Pick<typeof globalThis, 'location' | 'sessionStorage'>} [page]
 * @returns {boolean} whether the page is being loaded anew
 */
export function reloadOnce(page = globalThis) {
  try {
    if (page.location === undefined || page.sessionStorage.getItem(KEY) !== null) return false;
    page.sessionStorage.setItem(KEY, '1');
    page.location.reload();
    return true;
  } catch {
    // No storage to remember it in: it would go on for ever.
    return false;
  }
}

/**
 * The server speaks this version.
 * @param {Pick<typeof globalThis, 'sessionStorage'>} [page]
 */
export function isCurrent(page = globalThis) {
  try {
    page.sessionStorage.removeItem(KEY);
  } catch {
    // Nor was anything kept.
  }
}

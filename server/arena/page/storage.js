/** What the page remembers of its visitor, in the browser. Where they forbid that, nothing. */

/**
 * @param {string} key
 * @param {'localStorage' | 'sessionStorage'} [where] for the next visit, or for a reload of the tab
 * @returns {string} what was remembered; empty for nothing
 */
export function recall(key, where = 'localStorage') {
  try {
    return window[where].getItem(key) ?? '';
  } catch {
    return '';
  }
}

/**
 * @param {string} key
 * @param {string} value
 * @param {'localStorage' | 'sessionStorage'} [where]
 */
export function remember(key, value, where = 'localStorage') {
  try {
    window[where].setItem(key, value);
  } catch {
    // It lasts for this visit.
  }
}

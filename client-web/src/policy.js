/**
 * What a page's Content-Security-Policy forbids: the browser tells it to the page alone, a socket
 * hears at most that it failed. Called by `socket.js`, for as long as a socket opens; a program
 * without a page has no policy.
 */

/**
 * @param {string} url of a WebSocket that opens
 * @param {(reason: string) => void} listener hears that the policy forbids it, and what would help
 * @returns {() => void} takes the listener away again
 */
export function onForbidden(url, listener) {
  const hear = (/** @type {any} */ { effectiveDirective, disposition, blockedURI }) => {
    // A page that is only watched breaks no connection. Browsers name the URL, its origin or its
    // scheme.
    const { href, origin } = new URL(url);
    if (effectiveDirective !== 'connect-src' || disposition !== 'enforce' || !blockedURI || !href.startsWith(blockedURI)) return;
    listener(`the page's Content-Security-Policy does not let it connect to ${origin} (--connect-origin ${origin} of the page's server would)`);
  };
  globalThis.addEventListener?.('securitypolicyviolation', hear);
  return () => globalThis.removeEventListener?.('securitypolicyviolation', hear);
}

/** What the visitor passes on to others: it is copied, or shown where copying is forbidden. */

import { toast } from './dom.js';

/** @param {string} text a link or a code @param {string} done what to say when it was copied */
export async function share(text, done) {
  try {
    await navigator.clipboard.writeText(text);
    toast(done);
  } catch {
    toast(text);
  }
}

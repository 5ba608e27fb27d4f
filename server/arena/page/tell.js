/**
 * What the player tells the room, which nobody hears while the connection is away, but for chat, which
 * waits for it. Used by chat, banner and scoreboard.
 */

import { RequestError } from './client/tickwire.js';
import { toast } from './dom.js';

/**
 * @param {() => void} say asks something of the room
 * @returns {boolean} whether it was sent; if not the player is told
 */
export function tell(say) {
  try {
    say();
    return true;
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    toast('That was not sent: there is no connection right now.', true);
    return false;
  }
}

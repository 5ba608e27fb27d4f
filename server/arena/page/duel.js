/**
 * The wait for a duel, on the sheet over everything: for how long, who else waits, and the match to
 * accept. `main.js` brings the link and takes the room.
 */

/** What to say of how a wait ended, by the SDK's reasons. @type {Record<string, string>} */
export const DUEL_OVER = {
  NotAccepted: 'You did not accept the duel in time.',
  Declined: 'You declined the duel.',
  NotCome: 'You did not come into the arena in time.',
  JoinFailed: 'The arena of the duel could not be joined.',
  Cooling: 'You let a duel come to nothing. Wait a while before the next.',
  Lost: 'You were away for too long.',
  NotQueued: 'You were away for too long.',
  TooFew: 'Nobody came for a duel. Try again later.',
  NoRoom: 'The server has no arena for a duel.',
  NoSuchMode: 'There are no duels on this server.',
};

/**
 * Waits for a duel.
 * @param {import('/client/tickwire.js').Link} link in the lobby
 * @param {import('./overlay.js').Overlay} overlay
 * @param {() => void} onCancel the visitor does not want to any more; the wait was cancelled
 * @returns {Promise<import('/client/tickwire.js').Room>}
 */
export async function duel(link, overlay, onCancel) {
  const queue = link.queue('duel');
  /** The server says how long, now and then: the page counts on from there. */
  let told = performance.now();
  const cancel = () => {
    if (link.state === 'open') queue.cancel();
    onCancel();
  };
  const accept = () => {
    if (link.state === 'open') queue.accept();
  };
  let shown = '';
  const show = () => {
    const { state } = queue;
    const title = titleOf(state);
    const note = noteOf(state, performance.now() - told);
    if (title === shown) return overlay.note(note);
    shown = title;
    const isAsked = state.type === 'offered' && !state.taken;
    overlay.show({ title, note, button: isAsked ? 'Decline' : 'Cancel', onPress: cancel, accept: isAsked ? accept : undefined });
  };
  queue.on('state', () => {
    told = performance.now();
    show();
  });
  show();
  const timer = setInterval(show, 500);
  try {
    return await queue.room;
  } finally {
    clearInterval(timer);
  }
}

/** @param {import('/client/types.js').QueueState} state */
function titleOf(state) {
  switch (state.type) {
    case 'offered': return state.taken ? 'Waiting for your opponent' : 'A duel is found';
    case 'going': return 'Into the arena';
    default: return 'Looking for a duel';
  }
}

/** @param {import('/client/types.js').QueueState} state @param {number} sinceMs it was told */
function noteOf(state, sinceMs) {
  switch (state.type) {
    case 'waiting': {
      const others = state.players - 1;
      const who = others === 0 ? 'Nobody else waits yet.' : others === 1 ? 'One other waits.' : `${others} others wait.`;
      return `${seconds(state.waitedMs + sinceMs)} so far. ${who} In ${seconds(state.leftMs - sinceMs)} you play against a drone.`;
    }
    case 'offered': return `${state.accepted} of ${state.of} have accepted. ${seconds(state.leftMs - sinceMs)} left.`;
    default: return '';
  }
}

/** @param {number} ms */
const seconds = (ms) => `${Math.max(0, Math.round(ms / 1000))} s`;

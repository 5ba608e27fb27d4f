/**
 * The wait for a match, on the sheet over everything: for how long, who else waits, and the match to
 * accept. `main.js` brings the wait and takes the room.
 */

/**
 * What there is to say of a mode.
 * @typedef {{ looking: string, found: string, others: string, end: string }} Words
 * `others`: who has not accepted yet; `end`: what comes when nobody does
 */

/** Where the page was not told of which: a party's leader asked for it. @type {Words} */
const ANY = { looking: 'Looking for a match', found: 'A match is found', others: 'Waiting for the others', end: 'drones take the empty places' };

/** By the modes of the arena's queue. @type {Record<string, Words>} */
const MODES = {
  duel: { looking: 'Looking for a duel', found: 'A duel is found', others: 'Waiting for your opponent', end: 'you play against a drone' },
  pair: { looking: 'Looking for a hunt for two', found: 'A hunt is found', others: 'Waiting for the other one', end: 'you hunt with a drone' },
};

/**
 * Shows a wait until it is over.
 * @param {import('/client/tickwire.js').Link} link in the lobby
 * @param {ReturnType<import('/client/tickwire.js').Link['queue']>} queue
 * @param {string} mode what is waited for; empty where the page does not know yet
 * @param {import('./overlay.js').Overlay} overlay
 * @param {() => void} onCancel the visitor does not want to any more; the wait was cancelled
 * @returns {Promise<import('/client/tickwire.js').Room>}
 */
export async function waitForMatch(link, queue, mode, overlay, onCancel) {
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
    if (state.type === 'waiting') mode = state.mode;
    const words = MODES[mode] ?? ANY;
    const title = titleOf(state, words);
    const note = noteOf(state, words, performance.now() - told);
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

/** @param {import('/client/types.js').QueueState} state @param {Words} words */
function titleOf(state, words) {
  switch (state.type) {
    case 'offered': return state.taken ? words.others : words.found;
    case 'going': return 'Into the arena';
    case 'beside': return 'Your party plays';
    default: return words.looking;
  }
}

/** @param {import('/client/types.js').QueueState} state @param {Words} words @param {number} sinceMs it was told */
function noteOf(state, words, sinceMs) {
  switch (state.type) {
    case 'waiting': {
      const others = state.players - 1;
      const who = others === 0 ? 'Nobody else waits yet.' : others === 1 ? 'One other waits.' : `${others} others wait.`;
      const before = state.expectedMs === undefined ? '' : ` Others waited ${seconds(state.expectedMs)}.`;
      if (state.held) return 'Somebody of your party is away. You go on when they are back.';
      return `${seconds(state.waitedMs + sinceMs)} so far. ${who}${before} In ${seconds(state.leftMs - sinceMs)} ${words.end}.`;
    }
    case 'offered': return `${state.accepted} of ${state.of} have accepted. ${seconds(state.leftMs - sinceMs)} left.`;
    default: return '';
  }
}

/** @param {number} ms */
const seconds = (ms) => `${Math.max(0, Math.round(ms / 1000))} s`;

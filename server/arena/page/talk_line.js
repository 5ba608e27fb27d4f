/** A line of a talk as it is shown. Peers' text is set as text content, never parsed. */

import { setTime } from './chat_line.js';
import { make } from './dom.js';
import { COLOURS } from './palette.js';

const TINTS = Object.values(COLOURS);

/**
 * @param {import('/client/types.js').Line} line
 * @param {string} label what its author is called
 * @param {((handle: string, name: string) => void) | undefined} onAuthor their name was pressed;
 *   undefined: it can't be
 * @returns {HTMLElement}
 */
export function talkLine(line, label, onAuthor) {
  const item = make('li', line.own ? 'own' : '');
  item.dataset.line = String(line.id);
  item.dataset.from = line.from;
  const name = make('bdi', '', label);
  if (line.own || onAuthor === undefined) {
    const who = make('b', line.own ? 'self' : '');
    who.append(name);
    item.append(who);
  } else {
    const who = make('button', 'talk-author');
    who.type = 'button';
    who.title = `Write to ${label}`;
    who.append(name);
    who.addEventListener('click', () => onAuthor(line.from, line.name));
    item.append(who);
  }
  if (!line.own) /** @type {HTMLElement} */ (item.lastElementChild).style.color = tintOf(line.from);
  item.append(make('span', 'talk-text', line.text));
  setTime(item, line.at);
  return item;
}

/** @param {string} handle @returns {string} the same for the same person */
function tintOf(handle) {
  let sum = 0;
  for (const letter of handle) sum = (sum * 31 + letter.charCodeAt(0)) % 65_536;
  return TINTS[sum % TINTS.length];
}

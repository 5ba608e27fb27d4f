/** Who is writing a line, as a chat shows it: of the room (`chat.js`), of a talk (`talk_panel.js`). */

import { make } from './dom.js';

/** Names that are shown. */
const NAMES_MAX = 3;

/**
 * @param {readonly string[]} names peers' text, set as text content
 * @returns {(string | HTMLElement)[]} what a line of text consists of; nothing of nobody
 */
export function whoTypes(names) {
  const shown = names.slice(0, NAMES_MAX).map((name) => make('bdi', '', name));
  const list = shown.flatMap((name, n) => (n === 0 ? [name] : [', ', name]));
  if (names.length === 0) return [];
  return [...list, names.length > NAMES_MAX ? ' and others are typing' : names.length > 1 ? ' are typing' : ' is typing'];
}

/** A line of chat as it is shown. Peers' text is set as text content, never parsed. */

import { make } from './dom.js';
import { colourOf, INK } from './palette.js';

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const DAY = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

/**
 * @param {import('/client/tickwire.js').Room} room
 * @param {import('/client/types.js').ChatLine} line
 * @returns {HTMLElement}
 */
export function chatLine(room, line) {
  const item = make('li');
  item.dataset.line = String(line.id);
  const name = make('b', line.own ? 'self' : '', room.label(line.from, line.name));
  if (!line.own) name.style.color = line.from < 0 ? INK.muted : colourOf(line.from, room.you);
  item.append(name, document.createTextNode(line.text));
  if (line.at !== undefined) setTime(item, line.at);
  return item;
}

/** @param {Date} at @returns {string} */
export function timeOf(at) {
  const isToday = at.toDateString() === new Date().toDateString();
  return (isToday ? CLOCK : DAY).format(at);
}

/** Says when a line was said, in front of it. @param {HTMLElement} item @param {Date} at */
export function setTime(item, at) {
  const time = make('time', 'chat-time', timeOf(at));
  time.dateTime = at.toISOString();
  item.prepend(time);
}

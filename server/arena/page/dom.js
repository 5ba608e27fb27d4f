/**
 * The few helpers that every part of the page uses to find and make elements. Text goes in as text
 * only: nothing here, or anywhere in the page, parses markup.
 */

/**
 * @template {HTMLElement} T
 * @param {string} id
 * @param {{ new (): T }} kind the element's class
 * @returns {T} the page's element of this id; the page is wrong without it
 */
export function element(id, kind) {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`the page has no ${kind.name} #${id}`);
  return found;
}

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {string} [className]
 * @param {string} [text]
 * @returns {HTMLElementTagNameMap[K]}
 */
export function make(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

/**
 * Sets an element's text unless it has it already: layout is only touched by changes.
 * @param {HTMLElement} at
 * @param {string} text
 */
export function write(at, text) {
  if (at.textContent !== text) at.textContent = text;
}

/** Whether the visitor asked for less motion. */
export const still = window.matchMedia('(prefers-reduced-motion: reduce)').matches;

/**
 * Shows a text for a few seconds.
 * @param {string} text
 * @param {boolean} [bad] something failed
 * @param {number} [ms]
 */
export function toast(text, bad = false, ms = 4200) {
  const box = element('toasts', HTMLElement);
  const note = make('div', bad ? 'toast bad' : 'toast', text);
  box.append(note);
  while (box.childElementCount > 3) box.firstElementChild?.remove();
  setTimeout(() => note.remove(), ms);
}

/**
 * A row of tabs by the pattern that screen readers know: one of them is in the order of the keyboard,
 * the arrows, Home and End lead on. What a tab shows is its caller's.
 */

import { make } from './dom.js';

/**
 * One tab: `unread` is how much is new behind it.
 * @typedef {{ id: string, label: string, unread?: number, panel: string }} Tab
 */

export class Tabs {
  #row;
  #onPick;
  /** @type {Map<string, HTMLButtonElement>} */
  #buttons = new Map();
  #current = '';

  /** @param {HTMLElement} row with the role of a list of tabs @param {(id: string) => void} onPick */
  constructor(row, onPick) {
    this.#row = row;
    this.#onPick = onPick;
    row.addEventListener('keydown', (event) => this.#key(event));
  }

  /** @param {Tab[]} tabs in their order @param {string} current its id */
  show(tabs, current) {
    const gone = new Set(this.#buttons.keys());
    for (const [at, tab] of tabs.entries()) {
      gone.delete(tab.id);
      const button = this.#buttons.get(tab.id) ?? this.#make(tab.id);
      const unread = tab.unread ?? 0;
      const count = unread > 99 ? '99+' : String(unread);
      const [name, badge] = button.children;
      if (name.textContent !== tab.label) name.textContent = tab.label;
      if (badge.textContent !== count) badge.textContent = count;
      /** @type {HTMLElement} */ (badge).hidden = unread === 0;
      set(button, 'aria-label', unread === 0 ? tab.label : `${tab.label}, ${count} unread`);
      set(button, 'aria-controls', tab.panel);
      set(button, 'aria-selected', String(tab.id === current));
      button.tabIndex = tab.id === current ? 0 : -1;
      if (this.#row.children[at] !== button) this.#row.insertBefore(button, this.#row.children[at] ?? null);
    }
    for (const id of gone) {
      this.#buttons.get(id)?.remove();
      this.#buttons.delete(id);
    }
    const shown = this.#buttons.get(current);
    if (current === this.#current || shown === undefined) return;
    this.#current = current;
    // The page stays where it is.
    this.#row.scrollLeft = shown.offsetLeft + shown.offsetWidth / 2 - this.#row.clientWidth / 2;
  }

  /** It gets the keyboard. @param {string} id */
  focus(id) {
    this.#buttons.get(id)?.focus();
  }

  /** @param {string} id */
  #make(id) {
    const button = make('button', 'tab');
    button.type = 'button';
    button.id = `tab-${id}`;
    button.setAttribute('role', 'tab');
    button.append(make('bdi'), make('span', 'badge'));
    button.addEventListener('click', () => this.#onPick(id));
    this.#buttons.set(id, button);
    return button;
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const ids = [...this.#row.children].map((button) => button.id.slice('tab-'.length));
    const at = ids.findIndex((id) => this.#buttons.get(id) === document.activeElement);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: ids.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    const id = ids[(to + ids.length) % ids.length];
    this.#onPick(id);
    this.focus(id);
  }
}

/** @param {Element} at @param {string} name @param {string} value */
function set(at, name, value) {
  if (at.getAttribute(name) !== value) at.setAttribute(name, value);
}

/**
 * Whom the page has heard of in the lobby, to be written to by a press, and whom the visitor has
 * blocked. Shown by `talk_panel.js` behind a tab of its own; names are set as text.
 */

import { timeOf } from './chat_line.js';
import { element, make } from './dom.js';

/** People that are listed. */
const SHOWN_MAX = 50;

/** @typedef {import('/client/types.js').Peer} Peer */

export class PeopleList {
  #list = element('people-list', HTMLElement);
  #none = element('people-none', HTMLElement);
  #blockedBox = element('blocked-box', HTMLElement);
  #blocked = element('blocked-list', HTMLElement);
  #onWrite;
  #onUnblock;

  /**
   * @param {(handle: string, name: string) => void} onWrite somebody is to be written to
   * @param {(peer: Peer) => void} onUnblock somebody is to be heard again
   */
  constructor(onWrite, onUnblock) {
    this.#onWrite = onWrite;
    this.#onUnblock = onUnblock;
  }

  /** @param {import('./peers.js').Peers} peers @param {readonly Peer[]} blocked */
  show(peers, blocked) {
    const unheard = new Set(blocked.map(({ handle }) => handle));
    const heard = peers.all.filter(({ handle }) => !unheard.has(handle)).slice(0, SHOWN_MAX);
    fill(this.#list, heard.map(({ handle, name, at }) => {
      const button = make('button', 'person');
      button.type = 'button';
      button.dataset.key = handle;
      const said = make('span', 'person-note', `spoke ${timeOf(at)}`);
      button.append(make('bdi', '', peers.label(handle, name)), said, make('span', 'person-go', 'Write'));
      button.addEventListener('click', () => this.#onWrite(handle, name));
      return button;
    }));
    this.#none.hidden = heard.length > 0;
    fill(this.#blocked, blocked.map((peer) => {
      const button = make('button', 'person');
      button.type = 'button';
      button.dataset.key = peer.handle;
      button.append(make('bdi', '', peer.name || 'Somebody'), make('span', 'person-note', 'blocked'), make('span', 'person-go', 'Unblock'));
      button.addEventListener('click', () => this.#onUnblock(peer));
      return button;
    }));
    this.#blockedBox.hidden = blocked.length === 0;
  }
}

/** Who had the keyboard keeps it. @param {HTMLElement} list @param {HTMLElement[]} buttons */
function fill(list, buttons) {
  const active = document.activeElement;
  const key = active instanceof HTMLElement && list.contains(active) ? active.dataset.key : undefined;
  list.replaceChildren(...buttons.map((button) => {
    const item = make('li');
    item.append(button);
    return item;
  }));
  if (key !== undefined) buttons.find((button) => button.dataset.key === key)?.focus();
}

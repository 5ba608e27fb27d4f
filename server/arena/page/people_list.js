/**
 * Who is in the lobby, and who spoke there of late, to be written to by a press, and whom the visitor
 * has blocked. Shown by `talk_panel.js` behind a tab of its own; names are set as text.
 */

import { timeOf } from './chat_line.js';
import { element, make, write } from './dom.js';

/** Of those who spoke and are not there, so many are listed. */
const SHOWN_MAX = 50;

/** @typedef {import('/client/types.js').Peer} Peer */

export class PeopleList {
  #list = element('people-list', HTMLElement);
  #none = element('people-none', HTMLElement);
  #count = element('people-count', HTMLElement);
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

  /**
   * @param {import('./peers.js').Peers} peers
   * @param {readonly Peer[]} blocked
   * @param {import('/client/tickwire.js').LobbyPeople | undefined} lobby
   * @param {string | undefined} own the visitor's handle
   */
  show(peers, blocked, lobby, own) {
    const unheard = new Set([own, ...blocked.map(({ handle }) => handle)]);
    const spoke = peers.all.filter(({ handle }) => !unheard.has(handle));
    const silent = [...(lobby ?? [])].filter(({ handle }) => !unheard.has(handle) && !spoke.some((of) => of.handle === handle));
    silent.sort((a, b) => a.name.localeCompare(b.name));
    // Who is there in front.
    const here = spoke.filter(({ handle }) => lobby?.has(handle));
    const away = spoke.filter(({ handle }) => !lobby?.has(handle));
    const listed = [...here.map((of) => this.#item(peers, of, 'here')), ...silent.map((of) => this.#item(peers, of, 'here')), ...away.slice(0, SHOWN_MAX).map((of) => this.#item(peers, of, `spoke ${timeOf(of.at)}`))];
    fill(this.#list, listed);
    this.#none.hidden = listed.length > 0;
    const count = lobby?.count ?? 0;
    write(this.#count, count === 0 ? '' : count === 1 ? 'Nobody else is in the lobby.' : `${count} are in the lobby.`);
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

  /** @param {import('./peers.js').Peers} peers @param {Peer} peer @param {string} note */
  #item(peers, { handle, name }, note) {
    const button = make('button', 'person');
    button.type = 'button';
    button.dataset.key = handle;
    button.append(make('bdi', '', peers.label(handle, name)), make('span', 'person-note', note), make('span', 'person-go', 'Write'));
    button.addEventListener('click', () => this.#onWrite(handle, name));
    return button;
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

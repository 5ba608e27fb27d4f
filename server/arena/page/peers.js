/**
 * Of whom the page has heard in the lobby: by handle their name, and when they said something last.
 * Two of one name get a piece of their handles behind it, which is the server's and nobody's to choose.
 */

/** Peers that are kept; who was silent for longest goes. */
const PEERS_MAX = 100;

/** @typedef {{ handle: string, name: string, at: Date }} Peer */

export class Peers {
  /** Who spoke last at the end. @type {Map<string, Peer>} */
  #known = new Map();

  /** @param {import('/client/types.js').Line} line */
  heard({ from, name, at, own }) {
    if (own || from === '') return;
    const before = this.#known.get(from);
    if (before !== undefined && before.at > at) return;
    this.#known.delete(from);
    this.#known.set(from, { handle: from, name, at });
    if (this.#known.size <= PEERS_MAX) return;
    const [silent] = [...this.#known.values()].sort((a, b) => Number(a.at) - Number(b.at));
    this.#known.delete(silent.handle);
  }

  /** Who spoke last in front. @returns {Peer[]} */
  get all() {
    return [...this.#known.values()].sort((a, b) => Number(b.at) - Number(a.at));
  }

  /** @param {string} handle @param {string} name @returns {string} what is theirs alone */
  label(handle, name) {
    const shown = name || 'Somebody';
    const look = lookOf(shown);
    for (const other of this.#known.values()) {
      if (other.handle !== handle && lookOf(other.name) === look) return `${shown} ·${handle.slice(0, 4)}`;
    }
    return shown;
  }
}

/** @param {string} name @returns {string} what names that look alike have in common */
function lookOf(name) {
  return name.replace(/\p{Default_Ignorable_Code_Point}/gu, '').normalize('NFKC').toLowerCase();
}

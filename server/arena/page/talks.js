/**
 * The visitor's talks: the lobby's, the party's, and those with one other player each. What of each is not seen
 * yet, what was said and is not on its way, whom it is with. It outlives links: a talk gets the
 * channel of each new one. No elements; `talk_panel.js` shows it.
 */

import { RequestError } from './client/tickwire.js';
import { recall, remember } from './storage.js';

/** @typedef {import('/client/tickwire.js').Link} Link */
/** @typedef {import('/client/types.js').Line} Line */
/** @typedef {ReturnType<Link['direct']>} Channel */

/** Talks of two that are kept: who was written to last stays. */
const TALKS_MAX = 20;
/** Lines of a talk that were refused and that the visitor may send again; older ones go. */
const REFUSED_MAX = 20;

/**
 * A line that the visitor said and that is not in the talk.
 * @typedef {{ text: string, reason: string }} Unsent `reason`: why it was refused, by the SDK's
 *   name; empty while it is on its way
 */

/** One of them. */
export class Talk {
  /** Of the other one; empty for the lobby's and the party's. */
  handle;
  name;
  /** @type {Channel | undefined} */
  channel;
  /** Lines of others that were not seen. */
  unread = 0;
  /** The number of the newest line that the page has. */
  newest = 0;
  /** What the visitor has begun to write. */
  draft = '';
  /** @type {Unsent[]} */
  unsent = [];
  /** Who else writes there. @type {readonly import('/client/types.js').Peer[]} */
  writers = [];

  /** @param {string} handle @param {string} name */
  constructor(handle, name) {
    this.handle = handle;
    this.name = name;
  }
}

/**
 * What it tells.
 * @typedef {object} Ears
 * @property {() => void} onChange talks, or what of them is unread
 * @property {(talk: Talk, line: Line) => void} onLine somebody said something
 * @property {(talk: Talk) => void} onTyping others write there, or do no longer
 * @property {(talk: Talk) => void} onUnsent what of the visitor's own is not said
 * @property {(reason: string) => void} onRefused a line of theirs was refused, by the SDK's name of why
 * @property {(talk: Talk) => boolean} isSeen whether the visitor looks at it
 */

export class Talks {
  lobby = new Talk('', 'Lobby');
  /** That of the visitor's party, if they are in one. @type {Talk | undefined} */
  party;
  /** By handle, the one that was begun last at the end. @type {Map<string, Talk>} */
  #directs = new Map();
  /** @type {Link | undefined} */
  #link;
  #ears;
  /** Where the talks that are kept were read. */
  #recalled = '';

  /** @param {Ears} ears */
  constructor(ears) {
    this.#ears = ears;
  }

  /** Those of two, in the order of their beginning. @returns {Talk[]} */
  get directs() {
    return [...this.#directs.values()];
  }

  /** @param {Link} link that is fresh, to a server with people */
  attach(link) {
    this.#link = link;
    this.#listen(this.lobby, link.chat);
    link.chat.on('line', (line) => this.#heard(this.lobby, line));
    for (const talk of this.directs) this.#listen(talk, link.direct(talk.handle));
    link.party.on('change', () => link === this.#link && this.#follow(link.party.chat));
    this.#follow(link.party.chat);
    link.on('direct', (channel, line) => {
      const talk = this.open(channel.peer ?? '', line.own ? '' : line.name);
      this.#heard(talk, line);
    });
    link.on('unread', (all) => {
      for (const of of all) this.#count(link, of);
    });
    // The server has said by then who the visitor is.
    const off = link.on('blocked', () => {
      off();
      this.#recall();
    });
  }

  /**
   * The talk with somebody.
   * @param {string} handle
   * @param {string} name theirs; empty if it is not known
   * @returns {Talk}
   */
  open(handle, name) {
    let talk = this.#directs.get(handle);
    if (talk === undefined) {
      talk = new Talk(handle, name);
      if (this.#link !== undefined) this.#listen(talk, this.#link.direct(handle));
      this.#directs.set(handle, talk);
      if (this.#directs.size > TALKS_MAX) this.#closeOne(talk);
      this.#changed();
    } else if (name !== '' && name !== talk.name) {
      talk.name = name;
      this.#changed();
    }
    return talk;
  }

  /** It is not shown any more, until one of both says something. @param {Talk} talk */
  close(talk) {
    if (this.#directs.delete(talk.handle)) this.#changed();
  }

  /** There are too many: one that nobody waits at goes. @param {Talk} newest */
  #closeOne(newest) {
    const others = this.directs.filter((talk) => talk !== newest && !this.#ears.isSeen(talk));
    this.close(others.find(({ unread }) => unread === 0) ?? others[0]);
  }

  /** The visitor looks at it. @param {Talk} talk */
  seen(talk) {
    if (talk.newest > 0) talk.channel?.read(talk.newest);
    if (talk.unread === 0) return;
    talk.unread = 0;
    this.#ears.onChange();
  }

  /** The page shows lines of before, up to this one. @param {Talk} talk @param {number} id */
  reached(talk, id) {
    talk.newest = Math.max(talk.newest, id);
    if (this.#ears.isSeen(talk)) this.seen(talk);
  }

  /**
   * Says something. Throws a `RequestError` where nothing can be said.
   * @param {Talk} talk
   * @param {string} text
   */
  say(talk, text) {
    const { channel } = talk;
    if (channel === undefined) throw new RequestError('Closed', 'there is no connection');
    const answer = channel.say(text);
    const unsent = { text, reason: '' };
    talk.unsent.push(unsent);
    this.#ears.onUnsent(talk);
    answer.then(
      () => this.forget(talk, unsent),
      (error) => {
        unsent.reason = error instanceof RequestError ? error.reason : 'Closed';
        const refused = talk.unsent.filter(({ reason }) => reason !== '');
        if (refused.length > REFUSED_MAX) this.forget(talk, refused[0]);
        this.#ears.onUnsent(talk);
        this.#ears.onRefused(unsent.reason);
      },
    );
  }

  /** @param {Talk} talk @param {Unsent} unsent is of no matter any more */
  forget(talk, unsent) {
    talk.unsent = talk.unsent.filter((other) => other !== unsent);
    this.#ears.onUnsent(talk);
  }

  /** @param {Talk} talk @param {Channel} channel of a link that is fresh */
  #listen(talk, channel) {
    talk.channel = channel;
    talk.writers = [];
    channel.on('typing', (peers) => {
      talk.writers = peers;
      this.#ears.onTyping(talk);
    });
  }

  /** The visitor is in another party, or in none. @param {Channel | undefined} channel */
  #follow(channel) {
    if (channel === this.party?.channel) return;
    const talk = channel && new Talk('', 'Party');
    this.party = talk;
    if (channel !== undefined && talk !== undefined) {
      this.#listen(talk, channel);
      channel.on('line', (line) => this.#heard(talk, line));
    }
    this.#ears.onChange();
  }

  /** @param {Talk} talk @param {Line} line */
  #heard(talk, line) {
    talk.newest = line.id;
    if (!line.own && !this.#ears.isSeen(talk)) {
      talk.unread += 1;
      this.#ears.onChange();
    }
    this.#ears.onLine(talk, line);
    if (this.#ears.isSeen(talk)) this.seen(talk);
  }

  /**
   * Somebody said something while the visitor was away: how much is read.
   * @param {Link} link
   * @param {import('/client/types.js').Unread} unread
   */
  async #count(link, { peer, read }) {
    const talk = this.open(peer.handle, peer.name);
    // At least one; a page of lines says more.
    talk.unread ||= 1;
    this.#ears.onChange();
    try {
      const { value: lines } = await link.direct(peer.handle).history().next();
      const fresh = (lines ?? []).filter(({ own, id }) => !own && id > read);
      if (link !== this.#link || fresh.length === 0) return;
      talk.unread = fresh.length;
      this.#ears.onChange();
      this.reached(talk, fresh[fresh.length - 1].id);
    } catch {
      // That there is something is known anyway.
    }
  }

  get #key() {
    return `tickwire.talks ${new URL('.', location.href).pathname} ${this.#link?.handle ?? ''}`;
  }

  /** Talks of the visit before are there again. */
  #recall() {
    // Those of somebody else whom the visitor was.
    if (this.#recalled !== '' && this.#recalled !== this.#key) this.#directs.clear();
    this.#recalled = this.#key;
    try {
      const known = JSON.parse(recall(this.#key) || '[]');
      for (const { handle, name } of known.slice(-TALKS_MAX)) this.open(String(handle), String(name));
    } catch {
      // Nothing that this page has written.
    }
    this.#changed();
  }

  #changed() {
    // What was kept is read before it is written.
    if (this.#recalled === this.#key) remember(this.#key, JSON.stringify(this.directs.map(({ handle, name }) => ({ handle, name }))));
    this.#ears.onChange();
  }
}

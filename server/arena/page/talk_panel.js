/**
 * The lobby's chat: a tab for all who are there, one for the visitor's party, one for whom the page has
 * heard of, and one for each other player with whom the visitor talks alone. The line that is written is the talk's; Enter sends,
 * Escape leaves a talk of two for the lobby's. One of the lobby's panels; `talks.js` has what is
 * shown, `talk_log.js` its lines.
 */

import { Announcer } from './announcer.js';
import { RequestError } from './client/tickwire.js';
import { element, toast, write } from './dom.js';
import { Peers } from './peers.js';
import { PeopleList } from './people_list.js';
import { Tabs } from './tabs.js';
import { TalkLog } from './talk_log.js';
import { Talks } from './talks.js';
import { whoTypes } from './typing_line.js';
import { inWords } from './why.js';

const LOBBY = 'lobby';
const PEOPLE = 'people';
const PARTY = 'party';

/** @typedef {import('/client/tickwire.js').Link} Link */
/** @typedef {import('/client/types.js').Line} Line */
/** @typedef {import('./talks.js').Talk} Talk */

export class TalkPanel {
  #panel = element('talk', HTMLElement);
  #view = element('talk-view', HTMLElement);
  #peoplePage = element('talk-people', HTMLElement);
  #peer = element('talk-peer', HTMLElement);
  #form = element('talk-form', HTMLFormElement);
  #text = element('talk-text', HTMLInputElement);
  #state = element('talk-state', HTMLElement);
  #typing = element('talk-typing', HTMLElement);
  #announcer = new Announcer();
  #peers = new Peers();
  #talks = new Talks({
    onChange: () => this.#show(),
    onLine: (talk, line) => this.#heard(talk, line),
    onTyping: (talk) => talk === this.#shown && this.#showTyping(),
    onUnsent: (talk) => talk === this.#shown && this.#log?.showUnsent(),
    onRefused: (reason) => this.#announcer.say(`Not sent. ${inWords(reason)}`),
    isSeen: (talk) => talk === this.#shown && this.#isSeen,
  });
  #tabs = new Tabs(element('talk-tabs', HTMLElement), (id) => this.#pick(id));
  #people = new PeopleList((handle, name) => this.#write(handle, name), ({ handle, name }) => this.#block(handle, name, false));
  /** @type {Link | undefined} */
  #link;
  /** The talk whose lines are shown. @type {Talk} */
  #shown = this.#talks.lobby;
  /** @type {TalkLog | undefined} */
  #log;
  /** Who is there, while it is shown. @type {import('/client/tickwire.js').LobbyPeople | undefined} */
  #lobby;
  #isAtPeople = false;
  /** The lobby is on the screen. */
  #isOn = false;
  /** By whom it was told in the game that they wrote. @type {Set<string>} */
  #toasted = new Set();

  constructor() {
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#say(this.#text.value.trim());
    });
    this.#text.addEventListener('input', () => {
      this.#shown.draft = this.#text.value;
      this.#shown.channel?.typing();
    });
    element('party-chat', HTMLButtonElement).addEventListener('click', () => {
      this.#pick(PARTY);
      this.#text.focus();
    });
    this.#panel.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape' || this.#shown.handle === '' || this.#isAtPeople) return;
      this.#leaveTalk(this.#shown);
    });
    element('talk-block', HTMLButtonElement).addEventListener('click', () => this.#block(this.#shown.handle, this.#shown.name, true));
    element('talk-close', HTMLButtonElement).addEventListener('click', () => this.#leaveTalk(this.#shown));
    document.addEventListener('visibilitychange', () => this.#look());
    this.#show();
  }

  /** @param {Link} link that is fresh */
  attach(link) {
    this.#link = link;
    this.#lobby = undefined;
    this.#watch();
    this.#panel.hidden = !link.offers.people;
    this.#log?.stop();
    this.#log = undefined;
    if (!link.offers.people) return;
    this.#text.maxLength = link.limits.chatChars;
    this.#talks.attach(link);
    link.on('blocked', () => this.#showPeople());
    link.on('reconnecting', () => write(this.#state, 'Connection lost. What you say waits.'));
    link.on('resumed', () => this.#back(link));
    write(this.#state, '');
    this.#open(this.#shown);
  }

  /** There is no link. @param {string} why */
  detach(why) {
    write(this.#state, why);
  }

  /** The lobby is shown. */
  start() {
    this.#isOn = true;
    this.#toasted.clear();
    this.#watch();
    this.#look();
  }

  /** It is left. */
  stop() {
    this.#isOn = false;
    this.#watch();
    this.#announcer.clear();
  }

  get #isSeen() {
    return this.#isOn && !document.hidden && !this.#isAtPeople;
  }

  /** What is on the screen is seen. */
  #look() {
    if (this.#isSeen) this.#talks.seen(this.#shown);
  }

  /** The connection is back, to whichever server. @param {Link} link */
  #back(link) {
    write(this.#state, '');
    this.#panel.hidden = !link.offers.people;
    // Of a channel in which nobody has spoken since the page came the SDK does not know what was missed.
    if (this.#shown.channel?.lines.length === 0) this.#open(this.#shown);
  }

  /** @param {string} id of a tab */
  #pick(id) {
    this.#isAtPeople = id === PEOPLE;
    this.#watch();
    if (this.#isAtPeople) {
      this.#showPeople();
      return this.#show();
    }
    const talk = id === LOBBY ? this.#talks.lobby : id === PARTY ? this.#talks.party : this.#talks.directs.find(({ handle }) => handle === id);
    if (talk === undefined) return;
    if (talk !== this.#shown || this.#log === undefined) this.#open(talk);
    this.#show();
    this.#look();
  }

  /** Who is in the lobby is told as long as it is shown. */
  #watch() {
    const isWanted = this.#isAtPeople && this.#isOn && this.#link?.state !== 'closed' && this.#link?.offers.lobby === true;
    if (isWanted === (this.#lobby !== undefined)) return;
    this.#lobby?.close();
    this.#lobby = isWanted ? this.#link?.watchLobby() : undefined;
    this.#lobby?.on('change', () => this.#showPeople());
  }

  /** @param {Talk} talk */
  #open(talk) {
    this.#log?.stop();
    this.#shown = talk;
    this.#text.value = talk.draft;
    this.#showTyping();
    this.#log = talk.channel && new TalkLog(talk, {
      label: (line) => (line.own ? 'You' : this.#peers.label(line.from, line.name)),
      heard: (line) => talk === this.#talks.lobby && this.#peers.heard(line),
      reached: (id) => this.#talks.reached(talk, id),
      isBlocked: (handle) => this.#isBlocked(handle),
      onAuthor: talk.handle === '' ? (handle, name) => this.#write(handle, name) : undefined,
      again: (unsent) => {
        this.#talks.forget(talk, unsent);
        this.#say(unsent.text, talk);
      },
      forget: (unsent) => this.#talks.forget(talk, unsent),
    });
    this.#look();
  }

  /** @param {string} handle @param {string} name somebody whom the visitor wants to write to */
  #write(handle, name) {
    try {
      this.#talks.open(handle, name);
    } catch (error) {
      return this.#refused(error);
    }
    this.#pick(handle);
    this.#text.focus();
  }

  /** @param {Talk} talk of two */
  #leaveTalk(talk) {
    this.#pick(LOBBY);
    this.#talks.close(talk);
    this.#text.focus();
  }

  /** @param {string} text @param {Talk} [talk] */
  #say(text, talk = this.#shown) {
    if (text === '') return;
    try {
      this.#talks.say(talk, text);
    } catch (error) {
      return this.#refused(error);
    }
    if (talk !== this.#shown || this.#text.value.trim() !== text) return;
    this.#text.value = '';
    talk.draft = '';
  }

  /** @param {unknown} error */
  #refused(error) {
    if (!(error instanceof RequestError)) throw error;
    toast(`${inWords(error.reason)} Nothing was sent.`, true);
  }

  /** @param {string} handle @param {string} name @param {boolean} isBlocked */
  async #block(handle, name, isBlocked) {
    const link = this.#link;
    try {
      await (isBlocked ? link?.block(handle) : link?.unblock(handle));
    } catch (error) {
      const why = error instanceof RequestError && error.reason === 'RoomFull' ? 'You have blocked as many as one can.' : inWords(error instanceof RequestError ? error.reason : '');
      return toast(why, true);
    }
    toast(isBlocked ? `${name || 'Somebody'} is blocked. You hear nothing of them any more.` : `You hear ${name || 'Somebody'} again.`);
    if (!isBlocked) return this.#showPeople();
    const talk = this.#talks.directs.find((other) => other.handle === handle);
    if (talk !== undefined) this.#leaveTalk(talk);
    this.#log?.forget(handle);
  }

  /** @param {string} handle */
  #isBlocked(handle) {
    return this.#link?.blocked.some((peer) => peer.handle === handle) === true;
  }

  /** @param {Talk} talk @param {Line} line */
  #heard(talk, line) {
    const isLobby = talk === this.#talks.lobby;
    if (isLobby) this.#peers.heard(line);
    if (talk === this.#shown) this.#log?.add(line);
    if (isLobby && this.#isAtPeople) this.#showPeople();
    if (line.own) return;
    const name = this.#peers.label(line.from, line.name);
    // Of the lobby only who is at the chat is told, of a talk of two everybody.
    if (this.#isOn && (!isLobby || this.#panel.contains(document.activeElement))) this.#announcer.say(`${name}: ${line.text}`);
    if (this.#isOn || isLobby || this.#toasted.has(talk.handle)) return;
    this.#toasted.add(talk.handle);
    toast(`${name} wrote to ${talk === this.#talks.party ? 'your party' : 'you'}: ${line.text}`, false, 8000);
  }

  #show() {
    // It may have made place for another one.
    const { lobby, party } = this.#talks;
    if (this.#shown !== lobby && this.#shown !== party && !this.#talks.directs.includes(this.#shown)) this.#open(lobby);
    const isParty = this.#shown === party;
    const current = this.#isAtPeople ? PEOPLE : this.#shown === lobby ? LOBBY : isParty ? PARTY : this.#shown.handle;
    const directs = this.#talks.directs.map(({ handle, name, unread }) => ({ id: handle, label: this.#peers.label(handle, name), unread, panel: 'talk-view' }));
    this.#tabs.show([
      { id: LOBBY, label: 'Lobby', unread: lobby.unread, panel: 'talk-view' },
      ...(party === undefined ? [] : [{ id: PARTY, label: 'Party', unread: party.unread, panel: 'talk-view' }]),
      { id: PEOPLE, label: 'People', panel: 'talk-people' },
      ...directs,
    ], current);
    this.#view.hidden = this.#isAtPeople;
    this.#peoplePage.hidden = !this.#isAtPeople;
    this.#view.setAttribute('aria-labelledby', `tab-${current === PEOPLE ? LOBBY : current}`);
    element('party-chat', HTMLButtonElement).hidden = party === undefined;
    const isOfTwo = this.#shown.handle !== '';
    this.#peer.hidden = !isOfTwo;
    const name = isOfTwo ? this.#peers.label(this.#shown.handle, this.#shown.name) : '';
    write(element('talk-peer-name', HTMLElement), name);
    this.#text.placeholder = isOfTwo ? 'Write to them alone' : isParty ? 'Say something to your party' : 'Say something to the lobby';
    this.#text.setAttribute('aria-label', isOfTwo ? `Message to ${name}` : isParty ? 'Message to your party' : 'Message to the lobby');
    element('talk-log', HTMLElement).setAttribute('aria-label', isOfTwo ? `Chat with ${name}` : isParty ? 'Chat of your party' : 'Chat of the lobby');
    write(element('talk-empty', HTMLElement), isOfTwo ? 'What you write is for them alone. It waits while they are away.' : 'Nobody has said anything yet.');
  }

  #showTyping() {
    const names = this.#shown.writers.map(({ handle, name }) => this.#peers.label(handle, name));
    this.#typing.replaceChildren(...whoTypes(names));
  }

  #showPeople() {
    this.#people.show(this.#peers, this.#link?.blocked ?? [], this.#lobby, this.#link?.handle);
  }
}

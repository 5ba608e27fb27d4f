/**
 * The visitor's party: found one, pass on its link, see who is in it, leave. Where its leader goes
 * the others follow by the SDK; what it says of a refusal is told. One of the lobby's panels; names
 * are set as text.
 */

import { RequestError } from './client/tickwire.js';
import { element, make, toast, write } from './dom.js';
import { share } from './share.js';
import { inWords } from './why.js';

/** @typedef {import('/client/tickwire.js').Link} Link */

export class PartyPanel {
  #panel = element('party', HTMLElement);
  #out = element('party-out', HTMLElement);
  #in = element('party-in', HTMLElement);
  #code = element('party-code', HTMLInputElement);
  #link = element('party-link', HTMLInputElement);
  #list = element('party-list', HTMLElement);
  #count = element('party-count', HTMLElement);
  #note = element('party-note', HTMLElement);
  #follow = element('party-follow', HTMLButtonElement);
  /** @type {Link | undefined} */
  #there;
  #onFollow;
  #wasIn = false;

  /** @param {() => void} onFollow the visitor wants to where the leader is */
  constructor(onFollow) {
    this.#onFollow = onFollow;
    element('party-create', HTMLButtonElement).addEventListener('click', () => this.#ask((link) => link.party.create()));
    element('party-form', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault();
      const code = partyCodeIn(this.#code.value);
      if (code === '') this.#code.focus();
      else this.join(code);
    });
    element('party-copy', HTMLButtonElement).addEventListener('click', () => share(this.#link.value, 'Link copied. Whoever opens it is in your party.'));
    element('party-copy-code', HTMLButtonElement).addEventListener('click', () => share(this.#there?.party.code ?? '', 'Code copied.'));
    this.#link.addEventListener('focus', () => this.#link.select());
    this.#follow.addEventListener('click', () => this.#onFollow());
    element('party-leave', HTMLButtonElement).addEventListener('click', () => this.#ask((link) => link.party.leave()));
  }

  /** @param {Link} link that is fresh */
  attach(link) {
    this.#there = link;
    this.#panel.hidden = !link.offers.parties;
    link.party.on('change', () => this.#show());
    link.party.on('out', ({ why }) => {
      if (why !== 'Left') toast(inWords(why), true);
    });
    link.on('resumed', () => (this.#panel.hidden = !link.offers.parties));
    this.#show();
  }

  start() {
    this.#show();
  }

  stop() {}

  /** @param {string} code of a party that the visitor was invited to */
  join(code) {
    this.#code.value = code;
    return this.#ask(async (link) => {
      await link.party.join(code);
      this.#code.value = '';
      toast(`You are in the party of ${link.party.leader?.name ?? 'somebody'}.`);
    });
  }

  /** @param {(link: Link) => Promise<void> | void} does */
  async #ask(does) {
    try {
      if (this.#there === undefined) throw new RequestError('Closed', 'there is no connection');
      await does(this.#there);
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      return toast(error.reason === 'InRoom' ? 'Leave the room first.' : inWords(error.reason), true);
    }
  }

  #show() {
    const party = this.#there?.party;
    const isIn = party?.code !== undefined;
    const hadFocus = this.#panel.contains(document.activeElement);
    this.#out.hidden = isIn;
    this.#in.hidden = !isIn;
    if (isIn !== this.#wasIn) {
      this.#wasIn = isIn;
      // What had the keyboard is hidden.
      if (hadFocus) element(isIn ? 'party-copy' : 'party-create', HTMLButtonElement).focus({ preventScroll: true });
    }
    if (party === undefined || !isIn) return write(this.#count, '');
    const { members, leads, you } = party;
    write(this.#count, `${members.length} of ${party.most}`);
    const address = party.invitation(location.origin + location.pathname) ?? '';
    if (this.#link.value !== address) this.#link.value = address;
    const kicked = document.activeElement instanceof HTMLElement ? document.activeElement.dataset.member : undefined;
    this.#list.replaceChildren(...members.map((member, at) => this.#item(member, at === 0, member.number === you, leads)));
    if (kicked !== undefined) /** @type {HTMLElement} */ (this.#list.querySelector(`[data-member="${Number(kicked)}"]`) ?? this.#link).focus();
    this.#follow.hidden = party.room === undefined || this.#there?.room !== undefined;
    const alone = members.length === 1;
    write(this.#note, alone ? 'Send the link to those you want to play with.' : leads ? 'You lead: the others follow you into rooms and matches.' : 'You follow the leader into rooms and matches.');
  }

  /** @param {import('/client/types.js').PartyMember} member @param {boolean} isLeader @param {boolean} isOwn @param {boolean} mayKick */
  #item({ number, name, connected }, isLeader, isOwn, mayKick) {
    const item = make('li', connected ? '' : 'away');
    item.append(make('bdi', '', name));
    if (isLeader) item.append(make('span', 'tag lead', 'leader'));
    if (isOwn) item.append(make('span', 'tag', 'you'));
    if (!connected) item.append(make('span', 'tag', 'away'));
    if (mayKick && !isOwn) {
      const button = make('button', 'link', 'Remove');
      button.type = 'button';
      button.dataset.member = String(number);
      button.setAttribute('aria-label', `Remove ${name} from the party`);
      button.addEventListener('click', () => this.#ask((link) => link.party.kick(number)));
      item.append(button);
    }
    return item;
  }
}

/** @param {string} text a code, or a link that has one @returns {string} */
function partyCodeIn(text) {
  const [, code = text] = /[?&]party=([^&#\s]+)/.exec(text) ?? [];
  return code.trim().toUpperCase();
}

/**
 * The card table's page: what the view holds becomes elements, clicks become requests. It has no
 * rules: whether a card fits is the server's answer. See `main.rs` for the game.
 */

import { connect } from './client/tickwire.js';

const SIGNS = { clubs: '♣', diamonds: '♦', hearts: '♥', spades: '♠' };
const LOG_LINES = 6;
/** Seconds for a turn, as in `rounds.rs`: how long the bar is. */
const TURN_S = 20;

const $ = (id) => document.getElementById(id);

/** Makes an element; texts are set as text, since names are what people typed. */
function make(tag, className, text = '') {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  return element;
}

function face({ rank, suit }, tag = 'div') {
  const isRed = suit === 'hearts' || suit === 'diamonds';
  const card = make(tag, isRed ? 'card red' : 'card');
  card.append(make('b', '', rank), make('span', '', SIGNS[suit]), make('b', 'foot', rank));
  card.title = titleOf({ rank, suit });
  return card;
}

function titleOf({ rank, suit }) {
  return `${rank} of ${suit}`;
}

/** Calls `draw` only when what it shows has changed. */
function onChange(draw) {
  let shown;
  return (value) => {
    const now = JSON.stringify(value);
    if (now === shown) return;
    shown = now;
    draw(value);
  };
}

const drawPile = onChange(({ phase, top }) => {
  $('pile').replaceChildren(...(phase === 'waiting' ? [] : [face(top)]));
});

const drawSeats = onChange((seats) => {
  $('seats').replaceChildren(
    ...seats.map(({ name, isMe, isTurn, cards, wins, away }) => {
      const seat = make('li', [isTurn && 'turn', isMe && 'me'].filter(Boolean).join(' '));
      const fan = make('div', 'fan');
      for (let i = 0; i < Math.min(cards, 12); i++) fan.append(make('i', 'card back'));
      seat.append(make('b', '', name), fan, make('small', '', stateOf(cards, away)));
      if (wins > 0) seat.append(make('small', 'wins', '★'.repeat(Math.min(wins, 9))));
      return seat;
    }),
  );
});

/** One player's stay. */
class Table {
  #room;
  #suits = new Map();
  /** What the last request drew, as a card's title. */
  #drawn = '';
  #drawHand = onChange(({ hand, isMine, drawn }) => {
    $('hand').className = isMine ? 'mine' : '';
    $('hand').replaceChildren(
      ...hand.map((card) => {
        const button = face(card, 'button');
        button.onclick = () => this.#play(card);
        button.classList.toggle('new', button.title === drawn);
        const item = make('li', '');
        item.append(button);
        return item;
      }),
    );
  });
  #tell = onChange((text) => {
    $('say').textContent = text;
  });

  constructor(room) {
    this.#room = room;
    $('stock').onclick = () => this.#drawOne();
    for (const [suit, sign] of Object.entries(SIGNS)) {
      const button = make('button', suit, sign);
      button.value = suit;
      button.title = suit;
      this.#suits.set(suit, button);
    }
    $('suits').querySelector('form').replaceChildren(...this.#suits.values());
    room.on('dealt', ({ players }) => this.#log(`Cards for ${players}.`));
    room.on('played', ({ who, rank, suit }) => this.#log(`${this.#nameOf(who)}: ${rank}${SIGNS[suit]}`));
    room.on('drew', ({ who, late }) => this.#log(`${this.#nameOf(who)} ${late ? 'was too slow and drew' : 'drew'}`));
    room.on('got', ({ rank, suit }) => this.#log(`You drew ${rank}${SIGNS[suit]}`));
    room.on('won', ({ who }) => this.#log(`${this.#nameOf(who)} won!`));
  }

  draw(view) {
    const { table } = view.state;
    if (table === undefined) return;
    const seats = view.entities.filter((entity) => entity.seat !== undefined);
    const hand = view.entities.filter((entity) => entity.face !== undefined);
    const isMine = table.turn !== undefined && table.turn === view.me?.handle;
    drawPile({ phase: table.phase, top: { rank: table.rank, suit: table.suit } });
    drawSeats(
      seats.map(({ handle, owner, seat }) => ({
        name: this.#room.label(owner),
        isMe: owner === this.#room.you,
        isTurn: handle === table.turn,
        ...seat,
      })),
    );
    this.#drawHand({ isMine, drawn: this.#drawn, hand: hand.map(({ handle, face: { rank, suit } }) => ({ handle, rank, suit })) });
    $('stock').firstElementChild.textContent = table.phase === 'play' ? table.stock : '';
    const seconds = Math.max(0, (table.ends - view.tick) / this.#room.tickRate);
    $('clock').firstElementChild.style.width = table.phase === 'play' ? `${(seconds / TURN_S) * 100}%` : '0';
    $('clock').className = isMine ? 'mine' : '';
    this.#tell(this.#standing(table, seconds, isMine, hand.length));
  }

  #standing(table, seconds, isMine, held) {
    if (table.phase === 'over') return `${this.#nameOf(table.winner)} wins the round`;
    if (table.phase === 'waiting') {
      return table.ends === 0 ? 'Waiting for another player: open this page twice' : `Dealing in ${Math.ceil(seconds)}`;
    }
    if (isMine) return 'Your turn: play a card, or draw';
    const others = `${this.#nameOf(table.turn)}’s turn`;
    return held === 0 ? `${others}. You play from the next round` : others;
  }

  #nameOf(handle) {
    const seat = this.#room.entities.find((entity) => entity.handle === handle);
    return this.#room.label(seat?.owner) || 'Somebody';
  }

  async #play(card) {
    const suit = card.rank === '8' ? await this.#chooseSuit() : card.suit;
    if (suit !== '') await this.#ask('play', { card: card.handle, suit });
  }

  #chooseSuit() {
    const dialog = $('suits');
    dialog.returnValue = '';
    dialog.showModal();
    return new Promise((resolve) => dialog.addEventListener('close', () => resolve(dialog.returnValue), { once: true }));
  }

  async #drawOne() {
    const drawn = await this.#ask('draw', {});
    if (drawn?.cards === 0) this.#log('No card is left to draw.');
    if (drawn?.cards === 1) this.#drawn = titleOf(drawn);
  }

  /** What the server answers; nothing if it refuses. */
  async #ask(action, fields) {
    this.#drawn = '';
    try {
      return await this.#room.act(action, fields);
    } catch (error) {
      this.#log(`No: ${error.message}`, 'no');
    }
  }

  #log(text, className = '') {
    $('log').append(make('li', className, text));
    while ($('log').children.length > LOG_LINES) $('log').firstElementChild.remove();
  }
}

$('door').onsubmit = async (event) => {
  event.preventDefault();
  try {
    const link = await connect({ name: $('name').value, resume: true });
    // After a reload the seat is there already.
    const room = link.room ?? (await link.quickJoin());
    const table = new Table(room);
    $('door').hidden = true;
    $('room').hidden = false;
    const toDoor = (why) => {
      $('room').hidden = true;
      $('door').hidden = false;
      $('trouble').textContent = why;
    };
    link.on('reconnecting', () => ($('trouble').textContent = 'The connection is lost. Getting you back …'));
    link.on('resumed', () => ($('trouble').textContent = ''));
    link.on('close', ({ reason }) => toDoor(`The connection is gone: ${reason}`));
    room.on('left', () => {
      link.close();
      toDoor('You were away for too long.');
    });
    requestAnimationFrame(function frame(nowMs) {
      if (link.state === 'closed') return;
      table.draw(room.view(nowMs));
      requestAnimationFrame(frame);
    });
  } catch (error) {
    $('trouble').textContent = error.message;
  }
};

/** The tables that others see, before one sits down: what each says of itself. */
async function showTables() {
  const rooms = await (await fetch('./api/rooms')).json();
  $('tables').replaceChildren(
    ...rooms.map(({ name, players, seats, metadata: { phase, round, playing } }) => {
      const standing = phase === 'waiting' ? 'about to deal' : `round ${round}, ${playing} play`;
      return make('li', '', `${name}: ${players} of ${seats} seats, ${standing}`);
    }),
  );
}

showTables().catch((error) => ($('trouble').textContent = error.message));

/** @param {number} cards in the hand @param {boolean} away @returns {string} what a seat is at */
function stateOf(cards, away) {
  if (away) return 'is away';
  return cards === 0 ? 'waits' : `${cards} cards`;
}

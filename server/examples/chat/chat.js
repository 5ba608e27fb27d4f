import { connect } from './client/tickwire.js';

const at = (id) => document.getElementById(id);
const tell = (text) => (at('status').textContent = text);
const element = (tag, text, more = {}) => Object.assign(document.createElement(tag), { textContent: text, ...more });
const list = (id, buttons) => at(id).replaceChildren(...buttons.map((button) => element('li', '').appendChild(button).parentElement));
let link, room, contacts;
/** What is shown: the lobby's channel, a room, or a channel of two; and what was said there before. */
let shown, past;
/** Of each channel of two whose it is, and whether there are lines that were not shown. */
const directs = new Map();

at('door').onsubmit = async (event) => {
  event.preventDefault();
  // Who comes with the token of before is the same person, whom what was said meanwhile waits for.
  const token = sessionStorage.getItem('token') ?? undefined;
  link = await connect({ name: at('name').value, token }).catch((error) => tell(`No: ${error.message}`));
  if (typeof link === 'string') return;
  sessionStorage.setItem('token', link.token);
  [at('door').hidden, at('places').hidden, at('talk').hidden] = [true, false, false];
  link.on('notice', ({ text }) => tell(text));
  link.on('reconnecting', () => tell('The connection is lost: what you say waits until it is back.'));
  link.on('resumed', () => tell(''));
  link.on('unread', (all) => all.forEach(({ peer }) => waits(peer.handle, peer.name, true)));
  link.on('direct', (channel, line) => (channel === shown ? print(line) : waits(channel.peer, line.own ? '' : line.name, !line.own)));
  contacts = link.watch();
  contacts.on('change', (handle) => waits(handle, '', directs.get(handle).isNew));
  link.chat.on('line', (line) => shown === link.chat && print(line));
  show(link.chat, 'Lobby');
  setInterval(listRooms, 1000);
};

/** There is something of two, which is new or was shown. */
function waits(handle, name, isNew) {
  directs.set(handle, { name: name || directs.get(handle)?.name || '?', isNew });
  if (contacts.size < 100) contacts.add(handle);
  const label = (whose, of) => of.name + (of.isNew ? ' (new)' : '') + (contacts.get(whose)?.type === 'offline' ? ', away' : '');
  list('directs', [...directs].map(([whose, of]) => element('button', label(whose, of), { onclick: () => write(whose, of.name) })));
}

function write(handle, name) {
  waits(handle, name, false);
  show(link.direct(handle), name);
}

async function listRooms() {
  const rooms = room ? [] : await link.rooms().catch(() => []);
  list('rooms', rooms.map(({ id, name, players }) => element('button', `${name} (${players})`, { onclick: () => enter(link.joinRoom(id)) })));
}

async function enter(coming) {
  const here = await coming.catch((error) => tell(`No: ${error.message}`));
  if (typeof here === 'string') return;
  room = here;
  room.on('chat', (line) => shown === here && print(line));
  room.on('typing', (players) => (at('typing').textContent = players.map((player) => `${here.label(player)} …`).join(' ')));
  room.on('members', listMembers);
  room.on('left', leave);
  [at('outside').hidden, at('inside').hidden] = [true, false];
  listMembers(room.members);
  show(room, `Room ${room.code}`);
}

/** Who is in the room, and who is away for a moment; a click writes to one of them alone. */
function listMembers(members) {
  const direct = (player) => room.who(player).then(({ handle, name }) => write(handle, name));
  const label = (player, { connected }) => room.label(player) + (connected ? '' : ', away');
  list('members', [...members].map(([player, member]) => element('button', label(player, member), { disabled: player === room.you, onclick: () => direct(player) })));
}

function leave() {
  [at('outside').hidden, at('inside').hidden, room] = [false, true];
  show(link.chat, 'Lobby');
}

function show(source, title) {
  const recent = source.lines ?? source.chat;
  [shown, past] = [source, source.history({ before: recent[0]?.id })];
  [at('title').textContent, at('typing').textContent] = [title, ''];
  at('log').replaceChildren(...recent.map(item));
  earlier();
  at('line').focus();
}

async function earlier() {
  const source = shown;
  const { value: page = [], done } = await past.next().catch(() => ({ done: true }));
  if (source !== shown) return;
  const first = Number(at('log').firstElementChild?.dataset.id ?? Infinity);
  at('log').prepend(...page.filter(({ id }) => id < first).map(item));
  at('earlier').hidden = Boolean(done);
  source.read?.(Number(at('log').lastElementChild?.dataset.id ?? 0));
}

function print(line) {
  at('log').append(item(line));
  at('log').scrollTop = at('log').scrollHeight;
  shown.read?.(line.id);
}

/** Texts of others are texts, and nothing else. */
function item({ id, at: when, own, name, text }) {
  const li = element('li', '', { className: own ? 'own' : '' });
  li.dataset.id = id;
  li.append(element('time', when?.toLocaleTimeString([], { timeStyle: 'short' }) ?? ''), ' ', element('bdi', name), ' ', element('span', text));
  return li;
}

at('lobby').onclick = () => show(link.chat, 'Lobby');
at('room').onclick = () => show(room, `Room ${room.code}`);
at('leave').onclick = () => room.leave();
at('earlier').onclick = earlier;
at('line').oninput = () => shown === room && room.typing();
at('open').onsubmit = (event) => enter(link.create({ name: at('room-name').value }), event.preventDefault());
at('say').onsubmit = (event) => {
  event.preventDefault();
  shown.say(at('line').value).catch((error) => tell(`Not said: ${error.message}`));
  at('line').value = '';
};

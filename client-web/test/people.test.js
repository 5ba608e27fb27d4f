// Channels outside of rooms as a page uses them, on virtual time: what the server is asked on each
// connection, what is told in which order, what waits while there is no way.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { DIRECT_CHANNELS_MAX, UNSAID_MAX } from '../src/limits.js';
import { People } from '../src/people.js';
import * as client from '../src/protocol/client_message.js';
import { RequestError } from '../src/tickwire.js';
import { ControlReader } from '../src/codec.js';
import * as server from './support/messages.js';
import { connected, nextSocket, playing, virtualTime } from './support/page.js';
import { SQUARE } from './support/square.js';

const ANN = 'A'.repeat(16);
const BO = 'B'.repeat(16);

/** A page's people, and what a server hears of them. */
function page(/** @type {boolean | undefined | 'none'} */ state = true) {
  const way = state === 'none' ? undefined : state;
  /** @type {Uint8Array[]} */
  const out = [];
  /** @type {any[]} */
  const told = [];
  const link = { /** @type {boolean | undefined} */ way, isOver: false, nowMs: 0 };
  const people = new People(
    {
      send: (message) => {
        if (link.way) out.push(message);
        return link.way;
      },
      hint: (message) => {
        if (link.way) out.push(message);
        return link.way;
      },
      assertOpen: () => {
        if (link.isOver) throw new RequestError('Closed', 'the link is over');
      },
      onDirect: (channel, line) => told.push(['direct', channel.peer, line.text]),
      onUnread: (unread) => told.push(['unread', ...unread.map(({ peer }) => peer.name)]),
      onBlocked: (peers) => told.push(['blocked', ...peers.map(({ name }) => name)]),
    },
    () => link.nowMs,
  );
  return { people, out, told, link, asked: () => out.splice(0).map(readRequest) };
}

/** @param {Uint8Array} bytes @returns {any} what was asked */
function readRequest(bytes) {
  const fields = new ControlReader(bytes, 2).packed(4096);
  const r = new ControlReader(fields);
  switch (bytes[1]) {
    case 130:
      return { say: r.string(), nonce: r.u32(), text: r.string() };
    case 131:
      return { history: r.string(), nonce: r.u32(), before: r.u32() };
    case 132:
      return { typing: r.string() };
    default:
      switch (r.u32()) {
        case 0:
          return { nonce: r.u32(), lobby: r.bool() };
        case 1:
          return { who: r.u32(), player: r.u32() };
        case 2:
          return { nonce: r.u32(), block: r.string(), blocked: r.bool() };
        default:
          return { read: r.string(), number: r.u32() };
      }
  }
}

/** @param {number} id @param {string} [text] @param {string} [from] */
const line = (id, text = `line ${id}`, from = BO) => ({ id, at: id, from, own: from === ANN, name: 'Bo', text });

/** @param {any} page_ @param {string} channel @param {number[]} ids */
const come = ({ people }, channel, ids) => ids.forEach((id) => people.onLine({ type: 'Line', channel, line: line(id) }));

/** @param {any} page_ @param {number} nonce @param {number[]} ids @param {number} [next] */
const answer = ({ people }, nonce, ids, next = 0) => people.onPast({ nonce, page: { lines: ids.map((id) => line(id)), more: false, next }, refusal: undefined }, 0);

/** @param {any} page_ @param {number} nonce @param {any[]} [unread] */
const you = ({ people }, nonce, unread = []) => people.onNews({ type: 'You', nonce, handle: ANN, unread }, 0);

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('a page that wants nothing of people says nothing', () => {
  const { people, out } = page();
  people.wake();
  people.sleep();
  people.wake();
  assert.deepEqual(out, []);
});

test('the server is asked to tell of people once, and anew on every connection and for the lobby', () => {
  const of = page('none');
  of.people.direct(BO);
  assert.deepEqual(of.asked(), []);
  of.link.way = true;
  of.people.wake();
  const [{ nonce, lobby }, ...none] = of.asked();
  assert.deepEqual([lobby, none], [false, []]);
  you(of, nonce);
  assert.equal(of.people.handle, ANN);
  void of.people.lobby;
  const [wider] = of.asked();
  assert.equal(wider.lobby, true);
  you(of, wider.nonce);
  of.people.sleep();
  of.people.wake();
  const again = of.asked();
  assert.deepEqual([again.length, again[0].lobby], [1, true]);
});

test('a server that is busy is asked again later', () => {
  const of = page();
  of.people.want();
  const [{ nonce }] = of.asked();
  of.people.onNews({ type: 'Out', nonce, reason: 'Busy' }, 0);
  assert.deepEqual(of.asked(), []);
  assert.equal(of.people.dueMs, 1000);
  of.people.onTime(1000);
  assert.equal(of.asked()[0].nonce, nonce);
});

test('lines come in order, each once, and missed ones are read before those that came after', async () => {
  const of = page();
  const channel = of.people.lobby;
  you(of, of.asked()[0].nonce);
  /** @type {number[]} */
  const told = [];
  channel.on('line', ({ id }) => told.push(id));
  come(of, 'lobby', [41, 42, 42, 41]);
  assert.deepEqual(told, [41, 42]);
  // What did not fit, or was said while the connection was lost.
  come(of, 'lobby', [45, 46]);
  assert.deepEqual(told, [41, 42]);
  const [{ history, nonce, before }] = of.asked();
  assert.deepEqual([history, before], ['lobby', 0]);
  answer(of, nonce, [41, 42, 43, 44, 45]);
  await turn();
  come(of, 'lobby', [47]);
  assert.deepEqual(told, [41, 42, 43, 44, 45, 46, 47]);
  assert.deepEqual(
    channel.lines.map(({ id }) => id),
    told,
  );
});

test('on another connection what was missed is read at once, and what waits to be said follows', async () => {
  const of = page();
  const channel = of.people.direct(BO);
  you(of, of.asked()[0].nonce);
  come(of, `@${BO}`, [7]);
  const first = channel.say('a');
  const [{ nonce }] = of.asked();
  of.people.sleep();
  of.link.way = undefined;
  const second = channel.say('b');
  assert.deepEqual(channel.unsaid, ['a', 'b']);
  of.link.way = true;
  of.people.wake();
  const [entering, again] = of.asked();
  assert.deepEqual([entering.lobby, again.nonce], [false, nonce]);
  come(of, `@${BO}`, [10]);
  // The server does one thing after the other.
  you(of, entering.nonce);
  await turn();
  const [page_] = of.asked();
  assert.deepEqual([page_.history, page_.before], [`@${BO}`, 0]);
  of.people.onSaid({ nonce, id: 9, refusal: undefined }, 0);
  const [{ nonce: next, text }] = of.asked();
  assert.equal(text, 'b');
  of.people.onSaid({ nonce: next, id: 11, refusal: undefined }, 0);
  assert.deepEqual(await Promise.all([first, second]), [9, 11]);
  answer(of, page_.nonce, [6, 7, 8, 9, 10]);
  await turn();
  assert.deepEqual(
    of.told.map(([, peer, text_]) => [peer, text_]),
    [7, 8, 9, 10].map((id) => [BO, `line ${id}`]),
  );
});

test('the channel of another server, whose numbers are lower, begins anew', async () => {
  const of = page();
  const channel = of.people.lobby;
  you(of, of.asked()[0].nonce);
  /** @type {number[]} */
  const told = [];
  channel.on('line', ({ id }) => told.push(id));
  come(of, 'lobby', [500]);
  of.people.sleep();
  of.people.wake();
  you(of, of.asked()[0].nonce);
  await turn();
  const [{ nonce }] = of.asked();
  answer(of, nonce, [20, 21]);
  await turn();
  come(of, 'lobby', [22]);
  assert.deepEqual(told, [500, 22]);
});

test('a line without text is of somebody who is blocked: it counts and is not told', () => {
  const of = page();
  const channel = of.people.lobby;
  you(of, of.asked()[0].nonce);
  /** @type {string[]} */
  const told = [];
  channel.on('line', ({ text }) => told.push(text));
  come(of, 'lobby', [1]);
  of.people.onLine({ type: 'Line', channel: 'lobby', line: { ...line(2, ''), from: '', name: '' } });
  come(of, 'lobby', [3]);
  assert.deepEqual(told, ['line 1', 'line 3']);
  assert.deepEqual(of.asked(), [], 'nothing is missing');
});

test('history goes back page by page, and a busy server is asked again', async () => {
  const of = page();
  const channel = of.people.direct(BO);
  you(of, of.asked()[0].nonce);
  const pages = channel.history();
  const first = pages.next();
  let [{ nonce, before }] = of.asked();
  assert.equal(before, 0);
  of.people.onPast({ type: 'Past', nonce, page: undefined, refusal: 'TooOften' }, 0);
  of.people.onTime(1000);
  [{ nonce }] = of.asked();
  answer(of, nonce, [5, 6], 5);
  assert.deepEqual(
    (await first).value?.map(({ id, at }) => [id, at.getTime()]),
    [
      [5, 5000],
      [6, 6000],
    ],
  );
  const second = pages.next();
  await turn();
  [{ nonce, before }] = of.asked();
  assert.equal(before, 5);
  answer(of, nonce, [3, 4]);
  assert.equal((await second).value?.length, 2);
  assert.equal((await pages.next()).done, true);
});

test('lines that were not read are counted, for their numbers count nothing', async () => {
  const of = page();
  const channel = of.people.direct(BO);
  you(of, of.asked()[0].nonce);
  const pages = [
    [[900, 70_000, 70_001], 900],
    [[300, 400, 500], 300],
  ];
  /** @param {Promise<number>} counting @param {any[][]} told */
  const counted = async (counting, told) => {
    for (const [ids, next] of told) {
      await turn();
      answer(of, of.asked()[0].nonce, ids, next);
    }
    return counting;
  };
  assert.equal(await counted(channel.countAfter(900), pages.slice(0, 1)), 2);
  assert.equal(await counted(channel.countAfter(400), pages), 4);
  assert.equal(await counted(channel.countAfter(0, 5), pages), 5);
  assert.equal(await counted(channel.countAfter(0), [...pages, [[7], 0]]), 7);
  assert.deepEqual(of.asked(), [], 'no page more than is needed');
  const own = channel.countAfter(5);
  await turn();
  const said = { ...line(8), own: true };
  of.people.onPast({ type: 'Past', nonce: of.asked()[0].nonce, page: { lines: [said, line(9)], more: false, next: 0 }, refusal: undefined }, 0);
  assert.equal(await own, 1);
});

test('what was said while the player was away is told, and read marks go out once', () => {
  const of = page();
  of.people.want();
  const unread = [{ peer: { handle: BO, name: 'Bo' }, newest: 9, read: 4 }];
  you(of, of.asked()[0].nonce, unread);
  assert.deepEqual(of.told, [['unread', 'Bo']]);
  // The page wants the lobby, too.
  void of.people.lobby;
  you(of, of.asked()[0].nonce, unread);
  assert.equal(of.told.length, 1, 'once on a connection');
  const channel = of.people.direct(BO);
  channel.read(9);
  channel.read(9);
  channel.read(8);
  assert.deepEqual(of.asked(), [{ read: BO, number: 9 }]);
  come(of, `@${BO}`, [10]);
  channel.read();
  assert.deepEqual(of.asked(), [{ read: BO, number: 10 }]);
  of.people.lobby.read(3);
  assert.ok(of.asked().every(({ read }) => read === undefined), 'the lobby has no reader');
});

test('whom the player blocks is listed as the server has it', async () => {
  const of = page();
  const done = of.people.block(BO, true);
  const [entering, { nonce, block, blocked }] = of.asked();
  assert.deepEqual([block, blocked], [BO, true]);
  you(of, entering.nonce);
  of.people.onNews({ type: 'Blocked', peers: [{ handle: ANN, name: 'Ann' }], more: true }, 0);
  of.people.onNews({ type: 'Blocked', peers: [], more: false }, 0);
  of.people.onNews({ type: 'Answer', nonce, peer: { handle: BO, name: 'Bo' }, refusal: undefined }, 0);
  await done;
  assert.deepEqual(
    of.people.blocked.map(({ name }) => name),
    ['Bo', 'Ann'],
  );
  const undone = of.people.block(BO, false);
  of.people.onNews({ type: 'Answer', nonce: of.asked()[0].nonce, peer: { handle: BO, name: 'Bo' }, refusal: undefined }, 0);
  await undone;
  assert.deepEqual(of.told, [
    ['blocked', 'Ann'],
    ['blocked', 'Bo', 'Ann'],
    ['blocked', 'Ann'],
  ]);
  const refused = of.people.block('x', true);
  of.people.onNews({ type: 'Answer', nonce: of.asked()[0].nonce, peer: undefined, refusal: 'NoSuchPlayer' }, 0);
  await assert.rejects(refused, { reason: 'NoSuchPlayer' });
});

test('what waits is bounded, and everything settles at the end', async () => {
  const of = page('none');
  const channel = of.people.lobby;
  const all = Array.from({ length: UNSAID_MAX }, () => channel.say('a'));
  assert.throws(() => channel.say('b'), { reason: 'TooMuch' });
  const asked = of.people.who(3);
  const page_ = channel.history().next();
  const error = new RequestError('Closed', 'the link is over');
  of.link.isOver = true;
  of.people.end(error);
  for (const waiting of [...all, asked, page_]) await assert.rejects(waiting, { reason: 'Closed' });
  assert.throws(() => channel.say('c'), { reason: 'Closed' });
});

test('channels that nobody listens to make room for others', () => {
  const of = page();
  for (let number = 0; number < DIRECT_CHANNELS_MAX; number++) of.people.direct(`${number}`.padStart(16, '0')).on('line', () => {});
  assert.throws(() => of.people.direct(BO), { reason: 'TooMuch' });
  come(of, `@${BO}`, [1]);
  assert.deepEqual(of.told, []);
  const other = page();
  const first = other.people.direct(BO);
  assert.equal(other.people.direct(BO), first);
  for (let number = 0; number < DIRECT_CHANNELS_MAX; number++) other.people.direct(`${number}`.padStart(16, '0'));
  assert.notEqual(other.people.direct(BO), first);
});

test('a server that knows of no people says nothing and has nothing', async () => {
  const { people } = page(false);
  assert.equal(await people.lobby.say('a'), undefined);
  assert.equal((await people.lobby.history().next()).done, true);
  await assert.rejects(people.who(1), { reason: 'NotNow' });
});

test('what no message can carry is refused at once', () => {
  const { people } = page();
  assert.throws(() => people.lobby.say('x'.repeat(5000)));
  assert.throws(() => client.whoIs(1, -1));
});

test('a link speaks beyond its room wherever it is, and goes on over another connection', async (t) => {
  const pass = virtualTime(t);
  for (const enter of [connected, playing]) {
    const { link, socket } = await enter();
    /** @type {string[]} */
    const told = [];
    link.on('direct', (channel, { text }) => told.push(`${channel.peer}: ${text}`));
    const [entering] = socket.takeControl();
    const { nonce } = readRequest(Uint8Array.from(entering));
    socket.receive(server.you(nonce, ANN));
    assert.equal(link.handle, ANN);
    socket.receive(server.line(`@${BO}`, 7, 'hi'));
    assert.deepEqual(told, [`${BO}: hi`]);
    const said = link.direct(BO).say('hello');
    const out = readRequest(Uint8Array.from(socket.takeControl()[0]));
    assert.deepEqual([out.say, out.text], [`@${BO}`, 'hello']);
    socket.end(1006, '');
    link.direct(BO).say('there?');
    const next = nextSocket(pass);
    next.receive(server.welcome(SQUARE, { token: 'who' }));
    const again = next
      .takeControl()
      .filter(([, index]) => index >= 130)
      .map((bytes) => readRequest(Uint8Array.from(bytes)));
    const { nonce: second } = again.find(({ lobby }) => lobby !== undefined);
    assert.equal(again.find(({ say }) => say).nonce, out.nonce);
    next.receive(server.you(second, ANN));
    next.receive(server.said(out.nonce, 8));
    assert.equal(await said, 8);
    link.close();
  }
});

test('who writes in a channel is shown until they say it, or for six seconds, and the server is told seldom', () => {
  const here = page();
  const { people, link, asked } = here;
  const channels = [people.lobby, people.direct(BO)];
  people.wake();
  asked();
  /** @type {string[][]} */
  const told = [];
  for (const channel of channels) channel.on('typing', (peers) => told.push([channel.peer ?? 'lobby', ...peers.map(({ name }) => name)]));
  for (const name of ['lobby', `@${BO}`]) people.onTyping({ type: 'PeerTyping', channel: name, peer: { handle: BO, name: 'Bo' } }, 0);
  // Of a channel that nobody opened.
  people.onTyping({ type: 'PeerTyping', channel: `@${ANN}`, peer: { handle: ANN, name: 'Ann' } }, 0);
  assert.deepEqual(told.splice(0), [['lobby', 'Bo'], [BO, 'Bo']]);
  come(here, 'lobby', [1]);
  assert.deepEqual(told.splice(0), [['lobby']]);
  assert.equal(people.dueMs, 6000);
  people.onTime(6000);
  assert.deepEqual(told.splice(0), [[BO]]);
  people.onTyping({ type: 'PeerTyping', channel: 'lobby', peer: { handle: BO, name: 'Bo' } }, 7000);
  people.sleep();
  assert.deepEqual(told.splice(0), [['lobby', 'Bo'], ['lobby']], 'a lost connection');

  for (let keys = 0; keys < 9; keys++) channels.forEach((channel) => channel.typing());
  assert.deepEqual(asked(), [{ typing: 'lobby' }, { typing: `@${BO}` }]);
  link.nowMs = 3000;
  people.lobby.typing();
  people.lobby.say('hi');
  people.lobby.typing();
  assert.deepEqual(asked().map(({ typing, say }) => typing ?? say), ['lobby', 'lobby', 'lobby']);
  link.way = undefined;
  people.direct(BO).typing();
  link.way = true;
  people.direct(BO).typing();
  assert.deepEqual(asked(), [{ typing: `@${BO}` }], 'what could not be said counts for nothing');
});

test('a party has a channel of its own, until the player is in another', async () => {
  const here = page();
  const { people, asked } = here;
  people.wake();
  const chat = () => people.party;
  assert.equal(chat(), undefined);
  assert.deepEqual(asked(), [], 'nobody wants it');
  people.onNews({ type: 'Party', channel: '&a' }, 0);
  const party = chat();
  assert.ok(party !== undefined);
  assert.equal(party.peer, undefined);
  const [enter] = asked();
  assert.equal(enter.lobby, false);
  you(here, enter.nonce);
  people.onNews({ type: 'Party', channel: '&a' }, 0);
  assert.equal(chat(), party, 'told again');
  /** @type {any[]} */
  const told = [];
  party.on('line', ({ text }) => told.push(text));
  party.on('typing', (peers) => told.push(peers.length));
  people.onTyping({ type: 'PeerTyping', channel: '&a', peer: { handle: BO, name: 'Bo' } }, 0);
  come(here, '&a', [1]);
  come(here, '&b', [2]);
  assert.deepEqual(told.splice(0), [1, 0, 'line 1']);
  const said = party.say('to these alone');
  assert.equal(asked().find(({ say }) => say)?.say, '&a');
  people.onNews({ type: 'Party', channel: '&b' }, 0);
  await assert.rejects(said, { reason: 'NotInRoom' });
  assert.notEqual(chat(), party);
  assert.throws(() => party.say('still?'), { reason: 'NotInRoom' });
  await assert.rejects(party.history().next(), { reason: 'NotInRoom' });
  party.typing();
  assert.deepEqual(asked(), []);
  come(here, '&a', [3]);
  assert.deepEqual(told, []);
  people.onNews({ type: 'Party', channel: '' }, 0);
  assert.equal(chat(), undefined);
});

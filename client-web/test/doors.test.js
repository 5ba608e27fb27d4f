/**
 * A page that names several URLs of its server: where each connection goes, how soon, and that a
 * seat is found whichever it goes through. Pure, then a link on virtual time.
 */

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';

import { Doors } from '../src/doors.js';
import { Backoff } from '../src/reconnect.js';
import { Redirection } from '../src/redirect.js';
import * as client from '../src/protocol/client_message.js';
import { connect } from '../src/tickwire.js';
import { FakeSocket } from './support/fake_socket.js';
import * as server from './support/messages.js';
import { connected, list, newest, nextSocket, options, playing, settled, Storage, virtualTime } from './support/page.js';
import { SQUARE } from './support/square.js';

const [A, B, C] = ['ws://a/ws', 'ws://b/ws', 'ws://c/ws'];
const TARGET = 'ws://target/ws';
const toTarget = { url: TARGET, ticket: 'proof', room: 7, validMs: 5000 };
const url = [A, B, C];

afterEach(() => void FakeSocket.all.splice(0));

/**
 * Virtual time without chance: the first door is the first, a first try is made at once, a later
 * one after half of its longest wait.
 * @param {import('node:test').TestContext} t
 */
function withoutChance(t) {
  t.mock.method(Math, 'random', () => 0);
  return virtualTime(t);
}

/**
 * Every connection fails from now on.
 * @param {(ms: number) => void} pass
 * @param {number} tries
 * @param {[code: number, reason: string]} end
 * @returns {string[]} where they went
 */
function refused(pass, tries, end = [1006, '']) {
  return Array.from({ length: tries }, () => {
    const socket = nextSocket(pass);
    socket.end(...end);
    return socket.url;
  });
}

/** @param {import('../src/link.js').Link} link @returns {number[]} the waits from now on */
function waits(link) {
  /** @type {number[]} */
  const delays = [];
  link.on('reconnecting', ({ delayMs }) => void delays.push(delayMs));
  return delays;
}

test('players spread over the doors, and go round them', () => {
  const firsts = [0, 0.34, 0.999_999].map((chance) => new Doors(url, () => chance).url);
  assert.deepEqual(firsts, [A, B, C]);
  const doors = new Doors([A, B, A, C], () => 0.5);
  const round = [0, 1, 2, 3].map(() => {
    const at = doors.url;
    doors.goOn();
    return at;
  });
  assert.deepEqual(round, [B, C, A, B], 'one that is named twice is one');
});

test('they are known by the same name in any order, and one by its own', () => {
  assert.equal(new Doors([B, C, A]).name, new Doors([A, B, C, B]).name);
  assert.notEqual(new Doors([A, B]).name, new Doors(url).name);
  assert.equal(new Doors([A]).name, A);
});

test('who is lost tries where they were, then every door in turn', () => {
  const redirection = new Redirection(new Doors(url, () => 0.5));
  const tried = (/** @type {number} */ count, isStopping = false) =>
    Array.from({ length: count }, (_, i) => {
      redirection.lost('', isStopping && i === 0);
      return redirection.next(0).url;
    });
  assert.deepEqual(tried(3), [C, A, B], 'nobody was anywhere yet');
  redirection.arrived();
  assert.deepEqual(tried(4), [B, C, A, B]);
  redirection.arrived();
  assert.deepEqual(tried(2, true), [C, A], 'a server that stops is not tried first');
  redirection.begin(toTarget, 0);
  redirection.arrived();
  assert.deepEqual(tried(3), [TARGET, A, B], 'home is where the redirect came from');
  redirection.begin(toTarget, 0);
  redirection.arrived();
  assert.deepEqual(tried(2, true), [B, C]);
});

test('one door is come back to, also when it stops', () => {
  const redirection = new Redirection(new Doors([A]));
  redirection.arrived();
  redirection.lost('', true);
  assert.equal(redirection.next(0).url, A);
  assert.equal(redirection.isUntried, false);
  redirection.begin(toTarget, 0);
  redirection.arrived();
  redirection.lost('', true);
  assert.equal(redirection.next(0).url, TARGET);
  redirection.lost('');
  assert.equal(redirection.next(0).url, A);
  assert.equal(redirection.isUntried, false);
});

test('a door is untried once a loss, a target never', () => {
  const redirection = new Redirection(new Doors([A, B], () => 0));
  const untried = () => {
    redirection.lost('');
    return redirection.isUntried;
  };
  redirection.arrived();
  assert.deepEqual([untried(), untried(), untried(), untried()], [true, true, false, false]);
  redirection.begin(toTarget, 0);
  assert.equal(untried(), false);
  redirection.arrived();
  assert.deepEqual([untried(), untried(), untried(), untried()], [false, true, true, false]);
});

test('what is tried for the first time is not waited for, and the waits grow as if it had not been', () => {
  const [one, several] = [0, 4].map((others) => {
    const backoff = new Backoff(0, () => 0.5);
    return Array.from({ length: 10 }, (_, i) => backoff.next(0, undefined, i > 0 && i <= others));
  });
  assert.deepEqual(several.slice(1, 5), [0, 0, 0, 0]);
  assert.deepEqual([several[0], ...several.slice(5)], one.slice(0, 6));
});

test('a door that lets nobody in is left for the next, at once', async (t) => {
  withoutChance(t);
  const opening = connect({ ...options, url });
  for (const [code, at] of /** @type {[number, string][]} */ ([[1006, A], [4005, B]])) {
    const socket = newest();
    assert.equal(socket.url, at);
    assert.equal(FakeSocket.all.length, 0, 'one at a time');
    socket.end(code, '');
  }
  const third = newest();
  assert.equal(third.url, C);
  third.open();
  assert.deepEqual(third.takeControl(), [list(client.hello('Ann', ''))]);
  third.receive(server.welcome(SQUARE));
  const link = await opening;
  assert.equal(link.state, 'open');
  link.close();
});

test('when none does it says so, after one try each', async (t) => {
  const pass = withoutChance(t);
  for (const reconnect of [true, false]) {
    const opening = connect({ ...options, url, reconnect });
    const where = refused(pass, 3);
    await assert.rejects(opening, {
      reason: 'Closed',
      code: 1006,
      message: /^could not connect to any of ws:\/\/a\/ws, ws:\/\/b\/ws, ws:\/\/c\/ws: is a Tickwire server/,
    });
    assert.deepEqual(where, url);
    pass(60_000);
    assert.equal(FakeSocket.all.length, 0);
  }
});

test('a no that would be the same everywhere is the end', async (t) => {
  withoutChance(t);
  const opening = connect({ ...options, url });
  newest().end(4007, '');
  await assert.rejects(opening, { reason: 'Closed', code: 4007 });
  assert.equal(FakeSocket.all.length, 0);
});

test('a door that the browser forbids is passed by; when it forbids all, it says why', async (t) => {
  withoutChance(t);
  /** @type {string[]} */
  const forbidden = [A, B];
  class Picky extends FakeSocket {
    constructor(/** @type {string} */ at, /** @type {string} */ protocol) {
      super(at, protocol);
      if (!forbidden.includes(at)) return;
      FakeSocket.all.pop();
      throw new Error('insecure');
    }
  }
  const opening = connect({ ...options, url, WebSocket: Picky });
  const socket = newest();
  assert.equal(socket.url, C);
  socket.open();
  socket.receive(server.welcome(SQUARE));
  (await opening).close();
  forbidden.push(C);
  await assert.rejects(connect({ ...options, url, WebSocket: Picky }), { reason: 'BadUrl', message: `could not open ${C}: insecure` });
  await assert.rejects(connect({ ...options, url, WebSocket: /** @type {any} */ (null) }), { reason: 'NoWebSocket' });
});

test('a lost connection is tried where it was, then at each other door at once, then at growing distances', async (t) => {
  const pass = withoutChance(t);
  const { link, socket, room } = await playing({ url });
  const delays = waits(link);
  socket.end(1006, '');
  assert.deepEqual(refused(pass, 6), [A, B, C, A, B, C]);
  assert.deepEqual(delays, [0, 0, 0, 300, 600, 1000, 1000]);
  const back = nextSocket(pass);
  assert.equal(back.url, A);
  assert.deepEqual(back.takeControl(), [client.hello('Ann', 'who'), client.resume('first', { chat: 0, tick: 0 })].map(list));
  back.receive(server.welcome(SQUARE, { token: 'who' }));
  back.receive(server.joined({ you: 2 }));
  assert.equal(link.room, room);
  // The next loss begins anew.
  delays.splice(0);
  back.end(1006, '');
  assert.deepEqual(refused(pass, 3), [A, B, C]);
  assert.deepEqual(delays, [0, 0, 0, 300]);
  link.close();
});

test('one door is waited for as ever', async (t) => {
  const pass = withoutChance(t);
  const { link, socket } = await playing({ url: [A, A] });
  const delays = waits(link);
  socket.end(1006, '');
  assert.deepEqual(refused(pass, 3), [A, A, A]);
  assert.deepEqual(delays, [0, 300, 600, 1000]);
  link.close();
});

test('a server that stops is left for the next door, however long it says that it takes', async (t) => {
  const pass = withoutChance(t);
  for (const end of [
    (/** @type {FakeSocket} */ socket) => socket.end(1012, ''),
    (/** @type {FakeSocket} */ socket) => (socket.receive(server.stopping(9000)), socket.end(1012, '')),
    (/** @type {FakeSocket} */ socket) => (socket.receive(server.stopping(9000)), socket.end(1006, '')),
  ]) {
    const { link, socket } = await playing({ url });
    assert.equal(socket.url, A);
    const delays = waits(link);
    end(socket);
    assert.deepEqual(refused(pass, 3), [B, C, A]);
    assert.deepEqual(delays, [0, 0, 300, 600]);
    link.close();
  }
});

test('from a redirect that leads nowhere the way is home, to the door that it came from', async (t) => {
  const pass = withoutChance(t);
  const { link, socket } = await playing({ url });
  socket.receive(server.redirect(toTarget));
  const where = refused(pass, 12);
  const home = where.findIndex((at) => at !== TARGET);
  assert.ok(home > 1, 'the target is tried while the ticket is good');
  assert.deepEqual(where.slice(home, home + 4), [A, B, C, A]);
  link.close();
});

test('a reload finds the seat through whichever door, in whichever order they are named', async (t) => {
  const pass = withoutChance(t);
  const storage = new Storage();
  const { socket } = await playing({ url, resume: true, storage });
  assert.equal(socket.url, A);
  const page = new Storage(storage);
  const opening = connect({ ...options, url: [C, A, B], resume: true, storage: page });
  const again = newest();
  assert.equal(again.url, C);
  again.open();
  assert.deepEqual(again.takeControl(), [client.hello('Ann', 'who'), client.resume('first', { chat: 0, tick: 0 })].map(list));
  // The room is at another node.
  again.receive(server.welcome(SQUARE, { token: 'who' }));
  again.receive(server.redirect(toTarget));
  const target = nextSocket(pass);
  assert.equal(target.url, TARGET);
  assert.deepEqual(target.takeControl(), [client.hello('Ann', 'proof'), client.resume('first', { chat: 0, tick: 0 })].map(list));
  target.receive(server.welcome(SQUARE, { token: 'who' }));
  target.receive(server.joined({ you: 2 }));
  target.receive(server.resumeToken('second'));
  const link = await opening;
  assert.equal(link.room?.you, 2);
  assert.deepEqual([...page.kept.keys()], [...storage.kept.keys()], 'kept under the same name');
  const other = connect({ ...options, url: [A, B], resume: true, storage: new Storage(page) });
  const elsewhere = newest();
  elsewhere.open();
  assert.deepEqual(elsewhere.takeControl(), [list(client.hello('Ann', ''))], 'other doors may be other rooms');
  elsewhere.end(4007, '');
  await assert.rejects(other);
  link.close();
});

test('a seat that was left unheard is given up through any door, and where that leads', async (t) => {
  const pass = withoutChance(t);
  const { link, socket, room } = await playing({ url });
  socket.end(1006, '');
  await room.leave();
  link.close();
  assert.deepEqual(refused(pass, 1), [A]);
  const door = nextSocket(pass);
  assert.equal(door.url, B);
  const resume = list(client.resume('first', { chat: 0, tick: 0 }));
  assert.deepEqual(door.takeControl(), [list(client.hello('Ann', 'who')), resume]);
  door.receive(server.welcome(SQUARE, { token: 'who' }));
  door.receive(server.redirect(toTarget));
  assert.equal(door.closed?.code, 1000);
  const target = nextSocket(pass);
  assert.equal(target.url, TARGET);
  assert.deepEqual(target.takeControl(), [list(client.hello('Ann', 'proof')), resume]);
  target.receive(server.welcome(SQUARE, { token: 'who' }));
  target.receive(server.joined({ you: 2 }));
  assert.equal(target.closed?.code, 1000, 'which gives the seat up');
  pass(60_000);
  assert.equal(FakeSocket.all.length, 0);
});

test('a door that leads round in circles is not followed for ever in the background', async (t) => {
  const pass = withoutChance(t);
  const { link, socket, room } = await playing({ url });
  socket.end(1006, '');
  await room.leave();
  link.close();
  let last = nextSocket(pass);
  for (let hops = 0; last.closed === undefined; last = FakeSocket.all.length > 0 ? nextSocket(pass) : last) {
    last.receive(server.welcome(SQUARE, { token: 'who' }));
    last.receive(server.redirect(toTarget));
    assert.ok(++hops <= 4, 'three are followed');
  }
  pass(60_000);
  assert.equal(FakeSocket.all.length, 0);
});

test('a new link of the same player takes a left seat over, through its own doors', async (t) => {
  const pass = withoutChance(t);
  const { link, socket, room } = await playing({ url });
  socket.end(1006, '');
  await room.leave();
  link.close();
  const opening = connect({ ...options, url: [C, B, A], token: 'who' });
  const next = newest();
  assert.equal(next.url, C);
  next.open();
  assert.deepEqual(next.takeControl(), [client.hello('Ann', 'who'), client.resume('first', { chat: 0, tick: 0 })].map(list));
  next.receive(server.welcome(SQUARE, { token: 'who' }));
  next.receive(server.refused(11));
  (await opening).close();
  pass(60_000);
  assert.equal(FakeSocket.all.length, 0);
});

test('what one node said of the game no other has to say again, nor does a target', async (t) => {
  const pass = withoutChance(t);
  const known = { schemaHash: 'schema', tablesHash: 'tables' };
  const opening = connect({ ...options, url });
  const first = newest();
  first.open();
  first.receive(server.welcome(SQUARE, { token: 'who', hashes: ['schema', 'tables'] }));
  const link = await opening;
  link.quickJoin().catch(() => {});
  first.receive(server.redirect(toTarget));
  const target = nextSocket(pass);
  assert.deepEqual(target.takeControl()[0], list(client.hello('Ann', 'proof', { known })));
  target.end(1012, '');
  await settled();
  link.close();
  const again = connect({ ...options, url: [B, C, A] });
  const second = newest();
  second.open();
  assert.deepEqual(second.takeControl(), [list(client.hello('Ann', '', { known }))]);
  second.receive(server.welcome(SQUARE, { hashes: ['schema', 'tables'], without: ['schema', 'tables'] }));
  assert.equal((await again).schema.game, SQUARE.game);
  (await again).close();
});

test('the lobby comes back through another door too', async (t) => {
  const pass = withoutChance(t);
  const { link, socket } = await connected({ url });
  socket.end(1012, '');
  const next = nextSocket(pass);
  assert.equal(next.url, B);
  assert.deepEqual(next.takeControl(), [list(client.hello('Ann', 'who'))]);
  next.receive(server.welcome(SQUARE, { token: 'who' }));
  assert.equal(link.state, 'open');
  link.close();
});

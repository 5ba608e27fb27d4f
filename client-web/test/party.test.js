// A party as the page has it, against what a server may say: whatever is lost or comes late, its
// promises settle and it stands as the server said last.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ControlReader } from '../src/codec.js';
import { PARTY_JOIN_AGAIN_MS } from '../src/limits.js';
import * as client from '../src/protocol/client_message.js';
import { Feature } from '../src/protocol/frame.js';
import { OUT_OF_PARTY } from '../src/protocol/server_message.js';
import { REFUSALS } from '../src/request_error.js';
import { connect, partyIn } from '../src/tickwire.js';
import { inLobby, inRoom, kept, nonceOf as lastNonce, rejects } from './support/kept.js';
import * as server from './support/messages.js';
import { list, newest, nextSocket, options, settled, virtualTime } from './support/page.js';
import { SQUARE } from './support/square.js';

/** @typedef {import('./support/fake_socket.js').FakeSocket} FakeSocket */

/** @param {number} nonce @param {typeof OUT_OF_PARTY[number]} why */
const out = (nonce, why) => server.outOfParty(nonce, OUT_OF_PARTY.indexOf(why));

/** @param {FakeSocket} socket @param {number} request */
const nonceOf = (socket, request) => lastNonce(socket, 141, request);

test('a party is made, shown, and left', async () => {
  const { link, socket } = await inLobby();
  const { party } = link;
  assert.deepEqual([party.code, party.members.length, party.leads, party.invitation('https://a.test/')], [undefined, 0, false, undefined]);
  let changes = 0;
  /** @type {any[]} */
  const outs = [];
  party.on('change', (changed) => {
    assert.equal(changed, party);
    changes++;
  });
  party.on('out', ({ why }) => outs.push(why));
  const making = party.create();
  socket.receive(server.inParty(nonceOf(socket, 0), ['Ann']));
  await making;
  assert.deepEqual([party.code, party.you, party.most, party.leads], ['ABCD1234', 1, 8, true]);
  socket.receive(server.inParty(0, ['Ann', 'Bo']));
  assert.deepEqual(party.members.map(({ name }) => name), ['Ann', 'Bo']);
  assert.equal(party.leader?.name, 'Ann');

  const link1 = /** @type {string} */ (party.invitation('https://a.test/play?x=1#top'));
  assert.equal(link1, 'https://a.test/play?x=1&party=ABCD1234#top');
  assert.deepEqual([partyIn(link1), partyIn('https://a.test/?party='), partyIn('https://a.test/')], ['ABCD1234', undefined, undefined]);

  party.kick(1);
  assert.deepEqual(socket.takeControl(), [], 'not oneself');
  party.kick(2);
  assert.deepEqual(socket.takeControl(), [list(client.kickFromParty(2))]);
  party.leave();
  assert.deepEqual(socket.takeControl(), [list(client.leaveParty())]);
  socket.receive(out(0, 'Left'));
  assert.deepEqual([outs, party.code, changes], [['Left'], undefined, 3]);
  party.leave();
  party.kick(2);
  assert.deepEqual(socket.takeControl(), []);
});

test('who does not get in stays where they are', async () => {
  const { link, socket } = await inLobby();
  const { party } = link;
  const joining = party.join('abcd-1234');
  socket.receive(server.inParty(nonceOf(socket, 1), ['Bo', 'Ann'], { you: 2 }));
  await joining;
  assert.equal(party.leads, false);
  party.kick(1);
  assert.deepEqual(socket.takeControl(), [], 'who does not lead sends nobody away');
  const [one, other] = [party.join('AAAABBBB'), party.create()];
  const nonce = nonceOf(socket, 0);
  socket.receive(server.inParty(nonce, ['Bo', 'Ann'], { you: 2 }));
  await other;
  socket.receive(out(1, 'NoSuchParty'));
  assert.equal(party.members.length, 2);
  link.close();
  await rejects(one, 'Closed');
  await assert.rejects(party.join(/** @type {any} */ (7)), TypeError);
});

test('a wrong code is told with its reason', async () => {
  const { link, socket } = await inLobby();
  const joining = link.party.join('AAAABBBB');
  socket.receive(out(nonceOf(socket, 1), 'NoSuchParty'));
  await rejects(joining, 'NoSuchParty');
});

test('the page follows the leader where it is told to, once, and tries again while it is busy', async (t) => {
  const pass = virtualTime(t);
  const { link, socket } = await inLobby({ followParty: true });
  /** @type {any[]} */
  const rooms = [];
  link.party.on('room', (room) => rooms.push(room));
  socket.receive(server.inParty(0, ['Bo', 'Ann'], { you: 2, room: 99 }));
  assert.deepEqual(socket.takeControl(), [list(client.joinRoom(99))]);
  socket.receive(server.refused(REFUSALS.indexOf('Busy')));
  await settled();
  socket.receive(server.inParty(0, ['Bo', 'Ann'], { you: 2, room: 99 }));
  assert.deepEqual(socket.takeControl(), []);
  pass(PARTY_JOIN_AGAIN_MS);
  assert.deepEqual(socket.takeControl().filter(([, index]) => index === 3), [list(client.joinRoom(99))]);
  socket.receive(server.joined({ you: 2 }));
  await settled();
  assert.deepEqual([rooms.length, rooms[0]], [1, link.room]);
  // Once it was left it is not followed again, another one is: from the lobby.
  socket.receive(server.inParty(0, ['Bo', 'Ann'], { you: 2, room: 100 }));
  assert.deepEqual(socket.takeControl().filter(([, index]) => index === 3), []);
});

test('a page that does not follow by itself does so when it is asked to', async () => {
  const { link, socket } = await inLobby();
  await rejects(link.party.follow(), 'NotNow');
  socket.receive(server.inParty(0, ['Bo', 'Ann'], { you: 2, room: 99 }));
  assert.deepEqual(link.party.room, { room: 99, leftMs: 30_000, kept: true });
  assert.deepEqual(socket.takeControl(), []);
  const following = link.party.follow();
  assert.deepEqual(socket.takeControl(), [list(client.joinRoom(99))]);
  socket.receive(server.joined({ you: 2 }));
  assert.equal(await following, link.room);
});

test('who waits for a match does not follow until the wait is over', async () => {
  const { link, socket } = await inLobby({ followParty: true });
  const queue = link.queue('duel');
  const nonce = new ControlReader(new ControlReader(Uint8Array.from(/** @type {number[]} */ (socket.takeControl().at(-1))), 2).packed(99));
  nonce.u8();
  const asked = nonce.u32();
  socket.receive(server.queued(asked, server.waiting(10)));
  socket.receive(server.inParty(0, ['Bo', 'Ann'], { you: 2, room: 99 }));
  assert.deepEqual(socket.takeControl(), []);
  socket.receive(server.queued(asked, server.outOfQueue(21)));
  await rejects(queue.room, 'PartyChanged');
  assert.deepEqual(socket.takeControl(), [list(client.joinRoom(99))]);
});

test('over a lost connection the party goes on, or is told as lost', async (t) => {
  const pass = virtualTime(t);
  const { link, socket } = await inLobby();
  socket.receive(server.inParty(0, ['Ann', 'Bo']));
  const making = link.party.join('AAAABBBB');
  socket.end(1006, '');
  await rejects(making, 'Closed');
  assert.throws(() => link.party.leave(), { reason: 'Closed' });
  const again = nextSocket(pass);
  again.receive(server.welcome(SQUARE, { token: 'who' }));
  assert.deepEqual(again.takeControl().at(-1), list(client.lookAtParty()));
  again.receive(server.inParty(0, ['Ann', 'Bo', 'Cy']));
  assert.equal(link.party.members.length, 3);
  again.end(1006, '');
  const last = nextSocket(pass);
  last.receive(server.welcome(SQUARE, { token: 'who' }));
  last.receive(out(0, 'NotInParty'));
  assert.equal(link.party.code, undefined);
});

test('in a room members are sent away and the party is left; a server of before has none', async () => {
  const { link, socket } = await inRoom();
  socket.receive(server.inParty(0, ['Ann', 'Bo']));
  link.party.kick(2);
  link.party.leave();
  assert.deepEqual(socket.takeControl(), [list(client.kickFromParty(2)), list(client.leaveParty())]);
  const opening = connect(options);
  const old = newest();
  old.open();
  old.receive(server.welcome(SQUARE, { features: Feature.ALL & ~Feature.PARTIES }));
  await rejects(kept(await opening).party.create(), 'NoSuchParty');
});

// Notices as the page gets them: each once, whichever connections it comes by, and what the server
// is told of it.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { NOTICES_SEEN_DELAY_MS, NOTICES_WAITING_MAX } from '../src/limits.js';
import { Notices } from '../src/notices.js';
import { noticesSeen } from '../src/protocol/client_message.js';
import * as server from './support/messages.js';
import { connected, list, nextSocket, playing, virtualTime } from './support/page.js';
import { SQUARE } from './support/square.js';

/** @param {number} number @param {string} [text] @param {number} [at] @returns {any} */
const told = (number, text = `text ${number}`, at = 60) => ({ type: 'Notice', number, at, text, event: undefined });

/** @returns {{ notices: Notices, shown: any[], seen: number[] }} */
function page() {
  /** @type {any[]} */
  const shown = [];
  /** @type {number[]} */
  const seen = [];
  const notices = new Notices(
    (notice) => shown.push(notice),
    (number) => seen.push(number),
  );
  return { notices, shown, seen };
}

test('a notice is shown as what it is, and what is kept for the player is said to be seen', () => {
  const { notices, shown, seen } = page();
  notices.begin();
  notices.take(told(0));
  notices.take({ ...told(7, ''), event: { name: 'alert', fields: { x: 1 } } });
  assert.deepEqual(shown, [
    { text: 'text 0', event: undefined, fields: undefined, at: new Date(60_000), durable: false },
    { text: '', event: 'alert', fields: { x: 1 }, at: new Date(60_000), durable: true },
  ]);
  assert.deepEqual(seen, [7]);
});

test('one that comes again on another connection is not shown again, and said to be seen again', () => {
  const { notices, shown, seen } = page();
  notices.begin();
  for (const number of [3, 4, 3, 4, 5]) notices.take(told(number));
  assert.deepEqual(
    shown.map(({ text }) => text),
    ['text 3', 'text 4', 'text 5'],
  );
  assert.deepEqual(seen, [3, 4, 3, 4, 5]);
  // A server that began to count anew.
  notices.take(told(3, 'another'));
  notices.take(told(4, 'text 4', 61));
  assert.equal(shown.length, 5);
  // Those that are lost to who is away have nothing to tell them apart.
  for (const number of [0, 0]) notices.take(told(number));
  assert.equal(shown.length, 7);
});

test('what comes before the page listens waits for it', () => {
  const { notices, shown, seen } = page();
  for (const number of [1, 0, 2, 1]) notices.take(told(number));
  assert.deepEqual([shown, seen], [[], []]);
  notices.begin();
  assert.deepEqual(
    shown.map(({ text }) => text),
    ['text 1', 'text 0', 'text 2'],
  );
  assert.deepEqual(seen, [1, 2]);
});

test('of too many that wait those go first that are not kept', () => {
  const { notices, shown } = page();
  for (let number = 1; number <= NOTICES_WAITING_MAX; number++) notices.take(told(number));
  notices.take(told(0));
  notices.begin();
  assert.deepEqual(
    shown.map(({ text }) => text),
    Array.from({ length: NOTICES_WAITING_MAX }, (_, at) => `text ${at + 1}`),
  );
});

test('a link tells of them in the lobby and in a room, and says at once what was shown of many', async (t) => {
  const pass = virtualTime(t);
  for (const enter of [connected, playing]) {
    const { link, socket } = await enter();
    /** @type {any[]} */
    const shown = [];
    socket.receive(server.notice(1, 'one'));
    link.on('notice', (notice) => void shown.push(notice));
    const fields = Uint8Array.from([0xff, 0xff, 0xff, 0xff]);
    socket.receive(server.notice(2, '', { event: 0, fields }));
    socket.receive(server.notice(0, 'now'));
    assert.deepEqual(
      shown.map(({ text, event, durable }) => [text, event, durable]),
      [
        ['one', undefined, true],
        ['', 'hit', true],
        ['now', undefined, false],
      ],
    );
    assert.deepEqual(Object.keys(shown[1].fields), ['who']);
    pass(NOTICES_SEEN_DELAY_MS - 20);
    assert.deepEqual(socket.takeControl(), []);
    pass(30);
    assert.deepEqual(socket.takeControl(), [list(noticesSeen(2))]);
    pass(1000);
    assert.deepEqual(socket.takeControl(), []);
    link.close();
  }
});

test('what was shown on a connection that was lost is not shown on the next one', async (t) => {
  const pass = virtualTime(t);
  const { link, socket } = await connected();
  /** @type {string[]} */
  const shown = [];
  link.on('notice', ({ text }) => void shown.push(text));
  socket.receive(server.notice(1, 'one'));
  socket.end(1006, '');
  const next = nextSocket(pass);
  next.receive(server.welcome(SQUARE, { token: 'who' }));
  for (const [number, text] of /** @type {[number, string][]} */ ([[1, 'one'], [2, 'two']])) next.receive(server.notice(number, text));
  assert.deepEqual(shown, ['one', 'two']);
  next.takeControl();
  pass(NOTICES_SEEN_DELAY_MS + 10);
  assert.deepEqual(next.takeControl(), [list(noticesSeen(2))]);
  link.close();
});

test('a notice that the schema does not have ends the connection', async () => {
  for (const [event, fields] of [[0, []], [0, [0, 0, 0, 0, 0]], [1, [0, 0, 0, 0]]]) {
    const { link, socket } = await connected();
    socket.receive(server.notice(1, 'one', { event: Number(event), fields: Uint8Array.from(/** @type {number[]} */ (fields)) }));
    assert.equal(link.state, 'closed');
  }
});

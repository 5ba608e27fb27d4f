/**
 * Which transport a connection goes by: refused, hanging and silent ones, in memory on virtual time.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { CUTS_MAX, CUT_WITHIN_MS, HANGS_MS, REMEMBERED_MS } from '../src/limits.js';
import { Race } from '../src/ways/race.js';
import { Transports } from '../src/ways/transports.js';
import { FakeSocket } from './support/fake_socket.js';

const HELLO = Uint8Array.of(1, 0);
const WELCOME = Uint8Array.of(1, 1);

/** A transport whose other end is the test. */
class Fake {
  /** @type {number[][]} */
  sent = [];
  /** @type {number | undefined} */
  closed;
  backlog = 0;

  /** @param {any} transport @param {import('../src/ways/way.js').WayHandlers} handlers */
  constructor(transport, handlers) {
    this.transport = transport;
    this.handlers = handlers;
  }

  /** @param {Uint8Array} bytes */
  send(bytes) {
    this.sent.push([...bytes]);
  }

  /** @param {number} code */
  close(code) {
    this.closed = code;
  }
}

/**
 * A race whose player says hello when it is open.
 * @param {import('node:test').TestContext} t
 * @param {string[]} names
 * @param {string[]} [broken] those that can't be opened at all
 */
function race(t, names, broken = []) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  /** @type {Fake[]} */
  const ways = [];
  /** @type {unknown[][]} */
  const heard = [];
  /** @type {boolean[]} */
  const hung = [];
  const opens = names.map((name) => (/** @type {string} */ _url, /** @type {any} */ handlers) => {
    if (broken.includes(name)) throw new Error(`no ${name}`);
    ways.push(new Fake(name, handlers));
    return ways[ways.length - 1];
  });
  /** @type {Race} */
  const raced = new Race(
    'ws://test/ws',
    /** @type {any} */ (opens),
    {
      onOpen: () => {
        heard.push(['open']);
        raced.send(HELLO);
      },
      onMessage: (bytes) => void heard.push(['message', ...(bytes ?? [])]),
      onClose: (code, reason) => void heard.push(['close', code, reason]),
    },
    (transport, hasHung) => {
      heard.push(['won', transport]);
      hung.push(hasHung);
    },
  );
  return { raced, ways, heard, hung, pass: (/** @type {number} */ ms) => t.mock.timers.tick(ms) };
}

test('a WebSocket that works has it, and nothing else is tried', (t) => {
  const { raced, ways, heard, pass } = race(t, ['websocket', 'stream']);
  ways[0].handlers.onOpen();
  pass(HANGS_MS - 1);
  ways[0].handlers.onMessage(WELCOME);
  pass(10 * HANGS_MS);
  assert.equal(ways.length, 1);
  assert.deepEqual(heard, [['open'], ['won', 'websocket'], ['message', 1, 1]]);
  assert.equal(raced.transport, 'websocket');
  raced.send(HELLO);
  assert.equal(ways[0].sent.length, 2);
  ways[0].handlers.onClose(1006, 'cut');
  assert.deepEqual(heard.at(-1), ['close', 1006, 'cut'], 'what is lost later is the link’s to bring back');
});

test('one that is refused is followed at once', (t) => {
  const { ways, heard, hung } = race(t, ['websocket', 'stream', 'poll']);
  ways[0].handlers.onClose(1006, 'refused');
  ways[1].handlers.onClose(1006, 'refused too');
  ways[2].handlers.onOpen();
  ways[2].handlers.onMessage(WELCOME);
  assert.deepEqual(ways[2].sent, [[...HELLO]]);
  assert.deepEqual([heard, hung], [[['open'], ['won', 'poll'], ['message', 1, 1]], [false]]);
});

test('one whose handshake hangs has the next beside it, and may still win', (t) => {
  for (const winner of [0, 1]) {
    const { ways, heard, hung, pass } = race(t, ['websocket', 'stream']);
    pass(HANGS_MS - 1);
    assert.equal(ways.length, 1);
    pass(1);
    assert.equal(ways.length, 2);
    ways[winner].handlers.onOpen();
    ways[winner].handlers.onMessage(WELCOME);
    assert.deepEqual([ways[winner].sent, hung], [[[...HELLO]], [true]]);
    const other = ways[1 - winner];
    assert.deepEqual([other.sent, other.closed], [[], 4010], 'without a goodbye, which would cost the seat');
    other.handlers.onOpen();
    other.handlers.onMessage(WELCOME);
    other.handlers.onClose(1006, '');
    assert.deepEqual(heard.map(([what]) => what), ['open', 'won', 'message'], 'it is not heard any more');
    t.mock.timers.reset();
  }
});

test('one that opens and answers nothing has what was said on it said again', (t) => {
  const { raced, ways, heard, pass } = race(t, ['websocket', 'stream']);
  pass(HANGS_MS - 1);
  ways[0].handlers.onOpen();
  raced.send(WELCOME);
  pass(HANGS_MS - 1);
  assert.equal(ways.length, 1, 'its time begins when it is open');
  pass(1);
  ways[1].handlers.onOpen();
  const said = [[...HELLO], [...WELCOME]];
  assert.deepEqual([ways[0].sent, ways[1].sent], [said, []], 'a token may be good once: not both at a time');
  pass(HANGS_MS);
  assert.deepEqual(ways[1].sent, said);
  ways[1].handlers.onMessage(WELCOME);
  assert.deepEqual(heard, [['open'], ['won', 'stream'], ['message', 1, 1]]);
  assert.equal(ways[0].closed, 4010);
});

test('one that is held ready and not spoken to does not hang', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  /** @type {Fake[]} */
  const ways = [];
  const open = (/** @type {string} */ _url, /** @type {any} */ handlers) => ways[ways.push(new Fake('websocket', handlers)) - 1];
  const raced = new Race('ws://test/ws', [open, open], { onOpen() {}, onMessage() {}, onClose() {} }, () => {});
  ways[0].handlers.onOpen();
  t.mock.timers.tick(10 * HANGS_MS);
  assert.equal(ways.length, 1);
  raced.send(HELLO);
  t.mock.timers.tick(HANGS_MS);
  assert.equal(ways.length, 2);
});

test('what the server closes with is the end, what the network does is not', (t) => {
  const { ways, heard } = race(t, ['websocket', 'stream']);
  ways[0].handlers.onOpen();
  ways[0].handlers.onClose(4001, 'version');
  assert.deepEqual(heard, [['open'], ['close', 4001, 'version']]);
  assert.equal(ways.length, 1);
  t.mock.timers.reset();
  const lost = race(t, ['websocket', 'stream']);
  lost.ways[0].handlers.onOpen();
  lost.ways[0].handlers.onClose(1006, 'cut');
  lost.ways[1].handlers.onOpen();
  assert.deepEqual(lost.ways[1].sent, [[...HELLO]]);
  lost.ways[1].handlers.onClose(1006, 'cut too');
  assert.deepEqual(lost.heard, [['open'], ['close', 1006, 'cut']], 'told as the first one was');
});

test('what cannot be opened at all is passed over', (t) => {
  const { ways, heard } = race(t, ['websocket', 'stream', 'poll'], ['websocket', 'poll']);
  assert.equal(ways[0].transport, 'stream');
  ways[0].handlers.onClose(1006, '');
  assert.deepEqual(heard, [['close', 1006, '']]);
  t.mock.timers.reset();
  assert.throws(() => race(t, ['websocket', 'stream'], ['websocket', 'stream']), { message: 'no websocket' });
});

test('who closes it closes all of it', (t) => {
  const { raced, ways, heard, pass } = race(t, ['websocket', 'stream']);
  pass(HANGS_MS);
  raced.close(1000, 'goodbye');
  assert.deepEqual(ways.map(({ closed }) => closed), [1000, 1000]);
  ways[0].handlers.onClose(1006, '');
  pass(10 * HANGS_MS);
  assert.deepEqual([heard, ways.length], [[], 2]);
});

/** A page's storage. */
class Kept {
  /** @type {Map<string, string>} */
  items = new Map();
  getItem = (/** @type {string} */ key) => this.items.get(key) ?? null;
  setItem = (/** @type {string} */ key, /** @type {string} */ value) => void this.items.set(key, value);
  removeItem = (/** @type {string} */ key) => void this.items.delete(key);
}

test('what worked is tried first for a day', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  const storage = new Kept();
  let asked = 0;
  const fetch = /** @type {any} */ (() => (asked++, new Promise(() => {})));
  const transports = new Transports(undefined, { WebSocket: /** @type {any} */ (FakeSocket), fetch, storage });
  /** Opens one. @returns {'websocket' | 'stream'} what is tried first */
  const first = () => {
    const before = asked;
    FakeSocket.all.splice(0);
    transports.open('ws://test/ws', { onOpen() {}, onMessage() {}, onClose() {} });
    return asked > before ? 'stream' : 'websocket';
  };
  assert.equal(first(), 'websocket');
  storage.setItem('tickwire.transport', JSON.stringify({ transport: 'stream', untilMs: REMEMBERED_MS }));
  assert.equal(first(), 'stream');
  t.mock.timers.tick(REMEMBERED_MS);
  assert.equal(first(), 'websocket', 'not for longer');
  FakeSocket.all[0].open();
  FakeSocket.all[0].receive(WELCOME);
  assert.equal(storage.items.size, 0, 'and not once a WebSocket worked');
  for (const odd of ['{', '7', 'null', '{"transport":"pigeon","untilMs":1e99}']) {
    storage.setItem('tickwire.transport', odd);
    assert.equal(first(), 'websocket', odd);
  }
});

for (const storage of [new Kept(), undefined]) {
  test(`what WebSockets are cut for is gone by before them, ${storage ? 'for a day' : 'also where nothing is kept'}`, (t) => {
    let nowMs = 0;
    t.mock.method(performance, 'now', () => nowMs);
    t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
    let asked = 0;
    const fetch = /** @type {any} */ (() => (asked++, new Promise(() => {})));
    const means = { WebSocket: /** @type {any} */ (FakeSocket), fetch, storage };
    const transports = new Transports(undefined, means);
    /** @param {Transports} of @returns {import('../src/ways/way.js').Way} */
    const open = (of) => {
      FakeSocket.all.splice(0);
      asked = 0;
      return of.open('ws://test/ws', { onOpen() {}, onMessage() {}, onClose() {} });
    };
    /** A WebSocket that opens and ends in this way. @param {(way: import('../src/ways/way.js').Way) => void} end @param {number} [lastsMs] */
    const one = (end, lastsMs = CUT_WITHIN_MS - 1) => {
      const way = open(transports);
      assert.equal(asked, 0);
      FakeSocket.all[0].open();
      FakeSocket.all[0].receive(WELCOME);
      nowMs += lastsMs;
      end(way);
    };
    const cut = () => FakeSocket.all[0].end(1006, '');
    for (let i = 0; i < CUTS_MAX - 1; i++) one(cut);
    one(cut, CUT_WITHIN_MS);
    for (let i = 0; i < CUTS_MAX - 1; i++) one(cut);
    one((way) => way.close(1000, ''));
    one(() => FakeSocket.all[0].end(1012, ''));
    // One that falls silent counts as well.
    assert.notEqual(transports.behind, undefined);
    one((way) => way.close(4010, ''));
    assert.equal(transports.behind, undefined, 'one that took over would be cut again');
    open(transports);
    assert.deepEqual([asked, FakeSocket.all.length], [1, 0]);
    open(new Transports(undefined, means));
    assert.equal(asked, storage === undefined ? 0 : 1, 'another link knows it by what is kept');
    t.mock.timers.tick(REMEMBERED_MS);
    open(transports);
    assert.equal(asked, 0, 'not for longer');
    // Who has nothing else comes back by WebSocket.
    const only = new Transports(['websocket'], means);
    for (let i = 0; i < 2 * CUTS_MAX; i++) {
      open(only);
      assert.equal(FakeSocket.all.length, 1);
      FakeSocket.all[0].open();
      FakeSocket.all[0].receive(WELCOME);
      cut();
    }
  });
}

test('what is no list of transports is said at once', () => {
  const means = { WebSocket: undefined, fetch: undefined, storage: undefined };
  for (const wrong of [[], ['pigeon'], 'websocket', {}, [undefined]]) {
    assert.throws(() => new Transports(/** @type {any} */ (wrong), means), { name: 'TypeError', message: /'websocket', 'stream', 'poll'/ });
  }
});

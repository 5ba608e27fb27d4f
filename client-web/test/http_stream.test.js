/**
 * Requests instead of a WebSocket, without a network: what is asked for, in which order, and what
 * becomes of answers that are cut, late or missing. The other end is the test.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { REQUEST_TRIES_MAX, STREAM_SILENCE_MS, UP_BYTES_MAX } from '../src/limits.js';
import { Frame, FrameReader, closeFrame, frame } from '../src/ways/frames.js';
import { HttpStream, requestUrl } from '../src/ways/http_stream.js';

const SECRET = 's'.repeat(32);
const LIFE = frame(Frame.LIFE, new Uint8Array(0));
const message = (/** @type {number[]} */ ...bytes) => frame(Frame.MESSAGE, Uint8Array.from(bytes));
/** The server's close. */
const close = (/** @type {number} */ code, /** @type {string} */ reason) => frame(Frame.CLOSE, Uint8Array.of(code & 255, code >> 8, ...new TextEncoder().encode(reason)));

/** Lets all promises come to rest. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

/** A request that waits for the test's answer. */
class Asked {
  /** @param {string} url @param {any} init @param {{ resolve: (answer: any) => void, reject: (error: Error) => void }} settle */
  constructor(url, init, settle) {
    this.path = new URL(url).pathname;
    this.init = init;
    this.body = /** @type {Uint8Array} */ (init.body);
    this.settle = settle;
    init.signal?.addEventListener('abort', () => this.fail());
  }

  get secret() {
    return new TextDecoder().decode(this.body.subarray(0, 32));
  }

  /** The number behind the secret, and what follows it. */
  get number() {
    return new DataView(this.body.buffer, this.body.byteOffset).getUint32(32, true);
  }

  get polls() {
    return this.body[32] === 1;
  }

  get received() {
    return new DataView(this.body.buffer, this.body.byteOffset).getUint32(33, true);
  }

  /** @param {number} status @param {string | Uint8Array} [body] */
  async answer(status, body) {
    this.settle.resolve(new Response(status === 204 ? null : /** @type {any} */ (body ?? ''), { status }));
    await settled();
  }

  /** A streaming answer. */
  async stream() {
    /** @type {ReadableStreamDefaultController<Uint8Array>} */
    let controller = /** @type {any} */ (undefined);
    const body = new ReadableStream({ start: (its) => void (controller = its) });
    this.init.signal?.addEventListener('abort', () => controller.error(new Error('aborted')));
    this.settle.resolve(new Response(body, { status: 200 }));
    await settled();
    return {
      say: async (/** @type {Uint8Array[]} */ ...parts) => {
        for (const part of parts) controller.enqueue(part);
        await settled();
      },
      end: async () => {
        controller.close();
        await settled();
      },
      break: async () => {
        controller.error(new Error('cut'));
        await settled();
      },
    };
  }

  fail() {
    this.settle.reject(new Error('no answer'));
  }
}

/** @param {Partial<{ polls: boolean, mayPoll: boolean }>} [how] */
function open(how) {
  /** @type {Asked[]} */
  const asked = [];
  /** @type {unknown[][]} */
  const heard = [];
  const fetch = /** @type {any} */ (
    (/** @type {string} */ url, /** @type {any} */ init) => new Promise((resolve, reject) => void asked.push(new Asked(url, init, { resolve, reject })))
  );
  const way = new HttpStream('wss://test/n/3/ws', fetch, { polls: false, mayPoll: true, ...how }, {
    onOpen: () => void heard.push(['open']),
    onMessage: (bytes) => void heard.push([...(bytes ?? [])]),
    onClose: (code, reason) => void heard.push(['close', code, reason]),
  });
  const next = async () => {
    await settled();
    const one = asked.shift();
    assert.ok(one !== undefined, 'something is asked for');
    return one;
  };
  return { way, asked, heard, next };
}

/** One that is open and streams. @param {Partial<{ polls: boolean, mayPoll: boolean }>} [how] */
async function streaming(how) {
  const rig = open(how);
  await (await rig.next()).answer(200, JSON.stringify({ id: '0a', secret: SECRET }));
  const down = await (await rig.next()).stream();
  await down.say(LIFE);
  assert.deepEqual(rig.heard.splice(0), [['open']]);
  return { ...rig, down };
}

test('it goes where the WebSocket would, as a request that needs no preflight', async () => {
  for (const [url, expected] of [
    ['ws://a:7/ws', 'http://a:7/x'],
    ['wss://a/g/chess/ws', 'https://a/g/chess/x'],
    ['wss://a/n/3/ws?region=eu', 'https://a/n/3/x?region=eu'],
  ]) assert.equal(requestUrl(url), expected);
  const { next } = open();
  const first = await next();
  assert.equal(first.path, '/n/3/x');
  assert.equal(new TextDecoder().decode(first.body), 'tickwire.2');
  assert.equal(first.init.headers, undefined);
  await first.answer(200, JSON.stringify({ id: '0a', secret: SECRET }));
  const down = await next();
  assert.deepEqual([down.path, down.secret, down.polls, down.received], ['/n/3/x/0a/down', SECRET, false, 0]);
  assert.ok(!down.path.includes(SECRET));
});

test('messages come as they were sent, however the way cuts them', async () => {
  const { down, heard } = await streaming();
  const all = Uint8Array.from([message(1, 2, 3), LIFE, message(), message(9)].flatMap((each) => [...each]));
  for (const byte of all) await down.say(Uint8Array.of(byte));
  await down.say(all);
  const once = [[1, 2, 3], [], [9]];
  assert.deepEqual(heard, [...once, ...once]);
});

test('what is said in one go goes together, and one batch at a time', async () => {
  const { way, next, asked } = await streaming();
  way.send(Uint8Array.of(1));
  way.send(Uint8Array.of(2));
  const first = await next();
  assert.deepEqual([first.path, first.secret, first.number], ['/n/3/x/0a', SECRET, 1]);
  assert.deepEqual([...first.body.subarray(36)], [...message(1), ...message(2)]);
  way.send(Uint8Array.of(3));
  await settled();
  assert.equal(asked.length, 0);
  assert.equal(way.backlog, 15);
  await first.answer(204);
  const second = await next();
  assert.deepEqual([second.number, ...second.body.subarray(36)], [2, ...message(3)]);
  await second.answer(204);
  assert.equal(way.backlog, 0);
  for (let i = 0; i < 10; i++) way.send(new Uint8Array(4096));
  const third = await next();
  assert.ok(third.body.length <= 36 + UP_BYTES_MAX);
});

test('a batch whose answer does not come is brought again as it was', async (t) => {
  const { way, next, heard } = await streaming();
  t.mock.timers.enable({ apis: ['setTimeout'] });
  way.send(Uint8Array.of(1));
  let batch = await next();
  const body = [...batch.body];
  for (let tried = 1; tried < REQUEST_TRIES_MAX; tried++) {
    if (tried % 2) batch.fail();
    else await batch.answer(503);
    await settled();
    t.mock.timers.tick(1000);
    batch = await next();
    assert.deepEqual([...batch.body], body);
  }
  batch.fail();
  await settled();
  assert.deepEqual(heard, [['close', 1006, '']], 'not for ever');
});

test('what the server does not take is the end', async () => {
  for (const status of [400, 404, 409, 413]) {
    const { way, next, heard } = await streaming();
    way.send(Uint8Array.of(1));
    await (await next()).answer(status);
    assert.deepEqual(heard, [['close', 1006, '']], `${status}`);
  }
});

test('a stream that is held back is asked for by polls instead', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { way, next, heard } = open();
  await (await next()).answer(200, JSON.stringify({ id: '0a', secret: SECRET }));
  await (await next()).stream();
  t.mock.timers.tick(STREAM_SILENCE_MS - 1);
  assert.deepEqual([heard, way.transport], [[], 'stream']);
  t.mock.timers.tick(1);
  const anew = await next();
  assert.deepEqual([anew.path, heard, way.transport], ['/n/3/x', [], 'poll'], 'what is written to that answer is lost');
  await anew.answer(200, JSON.stringify({ id: '0b', secret: SECRET }));
  let poll = await next();
  assert.deepEqual([poll.path, poll.polls, poll.received, heard.splice(0)], ['/n/3/x/0b/down', true, 0, [['open']]]);
  await poll.answer(200, Uint8Array.from([...message(1), ...message(2)]));
  poll = await next();
  assert.deepEqual([heard, poll.received], [[[1], [2]], 2]);
  await poll.answer(200);
  poll = await next();
  poll.fail();
  await settled();
  t.mock.timers.tick(1000);
  poll = await next();
  assert.deepEqual([poll.polls, poll.received], [true, 2], 'its answer may have been lost');
  await poll.answer(404);
  assert.deepEqual(heard.at(-1), ['close', 1006, '']);
});

test('where it may not poll, one that is held back is none', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { next, heard } = open({ mayPoll: false });
  await (await next()).answer(200, JSON.stringify({ id: '0a', secret: SECRET }));
  await (await next()).stream();
  t.mock.timers.tick(STREAM_SILENCE_MS);
  await settled();
  assert.deepEqual(heard, [['close', 1006, '']]);
});

test('a stream that is cut is asked for again, with what came', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  for (const cut of /** @type {const} */ (['end', 'break'])) {
    const { down, next, heard } = await streaming();
    await down.say(message(1));
    await down[cut]();
    // One that does not come, or ends without a word, is asked for again a few times.
    for (let tried = 0; tried < REQUEST_TRIES_MAX; tried++) {
      assert.deepEqual(heard, [[1]]);
      const again = await next();
      assert.deepEqual([again.polls, again.received], [false, 1], cut);
      if (tried % 2) again.fail();
      else await again.answer(200);
      await settled();
      t.mock.timers.tick(1000);
    }
    assert.deepEqual(heard, [[1], ['close', 1006, '']]);
  }
});

test('what is cut amid a message is lost', async () => {
  const { down, heard } = await streaming();
  await down.say(message(1, 2, 3).subarray(0, 6));
  await down.end();
  assert.deepEqual(heard, [['close', 1006, '']]);
});

test('the server’s close is told in its words, and nothing is asked for any more', async () => {
  const { down, heard, asked } = await streaming();
  await down.say(message(1), close(4011, 'removed by an operator'), message(2));
  assert.deepEqual(heard, [[1], ['close', 4011, 'removed by an operator']]);
  await settled();
  assert.equal(asked.length, 0);
});

test('who is refused hears why', async () => {
  for (const [status, told] of /** @type {const} */ ([
    [409, [4001, '']],
    [403, [1006, 'this origin may not connect']],
    [503, [1006, 'full']],
  ])) {
    const { next, heard } = open();
    await (await next()).answer(status, `${told[1]}\n`);
    assert.deepEqual(heard, [['close', ...told]]);
  }
  const { next, heard } = open();
  (await next()).fail();
  await settled();
  assert.deepEqual(heard, [['close', 1006, '']]);
});

test('a goodbye goes behind all that was said, and ends the answer', async () => {
  const { way, next, heard } = await streaming();
  way.send(Uint8Array.of(1));
  const first = await next();
  way.send(Uint8Array.of(2));
  way.close(1000);
  way.send(Uint8Array.of(3));
  await first.answer(204);
  const last = await next();
  assert.deepEqual([...last.body.subarray(36)], [...message(2), ...closeFrame(1000)]);
  assert.equal(last.init.keepalive, true, 'though the page goes');
  await last.answer(204);
  assert.ok(last.init.signal.aborted);
  assert.deepEqual(heard, []);
});

test('what no server says is the end', async () => {
  const { down, heard } = await streaming();
  await down.say(Uint8Array.of(0, 255, 255, 255));
  assert.deepEqual(heard, [['close', 1006, '']]);
  assert.equal(new FrameReader().push(Uint8Array.of(0, 255, 255, 255)), undefined);
});

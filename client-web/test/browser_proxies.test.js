/**
 * Play behind real proxies, by the lines of `docs/proxies.md`: by which transport a browser and a
 * program come in, and a swarm beside them. Each proxy is tried where it is installed.
 * `TICKWIRE_PROXIES_S=60` plays so long with 50 bots, judges times, and prints them;
 * `TICKWIRE_BOTS` names another swarm.
 */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';

import { WebSocket } from 'ws';

import { join } from '../src/tickwire.js';
import { inArena, openPage, startBrowser, startServer } from './browser_support.js';
import { forAll } from './support/for_all.js';
import { isInstalled, lines, startProxy } from './support/proxies.js';
import { TARGET } from './support/server.js';
import { until } from './support/until.js';

const LONG_S = Number(process.env.TICKWIRE_PROXIES_S ?? 0);
/** From the first connection to the room. */
const JOIN_MAX_MS = 4000;
const BOTS = process.env.TICKWIRE_BOTS ?? `${TARGET}/debug/tickwire-bots`;

const server = await forAll(startServer(['--npcs', '5', '--seed', '7', '--max-players', '64']));
const browser = await forAll(startBrowser());

/** @typedef {import('../src/types.js').Transport} Transport */

/**
 * Bots play behind it.
 * @param {string} address the proxy's
 * @param {Transport} transport
 * @returns {Promise<any>} their report
 */
function swarm(address, transport) {
  const [count, seconds] = LONG_S > 0 ? [50, LONG_S] : [10, 2];
  const flags = ['--url', `ws://${address}/ws`, '--transport', transport, '--bots', `${count}`, '--ramp', '500ms', '--duration', `${seconds}s`, '--max-gap-p99-ms', '60000', '--json', '-'];
  return new Promise((resolve, reject) => {
    execFile(BOTS, flags, (error, out, complaint) => {
      if (error) return reject(new Error(`${error.message}\n${out}${complaint}`));
      const report = JSON.parse(out);
      assert.deepEqual([report.bots_connected, report.desyncs, report.disconnects], [count, 0, {}], out);
      resolve(report);
    });
  });
}

/** @param {string} what @param {number} sinceMs */
function joined(what, sinceMs) {
  const ms = Math.round(performance.now() - sinceMs);
  if (LONG_S > 0) assert.ok(ms <= JOIN_MAX_MS, `${what} joined after ${ms} ms`);
  return ms;
}

/**
 * A program, by what it finds.
 * @param {string} url
 * @param {Transport} expected
 */
async function program(url, expected) {
  const began = performance.now();
  const room = await join({ url, name: 'Program', WebSocket, transports: ['websocket', 'stream', 'poll'], input: () => ({ dx: 1, dy: 0.5 }) });
  const me = () => room.entities.find(({ owner, avatar }) => avatar && owner === room.you);
  const { x } = await until(() => me()?.pos);
  const ms = joined('the program', began);
  assert.equal(room.link.transport, expected);
  await until(() => Math.abs(me()?.pos.x - x) > 20);
  await plays(() => room.stats);
  assert.deepEqual([room.link.transport, room.link.state], [expected, 'open']);
  room.link.close();
  return ms;
}

/** Ticks go on for the time, and agree. @param {() => { tick: number, desyncs: number } | Promise<{ tick: number, desyncs: number }>} stats */
async function plays(stats) {
  const end = performance.now() + (LONG_S || 1) * 1000;
  let { tick } = await stats();
  do {
    await new Promise((resolve) => setTimeout(resolve, 500));
    const now = await stats();
    assert.equal(now.desyncs, 0);
    if (LONG_S === 0 || now.tick > tick) ({ tick } = now);
  } while (performance.now() < end);
}

/**
 * A page in a browser.
 * @param {string} url
 * @param {Transport} expected
 * @param {object} [options] of its context
 */
async function page(url, expected, options = {}) {
  const began = performance.now();
  const { page: opened } = await openPage(browser, url, options);
  await opened.click('#create');
  await opened.click('#create-form [type=submit]');
  await inArena(opened);
  const ms = joined('the browser', began);
  await opened.waitForFunction((by) => /** @type {any} */ (window).tickwire.room?.link.transport === by, expected);
  await plays(() => opened.evaluate(() => {
    const { tick, desyncs } = /** @type {any} */ (window).tickwire.room.stats;
    return { tick, desyncs };
  }));
  assert.equal(await opened.evaluate(() => /** @type {any} */ (window).tickwire.room.link.transport), expected);
  await opened.context().close();
  return ms;
}

/** @type {[string, import('./support/proxies.js').Program, () => string, Transport, Transport[]][]} */
const CASES = [
  ['nginx with upgrade', 'nginx', () => lines('nginx'), 'websocket', ['websocket', 'stream', 'poll']],
  ['nginx without upgrade', 'nginx', () => lines('nginx, without upgrade'), 'stream', ['stream']],
  ['nginx that collects answers', 'nginx', () => lines('nginx, collects answers'), 'poll', ['poll']],
  ['nginx that lets an upgrade hang', 'nginx', () => lines('nginx, an upgrade hangs'), 'stream', ['stream']],
  ['HAProxy', 'haproxy', () => lines('HAProxy'), 'websocket', ['websocket', 'stream']],
  ['HAProxy that refuses an upgrade', 'haproxy', () => lines('HAProxy').replace('option forwardfor\n', `option forwardfor\n${lines('HAProxy, refuses an upgrade: in its frontend')}`), 'stream', ['stream']],
  ['Caddy', 'caddy', () => lines('Caddy'), 'websocket', ['websocket', 'stream']],
  ['Caddy that refuses an upgrade', 'caddy', () => lines('Caddy, refuses an upgrade'), 'stream', ['stream']],
];

for (const [name, of, text, expected, transports] of CASES) {
  test(`behind ${name} play goes by ${expected}`, { skip: !isInstalled(of) && `needs ${of}: make proxies` }, async (t) => {
    const proxy = await startProxy(of, text(), server.address);
    t.after(() => proxy.stop());
    const clients = Promise.all([program(proxy.url, expected), page(proxy.url, expected)]);
    /** @type {Record<string, any>} */
    const reports = {};
    // One after the other where times are judged: two swarms would be in each other's way.
    for (const transport of LONG_S > 0 ? transports : transports.slice(0, 1)) reports[transport] = await swarm(proxy.address, transport);
    const [programMs, browserMs] = await clients;
    if (LONG_S === 0) return;
    const told = transports.map((each) => `${each} ${reports[each].latency_ms.p50} / ${reports[each].latency_ms.p99}`);
    t.diagnostic(`${name}: joined after ${programMs} (program), ${browserMs} ms (browser); input to screen p50 / p99 ms: ${told.join(', ')}`);
    const { websocket, stream } = reports;
    if (websocket && stream) assert.ok(stream.latency_ms.p99 <= 1.5 * websocket.latency_ms.p99, told.join(', '));
  });
}

/** A browser of whom all goes by the forward proxy, also what is on its own machine. @param {string} address */
const by = (address) => ({ proxy: { server: `http://${address}`, bypass: '<-loopback>' } });

test('behind Squid that refuses CONNECT a browser plays by stream', { skip: !isInstalled('squid') && 'needs squid: make proxies' }, async (t) => {
  const proxy = await startProxy('squid', lines('Squid, refuses CONNECT'), server.address);
  t.after(() => proxy.stop());
  const ms = await page(server.url, 'stream', by(proxy.address));
  if (LONG_S > 0) t.diagnostic(`joined after ${ms} ms`);
});

test('behind HAProxy that cuts WebSockets a browser comes back, and goes by what lasts', { skip: !isInstalled('haproxy') && 'needs haproxy: make proxies' }, async (t) => {
  const proxy = await startProxy('haproxy', lines('HAProxy, upgraded connections apart'), server.address);
  t.after(() => proxy.stop());
  const { page: opened } = await openPage(browser, proxy.url);
  await opened.click('#create');
  await opened.click('#create-form [type=submit]');
  await inArena(opened);
  /** Where it sits, and by what it is there. */
  const seat = () => opened.evaluate(() => {
    const { room } = /** @type {any} */ (window).tickwire;
    return { code: room.code, you: room.you, by: room.link.transport };
  });
  const own = await seat();
  assert.equal(own.by, 'websocket');
  for (const by of ['websocket', 'stream']) {
    if (LONG_S > 0) await opened.waitForTimeout(10_000);
    await opened.evaluate(() => {
      const { room } = /** @type {any} */ (window).tickwire;
      room.link.on('resumed', () => void (/** @type {any} */ (window).isBack = true));
    });
    await proxy.cutUpgraded();
    await opened.waitForFunction(() => /** @type {any} */ (window).isBack);
    await opened.evaluate(() => void (/** @type {any} */ (window).isBack = false));
    assert.deepEqual(await seat(), { ...own, by });
  }
  await plays(() => opened.evaluate(() => {
    const { tick, desyncs } = /** @type {any} */ (window).tickwire.room.stats;
    return { tick, desyncs };
  }));
  assert.deepEqual(await seat(), { ...own, by: 'stream' });
  await opened.context().close();
});

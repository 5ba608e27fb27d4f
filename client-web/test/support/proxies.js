/**
 * Real proxies, with the lines of `docs/proxies.md`: nginx, HAProxy, Caddy and Squid of the system,
 * each a process of its own in a folder of its own, on free ports of loopback, ended by its id.
 */

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { freeAddress } from './free_address.js';

const PAGE = readFileSync(new URL('../../../docs/proxies.md', import.meta.url), 'utf8');
/** For a proxy to listen. */
const START_MS = 20_000;
/** Where Debian has them is not on everybody's path. */
const PATH = `${process.env.PATH}:/usr/sbin:/usr/local/sbin`;

/** @typedef {'nginx' | 'haproxy' | 'caddy' | 'squid'} Program */

/** @param {Program} program */
export const isInstalled = (program) => !spawnSync(program, ['-v'], { env: { ...process.env, PATH }, stdio: 'ignore' }).error;

/**
 * The lines of the page that begin with this comment.
 * @param {string} title
 */
export function lines(title) {
  const found = PAGE.split('```').filter((block) => block.split('\n')[1]?.trim() === `# ${title}`);
  assert.equal(found.length, 1, `docs/proxies.md has the lines of "${title}" once`);
  return found[0].slice(found[0].indexOf('\n') + 1);
}

/** What surrounds the page's lines, and how the program is started. */
const PROGRAMS = {
  nginx: {
    file: (/** @type {string} */ text, /** @type {string} */ at) => {
      const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${at}/${name};`);
      return `daemon off; worker_processes 1; pid ${at}/pid; error_log ${at}/log;\nevents { worker_connections 512; }\nhttp {\naccess_log off;\n${temporary.join('\n')}\n${text}}\n`;
    },
    flags: (/** @type {string} */ config, /** @type {string} */ at) => ['-p', at, '-c', config],
  },
  haproxy: {
    file: (/** @type {string} */ text) => text,
    flags: (/** @type {string} */ config) => ['-db', '-q', '-f', config],
  },
  caddy: {
    file: (/** @type {string} */ text) => `{\nadmin off\nauto_https off\n}\n${text}`,
    flags: (/** @type {string} */ config) => ['run', '--adapter', 'caddyfile', '--config', config],
  },
  squid: {
    file: (/** @type {string} */ text, /** @type {string} */ at) => `pid_filename ${at}/pid\ncache_log ${at}/log\naccess_log none\ncoredump_dir ${at}\nnetdb_filename none\npinger_enable off\nshutdown_lifetime 0 seconds\n${text}`,
    flags: (/** @type {string} */ config) => ['-N', '-f', config],
  },
};

/**
 * @param {Program} program
 * @param {string} text its lines, with the addresses of the page: 8080 for the proxy's port, 7777
 *   for the server's, 9999 for one where nobody answers
 * @param {string} server its address
 */
export async function startProxy(program, text, server) {
  const at = mkdtempSync(join(tmpdir(), 'tickwire-proxy-'));
  // Squid, as root, goes on as another user.
  chmodSync(at, 0o777);
  mkdirSync(join(at, 'home'));
  const silent = createServer(() => {}).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (silent.address());
  const address = await freeAddress();
  const own = text
    .replace('listen 443 ssl;', `listen ${address};`)
    .replace('play.example {', `http://${address} {`)
    .replace('listen 8080;', `listen ${address};`)
    .replace('/run/haproxy.sock', `${at}/admin`)
    .replaceAll('127.0.0.1:8080', address)
    .replaceAll('127.0.0.1:7777', server)
    .replaceAll('127.0.0.1:9999', `127.0.0.1:${port}`)
    .split('\n')
    .filter((line) => !line.includes('ssl_'))
    .join('\n');
  const config = join(at, 'config');
  const how = PROGRAMS[program];
  writeFileSync(config, how.file(own, at));
  const child = spawn(program, how.flags(config, at), { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, PATH, HOME: join(at, 'home'), XDG_DATA_HOME: at, XDG_CONFIG_HOME: at } });
  let said = '';
  child.stdout.on('data', (part) => void (said = (said + part).slice(-4000)));
  child.stderr.on('data', (part) => void (said = (said + part).slice(-4000)));
  const gone = once(child, 'exit');
  /** Ends it, and all that is its. */
  const stop = async () => {
    // Squid takes seconds for a graceful end; there is nothing to keep.
    child.kill(program === 'nginx' ? 'SIGTERM' : 'SIGKILL');
    await gone;
    silent.close();
    rmSync(at, { recursive: true, force: true });
  };
  try {
    await listens(address, child, () => said);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    address,
    url: `http://${address}/`,
    /** Has HAProxy cut what it upgraded, where it keeps that apart. */
    async cutUpgraded() {
      const admin = connect(join(at, 'admin'));
      admin.end('shutdown sessions server upgraded/one\n');
      await once(admin.resume(), 'close');
    },
    stop,
  };
}

/**
 * @param {string} address
 * @param {import('node:child_process').ChildProcess} child
 * @param {() => string} said
 */
async function listens(address, child, said) {
  const [host, port] = address.split(':');
  const end = performance.now() + START_MS;
  for (;;) {
    assert.ok(child.exitCode === null && performance.now() < end, `it does not listen: ${said()}`);
    const socket = connect(Number(port), host);
    const isThere = await new Promise((resolve) => socket.once('connect', () => resolve(true)).once('error', () => resolve(false)));
    socket.destroy();
    if (isThere) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

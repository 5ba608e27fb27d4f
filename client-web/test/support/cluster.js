/**
 * A cluster of the real thing: Debian's Redis and nodes as processes on loopback, each at ports that
 * stay its own when it is started again. For tests across the socket; `REDIS_SERVER` names another
 * engine.
 */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { freeAddress } from './free_address.js';
import { startServer, TARGET } from './server.js';

const REDIS = process.env.REDIS_SERVER ?? `${TARGET}/redis/redis-server`;
/** How long anything may take, in milliseconds: far more than it does. */
const DEADLINE_MS = 20_000;
/** Between two looks at what a node says of itself, in milliseconds. */
const LOOK_MS = 100;

/**
 * Starts an engine that keeps nothing on the disk.
 * @param {string} folder
 */
async function startRedis(folder) {
  assert.ok(existsSync(REDIS), `no Redis at ${REDIS}: make redis, or name it by REDIS_SERVER`);
  const address = await freeAddress();
  const [host, port] = address.split(':');
  const child = spawn(REDIS, ['--port', port, '--bind', host, '--dir', folder, '--save', '', '--appendonly', 'no'], { stdio: 'ignore' });
  await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('spawn', resolve);
  });
  /** @type {Promise<unknown>} */
  const gone = new Promise((resolve) => child.once('exit', resolve));
  return {
    // Nodes wait for it at their start.
    url: `redis://${address}`,
    stop() {
      child.kill('SIGKILL');
      return gone;
    },
  };
}

/**
 * Starts a cluster.
 * @param {number} count of nodes
 * @param {string[]} settings of each, beside what makes it a node
 */
export async function startCluster(count, settings) {
  const folder = mkdtempSync(join(tmpdir(), 'tickwire-cluster-'));
  const key = join(folder, 'cluster.key');
  writeFileSync(key, 'a secret of more than 32 bytes, of a test');
  const redis = await startRedis(folder);
  const places = await Promise.all(
    Array.from({ length: count }, async () => ({ play: await freeAddress(), ops: await freeAddress(), peers: await freeAddress() })),
  );
  // A page of one node plays at another.
  const origins = places.flatMap(({ play }) => ['--connect-origin', `ws://${play}`, '--allowed-origin', `http://${play}`]);
  /** @param {number} node */
  const start = (node) => {
    const { play, ops, peers } = places[node];
    const of = ['--cluster-url', redis.url, '--cluster-key-file', key, '--node-url', `ws://${play}/ws`, '--peer-listen', peers];
    return startServer([...of, ...origins, ...settings], play, undefined, ops);
  };
  const nodes = await Promise.all(places.map((_, node) => start(node)));

  /**
   * Looks at the nodes until one has that room in the cluster's tables.
   * @param {number} room
   * @param {number} [but] not this one
   * @returns {Promise<number>} which
   */
  const ownerOf = async (room, but) => {
    for (let end = performance.now() + DEADLINE_MS; performance.now() < end; ) {
      for (const [node, { ops }] of places.entries()) {
        if (node === but) continue;
        const status = await fetch(`http://${ops}/cluster`).then((answer) => answer.json(), () => undefined);
        const owned = /** @type {{ room: number, epoch: number | null }[]} */ (status?.owned ?? []);
        if (owned.some((of) => of.room === room && of.epoch !== null)) return node;
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
    throw new Error(`no node has room ${room}`);
  };

  return {
    /** Where pages of each are. */
    urls: places.map(({ play }) => `http://${play}/`),
    ownerOf,
    /** Has a node give its rooms away and end. @param {number} node @returns {Promise<number | null>} its exit status */
    drain: (node) => nodes[node].stop(),
    /** @param {number} node */
    kill: (node) => nodes[node].kill(),
    /** Starts one that has ended. @param {number} node */
    async restart(node) {
      nodes[node] = await start(node);
    },
    async stop() {
      await Promise.all(nodes.map((node) => node.kill()));
      await redis.stop();
      rmSync(folder, { recursive: true });
    },
  };
}

/**
 * What the browser tests stand on: the real server as a process, Debian's Chromium, pages that remember every
 * complaint. `TICKWIRE_SERVER` and `CHROMIUM` name other binaries. Nothing here sleeps: all waits are for conditions.
 */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { chromium } from 'playwright-core';

/** Milliseconds after which a condition counts as never coming. */
export const WAIT_MS = 20_000;

/** A phone, upright. */
export const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 3, hasTouch: true, isMobile: true };
/** A desktop window. */
export const DESKTOP = { viewport: { width: 1280, height: 800 } };

const target = process.env.CARGO_TARGET_DIR ?? fileURLToPath(new URL('../../target', import.meta.url));
const SERVER = process.env.TICKWIRE_SERVER ?? `${target}/debug/tickwire-server`;
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';

/**
 * Starts the server.
 * @param {string[]} [settings] more flags
 * @param {string} [listen] address; a free port if left out
 */
export async function startServer(settings = [], listen = '127.0.0.1:0') {
  assert.ok(existsSync(SERVER), `no server at ${SERVER}: build it, or name it by TICKWIRE_SERVER`);
  const child = spawn(SERVER, ['--listen', listen, '--ops-listen', '127.0.0.1:0', ...settings], {
    // Its own settings come as flags alone, whatever the tests were told.
    env: Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('TICKWIRE_'))),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const gone = new Promise((resolve) => child.once('exit', resolve));
  const lines = createInterface({ input: child.stdout });
  const address = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}`)));
    lines.on('line', (line) => {
      if (line.startsWith('LISTENING ')) resolve(line.slice('LISTENING '.length).trim());
    });
  });
  return {
    address: String(address),
    url: `http://${address}/`,
    /** Asks the server to stop, and waits until it has. */
    async stop() {
      child.kill('SIGTERM');
      await gone;
    },
  };
}

/** Starts Chromium without a window. */
export function startBrowser() {
  return chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
}

/**
 * Opens the page in a context of its own.
 * @param {import('playwright-core').Browser} browser
 * @param {string} url
 * @param {import('playwright-core').BrowserContextOptions} [options]
 * @returns {Promise<{ page: import('playwright-core').Page, complaints: string[] }>} `complaints`: console errors, what
 *   the content security policy forbade, and uncaught exceptions, as they come
 */
export async function openPage(browser, url, options = DESKTOP) {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(WAIT_MS);
  const page = await context.newPage();
  /** @type {string[]} */
  const complaints = [];
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  await page.goto(url);
  return { page, complaints };
}

/**
 * @param {import('playwright-core').Page} page
 * @returns {Promise<void>} when the own player stands in the arena
 */
export async function inArena(page) {
  await page.waitForFunction(() => /** @type {any} */ (window).tickwire.view?.me?.health?.hp > 0);
}

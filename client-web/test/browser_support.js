/**
 * What the browser tests stand on: the real server as a process, Debian's Chromium, pages that remember every
 * complaint. `TICKWIRE_SERVER` and `CHROMIUM` name other binaries. Nothing here sleeps: all waits are for conditions.
 */

import { chromium } from 'playwright-core';

export { startServer } from './support/server.js';

/** Milliseconds after which a condition counts as never coming. */
export const WAIT_MS = 20_000;

/** A phone, upright. */
export const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 3, hasTouch: true, isMobile: true };
/** A desktop window. */
export const DESKTOP = { viewport: { width: 1280, height: 800 } };

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';

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

/**
 * What the browser tests stand on: the real server as a process, Debian's Chromium, pages that
 * remember every complaint. `TICKWIRE_SERVER` and `CHROMIUM` name other binaries. Nothing here
 * sleeps: all waits are for conditions.
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
 * @returns {Promise<{ page: import('playwright-core').Page, complaints: string[] }>}
 *   `complaints`: console errors, what the content security policy forbade, and uncaught
 *   exceptions, as they come
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

/**
 * Starts a Chromium that treats pages as it does for a visitor: playwright keeps all of its own in
 * the foreground, so these are opened past it. Tabs of one window hide each other.
 * @returns {Promise<{ openTab: (url: string) => Promise<Tab>, close: () => Promise<void> }>}
 */
export async function startTabs() {
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
    ignoreDefaultArgs: ['--disable-backgrounding-occluded-windows', '--disable-renderer-backgrounding', '--disable-background-timer-throttling'],
  });
  const devtools = await browser.newBrowserCDPSession();
  const { browserContextId } = await devtools.send('Target.createBrowserContext');
  return {
    async openTab(url) {
      const { targetId } = await devtools.send('Target.createTarget', { url, browserContextId });
      const { sessionId } = await devtools.send('Target.attachToTarget', { targetId, flatten: false });
      return new Tab(devtools, targetId, sessionId);
    },
    close: () => browser.close(),
  };
}

/** A tab opened by `startTabs`. */
export class Tab {
  #devtools;
  #targetId;
  #sessionId;
  #last = 0;
  /** @type {Map<number, (answer: any) => void>} */
  #waiting = new Map();

  /**
   * @param {import('playwright-core').CDPSession} devtools
   * @param {string} targetId
   * @param {string} sessionId
   */
  constructor(devtools, targetId, sessionId) {
    this.#devtools = devtools;
    this.#targetId = targetId;
    this.#sessionId = sessionId;
    devtools.on('Target.receivedMessageFromTarget', ({ sessionId: from, message }) => {
      if (from !== sessionId) return;
      const answer = JSON.parse(message);
      this.#waiting.get(answer.id)?.(answer);
      this.#waiting.delete(answer.id);
    });
  }

  /** Brings the tab to the front: it hides the others. */
  async show() {
    await this.#devtools.send('Target.activateTarget', { targetId: this.#targetId });
  }

  /**
   * @param {string} method of the devtools' protocol
   * @param {object} [params]
   * @returns {Promise<any>}
   */
  async send(method, params = {}) {
    const id = ++this.#last;
    const answer = new Promise((resolve) => this.#waiting.set(id, resolve));
    await this.#devtools.send('Target.sendMessageToTarget', { sessionId: this.#sessionId, message: JSON.stringify({ id, method, params }) });
    const { result, error } = await answer;
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result;
  }

  /**
   * @param {string} expression in the page; a promise is awaited
   * @returns {Promise<any>} its value
   */
  async evaluate(expression) {
    const { result, exceptionDetails } = await this.send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
    if (exceptionDetails !== undefined) throw new Error(`${expression}: ${exceptionDetails.exception?.description}`);
    return result.value;
  }

  /**
   * @param {string} expression in the page
   * @returns {Promise<any>} its value as soon as it is true; works in a hidden tab too
   */
  async until(expression) {
    const end = performance.now() + WAIT_MS;
    for (;;) {
      const value = await this.evaluate(expression);
      if (value) return value;
      if (performance.now() > end) throw new Error(`never came true: ${expression}`);
    }
  }
}

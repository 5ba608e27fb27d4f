/**
 * The SDK where a page has it, in a real browser: behind a proxy at a path of its own, mounted
 * twice as React's strict mode does it, and in a Web Worker. The servers are the real ones.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { inArena, openPage, startBrowser, startServer } from './browser_support.js';
import { forAll } from './support/for_all.js';
import { EXAMPLES } from './support/server.js';
import { startSubPath } from './support/sub_path.js';

/** A script that plays, and tells the page of it. */
const WORKER = `
  import { join } from './client/tickwire.js';
  const draw = ({ me, entities }, room) => {
    if (me !== undefined && entities.length > 5) postMessage({ x: me.pos.x, desyncs: room.stats.desyncs });
  };
  await join({ name: 'Worker', input: () => ({ dx: 1 }), draw }).catch((error) => postMessage({ error: error.message }));
`;

const browser = await forAll(startBrowser());
const server = await startServer(['--npcs', '5', '--seed', '7']);
const proxy = await forAll(startSubPath(server.address, '/some/game/', { 'worker.js': WORKER }));
await forAll(server);

test('the arena works at a path of its own: lobby, game, reload, an invitation', async () => {
  const { page, complaints } = await openPage(browser, proxy.url.slice(0, -1));
  await page.getByText('No open rooms yet').waitFor();
  await page.click('#create');
  await page.click('#create-form [type=submit]');
  await inArena(page);
  const code = await page.evaluate(() => /** @type {any} */ (window).tickwire.room.code);
  assert.equal(page.url(), `${proxy.url}#${code}`);
  await page.reload();
  await inArena(page);
  const guest = await openPage(browser, page.url());
  await inArena(guest.page);
  assert.deepEqual([...complaints, ...guest.complaints], []);
  assert.deepEqual(proxy.strays, [], 'nothing is asked for outside');
  await page.click('#tool-leave');
  await page.locator('button.room').waitFor();
  await guest.page.context().close();
  await page.context().close();
});

for (const [example, isThere] of /** @type {[string, string][]} */ ([['square', 'canvas'], ['cards', '#door button']])) {
  test(`the example ${example} works at a path of its own`, async () => {
    const own = await startServer([], '127.0.0.1:0', `${EXAMPLES}/${example}`);
    const path = await startSubPath(own.address, '/game/');
    try {
      const { page, complaints } = await openPage(browser, path.url);
      await page.locator(isThere).first().waitFor();
      if (example === 'cards') await page.click(isThere);
      await page.waitForFunction(async () => {
        const rooms = await (await fetch('./api/rooms')).json();
        return rooms.some((/** @type {any} */ { players }) => players === 1);
      });
      assert.deepEqual(complaints, []);
      assert.deepEqual(path.strays, []);
      await page.context().close();
    } finally {
      path.stop();
      await own.stop();
    }
  });
}

test('mounted twice, the second mount plays, and a reload comes back to its figure', async (t) => {
  // A server of its own: nobody else takes seats.
  const own = await startServer(['--npcs', '5']);
  t.after(() => own.stop());
  const context = await browser.newContext();
  t.after(() => context.close());
  // The page without its program, which has a link of its own.
  await context.route('**/main.js', (route) => route.fulfill({ contentType: 'text/javascript', body: '' }));
  const page = await context.newPage();
  await page.goto(own.url);
  /**
   * @returns {Promise<any>} the seat of a page's part that is mounted, unmounted and mounted
   *   again
   */
  const mountTwice = () =>
    page.evaluate(async () => {
      const { join } = await import(new URL('./client/tickwire.js', document.baseURI).href);
      const input = () => ({ dx: Math.sign(Math.sin(performance.now() / 500)) });
      const mount = (/** @type {AbortSignal} */ signal) => join({ name: 'Ann', signal, input });
      const first = new AbortController();
      const unmounted = mount(first.signal);
      first.abort();
      const room = await mount(new AbortController().signal);
      const why = await unmounted.catch((/** @type {Error} */ error) => error.name);
      const me = () => room.entities.find((/** @type {any} */ { avatar, owner }) => avatar && owner === room.you);
      // The server holds the seat of who has answered it there: an input moves the figure.
      while (me() === undefined) await new Promise(requestAnimationFrame);
      const { x } = me().pos;
      while (Math.abs(me().pos.x - x) < 1) await new Promise(requestAnimationFrame);
      return { why, code: room.code, you: room.you, handle: me().handle, members: [...room.members.keys()] };
    });
  const seat = await mountTwice();
  assert.equal(seat.why, 'AbortError');
  assert.deepEqual(seat.members, [seat.you]);
  for (let reloads = 0; reloads < 2; reloads++) {
    await page.reload();
    assert.deepEqual(await mountTwice(), seat);
  }
});

test('it plays in a Web Worker', async () => {
  const { page, complaints } = await openPage(browser, proxy.url);
  const told = await page.evaluate(
    () =>
      new Promise((resolve) => {
        const worker = new Worker('./worker.js', { type: 'module' });
        /** @type {number | undefined} */
        let start;
        worker.onmessage = ({ data }) => {
          start ??= data.x;
          if (data.error !== undefined || Math.abs(data.x - Number(start)) > 5) resolve(data);
        };
        worker.onerror = ({ message }) => resolve({ error: message });
      }),
  );
  assert.deepEqual({ ...told, x: 0 }, { x: 0, desyncs: 0 });
  assert.deepEqual(complaints, []);
  await page.context().close();
});

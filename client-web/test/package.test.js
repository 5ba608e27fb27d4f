/**
 * The npm package as somebody gets it: packed, unpacked among a program's modules, compiled against
 * in strict TypeScript and imported by its name. Works on a copy of this folder, so nothing here is
 * touched.
 */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { COMPILERS, CONFIGS, programOf } from './consumer/compile.js';

const run = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));
const consumer = join(root, 'test', 'consumer');
/** Not part of a copy: made anew, or far too large. */
const LEFT_OUT = new Set(['node_modules', 'types']);

/** @type {string} */
let folder;
/** A program that has the package installed. @type {string} */
let app;
/** @type {string[]} */
let packed;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tickwire-client-'));
  const copy = join(folder, 'client-web');
  await cp(root, copy, { recursive: true, filter: (path) => !LEFT_OUT.has(basename(path)) });
  await symlink(join(root, 'node_modules'), join(copy, 'node_modules'), 'dir');
  // Left by an older version of the sources: it must not be packed.
  await mkdir(join(copy, 'types'));
  await writeFile(join(copy, 'types', 'gone.d.ts'), 'export {};\n');
  const { stdout } = await run('npm', ['pack', '--json', '--offline', '--pack-destination', folder], { cwd: copy });
  // The scripts that it runs print before.
  const [{ filename, files }] = JSON.parse(stdout.slice(stdout.search(/^\[$/m)));
  packed = files.map((/** @type {{ path: string }} */ { path }) => path);
  app = join(folder, 'app');
  const installed = join(app, 'node_modules', 'tickwire-client');
  await mkdir(installed, { recursive: true });
  await run('tar', ['-xzf', join(folder, filename), '-C', installed, '--strip-components=1']);
  await cp(consumer, app, { recursive: true });
  await writeFile(join(app, 'package.json'), '{ "type": "module" }\n');
  await symlink(join(root, 'node_modules', '@types'), join(app, 'node_modules', '@types'), 'dir');
});

after(() => rm(folder, { recursive: true, force: true }));

test('it holds the sources, their types, the guide and the licences, and nothing else', async () => {
  const entries = await readdir(join(root, 'src'), { recursive: true });
  const modules = entries.filter((path) => path.endsWith('.js')).map((path) => path.replace(/\.js$/, ''));
  assert.ok(modules.includes('tickwire'));
  const expected = [
    'LICENSE-APACHE',
    'LICENSE-MIT',
    'README.md',
    'package.json',
    ...modules.flatMap((name) => [`src/${name}.js`, `types/${name}.d.ts`]),
  ];
  assert.deepEqual([...packed].sort(), expected.sort());
});

test('it depends on nothing and has no side effects', async () => {
  const described = JSON.parse(await readFile(join(app, 'node_modules/tickwire-client/package.json'), 'utf8'));
  assert.equal(described.name, 'tickwire-client');
  for (const key of ['dependencies', 'optionalDependencies']) assert.equal(described[key], undefined);
  for (const peer in described.peerDependencies) assert.equal(described.peerDependenciesMeta[peer].optional, true, `${peer} is needed by some only`);
  assert.equal(described.sideEffects, false);
  assert.deepEqual(Object.keys(described.exports), ['.', './exact.js', './dev_panel.js', './package.json']);
});

test('its licences are the project’s', async () => {
  for (const name of ['LICENSE-APACHE', 'LICENSE-MIT']) {
    assert.equal(await readFile(join(root, name), 'utf8'), await readFile(join(root, '..', name), 'utf8'));
  }
});

for (const compiler of COMPILERS) {
  for (const config of CONFIGS) {
    test(`strict TypeScript compiles against its types: ${compiler}, ${config}`, async () => {
      const { stdout } = await run(process.execPath, [programOf(compiler), '-p', join(app, config)]).catch((error) => error);
      assert.equal(stdout, '');
    });
  }
}

test('it is imported by its name, in Node without a WebSocket too', async () => {
  const program = `
    import * as sdk from 'tickwire-client';
    import { unit } from 'tickwire-client/exact.js';
    const reason = await sdk.connect({ url: 'ws://127.0.0.1:1/ws', WebSocket: null }).catch((error) => error.reason);
    console.log(JSON.stringify({ names: Object.keys(sdk), east: unit(0), reason }));
  `;
  await writeFile(join(app, 'program.js'), program);
  const { stdout } = await run(process.execPath, ['program.js'], { cwd: app });
  assert.deepEqual(JSON.parse(stdout), {
    names: ['CloseCode', 'Link', 'RequestError', 'Room', 'closeReason', 'connect', 'join', 'partyIn'],
    east: [1, 0],
    reason: 'NoWebSocket',
  });
});

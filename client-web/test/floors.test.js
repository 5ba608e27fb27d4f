/**
 * What imports what: the files of the SDK stand on floors, and an import goes down or stays on its
 * floor; none go round in a circle.
 */

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { posix } from 'node:path';
import { test } from 'node:test';

const root = new URL('../src/', import.meta.url);

/** The lowest first: a folder's files stand together. */
const FLOORS = [
  ['types.js', 'limits.js', 'exact.js', 'emitter.js', 'report.js', 'request_error.js', 'protocol_error.js', 'bytes.js', 'codec.js', 'label.js', 'meter.js', 'wake.js'],
  ['schema'],
  ['snapshot'],
  ['protocol'],
  ['netcode'],
  ['session', 'session.js'],
  ['address.js', 'conditioner.js', 'conditions.js', 'delayed.js', 'policy.js', 'ways', 'socket.js', 'heartbeat.js', 'connection.js'],
  ['reconnect.js', 'keeper.js', 'known_games.js', 'outdated.js', 'doors.js', 'redirect.js', 'prepared.js', 'seat.js', 'give_up_seat.js', 'requests.js', 'way_back.js', 'upgrade.js', 'actions.js', 'in_turn.js', 'unsaid.js', 'pages.js', 'lines.js', 'typing.js', 'room.js', 'connections.js', 'lobby.js', 'notices.js', 'queue.js', 'party.js', 'channel.js', 'people.js', 'watch.js', 'lobby_people.js', 'watching.js', 'link.js'],
  ['tickwire.js', 'dev_panel', 'dev_panel.js'],
];

/** @param {string} file @returns {number} its floor, -1 for none */
const floorOf = (file) => FLOORS.findIndex((floor) => floor.includes(file.split('/')[0]));

/** Every file's imports; those of types alone are comments. @type {Map<string, string[]>} */
const imports = new Map(
  readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.js'))
    .map((file) => {
      const text = readFileSync(new URL(file, root), 'utf8');
      const found = text.matchAll(/^(?:import|export)\s[^;]*?from\s+'(\.[^']*)'/gm);
      return [file, Array.from(found, ([, path]) => posix.join(posix.dirname(file), path))];
    }),
);

test('no import climbs', () => {
  assert.ok(imports.size > 60, 'the sources are here');
  for (const [file, all] of imports) {
    assert.notEqual(floorOf(file), -1, `${file} stands on no floor`);
    for (const other of all) {
      assert.ok(imports.has(other), `${file} imports ${other}, which is not there`);
      assert.ok(floorOf(other) <= floorOf(file), `${file} imports ${other}, which stands above it`);
    }
  }
});

test('no imports go round in a circle', () => {
  /** @type {Set<string>} */
  const done = new Set();
  /** @param {string} file @param {string[]} way */
  const visit = (file, way) => {
    const before = way.indexOf(file);
    assert.equal(before, -1, `${way.at(-1)} imports ${file}, which leads back to it: ${[...way.slice(before), file].join(' > ')}`);
    if (done.has(file)) return;
    for (const other of imports.get(file) ?? []) visit(other, [...way, file]);
    done.add(file);
  };
  for (const file of imports.keys()) visit(file, []);
});

test('what the yardsticks take of the SDK is there', async () => {
  const benches = new URL('../../benches/js/', import.meta.url);
  let names = 0;
  for (const file of readdirSync(benches, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.mjs')) continue;
    const text = readFileSync(new URL(file, benches), 'utf8');
    for (const [, taken, path] of text.matchAll(/^import \{([^}]*)\} from '([^']*client-web\/src\/[^']*)'/gm)) {
      const module = await import(new URL(path, new URL(file, benches)).href);
      for (const name of taken.split(',').map((each) => each.trim()).filter(Boolean)) {
        assert.ok(name in module, `benches/js/${file} imports ${name} of ${path}, which has none`);
        names++;
      }
    }
  }
  assert.ok(names > 0);
});

test('the README says what each file is for', () => {
  const readme = readFileSync(new URL('../README.md', root), 'utf8');
  const table = readme.slice(readme.indexOf('\n## Files'), readme.indexOf('\n## Tests'));
  for (const name of FLOORS.flat()) {
    const entry = name.endsWith('.js') ? name : `${name}/`;
    assert.ok(table.includes(`\`${entry}\``), `${entry} is not in the table of client-web/README.md`);
  }
});

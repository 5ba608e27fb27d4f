/**
 * What servers have said of their games, so that a page's next connection need not be sent it
 * again: schema and tables are 9 to 12 KB of a welcome. For as long as the page lives;
 * `connections.js` keeps it, `session.js` offers it in the hello.
 */

/** Games that are remembered; the one met first goes first. A page plays one. */
const GAMES_MAX = 4;

/**
 * @typedef {object} KnownGame
 * @property {string} schemaHash what the server calls the schema
 * @property {string} tablesHash what the server calls the tables
 * @property {import('./schema/schema.js').Schema} schema
 * @property {import('./schema/tables.js').Tables} tables
 */

/** @type {Map<string, KnownGame>} by place */
const games = new Map();

/**
 * @param {string} place whose game: by what a server is known, and the game's name there
 * @returns {KnownGame | undefined}
 */
export const knownGame = (place) => games.get(place);

/**
 * @param {string} place
 * @param {KnownGame} game
 */
export function rememberGame(place, { schemaHash, tablesHash, schema, tables }) {
  games.delete(place);
  games.set(place, { schemaHash, tablesHash, schema, tables });
  if (games.size > GAMES_MAX) games.delete(games.keys().next().value ?? place);
}

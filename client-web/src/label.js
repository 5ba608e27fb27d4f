/**
 * What a member of a room is called so that it is nobody else there: the name, with the player's
 * number behind it where another member's name looks the same. Names are for whoever to choose;
 * numbers are the server's. Pure, so that every page shows the same. `room.js` asks.
 */

/** @typedef {{ player: number, name: string }} Named */

/**
 * Names whose looks are remembered; beyond, all are forgotten. A room has at most 1,000 members.
 */
const LOOKS_MAX = 2000;
/** @type {Map<string, string>} */
const looks = new Map();

/**
 * What two names that look alike have in common: neither case, nor width, nor what can't be seen.
 * @param {string} name
 * @returns {string}
 */
function lookOf(name) {
  let look = looks.get(name);
  if (look === undefined) {
    look = name.replace(/\p{Default_Ignorable_Code_Point}/gu, '').normalize('NFKC').toUpperCase().toLowerCase();
    if (looks.size >= LOOKS_MAX) looks.clear();
    looks.set(name, look);
  }
  return look;
}

/**
 * The name, or `name#number` if another of `members` looks the same. A name that ends in such a
 * number itself gets its own too, so that nobody can take another's label for a name.
 * @param {Iterable<Named>} members
 * @param {number} player below 0: it is not known any more, and `?` stands in its place
 * @param {string} name theirs, now or when they said something
 * @returns {string} to be shown as text only
 */
export function labelOf(members, player, name) {
  const label = `${name}#${player < 0 ? '?' : player}`;
  if (/#\p{Nd}+$/u.test(name)) return label;
  const look = lookOf(name);
  for (const member of members) {
    if (member.player !== player && lookOf(member.name) === look) return label;
  }
  return name;
}

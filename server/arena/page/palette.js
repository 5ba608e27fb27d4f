/**
 * The colours that the canvas uses; the page's are in style.css and agree with these. Lime is the
 * own player's and nobody else's; red means damage.
 */

/** Named colours of the scene. */
export const INK = {
  void: '#090c12',
  floor: '#131a27',
  floorAlt: '#172030',
  line: '#222e43',
  lineStrong: '#31415c',
  mark: '#415373',
  wallTop: '#344259',
  wallEdge: '#6a7fa6',
  wallSide: '#1b2538',
  wallSideLit: '#253149',
  text: '#e8edf6',
  muted: '#93a0b8',
  accent: '#c8f751',
  danger: '#ff5c5c',
  white: '#ffffff',
  drone: '#8793a8',
  health: '#6ee7a0',
  ammo: '#ffc35a',
};

/**
 * What a player may choose to be, by the schema's names: one lightness, no lime, no red.
 * @type {Record<string, string>}
 */
export const COLOURS = {
  sky: '#62b5ff',
  orange: '#ff9d5c',
  violet: '#b794ff',
  teal: '#4fd8c4',
  pink: '#ff86c0',
  gold: '#f2d35b',
  indigo: '#8ea2ff',
  clay: '#e0a07a',
};

/** What each player was last seen in, by number. @type {Map<number, string>} */
const worn = new Map();

/**
 * Another room: its players have other numbers.
 */
export function forgetColours() {
  worn.clear();
}

/**
 * Looks at what everyone wears.
 * @param {import('/client/types.js').Entity[]} entities
 */
export function learnColours(entities) {
  for (let i = 0; i < entities.length; i += 1) {
    const { look, avatar, owner } = entities[i];
    if (avatar && owner !== undefined && look !== undefined) worn.set(owner, COLOURS[look.colour]);
  }
}

/**
 * @param {number | undefined} player whose
 * @returns {string} the colour that everyone sees this player in
 */
export function bodyOf(player) {
  return (player === undefined ? undefined : worn.get(player)) ?? INK.drone;
}

/**
 * @param {number | undefined} player whose
 * @param {number} you the own player
 * @returns {string} the colour of what is this player's on this screen: names, shots, marks
 */
export function colourOf(player, you) {
  return player === you ? INK.accent : bodyOf(player);
}

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

/** Other players' colours: one lightness, no lime, no red. */
const OTHERS = ['#62b5ff', '#ff9d5c', '#b794ff', '#4fd8c4', '#ff86c0', '#f2d35b', '#8ea2ff', '#e0a07a'];

/**
 * @param {number | undefined} player whose
 * @param {number} you the own player
 * @returns {string} the colour that this player has on this screen
 */
export function colourOf(player, you) {
  if (player === undefined) return INK.drone;
  return player === you ? INK.accent : OTHERS[player % OTHERS.length];
}

/**
 * The arena's fixed ground, as in `server/arena/src/map.rs`, entry for entry: the order matters to
 * the rule. Also the sizes of what is drawn. No drawing, no rule.
 */

/** Width and height in units; the walls are at 0 and here. */
export const SIZE = 1000;

/**
 * An upright rectangle or, with `radius`, a disc.
 * @typedef {{ block: true, left: number, top: number, right: number, bottom: number }} Block
 * @typedef {{ block: false, x: number, y: number, radius: number }} Pillar
 * @typedef {Block | Pillar} Obstacle
 */

/**
 * @param {number} left
 * @param {number} top
 * @param {number} right
 * @param {number} bottom
 * @returns {Obstacle}
 */
const block = (left, top, right, bottom) => ({ block: true, left, top, right, bottom });

/**
 * @param {number} x
 * @param {number} y
 * @param {number} radius
 * @returns {Obstacle}
 */
const pillar = (x, y, radius) => ({ block: false, x, y, radius });

/** The obstacles, in the order in which movers are pushed out of them. */
export const OBSTACLES = [
  pillar(500, 500, 60),
  // Bars around the centre.
  block(360, 440, 400, 560),
  block(440, 360, 560, 400),
  block(600, 440, 640, 560),
  block(440, 600, 560, 640),
  // Stubs in the middle of each side.
  block(110, 470, 250, 530),
  block(470, 110, 530, 250),
  block(750, 470, 890, 530),
  block(470, 750, 530, 890),
  // Long walls, a pinwheel.
  block(220, 160, 400, 200),
  block(800, 220, 840, 400),
  block(600, 800, 780, 840),
  block(160, 600, 200, 780),
  // Pillars between centre and corners.
  pillar(300, 300, 30),
  pillar(700, 300, 30),
  pillar(700, 700, 30),
  pillar(300, 700, 30),
  // Posts in the corners.
  pillar(120, 120, 18),
  pillar(880, 120, 18),
  pillar(880, 880, 18),
  pillar(120, 880, 18),
];

/** Where first aid appears: centres in units. */
export const HEALTH_PADS = [[305, 500], [500, 305], [695, 500], [500, 695]];

/** Where ammunition appears: centres in units. */
export const AMMO_PADS = [[230, 245], [755, 230], [770, 755], [245, 770]];

/** A player's radius in units. */
export const PLAYER_RADIUS = 12;

/** A drone's and a pickup's radius in units. */
export const DRONE_RADIUS = 10;

/**
 * All the arithmetic that predicted rules may use besides + - * /: results have the same bits here
 * and in Rust, on every machine. It is `shared/src/exact.rs`, expression for expression.
 * `Math.round`, `Math.hypot`, `Math.sin` and `Math.cos` differ from it or between browsers: don't
 * use them in a `step`.
 */

/** A quarter of a turn, in radians. */
const QUARTER = Math.PI / 2;

/** Turns in a radian. */
const TURNS_A_RADIAN = 1 / (2 * Math.PI);

/** Beyond this many quarter turns `unit` gives up: the remainder would have no bits left. */
const QUARTERS_MAX = 1e9;

/**
 * @param {number} value
 * @returns {number} the greatest whole number that is not above it
 */
export function floor(value) {
  return Math.floor(value);
}

/**
 * @param {number} value
 * @returns {number} the least whole number that is not below it
 */
export function ceil(value) {
  return -floor(-value);
}

/**
 * @param {number} value
 * @returns {number} it without its fraction
 */
export function trunc(value) {
  return value < 0 ? -floor(-value) : floor(value);
}

/**
 * @param {number} value
 * @returns {number} the nearest whole number, a half goes up
 */
export function round(value) {
  return floor(value + 0.5);
}

/**
 * @param {number} value
 * @param {number} least
 * @param {number} most
 * @returns {number} `value` within `least..most`; NaN becomes `least`
 */
export function clamp(value, least, most) {
  return value > least ? (value < most ? value : most) : least;
}

/**
 * @param {number} value not negative
 * @returns {number} its square root, correctly rounded
 */
export function sqrt(value) {
  return Math.sqrt(value);
}

/**
 * @param {number} x
 * @param {number} y
 * @returns {number} length of the vector
 */
export function length(x, y) {
  return Math.sqrt(x * x + y * y);
}

/**
 * Reduced to an eighth of a turn either side of an axis, then Taylor's series in nested form.
 * @param {number} angle in radians
 * @returns {[number, number]} the unit vector (cos, sin); (1, 0) for what is no angle
 */
export function unit(angle) {
  const quarters = angle / QUARTER;
  if (!(quarters > -QUARTERS_MAX && quarters < QUARTERS_MAX)) return [1, 0];
  const whole = round(quarters);
  const a = (quarters - whole) * QUARTER;
  const b = a * a;
  const sin =
    a *
    (1 -
      (b / 6) *
        (1 -
          (b / 20) *
            (1 - (b / 42) * (1 - (b / 72) * (1 - (b / 110) * (1 - (b / 156) * (1 - b / 210)))))));
  const cos =
    1 -
    (b / 2) *
      (1 -
        (b / 12) *
          (1 -
            (b / 30) *
              (1 - (b / 56) * (1 - (b / 90) * (1 - (b / 132) * (1 - (b / 182) * (1 - b / 240)))))));
  const side = whole - 4 * floor(whole / 4);
  if (side === 0) return [cos, sin];
  if (side === 1) return [-sin, cos];
  if (side === 2) return [-cos, -sin];
  return [sin, -cos];
}

/**
 * Reduced to an eighth of a turn, then the polynomial for the arcus tangens of Abramowitz and
 * Stegun, Handbook of Mathematical Functions, 4.4.49.
 * @param {number} x finite, as `y`
 * @param {number} y
 * @returns {number} the direction of the vector as a part of a turn, 0..1, right to 2e-6; 0 for
 *   the vector without length
 */
export function bearing(x, y) {
  const wide = Math.abs(x);
  const high = Math.abs(y);
  const steep = high > wide;
  const long = steep ? high : wide;
  if (long === 0) return 0;
  const r = (steep ? wide : high) / long;
  const b = r * r;
  const c = b * b;
  const lower = 0.999866 - b * 0.3302995;
  const upper = 0.180141 - b * 0.085133 + c * 0.0208351;
  const eighth = r * (lower + c * upper) * TURNS_A_RADIAN;
  const quarter = steep ? 0.25 - eighth : eighth;
  const half = x < 0 ? 0.5 - quarter : quarter;
  return y < 0 ? 1 - half : half;
}

/**
 * Marsaglia's 32-bit xorshift (13, 17, 5): chance that both languages draw alike. For looks and
 * test vectors; it is predictable, so never for secrets.
 */
export class Xorshift32 {
  #state;

  /** @param {number} seed 0, which would stay 0, becomes 0x9E3779B9 */
  constructor(seed) {
    this.#state = seed >>> 0 || 0x9e3779b9;
  }

  /** @returns {number} the next number, 1..2^32 - 1 */
  draw() {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x >>> 0;
    return this.#state;
  }

  /**
   * @param {number} n at least 1
   * @returns {number} the next number modulo `n`
   */
  below(n) {
    return this.draw() % n;
  }
}

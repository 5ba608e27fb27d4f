/**
 * How bad the page wants its link to be: settings as a page, an address or the dev panel gives
 * them, checked. Off unless asked for. Owned by `link.js`; `socket.js` makes the link so, by
 * `conditioner.js`.
 */

/** @typedef {import('./types.js').LinkConditions} LinkConditions */

/** The address's parameter: `?conditioner=rtt:200,jitter:30`. */
export const PARAMETER = 'conditioner';
const EXAMPLE = `?${PARAMETER}=rtt:200,jitter:30,stall:500,every:5000,rate:20000`;

/**
 * Every setting: its name in the address, its bounds, what it is when left out. The bounds are far
 * beyond what anybody can play with.
 * @type {Record<keyof LinkConditions, { short: string, least: number, most: number, none: number
 *   }>}
 */
const SETTINGS = {
  rttMs: { short: 'rtt', least: 0, most: 10_000, none: 0 },
  jitterMs: { short: 'jitter', least: 0, most: 5000, none: 0 },
  stallMs: { short: 'stall', least: 0, most: 10_000, none: 0 },
  stallEveryMs: { short: 'every', least: 100, most: 600_000, none: 5000 },
  bytesPerSecond: { short: 'rate', least: 500, most: Infinity, none: Infinity },
  seed: { short: 'seed', least: 0, most: 0xffff_ffff, none: 1 },
};

/**
 * Makes a socket as the settings say.
 * @typedef {(direction: import('./conditioner.js').DirectionConditions | undefined, seed: number)
 *   => void} Apply
 */

/** See the module's description. */
export class Conditions {
  /** @type {Required<LinkConditions> | undefined} */
  #settings;
  /** @type {Set<Apply>} of the link's sockets: one, or one more that is prepared */
  #followers = new Set();

  /**
   * @param {LinkConditions | undefined} settings undefined for a link as it is; throws a
   *   `RangeError` for what cannot be
   */
  constructor(settings) {
    this.#settings = settings && complete(settings);
  }

  /** @returns {Required<LinkConditions> | undefined} undefined for a link as it is */
  get settings() {
    return this.#settings;
  }

  /** @param {LinkConditions | undefined} settings count from the next message on */
  set settings(settings) {
    this.#settings = settings && complete(settings);
    for (const apply of this.#followers) this.#tell(apply);
  }

  /**
   * From now on the settings are those of this socket too.
   * @param {Apply} apply called now and whenever they change
   * @returns {() => void} ends that
   */
  follow(apply) {
    this.#followers.add(apply);
    this.#tell(apply);
    return () => void this.#followers.delete(apply);
  }

  /** @param {Apply} apply */
  #tell(apply) {
    apply(this.#settings && directionOf(this.#settings), this.#settings?.seed ?? 1);
  }
}

/**
 * @param {string | undefined} address of the page
 * @returns {LinkConditions | undefined} what it asks for, if it asks; throws a `RangeError` for
 *   what it cannot ask for
 */
export function conditionsIn(address) {
  const asked = address === undefined ? null : new URL(address).searchParams.get(PARAMETER);
  if (asked === null || asked === '') return undefined;
  /** @type {LinkConditions} */
  const settings = {};
  for (const part of asked.split(',')) {
    const [short, value] = part.split(':');
    const name = /** @type {(keyof LinkConditions)[]} */ (Object.keys(SETTINGS)).find((each) => SETTINGS[each].short === short);
    if (name === undefined || !value) throw new RangeError(`${PARAMETER} has no ${JSON.stringify(part)}: write ${EXAMPLE}`);
    settings[name] = Number(value);
  }
  return settings;
}

/**
 * @param {LinkConditions} settings
 * @returns {Required<LinkConditions>}
 */
function complete(settings) {
  const whole = /** @type {Required<LinkConditions>} */ ({});
  for (const given in settings) {
    if (!(given in SETTINGS)) throw new RangeError(`a link has no ${JSON.stringify(given)}: it has ${Object.keys(SETTINGS).join(', ')}`);
  }
  for (const name of /** @type {(keyof LinkConditions)[]} */ (Object.keys(SETTINGS))) {
    const { least, most, none } = SETTINGS[name];
    const value = settings[name] ?? none;
    if (!(value >= least && value <= most)) throw new RangeError(`a link's ${name} is ${least} to ${most}, not ${value}`);
    whole[name] = value;
  }
  if (whole.stallMs >= whole.stallEveryMs) throw new RangeError("a link's stallMs is less than its stallEveryMs");
  return whole;
}

/**
 * @param {Required<LinkConditions>} settings
 * @returns {import('./conditioner.js').DirectionConditions} of either direction
 */
function directionOf({ rttMs, jitterMs, stallMs, stallEveryMs, bytesPerSecond }) {
  const us = (/** @type {number} */ ms) => Math.round(ms * 1000);
  return {
    latencyUs: us(rttMs / 2),
    jitterUs: us(jitterMs),
    stallUs: us(stallMs),
    stallEveryUs: stallMs > 0 ? us(stallEveryMs) : 0,
    bytesPerSecond: bytesPerSecond === Infinity ? 0 : bytesPerSecond,
  };
}

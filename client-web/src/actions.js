/**
 * The actions of a room that wait for the game's answers: each is checked by the schema, packed and
 * numbered, and settles once, by its answer, its time or the loss of the connection. Owned by
 * `room.js`, which sends them and hears the replies.
 */

import { ACTIONS_WAITING_MAX } from './limits.js';
import * as client from './protocol/client_message.js';
import { RequestError } from './request_error.js';
import { encodePayload } from './schema/payload.js';
import { checkValues } from './schema/value_check.js';
import { readAnswer } from './session/options.js';
import { pack, quantiseAll } from './snapshot/fields.js';

/** @typedef {import('./schema/schema.js').Action} Action */

/**
 * One that waits, as it is declared.
 * @typedef {{ declared: Action, resolve: (answer: any) => void, reject: (error: Error) => void,
 *   dueMs: number }} Waiting
 */

/** See the module's description. */
export class Actions {
  /** @type {Map<number, Waiting>} by the action's number */
  #waiting = new Map();
  #last = 0;

  /**
   * Sends one. Throws a `RequestError` or `RangeError` for what cannot be asked.
   * @param {readonly Action[]} actions what the game declares
   * @param {string} name
   * @param {Record<string, any>} values by the names of its fields and of its payload
   * @param {number} dueMs when it has waited for too long
   * @param {(message: Uint8Array) => void} send throws if it cannot be sent
   * @returns {Promise<any>} the game's answer
   */
  add(actions, name, values, dueMs, send) {
    const action = actions.findIndex((declared) => declared.name === name);
    if (action === -1) {
      throw new RequestError('NoSuchAction', `the game has no action ${JSON.stringify(name)}${oneOf(actions)}`);
    }
    if (this.#waiting.size >= ACTIONS_WAITING_MAX) throw new RequestError('TooMuch', 'too many actions wait for their answers');
    const declared = actions[action];
    const named = declared.payload === undefined ? declared.fields : [...declared.fields, declared.payload];
    for (const given in values) {
      if (named.some((field) => field.name === given)) continue;
      throw new RangeError(`action ${JSON.stringify(name)} has no field ${JSON.stringify(given)}${oneOf(named)}`);
    }
    checkValues(`action ${JSON.stringify(name)}`, declared.fields, values);
    const id = (this.#last + 1) >>> 0;
    send(client.act(id, action, encode(declared, values)));
    this.#last = id;
    return new Promise((resolve, reject) => this.#waiting.set(id, { declared, resolve, reject, dueMs }));
  }

  /** The game has answered. @param {{ id: number, answer: Uint8Array, error: string | undefined }} reply */
  onReply({ id, answer, error }) {
    const action = this.#waiting.get(id);
    if (action === undefined) return;
    this.#waiting.delete(id);
    if (error !== undefined) return action.reject(new RequestError('Refused', error));
    try {
      action.resolve(readAnswer(action.declared, answer));
    } catch (cause) {
      action.reject(new RequestError('BadAnswer', `the answer is not what the game declares: ${/** @type {Error} */ (cause).message}`, { cause }));
    }
  }

  /** Time has passed. @param {number} nowMs */
  onTime(nowMs) {
    for (const [id, { reject, dueMs }] of this.#waiting) {
      if (dueMs > nowMs) continue;
      this.#waiting.delete(id);
      reject(new RequestError('TimedOut'));
    }
  }

  /** When `onTime` has something to do, in ms; Infinity for never. */
  get dueMs() {
    let dueMs = Infinity;
    for (const action of this.#waiting.values()) dueMs = Math.min(dueMs, action.dueMs);
    return dueMs;
  }

  /** Whether any waits for its answer. */
  get isWaiting() {
    return this.#waiting.size > 0;
  }

  /** No answer comes any more. @param {Error} error for all that wait */
  fail(error) {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

/**
 * @param {import('./schema/schema.js').Message} declared
 * @param {Record<string, any>} values
 * @returns {Uint8Array} the packed fields, and the payload if there is one
 */
function encode({ fields, payload }, values) {
  const packed = pack(fields, quantiseAll(fields, values));
  if (payload === undefined) return packed;
  const behind = encodePayload(payload, values[payload.name]);
  const whole = new Uint8Array(packed.length + behind.length);
  whole.set(packed);
  whole.set(behind, packed.length);
  return whole;
}

/**
 * @param {readonly { name: string }[]} named
 * @returns {string} the names to choose from, for an error
 */
function oneOf(named) {
  return named.length === 0 ? ': it has none' : `: it has ${named.map(({ name }) => name).join(', ')}`;
}

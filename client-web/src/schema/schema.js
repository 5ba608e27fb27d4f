/**
 * A game as both ends of the wire know it: components, their fields, the input, events and actions.
 * The server sends it in its welcome, so the SDK plays any game. Which columns an image has follows
 * from it in `snapshot/layout.js`.
 */

import { COMPONENTS_MAX, EVENTS_MAX, FIELDS_MAX, OPTIONS_BYTES_MAX } from '../limits.js';
import { ProtocolError } from '../protocol_error.js';
import { bits, readField, words } from './field.js';
import { checkField } from './field_check.js';
import { checkPayload, readPayload } from './payload.js';

/** @typedef {import('./field.js').Field} Field */
/** @typedef {import('../codec.js').ControlReader} ControlReader */

/**
 * Who sees a component: everyone, its entity's owner, everyone as a part of the room itself, or its
 * entity's team.
 */
export const AUDIENCES = /** @type {const} */ (['Everyone', 'Owner', 'Room', 'Team']);
/**
 * Whether an entity's owner predicts a component, and in which steps: not; in steps of 1/1024, in
 * which the owner gets its `Real` fields as well; in its fields' own steps, as everyone gets them.
 */
export const PREDICTED = /** @type {const} */ (['No', 'Fine', 'Grid']);

/** Column sets of a game's layers (`snapshot/layout.js`). */
export const SETS = 3;

/**
 * @typedef {object} Component
 * @property {string} name the property of the entity
 * @property {typeof AUDIENCES[number]} audience
 * @property {typeof PREDICTED[number]} predicted
 * @property {Field[]} fields
 */

/**
 * An event or an action.
 * @typedef {object} Message
 * @property {string} name
 * @property {Field[]} fields
 * @property {import('./payload.js').Payload | undefined} payload what it carries besides
 */

/**
 * @typedef {object} Schema
 * @property {string} game
 * @property {Component[]} components
 * @property {Field[]} input
 * @property {boolean} newestWins whether a tick takes the newest input instead of the one for it
 * @property {Message[]} events
 * @property {Action[]} actions
 * @property {Field[]} roomOptions what whoever makes a room may choose
 * @property {Field[]} playerOptions what a player may bring to a room
 * @property {Field[]} metadata what a room tells of itself in listings
 */

/**
 * A request that a client may make.
 * @typedef {Message & { answer: Field[], answerPayload: import('./payload.js').Payload | undefined
 *   }} Action
 */

/**
 * Names that an entity's own properties have; and what an object cannot hold as plain data.
 * A component by one of these names could not be told apart.
 */
const RESERVED = new Set(['handle', 'slot', 'generation', 'owner', 'avatar', '__proto__']);

/**
 * Reads and checks the schema of a welcome.
 * @param {ControlReader} reader
 * @returns {Schema}
 */
export function readSchema(reader) {
  const schema = {
    game: reader.string(),
    components: reader.list(COMPONENTS_MAX, readComponent),
    input: reader.list(FIELDS_MAX, readField),
    newestWins: reader.bool(),
    events: reader.list(EVENTS_MAX, readMessage),
    actions: reader.list(EVENTS_MAX, readAction),
    roomOptions: reader.list(FIELDS_MAX, readField),
    playerOptions: reader.list(FIELDS_MAX, readField),
    metadata: reader.list(FIELDS_MAX, readField),
  };
  checkSchema(schema);
  return schema;
}

/**
 * @param {ControlReader} reader
 * @returns {Component}
 */
function readComponent(reader) {
  return {
    name: reader.string(),
    audience: reader.variant(AUDIENCES),
    predicted: reader.variant(PREDICTED),
    fields: reader.list(FIELDS_MAX, readField),
  };
}

/**
 * @param {ControlReader} reader
 * @returns {Message}
 */
function readMessage(reader) {
  return { name: reader.string(), fields: reader.list(FIELDS_MAX, readField), payload: reader.option(readPayload) };
}

/**
 * @param {ControlReader} reader
 * @returns {Action}
 */
function readAction(reader) {
  return { ...readMessage(reader), answer: reader.list(FIELDS_MAX, readField), answerPayload: reader.option(readPayload) };
}

/**
 * Throws a `ProtocolError` on what no game can mean. Its layers and tables are `checkLayout`'s.
 * @param {Schema} schema
 */
export function checkSchema(schema) {
  const { components, events, actions } = schema;
  checkNames('component', components);
  checkNames('event', events);
  checkNames('action', actions);
  for (const { name, audience, predicted, fields } of components) {
    if (RESERVED.has(name)) throw new ProtocolError(`a component cannot be called ${JSON.stringify(name)}`);
    if (predicted !== 'No' && audience !== 'Everyone') {
      throw new ProtocolError(`component ${JSON.stringify(name)}: only what everyone sees can be predicted`);
    }
    checkFields(fields, predicted);
  }
  checkFields(schema.input, 'No');
  for (const { name, kind } of schema.input) {
    if (kind.type === 'Entity' || kind.type === 'Text') {
      throw new ProtocolError(`field ${JSON.stringify(name)}: an input has neither entities nor texts`);
    }
  }
  const answers = actions.map(({ answer, answerPayload }) => ({ fields: answer, payload: answerPayload }));
  for (const { fields, payload } of [...events, ...actions, ...answers]) {
    checkFields(fields, 'No');
    if (payload !== undefined) checkPayload(payload, fields);
  }
  for (const fields of [schema.roomOptions, schema.playerOptions, schema.metadata]) checkOptions(fields);
}

/**
 * What is known outside of a room: no entities, and small enough for a listing of many.
 * @param {Field[]} fields
 */
function checkOptions(fields) {
  checkFields(fields, 'No');
  const entity = fields.find(({ kind }) => kind.type === 'Entity');
  if (entity !== undefined) throw new ProtocolError(`option ${JSON.stringify(entity.name)}: there are no entities outside of a room`);
  const size = fields.reduce((sum, { kind }) => sum + words(kind) * bits(kind), 0);
  if (size > 8 * OPTIONS_BYTES_MAX) throw new ProtocolError(`options of ${Math.ceil(size / 8)} bytes, at most ${OPTIONS_BYTES_MAX}`);
}

/**
 * @param {Field[]} fields
 * @param {Component['predicted']} predicted
 */
function checkFields(fields, predicted) {
  checkNames('field', fields);
  for (const field of fields) checkField(field, fields, predicted);
}

/**
 * @param {string} what
 * @param {{ name: string }[]} named
 */
function checkNames(what, named) {
  const seen = new Set();
  for (const { name } of named) {
    if (name === '' || name === '__proto__') throw new ProtocolError(`a ${what} without a usable name`);
    if (seen.has(name)) throw new ProtocolError(`${what} ${JSON.stringify(name)} is declared twice`);
    seen.add(name);
  }
}

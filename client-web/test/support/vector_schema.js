/** Schemas and messages as the vectors spell them (Rust's serde_json) in the SDK's spelling. */

/** @typedef {import('../../src/schema/schema.js').Schema} Schema */
/** @typedef {import('../../src/schema/field.js').Field} Field */

/**
 * An enum as serde spells it: its name, or an object of the name and the fields, or the one value.
 * @param {any} value
 * @returns {any} `{ type, ...fields }`, or `{ type, value }` of what is no object
 */
export function variant(value) {
  if (typeof value === 'string') return { type: value };
  const [[type, fields]] = Object.entries(value);
  return typeof fields === 'object' ? { type, ...camel(fields) } : { type, value: fields };
}

/**
 * @param {any} value
 * @returns {any} it with all properties in camelCase
 */
export function camel(value) {
  if (Array.isArray(value)) return value.map(camel);
  if (typeof value !== 'object' || value === null) return value;
  const name = (/** @type {string} */ key) => key.replace(/_(.)/g, (_, letter) => letter.toUpperCase());
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [name(key), camel(inner)]));
}

/**
 * @param {any} field
 * @returns {Field}
 */
const fieldOf = (field) => ({ name: field.name, kind: variant(field.kind), predictor: variant(field.predictor) });

/**
 * @param {any} named
 * @returns {any} with its fields in the SDK's spelling
 */
const withFields = (named) => ({ ...named, fields: named.fields.map(fieldOf) });

/**
 * @param {any} message an event or action
 * @returns {any} it in the SDK's spelling
 */
const messageOf = (message) => ({ ...withFields(message), payload: message.payload ?? undefined });

/**
 * @param {any} schema
 * @returns {Schema}
 */
export function schemaOf(schema) {
  const { game, components, input, newest_wins: newestWins, events, actions } = schema;
  return {
    game,
    components: components.map(withFields),
    input: input.map(fieldOf),
    newestWins,
    events: events.map(messageOf),
    actions: actions.map((/** @type {any} */ { request, answer, answer_payload: answerPayload }) => ({
      ...messageOf(request),
      answer: answer.map(fieldOf),
      answerPayload: answerPayload ?? undefined,
    })),
    roomOptions: schema.room_options.map(fieldOf),
    playerOptions: schema.player_options.map(fieldOf),
    metadata: schema.metadata.map(fieldOf),
  };
}

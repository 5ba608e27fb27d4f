/** Messages of a server, spelled by hand, for tests of what the client makes of them. */

import { ControlWriter } from '../../src/codec.js';
import { Feature, SectionKind, VERSION } from '../../src/protocol/frame.js';
import { UNTRAINED } from '../../src/schema/tables.js';
import { section, u32 } from './delta_encoder.js';

/** @typedef {import('../../src/schema/schema.js').Schema} Schema */
/** @typedef {import('../../src/schema/field.js').Field} Field */

const KINDS = ['Real', 'Int', 'Bits', 'Bool', 'Turn', 'Enum', 'Entity', 'Text'];
const PREDICTORS = ['Hold', 'Linear', 'Velocity', 'Counter', 'Bearing', 'Rate'];
const AUDIENCES = ['Everyone', 'Owner', 'Room', 'Team'];
const PREDICTED = ['No', 'Fine', 'Grid'];

/**
 * @param {number} index
 * @param {(w: ControlWriter) => void} fields
 */
function message(index, fields) {
  const writer = new ControlWriter();
  writer.u8(1);
  writer.uint(index);
  fields(writer);
  return writer.finish();
}

/**
 * One of the reserved range: its length stands behind its index.
 * @param {number} index
 * @param {(w: ControlWriter) => void} fields
 */
function later(index, fields) {
  const writer = new ControlWriter();
  fields(writer);
  return message(index, (w) => w.bytes(writer.finish()));
}

/** @param {ControlWriter} w @param {number} value a 32-bit integer */
function i32(w, value) {
  w.uint(((value << 1) ^ (value >> 31)) >>> 0);
}

/**
 * @template T
 * @param {ControlWriter} w
 * @param {readonly T[]} items
 * @param {(item: T) => void} write
 */
function list(w, items, write) {
  w.uint(items.length);
  items.forEach(write);
}

/** @param {ControlWriter} w @param {Field} field */
function writeField(w, { name, kind, predictor }) {
  w.string(name);
  w.uint(KINDS.indexOf(kind.type));
  if (kind.type === 'Real') [kind.min, kind.max, kind.step].forEach((value) => w.f64(value));
  if (kind.type === 'Int') [kind.min, kind.max].forEach((value) => i32(w, value));
  if (kind.type === 'Turn') w.uint(kind.steps);
  if (kind.type === 'Enum') list(w, kind.names, (value) => w.string(value));
  if (kind.type === 'Text') w.u8(kind.bytes);
  w.uint(PREDICTORS.indexOf(predictor.type));
  if (predictor.type === 'Velocity') {
    w.u8(predictor.by);
    i32(w, predictor.num);
    i32(w, predictor.den);
  }
  if (predictor.type === 'Counter') i32(w, predictor.perTick);
  if (predictor.type === 'Bearing') [predictor.x, predictor.y].forEach((index) => w.u8(index));
  if (predictor.type === 'Rate') {
    w.u8(predictor.of);
    w.f64(predictor.scale);
  }
}

/** @param {ControlWriter} w @param {import('../../src/schema/schema.js').Message} message */
function writeMessage(w, { name, fields, payload }) {
  w.string(name);
  list(w, fields, (field) => writeField(w, field));
  writePayload(w, payload);
}

/** @param {ControlWriter} w @param {import('../../src/schema/payload.js').Payload | undefined} payload */
function writePayload(w, payload) {
  w.bool(payload !== undefined);
  if (payload === undefined) return;
  w.string(payload.name);
  w.bool(payload.json);
}

/**
 * @param {Schema} schema
 * @param {{ version?: number, features?: number, name?: string, token?: string, hashes?: [string, string], tables?:
 *   import('../../src/schema/tables.js').Tables, without?: ('schema' | 'tables')[] }} [options]
 *   `hashes`: of schema and tables; `without`: what is left out
 */
export const welcome = (schema, { version = VERSION, features = Feature.ALL, name = 'Ann', token = '', hashes = ['', ''], tables = UNTRAINED, without = [] } = {}) =>
  message(0, (w) => {
    w.uint(version);
    w.uint(features);
    w.string(schema.game);
    w.string(name);
    w.string(token);
    [4096, 120, 200, 24, 64, 0].forEach((limit) => w.uint(limit));
    hashes.forEach((hash) => w.string(hash));
    w.bool(!without.includes('schema'));
    if (!without.includes('schema')) writeSchema(w, schema);
    w.bool(!without.includes('tables'));
    if (without.includes('tables')) return;
    w.u8(tables.epoch);
    list(w, tables.layers, (table) => list(w, table, (context) => w.uint(context)));
  });

/** @param {ControlWriter} w @param {Schema} schema */
function writeSchema(w, schema) {
  const fields = (/** @type {Field[]} */ declared) => list(w, declared, (field) => writeField(w, field));
  w.string(schema.game);
  list(w, schema.components, (component) => {
    w.string(component.name);
    w.uint(AUDIENCES.indexOf(component.audience));
    w.uint(PREDICTED.indexOf(component.predicted));
    fields(component.fields);
  });
  fields(schema.input);
  w.bool(schema.newestWins);
  list(w, schema.events, (event) => writeMessage(w, event));
  list(w, schema.actions, (action) => {
    writeMessage(w, action);
    fields(action.answer);
    writePayload(w, action.answerPayload);
  });
  fields(schema.roomOptions);
  fields(schema.playerOptions);
  fields(schema.metadata);
}

/** @param {number} reason */
export const refused = (reason) => message(1, (w) => w.uint(reason));

/** @param {ControlWriter} w @param {number} id */
function writeRoom(w, id) {
  w.uint(id);
  w.string('room');
  w.uint(1);
  w.uint(8);
  w.uint(0);
  w.bool(false);
  w.bool(false);
  w.bool(false);
  w.bytes(new Uint8Array());
}

/** @param {number[]} ids */
export const rooms = (ids) => message(2, (w) => list(w, ids, (id) => writeRoom(w, id)));

/** @param {ControlWriter} w @param {number} player @param {string} name */
function writeMember(w, player, name) {
  w.uint(player);
  w.string(name);
  w.bool(false);
  w.bool(player === 0);
  w.bool(true);
}

/**
 * @param {{ you?: number, tickRate?: number, snapshotEvery?: number, tick?: number, more?: boolean,
 *   said?: [number, string][] }} [options] `you` -1: a spectator; `said`: chat lines; `more`: members
 *   follow
 */
export const joined = ({ you = 0, tickRate = 25, snapshotEvery = 1, tick = 1, more = false, said = [] } = {}) =>
  message(3, (w) => {
    writeRoom(w, 7);
    w.string('CODE');
    w.bool(you !== -1);
    if (you !== -1) w.uint(you);
    w.uint(tickRate);
    w.uint(snapshotEvery);
    w.uint(tick);
    w.uint(1);
    writeMember(w, Math.max(0, you), 'Ann');
    w.bool(more);
    list(w, said, ([id, text]) => writeLine(w, id, text));
    w.bytes(new Uint8Array());
  });

/** @param {number[]} players @param {boolean} more */
export const members = (players, more) =>
  message(14, (w) => {
    list(w, players, (player) => writeMember(w, player, `p${player}`));
    w.bool(more);
  });

/** @param {number} reason */
export const left = (reason) => message(4, (w) => w.uint(reason));
/** @param {number} player @param {string} name */
export const memberChanged = (player, name) => message(5, (w) => writeMember(w, player, name));
/** @param {number} player @param {boolean} isReady */
export const memberState = (player, isReady) =>
  message(13, (w) => {
    w.uint(player);
    w.bool(isReady);
    w.bool(false);
    w.bool(true);
  });
/** @param {number} player */
export const memberLeft = (player) => message(6, (w) => w.uint(player));
/** @param {ControlWriter} w @param {number} id @param {string} text @param {number} [from] */
function writeLine(w, id, text, from = 0) {
  w.uint(id);
  w.uint(from);
  w.string('Ann');
  w.string(text);
}

/** @param {number} id @param {string} text @param {number} [from] */
export const chat = (id, text, from) => message(7, (w) => writeLine(w, id, text, from));
/** @param {number} nonce */
export const pong = (nonce) =>
  message(8, (w) => {
    w.uint(nonce);
    w.uint(0);
  });
/** @param {number} id @param {string} [error] */
export const reply = (id, error) =>
  message(9, (w) => {
    w.uint(id);
    w.uint(error === undefined ? 0 : 1);
    if (error === undefined) w.bytes(new Uint8Array());
    else w.string(error);
  });
/** @param {number} nonce the line's @param {number} id in the chat */
export const said = (nonce, id) => later(131, (w) => [nonce, 0, id].forEach((value) => w.uint(value)));
/**
 * How things stand in the queue.
 * @param {number} nonce
 * @param {(w: ControlWriter) => void} state
 */
export const queued = (nonce, state) =>
  later(140, (w) => {
    w.uint(nonce);
    state(w);
  });
/** @param {number} why @param {number} [againMs] */
export const outOfQueue =
  (why, againMs = 0) =>
  (/** @type {ControlWriter} */ w) => {
    [0, why].forEach((value) => w.uint(value));
    w.bool(true);
    w.uint(againMs);
  };
/** @param {number} waitedMs */
export const waiting = (waitedMs) => (/** @type {ControlWriter} */ w) => {
  w.uint(1);
  w.string('duel');
  [waitedMs, 60_000, 1, 0].forEach((value) => w.uint(value));
  w.bool(false);
};
/** @param {number} offer */
export const offered = (offer) => (/** @type {ControlWriter} */ w) => {
  [2, offer, 15_000].forEach((value) => w.uint(value));
  w.bool(false);
  [0, 2].forEach((value) => w.uint(value));
};
/** @param {number} offer @param {number} room @param {boolean} [there] */
export const going =
  (offer, room, there = false) =>
  (/** @type {ControlWriter} */ w) => {
    [3, offer, room, 30_000].forEach((value) => w.uint(value));
    w.bool(there);
  };
/** A player out of a party, or who did not get in. @param {number} nonce @param {number} why */
export const outOfParty = (nonce, why) => later(141, (w) => [nonce, 0, why].forEach((value) => w.uint(value)));
/**
 * A player in one, of these names, whose numbers are 1, 2 …
 * @param {number} nonce
 * @param {string[]} names
 * @param {{ you?: number, code?: string, room?: number }} [more]
 */
export const inParty = (nonce, names, { you = 1, code = 'ABCD1234', room } = {}) =>
  later(141, (w) => {
    [nonce, 1].forEach((value) => w.uint(value));
    w.string(code);
    w.uint(you);
    w.u8(8);
    w.uint(names.length);
    for (const [at, name] of names.entries()) {
      w.uint(at + 1);
      w.string(name);
      w.bool(true);
    }
    w.u8(room === undefined ? 0 : 1);
    if (room === undefined) return;
    w.uint(room);
    w.uint(30_000);
    w.bool(true);
  });
/** @param {number} nonce the line's @param {number} reason */
export const unsaid = (nonce, reason) => later(131, (w) => [nonce, 1, reason].forEach((value) => w.uint(value)));
/**
 * A page of what was said, or a part of it.
 * @param {number} nonce the request's
 * @param {[number, string][]} told numbers and texts; said so many seconds after 1970
 * @param {{ more?: boolean, next?: number, own?: boolean }} [options]
 */
export const lines = (nonce, told, { more = false, next = 0, own = false } = {}) =>
  later(132, (w) => {
    w.uint(nonce);
    w.uint(0);
    list(w, told, ([id, text]) => {
      w.uint(id);
      w.uint(id);
      w.bool(own);
      w.string('Ann');
      w.string(text);
    });
    w.bool(more);
    w.uint(next);
  });
/** @param {number} nonce the request's @param {number} reason */
export const noLines = (nonce, reason) => later(132, (w) => [nonce, 1, reason].forEach((value) => w.uint(value)));
/** @param {number} player */
export const typing = (player) => later(133, (w) => w.uint(player));
/** @param {string} channel @param {string} handle @param {string} [name] */
export const peerTyping = (channel, handle, name = 'Bo') => later(138, (w) => [channel, handle, name].forEach((text) => w.string(text)));
/** @param {number} count @param {[string, string][]} here handles and names @param {string[]} [gone] */
export const lobbyPeople = (count, here, gone = []) =>
  later(139, (w) => {
    w.uint(count);
    list(w, here, ([handle, name]) => {
      w.string(handle);
      w.string(name);
    });
    list(w, gone, (handle) => w.string(handle));
  });
/** @param {string} channel of the player's party; empty: of none */
export const partyChannel = (channel) =>
  later(136, (w) => {
    w.uint(4);
    w.string(channel);
  });
/** @param {number} retryAfterMs */
export const stopping = (retryAfterMs) => message(10, (w) => w.uint(retryAfterMs));
/** @param {string} token @param {number} [graceMs] */
export const resumeToken = (token, graceMs = 30_000) =>
  message(12, (w) => {
    w.string(token);
    w.uint(graceMs);
  });
/** @param {{ url?: string, ticket?: string, room?: number, validMs?: number }} [to] */
export const redirect = ({ url = 'wss://elsewhere/ws', ticket = 't', room = 7, validMs = 10_000 } = {}) =>
  message(11, (w) => {
    w.string(url);
    w.string(ticket);
    w.uint(room);
    w.uint(validMs);
  });

/**
 * @param {number} number
 * @param {string} text
 * @param {{ event: number, fields: Uint8Array }} [event]
 */
export const notice = (number, text, event) => {
  const fields = new ControlWriter();
  fields.uint(number);
  fields.uint(60);
  fields.string(text);
  fields.bool(event !== undefined);
  if (event !== undefined) {
    fields.uint(event.event);
    fields.bytes(event.fields);
  }
  return message(130, (w) => w.bytes(fields.finish()));
};

/** @param {string} url @param {number} [validMs] */
export const prepare = (url, validMs = 4000) => {
  const fields = new ControlWriter();
  fields.string(url);
  fields.uint(validMs);
  return message(129, (w) => w.bytes(fields.finish()));
};

/**
 * @param {number} tick
 * @param {{ inputTick?: number, slack?: number, flags?: number, more?: number[], closed?: number[],
 *   layers?: (Uint8Array | undefined)[], groups?: Record<number, Uint8Array>, events?: Uint8Array
 *   }} [parts] `layers`: bodies of the layers from 0 on; `groups`: those of others by number;
 *   `more`: what follows the head
 */
export function snapshot(tick, { inputTick = 0, slack = -128, flags = 0, more = [], closed, layers = [], groups = {}, events } = {}) {
  const bytes = [2, ...u32(tick), ...u32(inputTick), flags, slack & 0xff, ...more];
  if (closed !== undefined) bytes.push(...section(SectionKind.Closed, closed));
  layers.forEach((body, layer) => body !== undefined && bytes.push(...section(layer, body)));
  for (const number in groups) bytes.push(...section(Number(number), groups[number]));
  if (events !== undefined) bytes.push(...section(SectionKind.Events, events));
  return Uint8Array.from(bytes);
}

/**
 * A line outside of rooms.
 * @param {string} channel
 * @param {number} id
 * @param {string} text
 * @param {string} [from]
 */
export const line = (channel, id, text, from = 'B'.repeat(16)) =>
  later(134, (w) => {
    w.string(channel);
    w.uint(id);
    w.uint(id);
    w.string(from);
    w.bool(false);
    w.string('Bo');
    w.string(text);
  });

/** Who the player is to others. @param {number} nonce @param {string} handle */
export const you = (nonce, handle) =>
  later(136, (w) => {
    w.uint(0);
    w.uint(nonce);
    w.string(handle);
    w.uint(0);
  });

/**
 * Where somebody is who is watched.
 * @param {string} handle
 * @param {import('../../src/protocol/server_message.js').PeerAt} at
 */
export const presence = (handle, at) =>
  later(137, (w) => {
    w.uint(1);
    w.string(handle);
    w.uint(['Unwatched', 'Offline', 'Lobby', 'Room'].indexOf(at.type));
    if (at.type === 'Lobby' || at.type === 'Room') w.string(at.game);
    if (at.type !== 'Room') return;
    w.bool(at.room !== undefined);
    if (at.room !== undefined) w.uint(at.room);
  });

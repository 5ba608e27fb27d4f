/**
 * The SDK's types as a game sees them, for editors and `tsc --checkJs`. No code.
 * `import('/client/types.js')` them in JSDoc.
 */

/**
 * An entity as it is drawn. Besides what is listed it has one property per component, named as in
 * the schema, with one property per field in the game's units: numbers (`Turn` in radians), booleans,
 * an enum's name, or another entity's handle (undefined for none). Valid until the next `view()`.
 * @typedef {{
 *   handle: number,
 *   slot: number,
 *   generation: number,
 *   owner: number | undefined,
 *   avatar: boolean,
 *   [component: string]: any,
 * }} Entity
 *
 * `handle` is `generation * 65536 + slot`; `owner` a player's number; `avatar` whether it is that
 * player's own figure (not a projectile, say).
 */

/**
 * A momentary message of the game.
 * @typedef {object} GameEvent
 * @property {string} name as in the schema
 * @property {number} tick when it happened
 * @property {Record<string, any>} fields in the game's units
 */

/**
 * What to draw in one animation frame.
 * @typedef {object} View
 * @property {Entity[]} entities everyone, `me` included; in order of slot
 * @property {Entity | undefined} me the own avatar, predicted if the game passed `step`
 * @property {Record<string, any>} state room-wide components, newest known
 * @property {number} tick the tick that the others are shown at, with a fraction
 * @property {GameEvent[]} events those that happened up to `tick` since the last view, but not more than a second before
 */

/**
 * What `step` gets besides entity and input.
 * @typedef {object} StepTime
 * @property {number} dt seconds a tick
 * @property {number} tick the tick that the step leads to
 */

/**
 * How the page plays.
 * @typedef {object} PlayOptions
 * @property {() => Record<string, any>} input the controls now: the schema's input fields; what is left out is neutral
 * @property {(me: Entity, input: any, time: StepTime) => void} [step] the server's rule for the own entity:
 *   changes `me` by one tick. It gets the input as the server will decode it. Omit it to interpolate the own entity too.
 * @property {number} [smooth] milliseconds in which a prediction error fades to a third on screen, 100 by default, 0 for at once
 */

/**
 * A room as the lobby lists it.
 * @typedef {object} RoomInfo
 * @property {number} id
 * @property {string} name
 * @property {number} players
 * @property {number} seats
 * @property {boolean} private
 */

/**
 * @typedef {object} Member
 * @property {number} player
 * @property {string} name show it as text only
 * @property {boolean} ready
 * @property {boolean} host whether they may kick
 * @property {boolean} connected
 */

/**
 * @typedef {object} ChatLine
 * @property {number} id counts the room's lines from 1
 * @property {number} from the player's number
 * @property {string} name their name then
 * @property {string} text as it was typed: show it as text only
 */

/**
 * What a server allows.
 * @typedef {object} Limits
 * @property {number} messageBytes
 * @property {number} messagesPerSecond
 * @property {number} chatChars
 * @property {number} nameChars
 * @property {number} seats
 */

/**
 * @typedef {'NoSuchRoom' | 'RoomFull' | 'TooManyRooms' | 'Busy' | 'TooOften' | 'NotHost' | 'NoSuchPlayer'
 *   | 'NotInRoom' | 'AlreadyInRoom' | 'BadText' | 'NoSuchAction'} Refusal
 */

/** @typedef {'Asked' | 'Kicked' | 'RoomClosed'} LeaveReason */

/**
 * How a connection ended.
 * @typedef {object} CloseInfo
 * @property {number} code WebSocket close code, PROTOCOL.md §9; 1006 when the connection was lost
 * @property {string} reason in words
 * @property {number | undefined} retryAfterMs when the server said to come back, if it did
 */

/**
 * Figures for a net graph; all are 0 until known.
 * @typedef {object} Stats
 * @property {number} rttMs round trip, newest measurement
 * @property {number} jitterMs mean deviation of the snapshots' delay
 * @property {number} snapshotHz snapshots in the last second
 * @property {number} bytesPerSnapshot mean over the last second
 * @property {number} bytesPerSecond snapshot bytes in the last second
 * @property {number} interpolationMs how far behind the server the others are drawn
 * @property {number} inputSlack ticks by which inputs reach the server before they are due, newest report
 * @property {number} predictionError greatest error of a predicted field at the newest snapshot, in the game's units
 * @property {number} skipped snapshots that the server left out for this client
 * @property {number} desyncs layers whose checksum did not match
 * @property {number} tick the newest snapshot's tick
 */

export {};

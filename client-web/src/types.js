/**
 * The SDK's types as a game sees them, for editors and `tsc --checkJs`. No code.
 * `import('/client/types.js')` them in JSDoc.
 */

/**
 * What a page may tell the types about its game: the schema once more, in TypeScript. All of it may
 * be left out; what is not described has no types. `join<{ entity: { pos: { x: number, y: number }
 * }, input: { dx: number } }>({ … })`.
 * @typedef {object} GameTypes
 * @property {object} [entity] components by name, with their fields; `?` for those that not every
 *   entity has
 * @property {object} [me] the components of the own avatar, if more can be said of it than of any
 *   entity
 * @property {object} [input] the fields of an input
 * @property {object} [state] room-wide components by name
 * @property {object} [events] fields by the event's name, and its payload beside them
 * @property {object} [actions] fields by the action's name, and its payload beside them
 * @property {object} [answers] the same of what actions answer, of those that do
 * @property {object} [player] the fields of a player's options
 * @property {object} [room] the fields of a room's options
 * @property {object} [metadata] the fields of what lists tell of a room
 */

/**
 * What every entity has.
 * @typedef {object} EntityHead
 * @property {number} handle `generation * 65536 + slot`; another entity has the same only after
 *   65,535 others in its slot
 * @property {number} slot
 * @property {number} generation
 * @property {number | undefined} owner a player's number
 * @property {boolean} avatar whether it is that player's own figure (not a projectile, say)
 */

/**
 * An entity as it is drawn. Besides its head it has one property per component, named as in the
 * schema, with one property per field in the game's units: numbers (`Turn` in radians), booleans,
 * texts, an enum's name, or another entity's handle (undefined for none). Valid until the next
 * `view()`.
 * @template {GameTypes} [G={}]
 * @typedef {EntityHead
 *   & ('entity' extends keyof G ? G['entity'] : { [component: string]: any })} Entity
 */

/**
 * The own avatar.
 * @template {GameTypes} [G={}]
 * @typedef {'me' extends keyof G ? EntityHead & G['me'] : Entity<G>} Avatar
 */

/**
 * The fields of an input.
 * @template {GameTypes} [G={}]
 * @typedef {'input' extends keyof G ? G['input'] : any} Input
 */

/**
 * Room-wide components by name.
 * @template {GameTypes} [G={}]
 * @typedef {'state' extends keyof G ? Partial<G['state']> : Record<string, any>} RoomState
 */

/**
 * A momentary message of the game: its name as in the schema, when it happened, its fields in the
 * game's units; beside them its payload, if it has one: the value of its JSON, or a `Uint8Array` of
 * the listener's own.
 * @template {GameTypes} [G={}]
 * @typedef {'events' extends keyof G
 *   ? { [N in keyof G['events'] & string]: { name: N, tick: number, fields:
 *   NonNullable<G['events']>[N] } }[keyof G['events'] & string] : { name: string, tick: number,
 *   fields: Record<string, any> }} GameEvent
 */

/**
 * What to draw in one animation frame.
 * @template {GameTypes} [G={}]
 * @typedef {object} View
 * @property {Entity<G>[]} entities everyone, `me` included; in order of slot
 * @property {Avatar<G> | undefined} me the own avatar, predicted if the game passed `step`
 * @property {RoomState<G>} state room-wide components, newest known; empty before the first
 *   snapshot
 * @property {number} tick the tick that the others are shown at, with a fraction
 * @property {GameEvent<G>[]} events those that happened up to `tick` since the last view, but not
 *   more than a second before
 * @property {Leave<G>[]} leaves who was in the last view and is not in this one
 */

/**
 * An entity that is shown no more: `destroyed`, or out of `view`: its group is not held (any more),
 * or a keyframe did not have it. Then it may come back as the same entity; the destruction of what
 * is out of view is not told. Who went from no group into one that is not held is told as
 * `destroyed`.
 * @template {GameTypes} [G={}]
 * @typedef {{ entity: Entity<G>, reason: 'destroyed' | 'view' }} Leave
 */

/**
 * What `step` gets besides entity and input.
 * @typedef {object} StepTime
 * @property {number} dt seconds a tick
 * @property {number} tick the tick that the step leads to
 */

/**
 * How the page plays.
 * @template {GameTypes} [G={}]
 * @typedef {object} PlayOptions
 * @property {() => Partial<Input<G>>} input the controls now: the schema's input fields; what is
 *   left out is neutral. Asked for every frame and every tick; a boolean that was true in any frame
 *   is true in the tick after it
 * @property {(me: Avatar<G>, input: Input<G>, time: StepTime) => void} [step] the server's rule
 *   for the own entity: changes `me` by one tick. It gets the input as the server will decode it.
 *   Omit it to interpolate the own entity too.
 * @property {number} [smooth] milliseconds in which a prediction error fades to a third on
 *   screen, 100 by default, 0 for at once
 */

/**
 * What a player brings to a room: all of the fields, or none for the game's own choice.
 * @template {GameTypes} [G={}]
 * @typedef {'player' extends keyof G ? G['player'] : Record<string, any>} PlayerOptions
 */

/**
 * How a room is made: all of the fields, or none for the game's own choice.
 * @template {GameTypes} [G={}]
 * @typedef {'room' extends keyof G ? G['room'] : Record<string, any>} RoomOptions
 */

/**
 * What a room's game tells of it in lists; empty where it tells nothing.
 * @template {GameTypes} [G={}]
 * @typedef {'metadata' extends keyof G ? G['metadata'] : Record<string, any>} Metadata
 */

/**
 * What a room's metadata must be: by field the value, or `{ atLeast }` that; at most eight. Texts
 * cannot be asked for.
 * @template {GameTypes} [G={}]
 * @typedef {{ [K in keyof Metadata<G>]?: Metadata<G>[K] | { atLeast: Metadata<G>[K] } }} Filter
 */

/**
 * As what somebody joins.
 * @template {GameTypes} [G={}]
 * @typedef {object} JoinAs
 * @property {boolean} [spectate] only looks on, without a seat
 * @property {PlayerOptions<G>} [player] what they bring; left out: what `connect` was given
 */

/**
 * A room to be made.
 * @template {GameTypes} [G={}]
 * @typedef {object} CreateOnlyOptions
 * @property {string} [name] what lists call it; the server tidies it
 * @property {boolean} [private] whether lists leave it out
 * @property {number} [seats] 0 or left out: as many as the server allows
 * @property {boolean} [kicks] whether its host may kick, as the host of a private room may anyway
 * @property {boolean} [orJoin] whether a public room of that name is joined instead, if there is
 *   one: of two who ask at once one makes it and both are there
 * @property {RoomOptions<G>} [options] how it is made
 */

/**
 * @template {GameTypes} [G={}]
 * @typedef {JoinAs<G> & CreateOnlyOptions<G>} CreateOptions
 */

/**
 * Any room.
 * @template {GameTypes} [G={}]
 * @typedef {JoinAs<G> & { filter?: Filter<G>, options?: RoomOptions<G> }} QuickJoinOptions
 *   `filter`: only one whose metadata is so; `options`: how one is made where there is none
 */

/**
 * Where to connect, and as whom.
 * @template {GameTypes} [G={}]
 * @typedef {object} ConnectOptions
 * @property {string | URL | readonly (string | URL)[]} [url] of the server, such as
 *   `wss://example.org/ws`, or relative to the page: `/ws`, `./ws`. Left out: the server that the SDK was loaded from;
 *   where a bundle or a package has it, `/ws` on the page's host, or in the game's folder that the
 *   page is in. An array of up to 16 are doors to the same rooms, as of a cluster's nodes: a random
 *   one is the first, one that is away is left for the next
 * @property {string} [game] which of the server's games; left out: the one in whose folder `url` is
 *   (`/g/NAME/`), else its only one, or its first
 * @property {string} [name] the name that others see; the server tidies it
 * @property {string} [token] proof of identity, left out for a guest
 * @property {PlayerOptions<G>} [options] what the player brings to every room, also after a
 *   connection was lost
 * @property {boolean} [followParty] whether the page follows the leader of the player's party into
 *   a room by itself; false if left out
 * @property {boolean} [reconnect] whether a lost connection is tried again, true if left out
 * @property {boolean} [resume] whether a reload of the page comes back to the seat: then
 *   `link.room` may be there at once. `connect` does it if told so, `join` unless told not to
 * @property {import('./keeper.js').StorageLike} [storage] where the seat's token is kept for
 *   that; left out: `sessionStorage`
 * @property {AbortSignal} [signal] the life of the page, or of the component, that plays: aborted
 *   before it is there the promise rejects with its reason, aborted later the link is closed. A
 *   seat that the page keeps (`resume`) is held as for a reload, any other is given up
 * @property {SocketConstructor} [WebSocket] one that behaves like the browser's, where there is
 *   none; alone, unless `transports` names others
 * @property {readonly Transport[]} [transports] by which the link may go, in the order in which
 *   they are tried; left out: a WebSocket, then one streaming answer, then long polls, each where
 *   the one before is refused or hangs
 * @property {LinkConditions | false} [conditioner] makes the link worse, for trying things out;
 *   left out: as the page's address asks by `?conditioner=rtt:200,jitter:30`; false: whatever it
 *   asks, never
 */

/**
 * A link made worse, in order as TCP delivers, in both directions; what is left out is not made
 * worse.
 * @typedef {object} LinkConditions
 * @property {number} [rttMs] added to the round trip, half of it each way
 * @property {number} [jitterMs] up to that much on top, drawn for each message
 * @property {number} [stallMs] for so long nothing arrives,
 * @property {number} [stallEveryMs] every so many milliseconds, 5000 by default
 * @property {number} [bytesPerSecond] each way
 * @property {number} [seed] of chance, 1 by default
 */

/**
 * What `join` needs besides.
 * @template {GameTypes} [G={}]
 * @typedef {object} JoinOnlyOptions
 * @property {string} [code] of the room; left out: one with a seat whose host may not kick, or a
 *   new one
 * @property {boolean} [spectate] only looks on, without a seat: `input` and `step` are not used
 * @property {Filter<G>} [filter] without `code`: only a room whose metadata is so
 * @property {RoomOptions<G>} [room] how one is made where there is none
 * @property {(view: View<G>, room: import('./room.js').Room<G>) => void} [draw] called for every
 *   animation frame
 */

/**
 * All that `join` takes; without `input` it only watches.
 * @template {GameTypes} [G={}]
 * @typedef {ConnectOptions<G> & JoinOnlyOptions<G> & Partial<PlayOptions<G>>} JoinOptions
 */

/** @typedef {import('./ways/way.js').Transport} Transport */

/**
 * As much of a WebSocket as the SDK uses.
 * @typedef {object} SocketLike
 * @property {string} binaryType
 * @property {number} bufferedAmount
 * @property {number} readyState
 * @property {any} onopen
 * @property {any} onmessage
 * @property {any} onerror
 * @property {any} onclose
 * @property {(bytes: any) => void} send
 * @property {(code: number, reason: string) => void} close
 */

/** @typedef {new (url: string, protocol: string) => SocketLike} SocketConstructor */

/**
 * Something that somebody beside the game has to say to the player: a text, an event, or both.
 * @typedef {object} Notice
 * @property {string} text to be shown as text only; empty beside an event
 * @property {string | undefined} event name of one of the game's events
 * @property {Record<string, any> | undefined} fields the event's, and its payload
 * @property {Date} at when it was said
 * @property {boolean} durable whether it was kept for the player while they were away
 */

/**
 * Somebody, beyond a room.
 * @typedef {object} Peer
 * @property {string} handle by which they are addressed: theirs for good
 * @property {string} name what they were called last, to be shown as text only; may be empty
 */

/**
 * Somebody whose lines were not read.
 * @typedef {object} Unread
 * @property {Peer} peer
 * @property {number} newest the number of the newest line of theirs; how many there are
 *   `channel.countAfter(read)` says
 * @property {number} read the number of the last line that was read, 0 for none
 */

/**
 * A line that is said outside of rooms, or was.
 * @typedef {object} Line
 * @property {number} id its number in the channel
 * @property {Date} at when it was said
 * @property {string} from the handle of who said it
 * @property {boolean} own whether the player did
 * @property {string} name what they were called then, to be shown as text only
 * @property {string} text to be shown as text only
 */

/**
 * What the listeners of a channel get.
 * @typedef {object} ChannelEvents
 * @property {[line: Line]} line somebody said something, the player too: each line once, in order
 * @property {[peers: Peer[]]} typing who else is writing a line now, those who began first in front;
 *   nobody of whom the player does not want to hear
 * @property {[info: { reason: Refusal }]} refused the server did not say a line
 */

/**
 * Where a player is who is watched. `unknown`: the server has not said, or has no place to watch
 * them. `offline`: nowhere, which may be because they do not want to hear the player. Of several
 * connections one in a room counts first, then the newest. `room` is the room's number for
 * `link.joinRoom`; undefined of one that is not listed.
 * @typedef {{ readonly type: 'unknown' } | { readonly type: 'offline' }
 *   | { readonly type: 'lobby', readonly game: string }
 *   | { readonly type: 'room', readonly game: string, readonly room: number | undefined }} Presence
 */

/**
 * What the listeners of a watch get.
 * @typedef {object} WatchEvents
 * @property {[handle: string, presence: Presence, before: Presence]} change somebody is elsewhere
 */

/**
 * What the listeners of who is in the lobby get.
 * @typedef {object} LobbyPeopleEvents
 * @property {[people: import('./lobby_people.js').LobbyPeople]} change somebody came, went, or is
 *   called otherwise
 */

/**
 * Why somebody is not in the queue (any more).
 * @typedef {typeof import('./protocol/server_message.js').OUT_OF_QUEUE[number]} OutOfQueue
 */

/**
 * How a wait in the queue stands. Times are in milliseconds from when it was told: `leftMs` until
 * something comes of it. `waiting`: `players` wait in this mode, the own party among them;
 * `expectedMs` is how long others have waited of late; `held`: somebody of the party is away, nobody
 * is matched with them. `offered`: `accepted` of `of` players take it, `taken` whether this one does.
 * `going`: all have, and it is played when they are in its `room`, `there` whether this one is.
 * `beside`: the party has a match that was made before the player joined it. `out`: it is over;
 * `own` whether by what the player did or not, `againMs` until they may queue again.
 * @typedef {{ type: 'asking' }
 *   | { type: 'waiting', mode: string, waitedMs: number, leftMs: number, players: number,
 *       expectedMs: number | undefined, held: boolean }
 *   | { type: 'offered', offer: number, leftMs: number, taken: boolean, accepted: number, of: number }
 *   | { type: 'going', offer: number, room: number, leftMs: number, there: boolean }
 *   | { type: 'beside' }
 *   | { type: 'out', why: OutOfQueue, own: boolean, againMs: number }} QueueState
 */

/**
 * What the listeners of a wait get.
 * @typedef {object} QueueEvents
 * @property {[state: QueueState]} state how it stands, whenever that changed
 */

/**
 * Why somebody is not in a party (any more), or what they asked for was not done.
 * @typedef {typeof import('./protocol/server_message.js').OUT_OF_PARTY[number]} OutOfParty
 */

/**
 * One of a party: by their number in it, which nobody else has after them.
 * @typedef {{ number: number, name: string, connected: boolean }} PartyMember
 */

/**
 * Where a party's leader has gone: `leftMs` until it is too late to follow, from when it was told;
 * `kept` whether a seat is kept for the player.
 * @typedef {{ room: number, leftMs: number, kept: boolean }} PartyRoom
 */

/**
 * What the listeners of a party get.
 * @typedef {object} PartyEvents
 * @property {[party: import('./party.js').Party<any>]} change something of it is otherwise
 * @property {[room: import('./room.js').Room<any>]} room the page has followed the leader there
 * @property {[info: { why: OutOfParty }]} out the player is in it no more
 */

/**
 * How a wait is begun.
 * @template {GameTypes} [G={}]
 * @typedef {object} QueueOptions
 * @property {string[]} [regions] of the game's, the best first; any if left out
 * @property {JoinAs<G>['player']} [player] what the player brings to the match's room, as in a join
 */

/**
 * What the listeners of a link get.
 * @typedef {object} LinkEvents
 * @property {[info: CloseInfo]} close the connection is over
 * @property {[notice: Notice]} notice something is said to the player, wherever they are; each
 *   once. Those that came before the first listener come to it
 * @property {[channel: import('./channel.js').Channel, line: Line]} direct somebody said something in
 *   a channel of two, or the player did on whichever page
 * @property {[unread: Unread[]]} unread who said something that was not read, when the connection is
 *   made
 * @property {[peers: Peer[]]} blocked whom the player has blocked, when that is known, or changed
 * @property {[queue: import('./queue.js').Queue<any>]} queue the player is in the queue by another
 *   page, or by this one before it was loaded anew
 * @property {[info: { retryAfterMs: number }]} stopping the server is about to stop
 * @property {[info: ReconnectInfo]} reconnecting the connection is lost and will be tried again;
 *   once for each try
 * @property {[info: { room: import('./room.js').Room<any> | undefined }]} resumed the connection
 *   is back; `room` is the room, the same object as before, if the seat is too
 */

/**
 * What the listeners of a room's own events get.
 * @typedef {object} RoomEvents
 * @property {[members: Map<number, Member>]} members somebody came, went or changed
 * @property {[line: ChatLine]} chat somebody said something
 * @property {[players: number[]]} typing who is writing a line now, by their numbers, those who
 *   began first in front: whenever that changes
 * @property {[info: { reason: LeaveReason }]} left the player is back in the lobby
 * @property {[info: { reason: Refusal }]} refused the server did not do what was asked
 * @property {[info: CloseInfo]} close the connection is over
 */

/**
 * What a room can be asked to tell: its own events, the game's by their names, and `event:NAME` for
 * a game's event that is called like one of the room's.
 * @template {GameTypes} [G={}]
 * @typedef {keyof RoomEvents | ('events' extends keyof G
 *   ? (keyof G['events'] & string) | `event:${keyof G['events'] & string}`
 *   : string)} RoomEventName
 */

/**
 * The listener of an event.
 * @template {GameTypes} G
 * @template {string} N
 * @typedef {N extends keyof RoomEvents
 *   ? (...args: RoomEvents[N]) => void
 *   : (fields: EventFields<G, N>, tick: number, isPast: boolean) => void} RoomListener
 */

/**
 * @template {GameTypes} G
 * @template {string} N
 * @typedef {'events' extends keyof G
 *   ? N extends keyof G['events'] ? NonNullable<G['events']>[N] : N extends `event:${infer M}` ?
 *   EventFields<G, M> : never : any} EventFields
 */

/**
 * The game's actions.
 * @template {GameTypes} [G={}]
 * @typedef {'actions' extends keyof G ? keyof G['actions'] & string : string} ActionName
 */

/**
 * What an action takes; an entity's field takes its handle or the entity, a payload of bytes an
 * `ArrayBuffer` too.
 * @template {GameTypes} G
 * @template {string} N
 * @typedef {'actions' extends keyof G
 *   ? N extends keyof G['actions'] ? ActionValues<NonNullable<G['actions']>[N]> : never
 *   : Record<string, any>} ActionFields
 */

/**
 * What an action answers: its answer's fields and payload, if it declares one.
 * @template {GameTypes} G
 * @template {string} N
 * @typedef {'answers' extends keyof G
 *   ? N extends keyof G['answers'] ? NonNullable<G['answers']>[N] : undefined
 *   : any} ActionAnswer
 */

/**
 * @template F
 * @typedef {{ [K in keyof F]?: F[K] | (number extends F[K] ? EntityHead : never)
 *   | (Uint8Array extends F[K] ? ArrayBuffer : never) }} ActionValues
 */

/**
 * @typedef {object} ActOptions
 * @property {number} [timeoutMs] how long to wait for the answer, 10 s by default
 */

/**
 * A room as the lobby lists it.
 * @template {GameTypes} [G={}]
 * @typedef {object} RoomInfo
 * @property {number} id
 * @property {string} name
 * @property {number} players
 * @property {number} seats
 * @property {number} spectators who only watches
 * @property {boolean} private
 * @property {boolean} kicks whether its host may kick
 * @property {boolean} locked whether nobody new may join for now
 * @property {Metadata<G>} metadata what its game tells of it; empty until it did
 */

/**
 * @typedef {object} Member
 * @property {number} player
 * @property {string} name show it as text only. Another may have the same: `room.label(player)`
 *   tells them apart
 * @property {boolean} ready
 * @property {boolean} host whether they have been here longest: they may kick if the room's
 *   `kicks` says so
 * @property {boolean} connected
 */

/**
 * @typedef {object} ChatLine
 * @property {number} id counts the room's lines from 1
 * @property {number} from the player's number, -1 where it is not known any more: of a line that
 *   was said while the connection was lost, and read afterwards
 * @property {boolean} own whether it is the page's own player who said it
 * @property {Date} [at] when it was said, by the server's clock, or if it was said just now by the
 *   page's; of a line from before the player came it is in `history` alone
 * @property {string} name their name then
 * @property {string} text as the server tidied it: show it as text only
 */

/**
 * A line of a room's history.
 * @typedef {object} PastLine
 * @property {number} id as in `ChatLine`
 * @property {Date} at when it was said, by the server's clock
 * @property {boolean} own whether it is the page's own player who said it, also in an earlier stay
 * @property {string} name what they were called then
 * @property {string} text as the server tidied it: show it as text only
 */

/**
 * What a server has besides rooms: the lobby's chat and that of two (`people`), who is writing there
 * and the chat of parties (`talks`), watching where players
 * are, who is in the lobby, parties, a queue.
 * @typedef {{ people: boolean, talks: boolean, watch: boolean, lobby: boolean, parties: boolean, queue: boolean }} Offers
 */

/**
 * What a server allows.
 * @typedef {object} Limits
 * @property {number} messageBytes
 * @property {number} messagesPerSecond
 * @property {number} chatChars
 * @property {number} nameChars
 * @property {number} seats
 * @property {number} spectators
 */

/**
 * @typedef {'NoSuchRoom' | 'RoomFull' | 'TooManyRooms' | 'Busy' | 'TooOften' | 'NotHost'
 *   | 'NoSuchPlayer' | 'NotInRoom' | 'AlreadyInRoom' | 'BadText' | 'NoSuchAction' | 'NoSuchSeat'
 *   | 'Muted' | 'KeptOut' | 'Locked' | 'BadOptions' | 'BadFilter' | 'NotForSpectators'} Refusal
 */

/**
 * `SeatLost`: the connection was lost and came back too late.
 * @typedef {'Asked' | 'Kicked' | 'RoomClosed' | 'SeatLost'} LeaveReason
 */

/**
 * How a connection ended.
 * @typedef {object} CloseInfo
 * @property {number} code WebSocket close code, PROTOCOL.md §9; 1006 when the connection was lost
 * @property {string} reason in words
 * @property {number | undefined} retryAfterMs when the server said to come back, if it did
 */

/**
 * A try to come back.
 * @typedef {object} ReconnectInfo
 * @property {number} attempt from 1
 * @property {number} delayMs until it
 * @property {number} code how the connection, or the last try, ended
 * @property {string} reason in words
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
 * @property {number} inputSlack ticks by which inputs reach the server before they are due,
 *   newest report
 * @property {number} predictionError greatest error of a predicted field at the newest snapshot,
 *   in the game's units
 * @property {number} snapshots that came, in all
 * @property {number} bytes of them, in all
 * @property {number} lateInputs ticks whose input came too late and was replaced by the server,
 *   of those that a snapshot told of
 * @property {number} underruns times that the others stood still because no younger snapshot had
 *   come
 * @property {number} skipped snapshots that the server left out for this client
 * @property {number} desyncs layers that were dropped and asked for anew: a checksum did not
 *   match, or a body made no sense
 * @property {number} tick the newest snapshot's tick
 */

export {};

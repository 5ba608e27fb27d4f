/**
 * Every bound that both ends of the wire share, as in `shared/src/limits.rs`, then the browser
 * client's own. Each names its reason and what happens beyond it.
 */

/** Bytes of a message to the server. Beyond: the SDK refuses to send it. */
export const CLIENT_MESSAGE_BYTES_MAX = 4096;
/** Bytes of a message from the server. Beyond: the connection is closed. */
export const SERVER_MESSAGE_BYTES_MAX = 256 * 1024;
/** Replicated entities of a room. An image with more breaks the protocol. */
export const ENTITIES_MAX = 4096;
/**
 * Entities of all groups' layers that are held: those of a room, twice, because the body that
 * brings somebody may come before the one that loses them. Beyond: the layer is dropped.
 */
export const GROUP_ENTITIES_MAX = 2 * ENTITIES_MAX;
/** Components of a schema; a presence mask is 32 bits. */
export const COMPONENTS_MAX = 32;
/** Fields of one component, input, event or action. */
export const FIELDS_MAX = 32;
/** Columns of a layer: a text of 64 bytes takes 16. Beyond: the schema is refused. */
export const COLUMNS_MAX = 448;
/** Event and action types of a schema. */
export const EVENTS_MAX = 64;
/** Names of an enum. */
export const ENUM_NAMES_MAX = 256;
/** Ticks between a snapshot and its baseline, so that predictors' products stay below 2^53. */
export const BASELINE_BACK_MAX = 4096;
/** An acknowledgement goes out alone when no input carried it for this long, in milliseconds. */
export const ACK_DELAY_MS = 100;
/**
 * A client that acknowledges nothing for this long is closed: by then the server has noticed that a
 * connection is lost, in seconds.
 */
export const ACK_STALL_SECONDS = 15;
/** A keyframe of a layer is asked for once in this many milliseconds. */
export const RESYNC_EVERY_MS = 1000;
/** Inputs more than this many ticks early are dropped by the server; ours stay well below. */
export const INPUTS_QUEUED_MAX = 64;
/**
 * Ticks in a row for which the server replaces a missing input by the last one; then it is neutral.
 */
export const INPUT_REPEATS_MAX = 10;
/** Chat lines that a room remembers, and that the SDK keeps; the oldest go first. */
export const CHAT_HISTORY_MAX = 32;
/** Characters of a notice's text. */
export const NOTICE_CHARS_MAX = 200;
/** Players of one message of those whom the player has blocked. */
export const PEERS_PER_PAGE = 10;
/** Players whose lines were not read, of whom the server tells. */
export const UNREAD_MAX = 20;
/** Players whom a link watches. Beyond: further ones throw. */
export const WATCHED_MAX = 100;
/** Players of one message about those who are watched. */
export const PRESENCES_PER_PAGE = 16;
/** From one list of all whom a link watches to the next, in milliseconds, while it changes. */
export const WATCH_EVERY_MS = 1000;
/** Until the server is asked again to watch those whom it could not, in milliseconds. */
export const WATCH_AGAIN_MS = 30_000;
/** Channels of two that a link remembers. Beyond: the one that was opened first and is not listened to goes. */
export const DIRECT_CHANNELS_MAX = 100;
/** Requests about people that wait to be sent. Beyond: further ones throw. */
export const PEOPLE_WAITING_MAX = 20;
/**
 * Notices that wait until the page listens. Beyond: those go first that are lost to who is away;
 * what is kept for the player comes again on the next connection.
 */
export const NOTICES_WAITING_MAX = 64;
/** Notices by which the SDK knows that it has one already: twice what a server keeps for a player. */
export const NOTICES_SHOWN_MAX = 256;
/**
 * What was shown is said to the server so many milliseconds later, for all that was shown until
 * then: each counts as a control message.
 */
export const NOTICES_SEEN_DELAY_MS = 250;
/** Lines that a page said and that are not answered, as while the connection is lost. Beyond: `say` throws. */
export const UNSAID_MAX = 20;
/** Until a line is said again for which it was too soon, in milliseconds: the server earns one a second. */
export const CHAT_AGAIN_MS = 1000;
/** For how long somebody is shown as typing after they were said to, in milliseconds. */
export const TYPING_SHOWN_MS = 6000;
/** How often the server is told that the player is typing, in milliseconds: it passes on one in two seconds. */
export const TYPING_EVERY_MS = 3000;
/** Players who are shown as typing. Beyond: further ones are not. */
export const TYPING_MAX = 16;
/** Lines of a page of what was said. */
export const PAGE_LINES_MAX = 50;
/** Pages that a page asked for and that are not there. Beyond: the next one rejects. */
export const PAGES_WAITING_MAX = 8;
/** How often a page is asked for, a second apart, while the server is busy. Beyond: it rejects. */
export const PAGE_TRIES_MAX = 10;
/**
 * Pages that are read for lines that were missed. Beyond: those before are left to `history`, and
 * the newest ones follow.
 */
export const MISSED_PAGES_MAX = 4;
/**
 * Lines that are held until those before them were read: what a full room says in a few seconds.
 * Beyond: what was missed is left to `history`.
 */
export const HELD_LINES_MAX = 256;
/** Players of one room that the wire can name. */
export const PLAYERS_PER_ROOM_MAX = 1000;
/** Members of one message; more of them come in further ones. */
export const MEMBERS_PER_PAGE = 64;
/** Bytes of a room's or a player's options, or of a room's metadata, packed. */
export const OPTIONS_BYTES_MAX = 256;
/** Conditions of a filter. Beyond: refused. */
export const CONDITIONS_MAX = 8;
/** Redirects that are followed from a room, or a request for one, to the next room. Beyond: the
 * link ends. */
export const REDIRECTS_MAX = 3;
/**
 * A socket that is prepared for a redirect is held for so long at most, whatever the server says,
 * in milliseconds: servers wait as long for a hello. Beyond: it is closed.
 */
export const PREPARED_MAX_MS = 5000;
/**
 * One is opened once in this many milliseconds: no server has pages knock at others' doors without
 * end. Beyond: none is held, and a redirect opens its own.
 */
export const PREPARE_EVERY_MS = 1000;
/** No room gets older, in ticks; so ticks never wrap. */
export const TICK_MAX = 2 ** 31;
/** Rooms in one lobby listing. */
export const ROOMS_LISTED_MAX = 100;
/**
 * Bytes of an event's or action's payload. Beyond: an event breaks the protocol, `act` rejects at
 * once.
 */
export const PAYLOAD_BYTES_MAX = 1024;

/**
 * How far back a shot is judged by what the shooter saw, in milliseconds. Beyond: the shooter has
 * to aim ahead, so that nobody is hit long after they took cover.
 */
export const REWIND_MAX_MS = 250;

/**
 * Snapshots that the client remembers to draw between: half a second at 120 Hz. The oldest go
 * first.
 */
export const HISTORY_MAX = 64;
/** Messages that wait to be sent. Beyond: requests are refused, acknowledgements left out. */
export const TRANSMITS_MAX = 256;
/** Bytes that the browser may hold back for a stalled socket. Beyond: inputs are left out. */
export const BACKLOG_BYTES_MAX = 16 * 1024;
/**
 * Events that wait to be drawn, of a page that does not call `view` (a hidden tab). The oldest go
 * first.
 */
export const EVENTS_WAITING_MAX = 1024;
/**
 * Events that could not be drawn for this long are not drawn any more (a tab that was hidden), in
 * milliseconds.
 */
export const EVENT_AGE_MAX_MS = 1000;
/** Actions without an answer. Beyond: `act` rejects at once. */
export const ACTIONS_WAITING_MAX = 64;
/** An action, or a line that was said, without an answer for this long fails, in milliseconds. */
export const ACTION_TIMEOUT_MS = 10_000;
/** Lobby requests that wait for those before them. Beyond: further ones reject at once. */
export const REQUESTS_WAITING_MAX = 16;
/**
 * A welcome, a seat that is asked for, the lobby's answer to a request or to a goodbye to the room
 * are due within this time, in milliseconds. Beyond: the connection counts as lost.
 */
export const ANSWER_MAX_MS = 20_000;
/** A match's room that is too busy is joined again after this time, in milliseconds. */
export const QUEUE_JOIN_AGAIN_MS = 1000;
/** Until a party's leader is followed again whose room was too busy. */
export const PARTY_JOIN_AGAIN_MS = 1000;
/** The page's pings that wait for their answers. Beyond: `ping` rejects at once. */
export const PINGS_WAITING_MAX = 32;
/**
 * A seat is asked for so long of a server that is too busy to say, in milliseconds: as long as it
 * holds one by default. Beyond: it counts as lost.
 */
export const SEAT_ASKED_FOR_MS = 30_000;
/** The round trip is measured this often, in milliseconds. */
export const PING_EVERY_MS = 2000;
/** A server that sends nothing for this long after a ping is gone, in milliseconds. */
export const SILENCE_MAX_MS = 10_000;
/**
 * The same for a ping that was sent because the page woke or its network changed: what a lost
 * packet may take.
 */
export const PROBE_MAX_MS = 3000;
/**
 * A timer this late means that the page was frozen, in milliseconds: what the server sent meanwhile
 * is not read yet.
 */
export const FROZEN_MS = 5000;
/**
 * URLs by which a page reaches its server. Beyond: `BadUrl`. Each is tried without a wait, so that
 * a page whose servers are all away makes no more connections in a row than this.
 */
export const URLS_MAX = 16;
/**
 * The first try to come back after a loss is due within this time, in milliseconds; each later one
 * takes twice as long.
 */
export const RECONNECT_DELAY_MS = 300;
/**
 * Longest time between two tries to come back, in milliseconds: so soon after a server is there
 * again its players are.
 */
export const RECONNECT_DELAY_MAX_MS = 2000;
/**
 * A lost connection is tried again for so long, in milliseconds: what a server's restart takes.
 * Beyond: it is closed.
 */
export const RECONNECT_FOR_MS = 120_000;
/**
 * An error of the page is told once a kind in this many milliseconds: one of a frame would come 60
 * times a second.
 */
export const REPORT_EVERY_MS = 1000;
/**
 * Kinds of the page's errors that are remembered for that; the oldest go first. A game's events are
 * 64.
 */
export const REPORT_KINDS_MAX = 128;
/**
 * A transport that has not opened, or on which nothing was answered, for this long is taken to
 * hang: the next is tried beside it.
 */
export const HANGS_MS = 3000;
/**
 * A WebSocket that ends sooner after it opened, by nobody's wish, was cut by something on the way:
 * proxies give what they don't know 10 s, or 30.
 */
export const CUT_WITHIN_MS = 31_000;
/** After so many of them, without one between that lasted, the next transport is tried first. */
export const CUTS_MAX = 2;
/** Until a WebSocket is tried behind a connection that goes by a fallback, in milliseconds. */
export const UPGRADE_AGAIN_MS = 10_000;
/** What that is multiplied by after each attempt that failed. */
export const UPGRADE_BACKOFF = 5;
/** The longest that it comes to, in milliseconds. */
export const UPGRADE_AGAIN_MAX_MS = 900_000;
/** Such an attempt that has not taken over after this long is given up, in milliseconds. */
export const UPGRADE_WITHIN_MS = 20_000;
/** From one look whether anything is waited for to the next, in milliseconds. */
export const UPGRADE_LOOK_MS = 250;
/** Messages that come on it before it takes over. Beyond: it is given up. */
export const UPGRADE_KEPT_MAX = 256;
/** A streaming answer that says nothing for this long is held back on the way: polls instead. */
export const STREAM_SILENCE_MS = 2000;
/** Bytes of frames in one request to the server. Beyond: the next one has them. */
export const UP_BYTES_MAX = 16 * 1024;
/** A request that is not answered is made so often; then the connection is lost. */
export const REQUEST_TRIES_MAX = 6;
/** Until it is made again, and each time as much longer: all of them within the server's 5 s. */
export const REQUEST_PAUSE_MS = 150;
/** For so long a goodbye is tried to be said by request. */
export const GOODBYE_MAX_MS = 2000;
/** For so long the transport that worked is tried first: a day. */
export const REMEMBERED_MS = 24 * 3600 * 1000;

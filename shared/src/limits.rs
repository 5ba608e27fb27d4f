//! Every bound that both ends of the wire share, with its reason and what happens beyond it.
//! Not the operator's settings: those are the server's `config`.

/// Bytes of a message from a client. Inputs take about 20, a chat line 300; 4 KiB is what
/// Discord, Nakama and Colyseus allow too. Beyond: close 1009.
pub const CLIENT_MESSAGE_BYTES_MAX: usize = 4096;
/// Bytes of a message from the server: a keyframe of 4,096 entities at 16 B, four times over.
/// Beyond: the server closes the room, a client closes the socket.
pub const SERVER_MESSAGE_BYTES_MAX: usize = 256 * 1024;
/// Replicated entities of a room. Beyond: further ones are simulated but not sent, and counted.
pub const ENTITIES_MAX: usize = 4096;
/// Entities of all groups' layers that a client holds: those of a room, twice, because the body
/// that brings somebody may come before the one that loses them. Beyond: the layer is dropped, so
/// that layers of groups hold no more memory than twice the room.
pub const GROUP_ENTITIES_MAX: usize = 2 * ENTITIES_MAX;
/// Components of a schema; a presence mask is 32 bits.
pub const COMPONENTS_MAX: usize = 32;
/// Fields of one component, input, event or action.
pub const FIELDS_MAX: usize = 32;
/// Columns of a layer: a text of 64 bytes takes 16. The tables of three such layers still fit a
/// welcome. Beyond: the schema is refused.
pub const COLUMNS_MAX: usize = 448;
/// Event and action types of a schema.
pub const EVENTS_MAX: usize = 64;
/// Names of an enum.
pub const ENUM_NAMES_MAX: usize = 256;
/// Images that a room remembers. A client further behind gets a keyframe.
pub const IMAGES_MAX: usize = 64;
/// Ticks between a snapshot and its baseline; 64 images at one in 64 ticks. Keeps the
/// predictors' products below 2^53, where JavaScript is exact. Beyond: a keyframe.
pub const BASELINE_BACK_MAX: u32 = 4096;
/// Snapshots between checksums of a layer.
pub const CHECKSUM_EVERY: u32 = 30;
/// Snapshots in flight to one client: the ring's half, so that a baseline is always there.
/// Beyond: the client is skipped before encoding.
pub const UNACKED_SNAPSHOTS_MAX: u32 = 32;
/// Snapshot bytes in flight to one client. Beyond: the client is skipped before encoding.
pub const UNACKED_BYTES_MAX: u32 = 32 * 1024;
/// An acknowledgement goes out alone when no input carried it for this long, in milliseconds.
pub const ACK_DELAY_MS: u32 = 100;
/// Keyframes of one layer that a client may ask for: one a second. Beyond: the request is dropped
/// and counted.
pub const RESYNC_EVERY_MS: u32 = 1000;
/// Inputs that wait for their tick, per player: a second at 60 Hz. Beyond: dropped and counted.
pub const INPUTS_QUEUED_MAX: usize = 64;
/// Ticks in a row for which a missing input is replaced by the last one; then it is neutral.
pub const INPUT_REPEATS_MAX: u32 = 10;
/// How far back a shot is judged by what the shooter saw, in milliseconds: a round trip of 150 ms,
/// the lead and the view's delay. Beyond: the shooter has to aim ahead, so that nobody is hit long
/// after they took cover.
pub const REWIND_MAX_MS: u32 = 250;
/// Characters of a player's name, after trimming.
pub const NAME_CHARS_MAX: usize = 24;
/// Characters of a room's name, after trimming.
pub const ROOM_NAME_CHARS_MAX: usize = 32;
/// Characters of a chat line. Longer ones are refused.
pub const CHAT_CHARS_MAX: usize = 200;
/// Chat lines that a room remembers for those who join later; the oldest go first.
pub const CHAT_HISTORY_MAX: usize = 32;
/// Lines of a page of history: a screen or two.
pub const PAGE_LINES_MAX: usize = 50;
/// Characters of a notice's text: a line of chat's. Longer ones are refused.
pub const NOTICE_CHARS_MAX: usize = 200;
/// Characters of a player's handle: 96 bits, which nobody guesses.
pub const HANDLE_CHARS: usize = 16;
/// Players whom one may block. Beyond: refused.
pub const BLOCKED_MAX: usize = 50;
/// Players of one message; the others follow.
pub const PEERS_PER_PAGE: usize = 10;
/// Players who said something that one has not read, of whom one is told on coming: the latest.
/// Beyond: their lines are there when one looks.
pub const UNREAD_MAX: usize = 20;
/// Players whom a connection watches: somebody's contacts. Beyond: they are not watched.
pub const WATCHED_MAX: usize = 100;
/// Players of one message about them: it goes out before a snapshot. Others follow.
pub const PRESENCES_PER_PAGE: usize = 16;
/// Ticks for which a room remembers events; a client further behind loses the momentary ones.
pub const EVENT_RING_TICKS: u32 = 64;
/// Durable events that a room remembers for those who fell behind, come back or join later: a
/// match's goals. Beyond: the oldest are forgotten, and who has not got them by then never does.
pub const DURABLE_EVENTS_MAX: usize = 64;
/// Bytes of them: what a snapshot with a keyframe has room for. Beyond: as above.
pub const DURABLE_BYTES_MAX: usize = 16 * 1024;
/// Events of one tick of a room. Beyond: dropped and counted.
pub const EVENTS_PER_TICK_MAX: usize = 256;
/// Players of one room that the wire can name; an operator's limit is lower.
pub const PLAYERS_PER_ROOM_MAX: u16 = 1000;
/// Numbers of players: below this, and each is given out again only after all the others that are
/// free, so that what was somebody's is not taken for another's. As many as an image's owner field
/// can say. Beyond: they go round.
pub const PLAYER_NUMBERS: u16 = 32_767;
/// Rooms in one lobby listing. Beyond: those with a seat in which most play come first, a few of
/// each network.
pub const ROOMS_LISTED_MAX: usize = 100;
/// Bytes of an event's or action's payload. Beyond: the event is dropped and counted, the action
/// refused by the sender and malformed to the server.
pub const PAYLOAD_BYTES_MAX: usize = 1024;
/// Bytes of momentary events in one snapshot: a tick's and what a client missed. Beyond: the older
/// ones are lost to it, so that a laggard's snapshot stays far below [`SERVER_MESSAGE_BYTES_MAX`].
pub const EVENT_BYTES_MAX: usize = 64 * 1024;
/// Seconds for which a player may leave snapshots unacknowledged. Beyond: close 4010.
pub const ACK_STALL_SECONDS: u32 = 15;
/// Chat lines that a player may send at once; one more comes back every second. Beyond: refused.
pub const CHAT_BURST: u32 = 5;
/// Characters of a game's reason in the answer to an action; the rest is cut off.
pub const REPLY_CHARS_MAX: usize = 200;
/// Members of one message: 4,000 of the longest names exceed one. The others follow, a page a tick.
pub const MEMBERS_PER_PAGE: usize = 64;
/// Bytes of a room's or a player's options, or of a room's metadata, packed: a mode, a map, a
/// colour, a name or two. Beyond: the schema is refused.
pub const OPTIONS_BYTES_MAX: usize = 256;
/// Conditions of a filter. Beyond: refused.
pub const CONDITIONS_MAX: usize = 8;
/// Redirects that a client follows from a room, or a request for one, to the next room. Beyond: it
/// gives up.
pub const REDIRECTS_MAX: u32 = 3;

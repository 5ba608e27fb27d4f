//! What is stored: each kind of record, its statements, and what matters more than what. Every row
//! has a key of its own kind and is written so that writing it twice is writing it once: a batch
//! of which nobody knows whether it came through is simply written again.

mod notice;

use serde::{Serialize, Serializer};

use super::value::{Statement, Value};
pub(crate) use notice::{Answer, Notice, Seen};

/// Kinds of records, by what is lost first where not all can be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// What was said.
    Chat,
    /// Who was here under which name, which rooms there were, what somebody has seen and a program
    /// was answered.
    Presence,
    /// What somebody is to be told.
    Notice,
    /// Whom somebody does not want to hear.
    Block,
    /// Who is banned and muted.
    Sanction,
    /// How a match ended.
    Result,
}

impl Kind {
    /// All of them, in their order.
    pub(crate) const ALL: [Kind; 6] = [
        Kind::Chat,
        Kind::Presence,
        Kind::Notice,
        Kind::Block,
        Kind::Sanction,
        Kind::Result,
    ];
}

/// One thing to store. Players are named by their identity's text (`user:ann`), times are
/// milliseconds since 1970.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Record {
    Message(Message),
    Player(Player),
    Room(Room),
    Notice(Notice),
    Seen(Seen),
    Answer(Answer),
    Direct(Direct),
    Block(Block),
    Sanction(Sanction),
    Result(MatchResult),
}

/// A line that was said. Once for a channel and a sequence, and once for a channel, a player and a
/// nonce: of two the first one is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    /// Whose key names nobody: erasing a person leaves channels as they are.
    pub(crate) channel: String,
    /// Rises in the channel.
    pub(crate) sequence: u64,
    pub(crate) said_at_ms: u64,
    pub(crate) player: String,
    pub(crate) name: String,
    pub(crate) text: String,
    /// By which who said it knows it again.
    pub(crate) nonce: Option<u64>,
}

/// Somebody was here, or was addressed. Of two the later one is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Player {
    pub(crate) player: String,
    pub(crate) name: String,
    /// By which others address them; empty: nobody was told it.
    pub(crate) handle: String,
    pub(crate) seen_at_ms: u64,
}

/// A room was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Room {
    /// Its key, which no other room ever has.
    pub(crate) room: String,
    pub(crate) game: String,
    pub(crate) number: u32,
    pub(crate) opened_at_ms: u64,
}

/// How far somebody has read what another said to them. Of two the greater numbers count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Direct {
    pub(crate) player: String,
    pub(crate) peer: String,
    /// The newest line that the peer said to them, 0 where that is not said.
    pub(crate) newest: u64,
    /// The last one that they have read, likewise.
    pub(crate) seen: u64,
    pub(crate) at_ms: u64,
}

/// Somebody does not want to hear another, from `at` on; `None`: wants to again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) player: String,
    pub(crate) blocked: String,
    pub(crate) at_ms: Option<u64>,
}

/// A ban or a mute as it is from now on; `None`: there is none any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sanction {
    /// `ban` or `mute`.
    pub(crate) kind: &'static str,
    /// A player, an address or a network.
    pub(crate) target: String,
    pub(crate) terms: Option<Terms>,
}

/// How a ban or mute was ordered. Dates are seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Terms {
    pub(crate) until: u64,
    pub(crate) since: u64,
    pub(crate) reason: String,
}

/// How a match ended. Once for a room and a round: of two owners of a room who say so the first is
/// heard, and of an owner who says it again, as of a room that is restored to a moment before its
/// end, the first time. Its players are seen, too: a guest who played has a name. Ratings and boards
/// come of it, by [`super::counting`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MatchResult {
    /// The room's key.
    pub(crate) room: String,
    /// Which owner of the room says so; 0 where there was one alone, or the tables don't have the
    /// room yet.
    pub(crate) epoch: u64,
    /// Which match of the room.
    pub(crate) round: u64,
    pub(crate) game: String,
    pub(crate) season: String,
    pub(crate) ended_at_ms: u64,
    pub(crate) players: Vec<MatchPlayer>,
}

/// One of those who played. Programs are told of them so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct MatchPlayer {
    /// Empty: who was erased, of whom programs read `null`.
    #[serde(serialize_with = "unless_erased")]
    pub(crate) player: String,
    pub(crate) name: String,
    pub(crate) team: u32,
    /// From 1; who tie have the same.
    pub(crate) place: u32,
    pub(crate) score: i64,
    /// Whether they left before the end.
    pub(crate) left: bool,
}

const MESSAGE: &str = "INSERT INTO messages (channel, sequence, said_at, player, name, text, nonce) \
    VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";
const PLAYER: &str = "INSERT INTO players (player, name, first_seen, last_seen, handle) \
    VALUES ($1, $2, $3, $3, $4) ON CONFLICT (player) DO UPDATE \
    SET name = excluded.name, last_seen = excluded.last_seen, \
    handle = CASE WHEN excluded.handle = '' THEN players.handle ELSE excluded.handle END \
    WHERE excluded.last_seen >= players.last_seen";
const ROOM: &str = "INSERT INTO rooms (room, game, number, opened_at) VALUES ($1, $2, $3, $4) \
    ON CONFLICT DO NOTHING";
const DIRECT: &str = "INSERT INTO directs (player, peer, newest, seen, at) \
    VALUES ($1, $2, $3, $4, $5) ON CONFLICT (player, peer) DO UPDATE SET \
    newest = CASE WHEN excluded.newest > directs.newest THEN excluded.newest ELSE directs.newest END, \
    seen = CASE WHEN excluded.seen > directs.seen THEN excluded.seen ELSE directs.seen END, \
    at = CASE WHEN excluded.at > directs.at THEN excluded.at ELSE directs.at END";
const BLOCK: &str = "INSERT INTO blocks (player, blocked, at) VALUES ($1, $2, $3) \
    ON CONFLICT DO NOTHING";
const UNBLOCK: &str = "DELETE FROM blocks WHERE player = $1 AND blocked = $2";
const SANCTION: &str = "INSERT INTO sanctions (kind, target, until, since, reason) \
    VALUES ($1, $2, $3, $4, $5) ON CONFLICT (kind, target) DO UPDATE \
    SET until = excluded.until, since = excluded.since, reason = excluded.reason";
const LIFT: &str = "DELETE FROM sanctions WHERE kind = $1 AND target = $2";
const MATCH: &str = "INSERT INTO matches (room, epoch, round, game, season, ended_at) \
    VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";
/// Of the match as it is told here, not of one that was told before.
const MATCH_PLAYER: &str = "INSERT INTO match_players \
    (room, epoch, round, number, player, name, team, place, score, has_left) \
    SELECT CAST($1 AS TEXT), CAST($2 AS BIGINT), CAST($3 AS BIGINT), CAST($4 AS BIGINT), \
    CAST($5 AS TEXT), CAST($6 AS TEXT), CAST($7 AS BIGINT), CAST($8 AS BIGINT), \
    CAST($9 AS BIGINT), CAST($10 AS BIGINT) \
    WHERE EXISTS (SELECT 1 FROM matches \
    WHERE room = $1 AND epoch = $2 AND round = $3 AND ended_at = $11) \
    ON CONFLICT DO NOTHING";

impl Record {
    /// Of which kind it is.
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Record::Message(_) => Kind::Chat,
            Record::Player(_) | Record::Room(_) | Record::Seen(_) | Record::Answer(_) => {
                Kind::Presence
            }
            Record::Notice(_) | Record::Direct(_) => Kind::Notice,
            Record::Block(_) => Kind::Block,
            Record::Sanction(_) => Kind::Sanction,
            Record::Result(_) => Kind::Result,
        }
    }

    /// Memory that it takes while it waits.
    pub(super) fn bytes(&self) -> usize {
        let texts = |texts: &[&String]| texts.iter().map(|text| text.len()).sum::<usize>();
        let behind = match self {
            Record::Message(of) => texts(&[&of.channel, &of.player, &of.name, &of.text]),
            Record::Player(of) => texts(&[&of.player, &of.name, &of.handle]),
            Record::Room(of) => texts(&[&of.room, &of.game]),
            Record::Notice(of) => of.bytes(),
            Record::Seen(of) => texts(&[&of.player, &of.game]),
            Record::Answer(of) => of.bytes(),
            Record::Direct(of) => texts(&[&of.player, &of.peer]),
            Record::Block(of) => texts(&[&of.player, &of.blocked]),
            Record::Sanction(of) => {
                let reason = of.terms.as_ref().map_or(0, |terms| terms.reason.len());
                of.target.len() + reason
            }
            Record::Result(of) => {
                let player = |of: &MatchPlayer| size_of_val(of) + texts(&[&of.player, &of.name]);
                let players = of.players.iter().map(player).sum::<usize>();
                texts(&[&of.room, &of.game, &of.season]) + players
            }
        };
        size_of::<Record>() + behind
    }

    /// Adds what writes it.
    pub(super) fn write(&self, into: &mut Vec<Statement>) {
        let statement = match self {
            Record::Message(of) => Statement::new(
                MESSAGE,
                [
                    (&of.channel).into(),
                    of.sequence.into(),
                    of.said_at_ms.into(),
                    (&of.player).into(),
                    (&of.name).into(),
                    (&of.text).into(),
                    // All 64 bits count.
                    of.nonce.map(u64::cast_signed).into(),
                ],
            ),
            Record::Player(of) => seen(&of.player, &of.name, &of.handle, of.seen_at_ms),
            Record::Room(of) => Statement::new(
                ROOM,
                [
                    (&of.room).into(),
                    (&of.game).into(),
                    of.number.into(),
                    of.opened_at_ms.into(),
                ],
            ),
            Record::Notice(of) => return of.write(into),
            Record::Seen(of) => return of.write(into),
            Record::Answer(of) => of.statement(),
            Record::Direct(of) => Statement::new(
                DIRECT,
                [
                    (&of.player).into(),
                    (&of.peer).into(),
                    of.newest.into(),
                    of.seen.into(),
                    of.at_ms.into(),
                ],
            ),
            Record::Block(of) => {
                let (player, blocked) = ((&of.player).into(), (&of.blocked).into());
                match of.at_ms {
                    Some(at_ms) => Statement::new(BLOCK, [player, blocked, at_ms.into()]),
                    None => Statement::new(UNBLOCK, [player, blocked]),
                }
            }
            Record::Sanction(of) => {
                let (kind, target) = (of.kind.into(), (&of.target).into());
                match &of.terms {
                    Some(terms) => {
                        let (until, since) = (terms.until.into(), terms.since.into());
                        let values = [kind, target, until, since, (&terms.reason).into()];
                        Statement::new(SANCTION, values)
                    }
                    None => Statement::new(LIFT, [kind, target]),
                }
            }
            Record::Result(of) => {
                into.push(Statement::new(
                    MATCH,
                    [
                        (&of.room).into(),
                        of.epoch.into(),
                        of.round.into(),
                        (&of.game).into(),
                        (&of.season).into(),
                        of.ended_at_ms.into(),
                    ],
                ));
                return of.write_players(into);
            }
        };
        into.push(statement);
    }

    /// Leaves a person out who is to be erased; false: nothing of the record is left to write.
    pub(super) fn erase(&mut self, erased: &str) -> bool {
        match self {
            Record::Message(of) if of.player == erased => {
                let (player, name, text) = Default::default();
                (of.player, of.name, of.text, of.nonce) = (player, name, text, None);
                true
            }
            Record::Result(of) => {
                for player in of.players.iter_mut().filter(|of| of.player == erased) {
                    (player.player, player.name) = Default::default();
                }
                true
            }
            Record::Player(of) => of.player != erased,
            Record::Notice(of) => of.erase(erased),
            Record::Seen(of) => of.player != erased,
            Record::Direct(of) => of.player != erased && of.peer != erased,
            Record::Block(of) => of.player != erased && of.blocked != erased,
            Record::Sanction(of) => of.target != erased || of.terms.is_none(),
            Record::Message(_) | Record::Room(_) | Record::Answer(_) => true,
        }
    }
}

impl MatchResult {
    fn write_players(&self, into: &mut Vec<Statement>) {
        for (number, of) in (0u64..).zip(&self.players) {
            let values: [Value; 11] = [
                (&self.room).into(),
                self.epoch.into(),
                self.round.into(),
                number.into(),
                (&of.player).into(),
                (&of.name).into(),
                of.team.into(),
                of.place.into(),
                of.score.into(),
                i64::from(of.left).into(),
                self.ended_at_ms.into(),
            ];
            into.push(Statement::new(MATCH_PLAYER, values));
            // Who was erased meanwhile, or was nobody to begin with.
            if !of.player.is_empty() {
                into.push(seen(&of.player, &of.name, "", self.ended_at_ms));
            }
        }
    }
}

fn seen(player: &String, name: &String, handle: &str, at_ms: u64) -> Statement {
    let values = [player.into(), name.into(), at_ms.into(), handle.into()];
    Statement::new(PLAYER, values)
}

fn unless_erased<S: Serializer>(player: &str, to: S) -> Result<S::Ok, S::Error> {
    (!player.is_empty()).then_some(player).serialize(to)
}

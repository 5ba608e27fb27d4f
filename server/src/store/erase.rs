//! A person's rows: what is to be done to erase them, and what is kept of them. Lines stay where
//! they were said, without a name and a word; results and boards still add up, of somebody whom
//! nobody knows; the rest goes.

use super::value::{Statement, Value};

/// How the name of nobody begins, to whom scores of who was erased belong.
pub(super) const GONE: &str = "gone:";

/// Deletes and blanks everything of a player, whose score becomes one of `nobody`: a name that
/// nobody else has and that says nothing.
pub(super) fn statements(player: &str, nobody: &str) -> Vec<Statement> {
    let of = |sql| Statement::new(sql, [player.into()]);
    vec![
        // First: who rates at this time, at another node, is done with it then or has not begun.
        of("DELETE FROM ratings WHERE player = $1"),
        of(
            "UPDATE messages SET player = '', name = '', text = '', nonce = NULL \
            WHERE player = $1",
        ),
        of("UPDATE match_players SET player = '', name = '' WHERE player = $1"),
        Statement::new(
            "UPDATE scores SET player = $1 WHERE player = $2",
            [nobody.into(), player.into()],
        ),
        of("DELETE FROM players WHERE player = $1"),
        of("DELETE FROM notices WHERE player = $1"),
        of("DELETE FROM notices_seen WHERE player = $1"),
        of("DELETE FROM sanctions WHERE target = $1"),
        of("DELETE FROM blocks WHERE player = $1 OR blocked = $1"),
        of("DELETE FROM directs WHERE player = $1 OR peer = $1"),
    ]
}

/// A table of which something may be a person's.
pub(super) struct Kept {
    pub(super) table: &'static str,
    /// The columns, in the order of the `SELECT`.
    pub(super) columns: &'static [&'static str],
    sql: &'static str,
}

/// All of them. Rows come in the order of their keys, from `$2` on: what is left out before a page.
pub(super) const KEPT: [Kept; 10] = [
    Kept {
        table: "players",
        columns: &["player", "name", "first_seen", "last_seen", "handle"],
        sql: "SELECT player, name, first_seen, last_seen, handle FROM players \
              WHERE player = $1 ORDER BY player LIMIT $2 OFFSET $3",
    },
    Kept {
        table: "messages",
        columns: &["channel", "sequence", "said_at", "player", "name", "text"],
        sql: "SELECT channel, sequence, said_at, player, name, text FROM messages \
              WHERE player = $1 ORDER BY channel, sequence LIMIT $2 OFFSET $3",
    },
    Kept {
        table: "matches",
        columns: &[
            "room", "epoch", "round", "game", "season", "ended_at", "player", "name", "team",
            "place", "score", "has_left",
        ],
        sql: "SELECT of.room, of.epoch, of.round, game, season, ended_at, player, name, team, \
              place, score, has_left FROM match_players AS of JOIN matches AS m \
              ON m.room = of.room AND m.epoch = of.epoch AND m.round = of.round \
              WHERE player = $1 ORDER BY of.room, of.epoch, of.round LIMIT $2 OFFSET $3",
    },
    Kept {
        table: "scores",
        columns: &["game", "season", "player", "value", "at"],
        sql: "SELECT game, season, player, value, at FROM scores \
              WHERE player = $1 ORDER BY game, season LIMIT $2 OFFSET $3",
    },
    Kept {
        table: "ratings",
        columns: &["game", "player", "mean", "deviation", "played", "at"],
        sql: "SELECT game, player, mean, deviation, played, at FROM ratings \
              WHERE player = $1 ORDER BY game LIMIT $2 OFFSET $3",
    },
    Kept {
        table: "notices",
        columns: &[
            "player", "number", "game", "text", "event", "fields", "said_at", "expires",
        ],
        sql: "SELECT player, number, game, text, event, fields, said_at, expires FROM notices \
              WHERE player = $1 ORDER BY number LIMIT $2 OFFSET $3",
    },
    Kept {
        table: "notices_seen",
        columns: &["player", "game", "number", "at"],
        sql: "SELECT player, game, number, at FROM notices_seen \
              WHERE player = $1 ORDER BY game LIMIT $2 OFFSET $3",
    },
    Kept {
        table: "sanctions",
        columns: &["kind", "target", "until", "since", "reason"],
        sql: "SELECT kind, target, until, since, reason FROM sanctions \
              WHERE target = $1 ORDER BY kind LIMIT $2 OFFSET $3",
    },
    Kept {
        table: "blocks",
        columns: &["player", "blocked", "at"],
        sql: "SELECT player, blocked, at FROM blocks \
              WHERE player = $1 ORDER BY blocked LIMIT $2 OFFSET $3",
    },
    Kept {
        table: "directs",
        columns: &["player", "peer", "newest", "seen", "at"],
        sql: "SELECT player, peer, newest, seen, at FROM directs \
              WHERE player = $1 ORDER BY peer LIMIT $2 OFFSET $3",
    },
];

impl Kept {
    /// So many rows behind those that are left out.
    pub(super) fn page(&self, player: &str, rows: u64, left_out: u64) -> Statement {
        let values: [Value; 3] = [player.into(), rows.into(), left_out.into()];
        Statement::new(self.sql, values)
    }
}

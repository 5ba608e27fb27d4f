//! Notices as they are stored, what of them was seen, and what was answered to who said them.

use crate::store::value::{Statement, Value};

/// Something that players are to be told. Once for an `id`; it gets its number when it is written,
/// so that numbers rise in the order in which notices are stored, whoever writes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notice {
    /// Which no other notice has.
    pub(crate) id: String,
    /// For whom: `""` is for all. For nobody only the answer is written.
    pub(crate) players: Vec<String>,
    /// The only game whose connections get it; empty: any.
    pub(crate) game: String,
    pub(crate) text: String,
    /// The name of an event of the game, and its fields as JSON; empty: none.
    pub(crate) event: String,
    pub(crate) fields: String,
    pub(crate) said_at_ms: u64,
    /// From when on it is nothing any more.
    pub(crate) expires_ms: u64,
    /// What who says it is answered: both are stored, or neither is.
    pub(crate) answer: Option<Answer>,
}

/// A player has seen the notices up to a number that connections of a game are given. What waited for
/// them alone goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) player: String,
    pub(crate) game: String,
    pub(crate) number: u64,
    pub(crate) at_ms: u64,
}

/// What a program was answered, which asks again with the same key. Of two for a key the later one
/// is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// Which program's and which key, as a hash.
    pub(crate) mark: String,
    /// What it sent, as a hash.
    pub(crate) body: String,
    pub(crate) reached_now: u32,
    pub(crate) later: u32,
    pub(crate) taken: bool,
    pub(crate) at_ms: u64,
}

/// The row of its counter is this transaction's until it is done: who reads a number has all before it.
const NUMBER: &str = "UPDATE counters SET value = value + 1 WHERE name = 'notices' \
    AND NOT EXISTS (SELECT 1 FROM notices WHERE id = $1)";
const NOTICE: &str = "INSERT INTO notices \
    (player, number, id, game, text, event, fields, said_at, expires) \
    SELECT CAST($1 AS TEXT), value, CAST($2 AS TEXT), CAST($3 AS TEXT), CAST($4 AS TEXT), \
    CAST($5 AS TEXT), CAST($6 AS TEXT), CAST($7 AS BIGINT), CAST($8 AS BIGINT) \
    FROM counters WHERE name = 'notices' \
    AND NOT EXISTS (SELECT 1 FROM notices WHERE id = $2 AND player = $1) ON CONFLICT DO NOTHING";
const MARK: &str = "UPDATE counters SET value = value + 1 WHERE name = 'notices_seen'";
const SEEN: &str = "INSERT INTO notices_seen (player, game, number, at, mark) \
    SELECT CAST($1 AS TEXT), CAST($2 AS TEXT), CAST($3 AS BIGINT), CAST($4 AS BIGINT), value \
    FROM counters WHERE name = 'notices_seen' ON CONFLICT (player, game) DO UPDATE \
    SET number = excluded.number, at = excluded.at, mark = excluded.mark \
    WHERE excluded.number > notices_seen.number";
const TOLD: &str = "DELETE FROM notices WHERE player = $1 AND (game = '' OR game = $2) \
    AND number <= $3";
const ANSWER: &str = "INSERT INTO api_answers (mark, body, reached_now, later, taken, at) \
    VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (mark) DO UPDATE \
    SET body = excluded.body, reached_now = excluded.reached_now, later = excluded.later, \
    taken = excluded.taken, at = excluded.at WHERE excluded.at > api_answers.at";

impl Notice {
    pub(super) fn bytes(&self) -> usize {
        let player = |player: &String| size_of_val(player) + player.len();
        let players = self.players.iter().map(player).sum::<usize>();
        let texts = [&self.id, &self.game, &self.text, &self.event, &self.fields];
        let texts = texts.iter().map(|text| text.len()).sum::<usize>();
        players + texts + self.answer.as_ref().map_or(0, Answer::bytes)
    }

    /// See [`super::Record::erase`].
    pub(super) fn erase(&mut self, erased: &str) -> bool {
        let before = self.players.len();
        self.players.retain(|player| player != erased);
        before == 0 || !self.players.is_empty()
    }

    pub(super) fn write(&self, into: &mut Vec<Statement>) {
        if !self.players.is_empty() {
            into.push(Statement::new(NUMBER, [(&self.id).into()]));
        }
        for player in &self.players {
            let values: [Value; 8] = [
                player.into(),
                (&self.id).into(),
                (&self.game).into(),
                (&self.text).into(),
                (&self.event).into(),
                (&self.fields).into(),
                self.said_at_ms.into(),
                self.expires_ms.into(),
            ];
            into.push(Statement::new(NOTICE, values));
        }
        into.extend(self.answer.as_ref().map(Answer::statement));
    }
}

impl Seen {
    pub(super) fn write(&self, into: &mut Vec<Statement>) {
        let (player, game) = (Value::from(&self.player), Value::from(&self.game));
        let number = Value::from(self.number);
        let told = [player.clone(), game.clone(), number.clone()];
        into.push(Statement::new(MARK, []));
        into.push(Statement::new(
            SEEN,
            [player, game, number, self.at_ms.into()],
        ));
        into.push(Statement::new(TOLD, told));
    }
}

impl Answer {
    pub(super) fn bytes(&self) -> usize {
        self.mark.len() + self.body.len()
    }

    pub(super) fn statement(&self) -> Statement {
        let values: [Value; 6] = [
            (&self.mark).into(),
            (&self.body).into(),
            self.reached_now.into(),
            self.later.into(),
            i64::from(self.taken).into(),
            self.at_ms.into(),
        ];
        Statement::new(ANSWER, values)
    }
}

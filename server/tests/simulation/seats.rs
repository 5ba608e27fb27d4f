//! Whose seat is whose, as the messages tell, and whether the room keeps to it: a seat is its
//! player's while they are there and for the room's grace after, if they ever answered; then
//! nobody's. No other way.

use std::collections::{BTreeMap, BTreeSet};

use tickwire::ids::{PlayerId, Tick};
use tickwire::protocol::CloseCode;
use tickwire_server::room::Room;

use crate::broken::{Broken, Check};
use crate::line::{Line, LineId};
use crate::yard::Yard;

struct Seat {
    line: LineId,
    who: usize,
    /// When it was taken for the first time.
    seated_at: Tick,
    /// Whether anything was ever heard from who has it, and since when.
    answered: bool,
    answered_at: Tick,
    /// The newest tick that they can have seen, see [`Line::seen_max`].
    seen_max: SeenMax,
    away_since: Option<Tick>,
    /// Since when it is held at the latest.
    away_again: Tick,
    /// They may have it again, over a line on which they were not told so.
    may_be_back: bool,
    /// They asked to leave.
    leaves: bool,
    /// Their connection was seen to end just now, with a code if the server closed it; and since
    /// when it may have been over, while nothing got through.
    ended: Option<(Option<CloseCode>, Tick)>,
}

/// What bounds who has a seat in what they can have seen: nothing any more since they acknowledged
/// something, but a room that is made of a save of before knows of no such word.
#[derive(Clone)]
struct SeenMax {
    /// What the server may go by: whether a save was before or after a word of that turn is not
    /// known. The likeliest first.
    may_be: Vec<Tick>,
    /// The same before it was lifted, and when it was.
    lifted: Option<(Vec<Tick>, Tick)>,
}

impl SeenMax {
    const NONE: Tick = Tick(u32::MAX);

    fn none() -> SeenMax {
        SeenMax {
            may_be: vec![SeenMax::NONE],
            lifted: None,
        }
    }

    /// They acknowledged something.
    fn lift(&mut self, now: Tick) {
        if self.may_be.iter().any(|bound| *bound != SeenMax::NONE) {
            let before = std::mem::replace(&mut self.may_be, vec![SeenMax::NONE]);
            self.lifted = Some((before, now));
        }
    }

    /// The room is what it was `then`.
    fn fall_back(&mut self, then: Tick) {
        match self.lifted.take() {
            Some((before, at)) if is_close(at, then) => self.may_be.extend(before),
            Some((before, at)) if at > then => self.may_be = before,
            _ => {}
        }
        let mut bounds = Vec::new();
        for bound in std::mem::take(&mut self.may_be) {
            let bound = bound.min(then);
            if !bounds.contains(&bound) {
                bounds.push(bound);
            }
        }
        self.may_be = bounds;
    }
}

/// Ticks for which seats are remembered that were given up: what a restart can take back.
const REMEMBERED: u32 = 120;

/// See the module's description.
#[derive(Default)]
pub(crate) struct Seats {
    seats: BTreeMap<PlayerId, Seat>,
    /// Those that were given up within [`REMEMBERED`] ticks, and when.
    gone: Vec<(PlayerId, Seat, Tick)>,
    /// Who may have been sent away just now.
    pub(crate) kicked: BTreeSet<PlayerId>,
    pub(crate) vacated: u64,
    /// Seats given up at once, because nobody had answered there.
    pub(crate) unanswered: u64,
    /// Seats that their players took over by joining anew.
    pub(crate) taken_over: u64,
}

/// Whether a save of `then` may be of before or after what happened, in that turn.
fn is_close(happened: Tick, then: Tick) -> bool {
    happened.0.abs_diff(then.0) <= 1
}

fn broken<T>(what: String) -> Result<T, Broken> {
    Err(Broken::new(Check::Seats, what))
}

impl Seats {
    /// A line got a seat at `now`, in a room that holds seats or does not. When that was taken for
    /// the first time.
    pub(crate) fn joined(
        &mut self,
        id: LineId,
        line: &Line,
        player: PlayerId,
        now: Tick,
        grace: u32,
    ) -> Result<Tick, Broken> {
        if let Some(asked) = line.asks.filter(|asked| *asked != player) {
            return broken(format!("{player} for who asked for {asked}"));
        }
        let held = self.seats.iter().find_map(|(other, seat)| {
            let is_theirs = seat.who == line.who && !seat.may_be_back && grace > 0;
            Some((other, seat.away_since.filter(|_| is_theirs)?))
        });
        let before = self.seats.get(&player);
        if let Some(before) = before.filter(|before| before.who != line.who) {
            return broken(format!("{player} of {} for {}", before.who, line.who));
        }
        // Of several of theirs it may be one whose loss the server knows of, and no line yet.
        if let (Some((other, since)), None) = (held, before) {
            let who = line.who;
            return broken(format!(
                "{player} for {who}, whose {other} is held since {since} of {grace} ticks, at {now}"
            ));
        }
        self.taken_over += u64::from(before.is_some() && line.asks.is_none());
        let seated_at = before.map_or(now, |before| before.seated_at);
        // Who brings a token has what came after the seat.
        let answered = line.asks.is_some() || before.is_some_and(|before| before.answered);
        let seat = Seat {
            line: id,
            who: line.who,
            seated_at,
            answered,
            // Until now they may have said nothing, and the token is no word of theirs in the room.
            answered_at: before
                .filter(|before| before.answered)
                .map_or(now, |before| before.answered_at),
            seen_max: before.map_or_else(SeenMax::none, |before| before.seen_max.clone()),
            away_since: None,
            away_again: Tick(0),
            may_be_back: false,
            leaves: false,
            ended: None,
        };
        self.seats.insert(player, seat);
        Ok(seated_at)
    }

    /// A seat that a line asked for was said to be none.
    pub(crate) fn refused(&self, line: &Line) -> Result<(), Broken> {
        match line.asks.and_then(|player| self.seats.get(&player)) {
            // Another seat of theirs may have had the number, in what a restart took.
            Some(seat) if seat.who == line.who && seat.seated_at == line.seated_at => {
                broken(format!("{:?} was refused, which is theirs", line.asks))
            }
            _ => Ok(()),
        }
    }

    /// The seat that a line has.
    fn of(&mut self, id: LineId, player: PlayerId) -> Option<&mut Seat> {
        self.seats.get_mut(&player).filter(|seat| seat.line == id)
    }

    /// Something was heard from a line in a room.
    pub(crate) fn heard(&mut self, id: LineId, player: PlayerId, line: &Line, now: Tick) {
        if let Some(seat) = self.of(id, player) {
            if !std::mem::replace(&mut seat.answered, true) {
                seat.answered_at = now;
            }
            if line.has_acked {
                seat.seen_max.lift(now);
            }
        }
    }

    /// The newest tick that whoever has a seat can have seen, or one of several that the server may
    /// go by.
    pub(crate) fn seen_max(&self, player: PlayerId) -> Vec<Tick> {
        let seat = self.seats.get(&player);
        let seen_max = seat.map_or_else(SeenMax::none, |seat| seat.seen_max.clone());
        seen_max.may_be
    }

    /// The process was killed, and the room is what it was at some tick: seats that were taken since
    /// are none, those that were given up since are held again, as all others are.
    pub(crate) fn fall_back(&mut self, room: &Room<Yard>) -> Result<(), Broken> {
        let (then, grace) = (room.tick_number(), room.options().grace);
        let live = std::mem::take(&mut self.seats).into_iter();
        let gone = std::mem::take(&mut self.gone).into_iter();
        let all = live.map(|(player, seat)| (player, seat, None));
        let all = all.chain(gone.map(|(player, seat, at)| (player, seat, Some(at))));
        self.kicked.clear();
        for (player, mut seat, until) in all {
            let was_there = seat.seated_at <= then && until.is_none_or(|until| until > then);
            let held = was_there && grace > 0 && seat.answered && seat.answered_at <= then;
            let is_unsure = is_close(seat.seated_at, then)
                || is_close(seat.answered_at, then)
                || until.is_some_and(|until| is_close(until, then));
            let is_there = room.has_member(player);
            match is_there {
                _ if is_unsure && !held && self.seats.contains_key(&player) => continue,
                true if held || is_unsure => {}
                false if held && !is_unsure => {
                    return broken(format!("{player} is none at {then}, after a restart"));
                }
                _ => continue,
            }
            (seat.away_since, seat.away_again) = (Some(then), then);
            (seat.may_be_back, seat.leaves, seat.ended) = (false, false, None);
            seat.seen_max.fall_back(then);
            self.seats.insert(player, seat);
        }
        match room.players() == self.seats.len() {
            true => Ok(()),
            false => broken(format!(
                "{} players at {then}, after a restart, where {:?} have seats",
                room.players(),
                self.seats.keys()
            )),
        }
    }

    /// A line asks to leave, or has left.
    pub(crate) fn leaves(&mut self, id: LineId, player: PlayerId) {
        if let Some(seat) = self.of(id, player) {
            seat.leaves = true;
        }
    }

    /// A line is lost (`None`), or closed by the server; not because another one has the seat,
    /// which says so itself. It may have been over `since` then. Who was in the lobby may have had
    /// their seat again for a moment.
    pub(crate) fn ended(
        &mut self,
        id: LineId,
        player: PlayerId,
        code: Option<CloseCode>,
        since: Tick,
    ) {
        if let Some(seat) = self.of(id, player)
            && seat.away_since.is_none()
            && code != Some(CloseCode::Superseded)
        {
            seat.ended = Some((code, since));
        }
    }

    /// A line is over whose client could not be told: the seat is held since some tick between
    /// these two.
    pub(crate) fn ended_unheard(&mut self, id: LineId, player: PlayerId, since: Tick, now: Tick) {
        if let Some(seat) = self.of(id, player)
            && seat.away_since.is_none()
        {
            (seat.away_since, seat.away_again) = (Some(since), now);
        }
    }

    /// Who asked for a seat may have it, whose answer nobody has seen: what is written on a line
    /// may be stuck there, or lost with it.
    pub(crate) fn on_the_way(&mut self, who: usize, now: Tick) {
        for seat in self.seats.values_mut().filter(|seat| seat.who == who) {
            (seat.away_again, seat.may_be_back) = (now, true);
        }
    }

    /// Who has a seat, over which line.
    pub(crate) fn line(&self, player: PlayerId) -> Option<LineId> {
        Some(self.seats.get(&player)?.line)
    }

    /// After a step of the server, which can have ended the lines of whom `may_be_over` says so.
    pub(crate) fn judge(
        &mut self,
        room: &Room<Yard>,
        may_be_over: impl Fn(LineId) -> bool,
    ) -> Result<(), Broken> {
        let (now, grace) = (room.tick_number(), room.options().grace);
        let (mut gone, mut given_up) = (Vec::new(), 0);
        for (&player, seat) in &mut self.seats {
            let is_there = room.has_member(player);
            if let Some((code, since)) = seat.ended.take() {
                let may_hold = code.is_none_or(CloseCode::holds_seat);
                let held = may_hold && seat.answered && grace > 0;
                if is_there != held && !(seat.leaves || self.kicked.contains(&player)) {
                    let Seat { answered, .. } = seat;
                    return broken(format!(
                        "{player}, ended with {code:?} (answered: {answered}), held: {is_there}, at {now}"
                    ));
                }
                self.unanswered += u64::from(!seat.answered && may_hold);
                (seat.away_since, seat.away_again) = (Some(since), now);
            }
            let away = seat.away_since.map(|since| now.since(since));
            if is_there {
                let since = seat.away_since.map(|since| since.max(seat.away_again));
                if since.is_some_and(|since| now.since(since) > grace + 1) {
                    return broken(format!("{player} is held for longer than {grace} ticks"));
                }
                continue;
            }
            let in_time = away.is_none_or(|ticks| ticks + 1 >= grace);
            let is_told = seat.leaves || self.kicked.contains(&player) || may_be_over(seat.line);
            if !is_told
                || !(in_time || seat.leaves || self.kicked.contains(&player) || !seat.answered)
            {
                return broken(format!(
                    "{player} is given up after {away:?} of {grace} ticks"
                ));
            }
            given_up += u64::from(away.is_some_and(|ticks| ticks > 0));
            gone.push(player);
        }
        self.kicked.clear();
        self.vacated += given_up;
        let gone = gone.into_iter().filter_map(|player| {
            let (player, seat) = self.seats.remove_entry(&player)?;
            Some((player, seat, now))
        });
        self.gone.extend(gone);
        self.gone.retain(|(_, _, at)| now.since(*at) <= REMEMBERED);
        Ok(())
    }
}

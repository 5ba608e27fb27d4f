//! Which boards are shown, as they were read last, and which is to be read next. Pure: the time is
//! an argument; [`super::Boards`] reads.
//!
//! The board without a season is there for each game from the start, others from when they are
//! first asked for until nobody has for a minute. **Bounded**: [`OTHERS_MAX`] of those; beyond, one
//! on which nobody is goes for each that comes, the one that was asked for longest ago, and where
//! there is none it is refused: names that nobody plays for push out no board that somebody sees.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::http::site::File;

/// Boards besides the games' usual ones: with ten pages of each they are 640 pages' polls.
const OTHERS_MAX: usize = 64;
/// Age at which a board is read again that somebody looks at.
const FRESH: Duration = Duration::from_secs(10);
/// Age at which the usual ones are that nobody looks at, so that who comes first sees no old one.
const IDLE: Duration = Duration::from_secs(60);
/// For so long somebody looks at a board after they asked for it; pages ask again every 10 s.
const LOOKED_AT: Duration = Duration::from_secs(60);

/// A board, by its game and season.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Board {
    pub(super) game: &'static str,
    pub(super) season: Box<str>,
}

/// What there is of a board.
pub(super) enum Found {
    Board(Arc<File>),
    /// It will be read soon.
    Unread,
    /// There are too many.
    Full,
}

struct State {
    /// `None`: it was not read yet.
    file: Option<Arc<File>>,
    rows: usize,
    asked_at: Instant,
    /// When it was read last, or could not be.
    read_at: Option<Instant>,
    is_usual: bool,
}

/// See the module's description.
pub(super) struct Shown {
    boards: BTreeMap<Board, State>,
}

impl State {
    fn new(is_usual: bool, asked_at: Instant) -> State {
        State {
            file: None,
            rows: 0,
            asked_at,
            read_at: None,
            is_usual,
        }
    }

    fn due(&self) -> Option<Instant> {
        let read_at = self.read_at?;
        let is_looked_at = read_at.saturating_duration_since(self.asked_at) < LOOKED_AT;
        Some(read_at + if is_looked_at { FRESH } else { IDLE })
    }
}

impl Shown {
    /// With the boards that the games usually have.
    pub(super) fn new(games: Vec<&'static str>, now: Instant) -> Shown {
        let usual = games.into_iter().map(|game| {
            let season = "".into();
            (Board { game, season }, State::new(true, now))
        });
        Shown {
            boards: usual.collect(),
        }
    }

    /// Somebody asks for a board.
    pub(super) fn find(&mut self, board: &Board, now: Instant) -> Found {
        if let Some(state) = self.boards.get_mut(board) {
            state.asked_at = now;
            let file = state.file.clone();
            return file.map_or(Found::Unread, Found::Board);
        }
        let others = self.boards.values().filter(|state| !state.is_usual);
        if others.count() >= OTHERS_MAX && !self.make_way() {
            return Found::Full;
        }
        self.boards.insert(board.clone(), State::new(false, now));
        Found::Unread
    }

    /// Lets the board go on which nobody is, if there is one.
    fn make_way(&mut self) -> bool {
        let empty = self.boards.iter();
        let empty = empty.filter(|(_, state)| !state.is_usual && state.rows == 0);
        let oldest = empty.min_by_key(|(_, state)| state.asked_at);
        let Some(oldest) = oldest.map(|(board, _)| board.clone()) else {
            return false;
        };
        self.boards.remove(&oldest).is_some()
    }

    /// The board to read now, or when the next one is due.
    pub(super) fn due(&mut self, now: Instant) -> Result<Board, Instant> {
        self.boards.retain(|_, state| {
            state.is_usual || now.saturating_duration_since(state.asked_at) < LOOKED_AT
        });
        let next = self.boards.iter().min_by_key(|(_, state)| state.due());
        match next.map(|(board, state)| (board, state.due())) {
            Some((board, None)) => Ok(board.clone()),
            Some((board, Some(due))) if due <= now => Ok(board.clone()),
            Some((_, Some(due))) => Err(due),
            // A server without games.
            None => Err(now + IDLE),
        }
    }

    /// A board was read, with so many rows; `None`: it could not be, and stays as it was.
    pub(super) fn read(&mut self, board: &Board, file: Option<(File, usize)>, now: Instant) {
        if let Some(state) = self.boards.get_mut(board) {
            state.read_at = Some(now);
            if let Some((file, rows)) = file {
                (state.file, state.rows) = (Some(Arc::new(file)), rows);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn board(season: &str) -> Board {
        Board {
            game: "chess",
            season: season.into(),
        }
    }

    fn file(text: &'static str) -> File {
        File::new("application/json", text.into())
    }

    fn text(shown: &mut Shown, season: &str, now: Instant) -> Option<String> {
        match shown.find(&board(season), now) {
            Found::Board(file) => Some(String::from_utf8_lossy(&file.plain.body).into_owned()),
            Found::Unread | Found::Full => None,
        }
    }

    #[test]
    fn what_somebody_looks_at_is_read_every_10_s() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut shown = Shown::new(vec!["chess"], start);
        assert_eq!(shown.due(at(0)), Ok(board("")));
        assert_eq!(text(&mut shown, "", at(0)), None);
        shown.read(&board(""), Some((file("one"), 3)), at(0));
        assert_eq!(text(&mut shown, "", at(0)).as_deref(), Some("one"));
        assert_eq!(shown.due(at(1)), Err(at(10)));
        assert_eq!(shown.due(at(10)), Ok(board("")));
        // It can't be read: as it was, and again after as long.
        shown.read(&board(""), None, at(10));
        assert_eq!(text(&mut shown, "", at(11)).as_deref(), Some("one"));
        assert_eq!(shown.due(at(11)), Err(at(20)));
        // Nobody has asked for a minute.
        shown.read(&board(""), Some((file("two"), 3)), at(75));
        assert_eq!(shown.due(at(76)), Err(at(135)));
        assert_eq!(text(&mut shown, "", at(100)).as_deref(), Some("two"));
    }

    #[test]
    fn another_season_is_there_for_as_long_as_it_is_looked_at() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut shown = Shown::new(vec!["chess"], start);
        shown.read(&board(""), Some((file("usual"), 0)), at(0));
        assert_eq!(text(&mut shown, "2", at(1)), None);
        assert_eq!(shown.due(at(1)), Ok(board("2")));
        shown.read(&board("2"), Some((file("season"), 1)), at(1));
        assert_eq!(text(&mut shown, "2", at(50)).as_deref(), Some("season"));
        let _ = shown.due(at(109));
        assert_eq!(text(&mut shown, "2", at(109)).as_deref(), Some("season"));
        let _ = shown.due(at(170));
        assert_eq!(text(&mut shown, "2", at(170)), None, "it has to be read");
        assert_eq!(text(&mut shown, "", at(170)).as_deref(), Some("usual"));
    }

    #[test]
    fn names_that_nobody_plays_for_push_out_no_board() {
        let now = Instant::now();
        let mut shown = Shown::new(vec!["chess"], now);
        shown.read(&board(""), Some((file("usual"), 0)), now);
        for season in 0..OTHERS_MAX / 2 {
            let season = format!("s{season}");
            assert_eq!(text(&mut shown, &season, now), None);
            shown.read(&board(&season), Some((file("season"), 1)), now);
        }
        for made_up in 0..1000 {
            let later = now + Duration::from_millis(made_up);
            assert_eq!(text(&mut shown, &format!("x{made_up}"), later), None);
            assert!(shown.boards.len() <= OTHERS_MAX + 1);
        }
        for season in 0..OTHERS_MAX / 2 {
            let season = format!("s{season}");
            assert!(text(&mut shown, &season, now).is_some(), "{season}");
        }
        assert!(text(&mut shown, "", now).is_some());
        // With rows on all of them there is no place for another.
        let others: Vec<Board> = shown.boards.keys().cloned().collect();
        for other in others {
            shown.read(&other, Some((file("season"), 1)), now);
        }
        let full = shown.find(&board("one more"), now);
        assert!(matches!(full, Found::Full));
    }
}

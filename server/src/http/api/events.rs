//! Something that a program says to those who are connected or will be: an event of a game, a text,
//! or both. What becomes of it is `notices`'; here is who may say what to whom, and that what is
//! sent twice is said once. What only a room's own node can do is passed on there.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::StatusCode;
use hyper::header::HeaderMap;
use parking_lot::Mutex;

use super::answer::Answer;
use super::event::{Event, GameEvent, wrong};
use super::idempotency::{Begun, Idempotency, Mark};
use super::passed_on::{Outcome, PassedOn};
use super::problem::Problem;
use crate::auth::ApiKey;
use crate::date;
use crate::lobby::Lobby;
use crate::moderation::audit::{self, Said};
use crate::notices::{Class, Notice, Reached, Refused, To};
use crate::store::record::{self, Record};
use crate::store::retention::ANSWERS_KEPT;
use crate::store::{ReadError, Store};

/// The header by which a program says that it sends the same again.
const KEY: &str = "Idempotency-Key";
/// Characters of it: room for a UUID and more.
const KEY_CHARS_MAX: usize = 64;
/// For a room's game to answer. It is done all the same, and the same request asks what came of it.
const ROOM_ANSWERS: Duration = Duration::from_secs(2);
/// For what is durable to be stored. It is said all the same when it is, and the same request asks
/// what came of it.
const STORED_WITHIN: Duration = Duration::from_secs(2);
/// Until a program may try what there is no room for, in seconds: notices go as they are seen, and
/// a database comes back.
const FULL_WAIT_S: u32 = 10;

/// What programs said.
#[derive(Default)]
pub(super) struct Events {
    answered: Mutex<Idempotency<Answer>>,
    store: Store,
}

/// A request that is under way; dropped, it was not done.
struct UnderWay {
    events: Arc<Events>,
    mark: Mark,
    body: Mark,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.events.answered.lock().undone(self.mark);
    }
}

impl UnderWay {
    /// It was done.
    fn done(&self, answer: Answer) {
        self.events.answered.lock().done(self.mark, answer);
    }

    /// As it is stored.
    fn record(&self, answer: Answer) -> record::Answer {
        record::Answer {
            mark: self.mark.to_string(),
            body: self.body.to_string(),
            reached_now: answer.reached_now,
            later: answer.later,
            taken: answer.taken,
            at_ms: date::now_ms(),
        }
    }
}

impl Events {
    pub(super) fn new(store: Store) -> Events {
        Events {
            answered: Mutex::default(),
            store,
        }
    }

    /// Recalls what programs were answered by processes before this one: before any asks.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub(super) async fn recall(&self) -> Result<(), ReadError> {
        if !self.store.is_there() {
            return Ok(());
        }
        let (now, now_ms) = (Instant::now(), date::now_ms());
        let kept_ms = u64::try_from(ANSWERS_KEPT.as_millis()).unwrap_or(u64::MAX);
        let stored = self.store.answers(now_ms.saturating_sub(kept_ms)).await?;
        let mut answered = self.answered.lock();
        for of in stored {
            let ago = Duration::from_millis(now_ms.saturating_sub(of.at_ms));
            // A clock that knows no time so long ago has it kept longer.
            let at = now.checked_sub(ago).unwrap_or(now);
            let answer = Answer {
                reached_now: of.reached_now,
                later: of.later,
                taken: of.taken,
            };
            if let (Some(mark), Some(body)) = (Mark::read(&of.mark), Mark::read(&of.body)) {
                answered.recall(mark, body, answer, at);
            }
        }
        Ok(())
    }

    /// The answer to a body that came with these headers, from `who`.
    pub(super) async fn answer(
        self: &Arc<Self>,
        headers: &HeaderMap,
        body: &[u8],
        caller: Arc<ApiKey>,
        who: SocketAddr,
        lobby: &Lobby,
    ) -> Result<Answer, Problem> {
        let key = key(headers)?;
        let event = Event::read(body)?;
        if key.is_none() && event.class != Class::NowOnly {
            let why = "is needed for what is durable, so that sent twice it is said once";
            return Err(bad_key(why));
        }
        let marks = key.map(|key| {
            let mark = Mark::of(&[caller.name.as_bytes(), key]);
            (mark, Mark::of(&[body]))
        });
        let under_way = match marks.map(|marks| self.begin(marks)).transpose()? {
            Some(Ok(answer)) => return Ok(answer),
            Some(Err(under_way)) => Some(under_way),
            None => None,
        };
        let game = addressed(&event.to, event.event.as_ref(), &caller, lobby)?;
        if let &To::Room(room) = &event.to
            && !lobby.has_room(room)
            && is_of_the_room(&event, game, lobby)
        {
            let passed_on = PassedOn {
                room: room.0,
                game: game.map(str::to_owned),
                by: caller.name.to_string(),
                who: who.to_string(),
                marks: marks.map(|(mark, body)| (mark.to_string(), body.to_string())),
                body: body.to_vec(),
            };
            return pass_on(passed_on, lobby, under_way).await;
        }
        let program = Program {
            by: caller.name.clone(),
            who,
        };
        say(event, game, program, lobby, under_way).await
    }

    /// Begins a request that may be sent again: what it was answered, or that it is under way now.
    fn begin(
        self: &Arc<Self>,
        (mark, body): (Mark, Mark),
    ) -> Result<Result<Answer, UnderWay>, Problem> {
        let begun = self.answered.lock().begin(mark, body, Instant::now());
        match begun {
            Begun::First => Ok(Err(UnderWay {
                events: self.clone(),
                mark,
                body,
            })),
            Begun::Again(answer) => Ok(Ok(answer)),
            Begun::UnderWay => {
                let why = "a request with this Idempotency-Key is under way";
                Err(Problem::new(StatusCode::CONFLICT, why).after(1))
            }
            Begun::Other => Err(wrong(KEY, "came with another body before")),
        }
    }

    /// Says from now on what programs say at other nodes to rooms of this one.
    pub(super) fn serve_other_nodes(self: Arc<Self>, lobby: &Lobby) {
        let own = lobby.clone();
        lobby.serve_programs(move |said| {
            let (events, lobby) = (self.clone(), own.clone());
            Box::pin(async move { Outcome::of(events.say_here(&said, &lobby).await).packed() })
        });
    }

    /// Says what came from another node, which has judged who says it.
    async fn say_here(self: &Arc<Self>, said: &[u8], lobby: &Lobby) -> Result<Answer, Problem> {
        let unread = || unavailable("the room's node is of another version");
        let said = PassedOn::read(said).ok_or_else(unread)?;
        let event = Event::read(&said.body)?;
        let who = said.who.parse().map_err(|_| unread())?;
        let game = said.game.as_deref();
        let game = game.map(|game| lobby.game(game).ok_or_else(unread));
        let game = game.transpose()?;
        let marks = said.marks.as_ref().map(|(mark, body)| {
            let read = Mark::read(mark).zip(Mark::read(body));
            read.ok_or_else(unread)
        });
        let under_way = match marks
            .transpose()?
            .map(|marks| self.begin(marks))
            .transpose()?
        {
            Some(Ok(answer)) => return Ok(answer),
            Some(Err(under_way)) => Some(under_way),
            None => None,
        };
        // It is passed on once: a room that moves is somewhere else soon.
        if event.to != To::Room(said.room()) || !lobby.has_room(said.room()) {
            return Err(unavailable("the room moves").after(1));
        }
        let by = said.by.into();
        say(event, game, Program { by, who }, lobby, under_way).await
    }
}

/// Who says something.
struct Program {
    /// The name of its key.
    by: Box<str>,
    who: SocketAddr,
}

/// Whether what goes to a room is for its node alone: what its game takes, and what is durable.
fn is_of_the_room(event: &Event, game: Option<&'static str>, lobby: &Lobby) -> bool {
    let is_taken = || {
        let own = event.event.as_ref()?;
        lobby.job(game?, &own.name, &own.fields)
    };
    event.class != Class::NowOnly || is_taken().is_some()
}

/// Has the node of a room say it. What came of it is remembered here, too, so that a program that
/// sends it again is answered while that node is away.
async fn pass_on(
    said: PassedOn,
    lobby: &Lobby,
    under_way: Option<UnderWay>,
) -> Result<Answer, Problem> {
    let (room, lobby, said) = (said.room(), lobby.clone(), said.packed());
    let passing = async move {
        let outcome = lobby.say_elsewhere(room, said).await;
        let answered = outcome.and_then(|outcome| Outcome::read(&outcome)?.answered());
        let unknown = || unavailable("the room's node does not answer").after(1);
        let answer = answered.ok_or_else(unknown)??;
        if let Some(under_way) = under_way {
            under_way.done(answer);
        }
        Ok(answer)
    };
    let late = "the room's node has not answered yet: ask again with the same Idempotency-Key";
    to_the_end(passing, ROOM_ANSWERS, late).await
}

fn key(headers: &HeaderMap) -> Result<Option<&[u8]>, Problem> {
    let mut lines = headers.get_all(KEY).iter();
    match (lines.next().map(|line| line.as_bytes()), lines.next()) {
        (None, _) => Ok(None),
        (Some(key), None)
            if (1..=KEY_CHARS_MAX).contains(&key.len()) && key.iter().all(u8::is_ascii_graphic) =>
        {
            Ok(Some(key))
        }
        _ => Err(bad_key("is not one of 1 to 64 letters, digits and signs")),
    }
}

fn bad_key(why: &'static str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, why).at(KEY)
}

/// Says it; what came of it is remembered as that of the request that is under way, if its program
/// may send it again, also where nobody waits for that any more.
async fn say(
    event: Event,
    game: Option<&'static str>,
    Program { by, who }: Program,
    lobby: &Lobby,
    under_way: Option<UnderWay>,
) -> Result<Answer, Problem> {
    let said = Said {
        who,
        by,
        to: event.to.to_string(),
        event: event.event.as_ref().map(|event| event.name.clone()),
        kept_s: match event.class {
            Class::NowOnly => None,
            Class::Durable { ttl } => Some(ttl.as_secs()),
        },
    };
    // What is not kept for who is away waits for no disk: its answer is stored when it is given.
    let is_for_now = event.class == Class::NowOnly;
    let done = move |under_way: Option<UnderWay>, answer: Answer| {
        if let Some(under_way) = under_way {
            under_way.done(answer);
            if is_for_now {
                let record = under_way.record(answer);
                under_way.events.store.put(Record::Answer(record));
            }
        }
        audit::said(&said, answer.reached_now, answer.later);
    };
    if let (To::Room(room), Some(own), Some(game)) = (&event.to, &event.event, game)
        && let Some(job) = lobby.job(game, &own.name, &own.fields)
    {
        let job = job.map_err(|why| wrong("event", why))?;
        if event.text.is_some() || event.class != Class::NowOnly {
            let why = "is the room's own: it has no text beside it, and is for now";
            return Err(wrong("event", why));
        }
        let (lobby, room) = (lobby.clone(), *room);
        // What a room has been told is done, whoever waits for it.
        let taking = async move {
            let taken = lobby.take(room, job).await;
            let taken = taken.ok_or_else(|| unavailable("the room takes nothing now").after(1))?;
            taken.map_err(|why| wrong("event", format!("the game refuses it: {why}")))?;
            done(under_way, Answer::TAKEN);
            Ok(Answer::TAKEN)
        };
        let late = "the room has not answered yet: ask again with the same Idempotency-Key";
        return to_the_end(taking, ROOM_ANSWERS, late).await;
    }
    let of_game = |event: GameEvent| {
        let read = lobby.event(game, &event.name, &event.fields);
        read.map_err(|why| wrong("event", why))
    };
    let notice = Notice {
        text: event.text.unwrap_or_default(),
        event: event.event.map(of_game).transpose()?,
        class: event.class,
    };
    let (lobby, to) = (lobby.clone(), event.to);
    let saying = async move {
        let stored = |reached: Reached| {
            let under_way = under_way.as_ref()?;
            Some(under_way.record(Answer::of(reached)))
        };
        let reached = lobby.publish(&to, &notice, stored).await;
        let answer = Answer::of(reached.map_err(refused)?);
        done(under_way, answer);
        Ok(answer)
    };
    if is_for_now {
        return saying.await;
    }
    // What is being stored is said, whoever waits for it.
    let late = "it is not stored yet: ask again with the same Idempotency-Key";
    to_the_end(saying, STORED_WITHIN, late).await
}

/// What comes of something that is done to its end, whoever waits for it, or that it is late.
async fn to_the_end(
    doing: impl Future<Output = Result<Answer, Problem>> + Send + 'static,
    within: Duration,
    late: &'static str,
) -> Result<Answer, Problem> {
    match tokio::time::timeout(within, tokio::spawn(doing)).await {
        Ok(Ok(done)) => done,
        Ok(Err(_)) => Err(unavailable("it failed")),
        Err(_) => Err(unavailable(late).after(1)),
    }
}

fn unavailable(why: &'static str) -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, why)
}

/// The game of its event, if it has one. The error: this program may not say that to those.
fn addressed(
    to: &To,
    event: Option<&GameEvent>,
    caller: &ApiKey,
    lobby: &Lobby,
) -> Result<Option<&'static str>, Problem> {
    let not_for =
        |field: &str, why: &'static str| Problem::new(StatusCode::FORBIDDEN, why).at(field);
    let known = |game: &str, field: &str| match lobby.game(game) {
        None => Err(wrong(field, "there is no such game")),
        Some(_) if !caller.is_for(game) => Err(not_for(field, "this key is not for this game")),
        Some(game) => Ok(game),
    };
    let own = event.and_then(|event| event.game.as_deref());
    let own = own.map(|game| known(game, "event.game")).transpose()?;
    let only = match to {
        To::Everybody if !caller.is_for_all() => {
            return Err(not_for("to", "this key is for some games alone"));
        }
        To::Player(_) if event.is_none() && !caller.is_for_all() => {
            let why = "this key is for some games alone, and a text to a player is of none";
            return Err(not_for("to.player", why));
        }
        To::Everybody | To::Player(_) => {
            let only = lobby.only_game();
            only.map(|game| known(game, "to")).transpose()?
        }
        To::Game(game) => Some(known(game, "to.game")?),
        To::Room(room) => {
            let game = lobby.game_of(*room);
            let game = game.ok_or_else(|| wrong("to.room", "there is no such room"))?;
            Some(known(game, "to.room")?)
        }
    };
    match (event, own, only) {
        (None, ..) => Ok(None),
        (_, Some(own), Some(only)) if own != only => {
            Err(wrong("event.game", "is another game than it goes to"))
        }
        (_, Some(game), _) | (_, None, Some(game)) => Ok(Some(game)),
        (_, None, None) => {
            let why = "is needed: this server has several games";
            Err(wrong("event.game", why))
        }
    }
}

fn refused(refused: Refused) -> Problem {
    let (status, field) = match refused {
        Refused::BadText => (StatusCode::UNPROCESSABLE_ENTITY, "text"),
        Refused::OtherGame => (StatusCode::UNPROCESSABLE_ENTITY, "event.game"),
        Refused::NoSuchGame => (StatusCode::UNPROCESSABLE_ENTITY, "to.game"),
        Refused::PlayerFull => (StatusCode::CONFLICT, "to.player"),
        Refused::Full | Refused::NotStored | Refused::NoHome => {
            let status = StatusCode::SERVICE_UNAVAILABLE;
            return Problem::new(status, refused.to_string()).after(FULL_WAIT_S);
        }
    };
    Problem::new(status, refused.to_string()).at(field)
}

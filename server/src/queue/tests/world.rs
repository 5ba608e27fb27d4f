//! Thousands of players with their manners, and the queue between them, on virtual time.

use std::collections::BTreeMap;
use std::time::Duration;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use super::checker::{Checker, Violation};
use super::desk::{modes, secs};
use super::people::{Person, people, played};
use super::quality::{Quality, Seen};
use crate::queue::{EndReason, Input, ModeId, OfferId, Output, PlayerKey, Queue, Refusal, Seeker};
use crate::queue::{Team, Timing, Window};

/// From one step of the queue to the next, as a server would.
const STEP: Duration = Duration::from_millis(250);

/// What is broken on purpose, to see that it is noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bug {
    SplitParty,
    ForgottenTime,
    TwoMatches,
    Poison,
    ForEver,
    WideWindow,
    NotToldBack,
    NotToldOut,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    pub(super) seed: u64,
    pub(super) people: usize,
    pub(super) seconds: u64,
    pub(super) bug: Option<Bug>,
    /// Whether what the queue said is kept.
    pub(super) is_kept: bool,
}

pub(super) struct History {
    pub(super) violation: Option<Violation>,
    pub(super) quality: Quality,
    pub(super) said: Vec<Output>,
}

#[derive(Clone, Copy, Debug)]
enum Event {
    Step,
    Arrive(usize),
    /// From a second tab.
    Again(usize),
    Cancel(usize),
    Lost(usize),
    Returned(usize),
    PartyJoin(usize),
    PartyLeft(usize),
    Accept(usize, OfferId),
    Decline(usize, OfferId),
    Join(usize, OfferId),
    JoinFails(usize, OfferId),
    RoomFails(OfferId),
    Over(OfferId),
}

struct Match {
    teams: Vec<Vec<usize>>,
    came: Vec<usize>,
}

struct World {
    plan: Plan,
    queue: Queue,
    checker: Checker,
    people: Vec<Person>,
    rng: ChaCha8Rng,
    now: Duration,
    events: BTreeMap<(Duration, u64), Event>,
    number: u64,
    /// Who asked last.
    asking: Vec<usize>,
    /// Since when each waits, and the rating of their party.
    since: BTreeMap<PlayerKey, (Duration, f64)>,
    offered: BTreeMap<OfferId, Duration>,
    matches: BTreeMap<OfferId, Match>,
    /// Into which match each went last.
    playing: BTreeMap<PlayerKey, OfferId>,
    quality: Quality,
    said: Vec<Output>,
}

fn key(at: usize) -> PlayerKey {
    PlayerKey(at as u64)
}

fn at(player: PlayerKey) -> usize {
    player.0 as usize
}

pub(super) fn history(plan: Plan) -> History {
    let mut world = World::new(plan);
    world.run();
    History {
        violation: world.checker.violation,
        quality: world.quality,
        said: world.said,
    }
}

impl World {
    fn new(plan: Plan) -> World {
        let mut rng = ChaCha8Rng::seed_from_u64(plan.seed);
        let people = people(plan.people, &mut rng);
        let (mut played, mut timing) = (modes(), Timing::default());
        match plan.bug {
            Some(Bug::Poison) => timing.cooling = Duration::ZERO,
            Some(Bug::ForEver) => played.iter_mut().for_each(|mode| mode.wait *= 10),
            Some(Bug::WideWindow) => played.iter_mut().for_each(|mode| {
                mode.window = Window {
                    start: 60.0,
                    per_second: 0.0,
                    max: 60.0,
                };
            }),
            _ => {}
        }
        let queue = Queue::new(played, timing, plan.seed).expect("modes that can be played");
        let mut world = World {
            plan,
            queue,
            checker: Checker::new(modes(), Timing::default()),
            people,
            rng,
            now: secs(100.0),
            events: BTreeMap::new(),
            number: 0,
            asking: Vec::new(),
            since: BTreeMap::new(),
            offered: BTreeMap::new(),
            matches: BTreeMap::new(),
            playing: BTreeMap::new(),
            quality: Quality::default(),
            said: Vec::new(),
        };
        world.after(STEP, Event::Step);
        for at in 0..plan.people {
            world.within(0.0, 90.0, Event::Arrive(at));
        }
        world
    }

    fn run(&mut self) {
        let end = self.now + Duration::from_secs(self.plan.seconds);
        while let Some(((when, _), event)) = self.events.pop_first() {
            if when > end || self.checker.violation.is_some() {
                return;
            }
            self.now = when;
            self.happens(event);
        }
    }

    fn after(&mut self, delay: Duration, event: Event) {
        self.number += 1;
        self.events.insert((self.now + delay, self.number), event);
    }

    fn within(&mut self, from: f64, to: f64, event: Event) {
        let delay = secs(self.rng.random_range(from..to));
        self.after(delay, event);
    }

    fn happens(&mut self, event: Event) {
        match event {
            Event::Step => {
                self.queue.step(self.now);
                self.listen(Vec::new());
                self.checker.stepped(self.now, &self.queue);
                self.after(STEP, Event::Step);
            }
            Event::Arrive(who) => self.arrives(who),
            Event::Again(who) if self.queue.view(self.now, key(who)).is_none() => {}
            Event::Again(who) => self.enqueue(vec![who], self.people[who].mode),
            Event::Cancel(who) => self.tell(Input::Cancel { player: key(who) }),
            Event::Lost(who) => self.tell(Input::Lost { player: key(who) }),
            Event::Returned(who) => self.tell(Input::Returned { player: key(who) }),
            Event::PartyLeft(who) => self.tell(Input::PartyLeft { player: key(who) }),
            Event::PartyJoin(who) => self.party_joins(who),
            Event::Accept(who, offer) if self.checker.is_lost(key(who)) => {
                self.after(secs(2.0), Event::Accept(who, offer));
            }
            Event::Accept(who, offer) => self.tell(Input::Accept {
                player: key(who),
                offer,
            }),
            Event::Decline(who, offer) => self.tell(Input::Decline {
                player: key(who),
                offer,
            }),
            Event::Join(who, offer) => self.tell(Input::Joined {
                player: key(who),
                offer,
            }),
            Event::JoinFails(who, offer) => {
                self.tell(Input::JoinFailed {
                    player: key(who),
                    offer,
                });
            }
            Event::RoomFails(offer) => self.tell(Input::RoomFailed { offer }),
            Event::Over(offer) => self.over(offer),
        }
    }

    /// Somebody wants to play, some with friends.
    fn arrives(&mut self, who: usize) {
        if self.people[who].is_busy {
            return;
        }
        let mode = self.people[who].mode;
        let size = modes()[usize::from(mode.0)].team_size;
        let mut seekers = vec![who];
        if size > 1 && self.rng.random_bool(0.35) {
            for _ in 1..self.rng.random_range(2..=size) {
                let friend = self.rng.random_range(0..self.people.len());
                if !self.people[friend].is_busy && !seekers.contains(&friend) {
                    seekers.push(friend);
                }
            }
        }
        for who in &seekers {
            self.people[*who].is_busy = true;
        }
        for who in seekers.clone() {
            match self.rng.random_range(0..100) {
                0..4 => self.within(0.0, 40.0, Event::Cancel(who)),
                4..8 => {
                    self.within(0.0, 30.0, Event::Lost(who));
                    self.within(30.0, 70.0, Event::Returned(who));
                }
                8..10 => self.within(0.0, 30.0, Event::PartyLeft(who)),
                10..14 => self.within(0.0, 30.0, Event::PartyJoin(who)),
                14..17 => self.within(0.0, 60.0, Event::Again(who)),
                _ => {}
            }
        }
        self.enqueue(seekers, mode);
    }

    fn seeker(&self, who: usize) -> Seeker {
        Seeker {
            player: key(who),
            rating: self.people[who].rating.mean,
        }
    }

    fn enqueue(&mut self, who: Vec<usize>, mode: ModeId) {
        let regions = self.people[who[0]].regions.clone();
        let seekers = who.iter().map(|who| self.seeker(*who)).collect();
        self.asking = who;
        self.tell(Input::Enqueue {
            mode,
            seekers,
            regions,
        });
    }

    fn party_joins(&mut self, who: usize) {
        let newcomer = self.rng.random_range(0..self.people.len());
        if self.people[newcomer].is_busy || self.queue.view(self.now, key(who)).is_none() {
            return;
        }
        self.people[newcomer].is_busy = true;
        self.asking = vec![newcomer];
        self.tell(Input::PartyJoined {
            party: key(who),
            seeker: self.seeker(newcomer),
        });
    }

    fn tell(&mut self, input: Input) {
        self.checker.told(&input);
        self.queue.handle(self.now, input.clone());
        let touched = match &input {
            Input::Enqueue { seekers, .. } => seekers.iter().map(|seeker| seeker.player).collect(),
            Input::PartyJoined { party, seeker } => {
                if self.checker.has_match(*party)
                    && self.queue.view(self.now, seeker.player).is_some()
                {
                    self.checker.joined_beside(*party, *seeker);
                }
                vec![*party, seeker.player]
            }
            Input::Cancel { player }
            | Input::Accept { player, .. }
            | Input::Decline { player, .. }
            | Input::Lost { player }
            | Input::Returned { player }
            | Input::PartyLeft { player }
            | Input::Joined { player, .. }
            | Input::JoinFailed { player, .. } => vec![*player],
            Input::PartyChanged { party, by } => vec![*party, *by],
            Input::RoomFailed { .. } | Input::Close => Vec::new(),
        };
        self.listen(touched);
    }

    /// Everybody does what they do when they are told, and their pages are looked at.
    fn listen(&mut self, mut touched: Vec<PlayerKey>) {
        while let Some(output) = self.queue.poll() {
            for output in self.tampered(output) {
                self.checker.said(self.now, &output);
                if self.plan.is_kept {
                    self.said.push(output.clone());
                }
                self.react(output, &mut touched);
            }
        }
        for player in touched {
            self.checker.page(self.now, &self.queue, player);
        }
    }

    fn tampered(&self, mut output: Output) -> Vec<Output> {
        match (self.plan.bug, &mut output) {
            (Some(Bug::SplitParty), Output::Go { teams, .. }) if teams.len() > 1 => {
                let (one, other) = teams.split_at_mut(1);
                if let ([Team { players: a, .. }], [Team { players: b, .. }, ..]) = (one, other)
                    && let (Some(a), Some(b)) = (a.first_mut(), b.first_mut())
                {
                    std::mem::swap(a, b);
                }
            }
            (Some(Bug::ForgottenTime), Output::Back { waited, .. }) => *waited = Duration::ZERO,
            (Some(Bug::TwoMatches), Output::Offered { offer, .. }) => {
                let first = *offer;
                *offer = OfferId(first.0 + 1_000_000);
                let mut once = output.clone();
                if let Output::Offered { offer, .. } = &mut once {
                    *offer = first;
                }
                return vec![once, output];
            }
            (Some(Bug::NotToldBack), Output::Back { .. })
            | (Some(Bug::NotToldOut), Output::Out { .. }) => return Vec::new(),
            _ => {}
        }
        vec![output]
    }

    fn react(&mut self, output: Output, touched: &mut Vec<PlayerKey>) {
        match output {
            Output::Queued { players, .. } => {
                let rating = self.mean(&players);
                for player in &players {
                    let since = players.iter().filter_map(|player| self.since.get(player));
                    let since = since.map(|(since, _)| *since).min().unwrap_or(self.now);
                    self.since.insert(*player, (since, rating));
                }
                touched.extend(players);
            }
            Output::Refused { why, .. } => {
                self.quality.refused += 1;
                for who in std::mem::take(&mut self.asking) {
                    if self.queue.view(self.now, key(who)).is_none() {
                        self.idle(who);
                        if let Refusal::Cooling(_, until) = why {
                            self.after(until - self.now, Event::Arrive(who));
                        }
                    }
                }
            }
            Output::Offered { offer, players, .. } => {
                self.offered.insert(offer, self.now);
                self.quality.offers += 1;
                players
                    .iter()
                    .for_each(|player| self.answers(at(*player), offer));
                touched.extend(players);
            }
            Output::Go {
                offer, mode, teams, ..
            } => {
                let players = teams.iter().flat_map(|team| team.players.clone());
                let players: Vec<PlayerKey> = players.collect();
                self.goes(offer, mode, &teams);
                touched.extend(players);
            }
            Output::Back { players, .. } => {
                self.quality.back += players.len() as u64;
                let rating = self.mean(&players);
                for player in &players {
                    let since = self.since.get(player).map_or(self.now, |(since, _)| *since);
                    self.since.insert(*player, (since, rating));
                }
                if self.rng.random_bool(0.05) {
                    self.within(0.0, 20.0, Event::Cancel(at(players[0])));
                }
                touched.extend(players);
            }
            Output::Out {
                players, reason, ..
            } => {
                *self.quality.out.entry(reason).or_default() += players.len() as u64;
                players.iter().for_each(|player| self.idle(at(*player)));
                touched.extend(players);
            }
            Output::Ended { players, reason } => {
                self.ends(&players, reason);
                touched.extend(players);
            }
            Output::Told { player } => touched.push(player),
        }
    }

    /// A party's rating.
    fn mean(&self, players: &[PlayerKey]) -> f64 {
        let ratings = players
            .iter()
            .map(|player| self.people[at(*player)].rating.mean);
        ratings.sum::<f64>() / players.len() as f64
    }

    /// What somebody does with an offer: most take it soon.
    fn answers(&mut self, who: usize, offer: OfferId) {
        if self.people[who].is_poison {
            return self.within(0.5, 14.0, Event::Decline(who, offer));
        }
        match self.rng.random_range(0..1000) {
            0..5 => self.within(0.5, 14.0, Event::Decline(who, offer)),
            5..10 => {}
            10..15 => self.within(15.0, 40.0, Event::Accept(who, offer)),
            15..18 => self.within(0.1, 5.0, Event::Cancel(who)),
            18..20 => self.within(0.1, 5.0, Event::PartyLeft(who)),
            20..24 => self.within(0.1, 5.0, Event::PartyJoin(who)),
            24..40 => {
                self.within(0.0, 1.0, Event::Lost(who));
                self.within(1.0, 20.0, Event::Returned(who));
                self.within(1.0, 8.0, Event::Accept(who, offer));
            }
            40..60 => {
                self.within(0.5, 4.0, Event::Accept(who, offer));
                self.within(0.5, 4.0, Event::Accept(who, offer));
            }
            _ => self.within(0.5, 6.0, Event::Accept(who, offer)),
        }
    }

    fn goes(&mut self, offer: OfferId, mode: ModeId, teams: &[Team]) {
        let offered = self.offered.remove(&offer).unwrap_or(self.now);
        let seen = |player: &PlayerKey| {
            let (since, rating) = self.since[player];
            Seen {
                waited: offered - since,
                rating,
            }
        };
        let sides: Vec<Vec<Seen>> = teams
            .iter()
            .map(|team| team.players.iter().map(seen).collect())
            .collect();
        let bots = teams.iter().map(|team| usize::from(team.bots)).sum();
        self.quality.matched(mode, &sides, bots);
        let team = |team: &Team| team.players.iter().copied().map(at).collect();
        let teams: Vec<Vec<usize>> = teams.iter().map(team).collect();
        if self.rng.random_bool(0.005) {
            self.within(0.5, 5.0, Event::RoomFails(offer));
        }
        for who in teams.iter().flatten() {
            match self.rng.random_range(0..1000) {
                0..4 => self.within(0.5, 5.0, Event::JoinFails(*who, offer)),
                4..8 => self.within(31.0, 60.0, Event::Join(*who, offer)),
                8..10 => self.within(0.5, 5.0, Event::Cancel(*who)),
                10..12 => self.within(0.5, 5.0, Event::PartyLeft(*who)),
                12..16 => {
                    self.within(0.5, 5.0, Event::PartyJoin(*who));
                    self.within(0.5, 5.0, Event::Join(*who, offer));
                }
                _ => self.within(0.5, 5.0, Event::Join(*who, offer)),
            }
        }
        let players = teams.iter().flatten();
        self.playing.extend(players.map(|who| (key(*who), offer)));
        self.matches.insert(
            offer,
            Match {
                teams,
                came: Vec::new(),
            },
        );
    }

    fn ends(&mut self, players: &[PlayerKey], reason: EndReason) {
        *self.quality.ended.entry(reason).or_default() += players.len() as u64;
        for player in players {
            if reason != EndReason::Playing {
                self.idle(at(*player));
                continue;
            }
            self.since.remove(player);
            let offer = self.playing.remove(player);
            let match_ = offer.and_then(|offer| Some((offer, self.matches.get_mut(&offer)?)));
            let Some((offer, match_)) = match_ else {
                continue;
            };
            match_.came.push(at(*player));
            if match_.came.len() == 1 {
                self.within(90.0, 150.0, Event::Over(offer));
            }
        }
    }

    fn over(&mut self, offer: OfferId) {
        let Some(Match { mut teams, came }) = self.matches.remove(&offer) else {
            return;
        };
        for team in &mut teams {
            team.retain(|who| came.contains(who));
        }
        teams.retain(|team| !team.is_empty());
        played(&mut self.people, &teams, &mut self.rng);
        came.into_iter().for_each(|who| self.idle(who));
    }

    /// They come again later.
    fn idle(&mut self, who: usize) {
        self.since.remove(&key(who));
        self.people[who].is_busy = false;
        self.within(2.0, 40.0, Event::Arrive(who));
    }
}

//! What must hold after each thing that happens, by what the queue was told and what it said: a
//! second account of everybody's state, kept without looking inside.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use crate::queue::{
    AtTheEnd, EndReason, EntryId, Input, Mode, ModeId, OfferId, OutReason, Output, PlayerKey,
    Queue, RegionId, Seeker, Team, Timing, View,
};

/// What does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Violation {
    pub(super) rule: &'static str,
    pub(super) seen: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.seen)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Waiting,
    Offered(OfferId),
    Going(OfferId),
}

/// An entry as the pages of its players know it.
struct Party {
    mode: ModeId,
    regions: Vec<RegionId>,
    members: BTreeMap<PlayerKey, f64>,
    /// Who joined while it had a match.
    beside: BTreeMap<PlayerKey, f64>,
    since: Duration,
    at: At,
}

impl Party {
    fn rating(&self) -> f64 {
        self.members.values().sum::<f64>() / self.members.len() as f64
    }
}

#[derive(Default)]
struct Known {
    accepted: BTreeSet<PlayerKey>,
    there: BTreeSet<PlayerKey>,
    until: Duration,
}

pub(super) struct Checker {
    modes: Vec<Mode>,
    timing: Timing,
    parties: BTreeMap<EntryId, Party>,
    of: BTreeMap<PlayerKey, EntryId>,
    offers: BTreeMap<OfferId, Known>,
    lost: BTreeSet<PlayerKey>,
    /// Who spoilt a match, and before when they must not be asked again.
    cooling: BTreeMap<PlayerKey, Duration>,
    waiting: BTreeSet<(Duration, EntryId)>,
    asked: Option<Input>,
    steps: u64,
    pub(super) violation: Option<Violation>,
}

/// Steps from one look at everybody to the next.
const LOOK_EVERY: u64 = 40;

/// Thousandths are rounded, of a rating and of a window.
const ROUNDED: f64 = 0.002;

impl Checker {
    pub(super) fn new(modes: Vec<Mode>, timing: Timing) -> Checker {
        Checker {
            modes,
            timing,
            parties: BTreeMap::new(),
            of: BTreeMap::new(),
            offers: BTreeMap::new(),
            lost: BTreeSet::new(),
            cooling: BTreeMap::new(),
            waiting: BTreeSet::new(),
            asked: None,
            steps: 0,
            violation: None,
        }
    }

    fn hold(&mut self, holds: bool, rule: &'static str, seen: impl FnOnce() -> String) {
        if !holds && self.violation.is_none() {
            let seen = seen();
            self.violation = Some(Violation { rule, seen });
        }
    }

    fn mode(&self, mode: ModeId) -> &Mode {
        &self.modes[usize::from(mode.0)]
    }

    /// What the queue is about to be told.
    pub(super) fn told(&mut self, input: &Input) {
        match input {
            Input::Lost { player } => _ = self.lost.insert(*player),
            Input::Returned { player } => _ = self.lost.remove(player),
            Input::Accept { player, offer } if self.has(*player, At::Offered(*offer)) => {
                self.known(*offer).accepted.insert(*player);
            }
            Input::Joined { player, offer } if self.has(*player, At::Going(*offer)) => {
                self.known(*offer).there.insert(*player);
            }
            _ => {}
        }
        self.asked = Some(input.clone());
    }

    fn known(&mut self, offer: OfferId) -> &mut Known {
        self.offers.entry(offer).or_default()
    }

    fn has(&self, player: PlayerKey, at: At) -> bool {
        let party = self.of.get(&player).and_then(|id| self.parties.get(id));
        party.is_some_and(|party| party.at == at && party.members.contains_key(&player))
    }

    /// What it said.
    pub(super) fn said(&mut self, now: Duration, output: &Output) {
        match output {
            Output::Queued { entry, players } => self.queued(now, *entry, players),
            Output::Refused { .. } | Output::Told { .. } => {}
            Output::Offered {
                offer,
                mode,
                region,
                players,
                until,
            } => {
                self.hold(
                    *until == now + self.timing.accept,
                    "a time to accept",
                    || format!("{output:?}"),
                );
                self.known(*offer).until = *until;
                self.offered(now, *offer, *mode, *region, players);
            }
            Output::Go {
                offer,
                mode,
                teams,
                until,
                ..
            } => {
                self.known(*offer).until = *until;
                self.goes(*offer, *mode, teams);
            }
            Output::Back { players, waited } => self.back(now, players, *waited),
            Output::Out {
                players,
                by,
                reason,
            } => self.out(now, players, *by, *reason),
            Output::Ended { players, reason } => self.ended(now, players, *reason),
        }
    }

    fn queued(&mut self, now: Duration, id: EntryId, players: &[PlayerKey]) {
        match (&self.asked, self.parties.get_mut(&id)) {
            (Some(Input::PartyJoined { seeker, .. }), Some(party)) => {
                self.lost.remove(&seeker.player);
                party.members.insert(seeker.player, seeker.rating);
                self.of.insert(seeker.player, id);
            }
            (Some(Input::PartyLeft { .. }), Some(_)) => {}
            (
                Some(Input::Enqueue {
                    mode,
                    seekers,
                    regions,
                }),
                None,
            ) => {
                let member = |seeker: &Seeker| (seeker.player, seeker.rating);
                let party = Party {
                    mode: *mode,
                    regions: regions.clone(),
                    members: seekers.iter().map(member).collect(),
                    beside: BTreeMap::new(),
                    since: now,
                    at: At::Waiting,
                };
                let two = seekers.iter().any(|one| self.of.contains_key(&one.player));
                // Who asks is there.
                seekers
                    .iter()
                    .for_each(|one| _ = self.lost.remove(&one.player));
                self.waiting.insert((now + self.mode(*mode).wait, id));
                self.of.extend(seekers.iter().map(|one| (one.player, id)));
                self.parties.insert(id, party);
                self.hold(!two, "nobody waits twice", || format!("{players:?}"));
            }
            (asked, _) => {
                let seen = format!("{id:?} after {asked:?}");
                self.hold(false, "who waits has asked for it", || seen);
            }
        }
        self.same(id, players, "a party is all of its members");
    }

    fn same(&mut self, id: EntryId, players: &[PlayerKey], rule: &'static str) {
        let told: BTreeSet<PlayerKey> = players.iter().copied().collect();
        let party = self.parties.get(&id);
        let is_same = party.is_some_and(|party| told.iter().eq(party.members.keys()));
        let is_once = told.len() == players.len();
        self.hold(is_same && is_once, rule, || format!("{id:?}, {players:?}"));
    }

    /// The entries of these players, which must be all of each of them.
    fn whole(&mut self, players: &[PlayerKey]) -> Vec<EntryId> {
        let ids: BTreeSet<EntryId> = players
            .iter()
            .filter_map(|at| self.of.get(at).copied())
            .collect();
        for id in &ids {
            let party = &self.parties[id];
            let told = players
                .iter()
                .filter(|player| party.members.contains_key(player));
            let is_whole = told.count() == party.members.len();
            self.hold(is_whole, "parties are not split", || {
                format!("{id:?}, {players:?}")
            });
        }
        let count: usize = ids.iter().map(|id| self.parties[id].members.len()).sum();
        self.hold(count == players.len(), "who is told is known", || {
            format!("{players:?}")
        });
        ids.into_iter().collect()
    }

    fn offered(
        &mut self,
        now: Duration,
        offer: OfferId,
        mode: ModeId,
        region: RegionId,
        players: &[PlayerKey],
    ) {
        let ids = self.whole(players);
        for id in &ids {
            let party = &self.parties[id];
            let (at, wants) = (
                party.at,
                party.mode == mode && party.regions.contains(&region),
            );
            let away = party
                .members
                .keys()
                .any(|member| self.lost.contains(member));
            let cooling = party
                .members
                .keys()
                .filter_map(|member| self.cooling.get(member));
            let is_cool = cooling.clone().all(|until| *until <= now);
            self.hold(at == At::Waiting, "nobody is in two matches", || {
                format!("{id:?} {at:?}")
            });
            self.hold(wants, "a match is what all want", || {
                format!("{id:?} {mode:?} {region:?}")
            });
            self.hold(!away, "nobody is matched who is away", || format!("{id:?}"));
            self.hold(is_cool, "who spoilt a match is not in the next", || {
                format!("{id:?}")
            });
        }
        self.near(now, mode, &ids);
        for id in ids {
            if let Some(party) = self.parties.get_mut(&id) {
                let over = party.since + self.modes[usize::from(party.mode.0)].wait;
                party.at = At::Offered(offer);
                self.waiting.remove(&(over, id));
            }
        }
    }

    /// All lie within the narrowest window, or around one whose time is over: then in the windows
    /// of the others.
    fn near(&mut self, now: Duration, mode: ModeId, ids: &[EntryId]) {
        let rules = self.mode(mode).clone();
        let places: Vec<(f64, f64, bool)> = ids
            .iter()
            .map(|id| {
                let party = &self.parties[id];
                let waited = now - party.since;
                let window = &rules.window;
                let wide = window.start + window.per_second * waited.as_secs_f64();
                (party.rating(), wide.min(window.max), waited >= rules.wait)
            })
            .collect();
        let around = |(rating, wide, is_over): &(f64, f64, bool)| {
            places.iter().all(|(other, their, _)| {
                let apart = (rating - other).abs() - ROUNDED;
                let is_narrow = *wide <= their + ROUNDED;
                apart <= *their && (*is_over || (apart <= *wide && is_narrow))
            })
        };
        let is_near = places.iter().any(around);
        self.hold(is_near, "a match is in a window", || format!("{places:?}"));
    }

    fn goes(&mut self, offer: OfferId, mode: ModeId, teams: &[Team]) {
        let players: Vec<PlayerKey> = teams.iter().flat_map(|team| team.players.clone()).collect();
        let ids = self.whole(&players);
        let accepted = std::mem::take(&mut self.known(offer).accepted);
        let all = players.iter().all(|player| accepted.contains(player));
        self.hold(all, "all have accepted", || format!("{offer:?}"));
        for id in ids {
            let Some(party) = self.parties.get_mut(&id) else {
                continue;
            };
            let was = std::mem::replace(&mut party.at, At::Going(offer));
            let split = teams.iter().filter(|team| {
                team.players
                    .iter()
                    .any(|player| party.members.contains_key(player))
            });
            let split = split.count() > 1;
            self.hold(!split, "parties are not split", || {
                format!("{id:?} in {teams:?}")
            });
            self.hold(was == At::Offered(offer), "what goes was offered", || {
                format!("{id:?}")
            });
        }
        let rules = self.mode(mode);
        let sizes: Vec<usize> = teams
            .iter()
            .map(|team| team.players.len() + usize::from(team.bots))
            .collect();
        let full = usize::from(rules.team_size);
        let is_whole = sizes.len() == usize::from(rules.teams) && sizes.iter().all(|n| *n == full);
        let is_short = match rules.at_the_end {
            AtTheEnd::Short { least } => {
                let is_even = sizes.iter().all(|size| *size == sizes[0] && *size <= full);
                let is_sized = rules.team_size == 1 || sizes.len() == usize::from(rules.teams);
                is_even && is_sized && players.len() >= usize::from(least)
            }
            AtTheEnd::Bots | AtTheEnd::End => false,
        };
        let bots = teams.iter().any(|team| team.bots > 0);
        let may_bots = !bots || rules.at_the_end == AtTheEnd::Bots;
        let holds = may_bots && (is_whole || is_short);
        self.hold(holds, "teams are as large as they should be", || {
            format!("{teams:?}")
        });
    }

    fn back(&mut self, now: Duration, players: &[PlayerKey], waited: Duration) {
        let id = players
            .first()
            .and_then(|player| self.of.get(player).copied());
        let Some((id, party)) = id.and_then(|id| Some((id, self.parties.get_mut(&id)?))) else {
            return self.hold(false, "who goes back was there", || format!("{players:?}"));
        };
        let was = std::mem::replace(&mut party.at, At::Waiting);
        let beside = std::mem::take(&mut party.beside);
        party.members.extend(beside);
        let since = party.since;
        let over = since + self.modes[usize::from(party.mode.0)].wait;
        self.waiting.insert((over, id));
        self.same(id, players, "a party goes back whole");
        self.hold(was != At::Waiting, "who goes back had a match", || {
            format!("{id:?}")
        });
        let is_kept = waited == now - since;
        self.hold(is_kept, "the time that was waited is kept", || {
            format!("{id:?} is said to have waited {waited:?}, since {since:?} at {now:?}")
        });
    }

    fn out(&mut self, now: Duration, players: &[PlayerKey], by: PlayerKey, reason: OutReason) {
        let id = players
            .first()
            .and_then(|player| self.of.get(player).copied());
        let Some(party) = id.and_then(|id| self.parties.get(&id)) else {
            return self.hold(false, "who is out was in", || format!("{players:?}"));
        };
        let (at, is_member) = (party.at, party.members.contains_key(&by));
        let spoils = match reason {
            OutReason::Lost => false,
            OutReason::Cancelled => at != At::Waiting && is_member,
            // On the way the match is not theirs to spoil by that.
            OutReason::LeftParty | OutReason::PartyChanged => {
                matches!(at, At::Offered(_)) && is_member
            }
            _ => true,
        };
        if spoils {
            self.cooling.insert(by, now + self.timing.cooling);
        }
        let everyone = party.members.len() + party.beside.len();
        let is_whole = players.len() == everyone || players == [by];
        self.hold(
            is_whole && players.contains(&by),
            "out is one, or a party",
            || format!("{players:?} by {by:?}: {reason:?}"),
        );
        self.remove(players);
    }

    fn ended(&mut self, now: Duration, players: &[PlayerKey], reason: EndReason) {
        let id = players
            .first()
            .and_then(|player| self.of.get(player).copied());
        let Some(party) = id.and_then(|id| self.parties.get(&id)) else {
            return self.hold(false, "who ends was in", || format!("{players:?}"));
        };
        let rules = self.mode(party.mode);
        let holds = match (reason, party.at) {
            (EndReason::Playing, At::Going(offer)) => {
                let there = self.offers.get(&offer).map(|known| &known.there);
                there.is_some_and(|there| players.iter().all(|player| there.contains(player)))
            }
            (EndReason::PartyPlays, At::Going(_)) => players
                .iter()
                .all(|player| party.beside.contains_key(player)),
            (EndReason::TooFew, At::Waiting) => {
                let is_held = party
                    .members
                    .keys()
                    .any(|member| self.lost.contains(member));
                let has_bots = rules.at_the_end == AtTheEnd::Bots;
                now >= party.since + rules.wait && (!has_bots || is_held)
            }
            (EndReason::NoRoom, At::Waiting) => now >= party.since + rules.wait,
            _ => false,
        };
        self.hold(holds, "an end has its reason", || {
            format!("{players:?}: {reason:?}")
        });
        self.remove(players);
    }

    fn remove(&mut self, players: &[PlayerKey]) {
        for player in players {
            let Some(id) = self.of.remove(player) else {
                continue;
            };
            if let Some(party) = self.parties.get_mut(&id) {
                party.members.remove(player);
                party.beside.remove(player);
                if party.members.is_empty() && party.beside.is_empty() {
                    let over = party.since + self.modes[usize::from(party.mode.0)].wait;
                    self.waiting.remove(&(over, id));
                    self.parties.remove(&id);
                }
            }
        }
    }

    /// Somebody joined a party that has a match.
    pub(super) fn joined_beside(&mut self, party: PlayerKey, seeker: Seeker) {
        let id = self.of.get(&party).copied();
        if let Some((id, party)) = id.and_then(|id| Some((id, self.parties.get_mut(&id)?))) {
            self.lost.remove(&seeker.player);
            party.beside.insert(seeker.player, seeker.rating);
            self.of.insert(seeker.player, id);
        }
    }

    pub(super) fn is_lost(&self, player: PlayerKey) -> bool {
        self.lost.contains(&player)
    }

    /// Whether this one's party has a match now.
    pub(super) fn has_match(&self, player: PlayerKey) -> bool {
        let party = self.of.get(&player).and_then(|id| self.parties.get(id));
        party.is_some_and(|party| party.at != At::Waiting)
    }

    /// What a page is shown is what it was told.
    pub(super) fn page(&mut self, now: Duration, queue: &Queue, player: PlayerKey) {
        let view = queue.view(now, player);
        let party = self.of.get(&player).and_then(|id| self.parties.get(id));
        let holds = match (party, view) {
            (None, None) => true,
            (Some(party), Some(View::Beside)) => party.beside.contains_key(&player),
            (Some(party), Some(View::Waiting { waited, .. })) => {
                party.at == At::Waiting && waited == now - party.since
            }
            (
                Some(party),
                Some(View::Offered {
                    offer,
                    until,
                    is_accepted,
                    ..
                }),
            ) => {
                let known = self.offers.get(&offer);
                party.at == At::Offered(offer)
                    && known.is_some_and(|known| {
                        known.until == until && known.accepted.contains(&player) == is_accepted
                    })
            }
            (
                Some(party),
                Some(View::Going {
                    offer,
                    until,
                    is_there,
                }),
            ) => {
                let known = self.offers.get(&offer);
                party.at == At::Going(offer)
                    && known.is_some_and(|known| {
                        known.until == until && known.there.contains(&player) == is_there
                    })
            }
            _ => false,
        };
        let at = party.map(|party| party.at);
        self.hold(holds, "page and server agree", || {
            format!("{player:?} {view:?}, not {at:?}")
        });
    }

    /// After a step nobody waits whose time is over.
    pub(super) fn stepped(&mut self, now: Duration, queue: &Queue) {
        let first = self.waiting.first().copied();
        let is_early = first.is_none_or(|(over, _)| over > now);
        self.hold(is_early, "nobody waits beyond the bound", || {
            format!("{first:?} at {now:?}")
        });
        let players = self.of.len();
        self.hold(players == queue.players(), "nobody is lost", || {
            format!("{players} are in, {} in the queue", queue.players())
        });
        self.steps += 1;
        if !self.steps.is_multiple_of(LOOK_EVERY) {
            return;
        }
        // Three matches that come to nothing are the most that may follow.
        let after = 3 * (self.timing.accept + self.timing.join);
        let longest = self.parties.iter().find(|(_, party)| {
            let over = party.since + self.modes[usize::from(party.mode.0)].wait;
            now > over + after
        });
        let longest = longest.map(|(id, _)| *id);
        self.hold(longest.is_none(), "everybody comes to an end", || {
            format!("{longest:?}")
        });
    }
}

//! A queue at which tests stand: four modes, one clock, and what it said last.

use std::time::Duration;

use crate::queue::{
    AtTheEnd, EntryId, Input, Missing, Mode, ModeId, OfferId, Output, PlayerKey, Queue, RegionId,
    Seeker, Team, Timing, View, Window,
};

/// One against one; bots at the end.
pub(super) const DUEL: ModeId = ModeId(0);
/// Two against two; smaller teams at the end.
pub(super) const PAIRS: ModeId = ModeId(1);
/// Each of eight alone; played on by three of them.
pub(super) const CROWD: ModeId = ModeId(2);
/// Five against five, or nothing.
pub(super) const FIVES: ModeId = ModeId(3);
/// For teams of three, with bots.
pub(super) const THREES: ModeId = ModeId(4);

/// Where everybody is who is not said to be elsewhere.
pub(super) const HERE: RegionId = RegionId(0);
pub(super) const THERE: RegionId = RegionId(1);

pub(super) fn modes() -> Vec<Mode> {
    let mode = |teams, team_size, at_the_end, missing| Mode {
        teams,
        team_size,
        window: Window {
            start: 2.0,
            per_second: 0.5,
            max: 12.0,
        },
        wait: Duration::from_secs(60),
        at_the_end,
        missing,
    };
    vec![
        mode(2, 1, AtTheEnd::Bots, Missing::CallOff),
        mode(2, 2, AtTheEnd::Short { least: 2 }, Missing::CallOff),
        mode(
            8,
            1,
            AtTheEnd::Short { least: 3 },
            Missing::PlayOn { least: 3 },
        ),
        mode(2, 5, AtTheEnd::End, Missing::CallOff),
        mode(2, 3, AtTheEnd::Bots, Missing::CallOff),
    ]
}

pub(super) fn secs(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

pub(super) fn keys(players: &[u64]) -> Vec<PlayerKey> {
    players.iter().copied().map(PlayerKey).collect()
}

pub(super) struct Desk {
    pub(super) queue: Queue,
    pub(super) now: Duration,
}

impl Desk {
    pub(super) fn new() -> Desk {
        Desk {
            queue: Queue::new(modes(), Timing::default(), 1).expect("modes that can be played"),
            now: secs(1000.0),
        }
    }

    /// Tells it something; what it says.
    pub(super) fn tell(&mut self, input: Input) -> Vec<Output> {
        self.queue.handle(self.now, input);
        self.said()
    }

    /// Lets so many seconds pass, and wakes it only when it asks for that.
    pub(super) fn wait(&mut self, seconds: f64) -> Vec<Output> {
        let (end, mut said) = (self.now + secs(seconds), Vec::new());
        while let Some(at) = self.queue.wakes_at().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.queue.step(self.now);
            said.extend(self.said());
        }
        self.now = end;
        said
    }

    fn said(&mut self) -> Vec<Output> {
        std::iter::from_fn(|| self.queue.poll()).collect()
    }

    /// A party queues, of players with their ratings.
    pub(super) fn queue(&mut self, mode: ModeId, who: &[(u64, f64)]) -> Vec<Output> {
        self.queue_in(mode, who, &[HERE])
    }

    pub(super) fn queue_in(
        &mut self,
        mode: ModeId,
        who: &[(u64, f64)],
        regions: &[RegionId],
    ) -> Vec<Output> {
        let seekers = who.iter().map(|(player, rating)| seeker(*player, *rating));
        self.tell(Input::Enqueue {
            mode,
            seekers: seekers.collect(),
            regions: regions.to_vec(),
        })
    }

    /// Players of one rating queue, each alone, and are offered a match at once.
    pub(super) fn offered(&mut self, mode: ModeId, players: &[u64]) -> OfferId {
        for player in players {
            self.queue(mode, &[(*player, 25.0)]);
        }
        only_offer(&self.wait(0.0)).0
    }

    /// The same, and all accept.
    pub(super) fn going(&mut self, mode: ModeId, players: &[u64]) -> OfferId {
        let offer = self.offered(mode, players);
        let mut said = Vec::new();
        for player in players {
            said = self.accept(*player, offer);
        }
        assert!(matches!(said[..], [Output::Go { .. }]), "{said:?}");
        offer
    }

    pub(super) fn accept(&mut self, player: u64, offer: OfferId) -> Vec<Output> {
        let player = PlayerKey(player);
        self.tell(Input::Accept { player, offer })
    }

    pub(super) fn decline(&mut self, player: u64, offer: OfferId) -> Vec<Output> {
        let player = PlayerKey(player);
        self.tell(Input::Decline { player, offer })
    }

    pub(super) fn join(&mut self, player: u64, offer: OfferId) -> Vec<Output> {
        let player = PlayerKey(player);
        self.tell(Input::Joined { player, offer })
    }

    pub(super) fn view(&self, player: u64) -> Option<View> {
        self.queue.view(self.now, PlayerKey(player))
    }

    /// For how long one has waited; they must wait.
    pub(super) fn waited(&self, player: u64) -> f64 {
        match self.view(player) {
            Some(View::Waiting { waited, .. }) => waited.as_secs_f64(),
            other => panic!("{player} does not wait: {other:?}"),
        }
    }
}

pub(super) fn seeker(player: u64, rating: f64) -> Seeker {
    Seeker {
        player: PlayerKey(player),
        rating,
    }
}

/// The one match that is offered, where, and who is asked, by rising number.
pub(super) fn only_offer(said: &[Output]) -> (OfferId, RegionId, Vec<u64>) {
    let mut offers = said.iter().filter_map(|output| match output {
        Output::Offered {
            offer,
            region,
            players,
            ..
        } => {
            let mut players: Vec<u64> = players.iter().map(|player| player.0).collect();
            players.sort_unstable();
            Some((*offer, *region, players))
        }
        _ => None,
    });
    match (offers.next(), offers.next()) {
        (Some(offer), None) => offer,
        _ => panic!("not one offer: {said:?}"),
    }
}

/// The teams of the match that goes, each by rising number, the one with the lowest first.
pub(super) fn teams(said: &[Output]) -> Vec<(Vec<u64>, u8)> {
    let go = said.iter().find_map(|output| match output {
        Output::Go { teams, .. } => Some(teams),
        _ => None,
    });
    let team = |team: &Team| {
        let mut players: Vec<u64> = team.players.iter().map(|player| player.0).collect();
        players.sort_unstable();
        (players, team.bots)
    };
    let teams = go.unwrap_or_else(|| panic!("none goes: {said:?}"));
    let mut teams: Vec<_> = teams.iter().map(team).collect();
    teams.sort_unstable();
    teams
}

pub(super) fn queued(entry: u64, players: &[u64]) -> Output {
    Output::Queued {
        entry: EntryId(entry),
        players: keys(players),
    }
}

pub(super) fn back(players: &[u64], waited: f64) -> Output {
    Output::Back {
        players: keys(players),
        waited: secs(waited),
    }
}

pub(super) fn told(player: u64) -> Output {
    Output::Told {
        player: PlayerKey(player),
    }
}

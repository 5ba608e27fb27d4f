//! Rounds: warm-up, then a countdown once the players are ready, then play for a time or until
//! somebody has enough points, then results, and again.
//!
//! "Ready" is what members said last; the room's roster has it. It stays, so a room of ready
//! players plays round after round. Who plays alone is ready alone.

use bevy_ecs::prelude::*;
use bevy_ecs::query::QueryData;
use serde::{Deserialize, Serialize};
use tickwire::ids::PlayerId;
use tickwire_server::game::{Out, Owner, Roster, RoundResult, Standing, Tick, To, places};

use crate::components::{Health, Score, Serial};
use crate::events::{PhaseChange, Won};
use crate::options::Poster;
use crate::phase::Phase;
use crate::respawn::Fallen;
use crate::score::leader;
use crate::tuning::{COUNTDOWN, PLAY, POINTS_TO_WIN, READY_WAIT, REGROUP, RESULTS, ticks};

/// Where the round stands; everyone sees it.
#[derive(Resource, Default, Serialize, Deserialize)]
pub(super) struct Round {
    /// Index of [`Phase::NAMES`].
    pub(super) phase: u8,
    /// Tick at which the phase ends by itself, 0 for never.
    pub(super) ends: u32,
    /// Rounds begun in this room.
    pub(super) number: u16,
    /// Who won the last round.
    pub(super) winner: Option<Entity>,
    /// Who left while it was played, and with how many points.
    left: Vec<(PlayerId, u16)>,
}

/// Those who left that a round remembers. Beyond: who leaves later is not in the result.
const LEFT_MAX: usize = 64;

impl Round {
    pub(super) fn phase(&self) -> Phase {
        Phase::from_index(self.phase)
    }

    /// Somebody leaves, with so many points.
    pub(super) fn left(&mut self, player: PlayerId, points: u16) {
        if self.phase() == Phase::Play && self.left.len() < LEFT_MAX {
            self.left.push((player, points));
        }
    }

    /// How it ended, with those who are here and those who left: by points, and who has as many
    /// shares a place.
    fn result(&self, here: impl Iterator<Item = (PlayerId, u16)>) -> RoundResult {
        let here = here.map(|(player, points)| (player, points, false));
        let left = self
            .left
            .iter()
            .map(|(player, points)| (*player, *points, true));
        let all: Vec<(PlayerId, u16, bool)> = here.chain(left).collect();
        let scores: Vec<i64> = all
            .iter()
            .map(|(_, points, _)| i64::from(*points))
            .collect();
        let standings = all.iter().zip(places(&scores));
        let standings = standings.map(|((player, points, left), place)| Standing {
            player: *player,
            team: u32::from(player.0),
            place,
            score: i64::from(*points),
            left: *left,
        });
        RoundResult {
            round: u32::from(self.number),
            season: String::new(),
            standings: standings.collect(),
        }
    }
}

/// A player as far as rounds are concerned.
#[derive(QueryData)]
#[query_data(mutable)]
pub(super) struct Contender {
    player: Entity,
    serial: &'static Serial,
    owner: &'static Owner,
    score: &'static mut Score,
    health: &'static mut Health,
}

/// Goes to the next phase when its time has come.
pub(super) fn advance_round(
    tick: Res<Tick>,
    roster: Res<Roster>,
    mut round: ResMut<Round>,
    mut poster: ResMut<Poster>,
    mut out: ResMut<Out>,
    mut fallen: ResMut<Fallen>,
    mut players: Query<Contender>,
) {
    let over = round.ends != 0 && tick.number >= round.ends;
    let call = Call::of(&roster);
    let next = match round.phase() {
        Phase::Lobby if call.is_enough() => Phase::Ready,
        Phase::Ready | Phase::Countdown if !call.is_enough() => Phase::Lobby,
        Phase::Ready if over || call.is_unanimous() => Phase::Countdown,
        Phase::Countdown if over => Phase::Play,
        Phase::Play if call.is_nobody() => Phase::Lobby,
        Phase::Play if over || is_won(&players) => Phase::Results,
        Phase::Results if over => Phase::Lobby,
        _ => return,
    };
    round.phase = next.index();
    poster.phase = next.index();
    let seconds = match next {
        Phase::Lobby => 0.0,
        Phase::Ready => READY_WAIT,
        Phase::Countdown => COUNTDOWN,
        Phase::Play => PLAY,
        Phase::Results => RESULTS,
    };
    round.ends = if next == Phase::Lobby {
        0
    } else {
        tick.number + ticks(seconds, &tick)
    };
    match next {
        Phase::Countdown => regroup(&tick, &mut players, &mut fallen),
        Phase::Play => {
            round.number = round.number.saturating_add(1);
            round.winner = None;
            round.left.clear();
            for mut standing in &mut players {
                *standing.score = Score::default();
            }
        }
        Phase::Results => {
            let standings = players.iter().map(|at| (at.player, at.serial, at.score));
            let leader = leader(standings);
            round.winner = leader.map(|(player, _)| player);
            let here = players.iter().map(|at| (at.owner.0, at.score.points));
            out.result(round.result(here));
            if let Some((player, points)) = leader {
                let owner = players.get(player).map(|standing| standing.owner.0);
                let mut members = roster.members.iter();
                let winner = members.find(|member| owner == Ok(member.player));
                let won = Won {
                    round: round.number,
                    name: winner.map_or_else(String::new, |member| member.name.clone()),
                    points,
                };
                out.send(To::All, won);
            }
        }
        Phase::Lobby | Phase::Ready => {}
    }
    out.send(
        To::All,
        PhaseChange {
            phase: round.phase,
            winner: round.winner,
        },
    );
}

/// Takes everyone off the field; they return, fresh, at places far from each other.
///
/// As a fall rather than a jump, because that is how clients know not to draw a streak across
/// the arena.
fn regroup(tick: &Tick, players: &mut Query<Contender>, fallen: &mut Fallen) {
    for mut standing in players {
        standing.health.hp = 0;
        fallen.add(standing.player, tick.number + ticks(REGROUP, tick));
    }
}

fn is_won(players: &Query<Contender>) -> bool {
    players
        .iter()
        .any(|standing| standing.score.points >= POINTS_TO_WIN)
}

/// How the members answered whether they are ready.
struct Call {
    connected: usize,
    ready: usize,
}

impl Call {
    fn of(roster: &Roster) -> Call {
        let here = || roster.members.iter().filter(|member| member.connected);
        Call {
            connected: here().count(),
            ready: here().filter(|member| member.ready).count(),
        }
    }

    fn is_nobody(&self) -> bool {
        self.connected == 0
    }

    /// Half of those who are here.
    fn is_enough(&self) -> bool {
        self.ready > 0 && self.ready * 2 >= self.connected
    }

    fn is_unanimous(&self) -> bool {
        self.ready == self.connected
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::Control;
    use crate::events::Shot;
    use crate::scene::Scene;

    fn phase(scene: &Scene) -> Phase {
        scene.world.resource::<Round>().phase()
    }

    /// Ticks until the phase changes, at most 10,000.
    fn wait(scene: &mut Scene) -> u32 {
        let before = phase(scene);
        for n in 1..10_000 {
            scene.tick();
            if phase(scene) != before {
                return n;
            }
        }
        panic!("{before:?} does not end");
    }

    #[test]
    fn a_full_round_plays_through() {
        let mut scene = Scene::new(5, 3);
        let (a, b) = (scene.join(0), scene.join(1));
        for _ in 0..100 {
            scene.tick();
        }
        assert_eq!(phase(&scene), Phase::Lobby);
        scene.ready(0, true);
        assert_eq!(wait(&mut scene), 1);
        assert_eq!(phase(&scene), Phase::Ready);
        scene.ready(1, true);
        assert_eq!(wait(&mut scene), 1);
        assert_eq!(phase(&scene), Phase::Countdown);
        assert_eq!(scene.of::<Health>(a).hp, 0);
        scene.world.get_mut::<Score>(b).expect("a player").points = 99;
        assert_eq!(wait(&mut scene), 120);
        assert_eq!(phase(&scene), Phase::Play);
        let told = scene.world.resource::<Poster>().phase;
        assert_eq!(Phase::from_index(told), Phase::Play, "lists tell so");
        assert_eq!(scene.of::<Health>(a).hp, 100);
        assert_eq!(scene.of::<Score>(b).points, 0);
        scene.world.get_mut::<Score>(b).expect("a player").points = 7;
        assert_eq!(wait(&mut scene), 3600);
        assert_eq!(phase(&scene), Phase::Results);
        assert_eq!(scene.world.resource::<Round>().winner, Some(b));
        let result = scene.world.resource::<Out>().reported().cloned();
        let result = result.expect("a round that ends has a result");
        let came = |at: &Standing| (at.player.0, at.place, at.score, at.left);
        let mut came: Vec<_> = result.standings.iter().map(came).collect();
        came.sort_unstable();
        assert_eq!(
            (result.round, came),
            (1, vec![(0, 2, 0, false), (1, 1, 7, false)])
        );
        assert_eq!(wait(&mut scene), 240);
        assert_eq!(phase(&scene), Phase::Lobby);
        assert_eq!(scene.world.resource::<Round>().number, 1);
        assert_eq!(wait(&mut scene), 1);
        assert_eq!(phase(&scene), Phase::Ready, "they are still ready");
    }

    #[test]
    fn who_left_is_in_the_result() {
        let mut scene = Scene::new(5, 0);
        let entities = [0, 1, 2].map(|player| scene.join(player));
        (0..3).for_each(|player| scene.ready(player, true));
        while phase(&scene) != Phase::Play {
            wait(&mut scene);
        }
        for (entity, points) in entities.into_iter().zip([4, 4, 9]) {
            scene
                .world
                .get_mut::<Score>(entity)
                .expect("a player")
                .points = points;
        }
        scene.leave(2, entities[2]);
        wait(&mut scene);
        assert_eq!(phase(&scene), Phase::Results);
        let result = scene.world.resource::<Out>().reported().cloned();
        let came = |at: &Standing| (at.player.0, at.place, at.left);
        let mut came: Vec<_> = result
            .expect("a result")
            .standings
            .iter()
            .map(came)
            .collect();
        came.sort_unstable();
        assert_eq!(came, [(0, 2, false), (1, 2, false), (2, 1, true)]);
    }

    #[test]
    fn half_the_players_can_start_after_a_while() {
        let mut scene = Scene::new(5, 0);
        for n in 0..4 {
            scene.join(n);
        }
        scene.ready(0, true);
        scene.tick();
        assert_eq!(phase(&scene), Phase::Lobby);
        scene.ready(3, true);
        scene.tick();
        assert_eq!(phase(&scene), Phase::Ready);
        assert_eq!(wait(&mut scene), 600);
        assert_eq!(phase(&scene), Phase::Countdown);
    }

    #[test]
    fn a_countdown_stops_when_players_change_their_minds() {
        let mut scene = Scene::new(5, 0);
        scene.join(0);
        scene.ready(0, true);
        scene.tick();
        scene.tick();
        assert_eq!(phase(&scene), Phase::Countdown);
        scene.ready(0, false);
        scene.tick();
        assert_eq!(phase(&scene), Phase::Lobby);
    }

    #[test]
    fn enough_points_end_a_round() {
        let mut scene = Scene::new(5, 0);
        let player = scene.join(0);
        scene.ready(0, true);
        while phase(&scene) != Phase::Play {
            wait(&mut scene);
        }
        scene
            .world
            .get_mut::<Score>(player)
            .expect("a player")
            .points = POINTS_TO_WIN;
        assert_eq!(wait(&mut scene), 1);
        assert_eq!(phase(&scene), Phase::Results);
        assert_eq!(scene.world.resource::<Round>().winner, Some(player));
    }

    #[test]
    fn guns_are_silent_in_countdown_and_results_only() {
        let mut scene = Scene::new(5, 0);
        let player = scene.join(0);
        scene.hold(
            player,
            Control {
                fire: true,
                ..Control::default()
            },
        );
        scene.tick();
        assert_eq!(scene.events::<Shot>(), 1, "a lone player may shoot at once");
        scene.ready(0, true);
        scene.tick();
        while phase(&scene) != Phase::Play {
            scene.tick();
            if phase(&scene) == Phase::Countdown {
                assert_eq!(scene.events::<Shot>(), 0);
            }
        }
        let mut shots = 0;
        while phase(&scene) == Phase::Play {
            scene.tick();
            shots += scene.events::<Shot>();
        }
        assert!(shots > 10, "{shots}");
        for _ in 0..100 {
            scene.tick();
            assert_eq!(scene.events::<Shot>(), 0);
        }
    }

    #[test]
    fn an_abandoned_round_ends() {
        let mut scene = Scene::new(5, 0);
        let player = scene.join(0);
        scene.ready(0, true);
        while phase(&scene) != Phase::Play {
            wait(&mut scene);
        }
        scene.leave(0, player);
        scene.tick();
        assert_eq!(phase(&scene), Phase::Lobby);
    }
}

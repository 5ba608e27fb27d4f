//! The command line: flags to [`Flags`], which `main` reads and checks before anything is sent.
//! Everything above asks it what was ordered.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};

use crate::chosen::{Choice, Wish};
use crate::duration;
use crate::roles::{Behaviour, Breach, Role};
use crate::target::{Target, Transport};

/// Bots of one swarm: as many sockets as a process may commonly open, less some.
const BOTS_MAX: i64 = 18_000;

/// Sends bots to a Tickwire server, measures what they get and judges it.
///
/// Exit status: 0 when all objectives were met, 1 when one was missed or no server was there, 2 for
/// wrong flags. The objectives are: every bot joins, no desync, no disconnect before the end, gap
/// p99 within its limit; with hostile bots also that each is closed with its code, that gap p99
/// stays within a tenth of what it was before they came, and the server's memory too; with
/// spectators that each gets in and none is lost, and the same of gap p99; with --drops, --storm,
/// --come-back or several URLs that each bot is back where it was in time, in its seat.
#[derive(Clone, Debug, Parser)]
#[command(name = "tickwire-bots", version)]
pub struct Flags {
    /// The server's WebSocket. Of several nodes of a cluster all: given once for each, or separated
    /// by commas. Bots spread over them, go on to the next one where one can't be reached, and, as
    /// with --come-back, come back by any of them when theirs is gone.
    #[arg(long, value_name = "URL", value_delimiter = ',', default_value = "ws://127.0.0.1:7777/ws", value_parser = Target::parse)]
    pub url: Vec<Target>,
    /// By what their connections go.
    #[arg(
        long,
        value_name = "TRANSPORT",
        default_value = "websocket",
        conflicts_with = "hostile"
    )]
    pub transport: Transport,
    /// Which of the server's games they play [default: that of the URL's path, or the first].
    #[arg(
        long,
        value_name = "NAME",
        default_value = "",
        hide_default_value = true
    )]
    pub game: String,
    /// For wss://: PEM file with the certificates that are believed.
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// Bots that play.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=BOTS_MAX))]
    pub bots: u32,
    /// Rooms that the bots make and spread over evenly.
    #[arg(long, value_name = "R", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=BOTS_MAX))]
    pub rooms: u32,
    /// Join the room with this code instead of making rooms.
    #[arg(long, value_name = "CODE", conflicts_with = "rooms")]
    pub code: Option<String>,
    /// An option of the rooms that bots make, as the game declares it: mode=teams. Given once for
    /// each; all that the game declares, or none.
    #[arg(long, value_name = "NAME=VALUE", conflicts_with = "code", value_parser = Choice::parse)]
    pub option: Vec<Choice>,
    /// What each bot brings to its room, likewise: colour=teal.
    #[arg(long, value_name = "NAME=VALUE", value_parser = Choice::parse)]
    pub player_option: Vec<Choice>,
    /// Join rooms whose metadata is so, equal or at least (mode=teams, level>=3), instead of making
    /// rooms; where there is none, one is made with --option.
    #[arg(long, value_name = "NAME=VALUE", conflicts_with_all = ["rooms", "code", "hostile"], value_parser = Wish::parse)]
    pub filter: Vec<Wish>,
    /// How long to measure, after all bots have joined: 30s, 500ms, 2m.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration::parse)]
    pub duration: Duration,
    /// How long the bots take to arrive, one after the other.
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = duration::parse)]
    pub ramp: Duration,
    /// What the bots do, each in turn: separated by commas. wander, random, idle and spectate are
    /// for those that play; the others are for hostile bots, which break the protocol and have to
    /// be closed for it.
    #[arg(
        long,
        value_enum,
        value_name = "KINDS",
        value_delimiter = ',',
        default_value = "wander"
    )]
    pub behaviour: Vec<Role>,
    /// Hostile bots besides, of the kinds in --behaviour, or of all kinds if there are none. They
    /// come when the others were measured for half of the duration without them, and are in no
    /// figure [default: one for each hostile kind in --behaviour].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=BOTS_MAX))]
    pub hostile: Option<u32>,
    /// Spectators besides, who look on at the rooms that the bots play in. They come when the bots
    /// were measured for half of the duration without them, and have figures of their own.
    #[arg(long, value_name = "N", default_value_t = 0, conflicts_with_all = ["hostile", "slow", "stalled", "drops", "storm"], value_parser = clap::value_parser!(u32).range(0..=BOTS_MAX))]
    pub spectators: u32,
    /// Share of the bots that, after half of the duration, read a tenth of what they need for the
    /// duration, in percent. They are in no figure but desyncs and disconnects; when they read
    /// again each must hold its room's state within 3 ticks.
    #[arg(long, value_name = "PERCENT", default_value_t = 0, conflicts_with = "hostile", value_parser = clap::value_parser!(u32).range(0..=50))]
    pub slow: u32,
    /// The same for bots that read nothing; the server closes them after 15 s.
    #[arg(long, value_name = "PERCENT", default_value_t = 0, conflicts_with = "hostile", value_parser = clap::value_parser!(u32).range(0..=50))]
    pub stalled: u32,
    /// Connections that each bot loses a minute while it is measured, on average: cut without a
    /// goodbye, every other one so that the server is not told. The bot comes back by resume, at
    /// random distances as the SDK does, and must find its seat and its figure. Being away is in no
    /// other figure.
    #[arg(long, value_name = "N", conflicts_with_all = ["hostile", "slow", "stalled"], value_parser = positive)]
    pub drops: Option<f64>,
    /// All bots lose their connections at once, so long after the measuring began: 5s.
    #[arg(long, value_name = "TIME", conflicts_with_all = ["hostile", "slow", "stalled", "drops"], value_parser = duration::parse)]
    pub storm: Option<Duration>,
    /// A bot whose connection ends without its doing, as when the server is stopped or killed,
    /// comes back likewise, to a server that has its room again (--state-file). Only the way back
    /// is judged.
    #[arg(long, conflicts_with_all = ["hostile", "slow", "stalled", "spectators"])]
    pub come_back: bool,
    /// A redirect is followed by a connection that is opened then, as by clients that do not know of
    /// `Prepare`.
    #[arg(long)]
    pub unprepared: bool,
    /// Longest that a bot may be away, from the loss to its first snapshot, its random distances
    /// included.
    #[arg(long, value_name = "TIME", default_value = "3s", value_parser = duration::parse)]
    pub return_within: Duration,
    /// Each bot says a line in its room so often, on average: a server takes one a second. How long
    /// they take to each bot of the room is measured.
    #[arg(long, value_name = "TIME", value_parser = duration::parse)]
    pub say: Option<Duration>,
    /// The server's operator port: its CPU time is read there, and its memory while hostile or slow
    /// bots are at work, when it must not grow.
    #[arg(long, value_name = "ADDR")]
    pub ops: Option<SocketAddr>,
    /// Seed of what the bots do.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Greatest 99th percentile of the time between two snapshots at a bot, in milliseconds
    /// [default: one and a half snapshot periods, 50 at 30 Hz].
    #[arg(long, value_name = "MS", value_parser = positive)]
    pub max_gap_p99_ms: Option<f64>,
    /// How much greater the 99th percentile of the time between two snapshots may be with hostile
    /// or slow bots, or spectators, than without, in percent.
    #[arg(long, value_name = "PERCENT", default_value = "10", value_parser = positive)]
    pub max_gap_growth: f64,
    /// Greatest 99th percentile of the time from an input to the snapshot that shows it, in
    /// milliseconds [default: not judged].
    #[arg(long, value_name = "MS", value_parser = positive)]
    pub max_latency_p99_ms: Option<f64>,
    /// Greatest 99th percentile of the time from saying a line to hearing it, with --say, in
    /// milliseconds [default: not judged].
    #[arg(long, value_name = "MS", requires = "say", value_parser = positive)]
    pub max_line_p99_ms: Option<f64>,
    /// Threads of the swarm.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub threads: u16,
    /// Write the report here as JSON too; - for stdout instead of the table.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

impl Flags {
    /// What the playing bot of this number does.
    pub(crate) fn honest(&self, index: usize) -> Behaviour {
        let kinds = self.behaviour.iter().filter_map(|role| match role {
            Role::Honest(behaviour) => Some(*behaviour),
            Role::Hostile(_) => None,
        });
        in_turn(kinds, index).unwrap_or(Behaviour::Wander)
    }

    /// What the hostile bot of this number does.
    pub(crate) fn breach(&self, index: usize) -> Breach {
        in_turn(self.breaches(), index)
            .or_else(|| in_turn(Breach::value_variants().iter().copied(), index))
            .unwrap_or(Breach::Garbage)
    }

    /// Whether some of the bots are slow for a while.
    pub(crate) fn slows(&self) -> bool {
        self.slow + self.stalled > 0
    }

    /// Whether bots lose their connections on purpose, or are to.
    pub fn cuts(&self) -> bool {
        self.drops.is_some() || self.storm.is_some() || self.come_back
    }

    /// Whether a bot comes back whose connection ended without its doing.
    pub fn returns(&self) -> bool {
        self.come_back || self.url.len() > 1
    }

    /// Hostile bots in all.
    pub fn hostile_bots(&self) -> u32 {
        self.hostile.unwrap_or(self.breaches().count() as u32)
    }

    fn breaches(&self) -> impl Iterator<Item = Breach> + Clone {
        self.behaviour.iter().filter_map(|role| match role {
            Role::Hostile(breach) => Some(*breach),
            Role::Honest(_) => None,
        })
    }

    /// Flags that fit together, or what does not.
    pub fn check(&self) -> Result<(), String> {
        if self.rooms > self.bots {
            return Err(format!(
                "--rooms {} needs at least as many bots, not --bots {}",
                self.rooms, self.bots
            ));
        }
        if self.url.iter().any(Target::is_secure) && self.ca.is_none() {
            return Err("a wss:// URL needs --ca".to_owned());
        }
        if self.spectators > 0 && self.hostile_bots() > 0 {
            return Err("--spectators are without hostile bots".to_owned());
        }
        if self.cuts() && self.hostile_bots() > 0 {
            return Err("--drops, --storm and --come-back are without hostile bots".to_owned());
        }
        if self.storm.is_some_and(|at| at >= self.duration) {
            return Err("--storm must come before the end of --duration".to_owned());
        }
        if self.say.is_some_and(|every| every.is_zero()) {
            return Err("--say must be longer than nothing".to_owned());
        }
        if self.duration.is_zero() {
            return Err("--duration must be longer than nothing".to_owned());
        }
        Ok(())
    }
}

/// The item of this number when they are counted round and round.
fn in_turn<T>(mut items: impl Iterator<Item = T> + Clone, index: usize) -> Option<T> {
    let count = items.clone().count();
    items.nth(index.checked_rem(count)?)
}

fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number > 0.0 && number.is_finite() => Ok(number),
        _ => Err("not a number above 0".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_read_and_checked() {
        let read = |line: &str| Flags::try_parse_from(line.split(' '));
        let flags = read("bots --bots 200 --rooms 4 --duration 20s").expect("good flags");
        assert_eq!((flags.bots, flags.rooms), (200, 4));
        assert!(flags.check().is_ok() && !flags.returns());
        for several in [
            "--url ws://a/ws,ws://b/ws",
            "--url ws://a/ws --url ws://b/ws",
        ] {
            let flags = read(&format!("bots {several}")).expect("good flags");
            assert_eq!(flags.url.len(), 2);
            assert!(flags.returns() && !flags.cuts());
        }
        let mixed = read("bots --behaviour idle,flood,random,cheat").expect("good flags");
        assert_eq!(mixed.hostile_bots(), 2);
        assert_eq!(mixed.honest(2), Behaviour::Idle);
        assert_eq!(
            (mixed.breach(0), mixed.breach(3)),
            (Breach::Flood, Breach::Cheat)
        );
        let all = read("bots --hostile 500").expect("good flags");
        assert_eq!(
            (all.hostile_bots(), all.honest(7)),
            (500, Behaviour::Wander)
        );
        assert_eq!(all.breach(499), Breach::value_variants()[499 % 7]);
        assert!(
            read("bots --bots 2 --rooms 4")
                .expect("read")
                .check()
                .is_err()
        );
        for wrong in [
            "bots --bots 0",
            "bots --bots many",
            "bots --url http://host/ws",
            "bots --behaviour fly",
            "bots --max-gap-p99-ms -1",
            "bots --speed 3",
            "bots --code ABCD --rooms 2",
            "bots --drops 2 --storm 5s",
            "bots --drops 0",
            "bots --max-line-p99-ms 40",
            "bots --storm 5s --slow 10",
            "bots --come-back --slow 10",
            "bots --spectators 5 --drops 2",
            "bots --option teams",
            "bots --option mode=teams --code ABCD",
            "bots --filter mode=teams --rooms 2",
        ] {
            assert!(read(wrong).is_err(), "{wrong:?}");
        }
    }
}

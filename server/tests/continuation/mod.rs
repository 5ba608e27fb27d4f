//! A room of any game that is saved at some tick and restored in another process, beside the one
//! that went on and one that was never saved: all three say the same bytes from then on. What
//! happens in them is drawn from a seed. The tests of the games call it.

use std::env;
use std::hash::{DefaultHasher, Hasher};
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;

use serde::{Deserialize, Serialize};
use tickwire::codec::{append_saved, encode_client, take_saved};
use tickwire::exact::Xorshift32;
use tickwire::ids::{PlayerId, Tick};
use tickwire::protocol::ClientMessage;
use tickwire::protocol::frame::{InputHead, encode_ack};
use tickwire::schema::Schema;
use tickwire::session::Seen;
use tickwire::snapshot::fields::pack;
use tickwire_server::game::{Game, GameDef, RoomOptions};
use tickwire_server::room::{Effect, Room};

/// Tells a test that it is the other process.
const CHILD: &str = "TICKWIRE_CONTINUES";
/// Members at most.
const CROWD: usize = 6;

/// Something that happens to a room.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Call {
    Join,
    Leave(PlayerId),
    Drop(PlayerId),
    Resume(PlayerId, u32, Tick),
    Hear(PlayerId, Vec<u8>),
    /// A tick, and the snapshots of these.
    Tick(Vec<PlayerId>),
}

/// A game and how it is played.
pub(crate) struct Play<G: Game> {
    /// The test's whole name, by which the other process is started.
    pub(crate) test: &'static str,
    /// Seeds, where nobody says how many: [`SEEDS`] does.
    pub(crate) seeds: u32,
    /// Ticks of which the last before the cut is one.
    pub(crate) before: u32,
    /// Ticks after the cut.
    pub(crate) after: u32,
    /// How a seed's room is made.
    pub(crate) options: fn(u32) -> RoomOptions,
    /// What a player says beside inputs, chat and readiness.
    pub(crate) say: fn(&GameDef<G>, &mut Xorshift32) -> Option<ClientMessage>,
}

/// One end of a connection, as far as a room minds.
struct Client {
    player: PlayerId,
    /// Whether it has a connection that the restored room knows of, too.
    is_here: bool,
    /// When it comes back, if it does.
    returns: u32,
    input: Vec<i32>,
    /// Its newest snapshot.
    newest: Tick,
    /// It says nothing before this tick, so it falls behind.
    mute_until: u32,
}

/// The variable for other numbers of seeds.
const SEEDS: &str = "TICKWIRE_CONTINUED_SEEDS";

/// Checks the seeds, half of them in each of two threads with a process of its own.
pub(crate) fn check<G: Game>(play: &Play<G>) {
    let asked = env::var(SEEDS).ok().and_then(|seeds| seeds.parse().ok());
    let seeds = asked.unwrap_or(play.seeds);
    if env::var_os(CHILD).is_some() {
        return be_the_other::<G>();
    }
    let most = thread::scope(|scope| {
        let halves = [0, 1].map(|half| scope.spawn(move || check_some(play, half, seeds)));
        halves.map(|half| half.join().expect("see above"))
    });
    println!(
        "the largest of {seeds} saves has {} bytes",
        most[0].max(most[1])
    );
}

fn check_some<G: Game>(play: &Play<G>, half: u32, seeds: u32) -> usize {
    let mut child = Command::new(env::current_exe().expect("tests have a file"))
        .args(["--exact", play.test, "--nocapture"])
        .env(CHILD, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("tests can be started");
    let mut to = child.stdin.take().expect("it is piped");
    let mut from = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    let game = Arc::new(GameDef::<G>::new(30).expect("the game is sound"));
    let mut most = 0;
    for seed in (1..=seeds).filter(|seed| seed % 2 == half) {
        let (saved, calls, said) = run(play, &game, seed);
        most = most.max(saved.len());
        let mut bytes = Vec::new();
        append_saved(&(saved, &calls), &mut bytes).expect("it can be written");
        writeln!(to, "{}", hex(&bytes)).expect("the other process reads");
        let theirs = from.by_ref().find_map(|line| {
            let line = line.expect("it is text");
            Some(line.split_once("continued ")?.1.to_owned())
        });
        let theirs = theirs.unwrap_or_else(|| panic!("seed {seed}: the other process is gone"));
        for (at, (ours, theirs)) in said.split(' ').zip(theirs.split(' ')).enumerate() {
            let call = calls.get(at);
            assert_eq!(
                ours, theirs,
                "seed {seed}, call {at} after the cut: {call:?}"
            );
        }
        assert_eq!(said.len(), theirs.len(), "seed {seed}");
    }
    drop(to);
    child.wait().expect("it is ours");
    most
}

/// Restores what comes, has the same happen to it, and tells what it said.
fn be_the_other<G: Game>() {
    let game = Arc::new(GameDef::<G>::new(30).expect("the game is sound"));
    for line in std::io::stdin().lines() {
        let bytes = unhex(&line.expect("it is text"));
        let (saved, calls): (Vec<u8>, Vec<Call>) =
            take_saved(&mut &*bytes).expect("it is what was sent");
        let room = Room::<G>::restore(game.clone(), &saved);
        let mut room = room.unwrap_or_else(|error| panic!("{error}"));
        let again = room.save().expect("it was saved before");
        assert!(again == saved, "a restored room is saved as it was");
        let said: Vec<String> = calls
            .iter()
            .map(|call| digest(&apply(&mut room, call).0))
            .collect();
        println!("continued {}", said.join(" "));
    }
}

/// A seed's save, what happens after it, and what is said to it.
fn run<G: Game>(play: &Play<G>, game: &Arc<GameDef<G>>, seed: u32) -> (Vec<u8>, Vec<Call>, String) {
    let mut dice = Xorshift32::new(seed);
    let options = (play.options)(seed);
    let mut room = Room::new(game.clone(), options.clone());
    // Every fourth time, to see that saving changes nothing.
    let is_watched = seed.is_multiple_of(4);
    let mut never_saved = is_watched.then(|| Room::new(game.clone(), options));
    let mut clients: Vec<Client> = Vec::new();
    let cut = 1 + dice.below(play.before);
    let (mut saved, mut calls, mut said) = (Vec::new(), Vec::new(), Vec::new());
    for tick in 0..cut + play.after {
        let mut now = Vec::new();
        if tick == cut {
            saved = room
                .save()
                .unwrap_or_else(|error| panic!("seed {seed}: {error}"));
            for client in clients.iter_mut().filter(|client| client.is_here) {
                // Nobody has a connection to a room that is restored.
                now.push(match dice.below(10) {
                    0 => Call::Leave(client.player),
                    _ => Call::Drop(client.player),
                });
                client.returns = match dice.below(10) {
                    0 => client.returns,
                    1 | 2 => tick + 1 + dice.below(12),
                    _ => tick + 1,
                };
                client.is_here = false;
            }
        }
        happen(play, game, &mut clients, tick, &mut dice, &mut now);
        for call in now {
            let (all, sent) = apply(&mut room, &call);
            let other = never_saved.as_mut().map(|room| apply(room, &call).0);
            let same = other.is_none_or(|other| other == all);
            assert!(same, "seed {seed}, tick {tick}: {call:?}");
            note(&call, &room, &mut clients, &sent);
            if tick >= cut {
                said.push(digest(&all));
                calls.push(call);
            }
        }
    }
    (saved, calls, said.join(" "))
}

/// What happens up to the next tick, which is the last.
fn happen<G: Game>(
    play: &Play<G>,
    game: &GameDef<G>,
    clients: &mut [Client],
    tick: u32,
    dice: &mut Xorshift32,
    calls: &mut Vec<Call>,
) {
    if clients.len() < CROWD && dice.below(12) == 0 {
        calls.push(Call::Join);
    }
    let leaving: Vec<PlayerId> = calls.iter().filter_map(Call::leaves).collect();
    for client in clients.iter_mut() {
        let player = client.player;
        if leaving.contains(&player) {
            continue;
        }
        if !client.is_here {
            if client.returns == tick {
                let seen = Tick(client.newest.0.saturating_sub(dice.below(3) * 20));
                calls.push(Call::Resume(player, dice.below(3), seen));
            }
            continue;
        }
        match dice.below(160) {
            0 => calls.push(Call::Leave(player)),
            1 => {
                client.returns = tick + 1 + dice.below(60);
                calls.push(Call::Drop(player));
            }
            2 => client.mute_until = tick + dice.below(20),
            3..6 => {
                let text = format!("line {tick}");
                calls.push(Call::hear(player, &ClientMessage::Chat { text }));
            }
            6..14 => {
                let ready = dice.below(4) > 0;
                calls.push(Call::hear(player, &ClientMessage::Ready { ready }));
            }
            _ if tick >= client.mute_until => {
                calls.extend(client.input(&game.schema, tick, dice));
                if let Some(message) = (play.say)(game, dice) {
                    calls.push(Call::hear(player, &message));
                }
            }
            _ => {}
        }
    }
    let here = clients.iter().filter(|client| client.is_here);
    calls.push(Call::Tick(here.map(|client| client.player).collect()));
}

/// What the clients make of a call.
fn note<G: Game>(call: &Call, room: &Room<G>, clients: &mut Vec<Client>, sent: &[PlayerId]) {
    let tick = room.tick_number();
    for client in clients
        .iter_mut()
        .filter(|client| sent.contains(&client.player))
    {
        client.newest = tick;
    }
    match call {
        Call::Join => {
            let players: Vec<PlayerId> = room.clients().map(|client| client.player).collect();
            let newcomer = players
                .iter()
                .find(|player| clients.iter().all(|client| client.player != **player));
            clients.extend(newcomer.map(|player| Client {
                player: *player,
                is_here: true,
                returns: u32::MAX,
                input: Vec::new(),
                newest: Tick(0),
                mute_until: 0,
            }));
        }
        Call::Resume(player, ..) => {
            for client in clients.iter_mut().filter(|client| client.player == *player) {
                (client.is_here, client.newest) = (true, Tick(0));
            }
        }
        Call::Drop(player) => {
            for client in clients.iter_mut().filter(|client| client.player == *player) {
                client.is_here = false;
            }
        }
        Call::Leave(_) | Call::Hear(..) | Call::Tick(_) => {}
    }
    clients.retain(|client| room.has_member(client.player));
}

impl Client {
    /// The input for the next tick, with an acknowledgement of the newest snapshot; mostly.
    fn input(&mut self, schema: &Schema, tick: u32, dice: &mut Xorshift32) -> Option<Call> {
        if schema.input.is_empty() {
            let mut ack = Vec::new();
            encode_ack(self.newest, &mut ack);
            return (self.newest > Tick(0)).then_some(Call::Hear(self.player, ack));
        }
        if self.input.is_empty() || dice.below(15) == 0 {
            let fields = schema.input.iter();
            let words = fields.flat_map(|field| vec![field.kind.q_max(); field.kind.words()]);
            self.input = words
                .map(|most| dice.below(most.saturating_add(1)) as i32)
                .collect();
        }
        let head = InputHead {
            tick: Tick(tick + 1 + dice.below(4)),
            ack: self.newest,
            view_lag: dice.below(128) as i16,
        };
        let mut bytes = Vec::new();
        head.encode(&mut bytes);
        pack(&schema.input, &self.input, &mut bytes);
        Some(Call::Hear(self.player, bytes))
    }
}

impl Call {
    fn hear(player: PlayerId, message: &ClientMessage) -> Call {
        Call::Hear(player, encode_client(message))
    }

    fn leaves(&self) -> Option<PlayerId> {
        match self {
            Call::Leave(player) | Call::Drop(player) => Some(*player),
            _ => None,
        }
    }
}

/// Has it happen; all that the room says, but to who is not there, and who got a snapshot.
fn apply<G: Game>(room: &mut Room<G>, call: &Call) -> (Vec<u8>, Vec<PlayerId>) {
    let (mut said, mut sent) = (Vec::new(), Vec::new());
    let mut to = None;
    match call {
        Call::Join => said.extend(format!("{:?}", room.join("somebody")).bytes()),
        Call::Leave(player) => room.leave(*player),
        Call::Drop(player) => said.push(u8::from(room.disconnect(*player))),
        Call::Resume(player, chat, tick) => {
            let (chat, tick) = (*chat, *tick);
            said.push(u8::from(room.resume(*player, Seen { chat, tick })));
        }
        Call::Hear(player, message) => {
            said.extend(format!("{:?}", room.receive(*player, message)).bytes());
        }
        Call::Tick(players) => {
            room.tick();
            to = Some(players);
        }
    }
    while let Some(effect) = room.poll_effect() {
        let is_heard = |player: &PlayerId| to.is_none_or(|players| players.contains(player));
        match &effect {
            Effect::Control { to, .. } if !is_heard(to) => {}
            effect => said.extend(format!("{effect:?}").bytes()),
        }
    }
    for player in to.into_iter().flatten() {
        said.extend(player.0.to_le_bytes());
        if room.compose(*player, true, &mut said) {
            sent.push(*player);
        }
    }
    (said, sent)
}

fn digest(bytes: &[u8]) -> String {
    let mut hash = DefaultHasher::new();
    hash.write(bytes);
    format!("{:016x}", hash.finish())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2);
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    digits
        .map(|pair| byte(pair).expect("hexadecimal digits"))
        .collect()
}

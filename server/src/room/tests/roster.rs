//! What is passed on to all members: merged, in order, and never more than a member can take.

use std::collections::BTreeMap;

use super::*;
use tickwire::limits::{CHAT_HISTORY_MAX, MEMBERS_PER_PAGE};
use tickwire::protocol::server_message::Member;
use tickwire::session::Seen;

/// A member that takes snapshots and keeps count of what it is told.
#[derive(Default)]
pub(super) struct Ear {
    pub(super) player: PlayerId,
    pub(super) last: Tick,
    /// Messages that were passed on to all, and their bytes.
    pub(super) heard: Vec<ServerMessage>,
    pub(super) bytes: usize,
    pub(super) members: BTreeMap<PlayerId, Member>,
    /// Whether pages follow.
    pub(super) lacks_some: bool,
}

impl Ear {
    pub(super) fn join(room: &mut Room<Boxes>, name: &str) -> Ear {
        let player = room.join(name).expect("a seat is free");
        Ear {
            player,
            ..Ear::default()
        }
    }

    /// Takes what the room has for it, as a client does.
    pub(super) fn hear(&mut self, effects: &[Effect]) {
        for effect in effects {
            let Effect::Control { to, bytes } = effect else {
                continue;
            };
            if *to != self.player {
                continue;
            }
            let message = decode_server(bytes).expect("a server's message");
            let message = message.expect("a known one");
            match &message {
                ServerMessage::Joined { members, more, .. } => {
                    self.members.clear();
                    self.learn(members, *more);
                    continue;
                }
                ServerMessage::Members { members, more } => {
                    assert!(self.lacks_some, "no page was announced");
                    self.learn(members, *more);
                }
                ServerMessage::MemberChanged { member } => {
                    self.members.insert(member.player, member.clone());
                }
                ServerMessage::MemberState {
                    player,
                    ready,
                    host,
                    connected,
                } => {
                    let member = self.members.get_mut(player).expect("they are known");
                    (member.ready, member.host) = (*ready, *host);
                    member.connected = *connected;
                }
                ServerMessage::MemberLeft { player } => {
                    let known = self.members.remove(player);
                    assert!(known.is_some(), "{player} was never told of");
                }
                ServerMessage::Chat { .. } => {}
                _ => continue,
            }
            self.bytes += bytes.len();
            self.heard.push(message);
        }
    }

    /// Takes a page, which names nobody who is known.
    fn learn(&mut self, members: &[Member], more: bool) {
        assert!(members.len() <= MEMBERS_PER_PAGE);
        for member in members {
            let known = self.members.insert(member.player, member.clone());
            assert_eq!(known, None, "told twice");
        }
        self.lacks_some = more;
    }

    pub(super) fn read(&mut self, room: &mut Room<Boxes>) {
        let mut bytes = Vec::new();
        if room.compose(self.player, true, &mut bytes) {
            let (head, _) = SnapshotHead::decode(&bytes).expect("a snapshot");
            self.last = head.tick;
        }
    }

    pub(super) fn ack(&self, room: &mut Room<Boxes>) {
        let mut ack = Vec::new();
        encode_ack(self.last, &mut ack);
        assert_eq!(room.receive(self.player, &ack), Ok(()));
    }
}

/// A tick, after which `ears` take their snapshots and acknowledge them.
pub(super) fn pass(room: &mut Room<Boxes>, ears: &mut [Ear]) {
    room.tick();
    let told = effects(room);
    for ear in ears {
        ear.hear(&told);
        ear.read(room);
        ear.ack(room);
    }
}

fn say_ready(room: &mut Room<Boxes>, player: PlayerId, ready: bool) {
    let told = request(room, player, &ClientMessage::Ready { ready });
    assert_eq!(told, [], "nobody is told before the tick");
}

fn heard(ears: &mut [Ear]) -> Vec<Vec<ServerMessage>> {
    let taken = ears.iter_mut().map(|ear| std::mem::take(&mut ear.heard));
    taken.collect()
}

#[test]
fn what_changes_nothing_goes_no_further() {
    let mut room = room(9, 1);
    let mut ears = ["one", "two"].map(|name| Ear::join(&mut room, name));
    pass(&mut room, &mut ears);
    heard(&mut ears);
    let one = ears[0].player;
    for ready in [false, true, false] {
        say_ready(&mut room, one, ready);
    }
    // Who loses their connection and is back before the tick was never away.
    assert!(room.disconnect(one) && room.resume(one, Seen::default()));
    let passer_by = room.join("passer-by").expect("a seat is free");
    room.leave(passer_by);
    pass(&mut room, &mut ears);
    assert_eq!(heard(&mut ears)[1], []);
    for _ in 0..99 {
        say_ready(&mut room, one, true);
    }
    pass(&mut room, &mut ears);
    let told = heard(&mut ears);
    assert!(
        matches!(
            &told[1][..],
            [ServerMessage::MemberState { ready: true, .. }]
        ),
        "{told:?}"
    );
    assert_eq!(told[0], told[1], "who said it hears it too");
    say_ready(&mut room, one, true);
    pass(&mut room, &mut ears);
    assert_eq!(heard(&mut ears), [[], []]);
}

#[test]
fn who_flips_a_switch_is_heard_now_and_then() {
    let mut room = room(9, 1);
    let mut ears = ["one", "two"].map(|name| Ear::join(&mut room, name));
    pass(&mut room, &mut ears);
    heard(&mut ears);
    for tick in 0..300 {
        say_ready(&mut room, ears[0].player, tick % 2 == 0);
        pass(&mut room, &mut ears);
    }
    let told = heard(&mut ears);
    assert!((8..=9).contains(&told[1].len()), "{}", told[1].len());
    say_ready(&mut room, ears[0].player, true);
    (0..61).for_each(|_| pass(&mut room, &mut ears));
    assert!(ears[1].members[&ears[0].player].ready, "the last one holds");
}

/// However often their switch was flipped or their connection lost: what the others are told of it
/// waits, what they are told themselves does not.
#[test]
fn everyone_knows_at_once_how_they_are_themselves() {
    let mut room = room(9, 1);
    let mut ears = ["one", "two"].map(|name| Ear::join(&mut room, name));
    pass(&mut room, &mut ears);
    heard(&mut ears);
    let one = ears[0].player;
    for tick in 0..30 {
        let ready = tick % 2 == 0;
        say_ready(&mut room, one, ready);
        pass(&mut room, &mut ears);
        assert_eq!(ears[0].members[&one].ready, ready, "tick {tick}");
    }
    let told: Vec<usize> = heard(&mut ears).iter().map(Vec::len).collect();
    assert_eq!(told, [30, 4], "the others are told now and then");
    for _ in 0..9 {
        assert!(room.disconnect(one));
        pass(&mut room, &mut ears[1..]);
        // The connection that they lost is forgotten, and with it whom they knew.
        (ears[0].last, ears[0].members) = (Tick(0), BTreeMap::new());
        assert!(room.resume(one, Seen::default()));
        ears[0].hear(&effects(&mut room));
        assert!(ears[0].members[&one].connected, "as `Joined` has it");
        pass(&mut room, &mut ears);
        assert!(ears[0].members[&one].host);
    }
}

#[test]
fn for_who_takes_nothing_nothing_is_made() {
    let mut room = room(40, 1);
    let mut ears: Vec<Ear> = (0..40)
        .map(|n| Ear::join(&mut room, &format!("player {n:02}")))
        .collect();
    pass(&mut room, &mut ears);
    // One of them takes nothing any more.
    ears.pop();
    let mut made = Vec::new();
    for tick in 0..120_usize {
        if tick == 60 {
            // By now nothing goes to who is slow, and the others are told one thing a tick.
            made = std::mem::take(&mut room.workspace.news);
        }
        let who = &ears[tick % ears.len()];
        say_ready(&mut room, who.player, (tick / ears.len()).is_multiple_of(2));
        pass(&mut room, &mut ears);
    }
    assert!(made.capacity() >= 39, "the list shows how much was made");
    assert!(room.workspace.news.capacity() < 8);
}

#[test]
fn a_number_is_given_up_before_it_is_used_again() {
    let mut room = room(3, 1);
    let mut ears = ["one", "two", "three"].map(|name| Ear::join(&mut room, name));
    pass(&mut room, &mut ears);
    heard(&mut ears);
    let gone = ears[2].player;
    room.leave(gone);
    // Numbers go round, and this one's turn has come.
    room.members.next = gone.0;
    let again = room.join("four").expect("a seat is free");
    assert_eq!(again, gone);
    pass(&mut room, &mut ears[..2]);
    let told = heard(&mut ears);
    let ServerMessage::MemberLeft { player } = &told[0][0] else {
        panic!("{told:?}");
    };
    assert_eq!(*player, gone);
    assert!(
        matches!(&told[0][1..], [ServerMessage::MemberChanged { member }] if member.player == again && member.name == "four"),
        "{told:?}"
    );
}

#[test]
fn for_who_takes_nothing_nothing_piles_up_and_then_all_is_as_it_is() {
    let mut room = room(16, 1);
    let mut ears: Vec<Ear> = (0..14)
        .map(|n| Ear::join(&mut room, &format!("player {n:02}")))
        .collect();
    pass(&mut room, &mut ears);
    let mut slow = ears.pop().expect("they joined");
    (slow.bytes, slow.heard) = (0, Vec::new());
    for round in 0..300 {
        for ear in &ears {
            say_ready(&mut room, ear.player, round % 2 == 0);
        }
        let one = room.join("one who does not stay").expect("a seat is free");
        room.tick();
        let told = effects(&mut room);
        slow.hear(&told);
        slow.read(&mut room);
        for ear in &mut ears {
            ear.hear(&told);
            ear.read(&mut room);
            ear.ack(&mut room);
        }
        room.leave(one);
    }
    println!(
        "{} bytes to who takes nothing, {} to the others",
        slow.bytes, ears[0].bytes
    );
    assert!(slow.bytes < 3000, "{} bytes", slow.bytes);
    assert!(ears[0].bytes > 3 * slow.bytes, "the others are told");
    slow.heard.clear();
    slow.ack(&mut room);
    ears.push(slow);
    (0..60).for_each(|_| pass(&mut room, &mut ears));
    let slow = ears.last().expect("it was pushed");
    assert!(slow.heard.len() <= 2 * 16, "{}", slow.heard.len());
    let public = room.members.public();
    assert!(slow.members.values().eq(public.iter()), "{:?}", slow.heard);
}

#[test]
fn lines_come_later_while_the_room_remembers_them() {
    let mut room = room(60, 1);
    let mut ears: Vec<Ear> = (0..50)
        .map(|n| Ear::join(&mut room, &format!("player {n:02}")))
        .collect();
    pass(&mut room, &mut ears);
    heard(&mut ears);
    let text = "x".repeat(200);
    for ear in &ears {
        let text = text.clone();
        request(&mut room, ear.player, &ClientMessage::Chat { text });
    }
    let mut ticks = 0;
    let mut first_tick = 0;
    while ears[7].heard.len() < CHAT_HISTORY_MAX {
        pass(&mut room, &mut ears);
        ticks += 1;
        assert!(ticks < 30, "{} lines", ears[7].heard.len());
        if ticks == 1 {
            first_tick = ears[7].heard.len();
        }
    }
    assert!((8..12).contains(&first_tick), "{first_tick} in one tick");
    (0..60).for_each(|_| pass(&mut room, &mut ears));
    let ids: Vec<u32> = ears[7].heard.iter().map(line_id).collect();
    let newest: Vec<u32> = (19..=50).collect();
    assert_eq!(ids, newest, "what fell out of the log is lost");
    // Each says as much as they may from now on: what comes is what may come.
    ears[7].bytes = 0;
    for tick in 0..600_usize {
        for ear in ears.iter().skip(tick % 30).step_by(30) {
            let text = text.clone();
            request(&mut room, ear.player, &ClientMessage::Chat { text });
        }
        pass(&mut room, &mut ears);
    }
    let rate = ears[7].bytes / 20;
    println!("{rate} bytes of chat a second, of 50 who say 200 letters a second");
    assert!((1500..=2500).contains(&rate), "{rate} bytes a second");
}

fn line_id(message: &ServerMessage) -> u32 {
    match message {
        ServerMessage::Chat { line } => line.id,
        other => panic!("{other:?}"),
    }
}

/// Whoever comes, goes, flips, falls away and is back, and whatever the members can take of it: in
/// the end all know the same.
#[test]
fn in_the_end_all_know_who_is_there() {
    for seed in 0..40 {
        println!("seed {seed}");
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut room = room(12, 1 + (seed % 3) as u16);
        let mut ears: Vec<Ear> = Vec::new();
        for step in 0..400 {
            let others = ears.len();
            match random.random_range(0..12) {
                0..3 if others < 12 => {
                    ears.push(Ear::join(&mut room, &format!("player {step}")));
                }
                3 if others > 2 => {
                    let ear = ears.swap_remove(random.random_range(0..others));
                    room.leave(ear.player);
                }
                4 if others > 0 => {
                    let at = random.random_range(0..others);
                    let ear = &mut ears[at];
                    room.disconnect(ear.player);
                    if random.random_bool(0.8) {
                        // Within the tick, or some ticks later.
                        (0..random.random_range(0..3)).for_each(|_| room.tick());
                    }
                    (ear.last, ear.members) = (Tick(0), BTreeMap::new());
                    if !room.resume(ear.player, Seen::default()) {
                        // They never answered: the seat was not held.
                        ears.swap_remove(at);
                    }
                }
                5..9 if others > 0 => {
                    let player = ears[random.random_range(0..others)].player;
                    let ready = random.random_bool(0.5);
                    let ready = encode_client(&ClientMessage::Ready { ready });
                    assert_eq!(room.receive(player, &ready), Ok(()));
                }
                _ => room.tick(),
            }
            let told = effects(&mut room);
            for ear in &mut ears {
                ear.hear(&told);
                ear.read(&mut room);
                // Some are slow, and the slowest are so for long.
                if ear.last > Tick(0) && random.random_bool(1.0 / (1.0 + f64::from(ear.player.0))) {
                    ear.ack(&mut room);
                }
            }
        }
        (0..90).for_each(|_| pass(&mut room, &mut ears));
        let public = room.members.public();
        for ear in &ears {
            assert!(
                ear.members.values().eq(public.iter()),
                "{} knows {:?}, there are {public:?}",
                ear.player,
                ear.members
            );
        }
    }
}

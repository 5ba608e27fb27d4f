//! Clients that read little or nothing, behind a link on virtual time: they get whole snapshots
//! of the newest state, cost next to nothing, and nobody else notices.

use std::collections::VecDeque;

use super::*;
use crate::room::ClientState;
use crate::room::send_rate::tiers::RateTier;

/// Bytes that kernels take for a client that does not read.
const KERNEL_BYTES: usize = 9_300;

/// A client behind a link.
struct Reader {
    client: Client,
    /// What was written and not read, each with the image that it must give.
    pipe: VecDeque<(Tick, Vec<u8>, Truth)>,
    /// Bytes read in a tick.
    reads: usize,
    left: usize,
    sent: u32,
}

impl Reader {
    fn join(room: &mut Room<Boxes>, reads: usize) -> Reader {
        Reader {
            client: Client::join(room),
            pipe: VecDeque::new(),
            reads,
            left: 0,
            sent: 0,
        }
    }

    /// Reads what there is and acknowledges it.
    fn read(&mut self, room: &mut Room<Boxes>) {
        self.left = self.left.saturating_add(self.reads);
        let before = self.client.last;
        while let Some((tick, bytes, truth)) = self.pipe.pop_front() {
            if bytes.len() > self.left {
                self.pipe.push_front((tick, bytes, truth));
                break;
            }
            self.left -= bytes.len();
            self.client.receive_late(room, &bytes, tick, &truth);
        }
        if self.pipe.is_empty() {
            self.left = 0;
        }
        if self.client.last > before {
            self.client.ack(room);
        }
    }

    fn write(&mut self, room: &mut Room<Boxes>) -> bool {
        let waiting: usize = self.pipe.iter().map(|(_, bytes, _)| bytes.len()).sum();
        let mut frame = Vec::new();
        let sent = room.compose(self.client.player, waiting < KERNEL_BYTES, &mut frame);
        if sent {
            self.sent += 1;
            let truth = self.client.truth(room);
            self.pipe.push_back((room.tick, frame, truth));
        }
        sent
    }
}

/// A room and so many clients that keep up.
fn crowd(seats: u16) -> (Room<Boxes>, Vec<Reader>) {
    let mut room = room(seats, 1);
    let readers = (0..seats).map(|_| Reader::join(&mut room, usize::MAX));
    let readers = readers.collect();
    (room, readers)
}

/// One tick of a room and all its clients. Returns how many got a snapshot. Every private layer
/// changes, so each snapshot has a private body, which nobody shares.
fn turn(room: &mut Room<Boxes>, readers: &mut [Reader]) -> usize {
    readers.iter_mut().for_each(|reader| reader.read(room));
    let mut secrets = room.world.query::<&mut Secret>();
    for mut secret in secrets.iter_mut(&mut room.world) {
        secret.number = (secret.number + 1) % 1_000_000;
    }
    room.tick();
    effects(room);
    readers
        .iter_mut()
        .map(|reader| usize::from(reader.write(room)))
        .sum()
}

/// What a client that keeps up reads in a tick, on average.
fn needed(room: &mut Room<Boxes>, readers: &mut [Reader]) -> usize {
    let (ticks, clients) = (120, readers.len());
    room.stats();
    (0..ticks).for_each(|_| assert_eq!(turn(room, readers), clients));
    room.stats().snapshot_bytes as usize / ticks / clients
}

#[test]
fn slow_readers_settle_in_rate_tiers_and_are_up_to_date_when_they_read_again() {
    let (mut room, mut readers) = crowd(20);
    let needed = needed(&mut room, &mut readers);
    let (slow, stalled) = (12..17, 17..20);
    for reader in &mut readers[slow.clone()] {
        reader.reads = needed / 10;
    }
    for reader in &mut readers[stalled.clone()] {
        reader.reads = 0;
    }
    for reader in &mut readers {
        reader.sent = 0;
    }
    room.stats();
    let ticks = 12 * 30;
    for _ in 0..ticks {
        turn(&mut room, &mut readers);
    }
    let stats = room.stats();
    for reader in &readers[..12] {
        assert_eq!(reader.sent, ticks, "the others get every snapshot");
    }
    for reader in &readers[slow.clone()] {
        let share = ticks / reader.sent;
        assert!((5..=40).contains(&share), "every {share}th snapshot");
    }
    for reader in &readers[stalled.clone()] {
        assert!(reader.sent <= 10, "{} to a stalled client", reader.sent);
    }
    assert!(stats.tiers_slower > 0 && stats.skipped_credit > 0);
    // Each tick the room's layer and two teams' once, twenty private ones. Of those without a team
    // there is nothing to tell.
    let beside = stats.bodies_encoded - stats.snapshots_sent - 3 * u64::from(ticks);
    assert!(beside < u64::from(ticks), "{beside} bodies for laggards");

    for reader in &mut readers {
        reader.reads = usize::MAX;
    }
    let since = room.tick;
    for _ in 0..3 {
        turn(&mut room, &mut readers);
    }
    for reader in &mut readers {
        reader.read(&mut room);
        assert!(reader.client.last > since, "{}", reader.client.last.0);
    }
}

/// Whenever it is: at once with 150 others, each in a rate tier and on a baseline of its own. Who
/// was not skipped since its last image keeps up with its rate tier, and gets the next of it.
#[test]
fn a_crowd_that_reads_again_is_up_to_date_within_three_ticks() {
    let (mut room, mut readers) = crowd(200);
    let needed = needed(&mut room, &mut readers);
    let mut behind = 0;
    for ticks in [2, 9, 31, 64, 150, 301] {
        for (at, reader) in readers[50..].iter_mut().enumerate() {
            // Two thirds at about a tenth of what is needed, a third at nothing.
            reader.reads = [0, needed / (9 + at % 4)][usize::from(at % 3 > 0)];
        }
        for _ in 0..ticks {
            turn(&mut room, &mut readers);
        }
        let since = room.tick;
        let mut may_lag = Vec::new();
        for (reader, state) in readers.iter_mut().zip(room.clients()) {
            let is_behind = state.waiting_ms.is_some();
            behind += u32::from(is_behind);
            may_lag.push(if is_behind { 0 } else { state.tier });
            reader.reads = usize::MAX;
        }
        for _ in 0..3 {
            turn(&mut room, &mut readers);
        }
        for (reader, may_lag) in readers.iter_mut().zip(may_lag) {
            reader.read(&mut room);
            let last = reader.client.last;
            assert!(
                last.0 + may_lag >= since.0,
                "{last:?} of {since:?}, {ticks} ticks"
            );
        }
    }
    assert!(behind > 600, "{behind} were behind");
}

/// A tenth of a room at a tenth of what is needed, a twentieth at nothing, whenever they read again
/// and in whichever rate tier.
#[test]
fn a_few_that_read_again_are_up_to_date_within_three_ticks() {
    let (mut room, mut readers) = crowd(50);
    let needed = needed(&mut room, &mut readers);
    let (mut in_tiers, mut probes) = (0, 0);
    for ticks in [60, 41, 83, 149, 107, 67, 203, 129] {
        for (at, reader) in readers[42..].iter_mut().enumerate() {
            reader.reads = if at < 3 { 0 } else { needed / (6 + at) };
        }
        for _ in 0..ticks {
            turn(&mut room, &mut readers);
        }
        let since = room.tick;
        let in_tier = |client: &ClientState| client.tier >= 4 && client.waiting_ms.is_none();
        in_tiers += room.clients().filter(in_tier).count();
        for reader in &mut readers {
            reader.reads = usize::MAX;
        }
        for _ in 0..3 {
            turn(&mut room, &mut readers);
        }
        for reader in &mut readers {
            reader.read(&mut room);
            let last = reader.client.last;
            assert!(last > since, "{last:?} of {since:?}, {ticks} ticks");
        }
        probes += room.stats().probes;
    }
    assert!(probes > 60 && in_tiers > 5, "{probes}, {in_tiers} in tiers");
}

/// A rate tier of so many halvings whose client leapt from it in vain at `tick`.
fn grounded(halvings: u8, tick: Tick) -> RateTier {
    let mut tier = RateTier::default();
    for _ in 0..=halvings {
        tier.fell_behind(tick, 60);
        tier.served(tick, 60);
    }
    tier.drained(1, tick);
    tier.fell_behind(tick, 60);
    tier.served(tick, 60);
    tier
}

#[test]
fn who_may_not_leap_and_has_read_everything_is_probed() {
    let (mut room, mut readers) = crowd(2);
    needed(&mut room, &mut readers);
    let (slow, tick) = (readers[1].client.player, room.tick);
    let member = room.members.receiver_mut(slow).expect("it is there");
    member.tier = grounded(5, tick);
    assert_eq!(member.tier.stride(), 32);
    for passed in 1..=11 * 30 {
        turn(&mut room, &mut readers);
        let last = readers[1].client.last;
        assert!(room.tick.since(last) <= 3, "after {passed} ticks");
    }
    let stats = room.stats();
    assert_eq!((stats.tiers_slower, stats.tiers_faster), (0, 5));
    assert!(stats.probes > 90, "{} probes", stats.probes);
}

#[test]
fn who_is_probed_is_not_taken_for_slower() {
    let (mut room, mut readers) = crowd(2);
    needed(&mut room, &mut readers);
    let (slow, tick) = (readers[1].client.player, room.tick);
    let member = room.members.receiver_mut(slow).expect("it is there");
    member.tier = grounded(4, tick);
    readers[1].sent = 0;
    // Its link takes ten ticks for each snapshot, its rate tier has one in 16, and it is calm for
    // 60.
    for _ in 0..59 {
        let first = readers[1].pipe.front().map(|(tick, _, _)| *tick);
        let through = first.is_some_and(|first| room.tick.since(first) >= 9);
        readers[1].reads = if through { usize::MAX } else { 0 };
        turn(&mut room, &mut readers);
    }
    let stats = room.stats();
    assert_eq!((stats.tiers_slower, stats.skipped_credit), (0, 0));
    assert!(stats.probes >= 3 && readers[1].sent >= 5);
}

/// A rate tier leaves a slow reader time to read, so that it looks well for a moment.
#[test]
fn a_reader_that_stays_slow_seldom_leaps() {
    let (mut room, mut readers) = crowd(20);
    let needed = needed(&mut room, &mut readers);
    for (at, reader) in readers.iter_mut().enumerate() {
        // Slower still, and what is in flight takes longer than a client may be silent.
        reader.reads = needed / (2 + at % 7);
    }
    for _ in 0..20 * 30 {
        turn(&mut room, &mut readers);
    }
    room.stats();
    for _ in 0..60 * 30 {
        turn(&mut room, &mut readers);
    }
    let faster = room.stats().tiers_faster;
    // Without leaps it is one in three or four seconds for some, whose rate tiers are a little too
    // slow.
    assert!(faster < 20 * 20, "{faster} moves up in a minute");
}

#[test]
fn rate_tiers_lead_back_to_every_snapshot() {
    let mut room = room(2, 1);
    let mut readers = vec![Reader::join(&mut room, usize::MAX)];
    let needed = needed(&mut room, &mut readers);
    readers[0].reads = needed / 10;
    for _ in 0..900 {
        turn(&mut room, &mut readers);
    }
    let tier = |room: &Room<Boxes>| room.clients().next().expect("it is there").tier;
    assert!(tier(&room) >= 8, "tier {}", tier(&room));
    readers[0].reads = usize::MAX;
    // The image that was due in the slowest, and a leap.
    for _ in 0..32 + 3 {
        turn(&mut room, &mut readers);
    }
    assert_eq!(tier(&room), 1);
    assert!((0..30).all(|_| turn(&mut room, &mut readers) == 1));
}

#[test]
fn two_hundred_slow_clients_cost_two_bodies_a_tick() {
    let (mut room, mut readers) = crowd(200);
    let needed = needed(&mut room, &mut readers);
    for (at, reader) in readers.iter_mut().enumerate() {
        // A third to a tenth of what is needed.
        reader.reads = needed / (3 + at % 8);
    }
    for _ in 0..150 {
        turn(&mut room, &mut readers);
    }
    room.stats();
    let ticks = 300;
    for _ in 0..ticks {
        turn(&mut room, &mut readers);
    }
    let stats = room.stats();
    // Three teams' layers come with the room's.
    let shared = stats.bodies_encoded - stats.snapshots_sent;
    let each = shared as f64 / f64::from(ticks) / 4.0;
    assert!(each < 2.5, "{each} bodies of a layer and tick");
    assert!(room.ring.len() <= 40, "{} images", room.ring.len());
}

#[test]
fn who_acknowledges_nothing_is_skipped_and_then_closed() {
    let mut room = room(2, 1);
    let client = Client::join(&mut room);
    effects(&mut room);
    let mut sent = 0;
    let mut frame = Vec::new();
    for _ in 0..450 {
        room.tick();
        sent += u32::from(room.compose(client.player, true, &mut frame));
    }
    assert_eq!(sent, 8, "the credit of who was never measured");
    assert_eq!(room.players(), 1);
    for _ in 0..3 {
        room.tick();
    }
    let closed = Effect::Close {
        player: client.player,
        code: CloseCode::Stalled,
    };
    assert_eq!(effects(&mut room), [closed]);
    assert!(!room.has_member(client.player), "nobody ever answered");
    let late = room.receive(client.player, &[3, 1, 0, 0, 0]);
    assert_eq!(late, Err(CloseCode::OutOfOrder));
}

#[test]
fn a_snapshot_is_composed_once() {
    let mut room = room(2, 1);
    let client = Client::join(&mut room);
    room.tick();
    let mut frame = Vec::new();
    assert!(room.compose(client.player, true, &mut frame));
    assert!(!room.compose(client.player, true, &mut frame));
}

#[test]
fn a_room_that_is_thinned_out_sends_half_and_then_all_again() {
    let (mut room, mut readers) = crowd(3);
    for (halvings, sent) in [(0, 64), (1, 32), (3, 8), (1, 32), (0, 64)] {
        room.throttle(halvings);
        let turns = (0..64).map(|_| turn(&mut room, &mut readers));
        assert_eq!(turns.sum::<usize>(), 3 * sent, "{halvings} halvings");
        let skipped = room.clients().any(|client| client.tally.skipped_credit > 0);
        assert!(!skipped, "credit goes with the rate");
    }
}

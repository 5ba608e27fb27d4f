//! Who gets a snapshot of the newest image, and each one's bytes: in-flight window first, then rate
//! tiers, then the ration of bodies for those who fell behind, and of probes. Everything is decided
//! before anything is encoded. Not the encoding itself: that is `replication::fan_out`.

use tickwire::ids::PlayerId;
use tickwire::protocol::frame::{SectionKind, push_section};

use super::catch_up::Grant;
use super::tiers::{CALM_SECONDS, Move};
use crate::by_player::is_spectator;
use crate::game::Game;
use crate::replication::interest;
use crate::room::Room;
use crate::room::receiver::Turn;

impl<G: Game> Room<G> {
    /// Lets go of the images that no player holds.
    pub(in crate::room) fn forget_images(&mut self) {
        let Some(newest) = self.ring.newest().map(|image| image.tick) else {
            return;
        };
        let all_held = &mut self.workspace.held;
        all_held.clear();
        for receiver in self.members.receivers() {
            all_held.extend(receiver.layers.ticks().filter(|tick| *tick != newest));
        }
        all_held.sort_unstable();
        all_held.dedup();
        self.ring.forget_all_but(all_held);
    }

    /// Decides what every player gets of the image that was just made.
    pub(in crate::room) fn take_turns(&mut self) {
        let Some(number) = self.ring.newest().map(|image| image.number) else {
            return;
        };
        let (tick, cadence) = (self.tick, self.cadence);
        let catch_up = &mut self.workspace.catch_up;
        catch_up.clear();
        self.probes.earn();
        for receiver in self.members.receivers_mut() {
            let in_step = receiver.tier.waiting.is_none()
                && receiver.sent_number + receiver.tier.stride() == number;
            let (tier, sent_number) = (receiver.tier, receiver.sent_number);
            let drained = receiver.in_flight.is_drained();
            receiver.turn = if !receiver.in_flight.left(tick, cadence) {
                if tier.is_late(number, sent_number) {
                    Turn::Skip
                } else {
                    Turn::Pass
                }
            } else if !tier.is_due(number, sent_number, drained) {
                if drained && tier.may_be_probed(number) {
                    catch_up.probers.push((sent_number, receiver.player));
                }
                Turn::Pass
            } else if in_step || !receiver.layers.has_shared_baseline(&self.ring) {
                // One of a rate tier's, or a keyframe: others get the same.
                Turn::Send
            } else {
                let since = receiver.tier.waiting.unwrap_or(tick);
                catch_up.queue.push((since, receiver.player));
                Turn::Wait
            };
        }
        self.ration();
    }

    /// Serves those who are on a baseline of their own, who waited longest first, and probes others
    /// with what is left: players, then spectators.
    fn ration(&mut self) {
        self.workspace.catch_up.sort();
        let (mut behind, mut probed) = (0, 0);
        for spectators in [false, true] {
            self.catch_up(spectators, &mut behind);
            self.probe(spectators, &mut probed);
        }
    }

    /// Serves those who fell behind, the players or the spectators, from the `nth` in order on.
    fn catch_up(&mut self, spectators: bool, nth: &mut usize) {
        let catch_up = &mut self.workspace.catch_up;
        let (tick, every) = (self.tick, self.cadence.every());
        while let Some(&(since, player)) = catch_up.queue.get(*nth)
            && is_spectator(player) == spectators
        {
            *nth += 1;
            let Some(receiver) = self.members.receiver_mut(player) else {
                continue;
            };
            match catch_up.grant(since, receiver.layers.shared(), tick, every) {
                Grant::Delta => {
                    self.stats.catch_ups += 1;
                    receiver.turn = Turn::Send;
                }
                Grant::Keyframe => {
                    self.stats.catch_up_keyframes += 1;
                    receiver.layers.lose_all();
                    receiver.turn = Turn::Send;
                }
                Grant::Later => {}
            }
        }
    }

    /// Probes, in the same way.
    fn probe(&mut self, spectators: bool, nth: &mut usize) {
        let catch_up = &mut self.workspace.catch_up;
        while let Some(&(_, player)) = catch_up.probers.get(*nth)
            && is_spectator(player) == spectators
        {
            *nth += 1;
            let Some(receiver) = self.members.receiver_mut(player) else {
                continue;
            };
            let shared = receiver.layers.shared();
            if catch_up.grant_probe(shared, &mut self.probes, spectators) {
                self.stats.probes += 1;
                receiver.turn = Turn::Probe;
            }
        }
    }

    /// Appends a player's snapshot of the newest tick to `out`, without WebSocket framing.
    /// `writable` says that nothing older waits to be written to them. Returns false, and
    /// leaves `out` alone, where the player is skipped, has this tick already, or the tick made
    /// no image; else the bytes count as sent.
    pub fn compose(&mut self, player: PlayerId, writable: bool, out: &mut Vec<u8>) -> bool {
        let (tick, calm) = (self.tick, self.cadence.ticks_in(CALM_SECONDS));
        let (Some((head, receiver)), Some(image)) =
            (self.members.headed(player, tick), self.ring.newest())
        else {
            return false;
        };
        let number = image.number;
        let stats = &mut self.stats;
        let turn = std::mem::take(&mut receiver.turn);
        // Who is not due has not fallen behind.
        if image.tick != tick || turn == Turn::Pass || (turn == Turn::Probe && !writable) {
            return false;
        }
        if !writable || turn == Turn::Skip {
            let (mine, all) = if writable {
                (
                    &mut receiver.tally.skipped_credit,
                    &mut stats.skipped_credit,
                )
            } else {
                (
                    &mut receiver.tally.skipped_blocked,
                    &mut stats.skipped_unwritable,
                )
            };
            *mine += 1;
            *all += 1;
            let moved = receiver.tier.fell_behind(tick, calm);
            stats.tiers_slower += u64::from(moved == Move::Slower);
            return false;
        }
        if turn == Turn::Wait {
            receiver.tier.wait(tick);
            receiver.tally.skipped_rationed += 1;
            stats.skipped_rationed += 1;
            return false;
        }
        let workspace = &mut *self.workspace;
        let (fan_out, section) = (&mut workspace.fan_out, &mut workspace.section);
        let start = out.len();
        head.encode(out);
        let (layout, ring) = (&self.game.layout, &self.ring);
        let sources = &mut workspace.sources;
        if let Some(groups) = receiver.layers.groups(&receiver.groups) {
            groups.sources(sources);
            section.clear();
            groups.turn_to(&receiver.groups, section);
            if !section.is_empty() {
                push_section(SectionKind::Closed, section, out);
            }
        }
        let wanted = interest::layers(layout, player, receiver.team);
        let append = |body| fan_out.append(layout, ring, body, out);
        receiver.layers.send(tick, wanted, append);
        if let Some(groups) = receiver.layers.groups(&receiver.groups) {
            groups.send(tick, |number, group, held| {
                fan_out.append_group(layout, ring, (number, group, held), sources, out)
            });
        }
        section.clear();
        self.events.append(&receiver.listener(), tick, section);
        if !section.is_empty() {
            push_section(SectionKind::Events, section, out);
        }
        let bytes = (out.len() - start) as u32;
        receiver.sent(tick, number);
        receiver.in_flight.sent(tick, bytes);
        receiver.tally.sent += 1;
        stats.tiers_faster += u64::from(receiver.tier.served(tick, calm) == Move::Faster);
        stats.snapshots_sent += 1;
        stats.snapshot_bytes += u64::from(bytes);
        true
    }
}

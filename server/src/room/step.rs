//! One step of a room: inputs, the game's systems, what they said and changed, and the image of it
//! that is sent. The order is the room's contract with its game; who gets which part of an image is
//! `send_rate`'s.

use tickwire::ids::PlayerId;
use tickwire::limits::ACK_STALL_SECONDS;
use tickwire::protocol::CloseCode;

use super::{Effect, Room, resources};
use crate::game::{self, Game, Groups, Input, Out};
use crate::replication::capture::{Viewer, group_of, team_of};
use crate::replication::value::Raw;

impl<G: Game> Room<G> {
    /// One step: every member's input for this tick, the game's systems, then the image.
    pub fn tick(&mut self) {
        self.tick = self.tick.next();
        self.simulated = self.tick;
        let tick = self.tick;
        // Not after the image, which would show players who are gone.
        self.close_stalled();
        self.expire_seats();
        resources::own::<game::Tick>(&mut self.world).number = tick.0;
        self.apply_inputs();
        resources::with(&mut self.world, |world| self.schedule.run(world));
        for player in std::mem::take(&mut resources::own::<Out>(&mut self.world).kicked) {
            self.kick(player);
        }
        self.capture.snap(&mut self.world);
        self.describe();
        self.collect_events();
        self.spread();
        if self.snapshot_due() {
            self.capture_image();
            self.take_turns();
        }
        self.world.clear_trackers();
    }

    /// Whether the newest tick made an image to send.
    pub fn snapshot_due(&self) -> bool {
        self.tick.0 > 0 && self.tick.0.is_multiple_of(self.cadence.every())
    }

    fn apply_inputs(&mut self) {
        let (tick, tick_rate) = (self.tick, self.options.tick_rate);
        for member in self.members.iter_mut() {
            let taken = member.inputs.take(tick);
            member.substituted = taken.substituted;
            self.stats.inputs_substituted += u64::from(taken.substituted);
            if let Some(mut input) = self.world.get_mut::<Input<G::Input>>(member.entity) {
                *input = Input {
                    view: taken.input.view_at(tick, tick_rate),
                    now: taken.input.input,
                    substituted: taken.substituted,
                };
            }
        }
    }

    /// What the game said in this tick, and how a round ended.
    fn collect_events(&mut self) {
        let tick = self.tick;
        self.events.expire(tick);
        let mut out = self.world.resource_mut::<Out>();
        let (queued, result) = (std::mem::take(&mut out.queued), out.result.take());
        if let Some(result) = result {
            let members = &self.members;
            let here = |player| {
                let member = members.get(player);
                member.map(|member| (&*member.name, &member.identity))
            };
            self.effects.extend(self.results.end(result, here));
        }
        for event in &queued {
            self.name_entities(event);
            self.events
                .push(tick, event, &self.game.schema, &self.capture.slots);
        }
        // The memory goes back, so that a tick with events allocates no queue.
        let mut queued = queued;
        queued.clear();
        self.world.resource_mut::<Out>().queued = queued;
    }

    /// Gives a slot to an entity that an event names before any image showed it.
    fn name_entities(&mut self, event: &game::Queued) {
        for raw in &event.contents.values {
            if let Raw::Entity(Some(entity)) = *raw
                && self.capture.slots.handle(entity).is_none()
                && self.world.get_entity(entity).is_ok()
            {
                let is_avatar = self.members.iter().any(|member| member.entity == entity);
                let kept = if is_avatar { 0 } else { self.slots_kept() };
                self.capture.slots.assign(&mut self.world, entity, kept);
            }
        }
    }

    fn capture_image(&mut self) {
        self.forget_images();
        let workspace = &mut *self.workspace;
        let (capture, viewers) = (&mut workspace.capture, &mut workspace.viewers);
        viewers.clear();
        resources::check(&self.world);
        let groups = self.world.resource::<Groups>();
        for member in self.members.iter_mut() {
            let team = team_of(&self.world, member.entity);
            member.receiver.team = team;
            let own = group_of(&self.world, member.entity);
            let unheld = member.receiver.choose_groups(own, groups);
            self.stats.groups_unheld += unheld as u64;
            viewers.push(Viewer {
                player: member.player(),
                avatar: member.entity,
                team,
            });
        }
        for spectator in self.members.audience.iter_mut() {
            let unheld = spectator.receiver.choose_groups(None, groups);
            self.stats.groups_unheld += unheld as u64;
        }
        self.ring.drop_residuals(&mut capture.residuals);
        let mut image = self.ring.recycle();
        image.tick = self.tick;
        self.capture.run(
            &mut self.world,
            &self.game.layout,
            viewers,
            self.options.seats,
            &self.ring,
            &mut image,
            capture,
        );
        self.ring.push(image);
        workspace.fan_out.clear();
    }

    fn close_stalled(&mut self) {
        let tick = self.tick;
        let limit = self.cadence.ticks_in(ACK_STALL_SECONDS);
        let receivers = self.members.receivers();
        let stalled = receivers.filter(|receiver| receiver.in_flight.waiting(tick) > limit);
        let stalled: Vec<PlayerId> = stalled.map(|receiver| receiver.player).collect();
        for player in stalled {
            self.disconnect(player);
            let code = CloseCode::Stalled;
            self.effects.push_back(Effect::Close { player, code });
        }
    }
}

//! A room's members as they are saved: all that outlasts a connection, and the inputs that wait.
//! What belongs to a connection is not: it ends with the process, and the next one begins with a
//! keyframe.

use std::borrow::Cow;

use bevy_ecs::prelude::Entity;
use serde::{Deserialize, Serialize};
use tickwire::ids::{PlayerId, Tick};
use tickwire::limits::{CHAT_BURST, NAME_CHARS_MAX, PLAYER_NUMBERS};
use tickwire::netcode::input_queue::InputQueue;

use crate::by_player::is_spectator;
use crate::game::{Game, GameDef, Identity, Options, Player};
use crate::room::members::{Member, Members};
use crate::room::seat_tokens::SeatTokens;
use crate::room::told::Told;
use crate::room::viewed_input::ViewedInput;

/// Bytes of an identity's subject: 128 characters.
const SUBJECT_BYTES_MAX: usize = 4 * 128;

/// The members of a room.
#[derive(Serialize, Deserialize)]
pub(super) struct SavedMembers<'a> {
    members: Vec<SavedMember<'a>>,
    joined: u32,
    next: u16,
    /// The number of whoever looks on next: a game may still remember those before.
    next_spectator: PlayerId,
}

#[derive(Serialize, Deserialize)]
struct SavedMember<'a> {
    player: PlayerId,
    name: Cow<'a, str>,
    subject: Cow<'a, str>,
    is_guest: bool,
    options: Options,
    order: u32,
    stirred: Tick,
    chat_left: u32,
    chat_at: Tick,
    muted_until: Tick,
    told: Told,
    came_at: Tick,
    tokens: SeatTokens,
    ready: bool,
    seen_max: Tick,
    answered: bool,
    away_since: Option<Tick>,
    entity: Entity,
    /// Each input as it came.
    inputs: InputQueue<ViewedInput<Vec<u8>>>,
    substituted: bool,
    team: Option<u8>,
}

impl<'a> SavedMembers<'a> {
    /// With the inputs that wait, or without.
    pub(super) fn of<G: Game>(
        members: &'a Members<G::Input>,
        game: &GameDef<G>,
        with_inputs: bool,
    ) -> SavedMembers<'a> {
        SavedMembers {
            members: members
                .iter()
                .filter_map(|member| save(member, game, with_inputs))
                .collect(),
            joined: members.joined,
            next: members.next,
            next_spectator: members.audience.next,
        }
    }

    /// They again, in a room of so many seats and places for spectators at `tick`; `None` if there
    /// are no such members.
    pub(super) fn restore<G: Game>(
        self,
        (seats, spectators): (u16, u16),
        tick: Tick,
        game: &GameDef<G>,
    ) -> Option<Members<G::Input>> {
        let mut members = Members::new(seats, spectators);
        let mut least = 0;
        for saved in self.members {
            let number = saved.player.0;
            if !(least..PLAYER_NUMBERS).contains(&number) {
                return None;
            }
            least = number + 1;
            members.sit(restore(saved, tick, game)?);
        }
        (members.joined, members.next) = (self.joined, self.next % PLAYER_NUMBERS);
        members.audience.next = self.next_spectator;
        let is_counted = members.iter().all(|member| member.order <= members.joined);
        if !is_spectator(self.next_spectator) || members.joined > u32::MAX / 2 || !is_counted {
            return None;
        }
        Some(members)
    }
}

fn save<'a, G: Game>(
    member: &'a Member<G::Input>,
    game: &GameDef<G>,
    with_inputs: bool,
) -> Option<SavedMember<'a>> {
    let pack = |viewed: &ViewedInput<_>| Some(viewed.with(game.pack_input(&viewed.input)));
    Some(SavedMember {
        player: member.player(),
        name: Cow::Borrowed(&member.name),
        subject: Cow::Borrowed(&member.identity.subject),
        is_guest: member.identity.is_guest,
        options: member.options.clone(),
        order: member.order,
        stirred: member.stirred,
        chat_left: member.talk.left,
        chat_at: member.talk.at,
        muted_until: member.muted_until,
        told: member.receiver.told,
        came_at: member.receiver.came_at,
        tokens: member.tokens,
        ready: member.ready,
        seen_max: member.seen_max,
        answered: member.has_answered(),
        away_since: member.away_since,
        entity: member.entity,
        inputs: match with_inputs {
            true => member.inputs.try_map(pack)?,
            false => InputQueue::new(game.schema.newest_wins),
        },
        substituted: member.substituted,
        team: member.receiver.team,
    })
}

fn restore<G: Game>(
    saved: SavedMember<'_>,
    tick: Tick,
    game: &GameDef<G>,
) -> Option<Member<G::Input>> {
    // Longer ones would be in messages to everyone.
    if saved.name.len() > 4 * NAME_CHARS_MAX || saved.subject.len() > SUBJECT_BYTES_MAX {
        return None;
    }
    let who = Player {
        id: saved.player,
        name: saved.name.into_owned(),
        identity: Identity {
            subject: saved.subject.as_ref().into(),
            is_guest: saved.is_guest,
        },
        options: game.options.player.complete(&saved.options)?,
    };
    let unpack = |viewed: &ViewedInput<Vec<u8>>| {
        let input = game.unpack_input(&viewed.input)?;
        Some(viewed.with(input))
    };
    let inputs = saved.inputs.try_map(unpack)?;
    let newest_wins = game.schema.newest_wins;
    let mut member = Member::new(who, saved.entity, saved.order, newest_wins, tick);
    member.inputs = inputs;
    member.stirred = saved.stirred;
    (member.talk.left, member.talk.at) = (saved.chat_left.min(CHAT_BURST), saved.chat_at);
    member.muted_until = saved.muted_until;
    member.receiver.told = saved.told;
    member.receiver.came_at = saved.came_at;
    member.tokens = saved.tokens;
    member.ready = saved.ready;
    member.seen_max = saved.seen_max;
    member.answered = saved.answered;
    member.away_since = saved.away_since;
    member.substituted = saved.substituted;
    member.receiver.team = saved.team;
    Some(member)
}

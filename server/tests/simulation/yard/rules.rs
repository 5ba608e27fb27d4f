//! What happens in a tick of the yard, and what its actions do.

use bevy_ecs::prelude::*;
use rand::RngExt;
use serde::{Deserialize, Serialize};
use tickwire::ids::Tick as TickNumber;
use tickwire_server::game::{
    Group, Groups, Input, Out, Owner, Player, RoomRng, Roster, Team, Tick, To,
};

use super::parts::{NOBODY, Whose, private};
use super::{
    Adopt, Avatar, Bye, Cry, DEED, Deed, Diary, Drift, Look, News, Plan, Poke, Pos, Purse, Push,
    Round, Said, Tag, Walk, Whisper, chance, say,
};

/// How many things there are, and the number of the next.
#[derive(Resource, Serialize, Deserialize)]
pub(super) struct Births {
    target: u32,
    born: u32,
}

impl Births {
    pub(super) fn new(target: u16) -> Births {
        Births {
            target: u32::from(target),
            born: 0,
        }
    }

    pub(super) fn number(&mut self) -> u32 {
        self.born += 1;
        self.born
    }
}

pub(super) fn count_round(mut round: ResMut<Round>, mut rng: ResMut<RoomRng>) {
    round.number += 1;
    if chance(&mut rng, 3) {
        round.noise = rng.0.random_range(0..1 << 27);
    }
}

pub(super) fn push(mut avatars: Query<(&mut Pos, &mut Purse, &Input<Push>)>) {
    for (mut pos, mut purse, input) in &mut avatars {
        pos.x = (pos.x + input.now.dx * 0.7).clamp(-500., 500.);
        purse.coins += u32::from(input.now.cry);
    }
}

#[allow(clippy::type_complexity)]
pub(super) fn roam(
    tick: Res<Tick>,
    mut rng: ResMut<RoomRng>,
    mut drifting: Query<&mut Drift>,
    mut walking: Query<&mut Walk>,
    mut strolling: Query<&mut Pos, Without<Avatar>>,
) {
    for mut drift in &mut drifting {
        if chance(&mut rng, 30) {
            drift.vx = rng.0.random_range(-30.0..30.0);
        }
        drift.x = (drift.x + drift.vx * tick.dt as f32).clamp(0., 500.);
    }
    for mut walk in &mut walking {
        if chance(&mut rng, 10) {
            walk.heading += rng.0.random_range(-0.5..0.5);
        }
        let (x, y) = (walk.heading.cos(), walk.heading.sin());
        walk.x = (walk.x + x).clamp(-500., 500.);
        walk.y = (walk.y + y).clamp(-500., 500.);
    }
    for mut pos in &mut strolling {
        pos.x = (pos.x + 0.37).rem_euclid(500.);
        if chance(&mut rng, 20) {
            pos.y = rng.0.random_range(0.0..90.0);
        }
    }
}

/// Things are born and die, gain and lose components, and are cloned.
#[allow(clippy::type_complexity, clippy::too_many_arguments)]
pub(super) fn live_and_die(
    mut commands: Commands,
    tick: Res<Tick>,
    mut rng: ResMut<RoomRng>,
    mut births: ResMut<Births>,
    mut out: ResMut<Out>,
    mut diary: ResMut<Diary>,
    things: Query<(Entity, &Tag, Has<Pos>, Has<Look>), Without<Avatar>>,
    avatars: Query<Entity, With<Avatar>>,
) {
    let mut alive = 0;
    let mut last = None;
    for (thing, tag, has_pos, has_look) in &things {
        if chance(&mut rng, 60) {
            let said = said(&mut diary, &tick, To::All, 1, Some((tag.id, true)));
            let bye = Bye {
                serial: said.serial,
                who: Some(thing),
            };
            say(&mut out, &mut diary, said, bye);
            commands.entity(thing).despawn();
            continue;
        }
        alive += 1;
        if chance(&mut rng, 50) {
            if has_pos {
                commands.entity(thing).remove::<Pos>();
            } else {
                commands.entity(thing).insert(Pos { x: 3., y: 4. });
            }
        }
        if chance(&mut rng, 50) {
            if has_look {
                commands.entity(thing).remove::<Look>();
            } else {
                let name = format!("n{}", tag.id % 10_000);
                commands.entity(thing).insert(Look {
                    follows: last,
                    name,
                });
            }
        }
        if chance(&mut rng, 200) {
            clone(&mut commands, &mut births, thing);
        }
        last = Some(thing);
    }
    for avatar in &avatars {
        if chance(&mut rng, 300) {
            clone(&mut commands, &mut births, avatar);
        }
    }
    while alive < births.target {
        alive += 1;
        let id = births.number();
        let mut thing = commands.spawn((Tag { id }, Purse::default(), Plan::default()));
        match rng.0.random_range(0..4) {
            0 => thing.insert(Drift { x: 250., vx: 0. }),
            1 => thing.insert(Walk {
                x: 0.,
                y: 0.,
                heading: 0.,
            }),
            2 => thing.insert(Pos { x: 1., y: 2. }),
            _ => &mut thing,
        };
        if chance(&mut rng, 3) {
            thing.insert(Team(rng.0.random_range(0..2)));
        }
    }
}

/// Things and players change teams; things change owners.
#[allow(clippy::type_complexity)]
pub(super) fn change_sides(
    mut commands: Commands,
    mut rng: ResMut<RoomRng>,
    roster: Res<Roster>,
    things: Query<(Entity, Option<&Team>, Option<&Owner>, Has<Avatar>), With<Tag>>,
) {
    for (thing, team, owner, avatar) in &things {
        if chance(&mut rng, 80) {
            match team {
                Some(Team(0)) => commands.entity(thing).insert(Team(1)),
                Some(_) => commands.entity(thing).remove::<Team>(),
                None => commands.entity(thing).insert(Team(0)),
            };
        }
        if !avatar && chance(&mut rng, 40) {
            let member = rng.0.random_range(0..=roster.members.len());
            match (roster.members.get(member), owner) {
                (Some(member), _) => {
                    commands.entity(thing).insert(Owner(member.player));
                }
                (None, Some(_)) => {
                    commands.entity(thing).remove::<Owner>();
                }
                (None, None) => {}
            }
        }
    }
}

/// Groups of the yard.
const GROUPS: u16 = 12;

/// Things and players go from group to group, into groups and out of them.
pub(super) fn change_groups(
    mut commands: Commands,
    mut rng: ResMut<RoomRng>,
    mut diary: ResMut<Diary>,
    things: Query<(Entity, Option<&Group>), With<Tag>>,
) {
    for (thing, group) in &things {
        if chance(&mut rng, 12) {
            let next = Group(rng.0.random_range(0..GROUPS));
            diary.moves += u64::from(group.is_some_and(|group| *group != next));
            commands.entity(thing).insert(next);
        } else if chance(&mut rng, 60) {
            commands.entity(thing).remove::<Group>();
        }
    }
}

/// Who plays or looks on looks here and there.
pub(super) fn look_about(
    mut rng: ResMut<RoomRng>,
    mut groups: ResMut<Groups>,
    roster: Res<Roster>,
) {
    let players = roster.members.iter().map(|member| member.player);
    for number in players.chain(roster.spectators.iter().copied()) {
        match rng.0.random_range(0..40) {
            0 => {
                let seen = (0..GROUPS).filter(|_| chance(&mut rng, 2));
                let seen: Vec<u16> = seen.collect();
                groups.set(number, seen);
            }
            1 => groups.show(number, rng.0.random_range(0..GROUPS)),
            2 => groups.hide(number, rng.0.random_range(0..GROUPS)),
            _ => {}
        }
    }
}

/// Another thing of what a thing is made of, which is nobody's.
fn clone(commands: &mut Commands, births: &mut Births, of: Entity) {
    let id = births.number();
    commands.entity(of).clone_and_spawn().insert(Tag { id });
}

/// Private values follow their things to new owners and teams, and change.
#[allow(clippy::type_complexity)]
pub(super) fn mark_secrets(
    mut rng: ResMut<RoomRng>,
    mut things: Query<(&mut Purse, &mut Plan, Option<&Owner>, Option<&Team>)>,
) {
    for (mut purse, mut plan, owner, team) in &mut things {
        let noise = rng.0.random();
        // What is nobody's is in nobody's layer.
        let owner = owner.map_or(tickwire::ids::PlayerId(NOBODY), |owner| owner.0);
        purse.secret = private(Whose::Player(owner), noise);
        plan.secret = private(Whose::Team(team.map_or(0xFF, |team| team.0)), noise);
        plan.goal = (plan.goal + noise % 2) % 700;
    }
}

fn said(diary: &mut Diary, tick: &Tick, to: To, event: u16, names: Option<(u32, bool)>) -> Said {
    Said {
        tick: TickNumber(tick.number),
        to,
        serial: diary.serial(),
        event,
        names,
        secret: None,
        note: None,
    }
}

/// Everybody hears cries and news; whispers are for one; deeds are remembered. Now and then one who
/// looks on is sent away.
pub(super) fn speak(
    tick: Res<Tick>,
    mut rng: ResMut<RoomRng>,
    mut out: ResMut<Out>,
    mut diary: ResMut<Diary>,
    roster: Res<Roster>,
    avatars: Query<(Entity, &Tag, &Owner, &Input<Push>)>,
) {
    for (avatar, tag, owner, input) in &avatars {
        if input.now.cry {
            let to = To::AllBut(owner.0);
            let said = said(&mut diary, &tick, to, 0, Some((tag.id, false)));
            let cry = Cry {
                serial: said.serial,
                who: Some(avatar),
            };
            say(&mut out, &mut diary, said, cry);
        }
        if chance(&mut rng, 20) {
            let secret = private(Whose::Player(owner.0), rng.0.random());
            let mut said = said(&mut diary, &tick, To::Player(owner.0), 2, None);
            said.secret = Some(secret);
            let serial = said.serial;
            say(&mut out, &mut diary, said, Whisper { serial, secret });
        }
    }
    for spectator in &roster.spectators {
        if chance(&mut rng, 20) {
            let secret = rng.0.random_range(0..1 << 27);
            let mut said = said(&mut diary, &tick, To::Player(*spectator), 2, None);
            said.secret = Some(secret);
            let serial = said.serial;
            say(&mut out, &mut diary, said, Whisper { serial, secret });
        }
        if chance(&mut rng, 2_000) && !diary.is_calm {
            out.kick(*spectator);
        }
    }
    if let Some((avatar, tag, owner, _)) = avatars.iter().next()
        && chance(&mut rng, 12)
    {
        let to = match rng.0.random_range(0..6) {
            0 => To::Player(owner.0),
            1 => To::AllBut(owner.0),
            2 => To::Team(rng.0.random_range(0..2)),
            _ => To::All,
        };
        let said = said(&mut diary, &tick, to, DEED, Some((tag.id, false)));
        let deed = Deed {
            serial: said.serial,
            who: Some(avatar),
        };
        say(&mut out, &mut diary, said, deed);
    }
    if chance(&mut rng, 15) {
        let mut said = said(&mut diary, &tick, To::All, 3, None);
        let note = format!("[{}]", said.serial);
        said.note = Some(note.clone());
        let serial = said.serial;
        say(&mut out, &mut diary, said, News { serial, note });
    }
}

/// Writes an answer down.
fn answer(world: &mut World, who: &Player, result: Result<(), String>) -> Result<(), String> {
    let mut diary = world.resource_mut::<Diary>();
    diary.answers.push((who.id, result.clone()));
    result
}

pub(super) fn adopt(world: &mut World, who: &Player, adopt: Adopt) -> Result<(), String> {
    let result = match adopt.whom {
        Some(thing) if world.get::<Avatar>(thing).is_some() => Err("a player".to_owned()),
        Some(thing) => match world.get::<Owner>(thing).map(|owner| owner.0) {
            None => {
                world.entity_mut(thing).insert(Owner(who.id));
                Ok(())
            }
            Some(owner) if owner == who.id => {
                world.entity_mut(thing).remove::<Owner>();
                Ok(())
            }
            Some(owner) => Err(format!("it is {owner}'s")),
        },
        None => Err("nobody there".to_owned()),
    };
    answer(world, who, result)
}

pub(super) fn poke(world: &mut World, who: &Player, poke: Poke) -> Result<(), String> {
    let purse = poke.whom.and_then(|whom| world.get_mut::<Purse>(whom));
    let result = match purse {
        Some(mut purse) => {
            purse.coins = (purse.coins + poke.coins) % 1_000_000;
            Ok(())
        }
        None => Err(format!("no purse for {}", poke.coins)),
    };
    answer(world, who, result)
}

//! What the world was at a tick, read from its components without the engine's capture, and what an
//! image of it must hold. Things are known by their tags here, not by slots.

use bevy_ecs::prelude::*;
use tickwire::exact;
use tickwire::ids::{Handle, PlayerId, Tick};
use tickwire::schema::{Kind, text_words};
use tickwire::snapshot::column_set::{ColumnSet, Guess};
use tickwire::snapshot::image::{LayerImage, OwnerCode};
use tickwire::snapshot::layout::Layout;
use tickwire_server::game::{self, Group, Groups, Owner, Roster, Team};

use super::handles::Handles;
use crate::broken::{Broken, Check};
use crate::yard::{Avatar, Drift, Look, Plan, Pos, Purse, Round, Tag, Walk, Whose, whose};

/// Stands for "no thing" in a field that names one.
const NOBODY: u32 = u32::MAX;
/// The tag of what describes the room.
const ROOM_TAG: u32 = 0;

/// Whose eyes a layer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    Room,
    Group(u16),
    Owner(PlayerId),
    Team(Option<u8>),
}

impl Scope {
    fn set(self, layout: &Layout) -> &ColumnSet {
        match self {
            Scope::Room | Scope::Group(_) => &layout.room,
            Scope::Owner(_) => &layout.owner,
            Scope::Team(_) => &layout.team,
        }
    }

    fn may_know(self, secret: Whose) -> bool {
        match self {
            Scope::Room | Scope::Group(_) => false,
            Scope::Owner(player) => secret == Whose::Player(player),
            Scope::Team(team) => team.is_some_and(|team| secret == Whose::Team(team)),
        }
    }
}

/// A thing with copies of what it had.
struct Thing {
    tag: u32,
    /// 0, if its owner is no member.
    owner: u16,
    player: Option<PlayerId>,
    team: Option<u8>,
    group: Option<u16>,
    pos: Option<(f64, f64)>,
    drift: Option<(f32, f32)>,
    look: Option<(u32, String)>,
    walk: Option<(f64, f64, f64)>,
    purse: Option<(u32, u32)>,
    plan: Option<(u32, u32)>,
}

/// One field's value.
enum Value {
    Number(f64),
    Thing(u32),
    Text(String),
}

/// The world at a tick.
pub(crate) struct Truth {
    pub(crate) tick: Tick,
    /// By rising tag.
    things: Vec<Thing>,
    round: (u32, u32),
    /// Members, with what team their avatars are in.
    members: Vec<(PlayerId, Option<u8>)>,
    /// The groups that each of them is to hold, and each of those who look on, rising.
    held: Vec<(PlayerId, Vec<u16>)>,
    /// Images that were compared with the world already, and whether they were bare: all later ones
    /// must equal them, in what predictors remember too.
    judged: Vec<(Scope, bool, LayerImage)>,
}

#[allow(clippy::type_complexity)]
type Things = QueryState<(
    &'static Tag,
    Has<Avatar>,
    Option<&'static Owner>,
    Option<&'static Team>,
    Option<&'static Group>,
    Option<&'static Pos>,
    Option<&'static Drift>,
    Option<&'static Look>,
    Option<&'static Walk>,
    Option<&'static Purse>,
    Option<&'static Plan>,
)>;

/// What the world was when the game's systems had run: before anybody is told, and before anybody
/// leaves for what happens to their connection.
#[derive(Resource)]
pub(crate) struct Witness {
    things: Things,
    pub(crate) truth: Option<Truth>,
}

/// The game's last system.
pub(crate) fn witness(world: &mut World) {
    world.resource_scope(|world, mut witness: Mut<Witness>| {
        let tick = Tick(world.resource::<game::Tick>().number);
        witness.truth = Some(witness.read(world, tick));
    });
}

/// As the engine leaves a predicted value after each tick.
fn exactly(value: f64) -> f64 {
    exact::round(value * 1024.) / 1024.
}

impl Witness {
    pub(crate) fn new(world: &mut World) -> Witness {
        Witness {
            things: world.query(),
            truth: None,
        }
    }

    fn read(&mut self, world: &World, tick: Tick) -> Truth {
        let roster = world.resource::<Roster>();
        let mut members: Vec<(PlayerId, Option<u8>)> = roster
            .members
            .iter()
            .map(|member| (member.player, None))
            .collect();
        let mut things = Vec::new();
        let groups = world.resource::<Groups>();
        let all = members.iter().map(|(member, _)| *member);
        let all = all.chain(roster.spectators.iter().copied());
        let mut held: Vec<(PlayerId, Vec<u16>)> = all
            .map(|number| (number, groups.of(number).to_vec()))
            .collect();
        for (tag, avatar, owner, team, group, pos, drift, look, walk, purse, plan) in
            self.things.iter(world)
        {
            let team = team.map(|team| team.0);
            let player = owner
                .map(|owner| owner.0)
                .filter(|player| members.iter().any(|(member, _)| member == player));
            if let (true, Some(player)) = (avatar, player)
                && let Some(at) = members.iter().position(|(member, _)| *member == player)
            {
                members[at].1 = team;
                held[at].1.extend(group.map(|group| group.0));
            }
            let follows = |look: &Look| {
                let followed = look.follows.and_then(|whom| world.get::<Tag>(whom));
                followed.map_or(NOBODY, |tag| tag.id)
            };
            things.push(Thing {
                tag: tag.id,
                owner: player.map_or(0, |player| OwnerCode { player, avatar }.encode()),
                player,
                team,
                group: group.map(|group| group.0),
                pos: pos.map(|pos| (exactly(pos.x), exactly(pos.y))),
                drift: drift.map(|drift| (drift.x, drift.vx)),
                look: look.map(|look| (follows(look), look.name.clone())),
                walk: walk.map(|walk| (walk.x, walk.y, walk.heading)),
                purse: purse.map(|purse| (purse.coins, purse.secret)),
                plan: plan.map(|plan| (plan.goal, plan.secret)),
            });
        }
        things.sort_unstable_by_key(|thing| thing.tag);
        let round = world.resource::<Round>();
        Truth {
            tick,
            things,
            round: (round.number, round.noise),
            members,
            held: held
                .into_iter()
                .map(|(number, groups)| (number, in_order(groups)))
                .collect(),
            judged: Vec::new(),
        }
    }
}

fn in_order(mut groups: Vec<u16>) -> Vec<u16> {
    groups.sort_unstable();
    groups.dedup();
    groups
}

impl Thing {
    /// The fields of a component, by its number in the schema.
    fn fields(&self, component: usize) -> Option<Vec<Value>> {
        use Value::{Number, Text, Thing};
        let int = |n: u32| Number(f64::from(n));
        match component {
            0 => Some(vec![int(self.tag)]),
            1 => self.pos.map(|(x, y)| vec![Number(x), Number(y)]),
            2 => self
                .drift
                .map(|(x, vx)| vec![Number(x.into()), Number(vx.into())]),
            3 => self
                .look
                .as_ref()
                .map(|(follows, name)| vec![Thing(*follows), Text(name.clone())]),
            4 => self
                .walk
                .map(|(x, y, heading)| vec![Number(x), Number(y), Number(heading)]),
            5 => self
                .purse
                .map(|(coins, secret)| vec![int(coins), int(secret)]),
            6 => self.plan.map(|(goal, secret)| vec![int(goal), int(secret)]),
            _ => None,
        }
    }
}

/// An entity as an image should have it: handles are tags, change columns are 0.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    tag: u32,
    owner: u16,
    mask: u32,
    values: Vec<i32>,
}

impl Truth {
    /// The team that a member's avatar was in; the outer `None` for who was no member.
    pub(crate) fn team_of(&self, player: PlayerId) -> Option<Option<u8>> {
        let member = self.members.iter().find(|(member, _)| *member == player);
        member.map(|(_, team)| *team)
    }

    /// The groups that a member or spectator is to hold; `None` for who was neither.
    pub(crate) fn held_by(&self, player: PlayerId) -> Option<&[u16]> {
        let mut held = self.held.iter();
        let (_, groups) = held.find(|(number, _)| *number == player)?;
        Some(groups)
    }

    /// Whether nothing is in a group.
    pub(crate) fn is_empty(&self, group: u16) -> bool {
        self.things.iter().all(|thing| thing.group != Some(group))
    }

    /// The group that a layer shows, by who is in it; `None` if nobody is.
    pub(crate) fn group_of(&self, image: &LayerImage, set: &ColumnSet) -> Option<u16> {
        // The tag is the first column.
        let tag = *image.values.get(..set.width())?.first()? as u32;
        let thing = self.things.iter().find(|thing| thing.tag == tag);
        thing?.group
    }

    /// Judges an image that a client decoded, which came `bare` if that was from a keyframe.
    pub(crate) fn judge(
        &mut self,
        scope: Scope,
        (image, bare): (&LayerImage, bool),
        layout: &Layout,
        handles: &mut Handles,
    ) -> Result<(), Broken> {
        let set = scope.set(layout);
        let secrets = image.values.iter().filter_map(|&value| whose(value as u32));
        for secret in secrets {
            if !scope.may_know(secret) {
                let what = format!("{scope:?} at {} was shown {secret:?}'s", self.tick);
                return Err(Broken::new(Check::Privacy, what));
            }
        }
        if matches!(scope, Scope::Room | Scope::Group(_)) {
            for (index, head) in image.entities.iter().enumerate() {
                // The tag is the first component, and its first column.
                let tag = match head.mask & 1 {
                    0 => ROOM_TAG,
                    _ => image.view().row(index, set.width())[0] as u32,
                };
                handles.learn(head.handle(), tag, self.tick)?;
            }
        }
        let judged = |as_bare| {
            let mut judged = self.judged.iter();
            let of_it = judged.find(|(of, bare, _)| *of == scope && *bare == as_bare);
            of_it.map(|(_, _, image)| image)
        };
        let differs = match (judged(bare), judged(!bare)) {
            (Some(same), _) if same == image => return Ok(()),
            (Some(_), _) => true,
            (None, Some(whole)) if bare => whole.bare(set) != *image,
            (None, Some(other)) => image.bare(set) != *other,
            (None, None) => bare && image.bare(set) != *image,
        };
        if differs {
            let what = format!("{scope:?} at {} differs between two clients", self.tick);
            return Err(Broken::new(Check::Image, what));
        }
        let mut shown = Vec::new();
        for (index, head) in image.entities.iter().enumerate() {
            let row = image.view().row(index, set.width());
            let values = set.columns.iter().zip(row).map(|(column, &value)| {
                match (&column.guess, &column.kind) {
                    (Guess::Change | Guess::Bend, _) => 0,
                    (_, Kind::Entity) if head.mask >> 3 & 1 == 1 => match Handle::from_field(value)
                    {
                        Some(handle) => handles.tag(handle).unwrap_or(NOBODY - 1) as i32,
                        None => NOBODY as i32,
                    },
                    _ => value,
                }
            });
            shown.push(Row {
                tag: handles.tag(head.handle()).unwrap_or(NOBODY),
                owner: head.owner,
                mask: head.mask,
                values: values.collect(),
            });
        }
        shown.sort_unstable();
        let expected = self.rows(scope, set, handles);
        if shown != expected {
            let differs = shown.iter().zip(&expected).find(|(a, b)| a != b);
            let what = format!(
                "{scope:?} at {}: {} things for {}, first {differs:?}",
                self.tick,
                shown.len(),
                expected.len()
            );
            return Err(Broken::new(Check::Image, what));
        }
        self.judged.push((scope, bare, image.clone()));
        Ok(())
    }

    /// What an image must have. Of things that nobody has seen the oracle does not know the
    /// handles, though they may be named.
    fn rows(&self, scope: Scope, set: &ColumnSet, handles: &Handles) -> Vec<Row> {
        let mut rows = Vec::new();
        if scope == Scope::Room {
            rows.push(self.room_row(set));
        }
        for thing in &self.things {
            let within = match scope {
                Scope::Room => thing.group.is_none(),
                Scope::Group(group) => thing.group == Some(group),
                Scope::Owner(player) => thing.player == Some(player),
                Scope::Team(team) => team.is_some() && thing.team == team,
            };
            if !within {
                continue;
            }
            let mut row = Row {
                tag: if handles.knows(thing.tag) {
                    thing.tag
                } else {
                    NOBODY
                },
                owner: thing.owner,
                mask: 0,
                values: vec![0; set.width()],
            };
            for (number, component) in set.components.iter().enumerate() {
                if let Some(mut fields) = thing.fields(component.component) {
                    for field in &mut fields {
                        if let Value::Thing(tag) = field
                            && *tag != NOBODY
                            && !handles.knows(*tag)
                        {
                            *tag = NOBODY - 1;
                        }
                    }
                    row.mask |= 1 << number;
                    fill(
                        &mut row.values,
                        set,
                        component.start..component.end,
                        &fields,
                    );
                }
            }
            if row.mask != 0 {
                rows.push(row);
            }
        }
        rows.sort_unstable();
        rows
    }

    fn room_row(&self, set: &ColumnSet) -> Row {
        let number = set.components.len() - 1;
        let component = &set.components[number];
        let mut values = vec![0; set.width()];
        let fields = [self.round.0, self.round.1].map(|n| Value::Number(n.into()));
        fill(&mut values, set, component.start..component.end, &fields);
        Row {
            tag: ROOM_TAG,
            owner: 0,
            mask: 1 << number,
            values,
        }
    }
}

/// Writes a component's fields into its columns, leaving out what predictors remember.
fn fill(row: &mut [i32], set: &ColumnSet, columns: std::ops::Range<usize>, fields: &[Value]) {
    for at in columns {
        let column = &set.columns[at];
        if matches!(column.guess, Guess::Change | Guess::Bend) {
            continue;
        }
        row[at] = match &fields[column.field] {
            Value::Number(value) => column.quantise(*value),
            Value::Thing(tag) => *tag as i32,
            Value::Text(text) => {
                let first = set.columns[..at]
                    .iter()
                    .rev()
                    .take_while(|before| before.field == column.field && before.kind == column.kind)
                    .count();
                text_words(text, column.kind.words())
                    .nth(first)
                    .unwrap_or(0)
            }
        };
    }
}

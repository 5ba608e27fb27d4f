//! Players do what their input says: they go, look, reload and fire. How is `movement` and
//! `shooting`.

use bevy_ecs::prelude::*;
use bevy_ecs::query::QueryData;
use tickwire_server::game::{Input, Out, Owner, Tick};

use crate::components::{Gun, Heading, Health, Pos, Serial, Serials};
use crate::control::Control;
use crate::rounds::Round;
use crate::{movement, shooting};

/// A player as far as their input reaches.
#[derive(QueryData)]
#[query_data(mutable)]
pub(super) struct Acting {
    entity: Entity,
    serial: &'static Serial,
    owner: &'static Owner,
    input: &'static Input<Control>,
    health: &'static Health,
    pos: &'static mut Pos,
    heading: &'static mut Heading,
    gun: &'static mut Gun,
}

/// Has every player that is up act. What they shot flies once all have.
pub(super) fn act(
    tick: Res<Tick>,
    round: Res<Round>,
    mut serials: ResMut<Serials>,
    mut out: ResMut<Out>,
    mut commands: Commands,
    mut players: Query<Acting>,
) {
    let armed = round.phase().is_armed();
    let mut fired = Vec::new();
    for mut player in &mut players {
        if !player.health.is_up() {
            continue;
        }
        let now = &player.input.now;
        movement::go(now, &mut player.pos, &mut player.heading, tick.dt);
        shooting::reload(&mut player.gun, now.reload, &tick);
        if armed && now.fire && shooting::fire(&mut player.gun, &tick) {
            fired.push(shooting::Fired {
                serial: *player.serial,
                by: player.entity,
                owner: *player.owner,
                from: *player.pos,
                aim: now.aim,
                lag: f64::from(tick.number) - player.input.view,
            });
        }
    }
    shooting::launch_all(fired, &tick, &mut serials, &mut out, &mut commands);
}

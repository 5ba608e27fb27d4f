//! The smallest game, for tests to which it does not matter what is played: players who stand.

use std::marker::PhantomData;

use bevy_ecs::prelude::*;

use super::{Axes, Game, Player, RoomOptions, Schema};

/// See the module's description. `I` is its input.
pub(crate) struct Still<I = Axes>(PhantomData<I>);

impl<I: Default + Clone + Send + Sync + 'static> Game for Still<I> {
    const NAME: &'static str = "still";
    const SEATS_MAX: u16 = 9;
    type Input = I;

    fn schema(_: &mut Schema<Still<I>>) {}

    fn setup(_: &mut World, _: &mut Schedule, _: &RoomOptions) {}

    fn join(world: &mut World, _: &Player) -> Entity {
        world.spawn_empty().id()
    }
}

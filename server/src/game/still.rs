//! The smallest game, for tests to which it does not matter what is played: players who stand. Its
//! queue has three modes.

use std::marker::PhantomData;
use std::time::Duration;

use bevy_ecs::prelude::*;

use super::{Axes, Game, Player, RoomOptions, Schema};
use crate::queue::{AtTheEnd, Missing, Mode, Window};

/// See the module's description. `I` is its input.
pub(crate) struct Still<I = Axes>(PhantomData<I>);

impl<I: Default + Clone + Send + Sync + 'static> Game for Still<I> {
    const NAME: &'static str = "still";
    const SEATS_MAX: u16 = 9;
    type Input = I;

    fn schema(s: &mut Schema<Still<I>>) {
        let mode = |teams, team_size, missing| Mode {
            teams,
            team_size,
            window: Window {
                start: 2.0,
                per_second: 0.5,
                max: 12.0,
            },
            wait: Duration::from_secs(60),
            at_the_end: AtTheEnd::End,
            missing,
        };
        s.mode("duel", mode(2, 1, Missing::CallOff));
        s.mode("trio", mode(3, 1, Missing::PlayOn { least: 2 }));
        s.mode("pairs", mode(2, 2, Missing::CallOff));
        s.regions(&["eu", "us"]);
    }

    fn setup(_: &mut World, _: &mut Schedule, _: &RoomOptions) {}

    fn join(world: &mut World, _: &Player) -> Entity {
        world.spawn_empty().id()
    }
}

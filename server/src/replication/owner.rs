//! Whose an entity is: what decides, with a component's audience, who may see it. The game gives
//! both; capture reads them.

use bevy_ecs::prelude::Component;
use serde::{Deserialize, Serialize};
use tickwire::ids::PlayerId;

/// Which player an entity belongs to: they alone see its owner-only components. A clone of the
/// entity belongs to nobody, until it is given an owner too; and so does everything of a player who
/// left, after [`Game::leave`](crate::game::Game::leave).
#[derive(Component, Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[component(immutable, clone_behavior = Ignore)]
pub struct Owner(pub PlayerId);

/// Which team an entity belongs to: the players whose avatars have the same see its team-only
/// components. It is the game's to give and to take; a clone of the entity is in the same team.
#[derive(Component, Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Team(pub u8);

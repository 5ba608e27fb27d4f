//! Games that clear their world, and take the engine's resources with it: the room fails, and says
//! why.

use std::panic::{AssertUnwindSafe, catch_unwind};

use bevy_ecs::resource::IsResource;

use super::*;

fn failure(what: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(what)).expect_err("the room fails");
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("not a text").to_owned()
}

fn explains(message: &str) -> bool {
    [
        "a resource of the engine's",
        "Query<Entity>",
        "Without<IsResource>",
    ]
    .iter()
    .all(|part| message.contains(part))
}

fn clear_all(mut commands: Commands, all: Query<Entity>) {
    all.iter()
        .for_each(|entity| commands.entity(entity).despawn());
}

fn clear_own(mut commands: Commands, all: Query<Entity, Without<IsResource>>) {
    all.iter()
        .for_each(|entity| commands.entity(entity).despawn());
}

#[test]
fn a_system_that_despawns_every_entity_fails_its_room_which_says_what_happened() {
    // Last in the tick, and before systems that miss their resources.
    for before_others in [false, true] {
        let mut room = room(2, 1);
        Client::join(&mut room);
        room.tick();
        if before_others {
            room.schedule.add_systems(clear_all.before(push_boxes));
        } else {
            room.schedule.add_systems(clear_all.after(age_strays));
        }
        let message = failure(|| room.tick());
        assert!(explains(&message), "{message}");
    }
}

#[test]
fn hooks_and_actions_that_take_resources_away_are_told_as_well() {
    let ways: [fn(&mut World); 4] = [
        |world| world.clear_all(),
        |world| world.clear_entities(),
        |world| world.clear_resources(),
        |world| _ = world.remove_resource::<Out>(),
    ];
    for way in ways {
        let mut room = room(2, 1);
        let ann = Client::join(&mut room);
        room.tick();
        way(room.world_mut());
        let message = failure(|| room.leave(ann.player));
        assert!(explains(&message), "{message}");
        let message = failure(|| room.tick());
        assert!(explains(&message), "{message}");
    }
}

#[test]
fn a_panic_of_the_games_own_is_told_as_it_is() {
    let mut room = room(2, 1);
    room.schedule.add_systems(|| panic!("its own {}", "fault"));
    assert!(failure(|| room.tick()).contains("its own fault"));
}

#[test]
fn a_world_that_is_cleared_of_the_games_own_entities_plays_on() {
    let mut room = room(2, 1);
    let mut ann = Client::join(&mut room);
    room.schedule.add_systems(clear_own.before(push_boxes));
    for _ in 0..3 {
        room.tick();
        let mut bytes = Vec::new();
        assert!(room.compose(ann.player, true, &mut bytes));
        ann.receive(&room, &bytes);
        ann.ack(&mut room);
    }
    room.leave(ann.player);
    Client::join(&mut room);
    room.tick();
}

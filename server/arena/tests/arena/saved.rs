//! A room that is saved amid play and restored in another process goes on with the same bytes.

use tickwire_arena::Arena;
use tickwire_server::game::RoomOptions;

use crate::continuation::{Play, check};

/// Among so many drones hardly a second passes without a hit.
const NPCS: u16 = 12;

#[test]
fn a_saved_arena_goes_on_in_another_process_as_if_nothing_was() {
    let play = Play::<Arena> {
        test: "saved::a_saved_arena_goes_on_in_another_process_as_if_nothing_was",
        seeds: 50,
        before: 300,
        after: 150,
        options: |seed| RoomOptions {
            seed: seed.into(),
            grace: 50,
            npcs: NPCS,
            ..RoomOptions::default()
        },
        say: |_, _| None,
    };
    check(&play);
}

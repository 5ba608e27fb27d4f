//! What time does: deals when enough players sit, plays for who thinks too long, and clears the
//! table after a round. The only clock is the room's tick.

use bevy_ecs::prelude::*;
use tickwire_server::game::{Out, RoomRng, Tick, To};

use super::deck::{Deck, EIGHT};
use super::rules::{clear_hand, deal, draw_and_pass, pass_turn, players};
use super::table::{Dealt, Phase, Seat, Sign, Table};

/// Seconds for a turn.
pub(crate) const TURN_S: u32 = 20;
/// Seconds that the winner is shown.
pub(crate) const RESULT_S: u32 = 6;
/// Seconds from the second player to the first card.
const DEAL_S: u32 = 3;
/// Players of a round; more wait for the next one.
const PLAYERS_MAX: usize = 8;
/// Cards for each player at first.
const HAND: usize = 5;

/// The tick that is so many seconds away.
pub(crate) fn after(seconds: u32, tick: &Tick) -> u32 {
    tick.number + (f64::from(seconds) / tick.dt) as u32
}

/// The room's only system.
pub(crate) fn keep_time(world: &mut World) {
    let tick = *world.resource::<Tick>();
    let table = world.resource::<Table>();
    let is_over = table.ends != 0 && tick.number >= table.ends;
    match table.phase() {
        Phase::Waiting => wait(world, &tick, is_over),
        Phase::Play if players(world).len() < 2 => clear(world),
        Phase::Play => {
            let turn = world.resource::<Table>().turn;
            match turn.filter(|&seat| world.get::<Seat>(seat).is_some()) {
                None => pass_turn(world),
                Some(seat) if is_over => _ = draw_and_pass(world, seat, true),
                Some(_) => {}
            }
        }
        Phase::Over if is_over => clear(world),
        Phase::Over => {}
    }
    let stock = world.resource::<Deck>().height();
    world.resource_mut::<Table>().stock = stock;
    let playing = players(world).len() as u8;
    let phase = world.resource::<Table>().phase();
    Sign::show(&mut world.resource_mut::<Sign>(), phase, playing);
}

fn seats(world: &mut World) -> Vec<(u32, Entity)> {
    let mut seats = world.query::<(Entity, &Seat)>();
    let mut seats: Vec<(u32, Entity)> = seats
        .iter(world)
        .map(|(entity, seat)| (seat.number, entity))
        .collect();
    seats.sort_unstable();
    seats
}

fn wait(world: &mut World, tick: &Tick, is_over: bool) {
    let seats = seats(world);
    let mut table = world.resource_mut::<Table>();
    if seats.len() < 2 {
        table.ends = 0;
    } else if table.ends == 0 {
        table.ends = after(DEAL_S, tick);
    } else if is_over {
        start(world, seats);
    }
}

fn start(world: &mut World, mut seats: Vec<(u32, Entity)>) {
    seats.truncate(PLAYERS_MAX);
    let deck = Deck::shuffled(&mut world.resource_mut::<RoomRng>().0);
    world.insert_resource(deck);
    for &(_, seat) in &seats {
        for _ in 0..HAND {
            deal(world, seat);
        }
    }
    let top = world.resource_scope(|world, mut rng: Mut<RoomRng>| {
        let mut deck = world.resource_mut::<Deck>();
        // An eight would name no suit: it goes under the stock.
        while let Some(card) = deck.draw(&mut rng.0) {
            if card.rank != EIGHT {
                deck.play(card);
                return card;
            }
            deck.bury(card);
        }
        unreachable!("eight hands of five leave a card that is no eight")
    });
    let mut table = world.resource_mut::<Table>();
    table.enter(Phase::Play, 0);
    table.top = top;
    table.winner = None;
    world.resource_mut::<Sign>().round += 1;
    let players = seats.len() as u8;
    world.resource_mut::<Out>().send(To::All, Dealt { players });
    pass_turn(world);
}

fn clear(world: &mut World) {
    for (_, seat) in seats(world) {
        clear_hand(world, seat);
    }
    world.resource_mut::<Table>().enter(Phase::Waiting, 0);
}

//! What players may do in their turn, and what follows. Actions run between ticks; their error is
//! the player's answer.

use bevy_ecs::prelude::*;
use tickwire_server::game::{
    Declaration, Out, Owner, Player, RoomRng, Tick, To, entity, int, one_of,
};

use super::deck::{Card, Deck, EIGHT, RANKS, SUITS};
use super::rounds::{RESULT_S, TURN_S, after};
use super::table::{Drew, Face, Got, Phase, Played, Seat, Table, Won};

/// A request to play a card.
#[derive(Default)]
pub(crate) struct Play {
    card: Option<Entity>,
    /// The suit that an eight names.
    suit: u8,
}

impl Play {
    /// Declares its fields.
    pub(crate) fn fields(k: Declaration<Play>) -> Declaration<Play> {
        k.field("card", |p| &mut p.card, entity())
            .field("suit", |p| &mut p.suit, one_of(&SUITS))
    }
}

/// A request to draw a card, which ends the turn.
#[derive(Default)]
pub(crate) struct Draw;

/// Plays a card from the player's hand.
///
/// # Errors
/// It is not their turn, not their card, or it does not fit.
pub(crate) fn play(world: &mut World, who: &Player, request: Play) -> Result<(), String> {
    let seat = seat_at_turn(world, who)?;
    let (held, mut card) = request
        .card
        .and_then(|held| {
            Some((
                held,
                world.get::<Owner>(held)?.0,
                world.get::<Face>(held)?.0,
            ))
        })
        .filter(|(_, owner, _)| *owner == who.id)
        .map(|(held, _, card)| (held, card))
        .ok_or("that card is not in your hand")?;
    let top = world.resource::<Table>().top;
    if card.rank != EIGHT && card.rank != top.rank && card.suit != top.suit {
        return Err("it fits neither the suit nor the rank".to_owned());
    }
    world.despawn(held);
    world.resource_mut::<Deck>().play(card);
    if card.rank == EIGHT {
        card.suit = request.suit;
    }
    world.resource_mut::<Table>().top = card;
    let who = Some(seat);
    world
        .resource_mut::<Out>()
        .send(To::All, Played { who, card });
    let is_last = world.get_mut::<Seat>(seat).is_some_and(|mut seat| {
        seat.cards -= 1;
        seat.cards == 0
    });
    if is_last {
        win(world, seat);
    } else {
        pass_turn(world);
    }
    Ok(())
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Drawn {
    /// 0, if all cards are in hands.
    pub(crate) cards: u8,
    /// Which one, if there was one.
    pub(crate) card: Card,
}

impl Drawn {
    /// Declares its fields.
    pub(crate) fn fields(k: Declaration<Drawn>) -> Declaration<Drawn> {
        k.field("cards", |d| &mut d.cards, int(0, 1))
            .field("rank", |d| &mut d.card.rank, one_of(&RANKS))
            .field("suit", |d| &mut d.card.suit, one_of(&SUITS))
    }
}

/// Draws a card instead.
///
/// # Errors
/// It is not their turn.
pub(crate) fn draw(world: &mut World, who: &Player, _: Draw) -> Result<Drawn, String> {
    let seat = seat_at_turn(world, who)?;
    let drawn = draw_and_pass(world, seat, false);
    Ok(drawn.map_or_else(Drawn::default, |card| Drawn { cards: 1, card }))
}

/// Draws for a seat, in time or not, and goes on to the next one. Which card, if any is left.
pub(crate) fn draw_and_pass(world: &mut World, seat: Entity, late: bool) -> Option<Card> {
    let drawn = deal(world, seat);
    let player = world.get::<Seat>(seat).map(|seat| seat.player);
    if let (Some(card), Some(player)) = (drawn, player) {
        let mut out = world.resource_mut::<Out>();
        out.send(To::Player(player), Got { card });
        let who = Some(seat);
        out.send(To::All, Drew { who, late });
    }
    pass_turn(world);
    drawn
}

/// Gives a seat a card from the stock, `None` when there is none.
pub(crate) fn deal(world: &mut World, seat: Entity) -> Option<Card> {
    let player = world.get::<Seat>(seat)?.player;
    let card = world.resource_scope(|world, mut rng: Mut<RoomRng>| {
        world.resource_mut::<Deck>().draw(&mut rng.0)
    })?;
    world.spawn((Face(card), Owner(player)));
    if let Some(mut seat) = world.get_mut::<Seat>(seat) {
        seat.cards += 1;
    }
    Some(card)
}

/// Shows whether a seat's player is away. They keep the cards, and time plays for them.
pub(crate) fn set_away(world: &mut World, seat: Entity, away: bool) {
    if let Some(mut seat) = world.get_mut::<Seat>(seat) {
        seat.away = away;
    }
}

/// Puts a seat's cards under the stock.
pub(crate) fn clear_hand(world: &mut World, seat: Entity) {
    let Some(player) = world.get::<Seat>(seat).map(|seat| seat.player) else {
        return;
    };
    let mut hands = world.query::<(Entity, &Owner, &Face)>();
    let hand: Vec<(Entity, Card)> = hands
        .iter(world)
        .filter(|(_, owner, _)| owner.0 == player)
        .map(|(entity, _, face)| (entity, face.0))
        .collect();
    for (entity, card) in hand {
        world.despawn(entity);
        world.resource_mut::<Deck>().bury(card);
    }
    if let Some(mut seat) = world.get_mut::<Seat>(seat) {
        seat.cards = 0;
    }
}

/// The seats that hold cards, in the order of their turns.
pub(crate) fn players(world: &mut World) -> Vec<(u32, Entity)> {
    let mut seats = world.query::<(Entity, &Seat)>();
    let mut seats: Vec<(u32, Entity)> = seats
        .iter(world)
        .filter(|(_, seat)| seat.cards > 0)
        .map(|(entity, seat)| (seat.number, entity))
        .collect();
    seats.sort_unstable();
    seats
}

/// The turn goes to the next seat that holds cards.
pub(crate) fn pass_turn(world: &mut World) {
    let players = players(world);
    let tick = *world.resource::<Tick>();
    let mut table = world.resource_mut::<Table>();
    let now = table.turn_number;
    let next = players.iter().find(|(number, _)| *number > now);
    let next = next.or(players.first());
    table.turn = next.map(|(_, seat)| *seat);
    table.turn_number = next.map_or(0, |(number, _)| *number);
    table.ends = after(TURN_S, &tick);
}

fn seat_at_turn(world: &World, who: &Player) -> Result<Entity, String> {
    let table = world.resource::<Table>();
    if table.phase() != Phase::Play {
        return Err("no cards are dealt".to_owned());
    }
    table
        .turn
        .filter(|&seat| {
            world
                .get::<Seat>(seat)
                .is_some_and(|seat| seat.player == who.id)
        })
        .ok_or_else(|| "it is not your turn".to_owned())
}

fn win(world: &mut World, seat: Entity) {
    if let Some(mut seat) = world.get_mut::<Seat>(seat) {
        seat.wins = seat.wins.saturating_add(1);
    }
    let who = Some(seat);
    world.resource_mut::<Out>().send(To::All, Won { who });
    let ends = after(RESULT_S, world.resource::<Tick>());
    let mut table = world.resource_mut::<Table>();
    table.winner = who;
    table.enter(Phase::Over, ends);
}

//! What is replicated: the table for everyone, seats for everyone, each card in a hand for who
//! holds it, and the moments worth a line. Not what may be done with it: that is `rules`.

use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};
use tickwire::ids::PlayerId;
use tickwire_server::game::{Schema, all, entity, flag, int, one_of};

use super::Cards;
use super::deck::{Card, RANKS, SUITS};

/// Where a room's game stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Too few players, or about to deal.
    #[default]
    Waiting,
    /// Cards are played.
    Play,
    /// Somebody has won.
    Over,
}

impl Phase {
    const NAMES: [&str; 3] = ["waiting", "play", "over"];
}

/// The table: everyone sees it.
#[derive(Resource, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Table {
    /// Index of the [`Phase`].
    phase: u8,
    /// Whose turn it is.
    pub(crate) turn: Option<Entity>,
    /// Tick at which the turn or the phase ends by itself, 0 for never.
    pub(crate) ends: u32,
    /// The pile's top; an eight has the suit that was named.
    pub(crate) top: Card,
    /// Cards left to draw.
    pub(crate) stock: u8,
    /// Who won the last round.
    pub(crate) winner: Option<Entity>,
    /// Number of the seat whose turn it is, which outlives the seat. Not replicated.
    pub(crate) turn_number: u32,
    /// Seats taken so far. Not replicated.
    seats: u32,
}

impl Table {
    /// Where the game stands.
    pub(crate) fn phase(&self) -> Phase {
        [Phase::Waiting, Phase::Play, Phase::Over][usize::from(self.phase)]
    }

    /// Enters a phase that ends at a tick, 0 for never.
    pub(crate) fn enter(&mut self, phase: Phase, ends: u32) {
        self.phase = phase as u8;
        self.ends = ends;
        self.turn = None;
    }

    /// A number above all given out before.
    pub(crate) fn next_number(&mut self) -> u32 {
        self.seats += 1;
        self.seats
    }
}

/// What lists of rooms say of the table.
#[derive(Resource, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sign {
    /// Index of the [`Phase`].
    phase: u8,
    /// Rounds dealt so far.
    pub(crate) round: u32,
    /// How many hold cards.
    playing: u8,
}

impl Sign {
    /// Shows what is new, as a change only if it is one.
    pub(crate) fn show(sign: &mut Mut<Sign>, phase: Phase, playing: u8) {
        sign.set_if_neq(Sign {
            phase: phase as u8,
            round: sign.round,
            playing,
        });
    }
}

/// A player's place, which the engine knows as the player's avatar. Everyone sees it.
#[derive(Component, Debug, Serialize, Deserialize)]
pub(crate) struct Seat {
    /// Cards in the hand; none for who waits for the next round.
    pub(crate) cards: u8,
    /// Rounds won.
    pub(crate) wins: u16,
    /// Whether the player's connection is lost.
    pub(crate) away: bool,
    /// Turns go by rising number. Not replicated.
    pub(crate) number: u32,
    /// Whose it is; clients know it of any entity that is owned.
    pub(crate) player: PlayerId,
}

impl Seat {
    /// A fresh one.
    pub(crate) fn new(player: PlayerId, number: u32) -> Seat {
        Seat {
            cards: 0,
            wins: 0,
            away: false,
            number,
            player,
        }
    }
}

/// A card in a hand, on an entity with an `Owner`: nobody else is told of that entity at all.
#[derive(Component, Debug, Serialize, Deserialize)]
pub(crate) struct Face(pub(crate) Card);

/// A round began.
pub(crate) struct Dealt {
    /// How many play.
    pub(crate) players: u8,
}

/// A card was played.
pub(crate) struct Played {
    /// By whom.
    pub(crate) who: Option<Entity>,
    /// Which; an eight has the suit that was named.
    pub(crate) card: Card,
}

/// A card was drawn, and the turn with it.
pub(crate) struct Drew {
    /// By whom.
    pub(crate) who: Option<Entity>,
    /// Because the time was over.
    pub(crate) late: bool,
}

/// The card that a player drew, for them alone.
pub(crate) struct Got {
    /// Which.
    pub(crate) card: Card,
}

/// Somebody's hand is empty.
pub(crate) struct Won {
    /// Whose.
    pub(crate) who: Option<Entity>,
}

/// Declares all of it.
pub(crate) fn declare(schema: &mut Schema<Cards>) {
    schema
        .metadata::<Sign>(|k| {
            k.field("phase", |s| &mut s.phase, one_of(&Phase::NAMES))
                .field("round", |s| &mut s.round, all())
                .field("playing", |s| &mut s.playing, int(0, 52))
        })
        .component::<Seat>("seat", |k| {
            k.field("cards", |s| &mut s.cards, int(0, 52))
                .field("wins", |s| &mut s.wins, int(0, 9999))
                .field("away", |s| &mut s.away, flag())
        })
        .component::<Face>("face", |k| {
            k.owner_only()
                .field("rank", |f| &mut f.0.rank, one_of(&RANKS))
                .field("suit", |f| &mut f.0.suit, one_of(&SUITS))
        })
        .room::<Table>("table", |k| {
            k.field("phase", |t| &mut t.phase, one_of(&Phase::NAMES))
                .field("turn", |t| &mut t.turn, entity())
                .field("ends", |t| &mut t.ends, all())
                .field("rank", |t| &mut t.top.rank, one_of(&RANKS))
                .field("suit", |t| &mut t.top.suit, one_of(&SUITS))
                .field("stock", |t| &mut t.stock, int(0, 52))
                .field("winner", |t| &mut t.winner, entity())
        })
        // All of them durable: the page's log is whole for who was away, and for who comes later.
        .event::<Dealt>("dealt", |k| {
            k.durable().field("players", |e| &mut e.players, int(0, 52))
        })
        .event::<Played>("played", |k| {
            k.durable()
                .field("who", |e| &mut e.who, entity())
                .field("rank", |e| &mut e.card.rank, one_of(&RANKS))
                .field("suit", |e| &mut e.card.suit, one_of(&SUITS))
        })
        .event::<Drew>("drew", |k| {
            k.durable().field("who", |e| &mut e.who, entity()).field(
                "late",
                |e| &mut e.late,
                flag(),
            )
        })
        .event::<Got>("got", |k| {
            k.durable()
                .field("rank", |e| &mut e.card.rank, one_of(&RANKS))
                .field("suit", |e| &mut e.card.suit, one_of(&SUITS))
        })
        .event::<Won>("won", |k| {
            k.durable().field("who", |e| &mut e.who, entity())
        });
}

//! What of the arena travels, and in what steps, and what is saved with a room. Field names are
//! what clients write.

use tickwire_server::game::{
    Game, Rewind, Schema, Spec, all, entity, flag, int, one_of, range, text, turn,
};

use crate::components::{Drone, Flight, Gun, Heading, Health, KindOf, Pos, Score, Serial, Serials};
use crate::control::{AIM_STEPS, Control, PUSH_STEP};
use crate::damage::Blows;
use crate::events::{Hit, Kill, PhaseChange, Respawn, Shot, Taken, Won};
use crate::flight::Target;
use crate::kind::Kind;
use crate::map::SIZE;
use crate::options::{COLOURS, Look, Mode, PlayerChoice, Poster, RoomChoice, WISHES};
use crate::phase::Phase;
use crate::pickups::Pads;
use crate::respawn::Fallen;
use crate::rounds::Round;
use crate::rule::GRID;
use crate::tables::TABLES;
use crate::tuning::{HEALTH_MAX, MAGAZINE, SCORE_MAX, SPARE_MAX};

/// Step of a projectile's velocity, in units a second: at 30 Hz one grid step a tick, so its
/// way is foreseen to the last bit.
const VELOCITY_STEP: f64 = 30.0 / GRID;
/// Steps from zero to the greatest velocity: 403 units a second.
const VELOCITY_STEPS: f64 = 1720.0;

/// Counts the trainings of [`TABLES`].
const TABLES_EPOCH: u8 = 4;

/// A place in the arena. The step is the movement grid's, which a straight run keeps to.
fn place() -> Spec {
    range(0.0, SIZE).step(1.0 / GRID)
}

fn velocity() -> Spec {
    let most = VELOCITY_STEPS * VELOCITY_STEP;
    range(-most, most).step(VELOCITY_STEP)
}

fn count(most: u16) -> Spec {
    int(0, i32::from(most))
}

/// Declares everything.
pub(super) fn declare<G: Game<Input = Control>>(schema: &mut Schema<G>) {
    declare_components(schema);
    declare_events(schema);
    declare_options(schema);
    schema.trained(TABLES_EPOCH, &TABLES);
    schema.input(|k| {
        k.field("dx", |i| &mut i.dx, range(-1.0, 1.0).step(PUSH_STEP))
            .field("dy", |i| &mut i.dy, range(-1.0, 1.0).step(PUSH_STEP))
            .field("aim", |i| &mut i.aim, turn(AIM_STEPS))
            .field("fire", |i| &mut i.fire, flag())
            .field("reload", |i| &mut i.reload, flag())
    });
    declare_saved(schema);
}

fn declare_components<G: Game<Input = Control>>(schema: &mut Schema<G>) {
    schema
        .component::<KindOf>("kind", |k| {
            k.field("is", |c| &mut c.is, one_of(&Kind::NAMES))
        })
        .component::<Pos>("pos", |k| {
            // The rule keeps to the grid that everyone is told in: an owner's finer copy would say
            // nothing new.
            k.predicted_on_grid()
                .field("x", |p| &mut p.x, place().linear())
                .field("y", |p| &mut p.y, place().linear())
        })
        .component::<Flight>("flight", |k| {
            k.field("x", |f| &mut f.x, place().velocity("vx"))
                .field("y", |f| &mut f.y, place().velocity("vy"))
                .field("vx", |f| &mut f.vx, velocity())
                .field("vy", |f| &mut f.vy, velocity())
        })
        .component::<Heading>("heading", |k| k.field("angle", |h| &mut h.angle, turn(256)))
        .component::<Health>("health", |k| {
            k.field("hp", |h| &mut h.hp, count(HEALTH_MAX.into()))
        })
        .component::<Score>("score", |k| {
            k.field("points", |s| &mut s.points, count(SCORE_MAX))
                .field("kills", |s| &mut s.kills, count(SCORE_MAX))
                .field("deaths", |s| &mut s.deaths, count(SCORE_MAX))
        })
        .component::<Look>("look", |k| {
            k.field("colour", |l| &mut l.colour, one_of(&COLOURS))
        })
        .component::<Gun>("gun", |k| {
            k.owner_only()
                .field("rounds", |g| &mut g.rounds, count(MAGAZINE.into()))
                .field("spare", |g| &mut g.spare, count(SPARE_MAX.into()))
                .field("ready_at", |g| &mut g.ready_at, all())
        })
        .room::<Round>("round", |k| {
            k.field("phase", |r| &mut r.phase, one_of(&Phase::NAMES))
                .field("ends", |r| &mut r.ends, all())
                .field("number", |r| &mut r.number, count(u16::MAX))
                .field("winner", |r| &mut r.winner, entity())
        });
}

fn declare_events<G: Game<Input = Control>>(schema: &mut Schema<G>) {
    schema
        .event::<Shot>("shot", |k| k.field("by", |e| &mut e.by, entity()))
        .event::<Hit>("hit", |k| {
            k.field("who", |e| &mut e.who, entity())
                .field("by", |e| &mut e.by, entity())
                .field("amount", |e| &mut e.amount, count(HEALTH_MAX.into()))
                .field("x", |e| &mut e.x, range(0.0, SIZE).step(1.0))
                .field("y", |e| &mut e.y, range(0.0, SIZE).step(1.0))
        })
        .event::<Kill>("kill", |k| {
            k.field("who", |e| &mut e.who, entity())
                .field("by", |e| &mut e.by, entity())
        })
        .event::<Taken>("pickup", |k| {
            k.field("who", |e| &mut e.who, entity()).field(
                "what",
                |e| &mut e.what,
                one_of(&Kind::NAMES),
            )
        })
        .event::<Respawn>("respawn", |k| k.field("who", |e| &mut e.who, entity()))
        .event::<PhaseChange>("round", |k| {
            k.field("phase", |e| &mut e.phase, one_of(&Phase::NAMES))
                .field("winner", |e| &mut e.winner, entity())
        })
        .event::<Won>("won", |k| {
            k.durable()
                .field("round", |e| &mut e.round, count(u16::MAX))
                .field("name", |e| &mut e.name, text(64))
                .field("points", |e| &mut e.points, count(SCORE_MAX))
        });
}

fn declare_options<G: Game<Input = Control>>(schema: &mut Schema<G>) {
    schema
        .room_options::<RoomChoice>(|k| k.field("mode", |c| &mut c.mode, one_of(&Mode::NAMES)))
        .player_options::<PlayerChoice>(|k| k.field("colour", |c| &mut c.colour, one_of(&WISHES)))
        .metadata::<Poster>(|k| {
            k.field("mode", |p| &mut p.mode, one_of(&Mode::NAMES))
                .field("phase", |p| &mut p.phase, one_of(&Phase::NAMES))
        });
}

fn declare_saved<G: Game<Input = Control>>(schema: &mut Schema<G>) {
    schema
        .saved::<KindOf>()
        .saved::<Pos>()
        .saved::<Heading>()
        .saved::<Health>()
        .saved::<Look>()
        .saved::<Score>()
        .saved::<Gun>()
        .saved::<Flight>()
        .saved::<Drone>()
        .saved::<Serial>()
        .saved::<Serials>()
        .saved::<Round>()
        .saved::<Poster>()
        .saved::<Pads>()
        .saved::<Rewind<Target>>()
        .saved::<Fallen>()
        // As the room was made.
        .unsaved::<Mode>()
        // Dealt, all of them, in the tick that brings them.
        .unsaved::<Blows>();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Arena;
    use tickwire::schema::Predictor;
    use tickwire_server::game::GameDef;

    #[test]
    fn the_schema_is_sound_at_every_rate() {
        for rate in [1, 10, 20, 30, 60, 128, 240] {
            GameDef::<Arena>::new(rate).expect("the arena's schema is sound");
        }
    }

    #[test]
    fn the_input_is_the_control() {
        let def = GameDef::<Arena>::new(30).expect("the arena's schema is sound");
        let names: Vec<&str> = def.schema.input.iter().map(|f| f.name.as_str()).collect();
        assert_eq!(names, Control::FIELDS);
        let bits: u32 = def.schema.input.iter().map(|f| f.kind.bits()).sum();
        assert_eq!(bits, 30, "four bytes");
    }

    #[test]
    fn a_flight_is_foreseen_exactly_at_30_hz() {
        let def = GameDef::<Arena>::new(30).expect("the arena's schema is sound");
        let flight = def.schema.components.iter().find(|c| c.name == "flight");
        let flight = flight.expect("projectiles are replicated");
        match flight.fields[0].predictor {
            Predictor::Velocity { num, den, .. } => assert_eq!(num, den),
            other => panic!("{other:?}"),
        }
        let zero = flight.fields[2]
            .kind
            .dequantise(flight.fields[2].kind.q_zero());
        assert_eq!(zero, 0.0);
    }
}

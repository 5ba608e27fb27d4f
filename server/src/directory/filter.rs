//! What a list or a quick join asks of a room's metadata, checked and ready to be asked of many
//! rooms: a thousand are looked at under the registry's lock, so each takes a few bits of packed
//! bytes and no memory. The lobby makes it of a client's conditions.

use tickwire::limits::CONDITIONS_MAX;
use tickwire::protocol::client_message::{Condition, Test};
use tickwire::protocol::server_message::Refusal;
use tickwire::schema::{Field, Kind};

use super::game_index::GameIndex;

/// See the module's description. The empty one is met by every room whose metadata is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    /// Whose rooms.
    game: GameIndex,
    /// What the client asked.
    asked: Vec<Condition>,
    checks: Vec<Check>,
    /// Bytes of a room's metadata.
    bytes: usize,
}

/// One condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Check {
    /// Its field's first bit.
    at: usize,
    bits: u32,
    test: Test,
    value: u32,
}

impl Filter {
    /// Of no conditions.
    pub(crate) fn every(game: GameIndex, metadata: &[Field]) -> Filter {
        Filter {
            game,
            bytes: metadata.iter().map(bits_of).sum::<usize>().div_ceil(8),
            ..Filter::default()
        }
    }

    /// Of a client's conditions on `metadata`.
    ///
    /// # Errors
    /// `BadFilter`: there are too many, one is on no field or on a text, or its value is none of
    /// its field's.
    pub(crate) fn new(
        game: GameIndex,
        metadata: &[Field],
        asked: &[Condition],
    ) -> Result<Filter, Refusal> {
        if asked.len() > CONDITIONS_MAX {
            return Err(Refusal::BadFilter);
        }
        let check = |condition: &Condition| {
            let index = usize::from(condition.field);
            let (before, after) = metadata.split_at_checked(index)?;
            let kind = &after.first()?.kind;
            let value = condition.value as u32;
            let is_sound = !matches!(kind, Kind::Text { .. }) && value <= kind.q_max();
            is_sound.then(|| Check {
                at: before.iter().map(bits_of).sum(),
                bits: kind.bits(),
                test: condition.test,
                value,
            })
        };
        let checks: Option<Vec<Check>> = asked.iter().map(check).collect();
        Ok(Filter {
            asked: asked.to_vec(),
            checks: checks.ok_or(Refusal::BadFilter)?,
            ..Filter::every(game, metadata)
        })
    }

    /// Whose rooms it is of.
    pub(super) fn game(&self) -> GameIndex {
        self.game
    }

    /// Whether a room's metadata is known, and meets it.
    pub(crate) fn fits(&self, metadata: &[u8]) -> bool {
        metadata.len() == self.bytes && self.checks.iter().all(|check| check.holds(metadata))
    }

    /// Whether it asks something at all.
    pub(super) fn is_empty(&self) -> bool {
        self.asked.is_empty()
    }
}

/// Bits that a field takes.
fn bits_of(field: &Field) -> usize {
    field.kind.words() * field.kind.bits() as usize
}

impl Check {
    fn holds(self, metadata: &[u8]) -> bool {
        let from = &metadata[self.at / 8..];
        let near = from.len().min(8);
        let mut word = [0; 8];
        word[..near].copy_from_slice(&from[..near]);
        // At most 7 + 32 bits.
        let value = u64::from_le_bytes(word) >> (self.at % 8) & ((1 << self.bits) - 1);
        match self.test {
            Test::Equal => value == u64::from(self.value),
            Test::AtLeast => value >= u64::from(self.value),
        }
    }
}

#[cfg(test)]
mod tests {
    use tickwire::exact::Xorshift32;
    use tickwire::schema::Predictor;
    use tickwire::snapshot::fields::pack;

    use super::*;

    const GAME: GameIndex = GameIndex(0);

    fn field(name: &str, kind: Kind) -> Field {
        Field {
            name: name.into(),
            kind,
            predictor: Predictor::Hold,
        }
    }

    fn fields() -> Vec<Field> {
        let names = ["alone", "teams", "ranked"].map(String::from).into();
        vec![
            field("open", Kind::Bool),
            field("title", Kind::Text { bytes: 8 }),
            field("mode", Kind::Enum { names }),
            field("level", Kind::Int { min: -5, max: 300 }),
            field("seed", Kind::Bits),
            field("last", Kind::Int { min: 0, max: 1 }),
        ]
    }

    fn of(field: u8, test: Test, value: i32) -> Condition {
        Condition { field, test, value }
    }

    #[test]
    fn conditions_hold_of_the_integers_that_were_packed() {
        let fields = fields();
        for seed in 1..=500 {
            let mut dice = Xorshift32::new(seed);
            let mut values = Vec::new();
            for field in &fields {
                let most = u64::from(field.kind.q_max()) + 1;
                let value = |dice: &mut Xorshift32| (u64::from(dice.draw()) % most) as i32;
                (0..field.kind.words()).for_each(|_| values.push(value(&mut dice)));
            }
            let mut packed = Vec::new();
            pack(&fields, &values, &mut packed);
            // Of the text there are two.
            for (index, place) in [(0, 0), (2, 3), (3, 4), (4, 5), (5, 6)] {
                let (is, most) = (values[place] as u32, fields[index].kind.q_max());
                for (test, value, holds) in [
                    (Test::Equal, is, true),
                    (Test::Equal, is.wrapping_add(1), false),
                    (Test::AtLeast, is, true),
                    (Test::AtLeast, is / 2, true),
                    (Test::AtLeast, is.saturating_add(1), is == u32::MAX),
                ] {
                    let asked = [of(index as u8, test, value as i32)];
                    match Filter::new(GAME, &fields, &asked) {
                        Ok(filter) => {
                            assert_eq!(filter.fits(&packed), holds, "seed {seed}: {asked:?}");
                        }
                        Err(_) => assert!(value > most, "seed {seed}: {asked:?}"),
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_no_condition_on_the_metadata_is_refused() {
        let refused = |asked: &[Condition]| Filter::new(GAME, &fields(), asked).err();
        let bad = Some(Refusal::BadFilter);
        let good = of(3, Test::AtLeast, 305);
        assert_eq!(refused(&[good; CONDITIONS_MAX]), None);
        assert_eq!(refused(&[good; CONDITIONS_MAX + 1]), bad, "too many");
        assert_eq!(refused(&[of(6, Test::Equal, 0)]), bad, "no such field");
        assert_eq!(refused(&[of(255, Test::Equal, 0)]), bad, "no such field");
        assert_eq!(refused(&[of(1, Test::Equal, 0)]), bad, "a text");
        assert_eq!(refused(&[of(3, Test::AtLeast, 306)]), bad, "out of range");
        assert_eq!(refused(&[of(2, Test::Equal, -1)]), bad, "out of range");
        let nothing = [of(0, Test::Equal, 0)];
        assert!(
            Filter::new(GAME, &[], &nothing).is_err(),
            "nothing is declared"
        );
    }

    #[test]
    fn a_room_that_did_not_say_yet_what_it_is_fits_nothing_where_rooms_do() {
        let empty = Filter::every(GAME, &fields());
        assert_eq!(Filter::new(GAME, &fields(), &[]), Ok(empty.clone()));
        assert!(!empty.fits(&[]));
        assert!(Filter::default().fits(&[]), "a game that declares none");
    }
}

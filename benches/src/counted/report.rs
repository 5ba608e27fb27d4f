//! The counts as a table.

use std::fmt;

use super::dumps::Counts;
use super::run::Counted;
use super::stages::Stage;

/// What was counted, stage by stage.
pub struct Table<'a>(pub &'a [Counted]);

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:8} {:>5}  {:^48}  {:^38}",
            "", "", "a client-snapshot", "an entity"
        )?;
        writeln!(
            f,
            "{:8} {:>5}  {:>12} {:>11} {:>11} {:>11}  {:>12} {:>8} {:>8} {:>7}",
            "stage",
            "rooms",
            "instructions",
            "I1 misses",
            "D1 misses",
            "L2 misses",
            "instructions",
            "I1",
            "D1",
            "L2"
        )?;
        let mut rooms: Vec<usize> = self.0.iter().map(|counted| counted.load.rooms).collect();
        rooms.dedup();
        for rooms in rooms {
            let stages = self.0.iter().filter(|counted| counted.load.rooms == rooms);
            for counted in stages.clone() {
                write_row(f, counted.load.stage.name(), counted)?;
            }
            write_row(f, "together", &together(stages))?;
        }
        Ok(())
    }
}

fn write_row(f: &mut fmt::Formatter<'_>, name: &str, counted: &Counted) -> fmt::Result {
    write!(f, "{name:8} {:>5}  ", counted.load.rooms)?;
    match counted.load.client_snapshots {
        0 => write!(f, "{:>12} {:>11} {:>11} {:>11}  ", "-", "-", "-", "-")?,
        snapshots => {
            let [instructions, code, data, far] = counted.by(snapshots).all();
            write!(
                f,
                "{instructions:>12.1} {code:>11.2} {data:>11.2} {far:>11.2}  "
            )?;
        }
    }
    let [instructions, code, data, far] = counted.by(counted.load.entities).all();
    writeln!(f, "{instructions:>12.1} {code:>8.2} {data:>8.2} {far:>7.2}")
}

/// A whole turn: all stages but [`Stage::Capture`], which is of another game and a part of
/// [`Stage::Tick`].
fn together<'a>(stages: impl Iterator<Item = &'a Counted>) -> Counted {
    let mut stages = stages.filter(|counted| counted.load.stage != Stage::Capture);
    let first = stages.next().cloned().expect("rooms have stages");
    stages.fold(first, |sum, counted| {
        let (all, of) = (sum.totals.all(), counted.totals.all());
        let totals = Counts::new(std::array::from_fn(|at| all[at] + of[at]));
        Counted { totals, ..sum }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counted::stages::Load;

    #[test]
    fn stages_of_a_turn_are_added_up_without_the_other_games() {
        let of = |stage, instructions| Counted {
            load: Load {
                stage,
                rooms: 1,
                client_snapshots: if stage == Stage::Capture { 0 } else { 10 },
                entities: 20,
            },
            totals: Counts {
                instructions,
                ..Counts::default()
            },
        };
        let all = [
            of(Stage::Input, 1000.0),
            of(Stage::Capture, 70_000.0),
            of(Stage::Tick, 3000.0),
        ];
        let table = Table(&all).to_string();
        let rows: Vec<Vec<&str>> = table
            .lines()
            .map(|line| line.split_whitespace().collect())
            .collect();
        assert_eq!(rows[3][..3], ["capture", "1", "-"], "{table}");
        assert_eq!(rows[5][..3], ["together", "1", "400.0"], "{table}");
        assert_eq!(rows[5][6], "200.0", "{table}");
    }
}

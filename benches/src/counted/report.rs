//! The counts as a table.

use std::fmt;

use super::bars::Counts;
use super::dumps::Totals;
use super::run::Counted;
use super::stages::{Load, Stage};

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
            let Counts {
                instructions,
                code_misses,
                data_misses,
                far_misses,
            } = counted.by(snapshots);
            write!(
                f,
                "{instructions:>12.1} {code_misses:>11.2} {data_misses:>11.2} {far_misses:>11.2}  "
            )?;
        }
    }
    let Counts {
        instructions,
        code_misses,
        data_misses,
        far_misses,
    } = counted.by(counted.load.entities);
    writeln!(
        f,
        "{instructions:>12.1} {code_misses:>8.2} {data_misses:>8.2} {far_misses:>7.2}"
    )
}

/// A whole turn: all stages but [`Stage::Capture`], which is of another game and a part of
/// [`Stage::Tick`].
fn together<'a>(stages: impl Iterator<Item = &'a Counted>) -> Counted {
    let mut sum = Counted {
        load: Load {
            stage: Stage::Tick,
            rooms: 0,
            client_snapshots: 0,
            entities: 0,
        },
        totals: Totals::default(),
    };
    for counted in stages.filter(|counted| counted.load.stage != Stage::Capture) {
        // Each stage was counted over as many turns.
        sum.load.clone_from(&counted.load);
        let (all, of) = (&mut sum.totals, &counted.totals);
        all.instructions += of.instructions;
        all.code_misses += of.code_misses;
        all.data_misses += of.data_misses;
        all.far_misses += of.far_misses;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_of_a_turn_are_added_up_without_the_other_games() {
        let of = |stage, instructions| Counted {
            load: Load {
                stage,
                rooms: 1,
                client_snapshots: if stage == Stage::Capture { 0 } else { 10 },
                entities: 20,
            },
            totals: Totals {
                instructions,
                ..Totals::default()
            },
        };
        let all = [
            of(Stage::Input, 1000),
            of(Stage::Capture, 70_000),
            of(Stage::Tick, 3000),
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

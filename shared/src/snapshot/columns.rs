//! A component's columns in all rows that two images have in common: gathered, computed as a whole,
//! put back. What a column is like is looked up once, and the loops over its values have neither
//! branches nor calls, so that they become vector instructions. The arithmetic of one value is
//! `predictor`'s. Called by `complete`, which makes images, and by `delta`, which compares and
//! predicts them.

use super::activity::activity;
use super::column_set::{Column, ColumnSet, Guess};
use super::image::{EntityHead, LayerView};
use super::predictor::{add, aim, difference, direction, rate, second_diff, settle, velocity_way};
use super::rows::{Rows, Table};

/// A linear column: what it has in the older image, and what follows from that.
#[derive(Debug, Default)]
struct Linear {
    values: Vec<i32>,
    changes: Vec<i32>,
    second_diffs: Vec<i32>,
    guesses: Vec<i32>,
    /// By which tables steady residuals are coded.
    tables: Vec<i32>,
}

impl Linear {
    fn recall(&mut self, rows: &Rows, old: LayerView<'_>, at: usize) {
        let Linear {
            values,
            changes,
            second_diffs,
            guesses,
            tables,
        } = self;
        for column in [
            &mut *values,
            &mut *changes,
            &mut *second_diffs,
            guesses,
            tables,
        ] {
            column.resize(rows.count(), 0);
        }
        rows.gather_three(old.values, at, [values, changes, second_diffs]);
        if old.bare {
            second_diffs.fill(0);
        }
    }
}

/// What a component's columns are computed in: row by row the same place.
#[derive(Debug, Default)]
pub(super) struct Columns {
    rows: Rows,
    /// Its linear columns, in the set's order; there may be more.
    linear: Vec<Linear>,
    /// The component's activity in the older image.
    activities: Vec<i32>,
    /// Not 0 where a column that is not linear has a residual.
    rest: Vec<i32>,
    /// Not 0 where any column has one.
    changes: Vec<i32>,
    /// Of the column at hand: the guesses, if it is not linear, the values in the newer image, the
    /// residuals.
    guesses: Vec<i32>,
    new: Vec<i32>,
    residuals: Vec<i32>,
    /// What it follows, and what that is made from.
    ways: [Vec<f64>; 2],
    plain: Vec<i32>,
}

impl Columns {
    /// Turns to a component, of entities `kept` in the older image and among the newer one's
    /// `heads`; fills its activity.
    pub(super) fn start(
        &mut self,
        set: &ColumnSet,
        number: usize,
        kept: &[(u32, u32)],
        old: LayerView<'_>,
        heads: &[EntityHead],
        table: &mut Table<'_>,
    ) {
        self.rows.find(kept, heads, number, set.width());
        let columns = &set.linear[set.components[number].linear.clone()];
        // Never fewer: the memory of those that this component lacks is another one's.
        let count = columns.len().max(self.linear.len());
        self.linear.resize_with(count, Linear::default);
        for bits in [&mut self.rest, &mut self.changes] {
            bits.clear();
            bits.resize(self.rows.count(), 0);
        }
        if columns.is_empty() {
            table.fill(&self.rows, set.activity_column(number), 0);
            return;
        }
        for sums in [&mut self.activities, &mut self.plain] {
            sums.clear();
            sums.resize(self.rows.count(), 0);
        }
        for (linear, &at) in self.linear.iter_mut().zip(columns) {
            linear.recall(&self.rows, old, at);
            let memory = linear.changes.iter().zip(&linear.second_diffs);
            let sums = self.activities.iter_mut().zip(&mut self.plain);
            for ((most, any), (&change, &second_diff)) in sums.zip(memory) {
                *most = (*most).max(second_diff.saturating_abs());
                *any |= change | second_diff;
            }
        }
        for (most, &any) in self.activities.iter_mut().zip(&self.plain) {
            *most = activity(any, *most);
        }
        table.put(&self.rows, set.activity_column(number), &self.activities);
        table.raise(&self.rows, set.most_activity_column(), &self.activities);
    }

    /// Fills the guesses of the `nth` linear column, `dt` ticks after the older image, whose gap is
    /// that; and the tables for its steady residuals.
    pub(super) fn aim(&mut self, column: &Column, nth: usize, dt: u32, gap: u32) {
        let Linear {
            values,
            changes,
            second_diffs,
            guesses,
            tables,
        } = &mut self.linear[nth];
        let to = guesses.iter_mut().zip(tables);
        let memory = changes.iter().zip(second_diffs.iter());
        let from = values.iter().zip(&self.activities).zip(memory);
        for ((guess, tables), ((&value, &activity), (&change, &second_diff))) in to.zip(from) {
            let aim = aim(
                column,
                value,
                (change, second_diff),
                activity as usize,
                dt,
                gap,
            );
            *guess = aim.value;
            *tables = aim.tables as i32;
        }
    }

    /// Fills the guesses of a column that is not linear, `dt` ticks after the older image. `new`
    /// holds the newer image as far as the column's predecessors; it comes `gap` ticks after the
    /// one before it.
    pub(super) fn guess(
        &mut self,
        column: &Column,
        at: usize,
        (old, new): (&[i32], &[i32]),
        (dt, gap): (u32, u32),
    ) {
        let Columns {
            rows,
            guesses,
            plain,
            ways: [xs, ys],
            ..
        } = self;
        rows.gather_old(old, at, guesses);
        match column.guess {
            Guess::Hold | Guess::Linear | Guess::Change | Guess::Bend => {}
            Guess::Bearing { x, y, steps } => {
                rows.gather_way(new, x, plain, xs);
                rows.gather_way(new, y, plain, ys);
                for ((guess, &x), &y) in guesses.iter_mut().zip(&*xs).zip(&*ys) {
                    let direction = direction(x, y, steps);
                    let still = x == 0.0 && y == 0.0;
                    *guess = if still { *guess } else { direction };
                }
            }
            Guess::Rate {
                change,
                zero,
                scale,
            } => {
                rows.gather_way(new, change, plain, xs);
                for (guess, &change) in guesses.iter_mut().zip(&*xs) {
                    *guess = rate(change, zero, scale, gap);
                }
            }
            Guess::Velocity { by, zero, num, den } => {
                rows.gather_old(old, by, plain);
                for (guess, &velocity) in guesses.iter_mut().zip(&*plain) {
                    let way = velocity_way(velocity.wrapping_sub(zero), num, den, dt);
                    *guess = add(column, *guess, way);
                }
            }
            Guess::Counter { per_tick } => {
                let way = (i64::from(per_tick) * i64::from(dt)) as i32;
                for guess in guesses.iter_mut() {
                    *guess = add(column, *guess, way);
                }
            }
        }
    }

    /// Compares the newer image's values with the guesses of the `nth` linear column, or of another
    /// one.
    pub(super) fn compare(&mut self, column: &Column, at: usize, nth: Option<usize>, new: &[i32]) {
        self.rows.gather_new(new, at, &mut self.new);
        let guesses = nth.map_or(&self.guesses, |nth| &self.linear[nth].guesses);
        self.residuals.clear();
        let pairs = self.new.iter().zip(guesses);
        let residuals = pairs.map(|(&new, &guess)| difference(column, new, guess));
        self.residuals.extend(residuals);
    }

    /// The same, and moves values towards their guesses, as far as they bear it.
    pub(super) fn compare_and_settle(
        &mut self,
        column: &Column,
        at: usize,
        nth: Option<usize>,
        new: &mut [i32],
    ) {
        self.compare(column, at, nth, new);
        if column.tolerance > 0 {
            let guesses = nth.map_or(&self.guesses, |nth| &self.linear[nth].guesses);
            let pairs = self.new.iter_mut().zip(&mut self.residuals);
            for ((value, residual), &guess) in pairs.zip(guesses) {
                (*value, *residual) = settle(column, *value, guess, *residual);
            }
            self.rows.scatter(&self.new, new, at);
        }
    }

    /// Puts values into the newer image, by the guesses of the `nth` linear column, or of another
    /// one, and residuals.
    pub(super) fn restore(
        &mut self,
        column: &Column,
        at: usize,
        nth: Option<usize>,
        table: &mut Table<'_>,
        new: &mut [i32],
    ) {
        table.take(&self.rows, at, &mut self.residuals);
        let guesses = nth.map_or(&self.guesses, |nth| &self.linear[nth].guesses);
        self.new.clear();
        let pairs = guesses.iter().zip(&self.residuals);
        let values = pairs.map(|(&guess, &residual)| add(column, guess, residual));
        self.new.extend(values);
        self.rows.scatter(&self.new, new, at);
    }

    /// Puts what the `nth` linear column remembers into the newer image, which is the one after the
    /// older one.
    pub(super) fn remember(&mut self, column: &Column, at: usize, nth: usize, new: &mut [i32]) {
        let Linear {
            values,
            changes,
            second_diffs,
            ..
        } = &mut self.linear[nth];
        let memory = changes.iter_mut().zip(&mut *second_diffs);
        for ((change, last), (&new, &old)) in memory.zip(self.new.iter().zip(&*values)) {
            let before = *change;
            *change = difference(column, new, old);
            *last = second_diff(*change, before);
        }
        self.rows.scatter(changes, new, at + 1);
        self.rows.scatter(second_diffs, new, at + 2);
    }

    /// Puts the tables of the `nth` linear column's residuals where the encoder and the decoder
    /// look.
    pub(super) fn put_tables(&self, at: usize, nth: usize, table: &mut Table<'_>) {
        table.put(&self.rows, at + 1, &self.linear[nth].tables);
    }

    /// Puts residuals where the encoder looks; those of other than linear columns also count as the
    /// rest.
    pub(super) fn put_residuals(&mut self, at: usize, is_rest: bool, table: &mut Table<'_>) {
        table.put(&self.rows, at, &self.residuals);
        add_bits(&mut self.changes, &self.residuals);
        if is_rest {
            add_bits(&mut self.rest, &self.residuals);
        }
    }

    /// Counts residuals that were put where the encoder looks without this.
    pub(super) fn note_residuals(&mut self, at: usize, table: &mut Table<'_>) {
        table.take(&self.rows, at, &mut self.residuals);
        add_bits(&mut self.changes, &self.residuals);
    }

    /// Puts where the encoder looks whether a component, and with it its entity, has any residual.
    pub(super) fn put_changes(&self, set: &ColumnSet, number: usize, table: &mut Table<'_>) {
        table.put(&self.rows, set.rest_column(number), &self.rest);
        table.put(&self.rows, set.change_column(number), &self.changes);
        table.add_bits(&self.rows, set.any_change_column(), &self.changes);
    }

    /// Where rows start in the older and in the newer image, and their index in that one.
    pub(super) fn rows(&self) -> impl Iterator<Item = (usize, usize, usize)> {
        self.rows.places()
    }
}

fn add_bits(to: &mut [i32], from: &[i32]) {
    for (bits, &number) in to.iter_mut().zip(from) {
        *bits |= number;
    }
}

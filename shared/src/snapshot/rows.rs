//! Rows that two images have in common, and the way of a column out of them and into them. Entities
//! come and go seldom and have mostly what their neighbours have, so these rows lie in few runs,
//! which are walked in steps, without looking up where each row starts. What is done with a column
//! is for `columns`, which calls this.

use super::image::EntityHead;

/// Rows that follow one another in both images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    /// Index of the first in the older image.
    old: usize,
    /// Index of the first in the newer image.
    new: usize,
    count: usize,
}

/// Entities that are in two images with the same head and have a component.
#[derive(Debug, Default)]
pub(super) struct Rows {
    runs: Vec<Run>,
    /// Rows of all runs.
    count: usize,
    /// Integers of a row.
    width: usize,
}

impl Rows {
    /// Of `kept` entities, by index (in the older image, in the newer), those that have a
    /// component; `heads` are the newer image's.
    pub(super) fn find(
        &mut self,
        kept: &[(u32, u32)],
        heads: &[EntityHead],
        component: usize,
        width: usize,
    ) {
        self.runs.clear();
        (self.count, self.width) = (0, width);
        for &(old, new) in kept {
            let (old, new) = (old as usize, new as usize);
            if heads[new].mask >> component & 1 == 0 {
                continue;
            }
            self.count += 1;
            match self.runs.last_mut() {
                Some(run) if run.old + run.count == old && run.new + run.count == new => {
                    run.count += 1;
                }
                _ => self.runs.push(Run { old, new, count: 1 }),
            }
        }
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// A column of the older image.
    pub(super) fn gather_old(&self, values: &[i32], at: usize, into: &mut Vec<i32>) {
        into.clear();
        for run in &self.runs {
            let rows = self.rows_of(values, run.old, run.count);
            into.extend(rows.map(|row| row[at]));
        }
    }

    /// A column of the newer image.
    pub(super) fn gather_new(&self, values: &[i32], at: usize, into: &mut Vec<i32>) {
        into.clear();
        for run in &self.runs {
            let rows = self.rows_of(values, run.new, run.count);
            into.extend(rows.map(|row| row[at]));
        }
    }

    /// Three columns of the older image, side by side, from `at` on; `into` are as long as there
    /// are rows.
    pub(super) fn gather_three(&self, old: &[i32], at: usize, into: [&mut [i32]; 3]) {
        let [first, second, third] = into;
        let mut to = first.iter_mut().zip(second).zip(third);
        for run in &self.runs {
            let rows = self.rows_of(old, run.old, run.count);
            for (row, ((first, second), third)) in rows.zip(&mut to) {
                let three = &row[at..at + 3];
                (*first, *second, *third) = (three[0], three[1], three[2]);
            }
        }
    }

    /// A column of the newer image's rows, as floats; by way of `plain`.
    pub(super) fn gather_way(
        &self,
        values: &[i32],
        at: usize,
        plain: &mut Vec<i32>,
        into: &mut Vec<f64>,
    ) {
        self.gather_new(values, at, plain);
        into.clear();
        into.extend(plain.iter().map(|&way| f64::from(way)));
    }

    /// Puts a column into the newer image's rows.
    pub(super) fn scatter(&self, from: &[i32], values: &mut [i32], at: usize) {
        let mut rest = from;
        for run in &self.runs {
            let (these, others) = rest.split_at(run.count);
            rest = others;
            let rows = run.new * self.width..(run.new + run.count) * self.width;
            for (row, &value) in values[rows].chunks_exact_mut(self.width).zip(these) {
                row[at] = value;
            }
        }
    }

    /// Where rows start in the older and in the newer image, and their index in that one.
    pub(super) fn places(&self) -> impl Iterator<Item = (usize, usize, usize)> {
        let width = self.width;
        self.runs.iter().flat_map(move |run| {
            (0..run.count).map(move |nth| {
                let (old, new) = (run.old + nth, run.new + nth);
                (old * width, new * width, new)
            })
        })
    }

    fn rows_of<'a>(
        &self,
        values: &'a [i32],
        first: usize,
        count: usize,
    ) -> impl Iterator<Item = &'a [i32]> + use<'a> {
        values[first * self.width..(first + count) * self.width].chunks_exact(self.width)
    }
}

/// A table of [`super::image::Residuals`], of so many entities.
pub(super) struct Table<'a> {
    pub(super) residuals: &'a mut [i32],
    pub(super) count: usize,
}

impl Table<'_> {
    /// Starts what is found of whole entities.
    pub(super) fn clear(&mut self, columns: [usize; 2]) {
        for at in columns {
            self.column(at).fill(0);
        }
    }

    /// Puts the greater of what is there and a number into every row of a column.
    pub(super) fn raise(&mut self, rows: &Rows, at: usize, from: &[i32]) {
        self.join(rows, at, from, |most, number| most.max(number));
    }

    /// Puts the bits of a number to those that are there, in every row of a column.
    pub(super) fn add_bits(&mut self, rows: &Rows, at: usize, from: &[i32]) {
        self.join(rows, at, from, |bits, number| bits | number);
    }

    #[inline(always)]
    fn join(&mut self, rows: &Rows, at: usize, from: &[i32], both: impl Fn(i32, i32) -> i32) {
        let column = self.column(at);
        let mut rest = from;
        for run in &rows.runs {
            let (these, others) = rest.split_at(run.count);
            rest = others;
            let places = &mut column[run.new..run.new + run.count];
            for (place, &number) in places.iter_mut().zip(these) {
                *place = both(*place, number);
            }
        }
    }

    fn column(&mut self, at: usize) -> &mut [i32] {
        &mut self.residuals[at * self.count..(at + 1) * self.count]
    }

    pub(super) fn put(&mut self, rows: &Rows, at: usize, from: &[i32]) {
        let column = self.column(at);
        let mut rest = from;
        for run in &rows.runs {
            let (these, others) = rest.split_at(run.count);
            rest = others;
            column[run.new..run.new + run.count].copy_from_slice(these);
        }
    }

    /// Puts the same number into every row of a column.
    pub(super) fn fill(&mut self, rows: &Rows, at: usize, number: i32) {
        let column = self.column(at);
        for run in &rows.runs {
            column[run.new..run.new + run.count].fill(number);
        }
    }

    pub(super) fn take(&mut self, rows: &Rows, at: usize, into: &mut Vec<i32>) {
        let column = self.column(at);
        into.clear();
        for run in &rows.runs {
            into.extend_from_slice(&column[run.new..run.new + run.count]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(mask: u32) -> EntityHead {
        EntityHead {
            mask,
            ..EntityHead::default()
        }
    }

    fn run(old: usize, new: usize, count: usize) -> Run {
        Run { old, new, count }
    }

    #[test]
    fn rows_of_one_image_alone_or_without_the_component_end_a_run() {
        let heads = [has(3), has(1), has(3), has(3), has(3)];
        let mut rows = Rows::default();
        // The older image's first two are gone, the newer one's fourth came.
        let kept = [(2, 0), (3, 1), (4, 2), (5, 4)];
        rows.find(&kept, &heads, 0, 4);
        assert_eq!(
            (&rows.runs[..], rows.count()),
            (&[run(2, 0, 3), run(5, 4, 1)][..], 4)
        );
        rows.find(&kept, &heads, 1, 4);
        let apart = [run(2, 0, 1), run(4, 2, 1), run(5, 4, 1)];
        assert_eq!((&rows.runs[..], rows.count()), (&apart[..], 3));
        rows.find(&kept, &heads, 2, 4);
        assert_eq!((&rows.runs[..], rows.count()), (&[][..], 0));
    }

    #[test]
    fn a_column_is_taken_from_the_rows_and_put_into_them() {
        let mut rows = Rows::default();
        rows.find(&[(1, 0), (2, 1), (3, 3)], &[has(1); 4], 0, 3);
        let old: Vec<i32> = (0..12).collect();
        let mut new: Vec<i32> = (100..112).collect();
        let (mut column, mut ways) = (Vec::new(), Vec::new());
        rows.gather_old(&old, 2, &mut column);
        assert_eq!(column, [5, 8, 11]);
        rows.gather_way(&new, 1, &mut column, &mut ways);
        assert_eq!(ways, [101.0, 104.0, 110.0]);
        let mut three = [[0; 3]; 3];
        let [first, second, third] = &mut three;
        rows.gather_three(&old, 0, [first, second, third]);
        assert_eq!(three, [[3, 6, 9], [4, 7, 10], [5, 8, 11]]);
        rows.scatter(&[-1, -2, -3], &mut new, 1);
        assert_eq!((new[1], new[4], new[7], new[10]), (-1, -2, 107, -3));
        let places: Vec<_> = rows.places().collect();
        assert_eq!(places, [(3, 0, 0), (6, 3, 1), (9, 9, 3)]);
    }

    #[test]
    fn a_table_has_a_number_for_every_entity() {
        let mut rows = Rows::default();
        rows.find(&[(0, 0), (1, 2)], &[has(1); 3], 0, 3);
        let mut residuals = [9; 6];
        let mut table = Table {
            residuals: &mut residuals,
            count: 3,
        };
        table.put(&rows, 1, &[7, 8]);
        table.fill(&rows, 0, 5);
        let mut taken = Vec::new();
        table.take(&rows, 1, &mut taken);
        assert_eq!(taken, [7, 8]);
        table.raise(&rows, 0, &[6, 4]);
        table.add_bits(&rows, 1, &[8, 1]);
        assert_eq!(table.residuals, [6, 9, 5, 15, 9, 9]);
        table.clear([1, 0]);
        assert_eq!(residuals, [0; 6]);
    }
}

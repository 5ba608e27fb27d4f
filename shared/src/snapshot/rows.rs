//! Rows that two images have in common, and the way of a column out of them and into them. Where these are all
//! rows of both images, which is the usual case, they are walked in steps, without looking up where each starts.
//! What is done with a column is for `columns`, which calls this.

use super::image::EntityHead;

/// Entities that are in two images with the same head and have a component.
#[derive(Debug, Default)]
pub(super) struct Rows {
    /// Where their rows start in the older image's values.
    pub(super) old: Vec<usize>,
    /// Where their rows start in the newer image's.
    pub(super) new: Vec<usize>,
    /// Their index in the newer image.
    pub(super) index: Vec<usize>,
    /// Integers of a row, where these are all rows of both images; else 0.
    stride: usize,
}

impl Rows {
    /// Of `kept` entities, by index (in the older image, in the newer), those that have a component.
    pub(super) fn find(
        &mut self,
        kept: &[(u32, u32)],
        (old, new): (&[EntityHead], &[EntityHead]),
        component: usize,
        width: usize,
    ) {
        for places in [&mut self.old, &mut self.new, &mut self.index] {
            places.resize(kept.len(), 0);
        }
        // All are written and only those with the component counted: who has it is anyone's guess.
        let mut count = 0;
        for &(a, b) in kept {
            let (a, b) = (a as usize, b as usize);
            self.old[count] = a * width;
            self.new[count] = b * width;
            self.index[count] = b;
            count += (new[b].mask >> component & 1) as usize;
        }
        for places in [&mut self.old, &mut self.new, &mut self.index] {
            places.truncate(count);
        }
        let all = self.index.len() == new.len() && new.len() == old.len();
        self.stride = if all { width } else { 0 };
    }

    /// A column of the rows that start there in `values`.
    pub(super) fn gather(&self, starts: &[usize], values: &[i32], at: usize, into: &mut Vec<i32>) {
        into.clear();
        if self.stride > 0 {
            into.extend(values.chunks_exact(self.stride).map(|row| row[at]));
        } else {
            into.extend(starts.iter().map(|start| values[start + at]));
        }
    }

    /// Three columns of the older image, side by side, from `at` on; `into` are as long as there are rows.
    pub(super) fn gather_three(&self, old: &[i32], at: usize, into: [&mut [i32]; 3]) {
        let [first, second, third] = into;
        let to = first.iter_mut().zip(second).zip(third);
        let put = |((first, second), third): ((&mut i32, &mut i32), &mut i32), row: &[i32]| {
            let three = &row[at..at + 3];
            (*first, *second, *third) = (three[0], three[1], three[2]);
        };
        if self.stride > 0 {
            let rows = old.chunks_exact(self.stride);
            to.zip(rows).for_each(|(to, row)| put(to, row));
        } else {
            let rows = self.old.iter().map(|&start| &old[start..]);
            to.zip(rows).for_each(|(to, row)| put(to, row));
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
        self.gather(&self.new, values, at, plain);
        into.clear();
        into.extend(plain.iter().map(|&way| f64::from(way)));
    }

    /// Puts a column into the newer image's rows.
    pub(super) fn scatter(&self, from: &[i32], values: &mut [i32], at: usize) {
        if self.stride > 0 {
            for (row, &value) in values.chunks_exact_mut(self.stride).zip(from) {
                row[at] = value;
            }
        } else {
            for (start, &value) in self.new.iter().zip(from) {
                values[start + at] = value;
            }
        }
    }
}

/// A table of residuals ([`super::image::LayerView::residuals`]), of so many entities.
pub(super) struct Table<'a> {
    pub(super) residuals: &'a mut [i32],
    pub(super) count: usize,
}

impl Table<'_> {
    fn column(&mut self, at: usize) -> &mut [i32] {
        &mut self.residuals[at * self.count..(at + 1) * self.count]
    }

    pub(super) fn put(&mut self, rows: &Rows, at: usize, from: &[i32]) {
        let column = self.column(at);
        if rows.stride > 0 {
            column.copy_from_slice(from);
        } else {
            for (&index, &value) in rows.index.iter().zip(from) {
                column[index] = value;
            }
        }
    }

    pub(super) fn take(&mut self, rows: &Rows, at: usize, into: &mut Vec<i32>) {
        let column = self.column(at);
        into.clear();
        if rows.stride > 0 {
            into.extend_from_slice(column);
        } else {
            into.extend(rows.index.iter().map(|&index| column[index]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_rows_are_walked_as_some_are() {
        let heads = [EntityHead {
            mask: 0b10,
            ..EntityHead::default()
        }; 5];
        let kept: Vec<(u32, u32)> = (0..5).map(|at| (at, at)).collect();
        let (mut all, mut some) = (Rows::default(), Rows::default());
        for rows in [&mut all, &mut some] {
            rows.find(&kept, (&heads, &heads), 1, 4);
            assert_eq!(rows.stride, 4);
        }
        some.stride = 0;
        let values: Vec<i32> = (0..20).map(|at| at * at).collect();
        let mut seen = Vec::new();
        for rows in [&all, &some] {
            let (mut column, mut ways, mut taken) = (Vec::new(), Vec::new(), Vec::new());
            rows.gather(&rows.old, &values, 2, &mut column);
            rows.gather_way(&values, 3, &mut taken, &mut ways);
            let mut three = [[0; 5]; 3];
            let [first, second, third] = &mut three;
            rows.gather_three(&values, 1, [first, second, third]);
            let mut put = values.clone();
            rows.scatter(&column, &mut put, 1);
            let mut residuals = vec![0; 15];
            let residuals = residuals.as_mut_slice();
            let mut table = Table {
                residuals,
                count: 5,
            };
            table.put(rows, 1, &column);
            table.take(rows, 1, &mut taken);
            assert_eq!(taken, column);
            let table = table.residuals.to_vec();
            seen.push((column, ways, three, put, table));
        }
        assert_eq!(seen[0], seen[1]);
        assert_eq!(seen[0].0, [4, 36, 100, 196, 324]);
        assert_eq!(seen[0].3[..6], [0, 4, 4, 9, 16, 36]);
    }

    #[test]
    fn rows_without_the_component_or_of_one_image_alone_are_left_out() {
        let has = |mask| EntityHead {
            mask,
            ..EntityHead::default()
        };
        let (old, new) = ([has(1), has(3), has(3)], [has(3), has(3)]);
        let mut rows = Rows::default();
        rows.find(&[(1, 0), (2, 1)], (&old, &new), 1, 4);
        assert_eq!((rows.stride, &rows.old[..]), (0, &[4, 8][..]));
        rows.find(&[(0, 0)], (&new, &new), 0, 4);
        assert_eq!((rows.stride, &rows.index[..]), (0, &[0][..]));
    }
}

//! The order of Exp-Golomb codes, adapted to each column within one body. No state is kept
//! between bodies, so a body depends on its baseline alone.

/// The order of a column's Exp-Golomb code, adapted within one body.
#[derive(Clone, Copy)]
pub(super) struct Adaptive {
    sum: u32,
    count: u32,
}

impl Adaptive {
    pub(super) const NEW: Adaptive = Adaptive { sum: 0, count: 1 };

    #[inline]
    pub(super) fn k(self) -> u32 {
        // The least k for which count << (k + 1) exceeds sum.
        let mut k = 0;
        while k < 24 && (u64::from(self.count) << (k + 1)) <= u64::from(self.sum) {
            k += 1;
        }
        k
    }

    #[inline]
    pub(super) fn update(&mut self, z: u32) {
        self.sum += z.min(1 << 20);
        self.count += 1;
        if self.count == 32 {
            self.sum /= 2;
            self.count /= 2;
        }
    }
}

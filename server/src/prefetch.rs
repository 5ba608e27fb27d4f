//! Has the processor fetch memory that is soon needed and long out of its caches: a worker's rooms
//! touch several times what a cache holds between two turns of one of them, and most of that is the
//! kernel's. While the kernel has one member's socket, the next one's memory comes. A hint: nothing
//! is read, nothing changes. Where the processor has no such instruction that is stable in Rust,
//! nothing happens. Called by `worker` and `room`.

/// Bytes of a cache line.
const LINE: usize = 64;
/// Lines that are fetched at once, at most: beyond, too much that is needed would go for them.
const LINES_MAX: usize = 12;

/// Fetches what lies from the start of one value to that of another, which comes after it in the
/// same struct.
#[inline]
pub(crate) fn prefetch_from_to<A, B>(first: &A, last: &B) {
    let (first, last) = (address(first), address(last));
    lines(first, (last as usize).saturating_sub(first as usize) + 1);
}

/// Fetches values in a row.
#[inline]
pub(crate) fn prefetch_all<T>(values: &[T]) {
    lines(values.as_ptr().cast(), size_of_val(values));
}

fn address<T>(value: &T) -> *const i8 {
    std::ptr::from_ref(value).cast()
}

#[inline]
fn lines(start: *const i8, bytes: usize) {
    let within = start as usize % LINE;
    // None of nothing.
    let lines = if bytes == 0 {
        0
    } else {
        (within + bytes).div_ceil(LINE)
    };
    for line in 0..lines.min(LINES_MAX) {
        one(start.wrapping_add(line * LINE));
    }
}

#[cfg(target_arch = "x86_64")]
#[inline]
#[allow(
    unsafe_code,
    reason = "the safe hint of the standard library is not stable yet"
)]
fn one(place: *const i8) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    // SAFETY: the instruction reads nothing that the program could see, and faults at no address.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(place) }
}

#[cfg(not(target_arch = "x86_64"))]
#[inline]
fn one(_place: *const i8) {}

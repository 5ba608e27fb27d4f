//! What a program under `valgrind --tool=callgrind` may ask of it, so that it counts one stage and
//! leaves out the rest: the sequences of `valgrind/valgrind.h` and `valgrind/callgrind.h`, which do
//! nothing on a real processor. Written out here because the crates that wrap them need those
//! headers to build, and the workspace must build where they are not. Called by `stages`.

use std::ffi::CStr;

/// First of the tool's own requests: `VG_USERREQ_TOOL_BASE('C', 'T')`.
const BASE: usize = (b'C' as usize) << 24 | (b'T' as usize) << 16;
/// `VG_USERREQ__RUNNING_ON_VALGRIND`.
const RUNNING_ON_VALGRIND: usize = 0x1001;
/// `VG_USERREQ__TOGGLE_COLLECT`.
const TOGGLE_COLLECT: usize = BASE + 2;
/// `VG_USERREQ__DUMP_STATS_AT`.
const DUMP_STATS_AT: usize = BASE + 3;
/// `VG_USERREQ__START_INSTRUMENTATION`.
const START_INSTRUMENTATION: usize = BASE + 4;
/// `VG_USERREQ__STOP_INSTRUMENTATION`.
const STOP_INSTRUMENTATION: usize = BASE + 5;

/// Whether requests reach anybody.
pub(super) fn is_simulated() -> bool {
    request(RUNNING_ON_VALGRIND, 0) != 0
}

/// From now on caches are simulated, empty at first; nothing is counted yet.
pub(super) fn start() {
    request(START_INSTRUMENTATION, 0);
}

/// The program runs faster, and the caches forget.
pub(super) fn stop() {
    request(STOP_INSTRUMENTATION, 0);
}

/// Counts from now on, or no more.
pub(super) fn toggle() {
    request(TOGGLE_COLLECT, 0);
}

/// Writes what was counted to a file, under a name, and starts at nothing again.
pub(super) fn dump(name: &CStr) {
    request(DUMP_STATS_AT, name.as_ptr() as usize);
}

/// 0 where there is no simulator.
#[inline]
#[allow(
    unsafe_code,
    reason = "the requests are instructions without an effect that no safe function gives"
)]
fn request(code: usize, argument: usize) -> usize {
    let arguments = [code, argument, 0, 0, 0, 0];
    let result: usize;
    #[cfg(target_arch = "x86_64")]
    // SAFETY: four rotations that come to a whole turn, and an exchange of a register with itself;
    // the simulator reads the six words that rax points to and writes rdx.
    unsafe {
        std::arch::asm!(
            "rol rdi, 3", "rol rdi, 13", "rol rdi, 61", "rol rdi, 51",
            "xchg rbx, rbx",
            in("rax") arguments.as_ptr(),
            inlateout("rdx") 0_usize => result,
        );
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: as above, with the registers of this processor: x4 points to the words, x3 is
    // written.
    unsafe {
        std::arch::asm!(
            "ror x12, x12, #3", "ror x12, x12, #13", "ror x12, x12, #51", "ror x12, x12, #61",
            "orr x10, x10, x10",
            in("x4") arguments.as_ptr(),
            inlateout("x3") 0_usize => result,
        );
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    {
        let _ = arguments;
        result = 0;
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_a_real_processor_requests_do_nothing() {
        assert!(!is_simulated());
        start();
        toggle();
        dump(c"nothing");
        toggle();
        stop();
    }
}

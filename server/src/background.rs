//! Threads whose work may wait, which step aside for a tick: what is written to a disk. Who starts
//! such a thread calls this in it.

/// Of `nice`: a tenth of the weight of other threads. A worker that wakes for a tick has the core
/// at once, rather than after the slice of who writes; who writes still has what nobody else wants,
/// and at least a tenth.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// The calling thread steps aside from now on. Where the system has no such thing for one thread
/// (Linux has) or refuses, it goes on as it is.
pub(crate) fn steps_aside() {
    #[cfg(target_os = "linux")]
    if let Err(error) =
        rustix::process::setpriority_process(Some(rustix::thread::gettid()), NICENESS)
    {
        tracing::debug!(%error, "a thread that writes has the priority of a tick");
    }
}

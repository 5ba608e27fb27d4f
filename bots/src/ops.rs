//! What the server says of itself at its operator's port. Read by `swarm`.

use std::net::SocketAddr;

use crate::socket::fetch;

/// The figures of one reading.
#[derive(Clone, Copy)]
pub(crate) struct Figures {
    /// Memory in RAM.
    pub(crate) resident_bytes: u64,
    cpu_s: f64,
    snapshots: f64,
}

impl Figures {
    /// Reads them; `None` where no port is given, or it says nothing in time.
    pub(crate) async fn read(ops: Option<SocketAddr>) -> Option<Figures> {
        let text = fetch(ops?, "/metrics").await?;
        let figure = |name: &str| {
            let mut lines = text.lines();
            let rest = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            rest?.parse::<f64>().ok()
        };
        Some(Figures {
            resident_bytes: figure("process_resident_memory_bytes")? as u64,
            cpu_s: figure("tickwire_cpu_seconds")?,
            snapshots: figure("tickwire_snapshots_sent_total")?,
        })
    }

    /// CPU time per snapshot since `before`, in microseconds.
    pub(crate) fn cpu_us_since(self, before: Figures) -> Option<f64> {
        let snapshots = self.snapshots - before.snapshots;
        (snapshots > 0.0).then(|| (self.cpu_s - before.cpu_s) * 1e6 / snapshots)
    }
}

//! What the server says of itself at its operator's port. Read by `swarm`.

use std::net::SocketAddr;

use crate::dial::fetch;

/// The figures of one reading.
#[derive(Clone, Copy)]
pub(crate) struct Figures {
    /// Memory in RAM.
    pub(crate) resident_bytes: u64,
    cpu_s: f64,
    snapshots: f64,
}

/// What a line says of a figure, or of one game's part of it.
fn value_of(line: &str, name: &str) -> Option<f64> {
    let rest = line.strip_prefix(name)?;
    let of_a_game = rest.strip_prefix("{game=\"");
    let of_a_game = of_a_game.and_then(|rest| rest.split_once("\"}"));
    let value = of_a_game.map_or(rest, |(_, value)| value);
    value.strip_prefix(' ')?.parse().ok()
}

impl Figures {
    /// Reads them; `None` where no port is given, or it says nothing in time.
    pub(crate) async fn read(ops: Option<SocketAddr>) -> Option<Figures> {
        let text = fetch(ops?, "/metrics").await?;
        let figure = |name: &str| {
            let values = text.lines().filter_map(|line| value_of(line, name));
            values.reduce(|all, of_another_game| all + of_another_game)
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

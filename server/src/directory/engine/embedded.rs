//! The engine of a single process: the tables are its own, so nothing is lost before it ends, and
//! nothing after. One task, no service, one connection for ever.

use std::time::{Duration, Instant};

use super::messages::Run;
use super::table::Table;
use super::{Bulk, Ends, Engine, Event, Put, queues};

/// Starts one, empty, on the runtime that this is called on.
pub(crate) fn start() -> Engine {
    let (engine, ends) = queues();
    tokio::spawn(serve(ends));
    engine
}

async fn serve(mut ends: Ends) {
    let run = Run(1);
    // Epochs are numbers of this table alone: the process's own time will do.
    let since = Instant::now();
    let mut table = Table::default();
    if ends.events.send(Event::Connected { run }).await.is_err() {
        return;
    }
    loop {
        let event = tokio::select! {
            biased;
            order = ends.orders.recv() => {
                let Some(order) = order else { return };
                if order.run != run {
                    continue;
                }
                let sent = Instant::now();
                match table.carry_out(order.command, millis(since.elapsed())) {
                    Ok(reply) => Event::Replied { run, sent, reply },
                    Err(why) => Event::Failed { run, why },
                }
            }
            Some(bulk) = ends.bulk.recv() => {
                // Who asked may be gone.
                match bulk {
                    Bulk::Put(checkpoints, done) => {
                        let put = checkpoints.into_iter().map(|checkpoint| table.put(checkpoint));
                        let _ = done.send(put.collect::<Vec<Put>>());
                    }
                    Bulk::Get(room, done) => {
                        let _ = done.send(Ok(table.get(room)));
                    }
                    Bulk::Owners(rooms, done) => {
                        let owner = |room| table.record(room).map(|record| record.owner);
                        let _ = done.send(Ok(rooms.into_iter().map(owner).collect()));
                    }
                }
                continue;
            }
        };
        if ends.events.send(event).await.is_err() {
            return;
        }
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

//! What was said in a channel, read by those who are in it: a page at a time, of the store and of
//! what the channel itself remembers ([`page`] puts the two together). Whoever has a connection
//! that asks says so by [`History::ask`], having made sure that it may read the channel; the answer
//! goes into the connection's mailbox, so that no tick and no lobby waits for a disk.
//!
//! **Without a store** there is what the channel remembers, and nothing before it; the answer is
//! there at once.
//!
//! **Bounded**: a connection asks for one page, and for the next once it has taken that, ten at once
//! and one a second ([`Online::expect_answer`]); [`AT_ONCE`] pages are read at a time,
//! [`WAITING_MAX`] wait to be, and what is beyond is refused. Where the store is late or fails, the answer is what the channel
//! remembers, or that it is busy.

pub(crate) mod page;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tickwire::codec::encode_server;
use tickwire::protocol::ServerMessage;
use tickwire::protocol::server_message::{PastLine, Refusal};
use tokio::sync::{Mutex, mpsc};
use tokio::time::timeout;

use crate::auth::Identity;
use crate::metrics::Metrics;
use crate::presence::Online;
use crate::store::record::Message;
use crate::store::{ReadError, Store};

/// Pages that are read at a time: half of the store's readers, so that the others stay for who
/// waits for them.
const AT_ONCE: usize = 2;
/// Pages that wait to be read: a few hundred milliseconds' of what can be read. Beyond: refused.
const WAITING_MAX: usize = 1024;
/// For lines that were said to be stored, before a page is read that should have them. Beyond: it
/// is given without them.
const SETTLE: Duration = Duration::from_millis(500);

/// A page that somebody wants to read.
pub(crate) struct Ask {
    /// Who, by the connection that asked.
    pub(crate) reader: Arc<Online>,
    /// By which they know the answer.
    pub(crate) nonce: u32,
    /// The key that the channel's lines are stored by.
    pub(crate) channel: String,
    /// The lines before this one, 0 for the newest.
    pub(crate) before: u32,
    /// The number of the newest line there is, 0 for none.
    pub(crate) newest: u32,
    /// What the channel remembers of the lines before that, oldest first.
    pub(crate) remembered: Vec<PastLine>,
}

/// See the module's description.
pub(crate) struct History {
    store: Store,
    metrics: Arc<Metrics>,
    queue: mpsc::Sender<Ask>,
    asked: Mutex<mpsc::Receiver<Ask>>,
}

impl History {
    pub(crate) fn new(store: Store, metrics: Arc<Metrics>) -> History {
        let (queue, asked) = mpsc::channel(WAITING_MAX);
        History {
            store,
            metrics,
            queue,
            asked: Mutex::new(asked),
        }
    }

    /// Has a page read and put into the reader's mailbox, who asks at `now`. Never waits.
    ///
    /// # Errors
    /// Why it is not; whoever has the connection says so.
    pub(crate) fn ask(&self, ask: Ask, now: Instant) -> Result<(), Refusal> {
        if !ask.reader.expect_answer(now) {
            return Err(Refusal::TooOften);
        }
        if !self.store.is_there() {
            self.answer(ask, Ok(Vec::new()));
            return Ok(());
        }
        self.queue.try_send(ask).map_err(|unasked| {
            unasked.into_inner().reader.answer(VecDeque::new());
            self.metrics.history_refused.increment(1);
            Refusal::Busy
        })
    }

    /// Reads what is asked for, for as long as it is polled.
    pub(crate) async fn keep_reading(&self) {
        let readers: [_; AT_ONCE] = std::array::from_fn(|_| self.read_on());
        let [one, other] = readers;
        tokio::join!(one, other);
    }

    async fn read_on(&self) {
        loop {
            let next = self.asked.lock().await.recv().await;
            // The queue's other end is here, too.
            let Some(ask) = next else { return };
            let stored = self.read(&ask).await;
            self.answer(ask, stored);
        }
    }

    /// What the store has, and once more if it should have lines that it has not: they may be on
    /// their way to it.
    async fn read(&self, ask: &Ask) -> Result<Vec<Message>, ReadError> {
        let before = (ask.before > 0).then_some(u64::from(ask.before));
        let stored = self.store.messages_before(&ask.channel, before).await?;
        let newest = stored.last().map(|line| line.sequence);
        let expected = page::top(ask.before, ask.newest, &ask.remembered);
        if !page::lacks_some(expected, newest, &ask.remembered) {
            return Ok(stored);
        }
        // Late or not, there is no more to be had.
        let _ = timeout(SETTLE, self.store.settled()).await;
        self.store.messages_before(&ask.channel, before).await
    }

    fn answer(&self, ask: Ask, stored: Result<Vec<Message>, ReadError>) {
        let Ask {
            reader,
            nonce,
            remembered,
            ..
        } = ask;
        let parts = match stored {
            Ok(stored) => {
                let is_whole = stored.len() < page::LINES_MAX;
                let whose = reader.identity.to_string();
                let blocked = reader.blocked().unwrap_or_default();
                let is_hidden = |player: &str| {
                    !blocked.is_empty()
                        && Identity::read(player).is_some_and(|player| blocked.has(&player))
                };
                let stored = stored.into_iter().filter_map(|line| {
                    let is_hidden = is_hidden(&line.player);
                    let (id, line) = page::shown(line, &whose)?;
                    Some((id, line.filter(|_| !is_hidden)))
                });
                page::parts(nonce, page::page(stored.collect(), remembered, is_whole))
            }
            Err(_) if remembered.is_empty() => {
                self.metrics.history_refused.increment(1);
                let result = Err(Refusal::Busy);
                let refused = ServerMessage::Lines { nonce, result };
                return reader.answer(VecDeque::from([encode_server(&refused).into()]));
            }
            Err(_) => page::parts(nonce, page::page(Vec::new(), remembered, false)),
        };
        self.metrics.history_pages.increment(1);
        reader.answer(parts);
    }
}

#[cfg(test)]
mod tests;

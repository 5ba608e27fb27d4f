//! What was said in a channel outside of rooms, read by who may.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tickwire::protocol::ServerMessage;
use tickwire::protocol::people::{Line, LinesPage};
use tickwire::protocol::server_message::Refusal;
use tokio::time::timeout;

use super::channel::Said;
use super::{People, Where, busy, encoded};
use crate::history::page::{self, Paged};
use crate::presence::Online;
use crate::store::ReadError;
use crate::store::record::Message;

/// For lines that were said to be stored, before a page is read that should have them. Beyond: it is
/// given without them.
const LATE: Duration = Duration::from_millis(500);

impl Paged for Line {
    fn id(&self) -> u32 {
        self.id
    }

    fn texts(&self) -> usize {
        self.from.len() + self.name.len() + self.text.len()
    }
}

impl People {
    /// Reads a page for who asked for it.
    pub(super) async fn read(&self, who: &Arc<Online>, of: Where, nonce: u32, before: u32) {
        let page = self.page(who, of, before).await;
        let parts = match page {
            Ok(page) => {
                self.metrics.history_pages.increment(1);
                page::cut(page, |lines, more, next| {
                    let result = Ok(LinesPage { lines, more, next });
                    encoded(&ServerMessage::Past { nonce, result })
                })
            }
            Err(reason) => {
                self.metrics.history_refused.increment(1);
                let result = Err(reason);
                [encoded(&ServerMessage::Past { nonce, result })].into()
            }
        };
        who.answer(parts);
    }

    async fn page(
        &self,
        who: &Arc<Online>,
        of: Where,
        before: u32,
    ) -> Result<page::Whole<Line>, Refusal> {
        let blocked = self.blocked_of(who).await?;
        let (key, remembered, newest) = {
            let meant = self.meant(who, of, Instant::now()).await?;
            let remembered: Vec<Said> = meant.channel.before(before).cloned().collect();
            (meant.key.clone(), remembered, meant.channel.newest())
        };
        // What is stored reaches up to there, if nothing is missing.
        let first = match remembered.first() {
            Some(said) => said.id,
            None if before > 0 => before,
            None => newest.saturating_add(1),
        };
        let (stored, is_whole) = match self.stored(&key, before, first).await {
            Ok(stored) => {
                let is_whole = (stored.len() as u64) < crate::store::PAGE;
                (stored, is_whole)
            }
            Err(_) if !remembered.is_empty() => (Vec::new(), false),
            Err(error) => return Err(busy(&error)),
        };
        let stored = stored.into_iter().filter_map(Said::read);
        // What was said by who is blocked, or was erased, takes its place only. Of a line that both
        // have the stored one counts, which knows of the latter.
        let shown = |said: Said| {
            let is_heard = said.from.as_ref().is_some_and(|from| !blocked.has(from));
            let own = said.from.as_ref() == Some(&who.identity);
            let line = is_heard.then(|| self.shown(&said, own));
            (said.id, line.filter(|line| !line.text.is_empty()))
        };
        let all = remembered.into_iter().chain(stored).map(shown);
        Ok(page::whole(all, is_whole))
    }

    /// What the store has before a line, and once more if it does not reach up to line `first`: what
    /// lacks may be on its way there.
    async fn stored(&self, key: &str, before: u32, first: u32) -> Result<Vec<Message>, ReadError> {
        if !self.store.is_there() {
            return Ok(Vec::new());
        }
        let before = (before > 0).then_some(u64::from(before));
        let stored = self.store.messages_before(key, before).await?;
        let newest = stored.last().map_or(0, |line| line.sequence);
        if newest + 1 >= u64::from(first) {
            return Ok(stored);
        }
        // Late or not, there is no more to be had.
        let _ = timeout(LATE, self.store.settled()).await;
        self.store.messages_before(key, before).await
    }
}

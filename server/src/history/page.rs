//! A page, put together of what the store has and of what the channel itself remembers, and cut
//! into messages. Pure.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use tickwire::codec::encode_server;
use tickwire::limits::PAGE_LINES_MAX;
use tickwire::protocol::ServerMessage;
use tickwire::protocol::server_message::{Page, PastLine};

use crate::store::record::Message;

/// Lines of a page.
pub(super) const LINES_MAX: usize = PAGE_LINES_MAX;
/// Bytes of a page, about: 50 lines of the longest have 45 KiB. Beyond: it has fewer lines.
const BYTES_MAX: usize = 16 * 1024;
/// Bytes of one of its parts, about, of which each goes out whole: what goes out before one snapshot
/// is not much more. A line is less.
const PART_BYTES_MAX: usize = 1024;
/// Of a line in a message, beside its texts.
const LINE_BYTES: usize = 14;

/// A line of which something may be shown: what was said by who was erased takes its place only.
pub(super) type Shown = (u32, Option<PastLine>);

/// A stored line as who asks is shown it, by their identity. `None`: its number is none that the
/// wire has.
pub(super) fn shown(line: Message, whose: &str) -> Option<Shown> {
    let id = u32::try_from(line.sequence).ok()?;
    let past = (!line.text.is_empty()).then(|| PastLine {
        id,
        at: u32::try_from(line.said_at_ms / 1000).unwrap_or(u32::MAX),
        own: line.player == whose,
        name: line.name,
        text: line.text,
    });
    Some((id, past))
}

/// The number up to which there should be lines, of those before `before` (0: of all), in a channel
/// whose newest line is `newest`.
pub(super) fn top(before: u32, newest: u32, remembered: &[PastLine]) -> u32 {
    match before {
        // A channel may have left numbers out since.
        0 => remembered.last().map_or(0, |line| line.id),
        _ => newest.min(before - 1),
    }
}

/// Whether there may be lines that neither the store has nor the channel remembers, up to `top`;
/// `stored` is the number of the newest that the store has.
pub(super) fn lacks_some(top: u32, stored: Option<u64>, remembered: &[PastLine]) -> bool {
    let stored = stored.unwrap_or(0);
    let beyond = u64::from(top).saturating_sub(stored);
    let known = remembered.iter().filter(|line| u64::from(line.id) > stored);
    (known.count() as u64) < beyond
}

/// The newest lines of both; of a line that both have the stored one counts, which knows whose it
/// was. `is_whole`: the store has none before its own.
pub(super) fn page(stored: Vec<Shown>, remembered: Vec<PastLine>, is_whole: bool) -> Page {
    let remembered = remembered.into_iter().map(|line| (line.id, Some(line)));
    let mut all: BTreeMap<u32, Option<PastLine>> = remembered.collect();
    all.extend(stored);
    let (mut taken, mut bytes, mut lines) = (0, 0, VecDeque::new());
    let mut oldest = 0;
    let all_count = all.len();
    for (id, line) in all.into_iter().rev().take(LINES_MAX) {
        bytes += line.as_ref().map_or(0, line_bytes);
        if bytes > BYTES_MAX {
            break;
        }
        taken += 1;
        oldest = id;
        lines.extend(line);
    }
    let has_all = is_whole && taken == all_count;
    Page {
        lines: lines.into_iter().rev().collect(),
        more: false,
        next: if has_all { 0 } else { oldest },
    }
}

/// The messages that a page goes out in.
pub(super) fn parts(nonce: u32, page: Page) -> VecDeque<Bytes> {
    let next = page.next;
    let mut groups: VecDeque<Vec<PastLine>> = VecDeque::from([Vec::new()]);
    let mut bytes = 0;
    for line in page.lines {
        bytes += line_bytes(&line);
        if bytes > PART_BYTES_MAX && groups.back().is_some_and(|group| !group.is_empty()) {
            bytes = line_bytes(&line);
            groups.push_back(Vec::new());
        }
        if let Some(group) = groups.back_mut() {
            group.push(line);
        }
    }
    let last = groups.len() - 1;
    let part = |(nth, lines): (usize, Vec<PastLine>)| {
        let more = nth < last;
        let result = Ok(Page { lines, more, next });
        encode_server(&ServerMessage::Lines { nonce, result }).into()
    };
    groups.into_iter().enumerate().map(part).collect()
}

fn line_bytes(line: &PastLine) -> usize {
    LINE_BYTES + line.name.len() + line.text.len()
}

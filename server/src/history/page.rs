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

/// A line that stands in a page.
pub(crate) trait Paged {
    fn id(&self) -> u32;

    /// Bytes of its texts.
    fn texts(&self) -> usize;
}

impl Paged for PastLine {
    fn id(&self) -> u32 {
        self.id
    }

    fn texts(&self) -> usize {
        self.name.len() + self.text.len()
    }
}

/// A page, before it is cut.
pub(crate) struct Whole<L> {
    /// Oldest first.
    lines: Vec<L>,
    next: u32,
}

/// The newest of some lines; of a line that is there twice the later one counts. `is_whole`: there
/// are none before them.
pub(crate) fn whole<L: Paged>(
    some: impl IntoIterator<Item = (u32, Option<L>)>,
    is_whole: bool,
) -> Whole<L> {
    let all: BTreeMap<u32, Option<L>> = some.into_iter().collect();
    let (mut taken, mut bytes, mut lines) = (0, 0, Vec::new());
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
    lines.reverse();
    let has_all = is_whole && taken == all_count;
    Whole {
        lines,
        next: if has_all { 0 } else { oldest },
    }
}

/// The messages that a page goes out in, each made of its lines, whether more follow, and what is
/// next.
pub(crate) fn cut<L: Paged>(
    page: Whole<L>,
    message: impl Fn(Vec<L>, bool, u32) -> Bytes,
) -> VecDeque<Bytes> {
    let next = page.next;
    let mut groups: VecDeque<Vec<L>> = VecDeque::from([Vec::new()]);
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
    let part = |(nth, lines)| message(lines, nth < last, next);
    groups.into_iter().enumerate().map(part).collect()
}

/// The newest lines of both; of a line that both have the stored one counts, which knows whose it
/// was. `is_whole`: the store has none before its own.
pub(super) fn page(stored: Vec<Shown>, remembered: Vec<PastLine>, is_whole: bool) -> Page {
    let remembered = remembered.into_iter().map(|line| (line.id(), Some(line)));
    let Whole { lines, next } = whole(remembered.chain(stored), is_whole);
    Page {
        lines,
        more: false,
        next,
    }
}

/// The messages that a page goes out in.
pub(super) fn parts(nonce: u32, page: Page) -> VecDeque<Bytes> {
    let Page { lines, next, .. } = page;
    cut(Whole { lines, next }, |lines, more, next| {
        let result = Ok(Page { lines, more, next });
        encode_server(&ServerMessage::Lines { nonce, result }).into()
    })
}

fn line_bytes(line: &impl Paged) -> usize {
    LINE_BYTES + line.texts()
}

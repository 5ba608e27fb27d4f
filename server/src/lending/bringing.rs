//! What the home sends back, put into the mailboxes of those whom it is for: by the bounds that each has
//! for what is said here. `Lending::came` calls it, with no lock.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use tickwire::limits::WATCHED_MAX;
use tickwire::protocol::server_message::Refusal;

use super::house::unpack_blocked;
use super::state::Brought;
use super::wire::{BackMail, BackWhat};
use crate::metrics::Metrics;
use crate::presence::{At, Letter, Presence, Shown, Standing, Window};

/// Puts what came back into mailboxes.
pub(super) fn bring(
    brought: Brought,
    (presence, games, metrics): (&Presence, &[&'static str], &Metrics),
    now: Instant,
) {
    let BackMail { to, what } = match brought {
        Brought::Reply(who, bytes) => return who.reply(bytes, now),
        Brought::Parts(who, parts) => return who.answer(parts),
        Brought::Refused(who, key) => return key.refuse(&who, Refusal::Busy, now),
        Brought::Mail(mail) => mail,
    };
    let here = presence.of_numbers(&to);
    let here = here.iter().filter(|online| !online.is_lent());
    let line = |window, bytes: Vec<u8>| {
        let bytes = Bytes::from(bytes);
        for online in here.clone().filter(|online| online.hears(window)) {
            let lost = online.tell_line(window, bytes.clone(), now);
            metrics.lines_dropped.increment(lost.into());
        }
    };
    let stands = |standing, bytes: Vec<u8>| {
        let bytes = Bytes::from(bytes);
        here.clone()
            .for_each(|online| online.show(standing, bytes.clone()));
    };
    match what {
        BackWhat::LineOfTwo(bytes) => line(Window::Two, bytes),
        BackWhat::LineOfLobby(bytes) => line(Window::Lobby, bytes),
        BackWhat::LineOfParty(bytes) => line(Window::Party, bytes),
        BackWhat::Hint(bytes) => {
            let bytes = Bytes::from(bytes);
            here.for_each(|online| online.hint(bytes.clone(), now));
        }
        BackWhat::Crowd(count, mut people) => {
            // Another node's word: of no more than are shown, in their order.
            people.truncate(WATCHED_MAX);
            people.sort_unstable();
            let shown = Arc::new(Shown { count, people });
            here.for_each(|online| online.show_crowd(shown.clone(), now));
        }
        BackWhat::Talk(bytes) => stands(Standing::Talk, bytes),
        BackWhat::InParty(party) => here.for_each(|online| _ = presence.set_party(online, party)),
        BackWhat::Queue(bytes) => stands(Standing::Queue, bytes),
        BackWhat::Party(bytes) => stands(Standing::Party, bytes),
        BackWhat::Letter(bytes) => {
            let (number, bytes) = (0, Bytes::from(bytes));
            for online in here {
                let bytes = bytes.clone();
                let put = online.put(Letter { number, bytes });
                let lost = u64::from(put.dropped) + u64::from(!put.is_in);
                metrics.notices_dropped.increment(lost);
            }
        }
        BackWhat::At(of, at) => {
            let at = At::read(&at, games);
            for (online, at) in here.filter_map(|online| Some((online, at?))) {
                online.tell_of(of, at, now);
            }
        }
        BackWhat::Blocked(them) => {
            let blocked = Arc::new(unpack_blocked(them));
            for online in here {
                online.block(blocked.clone());
                // Where this node is the home one day, others may see them from now on.
                presence.stir(&online.identity);
            }
        }
        BackWhat::Hears(lobby) => here.for_each(|online| online.hear(lobby)),
        // They are for who waits.
        BackWhat::Reply(_) | BackWhat::Part(..) | BackWhat::Unknown => {}
    }
}

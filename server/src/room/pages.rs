//! The members of a room as a newcomer learns of them: some with the news that they are in, the
//! others in pages, one a tick. A change of somebody on a later page is not told before: the page
//! says how they are then. `spread` sends the pages, `notices` knows what everyone was told.

use tickwire::ids::PlayerId;
use tickwire::limits::MEMBERS_PER_PAGE;
use tickwire::protocol::server_message::Member as Public;

use super::members::{Member, Members};
use super::notices::Notices;
use super::told::Untold;

/// Some members, and those that are still to be told of.
pub(super) type Page = (Vec<Public>, Option<Untold>);

impl Notices {
    /// The members as `you`, a newcomer, is told of them first: themselves, if they have a seat, as
    /// they are; the host; then by rising number. They then have got the news of these up to
    /// [`Notices::newest`].
    pub(super) fn first_page<I: Default + Clone>(
        &self,
        members: &Members<I>,
        you: PlayerId,
    ) -> Page {
        let host = members.host();
        let mut page: Vec<Public> = members
            .get(you)
            .map(|member| member.public(host))
            .into_iter()
            .collect();
        let other = host.filter(|host| *host != you);
        page.extend(other.and_then(|host| self.public(members.get(host)?)));
        let known = |player| player == you || Some(player) == host;
        let others = members.iter().filter(|member| !known(member.player()));
        self.fill(others, host, page)
    }

    /// The next of those of whom `you` were not told.
    pub(super) fn next_page<I: Default + Clone>(
        &self,
        members: &Members<I>,
        you: PlayerId,
        untold: Untold,
    ) -> Page {
        let lacks = |player| player != you && untold.has(player);
        let others = members.iter().filter(|member| lacks(member.player()));
        self.fill(others, untold.host, Vec::new())
    }

    /// Fills a page with members by rising number; a member whom nobody was told of yet comes as
    /// news.
    fn fill<'a, I: Default + Clone + 'a>(
        &self,
        others: impl Iterator<Item = &'a Member<I>>,
        host: Option<PlayerId>,
        mut page: Vec<Public>,
    ) -> Page {
        let mut told = others.filter_map(|member| self.public(member)).peekable();
        while page.len() < MEMBERS_PER_PAGE
            && let Some(member) = told.next()
        {
            page.push(member);
        }
        let last = page.last().map(|member| member.player);
        let untold = last.filter(|_| told.peek().is_some());
        (page, untold.map(|after| Untold { after, host }))
    }
}

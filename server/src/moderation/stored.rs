//! Sanctions in the store: read at the start, and each written when it was ordered.

use std::io;

use tokio::sync::oneshot;

use super::kept::Contents;
use super::sanctions::{List, Sanction};
use super::target::Target;
use crate::date::Date;
use crate::store::record::{self, Record, Terms};
use crate::store::{ReadError, Store};

/// The store, with what it has of sanctions, and what handles are made with.
#[derive(Default)]
pub(crate) struct Stored {
    pub(crate) store: Store,
    pub(super) contents: Contents,
    /// None without a store.
    pub(crate) handle_secret: Option<String>,
}

impl Stored {
    /// Reads what is stored of sanctions, if anything is.
    ///
    /// # Errors
    /// One line: the store can't be read.
    pub(crate) async fn read(store: Store) -> io::Result<Stored> {
        if !store.is_there() {
            return Ok(Stored::default());
        }
        let unread = |why: ReadError| io::Error::other(format!("store: {why}"));
        let contents = read(&store, Date::now()).await.map_err(unread)?;
        let secret = store.secret("handles").await.map_err(unread)?;
        let lacks = || io::Error::other("store: its secret of handles is gone");
        Ok(Stored {
            store,
            contents,
            handle_secret: Some(secret.ok_or_else(lacks)?),
        })
    }
}

/// What the store has of sanctions that hold.
pub(super) async fn read(store: &Store, now: Date) -> Result<Contents, ReadError> {
    let all = async |kind| {
        let all: Result<_, ReadError> = store.sanctions(kind, now.0).await;
        all.map(|all| all.into_iter().filter_map(sanction).collect())
    };
    Ok(Contents {
        bans: all("ban").await?,
        mutes: all("mute").await?,
    })
}

/// Has the store keep what holds for a target by the list of this kind, which may be nothing.
pub(super) fn put(
    store: &Store,
    (kind, list): (&'static str, &List),
    target: &Target,
) -> oneshot::Receiver<()> {
    let terms = list.of(target).map(|sanction| Terms {
        until: sanction.until.0,
        since: sanction.since.0,
        reason: sanction.reason.clone(),
    });
    store.put_acknowledged(Record::Sanction(record::Sanction {
        kind,
        target: target.to_string(),
        terms,
    }))
}

/// `None`: a row that no order made.
fn sanction(row: record::Sanction) -> Option<Sanction> {
    let terms = row.terms?;
    let target = Target::player(&row.target).or_else(|_| Target::address(&row.target));
    let sanction = target.map(|target| Sanction {
        target,
        until: Date(terms.until),
        since: Date(terms.since),
        reason: terms.reason,
    });
    sanction.ok()
}

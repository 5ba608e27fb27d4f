//! The parts of a server that must live as long as it does: threads and tasks that serve everybody.
//! One that ends when it should not, by a panic or otherwise, is noticed here; what is done about
//! it is `lib::run`'s. Tasks of one connection are no such parts.

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::future::{Future, poll_fn};
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use tokio::sync::watch;

/// A part of the server ended that must not, and the server with it: [`crate::run`] ends with this
/// inside its error, and [`crate::serve`] with a status of its own, by which a supervisor starts it
/// again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartEnded(String);

impl fmt::Display for PartEnded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ended, without which the server can't go on", self.0)
    }
}

impl Error for PartEnded {}

/// What of a server is alive. Clones are of the same server.
#[derive(Clone, Default)]
pub(crate) struct Vitals(Arc<Shared>);

#[derive(Default)]
struct Shared {
    /// The first that ended.
    ended: watch::Sender<Option<PartEnded>>,
    /// Whether all of them may.
    is_over: AtomicBool,
    /// A part that has to end now, so that tests see what follows.
    #[cfg(test)]
    broken: watch::Sender<String>,
}

/// Held by a part; its end is the part's.
pub(crate) struct Part {
    name: String,
    vitals: Vitals,
}

impl Vitals {
    /// A part that is alive until it drops this.
    pub(crate) fn part(&self, name: impl Into<String>) -> Part {
        Part {
            name: name.into(),
            vitals: self.clone(),
        }
    }

    /// Runs a part until it ends. A panic goes no further.
    pub(crate) async fn keep(self, name: &'static str, part: impl Future<Output = ()>) {
        let _alive = self.part(name);
        let mut part = pin!(part);
        #[cfg(test)]
        let mut broken = Box::pin(self.clone().break_down(name));
        poll_fn(|cx| {
            let polled = catch_unwind(AssertUnwindSafe(|| {
                #[cfg(test)]
                let _ = broken.as_mut().poll(cx);
                part.as_mut().poll(cx)
            }));
            // The panic was logged by the hook.
            polled.unwrap_or_else(|panic| {
                forget(panic);
                Poll::Ready(())
            })
        })
        .await;
    }

    /// Whether nothing ended that should not.
    pub(crate) fn are_good(&self) -> bool {
        self.0.ended.borrow().is_none()
    }

    /// Done when something ended that should not.
    pub(crate) async fn ended(&self) -> PartEnded {
        let mut ended = self.0.ended.subscribe();
        let ended = ended.wait_for(Option::is_some).await;
        // The sender is this one's.
        let ended = ended.ok().and_then(|ended| ended.clone());
        ended.unwrap_or_else(|| PartEnded("a part".into()))
    }

    /// The server stops: from now on parts may end.
    pub(crate) fn let_end(&self) {
        self.0.is_over.store(true, Ordering::Relaxed);
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if self.vitals.0.is_over.load(Ordering::Relaxed) {
            return;
        }
        let ended = PartEnded(mem::take(&mut self.name));
        self.vitals.0.ended.send_if_modified(|first| {
            let is_first = first.is_none();
            first.get_or_insert(ended);
            is_first
        });
    }
}

/// What was thrown may panic again when it is dropped.
pub(crate) fn forget(panic: Box<dyn Any + Send>) {
    mem::forget(panic);
}

#[cfg(test)]
mod tests {
    use super::*;

    impl PartEnded {
        /// The part of this name.
        pub(crate) fn of(name: &str) -> PartEnded {
            PartEnded(name.to_owned())
        }
    }

    impl Vitals {
        /// Has the part of this name panic.
        pub(crate) fn break_part(&self, name: &str) {
            self.0.broken.send_replace(name.to_owned());
        }

        pub(super) async fn break_down(self, name: &str) {
            let mut broken = self.0.broken.subscribe();
            let _ = broken.wait_for(|broken| broken == name).await;
            panic!("{name} is to end");
        }
    }

    #[tokio::test]
    async fn the_first_that_ends_is_named() {
        let vitals = Vitals::default();
        let (one, other) = (vitals.part("one"), vitals.part("other"));
        assert!(vitals.are_good());
        drop(other);
        drop(one);
        assert!(!vitals.are_good());
        let ended = vitals.ended().await.to_string();
        assert!(ended.starts_with("other ended"), "{ended}");
    }

    #[tokio::test]
    async fn a_panic_and_a_return_are_ends() {
        for part in ["panics", "returns"] {
            let vitals = Vitals::default();
            let work = async move {
                tokio::task::yield_now().await;
                assert!(part == "returns");
            };
            vitals.clone().keep(part, work).await;
            assert_eq!(vitals.ended().await, PartEnded(part.into()));
        }
    }

    #[tokio::test]
    async fn at_the_servers_end_parts_may_end() {
        let vitals = Vitals::default();
        let part = vitals.part("part");
        vitals.let_end();
        drop(part);
        assert!(vitals.are_good());
    }
}

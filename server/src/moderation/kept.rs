//! Sanctions that outlast the process: JSON in a document, read at the start, written anew after
//! each order.

use std::io;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::sanctions::Sanction;
use crate::config::ConfigError;

/// A place for one document.
pub(super) trait Document: Send + Sync {
    /// The operator's word for it and where it is, for messages.
    fn name(&self) -> String;

    /// The document, `None` if there is none yet.
    ///
    /// # Errors
    /// One line: it can't be read.
    fn read(&self) -> Result<Option<Vec<u8>>, ConfigError>;

    /// Puts this in its place. May block on a disk: not for an async task or a worker.
    ///
    /// # Errors
    /// The system's; the old document is whole then.
    fn replace(&self, document: &[u8]) -> io::Result<()>;
}

/// What is kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Contents {
    pub(super) bans: Vec<Sanction>,
    pub(super) mutes: Vec<Sanction>,
}

/// See the module's description.
pub(super) struct Kept {
    document: Arc<dyn Document>,
    /// Held while it is written: a later order is not overtaken by an earlier one.
    writing: tokio::sync::Mutex<()>,
}

impl Kept {
    /// Reads what is kept; where nothing is, that is kept, so that a document that takes nothing is
    /// found at the start.
    ///
    /// # Errors
    /// One line: the document can't be read or written, or has something else.
    pub(super) fn open(document: Arc<dyn Document>) -> Result<(Kept, Contents), ConfigError> {
        let failed = |what: String| ConfigError::new(format!("{} {what}", document.name()));
        let contents = match document.read()? {
            Some(kept) => serde_json::from_slice(&kept)
                .map_err(|error| failed(format!("is broken: {error}")))?,
            None => {
                let empty = Contents::default();
                let written = write(&*document, &empty);
                written.map_err(|error| failed(format!("can't be written: {error}")))?;
                empty
            }
        };
        let writing = tokio::sync::Mutex::default();
        Ok((Kept { document, writing }, contents))
    }

    /// Keeps what `contents` gives once earlier writes are through. In a tokio runtime's context.
    ///
    /// # Errors
    /// The system's; what was kept before is whole then.
    pub(super) async fn save(&self, contents: impl FnOnce() -> Contents) -> io::Result<()> {
        let _writing = self.writing.lock().await;
        let (document, contents) = (self.document.clone(), contents());
        let written = tokio::task::spawn_blocking(move || write(&*document, &contents));
        written
            .await
            .unwrap_or_else(|error| Err(io::Error::other(error)))
    }
}

fn write(document: &dyn Document, contents: &Contents) -> io::Result<()> {
    document.replace(&serde_json::to_vec_pretty(contents)?)
}

#[cfg(test)]
mod tests {
    use parking_lot::Mutex;

    use super::*;
    use crate::date::Date;
    use crate::moderation::target::Target;

    /// A document in memory, and whether it takes anything.
    #[derive(Default)]
    struct InMemory(Mutex<Option<Vec<u8>>>, bool);

    impl Document for InMemory {
        fn name(&self) -> String {
            "bans-file bans.json".into()
        }

        fn read(&self) -> Result<Option<Vec<u8>>, ConfigError> {
            Ok(self.0.lock().clone())
        }

        fn replace(&self, document: &[u8]) -> io::Result<()> {
            if self.1 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            *self.0.lock() = Some(document.to_owned());
            Ok(())
        }
    }

    fn some() -> Contents {
        let sanction = |target| Sanction {
            target,
            until: Date(2_000_000_000),
            since: Date(1_000_000_000),
            reason: "said \"no\"\n".into(),
        };
        Contents {
            bans: vec![sanction(Target::address("2001:db8::1").unwrap())],
            mutes: vec![sanction(Target::player("user:ann").unwrap())],
        }
    }

    #[tokio::test]
    async fn what_was_saved_is_read_again() {
        let store = Arc::new(InMemory::default());
        let (kept, empty) = Kept::open(store.clone()).unwrap();
        assert_eq!(empty, Contents::default());
        kept.save(some).await.unwrap();
        assert_eq!(Kept::open(store).unwrap().1, some());
    }

    #[test]
    fn a_broken_document_is_named_with_what_is_wrong() {
        for (text, word) in [
            ("", "broken"),
            ("{\"bans\": []}", "mutes"),
            ("{\"bans\": [], \"mutes\": [], \"more\": 1}", "more"),
            (
                "{\"bans\": [{\"target\": \"everybody\"}], \"mutes\": []}",
                "target",
            ),
        ] {
            let store = InMemory(Mutex::new(Some(text.into())), false);
            let error = Kept::open(Arc::new(store)).err().unwrap().to_string();
            assert!(
                error.contains(word) && error.contains("bans.json"),
                "{error}"
            );
            assert!(!error.contains('\n'), "{error}");
        }
        let full = InMemory(Mutex::default(), true);
        let error = Kept::open(Arc::new(full)).err().unwrap().to_string();
        assert!(error.contains("can't be written"), "{error}");
    }
}

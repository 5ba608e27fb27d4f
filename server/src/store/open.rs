//! From the settings to a store: a file, a server, or none. What the operator named and can't be
//! used ends the start with one line; where they named nothing, and the usual file can't be had,
//! the server runs without.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::health::Health;
use super::inbox::Inbox;
use super::outbox::Wanted;
use super::rated::Rated;
use super::reads::{Readers, Reads};
use super::retention::{Retention, Spans};
use super::tables::Tables;
use super::writer::Writer;
use super::{Store, postgres, sqlite};
use crate::config::{
    Config, ConfigError, PostgresUrl, StorePlace, WebhookKind, invalid, read_file,
};
use crate::metrics::Metrics;
use crate::tls_client;

/// The file of who names none, in the working directory.
const USUAL: &str = "tickwire.db";

/// A store, and who writes it, which is to be started.
#[derive(Default)]
pub(crate) struct Opened {
    pub(crate) store: Store,
    pub(crate) writer: Option<Writer>,
}

/// The store that the settings name. In a runtime's context.
///
/// # Errors
/// Of the kind `InvalidInput`: what they name can't be used. Else the database's, in one line.
pub(crate) async fn open(config: &Config, metrics: &Arc<Metrics>) -> io::Result<Opened> {
    let file = |path: &Path| {
        let path = path.to_owned();
        let readers = Readers::Sqlite(Arc::new(sqlite::Readers::new(&path)));
        let open = move || Ok::<_, String>(boxed(sqlite::Sqlite::open(&path)?));
        (readers, open)
    };
    let (readers, tables) = match &config.store {
        None | Some(StorePlace::Nowhere) => return Ok(Opened::default()),
        Some(StorePlace::Usual) => {
            let path = PathBuf::from(USUAL);
            let (readers, open) = file(&path);
            match on_a_thread(open).await {
                Ok(tables) => (readers, tables),
                Err(error) => {
                    tracing::warn!(
                        file = USUAL,
                        error,
                        "no store: chat and results end with the process"
                    );
                    return Ok(Opened::default());
                }
            }
        }
        Some(StorePlace::File(path)) => {
            let (readers, open) = file(path);
            let tables = on_a_thread(open).await;
            let why = |error| invalid(format!("store {} can't be used: {error}", path.display()));
            (readers, tables.map_err(why)?)
        }
        Some(StorePlace::Postgres(url)) => {
            let place = place(config, url)?;
            let readers = Readers::Postgres(Arc::new(postgres::Readers::new(place.clone())));
            let open = move || Ok(boxed(postgres::Postgres::open(place)?));
            let tables = on_a_thread(open).await;
            // It may be there later.
            let why = |error| io::Error::other(format!("store {url} can't be used: {error}"));
            (readers, tables.map_err(why)?)
        }
    };
    tracing::info!(store = tables.name(), "stored");
    let (inbox, health) = (
        Arc::<Inbox>::default(),
        Arc::new(Health::new(metrics.clone())),
    );
    let rated = Arc::<Rated>::default();
    let retention = Retention::new(Spans {
        chat: config.keep_chat,
        notices: config.keep_notices,
    });
    let writer = Writer::new(
        inbox.clone(),
        tables,
        wanted(config),
        (retention, config.ranks_guests()),
        health.clone(),
        rated.clone(),
        metrics.clone(),
    );
    Ok(Opened {
        store: Store::new(inbox, Reads::new(readers), health, rated),
        writer: Some(writer),
    })
}

/// What of the store the web hook is told.
fn wanted(config: &Config) -> Wanted {
    let is_wanted = |kind| config.webhook_url.is_some() && config.webhook_kinds.contains(&kind);
    Wanted {
        chat: is_wanted(WebhookKind::Chat),
        results: is_wanted(WebhookKind::Results),
    }
}

fn place(config: &Config, url: &PostgresUrl) -> io::Result<postgres::Place> {
    let path = config.store_ca_file.as_deref();
    let read = |path| Ok::<_, ConfigError>((path, read_file(path, "store-ca-file")?));
    let authorities = path.map(read).transpose().map_err(invalid)?;
    let authorities = authorities.as_ref().map(|(path, pem)| (*path, &pem[..]));
    let tls = url
        .is_by_tls()
        .then(|| tls_client::believing(authorities, "store", "store-ca-file"));
    Ok(postgres::Place {
        url: url.clone(),
        tls: tls.transpose().map_err(invalid)?,
    })
}

fn boxed(tables: impl Tables + 'static) -> Box<dyn Tables> {
    Box::new(tables)
}

/// Opens what may wait for a disk or another machine.
async fn on_a_thread(
    open: impl FnOnce() -> Result<Box<dyn Tables>, String> + Send + 'static,
) -> Result<Box<dyn Tables>, String> {
    let opened = tokio::task::spawn_blocking(open).await;
    opened.unwrap_or_else(|error| Err(error.to_string()))
}

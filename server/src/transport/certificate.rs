//! The server's certificate: read at the start, read again when its files change, and the TLS
//! handshake with it. What follows the handshake is `tls`'s.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::config::{self, Stamp, read_file, stamp};
use crate::metrics::Metrics;

/// The settings that name the files.
const CHAIN: &str = "tls-cert";
const KEY: &str = "tls-key";

/// Between two looks at the files. Renewals come weeks before the old one ends.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// A certificate chain and its key, as they were last read.
pub(crate) struct Certificate {
    chain: PathBuf,
    key: PathBuf,
    current: Mutex<Arc<ServerConfig>>,
}

impl Certificate {
    /// Reads both PEM files.
    ///
    /// # Errors
    /// One line: which file, and why it can't be used.
    pub(crate) fn load(chain: &Path, key: &Path) -> io::Result<Certificate> {
        Ok(Certificate {
            current: Mutex::new(read(chain, key)?),
            chain: chain.to_owned(),
            key: key.to_owned(),
        })
    }

    /// The TLS handshake of a socket that was accepted; bounded in time by the caller.
    ///
    /// # Errors
    /// What the peer did wrong, or that it is gone.
    pub(crate) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let config = self.current.lock().clone();
        TlsAcceptor::from(config).accept(stream).await
    }

    /// Looks after the files for as long as it is polled. New ones that can't be used are told
    /// and counted; the old ones stay.
    pub(crate) async fn watch(self: Arc<Self>, metrics: Arc<Metrics>) {
        let mut seen = self.stamps();
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let now = self.stamps();
            if now == seen {
                continue;
            }
            seen = now;
            match read(&self.chain, &self.key) {
                Ok(config) => {
                    *self.current.lock() = config;
                    tracing::info!(certificate = %self.chain.display(), "certificate read again");
                }
                // Half a renewal looks like this too: the other half changes the stamps again.
                Err(error) => {
                    metrics.certificate_errors.increment(1);
                    tracing::warn!(%error, "the certificate stays as it was");
                }
            }
        }
    }

    fn stamps(&self) -> [Stamp; 2] {
        [stamp(&self.chain), stamp(&self.key)]
    }
}

fn read(chain: &Path, key: &Path) -> io::Result<Arc<ServerConfig>> {
    let wrong = |setting: &str, path: &Path, why: &dyn std::fmt::Display| {
        let shown = path.display();
        config::invalid(format!("{setting} {shown} can't be used: {why}"))
    };
    let chain_pem = read_file(chain, CHAIN).map_err(config::invalid)?;
    let key_pem = read_file(key, KEY).map_err(config::invalid)?;
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(&chain_pem)
        .collect::<Result<_, _>>()
        .map_err(|error| wrong(CHAIN, chain, &error))?;
    if certificates.is_empty() {
        return Err(wrong(CHAIN, chain, &"it has no certificate"));
    }
    let private =
        PrivateKeyDer::from_pem_slice(&key_pem).map_err(|error| wrong(KEY, key, &error))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_single_cert(certificates, private)
        .map_err(|error| wrong(CHAIN, chain, &error))?;
    // HTTP/2 has no upgrade, and is not spoken.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // Who comes back needs no signature; one ticket is enough for it.
    config.ticketer = aws_lc_rs::Ticketer::new().map_err(io::Error::other)?;
    config.send_tls13_tickets = 1;
    Ok(Arc::new(config))
}

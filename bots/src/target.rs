//! Where the server is: the URL that `--url` gives, checked, and whose certificates are believed.
//! It opens nothing; `socket` does.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use clap::ValueEnum;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;
use tokio_tungstenite::tungstenite::http::Uri;

/// By what a connection goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Transport {
    /// A WebSocket.
    #[default]
    Websocket,
    /// Requests up, one streaming answer down.
    Stream,
    /// Requests up, long polls down.
    Poll,
}

impl Transport {
    /// How many sockets a connection has.
    pub fn sockets(self) -> u64 {
        match self {
            Transport::Websocket => 1,
            Transport::Stream | Transport::Poll => 2,
        }
    }
}

/// Where the server is: a checked `ws://` or `wss://` URL.
#[derive(Clone)]
pub struct Target {
    pub(crate) uri: Uri,
    /// Host and port.
    pub(crate) authority: String,
    /// For `wss://`: the server's name, and whose certificates are believed.
    pub(crate) tls: Option<(ServerName<'static>, TlsConnector)>,
    /// By what it is reached.
    pub(crate) transport: Transport,
}

impl Target {
    /// Reads a URL. Nobody's certificate is believed yet; see [`Target::trust`].
    pub fn parse(text: &str) -> Result<Target, String> {
        let uri: Uri = text.parse().map_err(|_| "not a URL".to_owned())?;
        let (secure, port) = match uri.scheme_str() {
            Some("ws") => (false, 80),
            Some("wss") => (true, 443),
            _ => return Err("the URL must start with ws:// or wss://".to_owned()),
        };
        let host = uri.host().ok_or("the URL has no host")?;
        let authority = format!("{host}:{}", uri.port_u16().unwrap_or(port));
        let tls = if secure {
            let bare = host.trim_start_matches('[').trim_end_matches(']');
            let name = ServerName::try_from(bare.to_owned()).map_err(|error| error.to_string())?;
            Some((name, connector(RootCertStore::empty())?))
        } else {
            None
        };
        Ok(Target {
            uri,
            authority,
            tls,
            transport: Transport::default(),
        })
    }

    /// Whether TLS is spoken.
    pub fn is_secure(&self) -> bool {
        self.tls.is_some()
    }

    /// The same, with the certificates that others believe and by their transport, all of them the
    /// same ones.
    pub(crate) fn trusting(mut self, others: &[Target]) -> Target {
        let known = others.iter().find_map(|other| other.tls.as_ref());
        if let (Some((_, used)), Some((_, known))) = (&mut self.tls, known) {
            *used = known.clone();
        }
        self.transport = others
            .first()
            .map_or(self.transport, |other| other.transport);
        self
    }

    /// It is reached by this from now on.
    pub fn go_by(&mut self, transport: Transport) {
        self.transport = transport;
    }

    /// Believes the certificates in a PEM file and those that they sign.
    ///
    /// # Errors
    /// One line saying why the file is of no use.
    pub fn trust(&mut self, file: &Path) -> Result<(), String> {
        let Some((_, used)) = &mut self.tls else {
            return Ok(());
        };
        let wrong = |error: &dyn fmt::Display| format!("{}: {error}", file.display());
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(file).map_err(|error| wrong(&error))? {
            let certificate = certificate.map_err(|error| wrong(&error))?;
            roots.add(certificate).map_err(|error| wrong(&error))?;
        }
        *used = connector(roots)?;
        Ok(())
    }
}

fn connector(roots: RootCertStore) -> Result<TlsConnector, String> {
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Target").field(&self.uri).finish()
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.uri.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_websocket_urls_are_targets() {
        let target = Target::parse("ws://localhost:7777/ws").expect("a target");
        assert_eq!(target.authority, "localhost:7777");
        let target = Target::parse("ws://[::1]/ws").expect("a target");
        assert_eq!(target.authority, "[::1]:80");
        let target = Target::parse("wss://[::1]/ws").expect("a target");
        assert_eq!(target.authority, "[::1]:443");
        assert!(target.is_secure());
        for wrong in [
            "",
            "localhost:7777",
            "http://a/ws",
            "wss://a_b../ws",
            "ws://",
        ] {
            assert!(Target::parse(wrong).is_err(), "{wrong:?}");
        }
    }
}

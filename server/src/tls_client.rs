//! TLS as a client: who is believed. For connections to a cluster's engine and to a database.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::config::ConfigError;

/// A client that believes these authorities, in PEM, or those of the system. For `setting`, which
/// names the other end, as `cluster-url`; `file_setting` names the authorities' file.
///
/// # Errors
/// One line: the file has no certificates, or the system has none.
pub(crate) fn believing(
    ca: Option<(&Path, &[u8])>,
    setting: &str,
    file_setting: &str,
) -> Result<Arc<ClientConfig>, ConfigError> {
    let mut roots = RootCertStore::empty();
    match ca {
        Some((path, pem)) => {
            let shown = path.display();
            let wrong = |why: &dyn std::fmt::Display| {
                ConfigError::new(format!("{file_setting} {shown} can't be used: {why}"))
            };
            for certificate in CertificateDer::pem_slice_iter(pem) {
                let certificate = certificate.map_err(|error| wrong(&error))?;
                roots.add(certificate).map_err(|error| wrong(&error))?;
            }
            if roots.is_empty() {
                return Err(wrong(&"it has no certificate"));
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if roots.is_empty() {
                let why = "the system has no certificates of authorities; give";
                return Err(ConfigError::new(format!("{setting}: {why} {file_setting}")));
            }
        }
    }
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| ConfigError::new(format!("{setting}: {error}")))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

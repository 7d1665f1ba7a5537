//! TLS: a certificate and a key, both PEM, read once.

use crate::config::TlsConfig;
use crate::error::ServerError;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::path::Path;
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;

/// What turns connections into TLS ones (1.2 and 1.3, HTTP/1.1).
pub fn acceptor(config: &TlsConfig) -> Result<TlsAcceptor, ServerError> {
    let certificates: Vec<CertificateDer> = CertificateDer::pem_file_iter(&config.certificate)
        .and_then(Iterator::collect)
        .map_err(|error| unusable(&config.certificate, error))?;
    if certificates.is_empty() {
        return Err(unusable(&config.certificate, "it holds no certificate"));
    }
    let key =
        PrivateKeyDer::from_pem_file(&config.key).map_err(|error| unusable(&config.key, error))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut server = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(&config.certificate, error))?
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .map_err(|error| unusable(&config.certificate, error))?;
    server.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(server)))
}

fn unusable(path: &Path, reason: impl ToString) -> ServerError {
    ServerError::Tls {
        path: path.into(),
        reason: reason.to_string(),
    }
}

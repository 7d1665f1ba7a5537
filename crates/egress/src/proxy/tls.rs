//! TLS towards the outside: the host's own roots, and nothing less than a valid certificate for the name.

use crate::name::HostName;
use crate::reason::Reason;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// The one set of algorithms.
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// Certificates that the host believes; read before the process locks itself in.
pub struct Upstream(TlsConnector);

impl Upstream {
    /// Of the host's roots, by `SSL_CERT_FILE` and `SSL_CERT_DIR` where they are set.
    pub fn new() -> Result<Upstream, rustls::Error> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let mut config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Upstream(TlsConnector::from(Arc::new(config))))
    }

    /// Speaks TLS to the host of this name; nothing is sent to one that cannot show that it is.
    pub async fn connect(
        &self,
        name: &HostName,
        socket: TcpStream,
    ) -> Result<TlsStream<TcpStream>, Reason> {
        let name = ServerName::try_from(name.to_string()).map_err(|_| Reason::NameMalformed)?;
        let connected = self.0.connect(name, socket).await;
        connected.map_err(
            |error| match error.get_ref().map(|inner| inner.is::<rustls::Error>()) {
                Some(true) => Reason::UpstreamCertificate,
                _ => Reason::UpstreamUnreachable,
            },
        )
    }
}

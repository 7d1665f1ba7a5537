//! The CA of one session, and the certificates that it makes: a VM believes its own, and no other does. Its key never
//! leaves the process.

use crate::name::HostName;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// A guest's clock may be behind.
const BEFORE: Duration = Duration::from_secs(24 * 60 * 60);
/// The longest that a VM lives.
const AFTER: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// Names that certificates are kept for.
const KEPT: usize = 256;

/// A certificate could not be made.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// The maker's word.
    #[error("make a certificate")]
    Make(#[from] rcgen::Error),
    /// The TLS library does not take it.
    #[error("use a certificate")]
    Use(#[from] rustls::Error),
}

/// The CA.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    /// One key for all of its certificates: they are for one VM.
    key: KeyPair,
    made: Mutex<HashMap<HostName, Arc<ServerConfig>>>,
}

impl Authority {
    /// A new one.
    pub fn new() -> Result<Authority, AuthorityError> {
        let mut params = params(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let name = &mut params.distinguished_name;
        name.push(DnType::CommonName, "LLM-Firecracker, of this VM alone");
        Ok(Authority {
            issuer: CertifiedIssuer::self_signed(params, KeyPair::generate()?)?,
            key: KeyPair::generate()?,
            made: Mutex::default(),
        })
    }

    /// Its certificate, PEM.
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// What answers for this host: HTTP/1.1 alone.
    pub fn server(&self, name: &HostName) -> Result<Arc<ServerConfig>, AuthorityError> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(config) = made.get(name) {
            return Ok(config.clone());
        }
        let mut params = params(vec![name.to_string()])?;
        params.distinguished_name.push(DnType::CommonName, "opened");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let leaf = params.signed_by(&self.key, &self.issuer)?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.serialize_der()));
        let mut config = ServerConfig::builder_with_provider(super::tls::provider())
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], key)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let config = Arc::new(config);
        if made.len() >= KEPT {
            made.clear();
        }
        made.insert(name.clone(), config.clone());
        Ok(config)
    }
}

fn params(names: Vec<String>) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(names)?;
    let now = SystemTime::now();
    params.not_before = (now - BEFORE).into();
    params.not_after = (now + AFTER).into();
    params.distinguished_name = rcgen::DistinguishedName::new();
    Ok(params)
}

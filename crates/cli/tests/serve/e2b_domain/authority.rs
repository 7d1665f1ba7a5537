//! A certificate authority of one test, and a certificate for all names of a domain.

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Puts `cert.pem` and `key.pem` into the folder; gives the file that clients are to trust.
pub fn make(dir: &Path, domain: &str) -> PathBuf {
    let key = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let trusted = dir.join("authority.pem");
    std::fs::write(&trusted, authority.self_signed(&key).unwrap().pem()).unwrap();
    let issuer = Issuer::new(authority, key);
    let key = KeyPair::generate().unwrap();
    let mut own = CertificateParams::new(vec![domain.into(), format!("*.{domain}")]).unwrap();
    // Another name than the authority's: else it is taken for one that signed itself.
    own.distinguished_name = DistinguishedName::new();
    own.distinguished_name.push(DnType::CommonName, domain);
    own.use_authority_key_identifier_extension = true;
    let certificate = own.signed_by(&key, &issuer).unwrap();
    std::fs::write(dir.join("cert.pem"), certificate.pem()).unwrap();
    // A key that others may read is not used.
    let mut file = std::fs::OpenOptions::new();
    let file = file.write(true).create_new(true).mode(0o600);
    let mut file = file.open(dir.join("key.pem")).unwrap();
    file.write_all(key.serialize_pem().as_bytes()).unwrap();
    trusted
}

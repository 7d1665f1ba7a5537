//! HTTPS with a certificate that is made here.

use crate::lab;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use server::config::TlsConfig;
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

#[tokio::test]
async fn the_service_speaks_tls_when_given_a_certificate() {
    let dir = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
    let tls = TlsConfig {
        certificate: dir.path().join("cert.pem"),
        key: dir.path().join("key.pem"),
    };
    std::fs::write(&tls.certificate, made.cert.pem()).unwrap();
    std::fs::write(&tls.key, made.signing_key.serialize_pem()).unwrap();
    let mut config = lab::server_config();
    config.tls = Some(tls.clone());
    let service = lab::start_with(lab::sandbox_config(), config).await;

    let mut roots = rustls::RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(&tls.certificate).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let client = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(client));
    let stream = TcpStream::connect(service.address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = connector.connect(name, stream).await.unwrap();
    let request = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    assert!(answer.starts_with(b"HTTP/1.1 200 "));

    // Plain HTTP on the same port is no request.
    let plain = reqwest::get(format!("http://{}/healthz", service.address)).await;
    assert!(plain.is_err());
    service.end().await;
}

#[tokio::test]
async fn a_wrong_certificate_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("cert.pem");
    std::fs::write(&path, "no certificate").unwrap();
    let mut config = lab::server_config();
    config.tls = Some(TlsConfig {
        certificate: path.clone(),
        key: path.clone(),
    });
    let (rooms, ..) = lab::rooms(&lab::sandbox_config()).await;
    let listener = server::listen(&config).await.unwrap();
    let error = server::serve(config, rooms, listener, std::future::pending())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("cert.pem"), "{error}");
}

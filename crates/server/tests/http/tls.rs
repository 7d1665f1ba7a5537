//! HTTPS with a certificate that is made here.

use crate::lab;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use server::config::TlsConfig;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// Writes a new certificate and its key there.
fn make(tls: &TlsConfig) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
    std::fs::write(&tls.certificate, made.cert.pem()).unwrap();
    std::fs::write(&tls.key, made.signing_key.serialize_pem()).unwrap();
}

/// Where a certificate and its key are to be.
fn files(dir: &Path) -> TlsConfig {
    TlsConfig {
        certificate: dir.join("cert.pem"),
        key: dir.join("key.pem"),
    }
}

/// Who trusts the certificate that is there now, and none besides.
fn who_trusts(tls: &TlsConfig) -> TlsConnector {
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
    TlsConnector::from(Arc::new(client))
}

/// What `/healthz` answers to this client, or that it does not trust the service.
async fn health(address: SocketAddr, client: &TlsConnector) -> std::io::Result<Vec<u8>> {
    let stream = TcpStream::connect(address).await?;
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = client.connect(name, stream).await?;
    let request = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    Ok(answer)
}

#[tokio::test]
async fn the_service_speaks_tls_when_given_a_certificate() {
    let dir = tempfile::tempdir().unwrap();
    let tls = files(dir.path());
    make(&tls);
    let mut config = lab::server_config();
    config.tls = Some(tls.clone());
    let service = lab::start_with(lab::sandbox_config(), config).await;
    let answer = health(service.address, &who_trusts(&tls)).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200 "));

    // Plain HTTP on the same port is no request, and is told so.
    let plain = reqwest::get(format!("http://{}/healthz", service.address)).await;
    let plain = plain.unwrap();
    assert_eq!(plain.status(), 400);
    assert!(plain.text().await.unwrap().contains("https://"));
    service.end().await;
}

#[tokio::test]
async fn a_reload_takes_a_renewed_certificate_and_refuses_a_wrong_one() {
    let dir = tempfile::tempdir().unwrap();
    let tls = files(dir.path());
    make(&tls);
    let before = who_trusts(&tls);
    let mut config = lab::server_config();
    config.tls = Some(tls.clone());
    let (rooms, ..) = lab::rooms(&lab::sandbox_config()).await;
    let listener = server::listen(&config).await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = server::Service::open(config.clone(), rooms, listener).unwrap();
    let reloader = service.reloader();
    let running = tokio::spawn(service.run(std::future::pending()));
    health(address, &before).await.unwrap();

    make(&tls);
    let renewed = who_trusts(&tls);
    reloader.reload(config.clone()).unwrap();
    health(address, &renewed).await.unwrap();
    health(address, &before).await.unwrap_err();

    std::fs::write(&tls.key, "no key").unwrap();
    let error = reloader.reload(config).unwrap_err();
    assert!(error.to_string().contains("key.pem"), "{error}");
    health(address, &renewed).await.unwrap();
    running.abort();
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

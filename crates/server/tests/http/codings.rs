//! Bodies that come as gzip, or in a coding that is not known.

use crate::lab::{self, Service};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use std::io::Write as _;

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub fn post(service: &Service, path: &str, coding: &str, body: Vec<u8>) -> reqwest::RequestBuilder {
    let request = service.client.post(service.url(path));
    let request = request.header("content-type", "application/json");
    request.header("content-encoding", coding).body(body)
}

#[tokio::test]
async fn a_body_as_gzip_is_read_and_judged_like_every_other() {
    let service = lab::start().await;
    let unknown = gzip(br#"{"language": "cobol", "code": "x"}"#);
    for (body, status, code) in [
        (unknown.clone(), 400, "language_unknown"),
        (gzip(b"{"), 400, "json_invalid"),
        (b"{}".to_vec(), 400, "json_invalid"),
        (unknown[..20].to_vec(), 400, "json_invalid"),
        // 64 MiB of blanks in 64 KiB.
        (gzip(&vec![b' '; 64 << 20]), 413, "body_too_large"),
    ] {
        let response = post(&service, "/api/v1/execute", "gzip", body);
        let response = response.send().await.unwrap();
        assert_eq!(response.status(), status, "{code}");
        let problem: Value = response.json().await.unwrap();
        assert_eq!(problem["code"], code, "{problem}");
    }
    let (status, error) =
        lab::answer(post(&service, "/api/v2/execute", "x-gzip", gzip(b"{}"))).await;
    assert_eq!(
        (status, &error["message"]),
        (400, &"language is required as a string".into())
    );
    service.end().await;
}

#[tokio::test]
async fn a_coding_that_is_not_known_is_named() {
    let service = lab::start().await;
    let request = post(&service, "/api/v1/execute", "br", b"{}".to_vec());
    let response = request.send().await.unwrap();
    assert_eq!(
        (
            response.status().as_u16(),
            &response.headers()["accept-encoding"]
        ),
        (415, &"gzip".parse().unwrap())
    );
    let problem: Value = response.json().await.unwrap();
    assert_eq!(problem["code"], "content_encoding_unsupported");
    assert!(
        problem["detail"].as_str().unwrap().contains("\"br\""),
        "{problem}"
    );
    service.end().await;
}

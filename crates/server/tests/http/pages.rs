//! Pages that need no job.

use crate::lab::{self, answer};
use serde_json::Value;

#[tokio::test]
async fn the_openapi_page_is_3_1_and_names_every_route() {
    let service = lab::start().await;
    let (status, api) = answer(service.client.get(service.url("/openapi.json"))).await;
    assert_eq!(status, 200);
    assert!(api["openapi"].as_str().unwrap().starts_with("3.1"));
    for path in [
        "/api/v1/execute",
        "/api/v2/execute",
        "/api/v2/runtimes",
        "/api/v1/languages",
        "/metrics",
        "/readyz",
    ] {
        assert!(api["paths"][path].is_object(), "{path}");
    }
    let responses = &api["paths"]["/api/v1/execute"]["post"]["responses"];
    for status in [
        "200", "400", "401", "403", "408", "413", "415", "429", "500", "503",
    ] {
        assert!(responses[status].is_object(), "{status}");
    }
    service.end().await;
}

#[tokio::test]
async fn every_page_forbids_what_it_does_not_need() {
    let service = lab::start().await;
    for path in ["/", "/docs", "/healthz", "/nothing"] {
        let response = service.get(path).await;
        let headers = response.headers();
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("default-src 'none'"), "{path}: {policy}");
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
    }
    service.end().await;
}

#[tokio::test]
async fn metrics_have_their_public_names() {
    let service = lab::start().await;
    service.execute(&serde_json::json!({"code": 1})).await;
    let text = service.get("/metrics").await.text().await.unwrap();
    for name in [
        "vm_timeouts_total 0",
        "vm_oom_total 0",
        "validation_failures_total 1",
        "dangerous_patterns_total 0",
        "queue_depth 0",
        "vms_alive 0",
    ] {
        assert!(text.lines().any(|line| line == name), "{name} in\n{text}");
    }
    assert!(
        text.contains("http_requests_total{route=\"/api/v1/execute\",status=\"400\"} 1"),
        "{text}"
    );
    service.end().await;
}

#[tokio::test]
async fn readiness_says_what_is_missing() {
    let mut config = lab::server_config();
    config.min_free_disk_mib = u64::MAX / (1 << 30);
    let service = lab::start_with(lab::sandbox_config(), config).await;
    let (status, body) = answer(service.client.get(service.url("/readyz"))).await;
    assert_eq!(status, 503);
    let disk = |check: &&Value| check["name"] == "disk";
    let check = body["checks"]
        .as_array()
        .unwrap()
        .iter()
        .find(disk)
        .unwrap();
    assert_eq!(check["ok"], false);
    assert_eq!(service.get("/healthz").await.status(), 200);
    service.end().await;
}

#[tokio::test]
async fn lists_are_there() {
    let service = lab::start().await;
    let (_, languages) = answer(service.client.get(service.url("/api/v1/languages"))).await;
    assert_eq!(
        languages.as_array().unwrap().len(),
        protocol::language::all().count()
    );
    for path in ["/api/v1/rootfs", "/api/v1/snapshots", "/api/v1/events"] {
        let (status, body) = answer(service.client.get(service.url(path))).await;
        assert_eq!(status, 200, "{path}: {body}");
        assert!(body.is_array(), "{path}");
    }
    let (status, body) = answer(service.client.get(service.url("/api/v1/doctor"))).await;
    assert_eq!(status, 200, "{body}");
    assert!(body["checks"].as_array().unwrap().len() > 20, "{body}");
    let (status, body) = answer(service.client.get(service.url("/api/v1/status"))).await;
    assert_eq!((status, &body["running"]), (200, &0.into()));
    service.end().await;
}

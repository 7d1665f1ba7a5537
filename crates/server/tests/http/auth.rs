//! Keys over real HTTP.

use crate::lab::{self, answer};
use serde_json::json;
use server::config::KeyLimits;
use server::keys::file::{Scope, revoke};

const BOTH: &[Scope] = &[Scope::Run, Scope::Observe];

#[tokio::test]
async fn only_a_key_opens_and_only_to_what_it_may_do() {
    let dir = tempfile::tempdir().unwrap();
    let scopes: &[&[Scope]] = &[&[Scope::Run], &[Scope::Observe]];
    let (service, keys) = lab::start_with_keys(dir.path(), lab::server_config(), scopes).await;
    let get = |path: &str, key: &str| service.client.get(service.url(path)).bearer_auth(key);
    let (execute, observe) = (&keys[0], &keys[1]);
    let changed = format!("{}x", &execute[..execute.len() - 1]);
    for (request, status, code) in [
        (
            service.client.get(service.url("/api/v1/languages")),
            401,
            "unauthorized",
        ),
        (
            get("/api/v1/languages", "llmfc_000000000000_x"),
            401,
            "unauthorized",
        ),
        (get("/api/v1/languages", &changed), 401, "unauthorized"),
        (get("/api/v1/status", execute), 403, "forbidden"),
        (get("/api/v1/events", execute), 403, "forbidden"),
        (
            service
                .post("/api/v1/execute", &json!({}))
                .bearer_auth(observe),
            403,
            "forbidden",
        ),
        (
            service
                .post("/api/v1/execute", &json!({}))
                .header("x-api-key", execute),
            400,
            "field_invalid",
        ),
    ] {
        let (seen, problem) = answer(request).await;
        assert_eq!((seen, &problem["code"]), (status, &code.into()));
    }
    assert_eq!(
        get("/api/v1/languages", execute)
            .send()
            .await
            .unwrap()
            .status(),
        200
    );
    assert_eq!(get("/metrics", observe).send().await.unwrap().status(), 200);
    assert_eq!(service.get("/metrics").await.status(), 401);
    // Who asks whether a key is needed was refused nothing.
    let (_, health) = answer(service.client.get(service.url("/healthz"))).await;
    assert_eq!(health["keys"], true);
    // Open to everybody: what says nothing about jobs.
    for path in ["/healthz", "/readyz", "/docs", "/openapi.json"] {
        assert_ne!(service.get(path).await.status(), 401, "{path}");
    }
    service.end().await;
}

#[tokio::test]
async fn a_revoked_key_stops_to_count_without_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let (service, keys) =
        lab::start_with_keys(dir.path(), lab::server_config(), &[BOTH, BOTH]).await;
    let id = server::keys::file::parts(&keys[0]).unwrap().0;
    revoke(&dir.path().join("keys.json"), id).unwrap();
    let status = || async {
        let request = service.client.get(service.url("/api/v1/languages"));
        request.bearer_auth(&keys[0]).send().await.unwrap().status()
    };
    let begun = std::time::Instant::now();
    while status().await != 401 {
        assert!(begun.elapsed().as_secs() < 5);
    }
    service.end().await;
}

#[tokio::test]
async fn a_key_that_asks_too_often_is_told_when_to_come_back() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = lab::server_config();
    config.key_defaults = KeyLimits {
        requests_per_second: 0.01,
        burst: 3,
        ..KeyLimits::default()
    };
    let (service, keys) = lab::start_with_keys(dir.path(), config, &[BOTH, BOTH]).await;
    let ask = |key: &str| {
        service
            .post("/api/v1/execute", &json!({}))
            .bearer_auth(key)
            .send()
    };
    for _ in 0..3 {
        assert_eq!(ask(&keys[0]).await.unwrap().status(), 400);
    }
    let response = ask(&keys[0]).await.unwrap();
    assert_eq!(response.status(), 429);
    let wait: u64 = response.headers()["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((90..=100).contains(&wait), "{wait}");
    // Another key does not notice.
    assert_eq!(ask(&keys[1]).await.unwrap().status(), 400);
    // Looking is asking, too.
    for path in ["/api/v1/snapshots", "/api/v1/status", "/metrics"] {
        let look = service.client.get(service.url(path)).bearer_auth(&keys[0]);
        assert_eq!(look.send().await.unwrap().status(), 429, "{path}");
    }
    service.end().await;
}

#[tokio::test]
async fn a_key_with_as_many_jobs_as_it_may_have_is_told_so() {
    if !lab::can_run("bash") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut config = lab::server_config();
    config.key_defaults.jobs = 1;
    let (service, keys) = lab::start_with_keys(dir.path(), config, &[BOTH, BOTH]).await;
    let run = |key: &str, code: &str| {
        let body = json!({"lang": "bash", "code": code});
        service.post("/api/v1/execute", &body).bearer_auth(key)
    };
    let running = tokio::spawn(answer(run(&keys[0], "sleep 3")));
    let begun = || !service.feed.events(1).is_empty();
    lab::until(std::time::Duration::from_secs(60), "a job runs", begun).await;
    let refused = run(&keys[0], "echo").send().await.unwrap();
    assert_eq!(refused.status(), 429);
    assert!(refused.headers().contains_key("retry-after"));
    let problem: serde_json::Value = refused.json().await.unwrap();
    assert_eq!(problem["code"], "too_many_jobs");
    // Another key does not notice, and the first one may again when its job is done.
    assert_eq!(answer(run(&keys[1], "echo")).await.0, 200);
    assert_eq!(running.await.unwrap().0, 200);
    assert_eq!(answer(run(&keys[0], "echo")).await.0, 200);
    service.end().await;
}

#[tokio::test]
async fn a_public_address_without_keys_is_refused() {
    let config = server::ServerConfig {
        listen: "0.0.0.0:0".parse().unwrap(),
        ..lab::server_config()
    };
    let (rooms, ..) = lab::rooms(&lab::sandbox_config()).await;
    let listener = server::listen(&config).await.unwrap();
    let error = server::serve(config, rooms, listener, std::future::pending())
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("there are no API keys"),
        "{error}"
    );
}

#[tokio::test]
async fn without_keys_another_sites_page_gets_nothing() {
    let service = lab::start().await;
    let ask = |name: &'static str, value: &'static str| {
        service
            .client
            .get(service.url("/api/v1/languages"))
            .header(name, value)
            .send()
    };
    assert_eq!(ask("host", "evil.example").await.unwrap().status(), 403);
    assert_eq!(
        ask("origin", "https://evil.example")
            .await
            .unwrap()
            .status(),
        403
    );
    for (name, value) in [
        ("host", "[::1]evil.com"),
        ("host", "127.0.0.1:1@evil.com"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        assert_eq!(ask(name, value).await.unwrap().status(), 403, "{value}");
    }
    assert_eq!(
        ask("sec-fetch-site", "same-origin").await.unwrap().status(),
        200
    );
    assert_eq!(ask("host", "localhost").await.unwrap().status(), 200);
    service.end().await;
}

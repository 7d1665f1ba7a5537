//! `/docs` and `/openapi.json`: what they say of each call is so. The page in a browser: [`crate::browser`].

mod snippets;

use crate::lab::{self, answer};
use reqwest::Method;
use serde_json::Value;
use server::keys::file::Scope;
use std::collections::BTreeSet;

/// One policy for both pages, and no stricter or weaker one by accident.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src blob:; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
     require-trusted-types-for 'script'";

/// A call that is refused for a reason of its own.
struct Wrong {
    key: Option<usize>,
    content_type: &'static str,
    body: &'static str,
}

#[tokio::test]
async fn pages_have_the_policy_and_an_icon() {
    let service = lab::start().await;
    for path in ["/", "/docs", "/assets/app.js"] {
        let response = service.get(path).await;
        assert_eq!(
            response.headers()["content-security-policy"],
            POLICY,
            "{path}"
        );
    }
    // Examples have the address that was asked for; what is no host's name is not repeated.
    let own = format!("http://{}", service.address);
    for (host, origin) in [
        (service.address.to_string(), own.as_str()),
        ("box.example:8443".to_owned(), "http://box.example:8443"),
    ] {
        let asked = service.client.get(service.url("/docs"));
        let page = asked.header("host", host).send().await.unwrap();
        let page = page.text().await.unwrap();
        assert!(
            page.contains(&format!("{origin}</var>/api/v1/execute")),
            "{origin}"
        );
        assert!(!page.contains("localhost:8080"), "{origin}");
    }
    for path in ["/favicon.svg", "/favicon.ico"] {
        let response = service.get(path).await;
        assert_eq!(response.headers()["content-type"], "image/svg+xml");
        assert!(response.text().await.unwrap().starts_with("<svg"));
    }
    service.end().await;
}

#[tokio::test]
async fn every_refusal_is_one_that_is_described_of_its_operation() {
    let dir = tempfile::tempdir().unwrap();
    let scopes: &[&[Scope]] = &[
        &[Scope::Run, Scope::Admin],
        &[Scope::Run],
        &[Scope::Observe],
    ];
    let mut config = lab::server_config();
    config.key_defaults.burst = 10_000;
    let (service, keys) = lab::start_with_keys(dir.path(), config, scopes).await;
    let described: Value = service.get("/openapi.json").await.json().await.unwrap();
    let with = |key, content_type, body| Wrong {
        key,
        content_type,
        body,
    };
    let wrong = [
        with(None, "application/json", "{}"),
        with(Some(1), "application/json", "{}"),
        with(Some(2), "application/json", "{}"),
        with(Some(0), "text/plain", "{}"),
        with(Some(0), "application/json", "{"),
        with(Some(0), "application/json", r#"{"no_such_field": 1}"#),
    ];
    let mut seen = BTreeSet::new();
    for (path, item) in described["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            // The doctor takes seconds when it is let.
            let is_slow = path == "/api/v1/doctor";
            for wrong in wrong.iter().filter(|wrong| !is_slow || wrong.key.is_none()) {
                let url = service.url(&path.replace(['{', '}'], "0"));
                let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
                let mut request = service.client.request(method, url);
                request = request.header("content-type", wrong.content_type);
                if let Some(key) = wrong.key {
                    request = request.bearer_auth(&keys[key]);
                }
                let response = request.body(wrong.body).send().await.unwrap();
                let status = response.status().as_u16();
                if status < 400 {
                    continue;
                }
                let problem: Value = response.json().await.unwrap();
                let told = &operation["responses"][status.to_string()]["description"];
                let told = told.as_str().unwrap_or_default();
                // Piston's clients are told no code.
                let code = problem["code"].as_str().unwrap_or_default();
                let named = format!("`{code}`");
                let known = code.is_empty() || told.contains(&named);
                assert!(
                    !told.is_empty() && known,
                    "{method} {path}: {status} {problem}",
                    method = operation["operationId"]
                );
                seen.insert(code.to_owned());
            }
        }
    }
    for code in [
        "unauthorized",
        "forbidden",
        "field_invalid",
        "json_invalid",
        "sandbox_not_found",
    ] {
        assert!(seen.contains(code), "{code}: {seen:?}");
    }
    let (status, _) = answer(service.client.get(service.url("/healthz"))).await;
    assert_eq!(status, 200);
    service.end().await;
}

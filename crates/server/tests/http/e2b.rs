//! E2B's door, as its clients do not use it: wrong tokens, others' sandboxes, bodies that are none. What they do right,
//! `tests/clients/e2b` shows with the clients themselves.

use crate::lab::{self, Service, answer};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use server::ServerConfig;
use server::config::E2bConfig;
use server::keys::file::{Scope, revoke};

/// A sandbox of this key, as it is told of when it is made.
pub async fn made(service: &Service, key: &str, request: &Value) -> Value {
    let request = service.post("/v2/sandboxes", request);
    let (status, body) = answer(request.header("x-api-key", key)).await;
    assert_eq!(status, 201, "{body}");
    body
}

fn of_bash() -> Value {
    json!({"templateID": "bash", "timeout": 60})
}

pub fn text(body: &Value, field: &str) -> String {
    body[field].as_str().unwrap_or_default().to_owned()
}

/// Whether it is there, for who has this token.
fn health(service: &Service, id: &str, token: Option<&str>) -> RequestBuilder {
    let request = service.client.get(service.url("/health"));
    let request = request.header("e2b-sandbox-id", id);
    match token {
        Some(token) => request.header("x-access-token", token),
        None => request,
    }
}

async fn status(request: RequestBuilder) -> StatusCode {
    request.send().await.unwrap().status()
}

#[tokio::test]
async fn a_token_opens_its_own_sandbox_and_only_while_its_key_counts() {
    if !lab::can_run("bash") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let config = ServerConfig {
        e2b: E2bConfig {
            domain: Some("sandboxes.example.org".into()),
            open_by_name: false,
            ports: false,
        },
        ..lab::server_config()
    };
    let scopes = &[&[Scope::Run][..], &[Scope::Run][..]];
    let (service, keys) = lab::start_with_keys(dir.path(), config, scopes).await;
    let (own, other) = (
        made(&service, &keys[0], &of_bash()).await,
        made(&service, &keys[1], &of_bash()).await,
    );
    let (id, token) = (text(&own, "sandboxID"), text(&own, "envdAccessToken"));
    assert_eq!(text(&own, "domain"), "sandboxes.example.org");
    for (token, expected) in [
        (Some(token.clone()), 204),
        (None, 401),
        (Some(String::new()), 401),
        (Some(text(&other, "envdAccessToken")), 401),
        (Some(text(&own, "trafficAccessToken")), 401),
    ] {
        let got = status(health(&service, &id, token.as_deref())).await;
        assert_eq!(got, expected, "{token:?}");
    }
    // By the name that older clients use, by the token alone, and by the sandbox's own host name.
    assert_eq!(
        status(health(&service, &format!("{id}-local"), Some(&token))).await,
        204
    );
    let bare = || {
        service
            .client
            .get(service.url("/health"))
            .header("x-access-token", &token)
    };
    assert_eq!(status(bare()).await, 204);
    let host = format!("49983-{id}.sandboxes.example.org");
    assert_eq!(status(bare().header("host", &host)).await, 204);
    let elsewhere = host.replace(&id, &text(&other, "sandboxID"));
    assert_eq!(status(bare().header("host", elsewhere)).await, 401);
    // Another key sees nothing of it.
    let with = |method: Method, path: &str| {
        let request = service.client.request(method, service.url(path));
        request.header("x-api-key", &keys[1])
    };
    for (method, path) in [
        (Method::GET, ""),
        (Method::DELETE, ""),
        (Method::GET, "/metrics"),
    ] {
        let path = format!("/sandboxes/{id}{path}");
        let (status, body) = answer(with(method.clone(), &path)).await;
        assert_eq!(
            (status, &body["code"]),
            (404, &json!(404)),
            "{method} {path}"
        );
    }
    let (_, listed) = answer(with(Method::GET, "/v2/sandboxes")).await;
    let names: Vec<_> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|one| text(one, "sandboxID"))
        .collect();
    assert_eq!(names, [text(&other, "sandboxID")]);
    // A key that counts no more takes its tokens along.
    let key_id = keys[0].split('_').nth(1).unwrap();
    revoke(&dir.path().join("keys.json"), key_id).unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(1200)).await;
    assert_eq!(status(health(&service, &id, Some(&token))).await, 401);
    service.end().await;
}

#[tokio::test]
async fn a_clients_mistake_is_told_in_e2bs_words() {
    if !lab::can_run("bash") {
        return;
    }
    let service = lab::start().await;
    let own = made(&service, "any", &of_bash()).await;
    let (id, token) = (text(&own, "sandboxID"), text(&own, "envdAccessToken"));
    let post = |path: &str, kind: &str, body: Vec<u8>| {
        let request = service.client.post(service.url(path)).body(body);
        let request = request.header("content-type", kind);
        request
            .header("e2b-sandbox-id", &id)
            .header("x-access-token", &token)
    };
    let (json, connect) = ("application/json", "application/connect+json");
    let envelope = |message: &str| {
        let length = (message.len() as u32).to_be_bytes();
        [&[0][..], &length, message.as_bytes()].concat()
    };
    for (path, kind, body, expected) in [
        ("/v2/sandboxes", json, b"{".to_vec(), 400),
        ("/v2/sandboxes", json, b"{\"templateID\": 7}".to_vec(), 400),
        (
            "/v2/sandboxes",
            json,
            b"{\"templateID\": \"none\"}".to_vec(),
            404,
        ),
        (
            "/v2/sandboxes",
            json,
            b"{\"templateID\": \"bash\", \"volumeMounts\": [{}]}".to_vec(),
            400,
        ),
        (
            "/sandboxes/none/timeout",
            json,
            b"{\"timeout\": 1}".to_vec(),
            404,
        ),
        ("/templates", json, b"{}".to_vec(), 404),
        ("/files", json, b"{}".to_vec(), 400),
        (
            "/files",
            "multipart/form-data; boundary=B",
            b"--B\r\n".to_vec(),
            400,
        ),
        (
            "/files",
            "application/octet-stream",
            b"no path".to_vec(),
            400,
        ),
        (
            "/files?path=/etc/x",
            "application/octet-stream",
            b"x".to_vec(),
            403,
        ),
        (
            "/files?path=x&signature=v1_x",
            "application/octet-stream",
            b"x".to_vec(),
            401,
        ),
        ("/process.Process/SendInput", json, b"{}".to_vec(), 400),
        (
            "/process.Process/SendSignal",
            json,
            b"{\"process\": {\"pid\": 9}, \"signal\": \"SIGNAL_SIGKILL\"}".to_vec(),
            404,
        ),
        (
            "/process.Process/Update",
            json,
            b"{\"process\": {}}".to_vec(),
            404,
        ),
        (
            "/filesystem.Filesystem/Stat",
            json,
            b"{\"path\": \"none\"}".to_vec(),
            404,
        ),
        (
            "/filesystem.Filesystem/Stat",
            json,
            b"{\"path\": \"\\u0000\"}".to_vec(),
            400,
        ),
        (
            "/filesystem.Filesystem/GetWatcherEvents",
            json,
            b"{\"watcherId\": \"x\"}".to_vec(),
            404,
        ),
    ] {
        let (status, told) = answer(post(path, kind, body)).await;
        assert_eq!(status, expected, "{path}: {told}");
        assert!(
            told["message"].is_string() && !told["code"].is_null(),
            "{path}: {told}"
        );
    }
    // A stream says it in its last envelope.
    for (path, body, code) in [
        ("/process.Process/Start", Vec::new(), "invalid_argument"),
        ("/process.Process/Start", vec![0xff; 9], "invalid_argument"),
        ("/process.Process/Start", envelope("{}"), "invalid_argument"),
        (
            "/process.Process/Start",
            envelope("{\"process\": {\"cmd\": \"/none\"}}"),
            "invalid_argument",
        ),
        (
            "/process.Process/Connect",
            envelope("{\"process\": {\"pid\": 9}}"),
            "not_found",
        ),
        (
            "/process.Process/StreamInput",
            envelope("{\"data\": {}}"),
            "invalid_argument",
        ),
        (
            "/filesystem.Filesystem/WatchDir",
            envelope("{\"path\": \"none\"}"),
            "not_found",
        ),
    ] {
        let response = post(path, connect, body).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        let bytes = response.bytes().await.unwrap();
        assert_eq!(bytes.first(), Some(&2), "{path}");
        let end: Value = serde_json::from_slice(&bytes[5..]).unwrap();
        assert_eq!(end["error"]["code"], code, "{path}: {end}");
    }
    let ended = service
        .client
        .delete(service.url(&format!("/sandboxes/{id}")));
    assert_eq!(status(ended).await, 204);
    let (status, told) = answer(health(&service, &id, Some(&token))).await;
    assert_eq!((status, &told["code"]), (502, &json!(502)));
    assert!(told["message"].as_str().unwrap().contains("was not found"));
    service.end().await;
}

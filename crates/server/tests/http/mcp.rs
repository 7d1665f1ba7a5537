//! The walls of `/mcp`: who may ask, whose is what, how much, and what goes with a client. What its tools answer, real
//! clients judge (`cli/tests/serve/mcp.rs`).

use crate::lab::{self, Service};
use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};
use server::keys::file::Scope;
use std::time::Duration;

const VERSION: &str = "2026-07-28";
const SESSION: &str = "mcp-session-id";

/// A call of a tool as the revision without sessions has it.
fn call(service: &Service, tool: &str, arguments: Value) -> RequestBuilder {
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": VERSION,
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let params = json!({"name": tool, "arguments": arguments, "_meta": meta});
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
    post(service, &body)
        .header("mcp-protocol-version", VERSION)
        .header("mcp-method", "tools/call")
        .header("mcp-name", tool)
}

fn post(service: &Service, body: &Value) -> RequestBuilder {
    service
        .post("/mcp", body)
        .header("accept", "application/json, text/event-stream")
}

/// The beginning of a session of the revisions before.
fn initialize(service: &Service) -> RequestBuilder {
    let params = json!({
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "walls", "version": "1"},
    });
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params});
    post(service, &body)
}

/// The last message of an answer, whichever form it has.
async fn result(request: RequestBuilder) -> Value {
    let answer = request.send().await.unwrap();
    let status = answer.status();
    let text = answer.text().await.unwrap();
    assert_eq!(status, StatusCode::OK, "{text}");
    let mut data = text.lines().filter_map(|line| line.strip_prefix("data: "));
    let last = data.rfind(|data| !data.is_empty());
    let message: Value = serde_json::from_str(last.unwrap_or(&text)).unwrap();
    message["result"].clone()
}

async fn status(request: RequestBuilder) -> u16 {
    request.send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn pages_of_other_sites_and_other_names_of_this_host_are_refused_with_keys_and_without() {
    let open = lab::start().await;
    let dir = tempfile::tempdir().unwrap();
    let scopes: &[&[Scope]] = &[&[Scope::Run]];
    let (closed, keys) = lab::start_with_keys(dir.path(), lab::server_config(), scopes).await;
    let own = format!("http://{}", open.address);
    // Header, value, status without keys, status with one.
    for (name, value, without, with) in [
        ("origin", "http://evil.example", 403, 403),
        ("origin", "null", 403, 403),
        ("origin", "http://localhost.evil.example", 403, 403),
        ("sec-fetch-site", "cross-site", 403, 403),
        ("host", "evil.example", 403, 200),
        ("host", "localhost", 200, 200),
        ("origin", own.as_str(), 200, 403),
    ] {
        let asked = initialize(&open).header(name, value);
        assert_eq!(status(asked).await, without, "{name}: {value}");
        let asked = initialize(&closed)
            .bearer_auth(&keys[0])
            .header(name, value);
        assert_eq!(status(asked).await, with, "{name}: {value}, with a key");
    }
    // The rest of the protocol is behind the same wall.
    for method in [reqwest::Method::GET, reqwest::Method::DELETE] {
        let request = open.client.request(method, open.url("/mcp"));
        let asked = request.header("origin", "http://evil.example");
        assert_eq!(status(asked).await, 403);
    }
    let observer = initialize(&closed);
    assert_eq!(status(observer).await, 401);
    open.end().await;
    closed.end().await;
}

#[tokio::test]
async fn a_run_names_its_image_and_a_session_keeps_its_own() {
    let service = lab::start().await;
    let refused = async |arguments: Value| {
        let answer = result(call(&service, "run_code", arguments)).await;
        assert_eq!(answer["isError"], true, "{answer}");
        answer["content"][0]["text"].as_str().unwrap().to_owned()
    };
    let none = json!({"language": "python", "code": "1", "image": "no-such"});
    let said = refused(none).await;
    assert!(
        said.contains("no-such") && said.contains("python-data"),
        "{said}"
    );
    let go = json!({"language": "go", "code": "1", "image": "python-data"});
    let said = refused(go).await;
    assert!(said.contains("image python-data holds no go"), "{said}");
    let packages = json!({"language": "python", "code": "1", "packages": ["requests"]});
    let said = refused(packages).await;
    assert!(said.contains("packages"), "{said}");
    service.end().await;
}

#[tokio::test]
async fn another_keys_sessions_and_runs_are_not_there() {
    if !lab::can_run("bash") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let scopes: &[&[Scope]] = &[&[Scope::Run], &[Scope::Run]];
    let (service, keys) = lab::start_with_keys(dir.path(), lab::server_config(), scopes).await;
    let call = |key: usize, tool: &str, arguments| {
        result(call(&service, tool, arguments).bearer_auth(&keys[key]))
    };
    let started = call(0, "start_session", json!({"language": "bash"})).await;
    let session = started["structuredContent"]["session_id"].clone();
    let code = "echo secret > /work/out/a.txt; echo secret > /work/b.txt";
    let program = json!({"language": "bash", "code": code});
    let run = call(0, "run_code", program).await;
    let (run, uri) = (
        run["structuredContent"]["run_id"].clone(),
        run["structuredContent"]["files"][0]["uri"].clone(),
    );
    for (tool, arguments) in [
        (
            "run_code",
            json!({"language": "bash", "code": "ls", "session_id": session}),
        ),
        ("list_files", json!({"session_id": session})),
        (
            "write_file",
            json!({"session_id": session, "path": "x", "content": "x"}),
        ),
        ("list_files", json!({"session_id": run})),
        (
            "read_file",
            json!({"session_id": run, "path": "/work/out/a.txt"}),
        ),
        ("read_file", json!({"path": uri})),
        ("end_session", json!({"session_id": session})),
    ] {
        let others = call(1, tool, arguments.clone()).await;
        assert_eq!(others["isError"], true, "{tool}: {others}");
        assert_eq!(
            others["structuredContent"]["error"]["code"],
            "sandbox_not_found"
        );
        assert!(!others.to_string().contains("secret"));
        let own = call(0, tool, arguments).await;
        assert_eq!(own["isError"], false, "{tool}: {own}");
    }
    service.end().await;
}

#[tokio::test]
async fn another_keys_session_of_the_protocol_is_not_there() {
    let dir = tempfile::tempdir().unwrap();
    let scopes: &[&[Scope]] = &[&[Scope::Run], &[Scope::Run]];
    let (service, keys) = lab::start_with_keys(dir.path(), lab::server_config(), scopes).await;
    let begun = initialize(&service).bearer_auth(&keys[0]).send().await;
    let session = begun.unwrap().headers()[SESSION].clone();
    let ping = json!({"jsonrpc": "2.0", "id": 2, "method": "ping"});
    let asks = |key: &str| {
        let request = post(&service, &ping).bearer_auth(key);
        status(request.header(SESSION, session.clone()))
    };
    let listens = |key: &str| {
        let request = service.client.get(service.url("/mcp")).bearer_auth(key);
        let request = request.header("accept", "text/event-stream");
        status(request.header(SESSION, session.clone()))
    };
    assert_eq!((asks(&keys[1]).await, listens(&keys[1]).await), (404, 404));
    let delete = service.client.delete(service.url("/mcp"));
    let delete = delete
        .bearer_auth(&keys[1])
        .header(SESSION, session.clone());
    status(delete).await;
    assert_eq!(asks(&keys[0]).await, 200);
    service.end().await;
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_before_it_is_read() {
    let mut config = lab::server_config();
    config.http.body_bytes = 64 * 1024;
    let service = lab::start_with(lab::sandbox_config(), config).await;
    let code = "x".repeat(100_000);
    let large = call(
        &service,
        "run_code",
        json!({"language": "python", "code": code}),
    );
    assert_eq!(status(large).await, 413);
    let nested = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    let nested = service
        .client
        .post(service.url("/mcp"))
        .header("accept", "application/json, text/event-stream")
        .header("content-type", "application/json")
        .body(nested);
    let seen = status(nested).await;
    assert!((400..500).contains(&seen), "{seen}");
    service.end().await;
}

#[tokio::test]
async fn a_client_that_goes_ends_its_call_and_keeps_its_session() {
    if !lab::can_run("bash") {
        return;
    }
    let service = lab::start().await;
    let running = || service.sandbox.load().0;
    let long = json!({"language": "bash", "code": "sleep 100", "timeout": 110});
    let gone = tokio::time::timeout(
        Duration::from_millis(1500),
        result(call(&service, "run_code", long.clone())),
    );
    assert!(gone.await.is_err());
    let patience = Duration::from_secs(5);
    lab::until(patience, "the cancelled job is over", || running() == 0).await;

    let started = result(call(&service, "start_session", json!({"language": "bash"}))).await;
    let session = started["structuredContent"]["session_id"].clone();
    let with = |mut arguments: Value| {
        arguments["session_id"] = session.clone();
        arguments
    };
    let kept = with(json!({"path": "kept.txt", "content": "kept"}));
    result(call(&service, "write_file", kept)).await;
    let gone = tokio::time::timeout(
        Duration::from_millis(1500),
        result(call(&service, "run_code", with(long))),
    );
    assert!(gone.await.is_err());
    // Its interpreter takes the next program, which it does not while one runs.
    let next = with(json!({"language": "bash", "code": "cat kept.txt", "timeout": 20}));
    let next = result(call(&service, "run_code", next)).await;
    assert_eq!(next["structuredContent"]["stdout"], "kept", "{next}");
    service.end().await;
}

#[tokio::test]
async fn a_session_that_nobody_uses_is_ended() {
    if !lab::can_run("bash") {
        return;
    }
    let mut config = lab::server_config();
    config.sessions.idle_seconds = 1;
    let service = lab::start_with(lab::sandbox_config(), config).await;
    let started = result(call(&service, "start_session", json!({"language": "bash"}))).await;
    let session = started["structuredContent"]["session_id"].clone();
    let sandboxes = || async {
        let status: Value = service.get("/api/v1/status").await.json().await.unwrap();
        status["sandboxes"].as_array().unwrap().len()
    };
    assert_eq!(sandboxes().await, 1);
    tokio::time::timeout(Duration::from_secs(10), async {
        while sandboxes().await > 0 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    })
    .await
    .unwrap();
    let late = result(call(&service, "list_files", json!({"session_id": session}))).await;
    assert_eq!(late["isError"], true);
    let text = late["content"][0]["text"].as_str().unwrap();
    assert!(text.contains("call start_session"), "{text}");
    service.end().await;
}

#[tokio::test]
async fn a_stop_waits_for_no_stream_that_only_listens() {
    let service = lab::start().await;
    let begun = initialize(&service).send().await.unwrap();
    let session = begun.headers()[SESSION].clone();
    let listening = service
        .client
        .get(service.url("/mcp"))
        .header("accept", "text/event-stream")
        .header(SESSION, session)
        .send()
        .await
        .unwrap();
    assert_eq!(listening.status(), 200);
    let begun = std::time::Instant::now();
    service.end().await;
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
}

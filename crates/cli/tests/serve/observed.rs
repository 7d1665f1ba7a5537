//! Traces, log and events where an operator collects them: a collector that speaks OTLP, the journal.

use crate::lab;
use crate::service::{PATIENCE, Service, until};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use serde_json::json;
use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::sync::{Arc, Mutex};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";
/// An attribute `key` that is `local`, in protobuf: whose request it was.
const KEY: &[u8] = b"\x0a\x03key\x12\x07\x0a\x05local";

#[derive(Clone, Default)]
struct Collected {
    traces: Arc<Mutex<Vec<u8>>>,
    logs: Arc<Mutex<Vec<u8>>>,
}

/// A collector: keeps what is posted to it, in protobuf as it came.
async fn collector() -> (String, Collected) {
    let collected = Collected::default();
    let keep = |into: fn(&Collected) -> &Mutex<Vec<u8>>| {
        post(move |State(to): State<Collected>, body: Bytes| async move {
            into(&to).lock().unwrap().extend_from_slice(&body);
        })
    };
    let app = Router::new()
        .route("/v1/traces", keep(|to| &to.traces))
        .route("/v1/logs", keep(|to| &to.logs))
        .with_state(collected.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    (format!("http://{address}"), collected)
}

/// In protobuf an id is its bytes, and a text is itself.
fn holds(bytes: &Mutex<Vec<u8>>, part: &[u8]) -> bool {
    let bytes = bytes.lock().unwrap();
    bytes.windows(part.len()).any(|window| window == part)
}

fn id_bytes(hex: &str) -> Vec<u8> {
    let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(byte).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_gets_the_callers_trace_and_the_events() {
    let _alone = lab::alone().await;
    let (endpoint, collected) = collector().await;
    let more = format!("[telemetry]\notlp_endpoint = \"{endpoint}\"\n");
    let service = Service::start("otlp", &more);
    let body = json!({"lang": "python", "code": "1", "timeout": 0});
    let request = service.post("/api/v1/execute", &body);
    let parent = format!("00-{TRACE}-{SPAN}-01");
    let answer = request.header("traceparent", parent).send().await.unwrap();
    assert_eq!(answer.status(), 400);
    // What is still to be sent is sent at the end.
    service.stop();
    let (traces, logs) = (&collected.traces, &collected.logs);
    for (what, part) in [
        ("the caller's trace", id_bytes(TRACE)),
        ("the caller's span", id_bytes(SPAN)),
        ("the route", b"POST /api/v1/execute".to_vec()),
        ("the service", b"llm-firecracker".to_vec()),
        ("the key", KEY.to_vec()),
    ] {
        assert!(holds(traces, &part), "{what} is not in the traces");
    }
    for (what, part) in [
        ("the event", b"VALIDATION_FAIL".to_vec()),
        ("the trace it belongs to", id_bytes(TRACE)),
        ("its key", KEY.to_vec()),
    ] {
        assert!(holds(logs, &part), "{what} is not in the log");
    }
}

/// The journal's socket has one place only, so the service gets a mount namespace of its own in
/// which our socket is there.
#[tokio::test(flavor = "multi_thread")]
async fn the_journal_gets_the_events_with_their_fields() {
    let _alone = lab::alone().await;
    let dir = tempfile::tempdir().unwrap();
    let socket = UnixDatagram::bind(dir.path().join("socket")).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let prepare = format!(
        "mount -t tmpfs none /run && mkdir -p /run/systemd/journal && mount --bind {} /run/systemd/journal && exec \"$@\"",
        dir.path().display()
    );
    let mut wrapped = Command::new("unshare");
    wrapped.args(["--mount", "--propagation", "private"]);
    wrapped.args(["sh", "-c", &prepare, "sh"]);
    let service = Service::start_by(wrapped, "journald", "[telemetry]\njournald = true\n", &[]);
    let body = json!({"lang": "python", "code": "1", "timeout": 0, "trace_id": "journaled"});
    let (status, _) = service.execute(&body).await;
    assert_eq!(status, 400);
    let mut entry = String::new();
    until("the event is in the journal", async || {
        let mut buffer = [0; 8192];
        let length = socket.recv(&mut buffer).unwrap();
        entry = String::from_utf8_lossy(&buffer[..length]).into_owned();
        entry.contains("VALIDATION_FAIL")
    })
    .await;
    for field in [
        "SYSLOG_IDENTIFIER",
        "llm-firecracker",
        "PRIORITY",
        "journaled",
    ] {
        assert!(entry.contains(field), "{field} in {entry}");
    }
    service.stop();
}

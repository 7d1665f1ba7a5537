//! Answers on their way to slow clients: what they hold, and for how long.

use crate::lab::{self, Service};
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// More than the kernel's buffers of a connection hold.
const LARGE: usize = 12 << 20;

/// Asks for an answer of [`LARGE`] bytes and reads none of it yet.
async fn ask(service: &Service) -> TcpStream {
    let code = format!("head -c {LARGE} /dev/zero | tr '\\0' a");
    let body =
        json!({"lang": "bash", "code": code, "output_bytes": LARGE, "timeout": 60}).to_string();
    let text = format!(
        "POST /api/v1/execute HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    // A small window: what is not read stays with the service.
    socket.set_recv_buffer_size(64 << 10).unwrap();
    let mut stream = socket.connect(service.address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    stream
}

/// Bytes until the answer's header and announced body are there, or the connection ends.
async fn take(stream: &mut TcpStream) -> usize {
    let mut bytes = Vec::new();
    let mut chunk = vec![0; 1 << 20];
    loop {
        match stream.read(&mut chunk).await {
            Ok(0) | Err(_) => return bytes.len(),
            Ok(read) => bytes.extend_from_slice(&chunk[..read]),
        }
        if bytes.ends_with(b"}") && bytes.len() > LARGE {
            return bytes.len();
        }
    }
}

async fn first_byte(stream: &mut TcpStream) {
    let mut byte = [0; 1];
    let read = stream.read_exact(&mut byte);
    tokio::time::timeout(Duration::from_secs(90), read)
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn an_answer_that_is_not_out_yet_keeps_its_connection() {
    if !lab::can_run("bash") {
        return;
    }
    let mut config = lab::server_config();
    config.http.connections = 3;
    let service = lab::start_with(lab::sandbox_config(), config).await;
    let mut stream = ask(&service).await;
    first_byte(&mut stream).await;
    // Each takes the place of the one that is idle longest.
    let mut silent = Vec::new();
    for _ in 0..6 {
        silent.push(TcpStream::connect(service.address).await.unwrap());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(take(&mut stream).await > LARGE);
    service.end().await;
}

#[tokio::test]
async fn answers_wait_for_each_other_and_a_slow_client_for_none() {
    if !lab::can_run("bash") {
        return;
    }
    let mut config = lab::server_config();
    config.http.all_answers_bytes = LARGE;
    config.http.answer_seconds = 4;
    let service = lab::start_with(lab::sandbox_config(), config).await;
    let mut slow = ask(&service).await;
    first_byte(&mut slow).await;
    let begun = Instant::now();
    let mut second = ask(&service).await;
    first_byte(&mut second).await;
    // The first one's time was up: it was ended, and what it held is the second one's.
    assert!(
        begun.elapsed() >= Duration::from_secs(3),
        "{:?}",
        begun.elapsed()
    );
    assert!(take(&mut second).await > LARGE);
    assert!(take(&mut slow).await < LARGE);
    service.end().await;
}

#[tokio::test]
async fn a_client_that_sent_bytes_ahead_is_seen_leaving() {
    if !lab::can_run("bash") {
        return;
    }
    let service = lab::start().await;
    let body = json!({"lang": "bash", "code": "sleep 50", "timeout": 60}).to_string();
    let text = format!(
        "POST /api/v1/execute HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}GET /healthz HTTP/1.1\r\n",
        body.len()
    );
    let mut stream = TcpStream::connect(service.address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    let started = || !service.feed.events(1).is_empty();
    lab::until(Duration::from_secs(60), "the job has its VM", started).await;
    drop(stream);
    let gone = || service.sandbox.load().0 == 0;
    lab::until(Duration::from_secs(1), "its VM is gone", gone).await;
    let metrics = service.get("/metrics").await.text().await.unwrap();
    assert!(
        metrics.contains("jobs_total{status=\"killed\"} 1"),
        "{metrics}"
    );
    service.end().await;
}

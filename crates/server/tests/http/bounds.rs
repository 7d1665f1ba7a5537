//! Clients that mean no good: endless bodies, slow headers, header bombs, crowds.

use crate::lab::{self, Service};
use server::ServerConfig;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

async fn connect(service: &Service, text: &str) -> TcpStream {
    let mut stream = TcpStream::connect(service.address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    stream
}

/// Everything until the service closes the connection.
async fn rest(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    let read = stream.read_to_end(&mut bytes);
    // A reset after the answer is a close too.
    let _ = tokio::time::timeout(Duration::from_secs(10), read)
        .await
        .expect("it closes");
    String::from_utf8_lossy(&bytes).into_owned()
}

fn short() -> ServerConfig {
    let mut config = lab::server_config();
    config.http.header_seconds = 1;
    config.http.body_seconds = 1;
    config
}

const POST: &str =
    "POST /api/v1/execute HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";

#[tokio::test]
async fn a_body_that_says_it_is_too_large_is_not_waited_for() {
    let service = lab::start().await;
    let stream = connect(&service, &format!("{POST}Content-Length: 99999999\r\n\r\n")).await;
    let text = rest(stream).await;
    assert!(text.starts_with("HTTP/1.1 413 "), "{text}");
    assert!(text.contains("body_too_large"));
    // It says where larger files go.
    for said in [
        "bytes; files of any size",
        "PUT /api/v1/sandboxes/{id}/files",
    ] {
        assert!(text.contains(said), "{said} in {text}");
    }
    service.end().await;
}

#[tokio::test]
async fn a_body_without_an_end_is_read_to_its_bound_and_no_further() {
    let service = lab::start().await;
    let mut stream = connect(
        &service,
        &format!("{POST}Transfer-Encoding: chunked\r\n\r\n"),
    )
    .await;
    let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
    let mut sent = 0;
    // The service answers and closes; writing then fails.
    while stream.write_all(chunk.as_bytes()).await.is_ok() {
        sent += 0x10000;
        assert!(sent < 64 << 20, "it reads on for ever");
    }
    service.end().await;
}

#[tokio::test]
async fn a_slow_body_gets_408() {
    let service = lab::start_with(lab::sandbox_config(), short()).await;
    let stream = connect(&service, &format!("{POST}Content-Length: 100\r\n\r\n{{")).await;
    let text = rest(stream).await;
    assert!(text.starts_with("HTTP/1.1 408 "), "{text}");
    service.end().await;
}

#[tokio::test]
async fn a_slow_header_and_an_idle_connection_are_closed() {
    let service = lab::start_with(lab::sandbox_config(), short()).await;
    let begun = Instant::now();
    rest(connect(&service, "GET /healthz HTTP/1.1\r\nHo").await).await;
    let idle = connect(&service, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert!(rest(idle).await.starts_with("HTTP/1.1 200 "));
    rest(connect(&service, "").await).await;
    assert!(begun.elapsed() < Duration::from_secs(8));
    service.end().await;
}

#[tokio::test]
async fn header_bombs_are_refused() {
    let service = lab::start().await;
    let many: String = (0..10_000).map(|n| format!("x-{n}: y\r\n")).collect();
    let long = format!("x: {}\r\n", "y".repeat(1 << 20));
    for bomb in [many, long] {
        let mut stream = TcpStream::connect(service.address).await.unwrap();
        // The service may answer before all is written.
        let text = format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\n{bomb}\r\n");
        let _ = stream.write_all(text.as_bytes()).await;
        let answer = rest(stream).await;
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 431 "),
            "{answer}"
        );
    }
    assert_eq!(service.get("/healthz").await.status(), 200);
    service.end().await;
}

#[tokio::test]
async fn a_crowd_that_says_nothing_makes_room_for_who_asks() {
    let mut config = lab::server_config();
    config.http.connections = 50;
    let service = lab::start_with(lab::sandbox_config(), config).await;
    let mut crowd = Vec::new();
    for _ in 0..500 {
        crowd.push(connect(&service, "GET / HTTP/1.1\r\nx").await);
    }
    let begun = Instant::now();
    assert_eq!(service.get("/healthz").await.status(), 200);
    assert!(begun.elapsed() < Duration::from_secs(2));
    let metrics = service.get("/metrics").await.text().await.unwrap();
    let evicted = metrics
        .lines()
        .find(|line| line.starts_with("http_connections_evicted_total"));
    let evicted: u64 = evicted
        .unwrap()
        .rsplit(' ')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    assert!(evicted >= 450, "{evicted}");
    service.end().await;
}

#[tokio::test]
async fn two_requests_in_one_write_are_both_answered() {
    let service = lab::start_with(lab::sandbox_config(), short()).await;
    let one = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let text = rest(connect(&service, &one.repeat(2)).await).await;
    assert_eq!(text.matches("HTTP/1.1 200 ").count(), 2);
    service.end().await;
}

#[tokio::test]
async fn ambiguous_framing_is_refused() {
    let service = lab::start_with(lab::sandbox_config(), short()).await;
    let both = format!(
        "{POST}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    );
    let text = rest(connect(&service, &both).await).await;
    // Whatever is said of the first, the smuggled second one may only be a request of its own.
    assert!(text.starts_with("HTTP/1.1 400 "), "{text}");
    let twice = format!("{POST}Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde");
    let text = rest(connect(&service, &twice).await).await;
    assert!(text.starts_with("HTTP/1.1 400 "), "{text}");
    service.end().await;
}

/// A body that comes in two pieces, of a request that is refused by its header: all of these bytes.
async fn refused(service: &Service, bytes: usize) -> (TcpStream, String) {
    let head = format!(
        "POST /no/such HTTP/1.1\r\nHost: localhost\r\nContent-Length: {bytes}\r\n\r\n{}",
        "a".repeat(bytes / 2)
    );
    let mut stream = connect(service, &head).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    let _ = stream
        .write_all("a".repeat(bytes - bytes / 2).as_bytes())
        .await;
    let mut answer = vec![0; 4096];
    let read = stream.read(&mut answer).await.unwrap();
    (
        stream,
        String::from_utf8_lossy(&answer[..read]).into_owned(),
    )
}

#[tokio::test]
async fn a_refused_body_that_is_small_keeps_its_connection_and_a_large_one_says_that_it_closes() {
    let service = lab::start().await;
    let (mut stream, answer) = refused(&service, 20_000).await;
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
    assert!(
        !answer.to_lowercase().contains("connection: close"),
        "{answer}"
    );
    let next = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(next.as_bytes()).await.unwrap();
    assert!(rest(stream).await.contains("HTTP/1.1 200 "));
    // Announced, and never sent.
    let waiting = connect(
        &service,
        "POST /no/such HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999999\r\n\r\na",
    )
    .await;
    let answer = rest(waiting).await;
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
    assert!(
        answer.to_lowercase().contains("connection: close"),
        "{answer}"
    );
    // Leave to send is not given for what is refused.
    let asking = connect(&service, "POST /no/such HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n").await;
    let answer = rest(asking).await;
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
    service.end().await;
}

//! Every documented answer to every request, from a scripted server on a Unix socket.

use crate::calls::all;
use crate::description::Description;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use vmm::firecracker::client::{ApiError, Client};

/// A peer that gives `answer` to each request and notes the requests' first lines and bodies.
async fn server(answer: String) -> (Client, Arc<Mutex<Vec<String>>>) {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noted = seen.clone();
    tokio::spawn(async move {
        let mut bytes = Vec::new();
        while theirs
            .read_buf(&mut bytes)
            .await
            .is_ok_and(|count| count > 0)
        {
            while let Some(end) = whole(&bytes) {
                let request = bytes.drain(..end).collect::<Vec<u8>>();
                noted
                    .lock()
                    .unwrap()
                    .push(String::from_utf8(request).unwrap());
                if theirs.write_all(answer.as_bytes()).await.is_err() {
                    return;
                }
            }
        }
    });
    (Client::new(ours).await.unwrap(), seen)
}

/// Where the first request ends, if it is all there.
fn whole(bytes: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (head, rest) = text.split_once("\r\n\r\n")?;
    let length = head
        .lines()
        .find_map(|line| {
            line.to_lowercase()
                .strip_prefix("content-length: ")?
                .parse()
                .ok()
        })
        .unwrap_or(0);
    (rest.len() >= length).then_some(head.len() + 4 + length)
}

fn answer(status: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status} X\r\nServer: Firecracker API\r\nConnection: keep-alive\r\n{}\r\n{body}",
        match body.len() {
            0 => String::new(),
            length => format!("Content-Type: application/json\r\nContent-Length: {length}\r\n"),
        }
    )
}

#[tokio::test]
async fn every_documented_answer_is_understood() {
    let description = Description::read();
    let mut refusals = 0;
    for call in all() {
        let operation = description
            .operation(call.method.as_str(), call.path)
            .unwrap();
        for (status, definition) in &operation.answers {
            let status = status.replace("default", "500");
            let refusal = definition.as_deref() == Some("Error");
            let body = match definition.as_deref() {
                Some("Error") => {
                    r#"{"fault_message": "The kernel file cannot be opened: no (os error 2)"}"#
                }
                Some(_) => {
                    r#"{"id": "x", "state": "Running", "vmm_version": "1.16.1", "app_name": "Firecracker"}"#
                }
                None => "",
            };
            let (mut client, _) = server(answer(&status, body)).await;
            match (client.send(&call).await, refusal) {
                (Ok(()), false) => {}
                (Err(ApiError::Refused(reason)), true) => {
                    assert_eq!(reason, "The kernel file cannot be opened: no (os error 2)");
                    refusals += 1;
                }
                (other, _) => panic!("{call}, {status}: {other:?}"),
            }
        }
    }
    assert!(refusals >= 20, "{refusals}");
}

#[tokio::test]
async fn requests_arrive_whole_and_in_order_over_one_connection() {
    let (mut client, seen) = server(answer("204", "")).await;
    for call in all() {
        client.send(&call).await.unwrap();
    }
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), all().len());
    for (request, call) in seen.iter().zip(all()) {
        assert!(
            request.starts_with(&format!("{call} HTTP/1.1\r\n")),
            "{request}"
        );
        let body = request.split_once("\r\n\r\n").unwrap().1;
        match call.body.is_null() {
            true => assert_eq!(body, ""),
            false => assert_eq!(
                serde_json::from_str::<serde_json::Value>(body).unwrap(),
                call.body
            ),
        }
    }
}

#[tokio::test]
async fn an_answer_that_is_not_documented_is_no_success() {
    let long = "x".repeat(1 << 20);
    for (says, what) in [
        (answer("400", "not json"), "a refusal without its message"),
        (answer("400", ""), "a refusal without a body"),
        (answer("302", ""), "another status"),
        (answer("200", &long), "an endless body"),
        ("garbage\r\n\r\n".into(), "no HTTP"),
        (String::new(), "nothing, and its end"),
    ] {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let peer = tokio::spawn(async move {
            let mut buffer = [0u8; 4096];
            let _ = theirs.read(&mut buffer).await;
            let _ = theirs.write_all(says.as_bytes()).await;
        });
        let mut client = Client::new(ours).await.unwrap();
        let answer = client.send(&all()[0]).await;
        assert!(
            matches!(answer, Err(ApiError::Garbage(_) | ApiError::Broken(_))),
            "{what}: {answer:?}"
        );
        peer.await.unwrap();
    }
}

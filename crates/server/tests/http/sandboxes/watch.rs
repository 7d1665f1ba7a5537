//! Watches on folders over HTTP, in both forms.

use super::{Desk, Lines, PATIENCE, told};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::timeout;

fn watched(desk: &Desk, query: &str) -> reqwest::RequestBuilder {
    desk.request(Method::GET, &format!("/files/watch?{query}"))
}

/// A watch that has begun.
async fn begin(desk: &Desk, query: &str) -> Lines {
    let mut lines = Lines::of(watched(desk, query)).await;
    let first = lines.next().await.unwrap();
    assert_eq!(first["event"], "watching", "{first}");
    lines
}

#[tokio::test]
async fn what_changes_is_told_to_as_many_as_watch() {
    let Some(desk) = Desk::open("bash").await else {
        return;
    };
    let mut near = begin(&desk, "path=/work").await;
    let mut far = begin(&desk, "path=/work&depth=4").await;
    desk.run(json!({"cmd": "mkdir -p d/e; sleep 0.3; touch d/e/f; mv d c; rm -r c; touch end"}))
        .await;
    let mut seen = Vec::new();
    for lines in [&mut near, &mut far] {
        let mut own: Vec<Value> = Vec::new();
        loop {
            let event = lines.next().await.unwrap();
            let is_last = event["path"] == "/work/end";
            own.push(event);
            if is_last {
                break;
            }
        }
        seen.push(own);
    }
    let moved = json!({"event": "moved", "from": "/work/d", "path": "/work/c"});
    assert_eq!(
        seen[0],
        [
            json!({"event": "created", "path": "/work/d"}),
            moved.clone(),
            json!({"event": "removed", "path": "/work/c"}),
            json!({"event": "created", "path": "/work/end"}),
        ]
    );
    for wanted in [
        json!({"event": "created", "path": "/work/d/e/f"}),
        moved,
        json!({"event": "removed", "path": "/work/c/e/f"}),
    ] {
        assert!(seen[1].contains(&wanted), "no {wanted} in {:?}", seen[1]);
    }
    // As events; the end of the folder is the end.
    desk.run(json!({"cmd": "mkdir gone"})).await;
    let mut events = watched(&desk, "path=/work/gone").send().await.unwrap();
    assert_eq!(events.headers()["content-type"], "text/event-stream");
    let mut text = String::new();
    let mut removed = false;
    while let Some(chunk) = timeout(PATIENCE, events.chunk()).await.unwrap().unwrap() {
        text.push_str(std::str::from_utf8(&chunk).unwrap());
        if text.contains("watching") && !std::mem::replace(&mut removed, true) {
            desk.run(json!({"cmd": "rmdir gone"})).await;
        }
    }
    let expected = "event: watching\ndata: {\"folders\":1}\n\n\
                    event: removed\ndata: {\"path\":\"/work/gone\"}\n\n\
                    event: end\ndata: {}\n\n";
    assert_eq!(text, expected);
    // The end of the sandbox is told, too.
    let mut waiting = begin(&desk, "path=/work").await;
    assert_eq!(desk.delete("").await.0, 204);
    let last = waiting.next().await.unwrap();
    let about = (&last["event"], &last["code"]);
    assert_eq!(
        about,
        (&json!("error"), &json!("sandbox_not_found")),
        "{last}"
    );
    desk.service.end().await;
}

#[tokio::test]
async fn what_cannot_be_watched_is_the_clients_to_mend() {
    let Some(desk) = Desk::open("bash").await else {
        return;
    };
    for (query, status, code) in [
        ("", 400, "field_invalid"),
        ("path=work", 400, "field_invalid"),
        ("path=/work&depth=0", 400, "field_invalid"),
        ("path=/work&depth=33", 400, "field_invalid"),
        ("path=/work&depth=x", 400, "field_invalid"),
        ("path=/work/none", 404, "file_not_found"),
        ("path=/etc/passwd", 409, "file_conflict"),
    ] {
        let (seen, problem) = told(watched(&desk, query)).await;
        assert_eq!((seen, &problem["code"]), (status, &json!(code)), "{query}");
    }
    let mut all = Vec::new();
    for _ in 0..16 {
        all.push(begin(&desk, "path=/work").await);
    }
    let (status, problem) = told(watched(&desk, "path=/work")).await;
    let about = (status, problem["code"].clone());
    assert_eq!(about, (429, json!("too_many_requests_open")), "{problem}");
    drop(all);
    desk.end().await;
}

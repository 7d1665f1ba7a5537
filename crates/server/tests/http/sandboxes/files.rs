//! Files of a sandbox: in and out whole, whatever their size; folders; what is refused.

use super::{Desk, told};
use futures_util::stream;
use reqwest::{Body, Method};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::sync::mpsc;

/// Larger than a body may be elsewhere, and than all bodies together.
const LARGE: usize = 40 * 1024 * 1024;

fn noise(length: usize) -> Vec<u8> {
    let mut state = 88_172_645_463_325_252u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    std::iter::repeat_with(next).take(length).collect()
}

async fn put(desk: &Desk, path: &str, bytes: impl Into<Body>) -> (u16, Value) {
    let below = format!("/files?path={path}");
    told(desk.request(Method::PUT, &below).body(bytes)).await
}

async fn content(desk: &Desk, path: &str) -> (u16, Vec<u8>) {
    let response = desk.request(Method::GET, &format!("/files?path={path}"));
    let response = response.send().await.unwrap();
    let status = response.status().as_u16();
    (status, response.bytes().await.unwrap().to_vec())
}

#[tokio::test]
async fn files_of_any_size_go_in_and_come_out_as_they_are() {
    let body = json!({"language": "bash", "limits": {"memory_mib": 1024}});
    let mut config = crate::lab::server_config();
    // Nothing of a file is a body or an answer that is held.
    config.http.body_bytes = 64 * 1024;
    config.http.all_bodies_bytes = 64 * 1024;
    config.http.all_answers_bytes = 1024 * 1024;
    let Some(desk) = Desk::open_with(body, config).await else {
        return;
    };
    for (path, length) in [
        ("/work/empty", 0),
        ("/work/new/folders/one", 1),
        ("/tmp/ü%20%2B", 65_537),
        ("/work/large", LARGE),
    ] {
        let bytes = noise(length);
        let (status, written) = put(&desk, path, bytes.clone()).await;
        assert_eq!(
            (status, &written["size"]),
            (200, &length.into()),
            "{written}"
        );
        assert!(content(&desk, path).await == (200, bytes), "{path}");
    }
    let seen = desk
        .run(json!({"cmd": "stat -c '%s %U' /work/large; ls /tmp"}))
        .await;
    assert!(seen.stdout.starts_with(&format!("{LARGE} ")), "{seen:?}");
    assert!(seen.stdout.ends_with("ü +\n"), "{seen:?}");
    // In pieces whose number nobody knows beforehand.
    let pieces = (0..100).map(|n| Ok::<_, std::io::Error>(vec![n; 10_000]));
    let (status, written) = put(
        &desk,
        "/work/pieces",
        Body::wrap_stream(stream::iter(pieces)),
    )
    .await;
    assert_eq!((status, &written["size"]), (200, &1_000_000.into()));
    desk.end().await;
}

#[tokio::test]
async fn a_client_that_goes_halfway_leaves_what_was_there() {
    let Some(desk) = Desk::open("bash").await else {
        return;
    };
    assert_eq!(put(&desk, "/work/kept", "before").await.0, 200);
    let pieces = stream::unfold(0, |n| async move {
        tokio::time::sleep(Duration::from_millis(20)).await;
        let piece = match n {
            20 => Err(std::io::Error::other("the client goes")),
            _ => Ok(vec![b'x'; 50_000]),
        };
        Some((piece, n + 1))
    });
    let request = desk.request(Method::PUT, "/files?path=/work/kept");
    assert!(
        request
            .body(Body::wrap_stream(pieces))
            .send()
            .await
            .is_err()
    );
    assert_eq!(
        content(&desk, "/work/kept").await,
        (200, b"before".to_vec())
    );
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(
        content(&desk, "/work/kept").await,
        (200, b"before".to_vec())
    );
    let left = desk.run(json!({"cmd": "ls -A /work"})).await;
    assert_eq!(left.stdout, "kept\n", "nothing of it is left");
    desk.end().await;
}

/// A body whose pieces come when they are sent.
fn piecewise() -> (mpsc::Sender<Vec<u8>>, Body) {
    let (sender, receiver) = mpsc::channel::<Vec<u8>>(1);
    let pieces = stream::unfold(receiver, |mut receiver| async {
        let piece = receiver.recv().await?;
        Some((Ok::<_, std::io::Error>(piece), receiver))
    });
    (sender, Body::wrap_stream(pieces))
}

#[tokio::test]
async fn files_that_go_in_side_by_side_do_not_wait_for_each_other() {
    let Some(desk) = Desk::open("bash").await else {
        return;
    };
    let begin = |path: &str| {
        let (pieces, body) = piecewise();
        let request = desk.request(Method::PUT, &format!("/files?path={path}"));
        (pieces, tokio::spawn(told(request.body(body))))
    };
    let (first, first_done) = begin("/work/first");
    first.send(b"one".to_vec()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let (second, second_done) = begin("/work/second");
    second.send(b"two".to_vec()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let process = desk.start(json!({"cmd": "sleep 1000"})).await;
    for (pieces, done) in [(first, first_done), (second, second_done)] {
        drop(pieces);
        let done = tokio::time::timeout(Duration::from_secs(10), done).await;
        let (status, written) = done.expect("it waits for no other").unwrap();
        assert_eq!((status, &written["size"]), (200, &3.into()), "{written}");
    }
    assert_eq!(content(&desk, "/work/first").await, (200, b"one".to_vec()));
    assert_eq!(desk.delete(&process).await.0, 204);
    desk.end().await;
}

#[tokio::test]
async fn folders_are_made_listed_moved_and_removed() {
    let Some(desk) = Desk::open("bash").await else {
        return;
    };
    assert_eq!(
        desk.post("/folders", &json!({"path": "/work/a/b"})).await.0,
        204
    );
    assert_eq!(
        desk.post("/folders", &json!({"path": "/work/a/b"})).await.0,
        204
    );
    assert_eq!(put(&desk, "/work/a/b/c.txt", "abc").await.0, 200);
    let linked = desk
        .run(json!({"cmd": "ln -s /etc/passwd a/link; chmod 600 a/b/c.txt; mkfifo a/pipe"}))
        .await;
    assert_eq!(linked.exit["status"], "ok", "{linked:?}");
    let paths = |list: &Value| -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let entries = list["entries"].as_array().unwrap().iter();
        entries
            .map(|entry| (text(&entry["path"]), text(&entry["kind"])))
            .collect()
    };
    for (depth, expected) in [
        (
            "",
            vec![
                ("/work/a/b", "folder"),
                ("/work/a/link", "link"),
                ("/work/a/pipe", "other"),
            ],
        ),
        (
            "&depth=2",
            vec![
                ("/work/a/b", "folder"),
                ("/work/a/b/c.txt", "file"),
                ("/work/a/link", "link"),
                ("/work/a/pipe", "other"),
            ],
        ),
    ] {
        let (status, list) = desk.get(&format!("/entries?path=/work/a{depth}")).await;
        assert_eq!((status, &list["truncated"]), (200, &false.into()), "{list}");
        let expected: Vec<_> = expected
            .iter()
            .map(|(path, kind)| (path.to_string(), kind.to_string()))
            .collect();
        assert_eq!(paths(&list), expected, "{list}");
    }
    let (_, entry) = desk.get("/entries/stat?path=/work/a/b/c.txt").await;
    assert_eq!(
        (&entry["size"], &entry["mode"]),
        (&3.into(), &"0600".into()),
        "{entry}"
    );
    assert!(
        entry["modified_at"].as_str().unwrap().starts_with("20"),
        "{entry}"
    );
    let (_, link) = desk.get("/entries/stat?path=/work/a/link").await;
    assert_eq!(
        (&link["kind"], &link["target"]),
        (&"link".into(), &"/etc/passwd".into())
    );
    let moved = json!({"from": "/work/a", "to": "/work/z"});
    assert_eq!(desk.post("/move", &moved).await.0, 204);
    assert_eq!(
        content(&desk, "/work/z/b/c.txt").await,
        (200, b"abc".to_vec())
    );
    assert_eq!(desk.delete("/files?path=/work/z").await.0, 204);
    assert_eq!(
        desk.get("/entries?path=/work").await.1["entries"],
        json!([])
    );
    desk.end().await;
}

#[tokio::test]
async fn what_the_file_system_refuses_is_the_clients_to_mend() {
    let Some(desk) = Desk::open("bash").await else {
        return;
    };
    let made = "mkdir -p full; touch full/x file; ln -s loop loop; mkdir shut; chmod 0 shut";
    assert_eq!(desk.run(json!({ "cmd": made })).await.exit["status"], "ok");
    let (get, put, delete, post) = (Method::GET, Method::PUT, Method::DELETE, Method::POST);
    let long = format!("/files?path=/work/{}", "x".repeat(300));
    for (method, below, body, status, code) in [
        (
            &get,
            "/files?path=/work/none",
            Value::Null,
            404,
            "file_not_found",
        ),
        (
            &get,
            "/files?path=/work/full",
            Value::Null,
            409,
            "file_conflict",
        ),
        (
            &get,
            "/files?path=/work/file/x",
            Value::Null,
            409,
            "file_conflict",
        ),
        (
            &get,
            "/files?path=/work/loop",
            Value::Null,
            422,
            "file_invalid",
        ),
        (
            &get,
            "/files?path=/work/shut/x",
            Value::Null,
            403,
            "file_forbidden",
        ),
        (&get, &long, Value::Null, 422, "file_invalid"),
        (
            &put,
            "/files?path=/work/full",
            Value::Null,
            409,
            "file_conflict",
        ),
        (
            &put,
            "/files?path=/etc/x",
            Value::Null,
            403,
            "file_forbidden",
        ),
        (
            &put,
            "/files?path=/work/file/x",
            Value::Null,
            409,
            "file_conflict",
        ),
        (
            &delete,
            "/files?path=/work/none",
            Value::Null,
            404,
            "file_not_found",
        ),
        (
            &delete,
            "/files?path=/etc/passwd",
            Value::Null,
            403,
            "file_forbidden",
        ),
        (
            &get,
            "/entries?path=/work/none",
            Value::Null,
            404,
            "file_not_found",
        ),
        (
            &get,
            "/entries?path=/work/file",
            Value::Null,
            409,
            "file_conflict",
        ),
        (
            &get,
            "/entries/stat?path=/work/none",
            Value::Null,
            404,
            "file_not_found",
        ),
        (
            &post,
            "/folders",
            json!({"path": "/work/file"}),
            409,
            "file_conflict",
        ),
        (
            &post,
            "/folders",
            json!({"path": "/etc/x"}),
            403,
            "file_forbidden",
        ),
        (
            &post,
            "/move",
            json!({"from": "/work/none", "to": "/work/x"}),
            404,
            "file_not_found",
        ),
        (
            &post,
            "/move",
            json!({"from": "/work/file", "to": "/work/full"}),
            409,
            "file_conflict",
        ),
        (
            &post,
            "/move",
            json!({"from": "/work/file", "to": "/etc/x"}),
            422,
            "file_invalid",
        ),
    ] {
        let (seen, problem) = told(desk.request(method.clone(), below).json(&body)).await;
        assert_eq!(
            (seen, &problem["code"]),
            (status, &code.into()),
            "{method} {below:.60}: {problem}"
        );
    }
    // The disk is the memory's, and ends before this does.
    let endless = stream::repeat_with(|| Ok::<_, std::io::Error>(vec![b'x'; 1 << 16]));
    let full = desk.request(Method::PUT, "/files?path=/work/endless");
    let full = full.body(Body::wrap_stream(endless)).send().await;
    // The answer may come while the client still writes, and be lost to it.
    if let Ok(answer) = full {
        let status = answer.status().as_u16();
        let problem: Value = answer.json().await.unwrap();
        assert!(
            [(507, &json!("disk_full")), (413, &json!("file_too_large"))]
                .contains(&(status, &problem["code"])),
            "{problem}"
        );
    }
    assert_eq!(desk.get("/entries/stat?path=/work/endless").await.0, 404);
    assert_eq!(
        desk.run(json!({"cmd": "echo more > more"})).await.exit["status"],
        "ok"
    );
    desk.end().await;
}

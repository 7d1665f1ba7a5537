//! Clients that listen, go, come back, and ask for what is not theirs.

use super::*;

#[tokio::test]
async fn a_cell_is_told_as_it_runs_and_read_again() {
    let Some(desk) = Desk::open("python").await else {
        return;
    };
    let code = "import time\nprint('one'); time.sleep(1); display(2); print('three', end=''); 4";
    let request = desk
        .request(Method::POST, "/execute")
        .json(&json!({ "code": code }));
    let mut lines = Lines::of(request).await;
    let mut seen = Vec::new();
    let began = Instant::now();
    let mut first = None;
    while let Some(event) = lines.next().await {
        if event["event"] == "output" {
            first.get_or_insert(began.elapsed());
        }
        seen.push(event);
    }
    let names: Vec<_> = seen
        .iter()
        .map(|event| event["event"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        ["begun", "output", "display", "output", "result", "end"],
        "{seen:?}"
    );
    assert!(
        began.elapsed() - first.unwrap() > Duration::from_millis(800),
        "it came as it was printed"
    );
    // From an event on, for who comes back.
    let (status, contexts) = desk.get("/contexts").await;
    assert_eq!(
        (status, &contexts[0]["cells"]),
        (200, &json!(1)),
        "{contexts}"
    );
    let id = contexts[0]["id"].as_u64().unwrap();
    let mut again = desk.events(id, seen[2]["offset"].as_u64().unwrap()).await;
    for event in &seen[2..] {
        assert_eq!(again.next().await.as_ref(), Some(event));
    }
    // As server-sent events.
    let request = desk
        .request(Method::POST, "/execute")
        .json(&json!({ "code": "print(5)" }));
    let request = request.header("accept", "text/event-stream");
    let text = request.send().await.unwrap().text().await.unwrap();
    assert!(
        text.contains("event: output\ndata: {") && text.contains("event: end\n"),
        "{text}"
    );
    desk.end().await;
}

#[tokio::test]
async fn clients_go_and_come_back_and_find_everything() {
    let Some(desk) = Desk::open("python").await else {
        return;
    };
    desk.cell(json!({ "code": "import time; kept = 1" })).await;
    for (wish, kept) in [("keep", "2"), ("kill", "2")] {
        let code = "time.sleep(2); kept += 1; open('f', 'w').write('x')";
        let body = json!({ "code": code, "on_disconnect": wish });
        let gone = desk.request(Method::POST, "/execute").json(&body);
        let gone = gone.timeout(Duration::from_millis(700)).send().await;
        assert!(gone.is_err());
        let seen = desk.cell(json!({ "code": "kept" })).await;
        assert_eq!(
            seen["results"][0]["data"]["text/plain"], kept,
            "{wish}: {seen}"
        );
        assert_eq!(seen["renewed"], false);
    }
    // Two clients at once, in one context and in two.
    let other = desk
        .context(json!({ "language": "python", "cwd": "/tmp", "env": { "A": "b" } }))
        .await;
    let slow = |n: u32| json!({ "code": format!("time.sleep(1); print({n})") });
    let elsewhere = json!({ "code": "import os; os.getcwd(), os.environ['A']", "context": other });
    let began = Instant::now();
    let (one, two, three) =
        tokio::join!(desk.cell(slow(1)), desk.cell(slow(2)), desk.cell(elsewhere));
    assert!(
        began.elapsed() > Duration::from_secs(2),
        "cells of one context run one by one"
    );
    assert_eq!(
        (&one["logs"]["stdout"], &two["logs"]["stdout"]),
        (&json!("1\n"), &json!("2\n"))
    );
    assert_eq!(three["results"][0]["data"]["text/plain"], "('/tmp', 'b')");
    // Cancelled: variables and files are there.
    let id = one["context"].as_u64().unwrap();
    let endless = json!({ "code": "kept = 7\nwhile True: pass" });
    let interrupt = async {
        sleep(Duration::from_secs(1)).await;
        desk.post(&format!("/contexts/{id}/interrupt"), &json!({}))
            .await
            .0
    };
    let (seen, status) = tokio::join!(desk.cell(endless), interrupt);
    assert_eq!(
        (&seen["stopped"], &seen["lost"], status),
        (&json!("interrupt"), &Value::Null, 204)
    );
    let seen = desk.cell(json!({ "code": "kept, open('f').read()" })).await;
    assert_eq!(seen["results"][0]["data"]["text/plain"], "(7, 'x')");
    let restarted = desk
        .post(&format!("/contexts/{id}/restart"), &json!({}))
        .await;
    assert_eq!(restarted.0, 204);
    let seen = desk.cell(json!({ "code": "kept" })).await;
    assert_eq!(
        (&seen["renewed"], &seen["error"]["name"]),
        (&json!(true), &json!("NameError"))
    );
    desk.end().await;
}

#[tokio::test]
async fn what_is_wrong_is_the_clients_and_another_keys_is_not_there() {
    let Some(desk) = Desk::open("python").await else {
        return;
    };
    let code = "1";
    for (below, body, status, problem) in [
        ("/execute", json!({}), 400, "field_invalid"),
        (
            "/execute",
            json!({ "code": code, "context": 9 }),
            404,
            "context_not_found",
        ),
        (
            "/execute",
            json!({ "code": code, "language": "nosuch" }),
            400,
            "field_invalid",
        ),
        (
            "/execute",
            json!({ "code": code, "language": "go" }),
            422,
            "context_unsupported",
        ),
        (
            "/execute",
            json!({ "code": code, "timeout": 0 }),
            400,
            "field_invalid",
        ),
        (
            "/execute",
            json!({ "code": code, "stdin": "x".repeat((1 << 20) + 1) }),
            413,
            "body_too_large",
        ),
        (
            "/contexts",
            json!({ "cwd": "relative" }),
            400,
            "field_invalid",
        ),
        (
            "/contexts",
            json!({ "language": "rust" }),
            422,
            "context_unsupported",
        ),
        ("/contexts/9/interrupt", json!({}), 404, "context_not_found"),
        ("/contexts/x/restart", json!({}), 404, "context_not_found"),
    ] {
        let (seen, answer) = desk.post(below, &body).await;
        assert_eq!(
            (seen, answer["code"].as_str()),
            (status, Some(problem)),
            "{below} {answer}"
        );
    }
    // An image without this interpreter says so: what it has, and which images have that one.
    for (below, body) in [
        ("/execute", json!({ "code": code, "language": "node" })),
        ("/contexts", json!({ "language": "node" })),
    ] {
        let (status, answer) = desk.post(below, &body).await;
        let code = answer["code"].as_str();
        assert_eq!(
            (status, code),
            (422, Some("context_unsupported")),
            "{answer}"
        );
        let detail = answer["detail"].as_str().unwrap();
        for said in ["the image python ", "in bash, python", "python-data"] {
            assert!(detail.contains(said), "{detail}");
        }
    }
    for _ in 0..6 {
        desk.context(json!({})).await;
    }
    let (status, answer) = desk.post("/contexts", &json!({})).await;
    if status == 201 {
        let (status, answer) = desk.post("/contexts", &json!({})).await;
        assert_eq!(
            (status, answer["code"].as_str()),
            (429, Some("too_many_requests_open"))
        );
    } else {
        assert_eq!(answer["code"], "too_many_requests_open");
    }
    let elsewhere = desk.service.url("/api/v1/sandboxes/none/contexts");
    let (status, answer) = told(desk.service.client.get(elsewhere)).await;
    assert_eq!(
        (status, answer["code"].as_str()),
        (404, Some("sandbox_not_found"))
    );
    assert!(lab::can_run("python"));
    desk.end().await;
}

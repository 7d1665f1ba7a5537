//! Output as it comes: from an offset, to several clients, to one that comes back, to one that reads slowly.

use super::Desk;
use reqwest::Method;
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn output_is_told_from_any_offset_to_as_many_as_ask() {
    let Some(desk) = Desk::open("bash").await else {
        return;
    };
    let process = desk
        .start(json!({"cmd": "printf 0123456789; sleep 1; printf ab >&2; printf cd"}))
        .await;
    let mut live = desk.lines(&process, 0).await;
    assert_eq!(live.text().await, "0123456789");
    let rest = live.rest().await;
    assert_eq!((rest.stderr.as_str(), rest.stdout.as_str()), ("ab", "cd"));
    for (from, stdout, stderr, first) in [
        (0, "0123456789cd", "ab", Some(0)),
        (4, "456789cd", "ab", Some(4)),
        (11, "cd", "b", Some(11)),
        (14, "", "", None),
        (99, "", "", None),
    ] {
        let ran = desk.output(&process, from).await;
        assert_eq!(
            (ran.stdout.as_str(), ran.stderr.as_str()),
            (stdout, stderr),
            "{from}"
        );
        assert_eq!(
            (ran.from, &ran.exit["written_bytes"]),
            (first, &14.into()),
            "{from}"
        );
    }
    for from in ["x", "-1", "9223372036854775808"] {
        let wrong = desk.get(&format!("{process}/output?from={from}")).await;
        assert_eq!(
            (wrong.0, &wrong.1["field"]),
            (400, &"from".into()),
            "{from}"
        );
    }
    desk.end().await;
}

#[tokio::test]
async fn who_starts_a_process_hears_all_of_it_whatever_is_kept() {
    let Some(desk) = Desk::open("bash").await else {
        return;
    };
    // It writes as soon as it runs, sooner than anybody could ask for its output.
    let body = json!({"argv": ["/bin/echo", "0123456789"], "kept_bytes": 0});
    for _ in 0..5 {
        let ran = desk.run(body.clone()).await;
        assert_eq!((ran.stdout.as_str(), ran.from), ("0123456789\n", Some(0)));
    }
    desk.end().await;
}

#[tokio::test]
async fn a_client_that_comes_back_with_its_last_id_misses_nothing() {
    let Some(desk) = Desk::open("bash").await else {
        return;
    };
    let process = desk
        .start(json!({"cmd": "for n in 1 2 3; do echo ü$n; sleep 0.3; done"}))
        .await;
    let below = format!("{process}/output");
    let (mut text, mut last) = (String::new(), None::<String>);
    // It goes away after each event.
    while !text.contains("exit_code") {
        let mut request = desk.request(Method::GET, &below);
        if let Some(id) = &last {
            request = request.header("last-event-id", id);
        }
        let mut response = request.send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let mut event = String::new();
        while !event.contains("\n\n") {
            let chunk = response.chunk().await.unwrap().unwrap();
            event.push_str(std::str::from_utf8(&chunk).unwrap());
        }
        let event = event.split_inclusive("\n\n").next().unwrap().to_owned();
        let id = event.lines().find_map(|line| line.strip_prefix("id: "));
        last = Some(id.unwrap_or_else(|| panic!("{event}")).to_owned());
        text.push_str(&event);
    }
    let told: String = text
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .filter_map(|data| serde_json::from_str::<serde_json::Value>(data).ok())
        .filter_map(|data| data["data"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(told, "ü1\nü2\nü3\n", "{text}");
    let wrong = desk
        .request(Method::GET, &below)
        .header("last-event-id", "x");
    assert_eq!(super::told(wrong).await.0, 400);
    desk.end().await;
}

#[tokio::test]
async fn open_requests_are_bounded_and_a_sandbox_can_be_ended_all_the_same() {
    let Some(desk) = Desk::open("bash").await else {
        return;
    };
    let process = desk.start(json!({"cmd": "sleep 1000"})).await;
    let mut open = Vec::new();
    for _ in 0..server::sandboxes::clock::MAX_OPEN {
        open.push(desk.lines(&process, 0).await);
    }
    let (status, problem) = desk.get(&process).await;
    assert_eq!(
        (status, &problem["code"]),
        (429, &"too_many_requests_open".into())
    );
    // One goes, one comes.
    open.pop();
    let mut status = 429;
    for _ in 0..50 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        status = desk.get(&process).await.0;
        if status == 200 {
            break;
        }
    }
    assert_eq!(status, 200);
    open.push(desk.lines(&process, 0).await);
    assert_eq!(desk.delete("").await.0, 204);
    for lines in open {
        let told = lines.rest().await.events;
        assert_eq!(told.last().unwrap()["code"], "sandbox_not_found");
    }
    desk.service.end().await;
}

/// What is kept is bounded; whoever reads nothing is cut off, and holds up the process no longer.
#[tokio::test]
async fn what_is_no_longer_kept_is_left_out_and_nobody_holds_a_process_for_ever() {
    let mut config = crate::lab::server_config();
    config.http.header_seconds = 2;
    let Some(desk) = Desk::open_with(json!({"language": "bash"}), config).await else {
        return;
    };
    const WRITTEN: u64 = 20_000_004;
    let cmd = "head -c 20000000 /dev/zero | tr '\\0' x; echo end";
    let process = desk.start(json!({"cmd": cmd, "kept_bytes": 65536})).await;
    let slow = desk.request(Method::GET, &format!("{process}/output"));
    let slow = slow.send().await.unwrap();
    let mut exit = serde_json::Value::Null;
    for _ in 0..300 {
        exit = desk.get(&process).await.1["exit"].clone();
        if !exit.is_null() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(exit["written_bytes"], WRITTEN, "{exit}");
    // What it did not take in time was not sent.
    let told = slow.text().await;
    assert!(told.is_err() || told.is_ok_and(|text| !text.contains("exit_code")));
    let ran = desk.output(&process, 0).await;
    let kept = ran.stdout.len() as u64;
    assert!(kept <= 65_536 && ran.stdout.ends_with("xend\n"), "{kept}");
    assert_eq!(ran.from, Some(WRITTEN - kept));
    desk.end().await;
}

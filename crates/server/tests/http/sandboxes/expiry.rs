//! That a sandbox is about to end is told beforehand: to who follows a process, at terminals, in the events.

use super::terminal::connect;
use super::{Desk, Lines};
use crate::lab;
use protocol::event::{Event, EventType};
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// From a warning's time to its being told, on a loaded host.
const LATE: Duration = Duration::from_secs(20);

/// The warnings among the events, oldest first.
fn warnings(desk: &Desk) -> Vec<Arc<Event>> {
    let events = desk.service.feed.events(100).into_iter();
    events
        .filter(|event| event.event_type == EventType::SandboxExpiring)
        .collect()
}

async fn until_warned(desk: &Desk, count: usize) {
    let warned = || warnings(desk).len() >= count;
    lab::until(LATE, "the sandbox's end is told", warned).await;
    let extra = &warnings(desk)[count - 1].extra;
    assert_eq!(extra["sandbox"], desk.body["id"], "{extra:?}");
    is_near(&json!(extra));
}

fn is_near(told: &Value) {
    let left = told["seconds_left"].as_f64().unwrap();
    assert!(left > 0.0 && left <= 1.0, "{told}");
}

/// The next warning among what a process wrote.
async fn hears(lines: &mut Lines) -> Value {
    loop {
        let event = lines.next().await.unwrap();
        if event["event"] == "expiring" {
            return event;
        }
    }
}

#[tokio::test]
async fn the_total_time_is_told_of_to_all_who_follow_and_again_when_it_moved() {
    let body = json!({"language": "bash", "timeout": 6});
    let Some(desk) = Desk::open_with(body, lab::server_config()).await else {
        return;
    };
    let pty = json!({"rows": 24, "columns": 80});
    let process = desk.start(json!({"cmd": "echo up; cat", "pty": pty})).await;
    let mut lines = desk.lines(&process, 0).await;
    let mut terminal = connect(&desk, &format!("{process}/terminal"), None)
        .await
        .unwrap();
    let told = hears(&mut lines).await;
    assert_eq!(told["limit"], "total", "{told}");
    is_near(&told);
    let word = terminal.word("expiring").await;
    assert_eq!(word["limit"], "total", "{word}");
    is_near(&word);
    until_warned(&desk, 1).await;
    // Who comes after that hears of it, too; given more time it is another end.
    let late = hears(&mut desk.lines(&process, 0).await).await;
    is_near(&late);
    let patch = desk.request(Method::PATCH, "");
    let (status, body) = super::told(patch.json(&json!({"timeout": 4}))).await;
    assert_eq!(status, 200, "{body}");
    is_near(&hears(&mut lines).await);
    until_warned(&desk, 2).await;
    let ran = lines.rest().await;
    assert_eq!(ran.events.last().unwrap()["code"], "sandbox_not_found");
    let limits: Vec<_> = warnings(&desk)
        .iter()
        .map(|event| event.extra["limit"].clone())
        .collect();
    assert_eq!(limits, ["total", "total"]);
    desk.service.end().await;
}

#[tokio::test]
async fn the_idle_time_is_told_of_once_and_again_after_use() {
    let body = json!({"language": "bash", "idle_timeout": 4});
    let Some(desk) = Desk::open_with(body, lab::server_config()).await else {
        return;
    };
    until_warned(&desk, 1).await;
    // Looking at it is use.
    assert_eq!(desk.get("").await.0, 200);
    until_warned(&desk, 2).await;
    let ended = || desk.service.sandbox.metrics().vms_alive.get() == 0;
    lab::until(LATE, "the sandbox ends", ended).await;
    let warnings = warnings(&desk);
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    for warning in warnings {
        assert_eq!(warning.extra["limit"], "idle");
        assert!(warning.details.contains("nobody uses it"), "{warning:?}");
    }
    desk.service.end().await;
}

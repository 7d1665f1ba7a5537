//! What takes a wall away: only where the operator allows it, and then every answer says so.

use super::{Desk, told};
use crate::lab;
use protocol::limits::SandboxRules;
use serde_json::json;

#[tokio::test]
async fn root_is_refused_unless_it_is_allowed() {
    let Some(desk) = Desk::open("bash").await else {
        return;
    };
    let (status, problem) = desk
        .post("/processes", &json!({"cmd": "id", "user": "root"}))
        .await;
    assert_eq!(
        (status, &problem["code"]),
        (403, &json!("guest_root_forbidden")),
        "{problem}"
    );
    assert_eq!(problem["field"], "user");
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .contains("guest_root = true"),
        "{problem}"
    );
    let (status, problem) = desk
        .post("/processes", &json!({"cmd": "id", "user": "daemon"}))
        .await;
    assert_eq!(
        (status, &problem["field"]),
        (400, &json!("user")),
        "{problem}"
    );
    assert_eq!(desk.get("/processes").await, (200, json!([])));
    let ran = desk.run(json!({"cmd": "id -u", "user": "sandbox"})).await;
    assert_eq!(
        (ran.stdout.as_str(), &ran.exit["isolation"]["guest"]),
        ("10000\n", &json!("confined"))
    );
    assert_eq!(desk.get("").await.1["isolation"]["guest"], "confined");
    desk.end().await;
}

#[tokio::test]
async fn where_it_is_allowed_every_answer_says_that_the_wall_is_down() {
    let rules = SandboxRules {
        guest_root: true,
        ..SandboxRules::default()
    };
    let body = json!({"language": "bash"});
    let Some(desk) = Desk::open_under(rules, body, lab::server_config()).await else {
        return;
    };
    let guest = |body: &serde_json::Value| body["isolation"]["guest"].clone();
    assert_eq!(guest(&desk.body), "confined");
    let ran = desk.run(json!({"cmd": "id -u", "user": "root"})).await;
    assert_eq!(ran.stdout, "0\n");
    assert_eq!(
        (ran.events[0]["user"].clone(), guest(&ran.events[0])),
        (json!("root"), json!("root"))
    );
    assert_eq!(guest(&ran.exit), "root");
    // Also what is nobody's of root's: the wall is down for all.
    let process = desk.start(json!({"cmd": "true"})).await;
    let (_, body) = desk.get(&process).await;
    assert_eq!(
        (&body["user"], guest(&body)),
        (&json!("sandbox"), json!("root"))
    );
    assert_eq!(guest(&desk.output(&process, 0).await.exit), "root");
    assert_eq!(guest(&desk.get("").await.1), "root");
    let (_, list) = desk.get("/processes").await;
    assert!(
        list.as_array()
            .unwrap()
            .iter()
            .all(|body| guest(body) == "root"),
        "{list}"
    );
    desk.end().await;
}

#[tokio::test]
async fn the_root_is_writable_only_where_it_may_be_and_no_larger_than_is_told() {
    let Some(desk) = Desk::open("bash").await else {
        return;
    };
    for (body, status, code, field) in [
        (
            json!({"writable": true}),
            403,
            "writable_forbidden",
            "writable",
        ),
        (
            json!({"writable": true, "limits": {"writable_mib": 8}}),
            403,
            "writable_forbidden",
            "writable",
        ),
        (
            json!({"limits": {"writable_mib": 8}}),
            400,
            "field_invalid",
            "limits.writable_mib",
        ),
        (
            json!({"writable": true, "limits": {"writable_mib": 0}}),
            400,
            "field_invalid",
            "limits.writable_mib",
        ),
    ] {
        let request = desk.service.post("/api/v1/sandboxes", &body);
        let (seen, problem) = told(request).await;
        let about = (seen, problem["code"].clone(), problem["field"].clone());
        assert_eq!(about, (status, json!(code), json!(field)), "{body}");
    }
    assert_eq!(desk.body["writable_mib"], 0);
    desk.end().await;

    let rules = SandboxRules {
        guest_root: true,
        writable: true,
    };
    let body = json!({"language": "bash", "writable": true, "limits": {"writable_mib": 16}});
    let Some(desk) = Desk::open_under(rules, body, lab::server_config()).await else {
        return;
    };
    assert_eq!(desk.body["writable_mib"], 16, "{}", desk.body);
    let body =
        json!({"cmd": "echo 'echo mine' > /usr/bin/mine; chmod +x /usr/bin/mine", "user": "root"});
    desk.run(body).await;
    let ran = desk.run(json!({"cmd": "mine; cat /usr/bin/mine"})).await;
    assert_eq!(ran.stdout, "mine\necho mine\n", "{ran:?}");
    let request = desk.service.post(
        "/api/v1/sandboxes",
        &json!({"writable": true, "limits": {"memory_mib": 256, "writable_mib": 129}}),
    );
    let (status, problem) = told(request).await;
    let about = (status, problem["field"].clone());
    assert_eq!(about, (400, json!("limits.writable_mib")), "{problem}");
    desk.end().await;
}

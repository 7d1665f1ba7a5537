//! Processes: what they find, what they come to, their input, signals, what becomes of them.

use super::{Desk, told};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test]
async fn a_process_finds_what_it_was_given_and_its_end_is_told() {
    let body = json!({"language": "bash", "env": {"OF_ALL": "a", "OVER": "a"}});
    let Some(desk) = Desk::open_with(body, crate::lab::server_config()).await else {
        return;
    };
    for (body, stdout, stderr, exit) in [
        (
            json!({"cmd": "echo out; echo err >&2"}),
            "out\n",
            "err\n",
            json!({"status": "ok", "exit_code": 0}),
        ),
        (
            json!({"argv": ["echo", "a  b", "$HOME", ""]}),
            "a  b $HOME \n",
            "",
            json!({"status": "ok"}),
        ),
        (
            json!({"cmd": "pwd; id -u"}),
            "/work\n10000\n",
            "",
            json!({"status": "ok"}),
        ),
        (
            json!({"cmd": "pwd", "cwd": "/tmp"}),
            "/tmp\n",
            "",
            json!({"status": "ok"}),
        ),
        (
            json!({"cmd": "cat | wc -c"}),
            "0\n",
            "",
            json!({"status": "ok"}),
        ),
        (
            json!({"cmd": "echo $OF_ALL $OVER $OWN $HOME $USER; printenv TERM", "env": {"OVER": "b", "OWN": "c"}}),
            "a b c /work job\n",
            "",
            json!({"status": "error", "exit_code": 1}),
        ),
        (
            json!({"cmd": "exit 3"}),
            "",
            "",
            json!({"status": "error", "exit_code": 3, "signal": null}),
        ),
        (
            json!({"cmd": "kill -TERM $$"}),
            "",
            "",
            json!({"status": "error", "exit_code": null, "signal": 15}),
        ),
        (
            json!({"cmd": "sleep 1000", "limits": {"timeout": 0.5}}),
            "",
            "",
            json!({"status": "timeout", "signal": 9, "limit": {"name": "wall_time", "value": 500, "unit": "ms"}}),
        ),
        (
            json!({"cmd": "printf 'ü€'; printf '\\xff'"}),
            "ü€\u{fffd}",
            "",
            json!({"written_bytes": 6}),
        ),
        (
            json!({"cmd": "tty; stty size; echo $TERM", "pty": {"rows": 33, "columns": 77}}),
            "/dev/pts/0\r\n33 77\r\nxterm-256color\r\n",
            "",
            json!({"status": "ok"}),
        ),
    ] {
        let ran = desk.run(body.clone()).await;
        let seen = (ran.stdout.as_str(), ran.stderr.as_str());
        assert_eq!(seen, (stdout, stderr), "{body}: {ran:?}");
        for (field, value) in exit.as_object().unwrap() {
            assert_eq!(&ran.exit[field], value, "{body}: {ran:?}");
        }
        assert_eq!(ran.events[0]["event"], "started", "{ran:?}");
        assert!(ran.exit["usage"]["cpu_seconds"].is_number(), "{ran:?}");
    }
    desk.end().await;
}

#[tokio::test]
async fn many_run_at_one_time_and_each_is_looked_at_and_forgotten() {
    let Some(desk) = Desk::open("bash").await else {
        return;
    };
    let mut processes = Vec::new();
    for n in 0..20 {
        let cmd = format!("until test -e /work/go; do sleep 0.05; done; echo {n}; exit {n}");
        processes.push(desk.start(json!({ "cmd": cmd })).await);
    }
    let (_, list) = desk.get("/processes").await;
    let running = list
        .as_array()
        .unwrap()
        .iter()
        .filter(|process| process["exit"].is_null());
    assert_eq!(running.count(), 20, "{list}");
    assert_eq!(list[0]["argv"][0], "/bin/bash", "{list}");
    // One that runs is killed, and not there any more.
    let killed = processes.pop().unwrap();
    assert_eq!(desk.delete(&killed).await.0, 204);
    for below in ["", "/output"] {
        let (status, problem) = desk.get(&format!("{killed}{below}")).await;
        assert_eq!(
            (status, &problem["code"]),
            (404, &"process_not_found".into())
        );
    }
    assert_eq!(
        told(desk.request(Method::PUT, "/files?path=/work/go"))
            .await
            .0,
        200
    );
    for (n, process) in processes.iter().enumerate() {
        let ran = desk.output(process, 0).await;
        assert_eq!(
            (ran.stdout, &ran.exit["exit_code"]),
            (format!("{n}\n"), &n.into())
        );
        // Told again, as often as anybody asks, until it is forgotten.
        assert_eq!(desk.output(process, 0).await.stdout, format!("{n}\n"));
        let (_, body) = desk.get(process).await;
        assert_eq!(body["exit"]["exit_code"], n, "{body}");
        assert_eq!(desk.delete(process).await.0, 204);
    }
    assert_eq!(desk.get("/processes").await, (200, json!([])));
    desk.end().await;
}

#[tokio::test]
async fn what_is_written_to_a_process_is_read_whole_and_in_order() {
    let Some(desk) = Desk::open("bash").await else {
        return;
    };
    let open = |cmd: &str| desk.start(json!({"cmd": cmd, "stdin": "open"}));
    // More than a request's body may have elsewhere, to one who does not read at once.
    let process = open("sleep 1; sha256sum").await;
    let bytes: Vec<u8> = (0..20_000_000u32)
        .map(|n| (n.wrapping_mul(7919) >> 8) as u8)
        .collect();
    let (first, rest) = bytes.split_at(1_000_001);
    assert_eq!(desk.write(&process, first.to_vec(), "false").await.0, 204);
    assert_eq!(desk.write(&process, rest.to_vec(), "true").await.0, 204);
    let digest = hex(&bytes);
    let ran = desk.output(&process, 0).await;
    assert_eq!(ran.stdout, format!("{digest}  -\n"), "{ran:?}");
    // Line by line, as a conversation.
    let process = open("while read -r line; do echo \"<$line>\"; done").await;
    let mut lines = desk.lines(&process, 0).await;
    for word in ["one", "zwei ü"] {
        assert_eq!(
            desk.write(&process, format!("{word}\n"), "false").await.0,
            204
        );
        assert_eq!(lines.text().await, format!("<{word}>\n"));
    }
    assert_eq!(desk.write(&process, "", "true").await.0, 204);
    assert_eq!(lines.rest().await.exit["status"], "ok");
    // To whom nothing can be written.
    let sleeps = desk.start(json!({"cmd": "sleep 1000"})).await;
    let closed = open("sleep 1000").await;
    assert_eq!(desk.write(&closed, "x", "true").await.0, 204);
    for (process, code) in [
        (&sleeps, "stdin_closed"),
        (&closed, "stdin_closed"),
        (&process, "process_ended"),
    ] {
        let (status, problem) = desk.write(process, "x", "false").await;
        assert_eq!((status, &problem["code"]), (409, &code.into()), "{problem}");
    }
    let coded = desk.request(Method::POST, &format!("{closed}/stdin"));
    assert_eq!(
        told(coded.header("content-encoding", "gzip").body("x"))
            .await
            .0,
        415
    );
    // One that ends while its writer waits lets go of the writer.
    let process = open("sleep 1").await;
    let (status, problem) = desk.write(&process, vec![b'x'; 8 << 20], "false").await;
    assert_eq!(
        (status, &problem["code"]),
        (409, &"stdin_closed".into()),
        "{problem}"
    );
    desk.end().await;
}

fn hex(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    hex::encode(sha2::Sha256::digest(bytes))
}

#[tokio::test]
async fn a_signal_reaches_whom_it_is_sent_to() {
    let Some(desk) = Desk::open("bash").await else {
        return;
    };
    // A bash that is interrupted just as its child is over sends itself the signal again and again: it waits for none.
    let traps = "trap 'echo got; kill $!; exit 7' INT; sleep 1000 & echo up; wait";
    let child = "echo up; sleep 1000; echo after";
    // Not in its starter's group.
    let leaves = "set -m; sleep 1000 & echo up; wait";
    for (cmd, signal, ended) in [
        (
            traps,
            json!({"signal": "SIGINT", "to": "process"}),
            json!({"exit_code": 7}),
        ),
        (traps, json!({"signal": 2}), json!({"exit_code": 7})),
        (child, json!({"signal": "TERM"}), json!({"signal": 15})),
        (
            leaves,
            json!({"signal": "KILL", "to": "all"}),
            json!({"signal": 9}),
        ),
    ] {
        let process = desk.start(json!({ "cmd": cmd })).await;
        let mut lines = desk.lines(&process, 0).await;
        assert_eq!(lines.text().await, "up\n");
        let sent = desk.post(&format!("{process}/signal"), &signal).await;
        assert_eq!(sent, (204, Value::Null));
        let ran = lines.rest().await;
        for (field, value) in ended.as_object().unwrap() {
            assert_eq!(&ran.exit[field], value, "{cmd} {signal}: {ran:?}");
        }
        let (status, problem) = desk.post(&format!("{process}/signal"), &signal).await;
        assert_eq!((status, &problem["code"]), (409, &"process_ended".into()));
        let size = json!({"rows": 9, "columns": 9});
        let (status, problem) = desk.post(&format!("{process}/resize"), &size).await;
        assert_eq!((status, &problem["code"]), (409, &"no_terminal".into()));
    }
    let left = desk.run(json!({"cmd": "pgrep -c sleep || true"})).await;
    assert!(["0\n", ""].contains(&left.stdout.as_str()), "{left:?}");
    for wrong in [
        json!({"signal": "SIGNAL"}),
        json!({"signal": 32}),
        json!({"signal": 1, "to": "world"}),
    ] {
        let process = desk.start(json!({"cmd": "sleep 1000"})).await;
        assert_eq!(
            desk.post(&format!("{process}/signal"), &wrong).await.0,
            400,
            "{wrong}"
        );
    }
    desk.end().await;
}

#[tokio::test]
async fn a_client_that_goes_ends_only_what_was_to_end_with_it() {
    let Some(desk) = Desk::open("bash").await else {
        return;
    };
    for (wish, background, ends) in [
        ("keep", true, false),
        ("keep", false, false),
        ("kill", true, true),
        ("kill", false, true),
    ] {
        let body =
            json!({"cmd": "echo up; sleep 1000", "on_disconnect": wish, "background": background});
        let (process, lines) = match background {
            true => {
                let process = desk.start(body).await;
                // Nobody follows it yet, so nobody leaves it.
                tokio::time::sleep(Duration::from_millis(300)).await;
                assert!(desk.get(&process).await.1["exit"].is_null());
                let lines = desk.lines(&process, 0).await;
                (process, lines)
            }
            false => {
                let request = desk.request(Method::POST, "/processes").json(&body);
                let mut lines = super::Lines::of(request).await;
                let started = lines.next().await.unwrap();
                (format!("/processes/{}", started["id"]), lines)
            }
        };
        let mut first = lines;
        let mut second = desk.lines(&process, 0).await;
        assert_eq!(
            (first.text().await, second.text().await),
            ("up\n".into(), "up\n".into())
        );
        drop(first);
        tokio::time::sleep(Duration::from_secs(1)).await;
        let (_, body) = desk.get(&process).await;
        assert!(body["exit"].is_null(), "one of two went: {body}");
        assert_eq!(body["on_disconnect"], wish);
        drop(second);
        let mut exit = Value::Null;
        for _ in 0..30 {
            tokio::time::sleep(Duration::from_millis(100)).await;
            exit = desk.get(&process).await.1["exit"].clone();
        }
        assert_eq!(exit["signal"] == 9, ends, "{wish} {background}: {exit}");
        assert_eq!(desk.delete(&process).await.0, 204);
    }
    desk.end().await;
}

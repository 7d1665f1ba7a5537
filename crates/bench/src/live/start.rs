//! From the request for a process to the first byte that it writes, beside the same by hand: a process of the guest that
//! starts the same program and waits for the same byte. Both in turns, in one sandbox.

use super::feed::{Feed, Form};
use super::judged::{Bound, Judged};
use super::room::{Ask, Room};
use crate::BenchError;
use crate::http::client::Lost;
use crate::http::daemon::Daemon;
use crate::stats::{Summary, summary};
use serde_json::json;
use std::time::{Duration, Instant};

/// From the specification of sandboxes: by HTTP, above by hand, of the medians.
const BOUND: Bound = Bound::at_most(10.0, "ms");
/// Each way, before those that count: the first of a program reads it from the disk.
const WARM_UP: usize = 3;
const ARGV: [&str; 2] = ["/bin/echo", "x"];

/// Starts the program by `vfork` and `exec` for each line that it reads, and prints the nanoseconds to the first byte.
/// `posix_spawn` and not `fork`: copying an interpreter's page tables would make the hand slow.
const BY_HAND: &str = r"
import os, sys, time
ARGV = sys.argv[1:]
def once():
    out, into = os.pipe()
    begun = time.perf_counter_ns()
    pid = os.posix_spawn(ARGV[0], ARGV, os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, into, 1)])
    os.close(into)
    os.read(out, 1)
    took = time.perf_counter_ns() - begun
    os.close(out)
    os.waitpid(pid, 0)
    return took
for _ in sys.stdin:
    print(once(), flush=True)
";

/// Starts that many, each way.
pub async fn measure(daemon: &Daemon, count: usize) -> Result<Vec<Judged>, BenchError> {
    let times = Room::with(daemon, "a start", async |room| both(room, count).await);
    let (by_http, by_hand) = times.await?;
    let (Some(by_http), Some(by_hand)) = (summary(&by_http), summary(&by_hand)) else {
        return Ok(vec![]);
    };
    let p50 = |times: &Summary| 1e3 * times.p50_seconds;
    let detail = format!(
        "p50 {:.1} ms, p95 {:.1} ms; by hand {:.1} ms, {:.1} ms; {count} each",
        p50(&by_http),
        1e3 * by_http.p95_seconds,
        p50(&by_hand),
        1e3 * by_hand.p95_seconds,
    );
    let what = "a process to its first byte, above by hand";
    Ok(vec![BOUND.judge(
        what,
        p50(&by_http) - p50(&by_hand),
        detail,
    )])
}

type Times = (Vec<Duration>, Vec<Duration>);

async fn both(room: &mut Room, count: usize) -> Result<Times, Lost> {
    let argv: Vec<&str> = ["python3", "-c", BY_HAND].into_iter().chain(ARGV).collect();
    let hand = room
        .start(&json!({ "argv": argv, "stdin": "open" }))
        .await?;
    let output = Ask::get(format!("/processes/{hand}/output"));
    let mut beside = room.beside().await?;
    let mut told = beside.feed(output, Form::Lines).await?;
    let (mut by_http, mut by_hand) = (Vec::new(), Vec::new());
    for turn in 0..WARM_UP + count {
        let http = once(room).await?;
        let line = Ask::post_bytes(format!("/processes/{hand}/stdin"), "\n");
        room.ask(line).await?;
        let hand = nanoseconds(&mut told).await?;
        if turn >= WARM_UP {
            by_http.push(http);
            by_hand.push(hand);
        }
    }
    // Who follows one that is removed may hear that it is not there instead of how it ended.
    let kill = json!({ "signal": 9, "to": "all" });
    room.ask(Ask::post(format!("/processes/{hand}/signal"), &kill))
        .await?;
    told.until("exit").await?;
    room.ask(Ask::delete(format!("/processes/{hand}"))).await?;
    Ok((by_http, by_hand))
}

async fn once(room: &mut Room) -> Result<Duration, Lost> {
    let process = json!({ "argv": ARGV, "background": false });
    let begun = Instant::now();
    let mut feed = room
        .feed(Ask::post("/processes", &process), Form::Lines)
        .await?;
    let started = feed.until("started").await?;
    let first = feed.until("output").await?;
    let took = begun.elapsed();
    if first["data"] != "x\n" {
        return Err(format!("it printed {first}").into());
    }
    feed.until("exit").await?;
    drop(feed);
    let path = format!("/processes/{}", started["id"]);
    room.ask(Ask::delete(path)).await?;
    Ok(took)
}

async fn nanoseconds(told: &mut Feed) -> Result<Duration, Lost> {
    let output = told.until("output").await?;
    let text = output["data"].as_str().unwrap_or_default();
    Ok(Duration::from_nanos(text.trim().parse()?))
}

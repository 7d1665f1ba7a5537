//! The smallest cell of a Python context that is there: from the request to the whole answer.

use super::judged::{Bound, Judged};
use super::room::{Ask, Room};
use crate::BenchError;
use crate::http::client::Lost;
use crate::http::daemon::Daemon;
use crate::stats::summary;
use serde_json::json;
use std::time::{Duration, Instant};

/// From the specification of sandboxes: of the median.
const BOUND: Bound = Bound::at_most(5.0, "ms");
/// Cells before those that count: the first waits for its interpreter.
const WARM_UP: usize = 5;
const CELL: &str = "1+1";
const VALUE: &str = "2";

/// Runs that many.
pub async fn measure(daemon: &Daemon, count: usize) -> Result<Vec<Judged>, BenchError> {
    let times = Room::with(daemon, "a cell", async |room| cells(room, count).await).await?;
    let Some(times) = summary(&times) else {
        return Ok(vec![]);
    };
    let detail = format!("p95 {:.1} ms; {count} cells", 1e3 * times.p95_seconds);
    let what = format!("the python cell {CELL}, p50");
    Ok(vec![BOUND.judge(what, 1e3 * times.p50_seconds, detail)])
}

async fn cells(room: &mut Room, count: usize) -> Result<Vec<Duration>, Lost> {
    let wanted = json!({ "language": "python" });
    let context = room.ask(Ask::post("/contexts", &wanted)).await?;
    let cell = json!({ "context": context["id"], "code": CELL });
    let mut times = Vec::new();
    for turn in 0..WARM_UP + count {
        let begun = Instant::now();
        let answer = room.ask(Ask::post("/execute", &cell)).await?;
        let took = begun.elapsed();
        if answer["results"][0]["data"]["text/plain"] != VALUE {
            return Err(format!("{CELL} came to {answer}").into());
        }
        if turn >= WARM_UP {
            times.push(took);
        }
    }
    Ok(times)
}

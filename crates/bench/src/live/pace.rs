//! Numbered lines at a rate, through server-sent events: whether each comes, in order, and as fast as it is printed.

use super::feed::Form;
use super::judged::{Bound, Judged};
use super::room::{Ask, Room};
use crate::BenchError;
use crate::http::client::Lost;
use crate::http::daemon::Daemon;
use serde_json::json;
use std::time::{Duration, Instant};

/// From the specification of sandboxes.
const RATE: Bound = Bound::at_least(10_000.0, "lines/s");
const LOST: Bound = Bound::at_most(0.0, "lines");
/// A little over the bound, so that a line's own delay at the end does not decide.
const PRINTED_PER_SECOND: u64 = 10_500;
/// A line, without its end: its number.
const DIGITS: usize = 9;

/// Prints each 5 ms what is due by then.
const PRINTER: &str = r"
import os, sys, time
rate, count = int(sys.argv[1]), int(sys.argv[2])
done, begun = 0, time.monotonic()
while done < count:
    due = min(count, int((time.monotonic() - begun) * rate) + 1)
    os.write(1, b''.join(b'%09d\n' % line for line in range(done, due)))
    done = due
    time.sleep(0.005)
";

/// What came.
#[derive(Default)]
struct Came {
    /// Lines that are the next one.
    lines: u64,
    /// A line's beginning.
    rest: String,
    /// Events that held them.
    events: usize,
    took: Duration,
}

/// Prints for so long.
pub async fn measure(daemon: &Daemon, seconds: u64) -> Result<Vec<Judged>, BenchError> {
    let printed = seconds * PRINTED_PER_SECOND;
    let came = Room::with(daemon, "lines at a rate", async |room| {
        follow(room, printed).await
    });
    let came = came.await?;
    let detail = format!(
        "{} of {printed} lines in {:.2} s and {} events",
        came.lines,
        came.took.as_secs_f64(),
        came.events
    );
    let rate = came.lines as f64 / came.took.as_secs_f64();
    let missing = printed - came.lines;
    let what = "lines through server-sent events";
    Ok(vec![
        RATE.judge(what, rate, detail),
        LOST.judge(format!("{what}: lost"), missing as f64, "in order".into()),
    ])
}

async fn follow(room: &mut Room, count: u64) -> Result<Came, Lost> {
    let (rate, count) = (PRINTED_PER_SECOND.to_string(), count.to_string());
    let argv = ["python3", "-c", PRINTER, &rate, &count];
    let process = json!({ "argv": argv, "background": false });
    let mut feed = room
        .feed(Ask::post("/processes", &process), Form::Events)
        .await?;
    let (mut came, mut first) = (Came::default(), None);
    let ended = feed.outputs(|output| {
        let first = first.get_or_insert_with(Instant::now);
        came.take(output["data"].as_str().unwrap_or_default())?;
        came.took = first.elapsed();
        came.events += 1;
        Ok(())
    });
    ended.await?;
    Ok(came)
}

impl Came {
    /// A line that is not the next one is an error: one was lost, or passed another.
    fn take(&mut self, text: &str) -> Result<(), Lost> {
        self.rest += text;
        let whole = self.rest.len() - self.rest.len() % (DIGITS + 1);
        for line in self.rest[..whole].split_terminator('\n') {
            if line.parse() != Ok(self.lines) {
                return Err(format!("line {:?} came where {} is next", line, self.lines).into());
            }
            self.lines += 1;
        }
        self.rest.drain(..whole);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_across_events_and_a_gap_is_seen() {
        let mut came = Came::default();
        came.take("000000000\n0000").unwrap();
        came.take("00001\n").unwrap();
        assert_eq!((came.lines, came.rest.as_str()), (2, ""));
        assert!(came.take("000000003\n").is_err());
    }
}

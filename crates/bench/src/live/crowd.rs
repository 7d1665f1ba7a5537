//! Many processes that print at once: whether each byte comes, in its order and from its own process, and what the
//! service holds meanwhile.

use super::feed::{Feed, Form};
use super::judged::{Bound, Judged};
use super::room::{Ask, Room};
use crate::BenchError;
use crate::http::client::Lost;
use crate::http::daemon::Daemon;
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// From the specification of sandboxes: bytes that are not where they should be.
const WRONG: Bound = Bound::at_most(0.0, "bytes");
/// From the specification of sandboxes: the service's largest resident memory, above what it was before.
const MEMORY: Bound = Bound::at_most(64.0, "MiB");
const MIB: f64 = 1024.0 * 1024.0;
/// Bytes of one process' output: 1 MiB.
const BYTES: usize = 1 << 20;
/// Bytes of one of its lines.
const LINE: usize = 64;
/// Nobody prints before all are there and this can be opened.
const GATE: &str = "/work/gate";

/// So many processes.
pub async fn measure(daemon: &Daemon, count: usize) -> Result<Vec<Judged>, BenchError> {
    let printed = Room::with(daemon, "many processes", async |room| {
        let processes = line_up(room, count).await?;
        daemon.forget_peak()?;
        let before = daemon.memory()?.resident_bytes;
        let begun = Instant::now();
        let wrong = print(room, processes).await?;
        let took = begun.elapsed();
        let peak = daemon.memory()?.peak_bytes;
        Ok((wrong, took, [before, peak]))
    });
    let (wrong, took, [before, peak]) = printed.await?;
    let what = format!("{count} processes print 1 MiB each at once");
    Ok(vec![
        WRONG.judge(format!("{what}: wrong"), wrong as f64, rate(count, took)),
        MEMORY.judge(
            "the service's memory meanwhile, above before",
            peak.saturating_sub(before) as f64 / MIB,
            format!("peak {:.1} MiB", peak as f64 / MIB),
        ),
    ])
}

fn rate(count: usize, took: Duration) -> String {
    let seconds = took.as_secs_f64();
    format!(
        "{count} MiB in {seconds:.1} s, {:.0} MB/s",
        (count * BYTES) as f64 / 1e6 / seconds
    )
}

/// Starts them; their names.
async fn line_up(room: &mut Room, count: usize) -> Result<Vec<u64>, Lost> {
    room.run(&format!("mkfifo {GATE}")).await?;
    let mut processes = Vec::new();
    for number in 0..count {
        let (lines, fill) = (BYTES / LINE, LINE - 19);
        let program = format!(
            r#"BEGIN {{
                for (letter = 0; letter < 26; letter++)
                    for (i = 0; i < {fill}; i++) fill[letter] = fill[letter] sprintf("%c", 97 + letter)
                for (i = 0; i < {lines}; i++)
                    printf "%06d %010d %s\n", {number}, i * {LINE}, fill[({number} + i) % 26]
            }}"#
        );
        let command = format!(": < {GATE}; exec awk '{program}'");
        processes.push(room.start(&json!({ "cmd": command })).await?);
    }
    Ok(processes)
}

/// A line: whose it is, where it stands, and letters that differ from line to line.
fn line(number: usize, offset: usize) -> String {
    let letter = char::from(b'a' + ((number + offset / LINE) % 26) as u8);
    let fill = String::from(letter).repeat(LINE - 19);
    format!("{number:06} {offset:010} {fill}\n")
}

/// Has them print and reads all of it; how many bytes were wrong.
async fn print(room: &mut Room, processes: Vec<u64>) -> Result<usize, Lost> {
    let mut followers = JoinSet::new();
    // One each: a sandbox keeps less of all outputs together than they print, and who is followed waits to be read.
    for (number, process) in processes.into_iter().enumerate() {
        let mut room = room.beside().await?;
        let output = Ask::get(format!("/processes/{process}/output"));
        let feed = room.feed(output, Form::Lines).await?;
        followers.spawn(async move {
            let wrong = follow(feed, number).await;
            drop(room);
            wrong
        });
    }
    // Opening a pipe waits for its other end: with that, all go on at once.
    let gate = format!("exec 3<> {GATE}; sleep 600");
    let gate = room.start(&json!({ "cmd": gate })).await?;
    let mut wrong = 0;
    while let Some(done) = followers.join_next().await {
        wrong += done??;
    }
    room.ask(Ask::delete(format!("/processes/{gate}"))).await?;
    Ok(wrong)
}

async fn follow(mut feed: Feed, number: usize) -> Result<usize, Lost> {
    let (mut printed, mut misplaced) = (Vec::with_capacity(BYTES), 0);
    let ended = feed.outputs(|output| {
        let data = output["data"].as_str().unwrap_or_default();
        if output["offset"].as_u64() != Some(printed.len() as u64) {
            misplaced += data.len();
        }
        printed.extend_from_slice(data.as_bytes());
        Ok(())
    });
    let ended = ended.await;
    ended.map_err(|error| format!("process {number}: {error}"))?;
    Ok(misplaced + wrong(number, &printed))
}

/// Bytes of the lines that are not as this process prints them, and bytes too few or too many.
fn wrong(number: usize, printed: &[u8]) -> usize {
    let lines = printed.chunks(LINE).take(BYTES / LINE).enumerate();
    let is_wrong = |(at, own): &(usize, &[u8])| *own != line(number, at * LINE).as_bytes();
    let wrong: usize = lines.filter(is_wrong).map(|(_, line)| line.len()).sum();
    wrong + printed.len().abs_diff(BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_of_another_process_or_too_few_are_wrong() {
        let all = (0..BYTES / LINE).map(|at| line(7, at * LINE));
        let mut all = all.collect::<String>().into_bytes();
        assert_eq!(all.len(), BYTES);
        assert_eq!(wrong(7, &all), 0);
        assert_eq!(wrong(8, &all), BYTES);
        all[LINE - 2] ^= 1;
        assert_eq!(wrong(7, &all), LINE);
        all[LINE - 2] ^= 1;
        all.truncate(BYTES - LINE);
        assert_eq!(wrong(7, &all), LINE);
        all.drain(..LINE);
        assert_eq!(wrong(7, &all), BYTES);
    }
}

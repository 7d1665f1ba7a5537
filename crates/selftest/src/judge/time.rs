//! How long a job of an attack may take.

use super::Ended;
use crate::table::Attack;
use protocol::result::JobResult;

/// From handing the job over to its phase's start, when its limit begins, in seconds: emulated, on a
/// loaded host. No result tells it.
const HANDOVER_SECONDS: f64 = 1.0;

/// A job ends within its limits and the grace.
pub(super) fn overtime(attack: &Attack, result: &JobResult) -> Option<String> {
    let row = &attack.row;
    let times = &result.timings;
    let took = times.total - times.queue - times.boot;
    let allowed =
        attack.seconds() + row.compile_seconds.unwrap_or(0.0) + row.grace + HANDOVER_SECONDS;
    let has_compiler = row.file.ends_with(".go") || row.file.ends_with(".rs");
    let bounded = row.compile_seconds.is_some() || !has_compiler;
    (bounded && took > allowed).then(|| format!("took {took:.1} s of {allowed:.1} s allowed"))
}

/// Whether these faults are that jobs took too long, and nothing else.
pub fn took_long_and_no_more(attack: &Attack, ended: &[Ended], faults: &[String]) -> bool {
    let results = ended.iter().filter_map(Ended::result);
    let long = results
        .filter_map(|result| overtime(attack, result))
        .count();
    long > 0 && long == faults.len()
}

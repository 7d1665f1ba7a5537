//! What a job is waiting for, as somebody who watches wants to be told: events of a target of their own, below what logs
//! keep.

use std::fmt::Display;

/// The target of these events.
pub const TARGET: &str = "step";
/// The field that says that nothing is waited for any more.
pub const PROGRAM_RUNS: &str = "program_runs";

/// Says what begins now.
pub fn begins(what: impl Display) {
    tracing::debug!(target: TARGET, "{what}");
}

/// Says that the program has the word.
pub fn program_runs() {
    tracing::debug!(target: TARGET, program_runs = true, "running the program");
}

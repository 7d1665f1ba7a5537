//! What a job is waiting for, as somebody who watches wants to be told: events of a target of their own, below what logs
//! keep.

use std::fmt::Display;

/// The target of these events.
pub const TARGET: &str = "step";
/// The target of the one that says that nothing is waited for any more; whoever listens to the other hears it, too.
pub const PROGRAM_RUNS: &str = "step::program_runs";

/// Says what begins now.
pub fn begins(what: impl Display) {
    tracing::debug!(target: TARGET, "{what}");
}

/// Says that the program has the word.
pub fn program_runs() {
    tracing::debug!(target: PROGRAM_RUNS, "running the program");
}

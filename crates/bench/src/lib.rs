//! What it costs. [`latency`] times this tool's own paths, [`compare`] the same job under every
//! isolation technology that is installed, interleaved in one run, [`native`] the same program in a VM and
//! on the host, [`data`] libraries of data science likewise, [`http`] loads the service;
//! [`packages`] holds a program with packages beside one without,
//! [`live`] judges what a sandbox that stays promises,
//! [`throughput`] runs several at once, [`stats`] sums up and [`plot`] draws.
//!
//! Absolute times say little about another machine; ratios measured side by side do.

pub mod compare;
pub mod data;
pub mod http;
pub mod latency;
pub mod live;
pub mod native;
pub mod packages;
pub mod plot;
pub mod program;
pub mod stats;
pub mod throughput;

use std::path::PathBuf;

/// A folder for what a measurement needs, gone with it; `what` is measured.
fn scratch(what: &str) -> Result<tempfile::TempDir, BenchError> {
    tempfile::Builder::new()
        .prefix(&format!("llm-firecracker-{what}-"))
        .tempdir()
        .map_err(|source| BenchError::Io {
            path: std::env::temp_dir(),
            source,
        })
}

/// Why a measurement could not be made.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// A job did not give its right answer: its time says nothing.
    #[error("{what} gave {seen}, not {expected:?}: not measured")]
    WrongAnswer {
        /// Which job, on which path.
        what: String,
        /// What came.
        seen: String,
        /// What should have come.
        expected: String,
    },
    /// A VM did not come the way that was to be measured.
    #[error("a {wanted} VM was to be measured, but the VM came by {seen}; {advice}")]
    WrongPath {
        /// The path to be measured.
        wanted: &'static str,
        /// The way it came.
        seen: String,
        /// What to do.
        advice: &'static str,
    },
    /// An operator's language may have no samples.
    #[error("{0} has no program to measure; add [samples] to its file")]
    NoSamples(protocol::language::Language),
    /// The sandbox could not be opened.
    #[error("opening the sandbox")]
    Sandbox(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A command of another technology failed.
    #[error("{command} failed: {reason}")]
    Command {
        /// Its program and first words.
        command: String,
        /// Its exit and last words.
        reason: String,
    },
    /// The service that was to be measured does not serve.
    #[error("the service under load: {reason}")]
    Daemon {
        /// What it does instead.
        reason: String,
    },
    /// A file operation failed.
    #[error("{}", path.display())]
    Io {
        /// On which file.
        path: PathBuf,
        /// The system's words.
        #[source]
        source: std::io::Error,
    },
}

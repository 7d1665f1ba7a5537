//! What the commands that measure take: `bench`, `bench http` and `compare`.

use super::Format;
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Flags of `bench`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct BenchArgs {
    #[command(subcommand)]
    pub command: Option<BenchCommand>,
    /// python, node, go, rust, bash; all, when none is named
    #[arg(value_name = "LANG")]
    pub languages: Vec<String>,
    /// The ways a VM comes [default: all that the engine has]
    #[arg(long, value_enum, value_delimiter = ',')]
    pub paths: Vec<PathArg>,
    /// Runs of each path and language
    #[arg(short = 'n', long, default_value_t = 10)]
    pub runs: usize,
    /// Jobs for jobs a second; 0 leaves it out
    #[arg(long, default_value_t = 0)]
    pub jobs: usize,
    /// Jobs at once
    #[arg(short, long, default_value_t = 4)]
    pub concurrency: usize,
    /// Draw latency by path into this SVG file
    #[arg(long, value_name = "FILE")]
    pub plot: Option<PathBuf>,
    #[command(flatten)]
    pub format: Format,
}

/// What else there is to measure.
#[derive(Debug, Subcommand)]
pub enum BenchCommand {
    /// Load the service: what HTTP adds, memory, overload, hostile clients; fails when a bound does not hold
    Http(BenchHttpArgs),
    /// Run the same programs in a VM and on the host: computing, processes, much code, many files
    Native(BenchNativeArgs),
}

/// Flags of `bench native`.
#[derive(Debug, Args)]
pub struct BenchNativeArgs {
    /// Runs of each
    #[arg(short = 'n', long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..))]
    pub runs: u32,
    #[command(flatten)]
    pub format: Format,
}

/// Flags of `bench http`.
#[derive(Debug, Args)]
pub struct BenchHttpArgs {
    /// How long each part that is bounded by time takes
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(4..))]
    pub seconds: u64,
    /// Jobs over which the daemon's memory must stay flat
    #[arg(long, default_value_t = 2000, value_parser = at_least_ten)]
    pub jobs: usize,
    #[command(flatten)]
    pub format: Format,
}

fn at_least_ten(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| *number >= 10);
    number.ok_or_else(|| "write a whole number from 10".to_owned())
}

/// The way a VM comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PathArg {
    /// A cold boot
    Boot,
    /// A copy-on-write clone of a snapshot
    Clone,
    /// A VM that waits
    Pool,
}

impl From<PathArg> for protocol::result::BootPath {
    fn from(path: PathArg) -> Self {
        match path {
            PathArg::Boot => Self::Boot,
            PathArg::Clone => Self::Clone,
            PathArg::Pool => Self::Pool,
        }
    }
}

/// Flags of `compare`.
#[derive(Debug, Args)]
pub struct CompareArgs {
    /// python, node, go, rust or bash
    #[arg(short, long, default_value = "python")]
    pub lang: String,
    /// Runs of each technology
    #[arg(short = 'n', long, default_value_t = 15)]
    pub runs: usize,
    /// Jobs of each for jobs a second; 0 leaves it out
    #[arg(long, default_value_t = 0)]
    pub jobs: usize,
    /// Jobs at once
    #[arg(short, long, default_value_t = 4)]
    pub concurrency: usize,
    #[command(flatten)]
    pub format: Format,
}

//! What the commands that measure take: `bench` with its subcommands, and `compare`.

use super::{Format, LANGUAGE_NAME};
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Flags of `bench`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct BenchArgs {
    #[command(subcommand)]
    pub command: Option<BenchCommand>,
    /// Which languages; all that have an image, when none is named
    #[arg(value_name = "LANG", value_parser = LANGUAGE_NAME)]
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
    #[arg(long, value_name = "FILE", alias = "plot")]
    pub svg: Option<PathBuf>,
    #[command(flatten)]
    pub format: Format,
}

/// What else there is to measure.
#[derive(Debug, Subcommand)]
pub enum BenchCommand {
    /// Libraries of data science in a VM and on the host; fails when a bound does not hold
    #[command(after_help = BENCH_DATA)]
    Data(BenchNativeArgs),
    /// Load the service: what HTTP adds, memory, overload, hostile clients; fails when a bound does not hold
    Http(BenchHttpArgs),
    /// Run the same programs in a VM and on the host: computing, processes, much code, many files
    Native(BenchNativeArgs),
    /// Run a program plainly and with packages that are there already, in turn; fails when they cost more than a fifth
    #[command(after_help = BENCH_PACKAGES)]
    Packages(BenchPackagesArgs),
    /// Judge what sandboxes promise, through the service: starts, keys, cells, output, files; fails when a bound does not hold
    #[command(after_help = BENCH_SANDBOX)]
    Sandbox(BenchSandboxArgs),
}

const BENCH_DATA: &str = "\
Needs the images python and python-data. Bounds are for 2 cores that nobody else uses.

Examples:
  llm-firecracker bench data             half a minute
  llm-firecracker bench data -n 15 --json";

const BENCH_SANDBOX: &str = "\
Starts a service of its own on 127.0.0.1 and asks it as clients do; needs python's image.
Bounds are for 2 cores that nobody else uses: beside other work a figure says little.

Examples:
  llm-firecracker bench sandbox                           half a minute
  llm-firecracker bench sandbox --json
  llm-firecracker bench sandbox --crowd 10 --file-mib 8   less of it";

const BENCH_PACKAGES: &str = "\
The packages are brought once, from their registry, before anything is measured.

Examples:
  llm-firecracker bench packages
  llm-firecracker bench packages --with requests --with 'pandas<4' -n 30";

/// Flags of `bench packages`.
#[derive(Debug, Args)]
pub struct BenchPackagesArgs {
    /// A package of PyPI; may be given again
    #[arg(long, value_name = "PACKAGE", default_value = "six")]
    pub with: Vec<String>,
    /// Runs of each
    #[arg(short = 'n', long, default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..))]
    pub runs: u32,
    #[command(flatten)]
    pub format: Format,
}

/// Flags of `bench native` and of `bench data`.
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

/// Flags of `bench sandbox`.
#[derive(Debug, Args)]
pub struct BenchSandboxArgs {
    /// Processes that are started one after another, by HTTP and by hand inside
    #[arg(long, value_name = "N", default_value_t = 40, value_parser = from_one(10_000))]
    pub starts: u64,
    /// Keys that are typed to a shell
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = from_one(10_000))]
    pub keys: u64,
    /// Cells that are run
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = from_one(10_000))]
    pub cells: u64,
    /// How long 10,000 lines a second are printed
    #[arg(long, value_name = "SECONDS", default_value_t = 6, value_parser = from_one(60))]
    pub pace: u64,
    /// Size of the file that goes up and down
    #[arg(long, value_name = "MIB", default_value_t = 64, value_parser = from_one(64))]
    pub file_mib: u64,
    /// Processes that print 1 MiB each at once
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = from_one(100))]
    pub crowd: u64,
    #[command(flatten)]
    pub format: Format,
}

fn from_one(most: u64) -> clap::builder::RangedU64ValueParser {
    clap::value_parser!(u64).range(1..=most)
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
    /// Which language
    #[arg(short, long, default_value = "python", value_parser = LANGUAGE_NAME)]
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
    /// Draw the times into this SVG file
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
    #[command(flatten)]
    pub format: Format,
}

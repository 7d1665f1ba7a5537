//! What `run` takes: the program, what goes with it, its limits.

use super::quantity::{parse_bytes, parse_duration, parse_mib, parse_time, parse_whole_seconds};
use super::{IMAGE_NAME, LANGUAGE_NAME};
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;

pub(super) const EXAMPLES: &str = "\
Examples:
  llm-firecracker run hello.py
  llm-firecracker run sum.go --stdin numbers.txt -- --verbose
  llm-firecracker run --image python-data plot.py --output plots
  llm-firecracker run --with requests --with 'pandas<4' report.py
  llm-firecracker run --image mine -- --verbose         the command of an image of one's own
  llm-firecracker run --lang node -c 'console.log(process.version)'
  echo 'echo $((6*7))' | llm-firecracker run --lang bash -
  llm-firecracker run --json --timeout 500ms --memory 1g loop.py

Exit codes: the program's own; 124 time-out, 137 out of memory, 2 refused or a wrong configuration,
125 the sandbox itself failed, 128+N ended by signal N, 141 nobody read its output any more.";

/// Flags of `run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// The program; - reads it from standard input
    #[arg(
        value_name = "FILE",
        required_unless_present_any = ["code", "image"],
        conflicts_with = "code"
    )]
    pub file: Option<PathBuf>,
    /// The program's text, whatever it begins with
    #[arg(short, long, value_name = "TEXT", allow_hyphen_values = true)]
    pub code: Option<String>,
    /// Which language, by its name or an alias [default: from FILE's extension, its #! line, else the first of the image's]
    #[arg(short, long, alias = "language", value_name = "LANG", value_parser = LANGUAGE_NAME)]
    pub lang: Option<String>,
    /// Which image [default: the language's own]; without a program, run the image's own command
    #[arg(long, value_name = "NAME", value_parser = IMAGE_NAME)]
    pub image: Option<String>,
    /// A package that the program needs, with versions or without (six, 'pandas>=2', lodash@4); may be given again
    #[arg(long, value_name = "PACKAGE")]
    pub with: Vec<String>,
    /// How long the program may run, such as 2, 500ms or 1m: at most 5 minutes [default: 10 seconds]
    #[arg(
        short,
        long,
        value_name = "TIME",
        env = "LLM_FIRECRACKER_TIMEOUT",
        value_parser = parse_time,
        allow_negative_numbers = true
    )]
    pub timeout: Option<f64>,
    /// How long the compiler may run [default: 60 seconds]
    #[arg(
        long,
        value_name = "TIME",
        env = "LLM_FIRECRACKER_COMPILE_TIMEOUT",
        hide_short_help = true,
        value_parser = parse_time,
        allow_negative_numbers = true
    )]
    pub compile_timeout: Option<f64>,
    /// CPU time that one process may use, in whole seconds [default: as much as the time-out allows]
    #[arg(long, value_name = "TIME", value_parser = parse_whole_seconds, hide_short_help = true)]
    pub cpu_time: Option<u64>,
    /// Memory of the VM, such as 512 (MiB), 512m or 1g [default: 512m]
    #[arg(short, long, value_name = "SIZE", env = "LLM_FIRECRACKER_MEMORY", value_parser = parse_mib)]
    pub memory: Option<u64>,
    /// Virtual CPUs [default: 1]
    #[arg(long, value_name = "N", env = "LLM_FIRECRACKER_VCPUS")]
    pub vcpus: Option<u64>,
    /// Processes and threads at one time [default: 128]
    #[arg(long, value_name = "N", hide_short_help = true)]
    pub pids: Option<u64>,
    /// What is kept of stdout, and of stderr, such as 65536 (bytes), 64k or 1m [default: 1m]
    #[arg(long, value_name = "SIZE", value_parser = parse_bytes, hide_short_help = true)]
    pub output_limit: Option<u64>,
    /// Feed this file to the program [default: this command's standard input]
    #[arg(long, value_name = "FILE")]
    pub stdin: Option<PathBuf>,
    /// An environment variable for the program; may be given again
    #[arg(short, long, value_name = "NAME=VALUE", value_parser = parse_env)]
    pub env: Vec<(String, String)>,
    /// A file for the program's work folder, HOST or HOST:NAME; may be given again
    #[arg(short, long, value_name = "HOST[:NAME]")]
    pub input: Vec<String>,
    /// Save what the program leaves in /work/out into this folder
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// The job's name in events and results [default: a new UUIDv7]
    #[arg(long, value_name = "ID", hide_short_help = true)]
    pub trace_id: Option<String>,
    /// What to do when the code contains a dangerous pattern [default: warn]
    #[arg(long, value_enum, env = "LLM_FIRECRACKER_SCAN", hide_short_help = true)]
    pub scan: Option<ScanArg>,
    /// The program's system-call filter: default, strict, or a JSON file
    #[arg(
        long,
        value_name = "NAME|FILE",
        default_value = "default",
        env = "LLM_FIRECRACKER_SECCOMP_PROFILE",
        hide_short_help = true
    )]
    pub seccomp_profile: String,
    /// Boot the VM even where a snapshot could be cloned
    #[arg(long, hide_short_help = true)]
    pub no_snapshot: bool,
    /// Start a new interpreter even where a loaded one waits (a new hash seed, for python)
    #[arg(long, hide_short_help = true)]
    pub fresh_interpreter: bool,
    /// Let the program reach what this policy of the operator's allows; without it there is no network
    #[arg(long, value_name = "POLICY")]
    pub egress: Option<String>,
    /// Answer only at the next multiple of this time
    #[arg(long, value_name = "TIME", value_parser = parse_duration, hide_short_help = true)]
    pub normalize_time: Option<Duration>,
    #[command(flatten)]
    pub format: RunFormat,
    /// The program's arguments
    #[arg(last = true, value_name = "ARGS")]
    pub args: Vec<String>,
}

/// How `run` prints.
#[derive(Debug, Args)]
pub struct RunFormat {
    /// Print one JSON result instead of the program's output
    #[arg(long)]
    pub json: bool,
    /// Let control characters of the program through to a terminal
    #[arg(long, hide_short_help = true)]
    pub raw: bool,
}

pub(super) fn parse_env(text: &str) -> Result<(String, String), String> {
    text.split_once('=')
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .ok_or_else(|| "write NAME=VALUE".to_owned())
}

/// What the scan does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ScanArg {
    /// Do not look
    Off,
    /// Run it, with an event and a note in the result
    Warn,
    /// Refuse it
    Block,
}

#[cfg(test)]
mod tests {
    use crate::args::{Cli, Command};
    use clap::Parser as _;

    fn code_of(words: &[&str]) -> String {
        let line = ["llm-firecracker", "run", "--lang", "python"];
        let cli = Cli::try_parse_from(line.iter().chain(words)).unwrap();
        match cli.command {
            Command::Run(args) => args.code.unwrap(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_follows_code_is_the_program_whatever_it_begins_with() {
        for code in [
            "-1 if False else print(\"ok\")",
            "-",
            "--",
            "--json",
            "-v",
            "-c",
        ] {
            assert_eq!(code_of(&["-c", code]), code);
            assert_eq!(code_of(&["--code", code, "--json"]), code);
        }
        assert_eq!(code_of(&["-c", "-x", "--", "-c", "y"]), "-x");
    }

    /// So that it is refused by its code, as every other number out of bounds.
    #[test]
    fn a_negative_time_is_a_number_and_no_flag() {
        let line = ["llm-firecracker", "run", "--timeout", "-1", "x.py"];
        assert!(Cli::try_parse_from(line).is_ok());
    }
}

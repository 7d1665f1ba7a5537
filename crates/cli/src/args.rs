//! The command line as data: one table drives parsing, `--help`, completions and man pages. A
//! command of several flags has its rows in a file of its name.

mod bench;
mod config;
#[cfg(test)]
mod documented;
mod egress;
mod events;
mod global;
mod images;
mod keys;
mod language;
mod process;
mod quantity;
mod run;
mod sandbox;
mod shell;
mod snapshots;
mod usage;

pub use bench::{
    BenchArgs, BenchCommand, BenchHttpArgs, BenchNativeArgs, BenchPackagesArgs, BenchSandboxArgs,
    CompareArgs,
};
pub use config::{ConfigCommand, Given, unknown_variables};
pub use egress::EgressCommand;
pub use events::{EventsCommand, Shape as EventsShape};
pub use global::{AccelArg, EngineArg, Global};
pub use images::{ImagesCommand, KernelArg, LockArgs};
pub use keys::KeysCommand;
pub use language::{IMAGE_NAME, LANGUAGE_NAME};
pub use process::{command, shell_word};
pub use run::{RunArgs, ScanArg};
pub use sandbox::{
    CpArgs, CreateArgs, ExecArgs, LogsArgs, SandboxArgs, SandboxCommand, ServiceArgs, UserArg,
};
pub use shell::ShellArgs;
pub use snapshots::SnapshotsCommand;
pub use usage::UsageArgs;

use clap::{Args, Parser, Subcommand};
use server::config::listen::Listen;
use std::path::PathBuf;

/// Runs code that nobody has read in a microVM of its own.
#[derive(Debug, Parser)]
#[command(name = "llm-firecracker", version, max_term_width = 100, after_help = EXAMPLES)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "\
Examples:
  llm-firecracker images build python          once, about a minute
  llm-firecracker run hello.py                 the language comes from the extension
  llm-firecracker hello.py                     the same
  llm-firecracker run hello.py -- one two      with arguments
  llm-firecracker run --lang python -c 'print(1)'
  llm-firecracker run --lang bash - < script.sh
  llm-firecracker run --json --timeout 2 loop.js
  llm-firecracker doctor                       can this host be trusted with it?

Exit codes of run: the program's own; 124 time-out, 137 out of memory, 2 refused or a wrong
configuration, 125 the sandbox itself failed, 128+N ended by signal N.

Settings come from a TOML file, then LLM_FIRECRACKER_* variables, then flags.";

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a program in a throwaway microVM
    #[command(after_help = run::EXAMPLES)]
    Run(Box<RunArgs>),
    /// Open a shell, or another program, in a microVM of its own: a terminal, or pipes
    #[command(after_help = shell::EXAMPLES)]
    Shell(ShellArgs),
    /// Make and use sandboxes of a service that runs: VMs that stay, with processes and files
    #[command(after_help = sandbox::EXAMPLES)]
    Sandbox(Box<SandboxArgs>),
    /// Find the engines, install Firecracker where it is missing, say what works
    #[command(after_help = SETUP_EXAMPLES)]
    Setup(SetupArgs),
    /// Build, list, verify and remove what VMs boot from
    #[command(subcommand, after_help = images::EXAMPLES)]
    Images(ImagesCommand),
    /// Make, list, verify and remove the snapshots that clones are made of
    #[command(subcommand, after_help = snapshots::EXAMPLES)]
    Snapshots(SnapshotsCommand),
    /// List the languages and what their images hold
    Languages {
        #[command(flatten)]
        format: Format,
    },
    /// Remove what earlier crashes left behind; VMs that run are left alone
    Clean {
        #[command(flatten)]
        format: Format,
    },
    /// Time the paths of a job: latency, jobs a second, memory of VMs that wait
    Bench(BenchArgs),
    /// Time the same job under every isolation technology that is installed
    Compare(CompareArgs),
    /// Attack every wall from inside, on this host; fails when one gives way or cannot be attacked
    #[command(after_help = SELFTEST_EXAMPLES)]
    Selftest(SelftestArgs),
    /// Check this host against what a production host must be; changes nothing
    Doctor {
        #[command(flatten)]
        format: Format,
    },
    /// Serve the HTTP API and the dashboard until SIGTERM
    Serve {
        /// Where to listen: ADDRESS:PORT, localhost:PORT, or PORT of 127.0.0.1 [default: as configured, 127.0.0.1:8080]
        #[arg(long, value_name = "ADDR:PORT")]
        listen: Option<Listen>,
    },
    /// Run code for an assistant: a server of the Model Context Protocol on standard input and output
    #[command(after_help = MCP_EXAMPLES)]
    Mcp,
    /// Make, list and revoke the service's API keys
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Show what each key of the service used: jobs, seconds, memory, refusals
    Usage(UsageArgs),
    /// Show, check and describe the settings
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Show what the policies for the network allow
    #[command(subcommand, after_help = egress::EXAMPLES)]
    Egress(EgressCommand),
    /// Read and verify the service's audit log
    #[command(subcommand)]
    Events(EventsCommand),
    /// Print completions for a shell
    #[command(after_help = COMPLETIONS_HELP)]
    Completions {
        /// The shell in which they are to work
        shell: clap_complete::Shell,
    },
    /// Write the man pages into a folder
    #[command(
        after_help = "Examples:\n  llm-firecracker man ~/.local/share/man/man1 && man llm-firecracker-run"
    )]
    Man {
        /// The folder; it is made where it is missing
        dir: PathBuf,
    },
}

const SELFTEST_EXAMPLES: &str = "\
Examples:
  llm-firecracker selftest --list                what is attacked, and what must hold
  llm-firecracker selftest --kind channel        only what a guest may say
  llm-firecracker selftest --image mine --allow-skipped
  llm-firecracker selftest --json > report.json";

const COMPLETIONS_HELP: &str = "\
To have them in each new shell (the package does this by itself):
  bash   echo 'source <(llm-firecracker completions bash)' >> ~/.bashrc
  zsh    echo 'source <(llm-firecracker completions zsh)' >> ~/.zshrc      (after compinit)
  fish   llm-firecracker completions fish > ~/.config/fish/completions/llm-firecracker.fish

The shell asks llm-firecracker itself, which is to be in PATH: languages and images of yours are
completed, too.";

const MCP_EXAMPLES: &str = "\
An assistant starts it by itself, once its configuration says so, and ends it by closing standard input:
  claude mcp add sandbox -- llm-firecracker mcp
  codex mcp add sandbox -- llm-firecracker mcp
  {\"mcpServers\": {\"sandbox\": {\"command\": \"llm-firecracker\", \"args\": [\"mcp\"]}}}

It has six tools: run_code (a fresh VM each, or a session), start_session, end_session, write_file, read_file,
list_files. Languages are those whose images are built (images list); nothing inside reaches a network.
Nothing else needs to run: VMs are made by this process and go with it. A few wait ready; [pool] of the
configuration says which. The log goes to standard error (-v says more).

A service that runs has the same tools at /mcp, for many users with a key each: see serve.";

const SETUP_EXAMPLES: &str = "\
Examples:
  llm-firecracker setup                          downloads the pinned release
  llm-firecracker setup --from firecracker-v1.16.1-x86_64.tgz
  llm-firecracker setup --from FILE --sha256 DIGEST    another release, at your own judgement";

/// Flags of `setup`.
#[derive(Debug, Args)]
pub struct SetupArgs {
    /// Install from this release archive instead of the network
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,
    /// What the archive's SHA-256 must be [default: the pinned release's]
    #[arg(long, value_name = "DIGEST", requires = "from")]
    pub sha256: Option<String>,
    #[command(flatten)]
    pub format: Format,
}

/// Output as a table or as JSON.
#[derive(Debug, Clone, Args)]
pub struct Format {
    /// Print JSON instead of a table
    #[arg(long)]
    pub json: bool,
    /// Print every column of the table, however wide the terminal is
    #[arg(long, conflicts_with = "json")]
    pub wide: bool,
}

/// Flags of `selftest`.
#[derive(Debug, Args)]
pub struct SelftestArgs {
    /// Only attacks of this kind, and those of --only; may be given again
    #[arg(long = "kind", value_name = "KIND")]
    pub kinds: Vec<String>,
    /// Only this attack, and those of --kind; may be given again
    #[arg(long, value_name = "NAME")]
    pub only: Vec<String>,
    /// Attack from within VMs of this image, also one of yours: those of these attacks that it has languages for
    #[arg(long, value_name = "NAME", value_parser = IMAGE_NAME)]
    pub image: Option<String>,
    /// Succeed also where some of these attacks cannot be run here, for want of an image for one
    #[arg(long)]
    pub allow_skipped: bool,
    /// List the attacks and what must come of each
    #[arg(long)]
    pub list: bool,
    #[command(flatten)]
    pub format: Format,
}

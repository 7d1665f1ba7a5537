//! The command line as data: one table drives parsing, `--help`, completions and man pages. A
//! command of several flags has its rows in a file of its name.

mod bench;
mod events;
mod images;
mod keys;
mod language;
mod run;
mod sandbox;
mod shell;
mod snapshots;
mod usage;

pub use bench::{
    BenchArgs, BenchCommand, BenchHttpArgs, BenchNativeArgs, BenchPackagesArgs, BenchSandboxArgs,
    CompareArgs,
};
pub use events::EventsCommand;
pub use images::{ImagesCommand, KernelArg, LockArgs};
pub use keys::KeysCommand;
pub use language::{IMAGE_NAME, LANGUAGE_NAME};
pub use run::{RunArgs, ScanArg};
pub use sandbox::{
    CpArgs, CreateArgs, ExecArgs, LogsArgs, SandboxArgs, SandboxCommand, ServiceArgs, UserArg,
};
pub use shell::ShellArgs;
pub use snapshots::SnapshotsCommand;
pub use usage::UsageArgs;

use clap::builder::{FalseyValueParser, Resettable};
use clap::{Arg, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
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

impl Cli {
    /// This process's command line; a wrong one ends the process with what is wrong.
    pub fn of_process() -> Cli {
        let command = Cli::command()
            .mut_arg("firecracker", unless_empty)
            .mut_arg("jailer", unless_empty);
        Cli::from_arg_matches(&command.get_matches()).unwrap_or_else(|error| error.exit())
    }
}

/// A variable that is there and empty is as one that is not.
fn unless_empty(arg: Arg) -> Arg {
    match arg.get_env().and_then(std::env::var_os) {
        Some(value) if value.is_empty() => arg.env(Resettable::Reset),
        _ => arg,
    }
}

const EXAMPLES: &str = "\
Examples:
  llm-firecracker images build python          once, about a minute
  llm-firecracker run hello.py                 the language comes from the extension
  llm-firecracker run hello.py -- one two      with arguments
  llm-firecracker run --lang python -c 'print(1)'
  llm-firecracker run --lang bash - < script.sh
  llm-firecracker run --json --timeout 2 loop.js
  llm-firecracker doctor                       can this host be trusted with it?

Exit codes of run: the program's own; 124 time-out, 137 out of memory, 2 refused,
125 the sandbox itself failed, 128+N ended by signal N.

Settings come from a TOML file, then LLM_FIRECRACKER_* variables, then flags.";

/// Flags that every command takes.
#[derive(Debug, Clone, Args)]
pub struct Global {
    /// The configuration file [default: /etc/llm-firecracker/config.toml, or below ~/.config]
    #[arg(
        long,
        global = true,
        env = "LLM_FIRECRACKER_CONFIG",
        value_name = "FILE"
    )]
    pub config: Option<PathBuf>,
    /// Where images, snapshots and running VMs live [default: /var/lib/llm-firecracker, or below ~/.local/share]
    #[arg(
        long,
        global = true,
        env = "LLM_FIRECRACKER_STATE_DIR",
        value_name = "DIR"
    )]
    pub state_dir: Option<PathBuf>,
    /// The folder of the operator's languages [default: languages beside the configuration file's usual place]
    #[arg(
        long,
        global = true,
        env = "LLM_FIRECRACKER_LANGUAGES_DIR",
        value_name = "DIR",
        hide_short_help = true
    )]
    pub languages_dir: Option<PathBuf>,
    /// The guest agent's binary [default: beside this program]
    #[arg(
        long,
        global = true,
        env = "LLM_FIRECRACKER_AGENT",
        value_name = "FILE",
        hide_short_help = true
    )]
    pub agent: Option<PathBuf>,
    /// The VMM
    #[arg(
        long,
        global = true,
        env = "LLM_FIRECRACKER_ENGINE",
        value_enum,
        default_value_t
    )]
    pub engine: EngineArg,
    /// Firecracker's binary [default: in PATH, or as `setup` installed it]
    #[arg(
        long,
        global = true,
        env = "FIRECRACKER_BIN",
        value_name = "FILE",
        hide_short_help = true
    )]
    pub firecracker: Option<PathBuf>,
    /// Its jailer's
    #[arg(
        long,
        global = true,
        env = "JAILER_BIN",
        value_name = "FILE",
        hide_short_help = true
    )]
    pub jailer: Option<PathBuf>,
    /// What runs the guest's instructions
    #[arg(
        long,
        global = true,
        env = "LLM_FIRECRACKER_ACCEL",
        value_enum,
        default_value_t
    )]
    pub accel: AccelArg,
    /// Let processes of sandboxes be root in the guest: the VM is the wall then
    #[arg(
        long,
        global = true,
        env = "LLM_FIRECRACKER_GUEST_ROOT",
        value_parser = FalseyValueParser::new(),
        hide_short_help = true
    )]
    pub allow_guest_root: bool,
    /// Let sandboxes have a root file system that can be written to
    #[arg(
        long,
        global = true,
        env = "LLM_FIRECRACKER_WRITABLE",
        value_parser = FalseyValueParser::new(),
        hide_short_help = true
    )]
    pub allow_writable: bool,
    /// Say more on standard error (twice: everything)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

/// Which VMM.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum EngineArg {
    /// As configured; else, with KVM, Firecracker or QEMU; without, User-Mode Linux or QEMU's emulation
    #[default]
    Auto,
    /// QEMU's microvm machine in a bubblewrap jail
    Qemu,
    /// Firecracker in its jailer
    Firecracker,
    /// User-Mode Linux in a bubblewrap jail: needs no KVM, computes at native speed
    Uml,
}

/// Which accelerator.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum AccelArg {
    /// As configured; else KVM where guest code was seen to run on it, else TCG
    #[default]
    Auto,
    /// Hardware virtualisation, or an error
    Kvm,
    /// Software emulation: works everywhere, slower, a weaker wall
    Tcg,
}

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
    #[command(subcommand)]
    Images(ImagesCommand),
    /// Make, list, verify and remove the snapshots that clones are made of
    #[command(subcommand)]
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
    Selftest(SelftestArgs),
    /// Check this host against what a production host must be; changes nothing
    Doctor {
        #[command(flatten)]
        format: Format,
    },
    /// Serve the HTTP API and the dashboard until SIGTERM
    Serve {
        /// Where to listen [default: as configured, 127.0.0.1:8080]
        #[arg(long, value_name = "ADDR:PORT")]
        listen: Option<std::net::SocketAddr>,
    },
    /// Run code for an assistant: a server of the Model Context Protocol on standard input and output
    #[command(after_help = MCP_EXAMPLES)]
    Mcp,
    /// Make, list and revoke the service's API keys
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Show what each key of the service used: jobs, seconds, memory, refusals
    Usage(UsageArgs),
    /// Read and verify the service's audit log
    #[command(subcommand)]
    Events(EventsCommand),
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Write the man pages into a folder
    Man {
        /// The folder
        dir: PathBuf,
    },
}

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

//! What `sandbox` takes: which service, and what to do there.

use super::quantity::{parse_duration, parse_mib};
use super::run::parse_env;
use super::{Format, IMAGE_NAME};
use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;
use std::convert::Infallible;
use std::fmt::{Debug, Formatter};
use std::str::FromStr;
use std::time::Duration;

pub(super) const EXAMPLES: &str = "\
Examples:
  S=$(llm-firecracker sandbox create --image python --timeout 1800)
  llm-firecracker sandbox exec $S -- python3 -c 'print(6 * 7)'
  llm-firecracker sandbox exec $S -t -- bash -l
  llm-firecracker sandbox cp model.bin $S:/work/model.bin
  llm-firecracker sandbox rm $S

The service is the one at --url; `llm-firecracker serve` starts one.";

const CREATE_EXAMPLES: &str = "\
Examples:
  llm-firecracker sandbox create
  llm-firecracker sandbox create --image bash --timeout 600 --metadata user=42 -e TOKEN=x";

const LIST_EXAMPLES: &str = "\
Examples:
  llm-firecracker sandbox list
  llm-firecracker sandbox list --json | jq -r '.sandboxes[].id'";

const EXEC_EXAMPLES: &str = "\
Examples:
  llm-firecracker sandbox exec $S -- ls -l /work
  llm-firecracker sandbox exec $S -i -- sort < words.txt
  llm-firecracker sandbox exec $S -t -- bash -l            a terminal
  llm-firecracker sandbox exec $S --timeout 5 -- ./tests   124 when it takes longer
  P=$(llm-firecracker sandbox exec $S --background -- python3 -m http.server)

Exit codes: the program's own; 124 time-out, 137 out of memory, 127 there is no such program, 126 it
may not be executed, 125 the service or the way to it failed, 128+N ended by signal N. Ctrl-C is sent on; the third one kills. A program ends with this
command, and so does what it started: --background is for what is to stay.";

const LOGS_EXAMPLES: &str = "\
Examples:
  llm-firecracker sandbox logs $S $P              what it has written, as far as it is kept
  llm-firecracker sandbox logs $S $P --follow     and what comes, until it ends";

const CP_EXAMPLES: &str = "\
Examples:
  llm-firecracker sandbox cp model.bin $S:/work/model.bin
  llm-firecracker sandbox cp $S:/work/out/result.csv .";

const RM_EXAMPLES: &str = "\
Examples:
  llm-firecracker sandbox rm $S
  llm-firecracker sandbox list --json | jq -r '.sandboxes[].id' | xargs llm-firecracker sandbox rm";

/// Flags of `sandbox`.
#[derive(Debug, Args)]
pub struct SandboxArgs {
    #[command(flatten)]
    pub service: ServiceArgs,
    #[command(subcommand)]
    pub command: SandboxCommand,
}

/// Which service, and who asks it.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "The service")]
pub struct ServiceArgs {
    /// Where the service is [default: http://127.0.0.1:8080]
    #[arg(long, global = true, env = "LLM_FIRECRACKER_URL", value_name = "URL")]
    pub url: Option<String>,
    /// Its API key, where it wants one; better in the variable: others see a command's words
    #[arg(
        long,
        global = true,
        env = "LLM_FIRECRACKER_KEY",
        hide_env_values = true,
        value_name = "KEY"
    )]
    pub key: Option<Key>,
}

/// An API key. It is shown nowhere.
#[derive(Clone)]
pub struct Key(pub String);

impl FromStr for Key {
    type Err = Infallible;
    fn from_str(text: &str) -> Result<Key, Infallible> {
        Ok(Key(text.trim().to_owned()))
    }
}

impl Debug for Key {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

/// What to do with sandboxes.
#[derive(Debug, Subcommand)]
pub enum SandboxCommand {
    /// Begin a sandbox; prints its id
    #[command(after_help = CREATE_EXAMPLES)]
    Create(CreateArgs),
    /// List the sandboxes of this key
    #[command(after_help = LIST_EXAMPLES)]
    List {
        #[command(flatten)]
        format: Format,
    },
    /// Run a program in a sandbox
    #[command(after_help = EXEC_EXAMPLES)]
    Exec(ExecArgs),
    /// Copy a file into a sandbox, or out of one; of any size
    #[command(after_help = CP_EXAMPLES)]
    Cp(CpArgs),
    /// Print what a process of a sandbox wrote
    #[command(after_help = LOGS_EXAMPLES)]
    Logs(LogsArgs),
    /// End sandboxes, with all that runs and lies in them
    #[command(after_help = RM_EXAMPLES)]
    Rm {
        /// Their ids
        #[arg(value_name = "ID", required = true, value_parser = NonEmptyStringValueParser::new())]
        ids: Vec<String>,
    },
}

/// Flags of `sandbox create`.
#[derive(Debug, Args)]
pub struct CreateArgs {
    /// The image, or a language's [default: agent, where the service has it, else python]
    #[arg(long, aliases = ["lang", "language"], value_name = "NAME", value_parser = IMAGE_NAME)]
    pub image: Option<String>,
    /// A package that is to be there, where the service allows it (packages); may be given again
    #[arg(long, value_name = "PACKAGE")]
    pub with: Vec<String>,
    /// After which time it ends, such as 600, 10m or 1h [default: as the service has it]
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub timeout: Option<Duration>,
    /// After which time without a request it ends [default: as the service has it]
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub idle_timeout: Option<Duration>,
    /// A variable of each process' environment; may be given again
    #[arg(short, long = "env", value_name = "NAME=VALUE", value_parser = parse_env)]
    pub env: Vec<(String, String)>,
    /// Kept and shown, not read; may be given again
    #[arg(long, value_name = "NAME=VALUE", value_parser = parse_env)]
    pub metadata: Vec<(String, String)>,
    /// Memory of the VM, such as 512 (MiB), 512m or 1g [default: as the service has it]
    #[arg(long, value_name = "SIZE", value_parser = parse_mib)]
    pub memory: Option<u64>,
    /// Let its root file system be written to, where the service allows it (writable)
    #[arg(long)]
    pub writable: bool,
    /// What of the memory that takes in, such as 128 (MiB) or 1g [default: a quarter]
    #[arg(long, value_name = "SIZE", requires = "writable", value_parser = parse_mib)]
    pub writable_mib: Option<u64>,
}

/// Flags of `sandbox exec`.
#[derive(Debug, Args)]
pub struct ExecArgs {
    /// The sandbox
    #[arg(value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    pub id: String,
    /// Give it this terminal
    #[arg(short = 't', long = "tty", conflicts_with = "background")]
    pub tty: bool,
    /// Feed it this command's standard input (a terminal's is fed anyway)
    #[arg(short, long, conflicts_with = "background")]
    pub interactive: bool,
    /// The folder where it starts, absolute [default: /work]
    #[arg(long, value_name = "DIR")]
    pub cwd: Option<String>,
    /// As whom it runs; root where the service allows it (guest_root)
    #[arg(long, value_name = "USER", value_enum, default_value_t)]
    pub user: UserArg,
    /// A variable of its environment; may be given again
    #[arg(short, long = "env", value_name = "NAME=VALUE", value_parser = parse_env)]
    pub env: Vec<(String, String)>,
    /// After which time it is ended, such as 5, 500ms or 1m [default: never]
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub timeout: Option<Duration>,
    /// Print its id at once; it runs on
    #[arg(long)]
    pub background: bool,
    /// The program and its arguments; what comes after its name is its own, and `--` before it makes that plain
    #[arg(trailing_var_arg = true, value_name = "COMMAND", required = true)]
    pub argv: Vec<String>,
}

/// As whom a program runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum UserArg {
    /// The sandbox's own user
    #[default]
    Sandbox,
    /// Root of the guest: the VM is the wall then
    Root,
}

/// Flags of `sandbox cp`.
#[derive(Debug, Args)]
pub struct CpArgs {
    /// A file here, or ID:/PATH in a sandbox (ID:PATH from /work on)
    #[arg(value_name = "SRC")]
    pub from: String,
    /// A file or folder here, or ID:/PATH in a sandbox (ID:/FOLDER/ keeps the name, ID: is ID:/work/)
    #[arg(value_name = "DST")]
    pub to: String,
}

/// Flags of `sandbox logs`.
#[derive(Debug, Args)]
pub struct LogsArgs {
    /// The sandbox
    #[arg(value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    pub id: String,
    /// The process, as `exec --background` printed it
    #[arg(value_name = "PROCESS")]
    pub process: u32,
    /// Go on with what comes, until it ends
    #[arg(short, long)]
    pub follow: bool,
    /// The first byte that is wanted, of all that it wrote
    #[arg(long, value_name = "OFFSET", default_value_t = 0)]
    pub from: u64,
}

#[cfg(test)]
mod tests {
    use crate::args::{Cli, Command};
    use clap::Parser as _;

    #[test]
    fn a_key_is_shown_nowhere() {
        for words in [
            &["sandbox", "--key", "lf_secret", "list"][..],
            &["sandbox", "list", "--key", "lf_secret"],
            &["sandbox", "exec", "x", "--key", "lf_secret", "--", "ls"],
        ] {
            let line = ["llm-firecracker"].iter().chain(words);
            let cli = Cli::try_parse_from(line).unwrap();
            assert!(!format!("{cli:?}").contains("secret"));
            let Command::Sandbox(args) = cli.command else {
                panic!("{words:?}");
            };
            assert_eq!(args.service.key.unwrap().0, "lf_secret");
        }
    }

    /// As with docker, kubectl and ssh.
    #[test]
    fn what_follows_a_program_is_the_programs() {
        for words in [
            &["exec", "x", "-e", "A=1", "ls", "-la", "--", "-t"][..],
            &["exec", "x", "-e", "A=1", "--", "ls", "-la", "--", "-t"],
        ] {
            let line = ["llm-firecracker", "sandbox"].iter().chain(words);
            let cli = Cli::try_parse_from(line).unwrap();
            let Command::Sandbox(args) = cli.command else {
                panic!("{words:?}");
            };
            let super::SandboxCommand::Exec(exec) = args.command else {
                panic!("{words:?}");
            };
            assert_eq!(exec.argv, ["ls", "-la", "--", "-t"], "{words:?}");
            assert!(!exec.tty && exec.env.len() == 1);
        }
    }

    #[test]
    fn what_does_not_go_together_is_refused() {
        for (words, fine) in [
            (&["exec", "x", "--", "ls", "-l"][..], true),
            (&["exec", "x", "-ti", "--", "ls"], true),
            (&["exec", "x", "--background", "--", "ls"], true),
            (&["exec", "x", "--background", "-t", "--", "ls"], false),
            (&["exec", "x", "--background", "-i", "--", "ls"], false),
            (&["exec", "x"], false),
            (&["exec", "x", "ls", "-la"], true),
            (&["exec", "x", "--timeout", "5", "ls", "--url"], true),
            (&["exec", "x", "--nope", "ls"], false),
            (&["create", "--language", "python"], true),
            (&["rm"], false),
            (&["rm", ""], false),
            (&["exec", "", "--", "ls"], false),
            (&["logs", "x", "no-number"], false),
            (&["create", "--timeout", "0"], false),
            (&["create", "--metadata", "word"], false),
        ] {
            let line = ["llm-firecracker", "sandbox"].iter().chain(words);
            assert_eq!(Cli::try_parse_from(line).is_ok(), fine, "{words:?}");
        }
    }
}

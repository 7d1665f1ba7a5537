//! What `shell` takes: the image, the size, the program.

use super::IMAGE_NAME;
use super::quantity::{parse_duration, parse_mib};
use super::run::parse_env;
use clap::Args;
use protocol::supervisor::ProcessUser;
use std::time::Duration;

pub(super) const EXAMPLES: &str = "\
Examples:
  llm-firecracker shell                           bash in a VM; exit or Ctrl-D ends both
  llm-firecracker shell --image node -- node      another program of another image
  llm-firecracker shell --allow-guest-root --root  root of the guest; the VM is the wall
  llm-firecracker shell -e TOKEN=x --memory 1g
  tar c . | llm-firecracker shell -- tar x         without a terminal: pipes, and its exit code";

/// Flags of `shell`.
#[derive(Debug, Args)]
pub struct ShellArgs {
    /// The image
    #[arg(
        short,
        long,
        aliases = ["lang", "language"],
        value_name = "NAME",
        default_value = "python",
        value_parser = IMAGE_NAME
    )]
    pub image: String,
    /// A package that is to be there, of the image's first language; may be given again
    #[arg(long, value_name = "PACKAGE")]
    pub with: Vec<String>,
    /// Memory of the VM, such as 512 (MiB), 512m or 1g [default: as configured]
    #[arg(short, long, value_name = "SIZE", value_parser = parse_mib)]
    pub memory: Option<u64>,
    /// Virtual CPUs [default: as configured]
    #[arg(long, value_name = "N")]
    pub vcpus: Option<u64>,
    /// A variable of the environment; may be given again
    #[arg(short, long = "env", value_name = "NAME=VALUE", value_parser = parse_env)]
    pub env: Vec<(String, String)>,
    /// Be root in the VM, where the configuration allows it (guest_root): the VM is the wall then
    #[arg(long)]
    pub root: bool,
    /// Let its root file system be written to, where the configuration allows it (writable)
    #[arg(long)]
    pub writable: bool,
    /// After which time it is ended, such as 90, 30s or 1h [default: never]
    #[arg(short, long, value_name = "TIME", value_parser = parse_duration)]
    pub timeout: Option<Duration>,
    /// The program and its arguments [default: a login shell]
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

impl ShellArgs {
    /// As whom its program runs.
    pub fn user(&self) -> ProcessUser {
        match self.root {
            true => ProcessUser::Root,
            false => ProcessUser::Sandbox,
        }
    }
}

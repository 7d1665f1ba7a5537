//! `snapshots`: made, listed, verified, removed.

use super::quantity::parse_mib;
use super::{Format, LANGUAGE_NAME};
use clap::Subcommand;

pub(super) const EXAMPLES: &str = "\
Examples:
  llm-firecracker snapshots create python --memory 1g
  llm-firecracker snapshots list
  llm-firecracker snapshots rm                 all of them; jobs make new ones";

/// What to do with snapshots.
#[derive(Debug, Subcommand)]
pub enum SnapshotsCommand {
    /// Make the snapshots of these languages (all with an image, when none is named)
    Create {
        /// Which languages
        #[arg(value_name = "LANG", value_parser = LANGUAGE_NAME)]
        languages: Vec<String>,
        /// Memory of the VM, such as 512 (MiB), 512m or 1g [default: as configured]
        #[arg(long, value_name = "SIZE", value_parser = parse_mib)]
        memory: Option<u64>,
        /// Virtual CPUs [default: as configured]
        #[arg(long, value_name = "N")]
        vcpus: Option<u32>,
    },
    /// List the snapshots and what they are made of
    List {
        #[command(flatten)]
        format: Format,
    },
    /// Read every byte again and compare it with the manifest
    Verify {
        #[command(flatten)]
        format: Format,
    },
    /// Remove snapshots
    Rm {
        /// Which languages; all, when none is named
        #[arg(value_name = "LANG", value_parser = LANGUAGE_NAME)]
        languages: Vec<String>,
    },
}

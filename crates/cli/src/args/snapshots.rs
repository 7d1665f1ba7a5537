//! `snapshots`: made, listed, verified, removed.

use super::{Format, LANGUAGE_NAME};
use clap::Subcommand;

/// What to do with snapshots.
#[derive(Debug, Subcommand)]
pub enum SnapshotsCommand {
    /// Make the snapshots of these languages (all with an image, when none is named)
    Create {
        /// Which languages
        #[arg(value_name = "LANG", value_parser = LANGUAGE_NAME)]
        languages: Vec<String>,
        /// Memory of the VM in MiB [default: as configured]
        #[arg(long)]
        memory: Option<u32>,
        /// Virtual CPUs [default: as configured]
        #[arg(long)]
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

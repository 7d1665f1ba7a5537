//! What there is to do with kernels and images.

use super::{Format, IMAGE_NAME};
use clap::{Subcommand, ValueEnum};
use std::path::PathBuf;

/// What to do with images.
#[derive(Debug, Subcommand)]
pub enum ImagesCommand {
    /// Build kernels and images
    #[command(after_help = BUILD_EXAMPLES)]
    Build {
        /// Which images, by their names or their languages'; FILE.toml describes one of yours
        #[arg(value_name = "IMAGE|FILE.toml", value_parser = IMAGE_NAME)]
        names: Vec<String>,
        /// All images; without it and without names: the usual ones, and those of which the configuration has a pool
        #[arg(long, conflicts_with = "names")]
        all: bool,
        /// Those that are there and were made by another version of this tool, or are damaged, or not as its lock says
        #[arg(long, conflicts_with_all = ["names", "all", "force"])]
        outdated: bool,
        /// Which kernels
        #[arg(long, value_enum, default_value_t)]
        kernel: KernelArg,
        /// Build the images again that are there, and the kernels where one is named
        #[arg(long)]
        force: bool,
        #[command(flatten)]
        lock: LockArgs,
    },
    /// List what of the images is no longer mended: runtimes past their end, packages older than this tool's lock
    Outdated {
        #[command(flatten)]
        format: Format,
    },
    /// Print version and digest of each package that the images hold, as a lock
    Lock,
    /// List the kernels and images: size, packages, digest
    List {
        #[command(flatten)]
        format: Format,
    },
    /// Read every byte again and compare it with the manifest
    Verify {
        /// Which images, by their names or their languages'; all that are there, when none is named
        #[arg(value_name = "IMAGE", value_parser = IMAGE_NAME)]
        names: Vec<String>,
        #[command(flatten)]
        format: Format,
    },
    /// Remove images
    Rm {
        /// Which images, by their names or their languages'
        #[arg(value_name = "IMAGE", required = true, value_parser = IMAGE_NAME)]
        names: Vec<String>,
    },
    /// Write the kernels and images into one file, for hosts without a compiler or a network
    #[command(after_help = EXPORT_EXAMPLES)]
    Export {
        /// The file to write: a tar archive, not compressed; there wholly or not at all
        file: PathBuf,
        /// Which images, by their names or their languages'; all that are there, when none is named
        #[arg(value_name = "IMAGE", value_parser = IMAGE_NAME)]
        names: Vec<String>,
    },
    /// Take an OCI image; or kernels and images from a file that `images export` wrote, all of it or nothing
    #[command(after_help = IMPORT_EXAMPLES)]
    Import {
        /// oci:DIR[:TAG], docker-archive:FILE[:NAME], REGISTRY/NAME[:TAG][@sha256:…], or a file of `images export`
        source: String,
        /// What the OCI image is to be called [default: from its own name]
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        #[command(flatten)]
        format: Format,
    },
    /// Show what is in an image: packages, languages, what its programs find, what it was made of
    Inspect {
        /// Which image
        #[arg(value_name = "IMAGE", value_parser = IMAGE_NAME)]
        name: String,
        /// Print a CycloneDX bill of materials instead
        #[arg(long, conflicts_with = "json")]
        sbom: bool,
        #[command(flatten)]
        format: Format,
    },
    /// Remove images of programs' packages that nobody used for some time, and files of no image
    Prune {
        /// Days without a use
        #[arg(long, value_name = "DAYS", default_value_t = 1)]
        unused_for: u64,
        /// Also images that were built from files of yours or imported
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        format: Format,
    },
}

/// Which versions of packages are taken; without either, the lock's where the archive still has them, else newer ones.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct LockArgs {
    /// Refuse packages of other versions than the lock's
    #[arg(long, conflicts_with = "unlocked")]
    pub locked: bool,
    /// Take the newest packages, whatever the lock says
    #[arg(long)]
    pub unlocked: bool,
}

/// Which kernels are built.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum KernelArg {
    /// The one that this host's engine boots
    #[default]
    Auto,
    /// The distribution's for virtual machines, downloaded: QEMU and Firecracker boot it
    Virtual,
    /// User-Mode Linux, compiled from the distribution's source: a few minutes, needs a C compiler
    Uml,
    /// Both
    All,
}

pub(super) const EXAMPLES: &str = "\
Examples:
  llm-firecracker images build python          what this host needs to run python
  llm-firecracker images list                  what is there, and whether it is of use
  llm-firecracker images outdated && llm-firecracker images build --outdated
  llm-firecracker images rm python-data";

const BUILD_EXAMPLES: &str = "\
Examples:
  llm-firecracker images build python              what this host needs to run python
  llm-firecracker images build                     the usual ones, and those with a pool
  llm-firecracker images build --all               every image that there can be
  llm-firecracker images build python-data         python with numpy, pandas, matplotlib, …
  llm-firecracker images build --outdated          after an update of this tool
  llm-firecracker images build mine.toml           one of your own: see docs/images.md
  llm-firecracker images build bash --kernel all   also for hosts with another engine
  llm-firecracker images build bash --kernel uml --force

What is there and good is not built again; a User-Mode Linux kernel that another version of this
tool built is.";

const EXPORT_EXAMPLES: &str = "\
Examples:
  llm-firecracker images build python --kernel all    on a host with a network and a compiler
  llm-firecracker images export images.tar python
  llm-firecracker images import images.tar            on the other host, after copying the file";

const IMPORT_EXAMPLES: &str = "\
Examples:
  llm-firecracker images import oci:build/app --name app          a folder, as buildah and skopeo write it
  llm-firecracker images import docker-archive:app.tar            what docker save writes
  llm-firecracker images import registry.example.com/app@sha256:…
  llm-firecracker images import images.tar
  llm-firecracker images import --json images.tar

A registry's user and password come from LLM_FIRECRACKER_REGISTRY_USER and _PASSWORD. A tag is resolved
once; the digest that it had then is what is kept.

Of a file of `images export` every name, size and digest is checked, and a file with anything else in it is refused. That shows
that it is whole, not who made it: import files of hosts that you trust.";

//! What can go wrong with images, and what mends it.

use crate::bundle::error::BundleError;
use crate::bzimage::KernelError;
use crate::cpio::CpioError;
use crate::kernel::uml::config::OptionError;
use crate::oci::OciError;
use crate::resolve::ResolveError;
use std::io;
use std::path::{Path, PathBuf};

/// Why an image could not be made, found or trusted.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// Never built, or removed.
    #[error(
        "there is no {name} image in {}: run `llm-firecracker images build {}`",
        root.display(), build_argument(name)
    )]
    Missing {
        /// `kernel`, `uml`, or the name of a language.
        name: String,
        /// The store's folder.
        root: PathBuf,
    },
    /// Not what was built: a file changed, shrank or vanished after its digest was taken.
    #[error(
        "{} of the {name} image is damaged: expected {expected}, found {seen}; \
         run `llm-firecracker images build --force {}`",
        file.display(), build_argument(name)
    )]
    Damaged {
        /// `kernel`, `uml`, `initramfs` or the name of a language.
        name: String,
        /// The file that is not what it was.
        file: PathBuf,
        /// What the manifest says.
        expected: String,
        /// What is there.
        seen: String,
    },
    /// Whole, but built with other options, patches or steps than this tool builds with.
    #[error(
        "the {name} kernel in {} was built by another version of this tool: \
         `llm-firecracker images build {}` makes a new one",
        root.display(), build_argument(name)
    )]
    Stale {
        /// `uml`.
        name: String,
        /// The store's folder.
        root: PathBuf,
    },
    /// Made by a version of this tool that wrote images down in another way.
    #[error(
        "the {name} image in {} was made by another version of this tool: \
         `llm-firecracker images build --outdated` makes all such images anew",
        root.display()
    )]
    OtherFormat {
        /// `kernel`, `uml`, or the name of an image.
        name: String,
        /// The store's folder.
        root: PathBuf,
    },
    /// A program that builds images is not installed.
    #[error("{tool} is not installed: run scripts/setup-debian.sh, which installs it")]
    ToolMissing {
        /// The program.
        tool: String,
    },
    /// This user cannot make the user namespace in which packages are unpacked.
    #[error(
        "user {uid} has no ids of its own to unpack packages with: as root, run \
         `usermod --add-subuids 100000-165535 --add-subgids 100000-165535 USER`, with a range that nobody has in /etc/subuid"
    )]
    NoSubordinateIds {
        /// The user's number.
        uid: u32,
    },
    /// A program that builds images failed.
    #[error("{tool} failed while {doing} ({status}); its last lines:\n{last_lines}")]
    Tool {
        /// The program.
        tool: String,
        /// The step.
        doing: String,
        /// Exit status, in words.
        status: String,
        /// The end of what it wrote.
        last_lines: String,
    },
    /// A program that builds images did not come to an end.
    #[error("{tool} was stopped after {seconds} s while {doing}; its last lines:\n{last_lines}")]
    Deadline {
        /// The program.
        tool: String,
        /// The step.
        doing: String,
        /// The deadline.
        seconds: u64,
        /// The end of what it wrote.
        last_lines: String,
    },
    /// The file system of the images has no room.
    #[error(
        "no space left for {} while {doing}: free at least 2 GiB there and run the command again; \
         nothing half-made was left",
        path.display()
    )]
    NoSpace {
        /// The file or folder that was being written.
        path: PathBuf,
        /// The step.
        doing: String,
    },
    /// The distribution's package does not hold what is expected of it.
    #[error("{what}: the package archive gave something unexpected; {hint}")]
    Unexpected {
        /// What is wrong.
        what: String,
        /// What to do.
        hint: &'static str,
    },
    /// The archive no longer has what the lock names.
    #[error(
        "the archive has other versions than the lock ({}): build without --locked to take them, or name a mirror \
         that still has the lock's",
        packages.join(", ")
    )]
    Moved {
        /// Each with its version, and the lock's in brackets.
        packages: Vec<String>,
    },
    /// A package of npm's registry did not come, or is not what its lock says.
    #[error("{package} of npm's registry: {why}")]
    Npm {
        /// Its name and version.
        package: String,
        /// Why.
        why: String,
    },
    /// A package of PyPI did not come, or is not what its lock says.
    #[error("{package} of PyPI: {why}")]
    Pypi {
        /// Its name and version.
        package: String,
        /// Why.
        why: String,
    },
    /// A user's file for an image cannot be meant, or what it names does not go together.
    #[error("{}: {why}", path.display())]
    Spec {
        /// The file, or the field or path of it.
        path: PathBuf,
        /// What is wrong, and what to write.
        why: String,
    },
    /// An image of the Open Container Initiative was not taken.
    #[error(transparent)]
    Oci(Box<OciError>),
    /// Packages that a program asks for were not found.
    #[error(transparent)]
    Resolve(Box<ResolveError>),
    /// Packages that a program asks for have more bytes or files than may come.
    #[error("with {package}, the packages have more bytes or files than may come")]
    PackagesTooLarge {
        /// The first that is too much: its name and version.
        package: String,
    },
    /// Packages that a program asks for did not come in time.
    #[error("{package} did not come in time")]
    PackagesTooLate {
        /// The first that did not: its name and version.
        package: String,
    },
    /// The guest's first program is not one that a kernel can start by itself.
    #[error("{} is no agent for guests: {what}; build it with `make agent`", path.display())]
    Agent {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: &'static str,
    },
    /// An image came out larger than its language's bound.
    #[error("the {name} image has {size} bytes, more than its bound of {bound}")]
    TooLarge {
        /// The language.
        name: String,
        /// Bytes.
        size: u64,
        /// Bytes.
        bound: u64,
    },
    /// The kernel's package holds no kernel that can be taken out.
    #[error("{}", path.display())]
    Kernel {
        /// The bzImage.
        path: PathBuf,
        /// Why.
        #[source]
        source: KernelError,
    },
    /// The kernel would not be built with what it has to have.
    #[error("the kernel's configuration is not what was asked for")]
    KernelOption {
        /// Which option.
        #[source]
        source: OptionError,
    },
    /// A file of images that is not one of `images export`, or not whole.
    #[error("{} is not imported, nothing of it", path.display())]
    Bundle {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: BundleError,
    },
    /// The initramfs cannot be written.
    #[error("writing the initramfs' entry {entry}")]
    Initramfs {
        /// The entry.
        entry: String,
        /// Why.
        #[source]
        source: CpioError,
    },
    /// Reading or writing a file failed.
    #[error("{doing} {}", path.display())]
    Io {
        /// The act.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// Kernels come with a build of any language; the initramfs is made of what a kernel's build leaves.
fn build_argument(name: &str) -> &str {
    match name {
        "kernel" => "bash --kernel virtual",
        "uml" => "bash --kernel uml",
        "initramfs" => "bash",
        language => language,
    }
}

impl From<OciError> for ImageError {
    fn from(error: OciError) -> ImageError {
        ImageError::Oci(Box::new(error))
    }
}

impl From<ResolveError> for ImageError {
    fn from(error: ResolveError) -> ImageError {
        ImageError::Resolve(Box::new(error))
    }
}

impl ImageError {
    /// For `map_err`: names the act and the path, and tells a full disk from the rest.
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> ImageError {
        let path = path.to_path_buf();
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ImageError::NoSpace {
                path,
                doing: doing.to_owned(),
            },
            _ => ImageError::Io {
                doing,
                path,
                source,
            },
        }
    }

    /// The archive's content is not as expected.
    pub(crate) fn unexpected(what: impl Into<String>) -> ImageError {
        ImageError::Unexpected {
            what: what.into(),
            hint: "check the mirror, or report this with the package's version",
        }
    }
}

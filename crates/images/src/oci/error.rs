//! Why an image of a registry, a folder or an archive is not taken: what, where, and the bound where there is one.

use crate::error::ImageError;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};

/// Why an OCI image is not taken.
#[derive(Debug, thiserror::Error)]
pub enum OciError {
    /// What was written is not the name of an image.
    #[error("{text:?} names no image: {why}")]
    Name {
        /// As it was written.
        text: String,
        /// What is wrong with it.
        why: String,
    },
    /// A manifest, an index or a config is not one that this tool takes.
    #[error("{what}: {why}")]
    Document {
        /// Which document.
        what: String,
        /// What is wrong with it.
        why: String,
    },
    /// Other bytes than those that were promised.
    #[error("{what} has the digest {found}, not {expected} as promised")]
    Digest {
        /// Which bytes.
        what: String,
        /// What the descriptor says.
        expected: String,
        /// What the bytes have.
        found: String,
    },
    /// More or fewer bytes than were promised.
    #[error("{what} has {found} bytes, not {expected} as promised")]
    Size {
        /// Which bytes.
        what: String,
        /// What the descriptor says.
        expected: u64,
        /// `at least` that many, where reading ended there.
        found: u64,
    },
    /// The image costs more than it may.
    #[error("the image has {what}, more than the bound of {bound}")]
    Bound {
        /// What there is too much of.
        what: String,
        /// The bound, in the same unit.
        bound: u64,
    },
    /// Something in a layer is not taken.
    #[error(transparent)]
    Layer(#[from] LayerError),
    /// A registry does not give what it is asked for.
    #[error("{url}: {why}")]
    Registry {
        /// What was asked for.
        url: String,
        /// What came instead.
        why: String,
    },
    /// A file of the image's source cannot be read.
    #[error("reading {}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The host's side failed: no space, no sandbox.
    #[error(transparent)]
    Host(#[from] ImageError),
}

impl OciError {
    pub(crate) fn document(what: impl Into<String>, why: impl Into<String>) -> OciError {
        OciError::Document {
            what: what.into(),
            why: why.into(),
        }
    }

    /// For `map_err` on files of the source.
    pub(crate) fn reading(path: &Path) -> impl FnOnce(io::Error) -> OciError {
        let path = path.to_path_buf();
        move |source| OciError::Read { path, source }
    }
}

/// What is wrong in a layer, and where. Crosses the border of the jail.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("layer {} of {of}{}: {fault}", index + 1, at(entry.as_deref()))]
pub struct LayerError {
    /// Counted from 0, the lowest layer first.
    pub index: usize,
    /// How many the image has.
    pub of: usize,
    /// The name of the entry, escaped; `None` for the layer as a whole.
    pub entry: Option<String>,
    /// What is wrong.
    #[source]
    pub fault: Fault,
}

fn at(entry: Option<&str>) -> String {
    entry.map_or_else(String::new, |entry| format!(", entry {entry}"))
}

/// What can be wrong with a layer or an entry of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum Fault {
    /// Not in a form that layers have.
    #[error("is not a tar archive, plain or compressed by gzip or zstd: {0}")]
    Format(String),
    /// It is cut off.
    #[error("ends within {0}")]
    Truncated(String),
    /// The compressed bytes are damaged.
    #[error("cannot be decompressed: {0}")]
    Compression(String),
    /// The config promises other content.
    #[error("its content has the digest {found}, not the diff_id {expected} of the config")]
    DiffId {
        /// What the config says.
        expected: String,
        /// What the content has.
        found: String,
    },
    /// It costs more than it may.
    #[error("{what}, more than the bound of {bound}")]
    Bound {
        /// What there is too much of.
        what: String,
        /// The bound, in the same unit.
        bound: u64,
    },
    /// A name, or the name that a hard link leads to, is none inside the tree.
    #[error("{0}")]
    Name(String),
    /// A kind of entry, or a form of it, that is not taken.
    #[error("{0}")]
    Kind(String),
    /// It does not fit what is in the tree already.
    #[error("{0}")]
    Tree(String),
    /// Its content cannot be written down.
    #[error("writing its content: {why}")]
    Spool {
        /// Whether the disk is full.
        full: bool,
        /// The system's words.
        why: String,
    },
}

impl Fault {
    pub(crate) fn bound(what: impl Into<String>, bound: u64) -> Fault {
        Fault::Bound {
            what: what.into(),
            bound,
        }
    }

    /// What an error of a layer's stream means; `within` says where the stream was.
    pub(crate) fn of_reading(error: io::Error, within: &str) -> Fault {
        match error.downcast::<Fault>() {
            Ok(fault) => fault,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Fault::Truncated(within.to_owned())
            }
            Err(error) => Fault::Compression(error.to_string()),
        }
    }

    /// What an error of a file of the spool means.
    pub(crate) fn of_writing(error: &io::Error) -> Fault {
        let full = [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded];
        Fault::Spool {
            full: full.contains(&error.kind()),
            why: error.to_string(),
        }
    }
}

impl From<Fault> for io::Error {
    fn from(fault: Fault) -> io::Error {
        io::Error::other(fault)
    }
}

/// A name for messages: escaped, and no longer than a line.
pub(crate) fn shown(name: &[u8]) -> String {
    const LONGEST: usize = 200;
    let cut = &name[..name.len().min(LONGEST)];
    let dots = if cut.len() < name.len() { "…" } else { "" };
    format!("\"{}{dots}\"", cut.escape_ascii())
}

//! Why a file is not one that an export made.

use std::io;

/// Why a file is not one that an export made.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// An entry that must not be there, or not so.
    #[error("{entry} {what}")]
    Entry {
        /// Its name.
        entry: String,
        /// What is wrong with it.
        what: String,
    },
    /// A manifest names it, and it is not there.
    #[error("{entry} is missing")]
    Missing {
        /// Its name.
        entry: String,
    },
    /// The file is cut off.
    #[error("it ends within {entry}")]
    Truncated {
        /// The name of the entry, or what else it ends in.
        entry: String,
    },
    /// No image is in it.
    #[error("no image is in it")]
    Empty,
    /// Something follows the end, or stands in it.
    #[error("its end is not that of a tar file: something follows, or is cut off")]
    End,
    /// It cannot be read.
    #[error("reading {entry}")]
    Read {
        /// The entry.
        entry: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// What was read cannot be written.
    #[error("writing {entry}")]
    Write {
        /// The entry.
        entry: String,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl BundleError {
    pub(super) fn reading(entry: &str) -> impl FnOnce(io::Error) -> BundleError {
        let entry = entry.to_owned();
        move |source| BundleError::Read { entry, source }
    }

    pub(super) fn writing(entry: &str) -> impl FnOnce(io::Error) -> BundleError {
        let entry = entry.to_owned();
        move |source| BundleError::Write { entry, source }
    }
}

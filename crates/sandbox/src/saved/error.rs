//! Why a saved VM is not kept, or does not go on.

use std::path::{Path, PathBuf};

/// Why a saved VM is not kept, or does not go on.
#[derive(Debug, thiserror::Error)]
pub enum SavedError {
    /// A file operation failed.
    #[error("{what} {}", path.display())]
    Io {
        /// What was being done.
        what: &'static str,
        /// To which file.
        path: PathBuf,
        /// The system's words.
        #[source]
        source: std::io::Error,
    },
    /// Its files are not those that were made.
    #[error("what was saved of it is damaged: {0}")]
    Damaged(String),
    /// Another host, engine, release or image than it was saved on.
    #[error("it cannot go on here: {what} was {was} when it was saved and is {now}")]
    Another {
        /// What differs.
        what: &'static str,
        /// Then.
        was: String,
        /// Now.
        now: String,
    },
    /// As many as there may be.
    #[error("{0}")]
    NoRoom(String),
}

impl SavedError {
    /// Whether others' room, or the operator's bounds, are why.
    pub fn is_no_room(&self) -> bool {
        matches!(self, SavedError::NoRoom(_))
    }
}

/// A file operation failed.
pub(super) fn io<'a>(
    what: &'static str,
    path: &'a Path,
) -> impl FnOnce(std::io::Error) -> SavedError + use<'a> {
    move |source| SavedError::Io {
        what,
        path: path.into(),
        source,
    }
}

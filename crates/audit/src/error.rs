//! What can fail.

use std::path::{Path, PathBuf};

/// What can fail in this crate.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
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
    /// Another process writes this log.
    #[error("the audit log {} is written by another process: a state folder serves one service at a time; end that one, or give this one a folder of its own (--state-dir)", path.display())]
    Busy {
        /// The log's folder.
        path: PathBuf,
        /// The file in it that the other process holds locked.
        lock: PathBuf,
    },
    /// What is there does not continue: appending to it would hide that.
    #[error("the audit log {} does not hold together ({what}); see `events verify`, then move the folder away", path.display())]
    Broken {
        /// The log's folder.
        path: PathBuf,
        /// The first thing found.
        what: String,
    },
}

/// Makes an [`AuditError::Io`] of a system error.
pub(crate) fn io<'a>(
    what: &'static str,
    path: &'a Path,
) -> impl FnOnce(std::io::Error) -> AuditError + use<'a> {
    move |source| AuditError::Io {
        what,
        path: path.into(),
        source,
    }
}

//! Why a snapshot is not used or not made.

use std::path::{Path, PathBuf};

/// Why a snapshot is not used or not made.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
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
    /// The files are not the ones that were made.
    #[error("snapshot {id} is damaged ({what}); remove it: llm-firecracker snapshots rm")]
    Damaged {
        /// The snapshot's id, as `snapshots list` prints it.
        id: String,
        /// What is wrong.
        what: String,
    },
}

/// A file operation failed.
pub(super) fn io<'a>(
    what: &'static str,
    path: &'a Path,
) -> impl FnOnce(std::io::Error) -> SnapshotError + use<'a> {
    move |source| SnapshotError::Io {
        what,
        path: path.into(),
        source,
    }
}

/// The snapshot in this folder is not as it was made.
pub(super) fn damaged(folder: &Path, what: impl Into<String>) -> SnapshotError {
    SnapshotError::Damaged {
        id: folder
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default(),
        what: what.into(),
    }
}

//! Why nothing was installed.

use std::path::PathBuf;

/// Why nothing was installed.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// No release is pinned for this machine.
    #[error(
        "no Firecracker release is pinned for {arch}; setup --from FILE --sha256 DIGEST takes one"
    )]
    NoRelease {
        /// The machine's architecture.
        arch: String,
    },
    /// The archive could not be fetched.
    #[error("{url} cannot be fetched: {reason}")]
    Unreachable {
        /// From where.
        url: String,
        /// The library's words.
        reason: String,
    },
    /// More came than an archive may have.
    #[error("{from} has more than {limit} bytes and is no release archive")]
    TooLong {
        /// From where.
        from: String,
        /// Bytes.
        limit: u64,
    },
    /// It is not the file that was pinned.
    #[error("{from} is refused: its SHA-256 is {seen}, not {wanted}; nothing was installed")]
    Mismatch {
        /// From where.
        from: String,
        /// As pinned.
        wanted: String,
        /// As it is.
        seen: String,
    },
    /// It is what was pinned, but not what an archive is.
    #[error("{from} is no release archive: {reason}; nothing was installed")]
    NotAnArchive {
        /// From where.
        from: String,
        /// What is missing or wrong.
        reason: String,
    },
    /// A call to the system failed.
    #[error("{what} failed")]
    Io {
        /// The call and its operand.
        what: String,
        /// The system's own error.
        #[source]
        source: std::io::Error,
    },
}

/// For `map_err`.
pub(crate) fn io(
    what: &str,
    path: &std::path::Path,
) -> impl FnOnce(std::io::Error) -> SetupError + use<> {
    let what = format!("{what} {}", PathBuf::from(path).display());
    move |source| SetupError::Io { what, source }
}

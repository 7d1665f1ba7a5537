//! Why no set of packages came.

use crate::error::ImageError;
use protocol::packages::{PackageError, Registry};

/// Why what was asked for was not resolved.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// Not what may be asked for, or not what may be had.
    #[error(transparent)]
    Refused(#[from] PackageError),
    /// There is no such package or version, none without building it, or no versions that go together.
    #[error("the packages that are asked for cannot be had: {words}")]
    NoSolution {
        /// The resolver's, several lines.
        words: String,
    },
    /// The registry does not answer, or not with what it should.
    #[error("{registry} cannot be reached: {words}")]
    Unreachable {
        /// Whose.
        registry: Registry,
        /// The resolver's, several lines.
        words: String,
    },
    /// The operator's bound on time came first.
    #[error("the packages that are asked for did not come in {seconds} s")]
    TooLong {
        /// The bound.
        seconds: u64,
    },
    /// What was resolved has more bytes or files than the operator's bound.
    #[error(
        "with {package}, the packages that are asked for have more than {max_mib} MiB, or too many files for that"
    )]
    TooLarge {
        /// The first that is too much: its name and version.
        package: String,
        /// The bound.
        max_mib: u64,
    },
    /// The resolver failed otherwise.
    #[error("{tool} failed ({status}): {words}")]
    Resolver {
        /// `uv` or `npm`.
        tool: &'static str,
        /// Its exit status.
        status: String,
        /// What it said, several lines.
        words: String,
    },
    /// The resolver was done, and what it wrote is not what it writes.
    #[error("what {tool} wrote cannot be read: {why}")]
    Output {
        /// `uv` or `npm`.
        tool: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// The resolver could not be brought or started.
    #[error("packages cannot be resolved")]
    Image {
        /// Why.
        #[source]
        source: Box<ImageError>,
    },
}

impl From<ImageError> for ResolveError {
    fn from(source: ImageError) -> ResolveError {
        ResolveError::Image {
            source: Box::new(source),
        }
    }
}

impl ResolveError {
    /// Whether another request would do, as opposed to another host, or another time.
    pub fn is_of_request(&self) -> bool {
        match self {
            ResolveError::Refused(PackageError::Rules { .. }) => false,
            ResolveError::Refused(_)
            | ResolveError::NoSolution { .. }
            | ResolveError::TooLong { .. }
            | ResolveError::TooLarge { .. } => true,
            ResolveError::Unreachable { .. }
            | ResolveError::Resolver { .. }
            | ResolveError::Output { .. }
            | ResolveError::Image { .. } => false,
        }
    }
}

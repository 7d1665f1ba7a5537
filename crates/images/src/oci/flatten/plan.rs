//! What the child is told, and what it reports.

use crate::oci::bounds::Bounds;
use crate::oci::error::LayerError;
use serde::{Deserialize, Serialize};

/// Names in the spool's folder besides numbers.
pub(crate) const TREE: &str = "tree";
pub(crate) const REPORT: &str = "report";
/// Bytes of a report: counts, or one error.
pub(crate) const MAX_REPORT_BYTES: u64 = 64 * 1024;

/// The first line of the child's stdin; the layers follow, without anything between them.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Plan {
    pub(crate) bounds: Bounds,
    /// The lowest first.
    pub(crate) layers: Vec<PlannedLayer>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PlannedLayer {
    /// Bytes as it is stored.
    pub(crate) size: u64,
    /// `sha256:…` of its archive.
    pub(crate) diff_id: String,
}

/// What the child writes at its end.
pub(crate) type Report = Result<Flattened, LayerError>;

/// What came of the layers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Flattened {
    /// Bytes of the tree's files, each counted once.
    pub(crate) bytes: u64,
    /// Files, folders and links.
    pub(crate) files: u64,
    pub(crate) dropped: Dropped,
}

/// What an image had and its tree does not: counts, of the tree as it came out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dropped {
    /// Block and character devices.
    pub devices: u64,
    /// Named pipes. (Archives cannot hold sockets: an entry that says it is one is refused.)
    pub fifos: u64,
    /// Files that lost a setuid or a setgid bit.
    pub setuid: u64,
    /// File capabilities.
    pub capabilities: u64,
    /// Other extended attributes.
    pub xattrs: u64,
}

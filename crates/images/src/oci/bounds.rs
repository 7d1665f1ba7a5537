//! What an image may cost, in bytes and in files. An image that costs more is refused with the bound in the message.

use serde::{Deserialize, Serialize};

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// Bounds of one image. A job may lower them, for a test or a smaller host; nothing raises them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Bounds {
    /// As many as overlay file systems, and with them Docker, can stack.
    pub(crate) layers: usize,
    /// Bytes of all layers as they are stored.
    pub(crate) compressed_bytes: u64,
    /// Bytes of all layers when unpacked, headers and padding among them: about what a Debian tree may have.
    pub(crate) unpacked_bytes: u64,
    /// Headers of all layers, those of extensions and whiteouts too: five times a large image's.
    pub(crate) entries: u64,
    /// Files, folders and links that are ever made in the tree, the folders that no entry names too.
    pub(crate) files: u64,
    /// Bytes of names and link targets that are kept in memory.
    pub(crate) text_bytes: u64,
    /// Folders above a file. Linux has no bound; no package comes near this one.
    pub(crate) depth: usize,
    /// Bytes of a path, and of the target of a link: `PATH_MAX` of Linux.
    pub(crate) path_bytes: usize,
    /// Bytes of a name: `NAME_MAX` of Linux.
    pub(crate) name_bytes: usize,
    /// Bytes of one header of extensions (PAX, GNU): what Go's reader takes.
    pub(crate) extension_bytes: u64,
}

impl Default for Bounds {
    fn default() -> Bounds {
        Bounds {
            layers: 127,
            compressed_bytes: 5 * GIB,
            unpacked_bytes: 5 * GIB,
            entries: 400_000,
            files: 400_000,
            text_bytes: 64 * MIB,
            depth: 256,
            path_bytes: 4 * KIB as usize - 1,
            name_bytes: 255,
            extension_bytes: MIB,
        }
    }
}

/// Bytes of a manifest, an index or a config: what registries take.
pub(crate) const DOCUMENT_BYTES: u64 = 4 * MIB;

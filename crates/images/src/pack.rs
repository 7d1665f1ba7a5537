//! A folder to a file system that guests mount: erofs, compressed, the same bytes for the same tree.

use crate::child::Tool;
use crate::error::ImageError;
use languages::image::Recipe;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const PACK_DEADLINE: Duration = Duration::from_secs(10 * 60);
/// Fixed, so that equal trees make equal images.
const UUID: &str = "6c6c6d66-6972-4563-8261-636b65720001";
/// In KiB, of what is packed fast: a sixth smaller than in single pages.
const FAST_CLUSTER_KIB: u32 = 64;

/// How a folder is packed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Packing<'a> {
    /// What is left uncompressed, as mkfs.erofs's expressions.
    mapped: &'a [String],
    compression: Compression,
    /// What is compressed together, in KiB.
    cluster_kib: Option<u32>,
}

/// How hard LZ4 tries; reading is as quick either way, and as quick as plain files under emulation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Compression {
    /// A half to a third of the size: for what is built once and carried to many hosts. Higher levels than 9 take three
    /// times as long for half a hundredth less.
    Small,
    /// A tenth larger in a fifth of the time: for what somebody waits for.
    Fast,
}

impl Compression {
    fn argument(self) -> &'static str {
        match self {
            Compression::Small => "-zlz4hc,9",
            Compression::Fast => "-zlz4",
        }
    }
}

impl<'a> Packing<'a> {
    /// As a recipe of the tool's says.
    pub(crate) fn of(recipe: &'a Recipe) -> Packing<'a> {
        Packing {
            mapped: &recipe.mapped,
            compression: Compression::Small,
            cluster_kib: recipe.cluster_kib,
        }
    }

    /// For images that somebody waits for.
    pub(crate) fn fast() -> Packing<'static> {
        Packing {
            mapped: &[],
            compression: Compression::Fast,
            cluster_kib: Some(FAST_CLUSTER_KIB),
        }
    }

    /// The same of what begins with an image of the tool's, and is to start as quickly.
    pub(crate) fn fast_over(recipe: &'a Recipe) -> Packing<'a> {
        Packing {
            mapped: &recipe.mapped,
            compression: Compression::Fast,
            cluster_kib: recipe.cluster_kib,
        }
    }

    /// Packs the folder `root` into the file `image`.
    pub(crate) fn pack(&self, root: &Path, image: &Path) -> Result<(), ImageError> {
        let hints = image.with_extension("hints");
        let lines = self.mapped.iter().map(|files| format!("0 {files}\n"));
        fs::write(&hints, lines.collect::<String>()).map_err(ImageError::io("writing", &hints))?;
        let mut command = Command::new("mkfs.erofs");
        command.arg(format!("--compress-hints={}", hints.display()));
        command.args(["--quiet", "-T0", "-U", UUID, "--all-root", "-x-1"]);
        command.arg(self.compression.argument());
        if let Some(kib) = self.cluster_kib {
            command.arg(format!("-C{}", u64::from(kib) * 1024));
        }
        command.arg(image).arg(root);
        // Debian has it in /usr/sbin, which is not in everybody's PATH.
        let path = std::env::var("PATH").unwrap_or_default();
        command.env("PATH", format!("{path}:/usr/sbin:/sbin"));
        let tool = Tool {
            name: "mkfs.erofs",
            doing: "packing the file system",
            deadline: PACK_DEADLINE,
        };
        tool.run(&mut command, |_| {})
    }
}

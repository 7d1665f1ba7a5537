//! An image in one file, as `docker save` and `skopeo copy … docker-archive:` write it: a tar archive of `manifest.json`, a config,
//! and layers.
//!
//! It has no manifest with a digest: its config names all of its layers by their content, so the config's digest stands for it.

use crate::oci::bounds::{Bounds, DOCUMENT_BYTES};
use crate::oci::digest::Digest;
use crate::oci::document::{self, Config, Descriptor};
use crate::oci::error::{OciError, shown};
use crate::oci::folder::open_plain;
use crate::oci::image::{Blobs, Image, Layer, Stored};
use crate::oci::layer::entries::Entries;
use crate::oci::layer::header::RawKind;
use crate::oci::layer::path::parts;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

const MANIFEST: &str = "manifest.json";
/// Files of an archive: three a layer and image, of as many images as one would put into a file.
const MAX_ENTRIES: u64 = 20_000;

/// An archive whose table of contents was read.
pub(crate) struct Archive {
    path: PathBuf,
    file: File,
    entries: BTreeMap<Vec<u8>, Place>,
}

#[derive(Debug, Clone)]
enum Place {
    Content {
        offset: u64,
        size: u64,
    },
    /// A layer that equals one of another image is a link to it.
    Link(Vec<u8>),
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Row {
    config: String,
    repo_tags: Option<Vec<String>>,
    layers: Vec<String>,
}

impl Archive {
    pub(crate) fn open(path: &Path) -> Result<Archive, OciError> {
        let file = open_plain(path).map_err(OciError::reading(path))?;
        let length = file.metadata().map_err(OciError::reading(path))?.len();
        let mut first = [0; 2];
        let compressed = file.read_at(&mut first, 0).is_ok() && first == [0x1f, 0x8b];
        let entries = match compressed {
            true => Err("it is compressed: run gunzip first".to_owned()),
            false => contents(&file, length),
        };
        let entries = entries.map_err(|why| {
            let what = format!("{} is no archive of images", path.display());
            OciError::document(what, why)
        })?;
        Ok(Archive {
            path: path.to_path_buf(),
            file,
            entries,
        })
    }

    /// The image of this name, or the only one.
    pub(crate) fn image(&self, name: Option<&str>, bounds: &Bounds) -> Result<Image, OciError> {
        let rows: Vec<Row> = document::parse(MANIFEST, &self.small(MANIFEST)?)?;
        let named = |row: &&Row| match (name, &row.repo_tags) {
            (Some(name), tags) => tags
                .iter()
                .flatten()
                .any(|tag| full_name(tag) == full_name(name)),
            (None, _) => true,
        };
        let found: Vec<&Row> = rows.iter().filter(named).collect();
        let [row] = found[..] else {
            let tags = rows.iter().flat_map(|row| row.repo_tags.iter().flatten());
            let tags: Vec<&str> = tags.take(10).map(String::as_str).collect();
            let count = found.len();
            let why = format!(
                "has {count} images of that name, of these: {}",
                tags.join(", ")
            );
            return Err(OciError::document(MANIFEST, why));
        };
        let bytes = self.small(&row.config)?;
        let config: Config = document::parse(&format!("config {}", row.config), &bytes)?;
        let layers = row.layers.iter().map(|layer| {
            let (_, size) = self.place(layer)?;
            Ok((None, layer.clone(), size))
        });
        let layers = layers.collect::<Result<_, OciError>>()?;
        Image::new(Digest::of(&bytes), config, layers, bounds)
    }

    /// Where a file's content is.
    fn place(&self, name: &str) -> Result<(u64, u64), OciError> {
        let missing = || {
            let what = format!("{}: {}", self.path.display(), shown(name.as_bytes()));
            OciError::document(what, "is not in it")
        };
        let look = |name: &[u8]| self.entries.get(&plain(name)?);
        let found = match look(name.as_bytes()) {
            Some(Place::Link(target)) => look(&beside(name.as_bytes(), target)),
            found => found,
        };
        match found {
            Some(Place::Content { offset, size }) => Ok((*offset, *size)),
            _ => Err(missing()),
        }
    }

    fn small(&self, name: &str) -> Result<Vec<u8>, OciError> {
        let (offset, size) = self.place(name)?;
        if size > DOCUMENT_BYTES {
            return Err(OciError::Bound {
                what: format!("{} of {size} bytes", shown(name.as_bytes())),
                bound: DOCUMENT_BYTES,
            });
        }
        let mut bytes = Vec::new();
        let mut file = At {
            file: &self.file,
            offset,
        }
        .take(size);
        file.read_to_end(&mut bytes)
            .map_err(OciError::reading(&self.path))?;
        Ok(bytes)
    }
}

impl Blobs for Archive {
    fn document(&self, descriptor: &Descriptor) -> Result<Vec<u8>, OciError> {
        self.small(descriptor.digest.hex())
    }

    fn layer(&self, layer: &Layer) -> Result<Stored<'_>, OciError> {
        let (offset, size) = self.place(&layer.name)?;
        let file = At {
            file: &self.file,
            offset,
        };
        Ok(Box::new(file.take(size)))
    }
}

/// A name as Docker means it: writers leave out what goes without saying, each as much as it likes.
fn full_name(name: &str) -> String {
    let short = name.strip_prefix("docker.io/").unwrap_or(name);
    let short = short.strip_prefix("library/").unwrap_or(short);
    let last = short.rsplit('/').next().unwrap_or(short);
    match last.contains(':') {
        true => short.to_owned(),
        false => format!("{short}:latest"),
    }
}

/// The table of contents; contents themselves are passed over.
fn contents(file: &File, length: u64) -> Result<BTreeMap<Vec<u8>, Place>, String> {
    let bounds = Bounds {
        entries: MAX_ENTRIES,
        // What does not fit in the file is told below.
        unpacked_bytes: u64::MAX >> 1,
        ..Bounds::default()
    };
    let source = At { file, offset: 0 };
    let mut entries = Entries::new(source, &bounds, bounds.entries);
    let mut found = BTreeMap::new();
    while let Some(entry) = entries.next().map_err(|fault| fault.to_string())? {
        let mut offset = 0;
        entries.pass_over(|source, length| {
            offset = source.offset;
            source.offset = source.offset.saturating_add(length);
        });
        if offset.saturating_add(entry.size) > length {
            return Err(format!("it ends within {}", shown(&entry.name)));
        }
        let place = match entry.kind {
            RawKind::File => Place::Content {
                offset,
                size: entry.size,
            },
            RawKind::Symlink | RawKind::HardLink => Place::Link(entry.link),
            _ => continue,
        };
        let name = plain(&entry.name).ok_or("it has names that lead out of it")?;
        if found.insert(name, place).is_some() {
            return Err(format!("{} comes twice", shown(&entry.name)));
        }
    }
    Ok(found)
}

/// A name without what does not count in it.
fn plain(name: &[u8]) -> Option<Vec<u8>> {
    let parts = parts(name, &Bounds::default()).ok()?;
    Some(parts.join(&b'/'))
}

/// Where a link's target is: `../ID/layer.tar`, of the folder that the link is in.
fn beside(link: &[u8], target: &[u8]) -> Vec<u8> {
    match target.strip_prefix(b"../") {
        Some(target) => target.to_vec(),
        None => {
            let above = link.iter().rposition(|byte| *byte == b'/');
            let above = above.map_or(&[][..], |slash| &link[..=slash]);
            [above, target].concat()
        }
    }
}

/// Reads on from an offset, without moving the file's own.
struct At<'a> {
    file: &'a File,
    offset: u64,
}

impl Read for At<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.offset)?;
        self.offset += read as u64;
        Ok(read)
    }
}

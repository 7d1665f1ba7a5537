//! An image in a folder, as OCI lays it out: `oci-layout`, `index.json`, `blobs/sha256/…`.

use crate::oci::bounds::DOCUMENT_BYTES;
use crate::oci::choose;
use crate::oci::document::{self, Descriptor, Document};
use crate::oci::error::OciError;
use crate::oci::image::{Blobs, Layer, Stored, check_size};
use rustix::fs::{Mode, OFlags};
use serde::Deserialize;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

const REF_NAME: &str = "org.opencontainers.image.ref.name";
const INDEX: &str = "index.json";
const LAYOUT: &str = "oci-layout";

/// A folder of images.
pub(crate) struct Folder {
    path: PathBuf,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LayoutFile {
    image_layout_version: String,
}

impl Folder {
    pub(crate) fn open(path: &Path) -> Result<Folder, OciError> {
        let folder = Folder {
            path: path.to_path_buf(),
        };
        let layout: LayoutFile = document::parse(LAYOUT, &folder.small(LAYOUT)?)?;
        match layout.image_layout_version.split('.').next() {
            Some("1") => Ok(folder),
            _ => Err(OciError::document(LAYOUT, "is of another version than 1")),
        }
    }

    /// What a tag leads to, or the only image that guests can run.
    pub(crate) fn top(&self, tag: Option<&str>) -> Result<Descriptor, OciError> {
        let document = Document::parse(INDEX, &self.small(INDEX)?)?;
        let Document::Index(all) = document else {
            return Err(OciError::document(INDEX, "is no index"));
        };
        let tagged = |descriptor: &&Descriptor| match tag {
            Some(tag) => descriptor.annotation(REF_NAME) == Some(tag),
            None => true,
        };
        let named: Vec<Descriptor> = all.iter().filter(tagged).cloned().collect();
        if let (true, Some(tag)) = (named.is_empty(), tag) {
            let why = format!("has no image tagged {tag:?}, but {}", tags(&all));
            return Err(OciError::document(INDEX, why));
        }
        // Tags may be of images that do not say for what they are; their configs do.
        let fitting = match &named[..] {
            [only] => vec![only],
            several => choose::fitting(several),
        };
        match &fitting[..] {
            [] => Err(choose::none(INDEX, &named)),
            [only] => Ok((*only).clone()),
            _ => {
                let why = format!("has several images, {}: name one", tags(&all));
                Err(OciError::document(INDEX, why))
            }
        }
    }

    fn small(&self, name: &str) -> Result<Vec<u8>, OciError> {
        let path = self.path.join(name);
        let mut bytes = Vec::new();
        let file = open_plain(&path).map_err(OciError::reading(&path))?;
        file.take(DOCUMENT_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(OciError::reading(&path))?;
        match bytes.len() as u64 > DOCUMENT_BYTES {
            true => Err(OciError::Bound {
                what: format!("{name} of more bytes"),
                bound: DOCUMENT_BYTES,
            }),
            false => Ok(bytes),
        }
    }
}

/// Tags, for messages.
fn tags(all: &[Descriptor]) -> String {
    let tags = all.iter().filter_map(|one| one.annotation(REF_NAME));
    let tags: Vec<String> = tags.take(10).map(|tag| format!("{tag:?}")).collect();
    match tags.is_empty() {
        true => "none with a tag".to_owned(),
        false => tags.join(", "),
    }
}

impl Blobs for Folder {
    fn document(&self, descriptor: &Descriptor) -> Result<Vec<u8>, OciError> {
        let name = format!("blobs/sha256/{}", descriptor.digest.hex());
        self.small(&name)
    }

    fn layer(&self, layer: &Layer) -> Result<Stored<'_>, OciError> {
        let hex = layer.digest.as_ref().map(|digest| digest.hex().to_owned());
        let path = self.path.join("blobs/sha256").join(hex.unwrap_or_default());
        open_layer(&path, layer)
    }
}

/// A layer that is a file of its own.
pub(crate) fn open_layer(path: &Path, layer: &Layer) -> Result<Stored<'static>, OciError> {
    let file = open_plain(path).map_err(OciError::reading(path))?;
    let length = file.metadata().map_err(OciError::reading(path))?.len();
    check_size(&format!("layer {}", layer.name), layer.size, length)?;
    Ok(Box::new(file))
}

/// A plain file: a pipe in its place would be waited for, a link may lead anywhere.
pub(crate) fn open_plain(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::other("it is no plain file")),
    }
}

//! An image in a registry: documents and layers by HTTP, with its token where it wants one.

mod challenge;
mod client;
pub(crate) mod reference;
#[cfg(test)]
mod tests;

use crate::error::ImageError;
use crate::oci::bounds::DOCUMENT_BYTES;
use crate::oci::digest::Digest;
use crate::oci::document::Descriptor;
use crate::oci::error::OciError;
use crate::oci::folder::open_layer;
use crate::oci::image::{Blobs, Layer, Stored, check_size};
use crate::progress::Phases;
use client::{Answer, Client};
use reference::Reference;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

const MANIFESTS: &str = "application/vnd.oci.image.index.v1+json, \
    application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, \
    application/vnd.docker.distribution.manifest.v2+json";
/// Of what is not a document of its own kind.
const ANY: &str = "*/*";

/// One image's registry.
pub(crate) struct Registry<'a> {
    reference: &'a Reference,
    client: Client,
    /// Where layers are downloaded to; `None` where only documents are asked for.
    scratch: Option<&'a Path>,
}

impl<'a> Registry<'a> {
    pub(crate) fn of(reference: &'a Reference, scratch: Option<&'a Path>) -> Registry<'a> {
        Registry {
            reference,
            client: Client::of(reference),
            scratch,
        }
    }

    /// What the reference leads to: its digest, or the tag's as it is now, asked for once.
    pub(crate) fn top(&self) -> Result<Descriptor, OciError> {
        let name = match (&self.reference.digest, &self.reference.tag) {
            (Some(digest), _) => digest.to_string(),
            (None, tag) => tag.clone().unwrap_or_default(),
        };
        let bytes = self.small(&format!("manifests/{name}"), MANIFESTS)?;
        let found = Digest::of(&bytes);
        if let Some(expected) = &self.reference.digest {
            expected.check_found(&format!("manifest {name}"), &found)?;
        }
        Ok(Descriptor {
            media_type: String::new(),
            digest: found,
            size: bytes.len() as u64,
            urls: None,
            platform: None,
            annotations: None,
        })
    }

    /// Downloads all layers, each once.
    pub(crate) fn fetch_layers(
        &self,
        layers: &[Layer],
        phases: &Phases<'_>,
    ) -> Result<(), OciError> {
        for (index, layer) in layers.iter().enumerate() {
            let (mib, count) = (layer.size >> 20, layers.len());
            let step = format!("downloading layer {} of {count}, {mib} MiB", index + 1);
            phases.at((50 * index / count) as u64, &step);
            let path = self.path_of(layer);
            if !path.exists() {
                self.fetch_layer(layer, &path)?;
            }
        }
        Ok(())
    }

    /// Its digest is taken when it is read again, as that of all layers.
    fn fetch_layer(&self, layer: &Layer, path: &Path) -> Result<(), OciError> {
        let below = format!("blobs/{}", layer.name);
        self.client.get(&below, ANY, &mut |answer| {
            let mut file = File::create(path).map_err(ImageError::io("creating", path))?;
            let size = copy(answer, layer.size, &mut file, path)?;
            check_size(&format!("layer {}", layer.name), layer.size, size)
        })
    }

    fn path_of(&self, layer: &Layer) -> PathBuf {
        let hex = layer.digest.as_ref().map(Digest::hex).unwrap_or_default();
        let scratch = self.scratch.unwrap_or(Path::new(""));
        scratch.join(format!("blob-{hex}"))
    }

    fn small(&self, below: &str, accept: &str) -> Result<Vec<u8>, OciError> {
        let mut bytes = Vec::new();
        self.client.get(below, accept, &mut |answer| {
            bytes.clear();
            let size = copy(answer, DOCUMENT_BYTES, &mut bytes, Path::new(below))?;
            match size > DOCUMENT_BYTES {
                true => Err(OciError::Bound {
                    what: format!("{below} of more bytes"),
                    bound: DOCUMENT_BYTES,
                }),
                false => Ok(()),
            }
        })?;
        Ok(bytes)
    }
}

/// Takes so many bytes, and one more that says that there are more.
fn copy(
    answer: &mut Answer<'_>,
    bound: u64,
    to: &mut impl Write,
    path: &Path,
) -> Result<u64, OciError> {
    let (mut size, mut buffer) = (0, vec![0; 128 * 1024]);
    while size <= bound {
        let read = answer.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        let room = usize::try_from(bound - size).unwrap_or(usize::MAX);
        let taken = &buffer[..read.min(room)];
        to.write_all(taken)
            .map_err(ImageError::io("writing", path))?;
        size += read as u64;
    }
    Ok(size)
}

impl Blobs for Registry<'_> {
    fn document(&self, descriptor: &Descriptor) -> Result<Vec<u8>, OciError> {
        // A config is a blob; which of both a descriptor leads to, its kind says. The image's own has none.
        let kind = descriptor.media_type.as_str();
        match kind.is_empty() || MANIFESTS.contains(kind) {
            true => self.small(&format!("manifests/{}", descriptor.digest), MANIFESTS),
            false => self.small(&format!("blobs/{}", descriptor.digest), ANY),
        }
    }

    fn layer(&self, layer: &Layer) -> Result<Stored<'_>, OciError> {
        open_layer(&self.path_of(layer), layer)
    }
}

//! From a digest to layers: index, manifest and config, each held against the digest and the size that led to it.

use crate::oci::bounds::{Bounds, DOCUMENT_BYTES};
use crate::oci::choose;
use crate::oci::digest::Digest;
use crate::oci::document::{self, Config, Descriptor, Document, Manifest};
use crate::oci::error::OciError;
use std::io::Read;

/// Indexes in indexes; builders nest one, if any.
const MAX_INDEXES: usize = 3;
const CONFIGS: [&str; 2] = [
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.container.image.v1+json",
];
const LAYERS: [&str; 5] = [
    "application/vnd.oci.image.layer.v1.tar",
    "application/vnd.oci.image.layer.v1.tar+gzip",
    "application/vnd.oci.image.layer.v1.tar+zstd",
    "application/vnd.docker.image.rootfs.diff.tar",
    "application/vnd.docker.image.rootfs.diff.tar.gzip",
];

/// An image, all but the bytes of its layers.
#[derive(Debug, Clone)]
pub(crate) struct Image {
    /// `sha256:…` of what names all the rest.
    pub(crate) digest: Digest,
    /// What it can be had by again, with a digest; of registries alone.
    pub(crate) reference: Option<String>,
    pub(crate) config: Config,
    pub(crate) layers: Vec<Layer>,
}

/// A layer as it is stored.
#[derive(Debug, Clone)]
pub(crate) struct Layer {
    /// Of its bytes as stored; archives have none.
    pub(crate) digest: Option<Digest>,
    /// A file's name in an archive.
    pub(crate) name: String,
    pub(crate) size: u64,
    pub(crate) diff_id: Digest,
}

/// The bytes of a layer, and how many there are if that is known.
pub(crate) type Stored<'a> = Box<dyn Read + 'a>;

/// Where documents and layers are.
pub(crate) trait Blobs {
    /// A document, not yet held against its descriptor. No more than its promised size is read, and one byte.
    fn document(&self, descriptor: &Descriptor) -> Result<Vec<u8>, OciError>;
    /// A layer, not yet held against its digest.
    fn layer(&self, layer: &Layer) -> Result<Stored<'_>, OciError>;
}

/// The manifest that a descriptor leads to, and its digest.
pub(crate) fn manifest(
    blobs: &dyn Blobs,
    top: &Descriptor,
) -> Result<(Digest, Manifest), OciError> {
    let mut descriptor = top.clone();
    for _ in 0..=MAX_INDEXES {
        let what = format!("manifest {}", descriptor.digest);
        let bytes = checked(blobs, &descriptor, &what)?;
        match Document::parse(&what, &bytes)? {
            Document::Manifest(manifest) => return Ok((descriptor.digest, manifest)),
            Document::Index(all) => descriptor = choose::first(&what, &all)?.clone(),
        }
    }
    let why = format!("is below more than {MAX_INDEXES} indexes");
    Err(OciError::document(format!("manifest {}", top.digest), why))
}

/// The image that a manifest describes.
pub(crate) fn image(
    blobs: &dyn Blobs,
    (digest, manifest): (Digest, Manifest),
    bounds: &Bounds,
) -> Result<Image, OciError> {
    let what = format!("manifest {digest}");
    if !CONFIGS.contains(&manifest.config.media_type.as_str()) {
        let kind = &manifest.config.media_type;
        let why = format!("is of no image, but has a config of the kind {kind:?}");
        return Err(OciError::document(what, why));
    }
    check_layers(&what, &manifest.layers)?;
    let what = format!("config {}", manifest.config.digest);
    let bytes = checked(blobs, &manifest.config, &what)?;
    let config: Config = document::parse(&what, &bytes)?;
    let stored = manifest.layers.into_iter().map(|layer| {
        let name = layer.digest.to_string();
        (Some(layer.digest), name, layer.size)
    });
    Image::new(digest, config, stored.collect(), bounds)
}

impl Image {
    /// Puts the config's `diff_id`s to the layers, each with its digest, name and size.
    pub(crate) fn new(
        digest: Digest,
        config: Config,
        stored: Vec<(Option<Digest>, String, u64)>,
        bounds: &Bounds,
    ) -> Result<Image, OciError> {
        let what = format!("the config of {digest}");
        choose::check_config(&what, &config)?;
        let diff_ids = config.rootfs.diff_ids.clone().unwrap_or_default();
        let layers = stored.len();
        if layers != diff_ids.len() {
            let why = format!("has {} diff_ids for {layers} layers", diff_ids.len());
            return Err(OciError::document(what, why));
        }
        let bounded = |what: String, bound: u64| Err(OciError::Bound { what, bound });
        if layers > bounds.layers {
            return bounded(format!("{layers} layers"), bounds.layers as u64);
        }
        let bytes = stored
            .iter()
            .fold(0, |sum: u64, (_, _, size)| sum.saturating_add(*size));
        if bytes > bounds.compressed_bytes {
            return bounded(format!("{bytes} bytes of layers"), bounds.compressed_bytes);
        }
        let layers = stored.into_iter().zip(diff_ids);
        let layers = layers.map(|((digest, name, size), diff_id)| Layer {
            digest,
            name,
            size,
            diff_id,
        });
        Ok(Image {
            digest,
            reference: None,
            layers: layers.collect(),
            config,
        })
    }
}

fn check_layers(what: &str, layers: &[Descriptor]) -> Result<(), OciError> {
    for layer in layers {
        let (digest, kind) = (&layer.digest, &layer.media_type);
        let foreign = kind.contains("foreign") || kind.contains("nondistributable");
        if foreign || layer.urls.as_ref().is_some_and(|urls| !urls.is_empty()) {
            let why = format!("has a foreign layer, {digest}, which is to come from elsewhere");
            return Err(OciError::document(what, why));
        }
        if !LAYERS.contains(&kind.as_str()) {
            let why = format!("has a layer, {digest}, of the kind {kind:?}, which is not read");
            return Err(OciError::document(what, why));
        }
    }
    Ok(())
}

/// A document that has the size and the digest of its descriptor.
fn checked(blobs: &dyn Blobs, descriptor: &Descriptor, what: &str) -> Result<Vec<u8>, OciError> {
    if descriptor.size > DOCUMENT_BYTES {
        return Err(OciError::Bound {
            what: format!("{what} of {} bytes", descriptor.size),
            bound: DOCUMENT_BYTES,
        });
    }
    let bytes = blobs.document(descriptor)?;
    check_size(what, descriptor.size, bytes.len() as u64)?;
    descriptor.digest.check(what, &bytes)?;
    Ok(bytes)
}

pub(crate) fn check_size(what: &str, expected: u64, found: u64) -> Result<(), OciError> {
    match expected == found {
        true => Ok(()),
        false => Err(OciError::Size {
            what: what.to_owned(),
            expected,
            found,
        }),
    }
}

//! The JSON documents of an image: index, manifest, config; as far as they are looked at.

use crate::oci::digest::Digest;
use crate::oci::error::OciError;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

/// Names some other document or layer by its digest.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Descriptor {
    #[serde(default)]
    pub(crate) media_type: String,
    pub(crate) digest: Digest,
    pub(crate) size: u64,
    /// Where else it may be had: never asked.
    #[serde(default)]
    pub(crate) urls: Option<Vec<String>>,
    pub(crate) platform: Option<Platform>,
    #[serde(default)]
    pub(crate) annotations: Option<BTreeMap<String, String>>,
}

impl Descriptor {
    pub(crate) fn annotation(&self, key: &str) -> Option<&str> {
        Some(self.annotations.as_ref()?.get(key)?.as_str())
    }
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Platform {
    #[serde(default)]
    pub(crate) os: String,
    #[serde(default)]
    pub(crate) architecture: String,
    pub(crate) variant: Option<String>,
}

/// What a digest of an image may lead to.
#[derive(Debug, Clone)]
pub(crate) enum Document {
    /// Several images, for several platforms.
    Index(Vec<Descriptor>),
    Manifest(Manifest),
}

#[derive(Debug, Clone)]
pub(crate) struct Manifest {
    pub(crate) config: Descriptor,
    /// The lowest first.
    pub(crate) layers: Vec<Descriptor>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Either {
    schema_version: u32,
    manifests: Option<Vec<Descriptor>>,
    config: Option<Descriptor>,
    layers: Option<Vec<Descriptor>>,
}

impl Document {
    /// Told by what is in it. One that is both is refused: what it is would depend on who reads it.
    pub(crate) fn parse(what: &str, bytes: &[u8]) -> Result<Document, OciError> {
        let either: Either = parse(what, bytes)?;
        let refused = |why: &str| Err(OciError::document(what, why));
        if either.schema_version != 2 {
            return refused("is of another version than 2");
        }
        match (either.manifests, either.config, either.layers) {
            (Some(manifests), None, None) => Ok(Document::Index(manifests)),
            (None, Some(config), Some(layers)) => {
                Ok(Document::Manifest(Manifest { config, layers }))
            }
            (Some(_), _, _) => refused("is an index and a manifest at once"),
            _ => refused("is neither an index nor the manifest of an image"),
        }
    }
}

/// The config of an image.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Config {
    #[serde(default)]
    pub(crate) os: String,
    #[serde(default)]
    pub(crate) architecture: String,
    #[serde(default)]
    pub(crate) config: Option<Run>,
    pub(crate) rootfs: Rootfs,
}

/// How its program is run.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Run {
    pub(crate) env: Option<Vec<String>>,
    pub(crate) working_dir: Option<String>,
    pub(crate) entrypoint: Option<Vec<String>>,
    pub(crate) cmd: Option<Vec<String>>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Rootfs {
    /// `None` in images without layers.
    pub(crate) diff_ids: Option<Vec<Digest>>,
}

/// Parses a document, or says which is none and why.
pub(crate) fn parse<T: DeserializeOwned>(what: &str, bytes: &[u8]) -> Result<T, OciError> {
    let parsed = serde_json::from_slice(bytes);
    parsed.map_err(|error| OciError::document(what, error.to_string()))
}

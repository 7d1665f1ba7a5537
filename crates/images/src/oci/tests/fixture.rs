//! A folder of an image, layers and documents as a test wants them.

use crate::oci::bounds::Bounds;
use crate::oci::digest::Digest;
use crate::oci::{Brought, OciError, Source, bring_within};
use crate::progress::{Phases, Silent};
use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use tar::{Builder, EntryType, Header};

/// Entries of a layer.
pub(crate) struct Tar(pub(crate) Builder<Vec<u8>>);

impl Tar {
    pub(crate) fn new() -> Tar {
        Tar(Builder::new(Vec::new()))
    }

    /// Any entry, its names written as they are: the builder's own functions refuse what is hostile.
    pub(crate) fn entry(mut self, kind: EntryType, name: &[u8], link: &[u8]) -> Tar {
        self.append((kind, 0o644), (name, link), b"");
        self
    }

    pub(crate) fn append(
        &mut self,
        (kind, mode): (EntryType, u32),
        (name, link): (&[u8], &[u8]),
        content: &[u8],
    ) {
        let mut header = Header::new_gnu();
        header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name);
        header.as_gnu_mut().unwrap().linkname[..link.len()].copy_from_slice(link);
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_size(content.len() as u64);
        header.set_cksum();
        self.0.append(&header, content).unwrap();
    }

    pub(crate) fn file(self, name: &str, content: &str) -> Tar {
        self.mode_file(name, 0o644, content)
    }

    pub(crate) fn mode_file(mut self, name: &str, mode: u32, content: &str) -> Tar {
        let names = (name.as_bytes(), &b""[..]);
        self.append((EntryType::Regular, mode), names, content.as_bytes());
        self
    }

    pub(crate) fn folder(mut self, name: &str, mode: u32) -> Tar {
        self.append((EntryType::Directory, mode), (name.as_bytes(), b""), b"");
        self
    }

    pub(crate) fn symlink(self, name: &str, target: &str) -> Tar {
        self.entry(EntryType::Symlink, name.as_bytes(), target.as_bytes())
    }

    pub(crate) fn hard_link(self, name: &str, target: &str) -> Tar {
        self.entry(EntryType::Link, name.as_bytes(), target.as_bytes())
    }

    /// An extended header of that many records, and of these bytes.
    pub(crate) fn pax(mut self, records: &[(&str, &[u8])]) -> Tar {
        let records = records.iter().map(|(key, value)| (*key, *value));
        self.0.append_pax_extensions(records).unwrap();
        self
    }

    pub(crate) fn done(self) -> Vec<u8> {
        self.0.into_inner().unwrap()
    }
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn zstd(bytes: &[u8]) -> Vec<u8> {
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};
    compress_to_vec(bytes, CompressionLevel::Fastest)
}

/// A layer: as it is stored, and its archive.
#[derive(Clone)]
pub(crate) struct Stored {
    pub(crate) bytes: Vec<u8>,
    pub(crate) diff_id: String,
}

pub(crate) fn plain(archive: Vec<u8>) -> Stored {
    Stored {
        diff_id: Digest::of(&archive).to_string(),
        bytes: archive,
    }
}

pub(crate) fn gzipped(archive: Vec<u8>) -> Stored {
    Stored {
        bytes: gzip(&archive),
        ..plain(archive)
    }
}

/// An image's folder and a scratch folder, both gone with it.
pub(crate) struct Lab {
    folder: tempfile::TempDir,
    pub(crate) bounds: Bounds,
}

impl Lab {
    pub(crate) fn new() -> Lab {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("image/blobs/sha256")).unwrap();
        fs::create_dir(folder.path().join("scratch")).unwrap();
        let layout = r#"{"imageLayoutVersion":"1.0.0"}"#;
        fs::write(folder.path().join("image/oci-layout"), layout).unwrap();
        Lab {
            folder,
            bounds: Bounds::default(),
        }
    }

    /// An image of these layers.
    pub(crate) fn of(layers: &[Stored]) -> Lab {
        let lab = Lab::new();
        lab.image(layers, |_, _| {});
        lab
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a blob; gives its descriptor.
    pub(crate) fn blob(&self, kind: &str, bytes: &[u8]) -> Value {
        let digest = Digest::of(bytes);
        let path = self.path("image/blobs/sha256").join(digest.hex());
        fs::write(path, bytes).unwrap();
        json!({"mediaType": kind, "digest": digest.to_string(), "size": bytes.len()})
    }

    /// Writes an image whose config and manifest `change` has changed; gives its manifest's descriptor.
    pub(crate) fn image(
        &self,
        layers: &[Stored],
        change: impl FnOnce(&mut Value, &mut Value),
    ) -> Value {
        let diff_ids: Vec<&str> = layers.iter().map(|layer| layer.diff_id.as_str()).collect();
        let mut config = json!({
            "os": "linux", "architecture": "amd64",
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
        });
        let kind = "application/vnd.oci.image.layer.v1.tar+gzip";
        let layers: Vec<Value> = layers
            .iter()
            .map(|layer| self.blob(kind, &layer.bytes))
            .collect();
        let mut manifest = json!({"schemaVersion": 2, "layers": layers});
        change(&mut config, &mut manifest);
        let kind = "application/vnd.oci.image.config.v1+json";
        let config = self.blob(kind, config.to_string().as_bytes());
        let manifest = manifest.as_object_mut().unwrap();
        manifest.entry("config").or_insert(config);
        let manifest = Value::Object(manifest.clone()).to_string();
        let descriptor = self.blob(MANIFEST, manifest.as_bytes());
        self.index(std::slice::from_ref(&descriptor));
        descriptor
    }

    pub(crate) fn index(&self, descriptors: &[Value]) {
        let index = json!({"schemaVersion": 2, "manifests": descriptors});
        fs::write(self.path("image/index.json"), index.to_string()).unwrap();
    }

    pub(crate) fn bring(&self) -> Result<Brought, OciError> {
        self.bring_from(&format!("oci:{}", self.path("image").display()))
    }

    pub(crate) fn bring_from(&self, source: &str) -> Result<Brought, OciError> {
        let source: Source = source.parse().unwrap();
        let scratch = self.path("scratch");
        fs::remove_dir_all(&scratch).unwrap();
        fs::create_dir(&scratch).unwrap();
        bring_within(&self.bounds, &source, &scratch, &Phases::new(&Silent))
    }

    /// The error's text; nothing of a tree is to be there.
    pub(crate) fn refusal(&self) -> String {
        let error = self.bring().unwrap_err();
        assert!(!self.path("scratch/root").exists(), "{error}");
        error.to_string()
    }
}

pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// One line an entry, by name: its kind, mode, and content or target; a number of links where there are several.
pub(crate) fn listed(root: &Path) -> Vec<String> {
    let entries = walkdir::WalkDir::new(root).min_depth(1).sort_by_file_name();
    let line = |entry: walkdir::DirEntry| {
        let name = entry.path().strip_prefix(root).unwrap().to_string_lossy();
        let metadata = entry.metadata().unwrap();
        let mode = metadata.permissions().mode() & 0o7777;
        if metadata.is_symlink() {
            let target = fs::read_link(entry.path()).unwrap();
            return format!("{name} -> {}", target.display());
        }
        if metadata.is_dir() {
            return format!("{name}/ {mode:o}");
        }
        assert!(metadata.is_file(), "{name}");
        let content = fs::read(entry.path()).unwrap();
        let links = match metadata.nlink() {
            1 => String::new(),
            links => format!(" x{links}"),
        };
        format!("{name} {mode:o}{links} {}", content.escape_ascii())
    };
    entries
        .into_iter()
        .map(|entry| line(entry.unwrap()))
        .collect()
}

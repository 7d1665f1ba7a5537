//! Reads the file, trusting none of it.
//!
//! ```text
//! start ── manifest of an image ──► its files, in the manifest's order ──► next manifest … ──► end
//!            name, order, size        name, size, then bytes, then digest
//! ```
//!
//! Nothing is written that a manifest did not announce, none of it before its size was judged.

use super::END_BYTES;
use super::described::Described;
use super::error::BundleError;
use super::header::{BLOCK_BYTES, Block, BundleEntry};
use crate::layout::{Image, ROOTFS};
use crate::manifest::{self, FileRecord, RootfsManifest};
use languages::RootImage;
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::{self, Read, Write};

const CHUNK_BYTES: usize = 256 * 1024;

/// Where a file's bytes go: `None` for one whose bytes are only checked.
pub(crate) type Stage<'a> = &'a mut dyn FnMut(&Described, &FileRecord) -> io::Result<Option<File>>;

/// Reads all images, each file's bytes going where `stage` says; they are whole and on the disk when
/// this returns.
pub(crate) fn read(source: impl Read, stage: Stage<'_>) -> Result<Vec<Described>, BundleError> {
    let mut reader = Reader { source };
    let mut expected = Expected::all();
    let mut images = Vec::new();
    while let Some(entry) = reader.next_entry()? {
        if entry.size > manifest::MAX_BYTES {
            return Err(refused(&entry, "is larger than a manifest can be"));
        }
        let manifest = reader.small_content(&entry)?;
        let image = expected.take(&entry, &manifest)?;
        let described = Described::of(image, manifest)?;
        for record in &described.files {
            let path = described.path_of(record);
            let entry = reader.next_entry()?;
            expect_file(entry.as_ref(), &path, record.size)?;
            let mut to = stage(&described, record).map_err(BundleError::writing(&path))?;
            reader.content(&path, record, &mut to)?;
            if let Some(file) = to {
                file.sync_all().map_err(BundleError::writing(&path))?;
            }
        }
        images.push(described);
    }
    match images.is_empty() {
        true => Err(BundleError::Empty),
        false => Ok(images),
    }
}

/// What may still come: each image once, in any order, for the tables of the tool that wrote the file and of this one
/// need not be the same.
struct Expected {
    /// The tool's own.
    own: Vec<Image>,
    /// Users' that came.
    came: Vec<RootImage>,
}

impl Expected {
    fn all() -> Expected {
        let is_own = |image: &Image| match image {
            Image::Rootfs(image) => !image.is_custom(),
            Image::Kernel(_) => true,
        };
        Expected {
            own: Image::all().filter(is_own).collect(),
            came: Vec::new(),
        }
    }

    /// The image of a manifest, and it is expected no more.
    fn take(&mut self, entry: &BundleEntry, manifest: &[u8]) -> Result<Image, BundleError> {
        let is_it = |image: &Image| image.manifest_path() == entry.name;
        if let Some(place) = self.own.iter().position(is_it) {
            return Ok(self.own.swap_remove(place));
        }
        let image = match Image::of_manifest(&entry.name) {
            Some(image) if !is_custom(image) => return Err(refused(entry, "comes twice")),
            _ => described_by(entry, manifest)?,
        };
        if self.came.iter().any(|other| other.name() == image.name()) {
            return Err(refused(entry, "comes twice"));
        }
        self.came.push(image);
        Ok(Image::Rootfs(image))
    }
}

fn is_custom(image: Image) -> bool {
    matches!(image, Image::Rootfs(image) if image.is_custom())
}

/// A user's image, which nothing but its manifest describes.
fn described_by(entry: &BundleEntry, manifest: &[u8]) -> Result<RootImage, BundleError> {
    let other = || {
        refused(
            entry,
            "is not what has to come here: the manifest of an image",
        )
    };
    let manifest = RootfsManifest::parse(manifest).map_err(|_| other())?;
    let custom = manifest.custom.ok_or_else(other)?;
    if entry.name != format!("{ROOTFS}/{}.json", custom.description.name) {
        return Err(other());
    }
    languages::custom::adopt(&custom.description)
        .map_err(|(field, wrong)| refused(entry, &format!("has a {field} that {wrong}")))
}

fn refused(entry: &BundleEntry, what: &str) -> BundleError {
    BundleError::Entry {
        entry: entry.name.clone(),
        what: what.to_owned(),
    }
}

fn expect_file(entry: Option<&BundleEntry>, path: &str, size: u64) -> Result<(), BundleError> {
    let Some(entry) = entry else {
        return Err(BundleError::Missing {
            entry: path.to_owned(),
        });
    };
    let refused = |what: String| BundleError::Entry {
        entry: entry.name.clone(),
        what,
    };
    if entry.name != path {
        return Err(refused(format!("stands where {path} has to")));
    }
    if entry.size != size {
        let seen = entry.size;
        return Err(refused(format!(
            "has {seen} bytes, its manifest says {size}"
        )));
    }
    Ok(())
}

struct Reader<R> {
    source: R,
}

impl<R: Read> Reader<R> {
    /// The next header; `None` at the end, behind which there is nothing.
    fn next_entry(&mut self) -> Result<Option<BundleEntry>, BundleError> {
        let mut block: Block = [0; BLOCK_BYTES];
        self.fill(&mut block, "the next header")?;
        if block != [0; BLOCK_BYTES] {
            return BundleEntry::of_block(&block).map(Some);
        }
        let mut rest = Vec::new();
        let bound = END_BYTES as u64;
        let read = (&mut self.source).take(bound).read_to_end(&mut rest);
        read.map_err(BundleError::reading("the end"))?;
        match rest.len() == END_BYTES - BLOCK_BYTES && rest.iter().all(|byte| *byte == 0) {
            true => Ok(None),
            false => Err(BundleError::End),
        }
    }

    /// A manifest's bytes; its size is judged already.
    fn small_content(&mut self, entry: &BundleEntry) -> Result<Vec<u8>, BundleError> {
        let mut bytes = Vec::new();
        let read = (&mut self.source).take(entry.size).read_to_end(&mut bytes);
        read.map_err(BundleError::reading(&entry.name))?;
        if bytes.len() as u64 != entry.size {
            return Err(BundleError::Truncated {
                entry: entry.name.clone(),
            });
        }
        self.padding(&entry.name, entry.size)?;
        Ok(bytes)
    }

    /// A file's bytes, which have to have the digest of its record.
    fn content(
        &mut self,
        path: &str,
        record: &FileRecord,
        to: &mut Option<File>,
    ) -> Result<(), BundleError> {
        let mut hasher = Sha256::new();
        let mut buffer =
            vec![0; CHUNK_BYTES.min(usize::try_from(record.size).unwrap_or(CHUNK_BYTES))];
        let mut left = record.size;
        while left > 0 {
            let chunk = buffer
                .len()
                .min(usize::try_from(left).unwrap_or(usize::MAX));
            self.fill(&mut buffer[..chunk], path)?;
            hasher.update(&buffer[..chunk]);
            if let Some(file) = to {
                let written = file.write_all(&buffer[..chunk]);
                written.map_err(BundleError::writing(path))?;
            }
            left -= chunk as u64;
        }
        let seen = hex::encode(hasher.finalize());
        if seen != record.sha256 {
            let expected = &record.sha256;
            return Err(BundleError::Entry {
                entry: path.to_owned(),
                what: format!("has sha256 {seen}, its manifest says {expected}"),
            });
        }
        self.padding(path, record.size)
    }

    /// Zeros up to the next multiple of a block.
    fn padding(&mut self, path: &str, size: u64) -> Result<(), BundleError> {
        let mut padding = [0; BLOCK_BYTES];
        let padding = &mut padding[..super::padding(size)];
        self.fill(padding, path)?;
        match padding.iter().all(|byte| *byte == 0) {
            true => Ok(()),
            false => Err(BundleError::Entry {
                entry: path.to_owned(),
                what: "has bytes behind its end".to_owned(),
            }),
        }
    }

    fn fill(&mut self, buffer: &mut [u8], what: &str) -> Result<(), BundleError> {
        self.source
            .read_exact(buffer)
            .map_err(|error| match error.kind() {
                io::ErrorKind::UnexpectedEof => BundleError::Truncated {
                    entry: what.to_owned(),
                },
                _ => BundleError::reading(what)(error),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::fixture::{self, Entries};
    use crate::bundle::inspect;

    fn refusal(entries: &Entries) -> String {
        inspect(&*fixture::archive(entries))
            .unwrap_err()
            .to_string()
    }

    /// All entries with one of them changed.
    fn changed(index: usize, change: impl FnOnce(&mut (String, Vec<u8>))) -> Entries {
        let mut entries = fixture::all();
        change(&mut entries[index]);
        entries
    }

    #[test]
    fn a_whole_file_is_read() {
        let rows = inspect(&*fixture::archive(&fixture::all())).unwrap();
        let told: Vec<_> = rows
            .iter()
            .map(|row| (row.name.as_str(), row.size_bytes, row.files.len()))
            .collect();
        let expected = [
            ("kernel", 707, 2),
            ("uml", 3, 1),
            ("bash", 512, 1),
            ("python", 0, 1),
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn a_file_that_is_cut_off_anywhere_is_refused() {
        let whole = fixture::archive(&fixture::all());
        for length in 0..whole.len() {
            assert!(inspect(&whole[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn a_byte_that_differs_is_refused_unless_a_manifest_says_it() {
        let entries = fixture::all();
        let whole = fixture::archive(&entries);
        let manifests = |at: usize| {
            let mut start = 0;
            entries.iter().any(|(name, content)| {
                let content_at = start + BLOCK_BYTES;
                start = content_at + content.len().next_multiple_of(BLOCK_BYTES);
                name.ends_with(".json") && (content_at..content_at + content.len()).contains(&at)
            })
        };
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            let read = inspect(&*bytes);
            assert!(read.is_err() || manifests(at), "byte {at}");
        }
    }

    #[test]
    fn what_is_missing_or_surplus_is_named() {
        let mut missing = fixture::all();
        let (modules, _) = missing.remove(2);
        let expected = format!("uml/manifest.json stands where {modules} has to");
        assert_eq!(refusal(&missing), expected);
        let mut missing = fixture::all();
        let (last, _) = missing.pop().unwrap();
        assert_eq!(refusal(&missing), format!("{last} is missing"));
        for name in [
            "kernel/vmlinux-0123456789abcdef",
            "readme",
            "rootfs/cobol.json",
        ] {
            let mut surplus = fixture::all();
            surplus.push((name.to_owned(), b"x".to_vec()));
            let expected = "is not what has to come here: the manifest of an image";
            assert_eq!(refusal(&surplus), format!("{name} {expected}"));
        }
        assert_eq!(refusal(&Entries::new()), "no image is in it");
    }

    #[test]
    fn images_come_in_any_order_and_each_once() {
        let bash = fixture::rootfs(fixture::image("bash"), b"bash");
        let python = fixture::rootfs(fixture::image("python"), b"python");
        let twice = [bash.clone(), python.clone(), bash.clone()].concat();
        assert_eq!(refusal(&twice), "rootfs/bash.json comes twice");
        for entries in [[&bash[..], &python].concat(), [&python[..], &bash].concat()] {
            assert_eq!(inspect(&*fixture::archive(&entries)).unwrap().len(), 2);
        }
    }

    #[test]
    fn sizes_are_judged_before_bytes_are_read() {
        let larger = changed(4, |(_, content)| content.push(0));
        let error = refusal(&larger);
        assert!(
            error.ends_with("has 4 bytes, its manifest says 3"),
            "{error}"
        );
        // A manifest that announces more than a build could make: no byte of the file is there.
        let mut manifest = fixture::uml_manifest(b"uml");
        manifest.kernel.size = crate::kernel::uml::MAX_BYTES + 1;
        let error = refusal(&fixture::uml(&manifest, b"uml"));
        assert!(
            error.contains("of 8388609 bytes, more than 8388608"),
            "{error}"
        );
        let long = vec![(
            "rootfs/bash.json".to_owned(),
            vec![b' '; usize::try_from(manifest::MAX_BYTES).unwrap() + 1],
        )];
        let expected = "rootfs/bash.json is larger than a manifest can be";
        assert_eq!(refusal(&long), expected);
    }

    #[test]
    fn other_content_than_the_manifest_says_is_named() {
        let error = refusal(&changed(4, |(_, content)| content[0] = 0));
        assert!(error.starts_with("uml/linux-"), "{error}");
        assert!(error.contains(" has sha256 "), "{error}");
    }

    #[test]
    fn manifests_of_another_kind_language_or_version_are_refused() {
        let error = refusal(&changed(3, |(_, manifest)| *manifest = b"{}".to_vec()));
        assert!(
            error.starts_with("uml/manifest.json is no manifest: "),
            "{error}"
        );
        let mut python = fixture::rootfs(fixture::image("python"), b"");
        python[0].0 = "rootfs/node.json".to_owned();
        let expected = "rootfs/node.json is the manifest of python";
        assert_eq!(refusal(&python), expected);
        let mut stale = fixture::uml_manifest(b"uml");
        stale.inputs = "0".repeat(64);
        let error = refusal(&fixture::uml(&stale, b"uml"));
        assert!(error.contains("another version of this tool"), "{error}");
        let mut renamed = fixture::uml_manifest(b"uml");
        renamed.kernel.file = "linux".to_owned();
        let error = refusal(&fixture::uml(&renamed, b"uml"));
        assert!(
            error.contains("names a file linux that is to be linux-"),
            "{error}"
        );
    }

    #[test]
    fn nothing_may_follow_the_end() {
        let mut bytes = fixture::archive(&fixture::all());
        bytes.extend([0; BLOCK_BYTES]);
        assert!(matches!(inspect(&*bytes), Err(BundleError::End)));
    }
}

//! Digests of files, and the marks by which a file that has not changed since is known again.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// What changes whenever a file's content does. The change time is the kernel's own: putting the
/// modification time back, as `touch -r` does, moves it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileIdentity {
    /// The file system.
    pub dev: u64,
    /// The inode in it.
    pub ino: u64,
    /// Bytes.
    pub size: u64,
    /// Time of the last change of content, in nanoseconds since 1970.
    pub mtime_ns: i64,
    /// Time of the last change of content or inode, in nanoseconds since 1970.
    pub ctime_ns: i64,
}

impl FileIdentity {
    /// Of the file that `path` leads to.
    pub fn of(path: &Path) -> io::Result<FileIdentity> {
        Ok(FileIdentity::from(&std::fs::metadata(path)?))
    }
}

impl From<&Metadata> for FileIdentity {
    fn from(metadata: &Metadata) -> FileIdentity {
        let nanoseconds =
            |seconds: i64, rest: i64| seconds.saturating_mul(1_000_000_000).saturating_add(rest);
        FileIdentity {
            dev: metadata.dev(),
            ino: metadata.ino(),
            size: metadata.size(),
            mtime_ns: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
            ctime_ns: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

/// SHA-256 in lower-case hex, and the file's identity while it was read. Fails when the file
/// changed under the reader.
pub fn sha256_file(path: &Path) -> io::Result<(String, FileIdentity)> {
    let mut file = File::open(path)?;
    let before = FileIdentity::from(&file.metadata()?);
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        hasher.update(&buffer[..read]);
    }
    if FileIdentity::from(&file.metadata()?) != before {
        let text = format!("{} changed while it was read", path.display());
        return Err(io::Error::other(text));
    }
    Ok((hex::encode(hasher.finalize()), before))
}

/// SHA-256 of bytes, in lower-case hex.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_the_digest_of_its_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        std::fs::write(&path, b"abc").unwrap();
        let (digest, identity) = sha256_file(&path).unwrap();
        assert_eq!(
            digest,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(digest, sha256(b"abc"));
        assert_eq!(identity, FileIdentity::of(&path).unwrap());
        assert_eq!(identity.size, 3);
    }

    #[test]
    fn a_change_with_the_time_put_back_is_another_identity() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        std::fs::write(&path, b"abc").unwrap();
        let before = FileIdentity::of(&path).unwrap();
        let modified = std::fs::metadata(&path).unwrap().modified().unwrap();
        // The clock of inode times ticks every few milliseconds: write until it has moved.
        loop {
            std::fs::write(&path, b"abd").unwrap();
            File::options()
                .write(true)
                .open(&path)
                .unwrap()
                .set_modified(modified)
                .unwrap();
            let after = FileIdentity::of(&path).unwrap();
            assert_eq!((after.mtime_ns, after.size), (before.mtime_ns, before.size));
            if after != before {
                break;
            }
        }
    }
}

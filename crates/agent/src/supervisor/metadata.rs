//! What users attach to a file: extended attributes of it, which go where it goes. Whatever programs have put there is
//! told as far as it is text and within the bound, and no more.

use protocol::supervisor::{MAX_METADATA_BYTES, METADATA_PREFIX, Metadata};
use std::ffi::{CStr, CString};
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Bytes of the names of all attributes of one file, at most (Linux's `XATTR_LIST_MAX`).
const MAX_NAMES_BYTES: usize = 64 * 1024;

/// What is attached; nothing where the file system keeps no attributes. A link is not followed.
pub fn of(path: &Path) -> Metadata {
    let mut metadata = Metadata::default();
    let Ok(path) = CString::new(path.as_os_str().as_bytes()) else {
        return metadata;
    };
    let names = names(&path);
    let names = names.split_inclusive(|byte| *byte == 0);
    let mut names: Vec<&CStr> = names
        .filter(|name| name.starts_with(METADATA_PREFIX.as_bytes()))
        .filter_map(|name| CStr::from_bytes_with_nul(name).ok())
        .collect();
    names.sort_unstable();
    for name in names {
        let key = name.to_str().ok();
        let key = key.and_then(|name| name.strip_prefix(METADATA_PREFIX));
        let value = value(&path, name).and_then(|bytes| String::from_utf8(bytes).ok());
        // A larger one is left out, and a smaller one may have room yet.
        if let (Some(key), Some(value)) = (key, value) {
            let _ = metadata.add(key.to_owned(), value);
        }
    }
    metadata
}

/// Attaches it to a file that has nothing yet.
pub fn attach(file: &File, metadata: &Metadata) -> io::Result<()> {
    for (key, value) in metadata.pairs() {
        set(file, &format!("{METADATA_PREFIX}{key}"), value.as_bytes())?;
    }
    Ok(())
}

/// Sets an attribute.
fn set(file: &File, name: &str, value: &[u8]) -> io::Result<()> {
    let name = CString::new(name)?;
    // SAFETY: the name ends with a zero, and the value is as long as is said; the kernel copies both.
    let set = unsafe {
        libc::fsetxattr(
            file.as_raw_fd(),
            name.as_ptr(),
            value.as_ptr().cast(),
            value.len(),
            0,
        )
    };
    if set != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// The names of all attributes, a zero behind each.
fn names(path: &CStr) -> Vec<u8> {
    // SAFETY: the path ends with a zero; a buffer of no bytes asks how many there are, and nothing is written.
    let bytes = unsafe { libc::llistxattr(path.as_ptr(), std::ptr::null_mut(), 0) };
    // Most have none.
    let Some(bytes) = usize::try_from(bytes).ok().filter(|bytes| *bytes > 0) else {
        return Vec::new();
    };
    let mut names = vec![0u8; bytes.min(MAX_NAMES_BYTES)];
    // SAFETY: the path ends with a zero, and the buffer is as long as is said.
    let bytes = unsafe { libc::llistxattr(path.as_ptr(), names.as_mut_ptr().cast(), names.len()) };
    // There may be more meanwhile: then it fails.
    names.truncate(usize::try_from(bytes).unwrap_or(0));
    names
}

/// An attribute's value; `None`: it is gone, or larger than all may be.
fn value(path: &CStr, name: &CStr) -> Option<Vec<u8>> {
    let mut value = vec![0u8; MAX_METADATA_BYTES];
    // SAFETY: path and name end with a zero, and the buffer is as long as is said.
    let bytes = unsafe {
        libc::lgetxattr(
            path.as_ptr(),
            name.as_ptr(),
            value.as_mut_ptr().cast(),
            value.len(),
        )
    };
    value.truncate(usize::try_from(bytes).ok()?);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_attached_is_told_as_far_as_it_is_text_and_small() {
        let path = std::env::temp_dir().join(format!("metadata-{}", std::process::id()));
        let file = File::create(&path).unwrap();
        let mut attached = Metadata::default();
        assert!(attached.add("b".to_owned(), "two".to_owned()));
        assert!(attached.add("a".to_owned(), String::new()));
        attach(&file, &attached).unwrap();
        set(&file, "user.other", b"of another program").unwrap();
        set(&file, "user.e2b.bytes", b"\xff").unwrap();
        set(&file, "user.e2b.\u{fc}", b"a key in UTF-8").unwrap();
        let told = of(&path);
        let told: Vec<_> = told.pairs().collect();
        assert_eq!(
            told,
            [("a", ""), ("b", "two"), ("\u{fc}", "a key in UTF-8")]
        );
        assert!(of(Path::new("/nowhere")).is_empty());
        std::fs::remove_file(&path).unwrap();
    }
}

//! The regular files below a folder, sent as one stream: what a job leaves behind.
//!
//! The job chose the names and may still be running: links are not followed, and every number is bounded.

use protocol::collection::{
    CollectionBounds, MAX_PIECE_BYTES, begin_file, end, end_truncated, is_sendable, piece,
};
use protocol::supervisor::FileAnswer;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Files looked at, at most.
const MAX_FOUND: usize = 4096;
/// Folders within folders, at most.
const MAX_DEPTH: usize = 16;

/// What was found, and whether something was left out.
#[derive(Default)]
struct Found {
    /// Relative to the folder.
    paths: Vec<String>,
    truncated: bool,
}

/// Sends them in the order of their paths, as far as the bounds go.
pub fn collect(
    folder: &Path,
    bounds: CollectionBounds,
    mut into: File,
) -> Result<FileAnswer, (&'static str, io::Error)> {
    let mut found = Found::default();
    if folder.symlink_metadata().is_ok_and(|known| known.is_dir()) {
        walk(folder, "", 0, &mut found);
    }
    found.paths.sort();
    let (mut left, mut files, mut told) = (bounds.bytes, 0, 0);
    for path in found.paths {
        match open(&folder.join(&path)) {
            Some((file, size)) if size <= left && files < bounds.files => {
                let sent = send(&path, file.take(size), &mut into);
                let (bytes, all) = sent.map_err(|error| ("send", error))?;
                (left, told, files) = (left - bytes, told + all, files + 1);
            }
            _ => found.truncated = true,
        }
    }
    let mut record = Vec::new();
    match found.truncated {
        true => end_truncated(&mut record),
        false => end(&mut record),
    }
    into.write_all(&record).map_err(|error| ("send", error))?;
    let bytes = told + record.len() as u64;
    Ok(FileAnswer::Done { bytes })
}

fn walk(folder: &Path, prefix: &str, depth: usize, found: &mut Found) {
    let Some(entries) = std::fs::read_dir(folder).ok().filter(|_| depth < MAX_DEPTH) else {
        found.truncated = true;
        return;
    };
    for entry in entries.flatten() {
        let (Some(name), Ok(kind)) = (
            entry.file_name().to_str().map(str::to_owned),
            entry.file_type(),
        ) else {
            found.truncated = true;
            continue;
        };
        let path = format!("{prefix}{name}");
        if kind.is_dir() {
            walk(&entry.path(), &format!("{path}/"), depth + 1, found);
        } else if kind.is_file() {
            match found.paths.len() < MAX_FOUND && is_sendable(&path) {
                true => found.paths.push(path),
                false => found.truncated = true,
            }
        }
        // A link, a FIFO, a socket: not a file to hand out.
    }
}

/// A regular file and its size.
fn open(path: &PathBuf) -> Option<(File, u64)> {
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags)
        .open(path)
        .ok()?;
    let known = file.metadata().ok().filter(std::fs::Metadata::is_file)?;
    Some((file, known.len()))
}

/// One that shrinks meanwhile ends there; the bytes of it that were sent, and all that were.
fn send(path: &str, mut file: io::Take<File>, into: &mut File) -> io::Result<(u64, u64)> {
    let mut record = Vec::new();
    begin_file(path, &mut record);
    let (mut bytes, mut all) = (0, 0);
    loop {
        let mut data = Vec::with_capacity(MAX_PIECE_BYTES);
        // What cannot be read any further ends there.
        let _ = file
            .by_ref()
            .take(MAX_PIECE_BYTES as u64)
            .read_to_end(&mut data);
        piece(&data, &mut record);
        into.write_all(&record)?;
        all += record.len() as u64;
        record.clear();
        bytes += data.len() as u64;
        if data.is_empty() {
            return Ok((bytes, all));
        }
    }
}

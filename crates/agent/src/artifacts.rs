//! What a job leaves behind: lists and contents of regular files below a folder.
//!
//! The job chose the names and may still be running (sessions), so each folder and file is opened
//! beneath the folder before it, without following links, and every number is bounded.

use crate::channel::Channel;
use crate::error::{AgentError, Step};
use crate::files::Folder;
use nix::dir::{Dir, Type};
use nix::sys::time::TimeSpec;
use nix::time::{ClockId, clock_gettime};
use protocol::bytes::Bytes;
use protocol::path::check_relative;
use protocol::wire::{FileEntry, GuestMessage, MAX_ARTIFACTS, MAX_CHUNK_BYTES};
use std::io::Read;

/// Where a job puts what it wants to hand out.
pub const OUT_DIR: &str = "/work/out";
/// Before any file.
pub const EVER: TimeSpec = TimeSpec::new(0, 0);
/// Files listed or sent at most; their names fit one frame.
const MAX_FILES: usize = 4096;
/// Folders within folders at most.
const MAX_DEPTH: usize = 16;

/// Regular files found, and whether something was left out.
#[derive(Default)]
pub struct Found {
    /// In order of path.
    pub files: Vec<FileEntry>,
    /// Too many, too deep, or names that cannot be sent.
    pub incomplete: bool,
}

/// The clock that files' times are taken from.
pub fn now() -> Result<TimeSpec, AgentError> {
    clock_gettime(ClockId::CLOCK_REALTIME_COARSE).step(|| "read the clock of files")
}

/// Lists the regular files below `folder` that changed at `since` or later.
pub fn list(folder: &Folder, since: TimeSpec) -> Found {
    let mut found = Found::default();
    walk(folder, "", 0, since, &mut found);
    found.files.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn walk(folder: &Folder, prefix: &str, depth: usize, since: TimeSpec, found: &mut Found) {
    let Some(entries) = folder
        .try_clone()
        .and_then(Dir::from_fd)
        .ok()
        .filter(|_| depth < MAX_DEPTH)
    else {
        found.incomplete = true;
        return;
    };
    for entry in entries.into_iter().flatten() {
        let Ok(name) = entry.file_name().to_str() else {
            found.incomplete = true;
            continue;
        };
        if name == "." || name == ".." {
            continue;
        }
        let path = format!("{prefix}{name}");
        match entry.file_type() {
            Some(Type::Directory) => match folder.folder(name) {
                Ok(inner) => walk(&inner, &format!("{path}/"), depth + 1, since, found),
                Err(_) => found.incomplete = true,
            },
            Some(Type::File) => match folder.get(name) {
                Ok((_, _, changed)) if changed < since => {}
                Ok((_, size, _))
                    if found.files.len() < MAX_FILES && check_relative(&path).is_ok() =>
                {
                    found.files.push(FileEntry { path, size });
                }
                _ => found.incomplete = true,
            },
            // A link, a FIFO, a socket: not a file to hand out.
            _ => {}
        }
    }
}

/// Sends the files below [`OUT_DIR`] that changed at `since` or later, `budget` bytes and
/// [`MAX_ARTIFACTS`] files at most; `true` when something was left out.
pub fn send_all(budget: u64, since: TimeSpec, channel: &mut Channel) -> Result<bool, AgentError> {
    let Ok(folder) = Folder::open(OUT_DIR) else {
        return Ok(false);
    };
    let found = list(&folder, since);
    let mut left_out = found.incomplete;
    let (mut left, mut sent) = (budget, 0);
    for file in found.files {
        let fits = sent < MAX_ARTIFACTS && file.size <= left;
        if !fits || !send(&folder, &file.path, file.size, channel)? {
            left_out = true;
            continue;
        }
        left -= file.size;
        sent += 1;
    }
    Ok(left_out)
}

/// Sends one file in pieces, at most `max_bytes` of it; `false` when it cannot be opened. A file that grows
/// meanwhile is cut off there, one that shrinks at its end.
pub fn send(
    folder: &Folder,
    path: &str,
    max_bytes: u64,
    channel: &mut Channel,
) -> Result<bool, AgentError> {
    let Ok((file, size, _)) = folder.get(path) else {
        return Ok(false);
    };
    let size = size.min(max_bytes);
    let mut file = file.take(size);
    let mut left = size;
    loop {
        let mut data = Vec::with_capacity(MAX_CHUNK_BYTES);
        let read = file
            .by_ref()
            .take(MAX_CHUNK_BYTES as u64)
            .read_to_end(&mut data);
        left -= data.len() as u64;
        let last = left == 0 || data.is_empty() || read.is_err();
        channel.send(&GuestMessage::Artifact {
            path: path.to_owned(),
            data: Bytes(data),
            last,
        })?;
        channel.drain_to(MAX_CHUNK_BYTES)?;
        if last {
            return Ok(true);
        }
    }
}

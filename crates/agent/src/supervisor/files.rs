//! One operation on files, done by a child that is the sandbox's user in the sandbox's namespaces: what it may do is
//! what a program there may do, and a path leads where it would lead a program.
//!
//! ```text
//!   agent ──link──> pipe ──> child: into a nameless file, then under its name      write
//!   agent <──link── pipe <── child                                                 read
//!         <────── report: a FileAnswer as JSON, then its end                       all
//! ```

use super::collect::collect;
use super::metadata;
use super::watch::watch;
use crate::error::FileFailure;
use protocol::collection::CollectionBounds;
use protocol::supervisor::{
    Entry, EntryKind, FileAnswer, FileOperation, MAX_ENTRIES, Metadata as Attached,
};
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Bytes copied at once.
const COPY_BYTES: usize = 64 * 1024;
/// Bytes of all paths and metadata of one listing, at most (128 KiB): a control character is six in JSON, and each entry has more
/// to tell.
const MAX_TOLD_BYTES: usize = 128 * 1024;
/// Permissions of a file that was not there.
const NEW_FILE: u32 = 0o644;

/// Does it and tells; `data` is the content's pipe, for operations that have content.
pub fn perform(operation: &FileOperation, data: Option<OwnedFd>, mut report: File) {
    let answer = match carry_out(operation, data.map(File::from)) {
        Ok(answer) => answer,
        Err((step, error)) => FileAnswer::Failed {
            errno: error.raw_os_error().unwrap_or(libc::EIO),
            step: step.to_owned(),
        },
    };
    let _ = report.write_all(&serde_json::to_vec(&answer).unwrap_or_default());
}

fn carry_out(operation: &FileOperation, data: Option<File>) -> Result<FileAnswer, FileFailure> {
    let done = |bytes| Ok(FileAnswer::Done { bytes });
    match (operation, data) {
        (FileOperation::Stat { path }, _) => {
            entry(Path::new(path)).map(|entry| FileAnswer::Entry { entry })
        }
        (FileOperation::List { path, depth }, _) => list(Path::new(path), *depth),
        (FileOperation::MakeFolder { path }, _) => {
            fs::create_dir_all(path).map_err(|error| ("make the folder", error))?;
            done(0)
        }
        (FileOperation::Move { from, to }, _) => {
            fs::rename(from, to).map_err(|error| ("move", error))?;
            done(0)
        }
        (FileOperation::Remove { path }, _) => {
            remove(Path::new(path)).map_err(|error| ("remove", error))?;
            done(0)
        }
        (FileOperation::Read { path, .. }, Some(into)) => done(read(Path::new(path), into)?),
        (FileOperation::Write { path, metadata, .. }, Some(from)) => {
            done(write(Path::new(path), from, metadata)?)
        }
        (FileOperation::Watch { path, depth, .. }, Some(into)) => {
            done(watch(Path::new(path), *depth, into)?)
        }
        (
            FileOperation::Collect {
                path,
                max_bytes,
                max_files,
                ..
            },
            Some(into),
        ) => {
            let bounds = CollectionBounds {
                bytes: *max_bytes,
                files: *max_files as usize,
            };
            collect(Path::new(path), bounds, into)
        }
        (
            FileOperation::Read { .. }
            | FileOperation::Write { .. }
            | FileOperation::Watch { .. }
            | FileOperation::Collect { .. },
            None,
        ) => Err(("copy", io::Error::from_raw_os_error(libc::EBADF))),
    }
}

fn entry(path: &Path) -> Result<Entry, FileFailure> {
    let metadata = fs::symlink_metadata(path).map_err(|error| ("stat", error))?;
    Ok(entry_of(path, &metadata))
}

fn entry_of(path: &Path, metadata: &Metadata) -> Entry {
    let kind = metadata.file_type();
    let kind = match (kind.is_file(), kind.is_dir(), kind.is_symlink()) {
        (true, _, _) => EntryKind::File,
        (_, true, _) => EntryKind::Folder,
        (_, _, true) => EntryKind::Link,
        _ => EntryKind::Other,
    };
    let target = (kind == EntryKind::Link).then(|| fs::read_link(path).ok());
    let attached = match kind {
        EntryKind::File | EntryKind::Folder => metadata::of(path),
        EntryKind::Link | EntryKind::Other => Attached::default(),
    };
    Entry {
        path: path.to_string_lossy().into_owned(),
        kind,
        size: metadata.size(),
        mode: metadata.mode() & 0o7777,
        uid: metadata.uid(),
        gid: metadata.gid(),
        modified_millis: metadata.mtime() * 1000 + metadata.mtime_nsec() / 1_000_000,
        target: target
            .flatten()
            .map(|target| target.to_string_lossy().into_owned()),
        metadata: attached,
    }
}

/// In order of the paths, folders before what is in them; links are told and not followed.
fn list(folder: &Path, depth: u32) -> Result<FileAnswer, FileFailure> {
    let mut entries = Vec::new();
    let mut truncated = false;
    let mut told_bytes = 0;
    // To be looked into, the next one last.
    let mut waiting: Vec<(PathBuf, u32)> = children(folder).map(|found| with(found, depth))?;
    while let Some((path, depth)) = waiting.pop() {
        // Gone meanwhile.
        let Ok(entry) = entry(&path) else { continue };
        told_bytes += entry.path.len() + entry.target.as_ref().map_or(0, String::len);
        told_bytes += entry.metadata.bytes();
        if entries.len() == MAX_ENTRIES || told_bytes > MAX_TOLD_BYTES {
            truncated = true;
            break;
        }
        if entry.kind == EntryKind::Folder && depth > 1 {
            // One that may not be read is told without what is in it.
            waiting.extend(with(children(&path).unwrap_or_default(), depth - 1));
        }
        entries.push(entry);
    }
    Ok(FileAnswer::Entries { entries, truncated })
}

fn with(paths: Vec<PathBuf>, depth: u32) -> Vec<(PathBuf, u32)> {
    paths.into_iter().map(|path| (path, depth)).collect()
}

/// In the reverse order of their names; a folder of millions is not held, only as many as can be told.
fn children(folder: &Path) -> Result<Vec<PathBuf>, FileFailure> {
    let listed = fs::read_dir(folder).map_err(|error| ("list the folder", error))?;
    let mut names = std::collections::BTreeSet::new();
    for entry in listed {
        names.insert(entry.map_err(|error| ("list the folder", error))?.path());
        if names.len() > MAX_ENTRIES + 1 {
            names.pop_last();
        }
    }
    Ok(names.into_iter().rev().collect())
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path)?.is_dir() {
        true => fs::remove_dir_all(path),
        false => fs::remove_file(path),
    }
}

fn read(path: &Path, mut into: File) -> Result<u64, FileFailure> {
    let file = File::open(path).map_err(|error| ("open", error))?;
    if file.metadata().is_ok_and(|metadata| metadata.is_dir()) {
        return Err(("open", io::Error::from_raw_os_error(libc::EISDIR)));
    }
    copy(file, &mut into, "read").map_err(|(step, error)| match error.kind() {
        // Nobody wants the rest.
        io::ErrorKind::BrokenPipe => ("send", error),
        _ => (step, error),
    })
}

/// A file is whole or not there: the content goes into one without a name first.
fn write(path: &Path, from: File, attached: &Attached) -> Result<u64, FileFailure> {
    // Through a link, as a program's own write would go.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let known = fs::metadata(&path).ok();
    if let Some(metadata) = known.as_ref().filter(|metadata| !metadata.is_file()) {
        if metadata.is_dir() {
            return Err(("open", io::Error::from_raw_os_error(libc::EISDIR)));
        }
        if !attached.is_empty() {
            let none = io::Error::from_raw_os_error(libc::ENOTSUP);
            return Err(("attach the metadata", none));
        }
        let opened = OpenOptions::new().write(true).open(&path);
        return copy(from, &mut opened.map_err(|error| ("open", error))?, "write");
    }
    let parent = path.parent().unwrap_or(Path::new("/"));
    fs::create_dir_all(parent).map_err(|error| ("make the folder", error))?;
    let nameless = OpenOptions::new()
        .write(true)
        .custom_flags(libc::O_TMPFILE)
        .open(parent);
    let mut file = nameless.map_err(|error| ("create", error))?;
    metadata::attach(&file, attached).map_err(|error| ("attach the metadata", error))?;
    let bytes = copy(from, &mut file, "write")?;
    let mode = known.map_or(NEW_FILE, |metadata| metadata.mode() & 0o777);
    file.set_permissions(fs::Permissions::from_mode(mode))
        .map_err(|error| ("set permissions", error))?;
    name(&file, &path).map_err(|error| ("name", error))?;
    Ok(bytes)
}

/// Gives a nameless file its name, in place of one that has it.
fn name(file: &File, path: &Path) -> io::Result<()> {
    match link(file, path) {
        // Who watches the folder sees one that comes, and no other name.
        Ok(()) => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    let parent = path.parent().unwrap_or(Path::new("/"));
    let between = parent.join(format!(
        ".{}.{}",
        std::process::id(),
        file.metadata()?.ino()
    ));
    link(file, &between)?;
    fs::rename(&between, path).inspect_err(|_| {
        let _ = fs::remove_file(&between);
    })
}

fn link(file: &File, path: &Path) -> io::Result<()> {
    let nameless = format!("/proc/self/fd/{}", file.as_raw_fd());
    let here = nix::fcntl::AT_FDCWD;
    let follow = nix::fcntl::AtFlags::AT_SYMLINK_FOLLOW;
    Ok(nix::unistd::linkat(
        here,
        nameless.as_str(),
        here,
        path,
        follow,
    )?)
}

fn copy(mut from: File, into: &mut File, step: &'static str) -> Result<u64, FileFailure> {
    let mut buffer = vec![0; COPY_BYTES];
    let mut bytes = 0;
    loop {
        let count = match from.read(&mut buffer) {
            Ok(0) => return Ok(bytes),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err((step, error)),
        };
        into.write_all(&buffer[..count])
            .map_err(|error| (step, error))?;
        bytes += count as u64;
    }
}

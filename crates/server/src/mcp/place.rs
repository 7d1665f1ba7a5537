//! Where a file is: in a session's VM, or among what a run left that had a VM of its own.

use super::call::Call;
use super::kept::{KeptRun, RunId};
use super::uri::{FileUri, SCHEME};
use crate::problem::{HttpCode, Problem};
use crate::sandboxes::path;
use crate::sandboxes::table::UsedSandbox;
use axum::body::Bytes;
use protocol::environment::WORK_DIR;
use sandbox::live::EntryKind;
use std::sync::Arc;
use std::time::Instant;

/// Where files are.
pub enum Place {
    /// In a VM that stays.
    Session(UsedSandbox),
    /// Kept of a run.
    Run(Arc<KeptRun>),
}

/// An entry of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Absolute.
    pub path: String,
    /// What it is.
    pub kind: EntryKind,
    /// In bytes.
    pub size: u64,
}

/// Whether a listing says all that there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// It does.
    Whole,
    /// There is more.
    Part,
}

/// A part of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its bytes, one more than asked for where there are more.
    pub bytes: Bytes,
    /// The whole file's size, where it is known.
    pub size: Option<u64>,
}

impl Place {
    /// The session or run of this name, of this key; another's is not there.
    pub fn of(call: &Call, id: &str) -> Result<Place, Problem> {
        let run = RunId {
            owner: &call.who.id,
            id,
        };
        match call.app.mcp.kept.find(run, Instant::now()) {
            Some(run) => Ok(Place::Run(run)),
            None => UsedSandbox::take(&call.app, &call.who, id).map(Place::Session),
        }
    }

    /// A file from an offset on: as much as `most` says of its first bytes.
    pub async fn read(
        &self,
        path: &str,
        offset: u64,
        most: impl Fn(&[u8]) -> usize,
    ) -> Result<Part, Problem> {
        match self {
            Place::Session(used) => read_in(used, path, offset, most).await,
            Place::Run(run) => {
                let whole = run.file(path);
                let whole = whole.ok_or_else(|| Problem::new(HttpCode::FileNotFound))?;
                let from = usize::try_from(offset).map_or(whole.len(), |at| at.min(whole.len()));
                let rest = whole.slice(from..);
                let most = most(&rest).saturating_add(1).min(rest.len());
                Ok(Part {
                    bytes: rest.slice(..most),
                    size: Some(whole.len() as u64),
                })
            }
        }
    }

    /// A folder's entries, so many levels.
    pub async fn list(&self, path: &str, depth: u32) -> Result<(Vec<Listed>, Extent), Problem> {
        match self {
            Place::Session(used) => {
                let listing = used.live.list(path, depth).await;
                let listing = listing.map_err(|error| used.problem(error))?;
                let entries = listing.entries.into_iter().map(|entry| Listed {
                    path: entry.path,
                    kind: entry.kind,
                    size: entry.size,
                });
                let extent = match listing.truncated {
                    true => Extent::Part,
                    false => Extent::Whole,
                };
                Ok((entries.collect(), extent))
            }
            Place::Run(run) => {
                let below = format!("{}/", path.trim_end_matches('/'));
                let files = run.files.iter();
                let files = files.filter(|(path, _)| path.starts_with(&below));
                let entries = files.map(|(path, data)| Listed {
                    path: path.clone(),
                    kind: EntryKind::File,
                    size: data.len() as u64,
                });
                Ok((entries.collect(), Extent::Whole))
            }
        }
    }
}

async fn read_in(
    used: &UsedSandbox,
    path: &str,
    offset: u64,
    most: impl Fn(&[u8]) -> usize,
) -> Result<Part, Problem> {
    let problem = |error| used.problem(error);
    let stat = used.live.stat(path).await.map_err(problem)?;
    // A link's own size says nothing of what it leads to.
    let size = (stat.kind == EntryKind::File).then_some(stat.size);
    let mut reader = used.live.read_file(path).await.map_err(problem)?;
    let (mut skip, mut bytes, mut enough) = (offset, Vec::new(), None);
    while let Some(piece) = reader.next().await.map_err(problem)? {
        let passed = usize::try_from(skip).map_or(piece.len(), |skip| skip.min(piece.len()));
        skip -= passed as u64;
        bytes.extend_from_slice(&piece[passed..]);
        if bytes.is_empty() {
            continue;
        }
        let enough = *enough.get_or_insert_with(|| most(&bytes).saturating_add(1));
        if bytes.len() >= enough {
            bytes.truncate(enough);
            break;
        }
    }
    Ok(Part {
        bytes: bytes.into(),
        size,
    })
}

/// A path as a model writes it: absolute, or relative to the work folder.
pub fn absolute(field: &'static str, path: &str) -> Result<String, Problem> {
    let path = match path.starts_with('/') {
        true => path.to_owned(),
        false => format!("{WORK_DIR}/{path}"),
    };
    path::check(field, &path)?;
    Ok(path)
}

/// A file that is named by its address, or by its path and where it is.
pub fn named(session: Option<String>, path: &str) -> Result<FileUri, Problem> {
    if path.starts_with(SCHEME) {
        return FileUri::parse(path).ok_or_else(|| {
            let sentence = format!("path begins with {SCHEME} and is no address of a file");
            Problem::with(HttpCode::FieldInvalid, sentence).field("path")
        });
    }
    let id = session.ok_or_else(|| {
        let sentence = "session_id is missing: name a session or a run, or give as path the sandbox:// address of a result";
        Problem::with(HttpCode::FieldInvalid, sentence).field("session_id")
    })?;
    let path = absolute("path", path)?;
    Ok(FileUri { id, path })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_by_address_or_by_path_and_place() {
        let fine = |session: Option<&str>, path| {
            let uri = named(session.map(str::to_owned), path).unwrap();
            (uri.id, uri.path)
        };
        let wanted = |id: &str, path: &str| (id.to_owned(), path.to_owned());
        assert_eq!(fine(Some("s"), "a.txt"), wanted("s", "/work/a.txt"));
        assert_eq!(fine(Some("s"), "/tmp/a"), wanted("s", "/tmp/a"));
        assert_eq!(
            fine(None, "sandbox://r/work/out/a%20b"),
            wanted("r", "/work/out/a b")
        );
        for (session, path, field) in [
            (None, "/work/a", "session_id"),
            (Some("s"), "a\0b", "path"),
            (None, "sandbox://r", "path"),
        ] {
            let problem = named(session.map(str::to_owned), path).unwrap_err();
            assert_eq!(problem.field.as_deref(), Some(field));
        }
    }
}

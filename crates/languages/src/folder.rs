//! Reads a folder of languages, each file within its bound. Who may write there is looked at by whoever names it.

use crate::error::LanguageError;
use crate::table::{Companions, Source};
use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

/// Bytes of a language's file: the tool's largest has a twentieth.
const MAX_ROW_BYTES: u64 = 64 * 1024;
/// Bytes of a file beside it; guests keep drivers in memory.
const MAX_COMPANION_BYTES: u64 = 256 * 1024;
/// Drivers of all languages together.
pub const MAX_DRIVERS: usize = 256;
/// Bytes of them together.
pub const MAX_DRIVERS_BYTES: usize = 1024 * 1024;
const MAX_COMPANIONS: usize = 16;
const MAX_LANGUAGES: usize = 64;

/// The files of each language, in order of their names; none where there is no folder.
pub(crate) fn sources(folder: &Path) -> Result<Vec<Source>, LanguageError> {
    let mut rows = Vec::new();
    for path in listed(folder)? {
        let is_row = path
            .extension()
            .is_some_and(|extension| extension == "toml");
        if !is_row {
            continue;
        }
        if rows.len() == MAX_LANGUAGES {
            return Err(LanguageError::TooMany {
                path: folder.to_path_buf(),
                what: "languages",
                bound: MAX_LANGUAGES,
            });
        }
        rows.push(source(path)?);
    }
    Ok(rows)
}

fn source(path: PathBuf) -> Result<Source, LanguageError> {
    let text = read(&path, MAX_ROW_BYTES)?;
    let text = String::from_utf8(text).map_err(|error| LanguageError::Io {
        what: "reading",
        path: path.clone(),
        source: std::io::Error::new(ErrorKind::InvalidData, error),
    })?;
    let beside = path.with_extension("");
    let mut companions = Companions::new();
    for file in listed(&beside)? {
        if companions.len() == MAX_COMPANIONS {
            return Err(LanguageError::TooMany {
                path: beside,
                what: "files",
                bound: MAX_COMPANIONS,
            });
        }
        companions.insert(name_of(&file), read(&file, MAX_COMPANION_BYTES)?);
    }
    Ok(Source {
        name: name_of(&beside),
        text,
        companions,
        path,
    })
}

fn name_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// Sorted, so that the table is the same on each host.
fn listed(folder: &Path) -> Result<Vec<PathBuf>, LanguageError> {
    let io = |source| LanguageError::Io {
        what: "listing the languages of",
        path: folder.to_path_buf(),
        source,
    };
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(io)?,
    };
    let entries: Result<Vec<_>, _> = entries.collect();
    let paths = entries.map_err(io)?.into_iter().map(|entry| entry.path());
    let mut paths: Vec<PathBuf> = paths.collect();
    paths.sort();
    Ok(paths)
}

fn read(path: &Path, bound: u64) -> Result<Vec<u8>, LanguageError> {
    let io = |source| LanguageError::Io {
        what: "reading",
        path: path.to_path_buf(),
        source,
    };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(io)?;
    file.take(bound + 1).read_to_end(&mut bytes).map_err(io)?;
    if bytes.len() as u64 > bound {
        let wrong = format!("more than {bound} bytes");
        return Err(io(std::io::Error::new(ErrorKind::FileTooLarge, wrong)));
    }
    Ok(bytes)
}

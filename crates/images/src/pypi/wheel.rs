//! A wheel: where its files belong (PEP 427).

use super::lock::Pinned;
use crate::debian::Unpacked;
use crate::digest;
use crate::error::ImageError;
use crate::manifest::{PackageSource, licence_name};
use crate::target::{NewFile, PythonFolder, Target, TargetError, Vetting};
use std::io::{Cursor, Read};
use std::path::{Component, Path, PathBuf};
use zip::ZipArchive;
use zip::read::ZipFile;

const PROGRAMS: &str = "usr/bin";
const INTERPRETER: &str = "/usr/bin/python3";
/// The word that stands for the interpreter.
const PLACEHOLDER: &[u8] = b"#!python";
const MAX_FILES: usize = 100_000;
/// Bytes read of its own description; its licence stands near the start.
const MAX_METADATA_BYTES: u64 = 256 * 1024;
/// Bytes of the list of its programs; the longest has a tenth.
const MAX_ENTRY_POINTS_BYTES: u64 = 64 * 1024;

/// A wheel whose digest was found right.
pub(super) struct Wheel {
    bytes: Vec<u8>,
    sha256: String,
}

impl Wheel {
    /// The wheel, if its digest is this one.
    pub(super) fn of(bytes: Vec<u8>, sha256: &str) -> Result<Wheel, String> {
        let found = digest::sha256(&bytes);
        match found == sha256 {
            true => Ok(Wheel {
                bytes,
                sha256: found,
            }),
            false => Err(format!(
                "what came has the digest {found}, not the lock file's"
            )),
        }
    }

    /// As it came.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Bytes of it.
    pub(super) fn size(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// Writes its files.
    pub(super) fn unpack(
        &self,
        target: &mut Target<'_>,
        package: &Pinned,
    ) -> Result<Unpacked, ImageError> {
        let wrong = |why: String| super::wrong(&package.label(), why);
        let mut archive = ZipArchive::new(Cursor::new(&self.bytes))
            .map_err(|error| wrong(format!("is no wheel: {error}")))?;
        if archive.len() > MAX_FILES {
            return Err(wrong(format!("has more than {MAX_FILES} files")));
        }
        let mut files = Vec::new();
        let licence = metadata(&mut archive)
            .map(|text| licence(&text))
            .unwrap_or_default();
        for index in 0..archive.len() {
            let entry = archive.by_index(index);
            let mut entry = entry.map_err(|error| wrong(error.to_string()))?;
            let written = write_entry(&mut entry, target, &mut files);
            written.map_err(|error| error.into_image_error(&package.label(), wrong))?;
        }
        Ok(Unpacked {
            name: package.name.clone(),
            version: package.version.clone(),
            source: PackageSource::Pypi,
            sha256: self.sha256.clone(),
            licence,
            files,
        })
    }
}

/// Its own description of itself.
fn metadata(archive: &mut ZipArchive<Cursor<&Vec<u8>>>) -> Option<String> {
    let is_it = |index: &usize| {
        let name = archive.name_for_index(*index).and_then(Result::ok);
        let folder = name
            .as_deref()
            .and_then(|name| name.strip_suffix("/METADATA"));
        folder.is_some_and(|folder| folder.ends_with(".dist-info") && !folder.contains('/'))
    };
    let index = (0..archive.len()).find(is_it)?;
    let mut text = Vec::new();
    let entry = archive.by_index(index).ok()?;
    entry.take(MAX_METADATA_BYTES).read_to_end(&mut text).ok()?;
    Some(String::from_utf8_lossy(&text).into_owned())
}

/// What it calls its licence (PEP 639, else what came before it).
fn licence(metadata: &str) -> String {
    let head = metadata.split("\n\n").next().unwrap_or_default();
    let field = |name: &str| {
        let mut values = head.lines().filter_map(|line| line.strip_prefix(name));
        values.next_back().map(str::trim)
    };
    let named = field("License-Expression:").or_else(|| field("License:"));
    let of_classifier = || field("Classifier: License :: OSI Approved ::");
    let licence = named
        .and_then(licence_name)
        .or_else(|| of_classifier().and_then(licence_name));
    licence.unwrap_or_default().to_owned()
}

/// Writes one of its files, if guests have use for it, and the programs that it names.
fn write_entry(
    entry: &mut ZipFile<'_, impl Read>,
    target: &mut Target<'_>,
    files: &mut Vec<PathBuf>,
) -> Result<(), TargetError> {
    let Some(name) = entry
        .name()
        .ok()
        .filter(|_| entry.is_file())
        .map(|name| name.to_string())
    else {
        return Ok(());
    };
    let place = place(&name, target.python);
    let Some(path) = place.filter(|path| may_be_written(path, target)) else {
        return Ok(());
    };
    let file = NewFile {
        path: &path,
        is_executable: entry.unix_mode().unwrap_or(0) & 0o111 != 0,
    };
    let is_written = if is_entry_points(&name) {
        let text = read_entry_points(entry, &path)?;
        files.extend(programs(target, &String::from_utf8_lossy(&text))?);
        put(target, file, &text[..])?
    } else {
        put(target, file, entry)?
    };
    files.extend(is_written.then_some(path));
    Ok(())
}

fn read_entry_points(entry: impl Read, path: &Path) -> Result<Vec<u8>, TargetError> {
    let mut text = Vec::new();
    let read = entry
        .take(MAX_ENTRY_POINTS_BYTES + 1)
        .read_to_end(&mut text);
    read.map_err(|source| TargetError::Io {
        path: path.to_path_buf(),
        source,
    })?;
    match text.len() as u64 > MAX_ENTRY_POINTS_BYTES {
        true => Err(TargetError::EntryPoints),
        false => Ok(text),
    }
}

/// Its own list of programs, not one that is among its data.
fn is_entry_points(name: &str) -> bool {
    let folder = name.strip_suffix("/entry_points.txt");
    folder.is_some_and(|folder| folder.ends_with(".dist-info") && !folder.contains('/'))
}

/// Programs as pip writes them.
fn programs(target: &mut Target<'_>, text: &str) -> Result<Vec<PathBuf>, TargetError> {
    let mut files = Vec::new();
    for (name, module, function) in console_scripts(text) {
        let path = Path::new(PROGRAMS).join(name);
        let top = function.split('.').next().unwrap_or(function);
        let script = format!(
            "#!{INTERPRETER}\nimport sys\nfrom {module} import {top}\nif __name__ == '__main__':\n    sys.exit({function}())\n"
        );
        let file = NewFile {
            path: &path,
            is_executable: true,
        };
        if put(target, file, script.as_bytes())? {
            files.push(path);
        }
    }
    Ok(files)
}

/// Writes a file; false where the image has another of this name, which stays.
fn put(
    target: &mut Target<'_>,
    file: NewFile<'_>,
    mut content: impl Read,
) -> Result<bool, TargetError> {
    let path = file.path;
    // Modules may be newer than the image's, as the set that was resolved says.
    if !path.starts_with(target.python.path()) && target.is_taken(path) {
        return Ok(false);
    }
    let is_program = path.starts_with(PROGRAMS);
    let file = NewFile {
        path,
        is_executable: file.is_executable || is_program,
    };
    if !is_program {
        return target.write(&file, content).map(|()| true);
    }
    // Scripts of wheels begin with a word that stands for the interpreter.
    let mut start = Vec::new();
    let read = content
        .by_ref()
        .take(PLACEHOLDER.len() as u64)
        .read_to_end(&mut start);
    read.map_err(|source| TargetError::Io {
        path: path.to_path_buf(),
        source,
    })?;
    if start == PLACEHOLDER {
        start = [b"#!", INTERPRETER.as_bytes()].concat();
    }
    target.write(&file, start.chain(content)).map(|()| true)
}

/// Name, module and function of each line `name = module:function [extras]` of that section.
fn console_scripts(text: &str) -> impl Iterator<Item = (&str, &str, &str)> {
    let mut inside = false;
    text.lines().filter_map(move |line| {
        let line = line.trim();
        if line.starts_with('[') {
            inside = line == "[console_scripts]";
            return None;
        }
        let (name, what) = line.split_once('=').filter(|_| inside)?;
        let what = what.split('[').next()?.trim();
        let (module, function) = what.split_once(':')?;
        let name = name.trim();
        let dotted = |text: &str| {
            text.bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"._".contains(&b))
        };
        let plain = |text: &str| {
            text.bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        };
        let safe = plain(name) && !name.starts_with(['.', '-']) && !name.is_empty();
        (safe && dotted(module) && dotted(function)).then_some((name, module, function))
    })
}

/// Where a file of a wheel belongs; `None` for what guests have no use for, and for what leads elsewhere.
fn place(name: &str, modules: PythonFolder) -> Option<PathBuf> {
    let modules = Path::new(modules.path());
    let path = Path::new(name);
    let stays = path
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    if !stays || name.contains('\\') || name.chars().any(char::is_control) {
        return None;
    }
    let mut parts = path.components();
    let top = parts.next()?.as_os_str().to_str()?;
    if !top.ends_with(".data") {
        return Some(modules.join(path));
    }
    let scheme = parts.next()?.as_os_str().to_str()?;
    let rest = parts.as_path();
    match scheme {
        "purelib" | "platlib" => Some(modules.join(rest)),
        "scripts" => Some(Path::new(PROGRAMS).join(rest)),
        "data" => Some(Path::new("usr").join(rest)),
        _ => None,
    }
}

/// What of a wheel that nobody looked at may be written: modules, programs, data, and libraries beside the image's own.
fn may_be_written(path: &Path, target: &Target<'_>) -> bool {
    let is_module = path.starts_with(target.python.path());
    if matches!(target.vetting, Vetting::Own) || is_module || path.starts_with(PROGRAMS) {
        return true;
    }
    let mut parts = path
        .components()
        .skip(1)
        .filter_map(|part| part.as_os_str().to_str());
    match (parts.next(), parts.next()) {
        (Some("share" | "etc"), Some(_)) => true,
        (Some("lib"), Some(own)) => !own.starts_with("python") && !own.ends_with("-linux-gnu"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_go_where_pip_puts_them_and_nowhere_else() {
        let cases = [
            (
                "numpy/__init__.py",
                Some("usr/lib/python3/dist-packages/numpy/__init__.py"),
            ),
            ("n-1.data/scripts/tool", Some("usr/bin/tool")),
            (
                "n-1.data/purelib/n.py",
                Some("usr/lib/python3/dist-packages/n.py"),
            ),
            ("n-1.data/data/share/n", Some("usr/share/n")),
            ("n-1.data/headers/n.h", None),
            ("../../etc/passwd", None),
            ("/etc/passwd", None),
            ("a/../../b", None),
            ("n-1.data/data/../../../etc/passwd", None),
        ];
        for (name, expected) in cases {
            assert_eq!(
                place(name, PythonFolder::Own).as_deref(),
                expected.map(Path::new),
                "{name}"
            );
        }
    }

    #[test]
    fn a_licence_is_a_name_and_no_text() {
        for (metadata, expected) in [
            (
                "Name: n\nLicense-Expression: BSD-3-Clause AND MIT\nLicense: old\n\nLicense: x",
                "BSD-3-Clause AND MIT",
            ),
            ("License: MIT\n", "MIT"),
            (
                "License: \nClassifier: License :: OSI Approved :: Apache Software License\n",
                "Apache Software License",
            ),
            ("Name: n\n\nLicense: of the text below", ""),
        ] {
            assert_eq!(licence(metadata), expected, "{metadata}");
        }
        assert_eq!(licence(&format!("License: {}\n", "x".repeat(500))), "");
    }

    #[test]
    fn programs_are_read_from_their_section_alone() {
        let text = "[console_scripts]\nf2py = numpy.f2py:main\nx = a.b:C.run [extra]\n../up = a:b\nbad = a;b:c\n\n[other]\nno = a:b\n";
        let found: Vec<_> = console_scripts(text).collect();
        assert_eq!(
            found,
            [("f2py", "numpy.f2py", "main"), ("x", "a.b", "C.run")]
        );
    }
}

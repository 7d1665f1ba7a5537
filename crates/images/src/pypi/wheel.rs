//! A wheel: which guests can use, and where its files belong (PEP 427).

use super::lock::Pinned;
use crate::debian::Unpacked;
use crate::digest;
use crate::manifest::PackageSource;
use std::fs;
use std::io::{Cursor, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};
use zip::ZipArchive;

/// Guests' Python, as tags name it.
pub(super) const PYTHON: &str = "cp313";
const PYTHON_MINOR: u32 = 13;
/// Guests' glibc is 2.41.
const GLIBC_MINOR: u32 = 41;
/// Where Debian's Python finds modules that do not come with it.
const SITE: &str = "usr/lib/python3/dist-packages";
const PROGRAMS: &str = "usr/bin";
const INTERPRETER: &str = "/usr/bin/python3";
/// Bytes of what is in one; the largest that anybody uses has a third.
const MAX_UNPACKED_BYTES: u64 = 2 << 30;
const MAX_FILES: usize = 100_000;

/// A wheel whose digest was found right.
pub(super) struct Wheel {
    bytes: Vec<u8>,
    sha256: String,
}

/// How well a file suits guests, 0 the best; `None`: not at all.
pub(super) fn rank(file: &str) -> Option<u32> {
    let tags = file.strip_suffix(".whl")?;
    let mut parts = tags.rsplit('-');
    let (platforms, abis, pythons) = (parts.next()?, parts.next()?, parts.next()?);
    let platform = platforms.split('.').filter_map(platform_rank).min()?;
    let python = pythons
        .split('.')
        .filter_map(|python| python_rank(python, abis))
        .min()?;
    Some(python * 2 + platform)
}

fn platform_rank(platform: &str) -> Option<u32> {
    if platform == "any" {
        return Some(1);
    }
    let old = [
        "manylinux1_x86_64",
        "manylinux2010_x86_64",
        "manylinux2014_x86_64",
        "linux_x86_64",
    ];
    if old.contains(&platform) {
        return Some(0);
    }
    let glibc = platform
        .strip_prefix("manylinux_2_")?
        .strip_suffix("_x86_64")?;
    (glibc.parse::<u32>().ok()? <= GLIBC_MINOR).then_some(0)
}

fn python_rank(python: &str, abis: &str) -> Option<u32> {
    let has = |abi: &str| abis.split('.').any(|one| one == abi);
    if python == PYTHON && has(PYTHON) {
        return Some(0);
    }
    if has("abi3") {
        let minor: u32 = python.strip_prefix("cp3")?.parse().ok()?;
        return (minor <= PYTHON_MINOR).then_some(1);
    }
    if python == PYTHON && has("none") {
        return Some(2);
    }
    let pure = ["py3", "py313"].contains(&python) && has("none");
    pure.then_some(3)
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

    /// Writes its files below `tree`.
    pub(super) fn unpack(&self, tree: &Path, package: &Pinned) -> Result<Unpacked, String> {
        let mut archive = ZipArchive::new(Cursor::new(&self.bytes))
            .map_err(|error| format!("is no wheel: {error}"))?;
        if archive.len() > MAX_FILES {
            return Err(format!("has more than {MAX_FILES} files"));
        }
        let (mut files, mut left) = (Vec::new(), MAX_UNPACKED_BYTES);
        for index in 0..archive.len() {
            let mut entry = archive.by_index(index).map_err(|error| error.to_string())?;
            let Some(path) = entry
                .name()
                .ok()
                .and_then(|name| place(&name))
                .filter(|_| entry.is_file())
            else {
                continue;
            };
            let mut content = Vec::new();
            let taken = entry.by_ref().take(left + 1).read_to_end(&mut content);
            taken.map_err(|error| format!("{}: {error}", path.display()))?;
            left = left
                .checked_sub(content.len() as u64)
                .ok_or_else(|| format!("has more than {MAX_UNPACKED_BYTES} bytes"))?;
            if path.ends_with("entry_points.txt") {
                files.extend(self.entry_points(tree, &String::from_utf8_lossy(&content))?);
            }
            write(
                tree,
                &path,
                &with_interpreter(&path, content),
                entry.unix_mode().unwrap_or(0o644),
            )?;
            files.push(path);
        }
        Ok(Unpacked {
            name: package.name.clone(),
            version: package.version.clone(),
            source: PackageSource::Pypi,
            sha256: self.sha256.clone(),
            files,
        })
    }

    /// Programs as pip writes them.
    fn entry_points(&self, tree: &Path, text: &str) -> Result<Vec<PathBuf>, String> {
        let mut files = Vec::new();
        for (name, module, function) in console_scripts(text) {
            let path = Path::new(PROGRAMS).join(name);
            let top = function.split('.').next().unwrap_or(function);
            let script = format!(
                "#!{INTERPRETER}\nimport sys\nfrom {module} import {top}\nif __name__ == '__main__':\n    sys.exit({function}())\n"
            );
            write(tree, &path, script.as_bytes(), 0o755)?;
            files.push(path);
        }
        Ok(files)
    }
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
fn place(name: &str) -> Option<PathBuf> {
    let path = Path::new(name);
    let stays = path
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    if !stays || name.contains(['\\', '\0']) {
        return None;
    }
    let mut parts = path.components();
    let top = parts.next()?.as_os_str().to_str()?;
    if !top.ends_with(".data") {
        return Some(Path::new(SITE).join(path));
    }
    let scheme = parts.next()?.as_os_str().to_str()?;
    let rest = parts.as_path();
    match scheme {
        "purelib" | "platlib" => Some(Path::new(SITE).join(rest)),
        "scripts" => Some(Path::new(PROGRAMS).join(rest)),
        "data" => Some(Path::new("usr").join(rest)),
        _ => None,
    }
}

/// Scripts of wheels begin with a word that stands for the interpreter.
fn with_interpreter(path: &Path, content: Vec<u8>) -> Vec<u8> {
    let placeholder: &[u8] = b"#!python";
    match path.starts_with(PROGRAMS) && content.starts_with(placeholder) {
        true => [b"#!", INTERPRETER.as_bytes(), &content[placeholder.len()..]].concat(),
        false => content,
    }
}

fn write(tree: &Path, path: &Path, content: &[u8], mode: u32) -> Result<(), String> {
    let whole = tree.join(path);
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    if let Some(above) = whole.parent() {
        fs::create_dir_all(above).map_err(failed)?;
    }
    // A link that another package left there would lead the content elsewhere.
    if whole.is_symlink() {
        fs::remove_file(&whole).map_err(failed)?;
    }
    fs::write(&whole, content).map_err(failed)?;
    let executable = mode & 0o111 != 0 || path.starts_with(PROGRAMS);
    let mode = if executable { 0o755 } else { 0o644 };
    fs::set_permissions(&whole, fs::Permissions::from_mode(mode)).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_that_suits_best_comes_first() {
        let files = [
            "n-1-cp313-cp313-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl",
            "n-1-cp311-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
            "n-1-py3-none-manylinux_2_28_x86_64.whl",
            "n-1-py2.py3-none-any.whl",
        ];
        let ranks: Vec<Option<u32>> = files.iter().map(|file| rank(file)).collect();
        assert!(
            ranks.is_sorted() && ranks.iter().all(Option::is_some),
            "{ranks:?}"
        );
        for file in [
            "n-1-cp313-cp313t-manylinux_2_28_x86_64.whl",
            "n-1-cp314-cp314-manylinux_2_28_x86_64.whl",
            "n-1-cp314-abi3-manylinux_2_28_x86_64.whl",
            "n-1-cp313-cp313-manylinux_2_28_aarch64.whl",
            "n-1-cp313-cp313-musllinux_1_2_x86_64.whl",
            "n-1-cp313-cp313-manylinux_2_99_x86_64.whl",
            "n-1-cp313-cp313-win_amd64.whl",
            "n-1.tar.gz",
        ] {
            assert_eq!(rank(file), None, "{file}");
        }
    }

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
            assert_eq!(place(name).as_deref(), expected.map(Path::new), "{name}");
        }
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

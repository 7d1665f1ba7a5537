//! A user's file: `images build FILE.toml`.

use super::DEFAULT_MAX_MIB;
use crate::error::ImageError;
use crate::oci::Source;
use languages::custom::Defaults;
use languages::image::is_debian_package;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};

/// Of the file itself, in bytes.
const MAX_FILE_BYTES: u64 = 1 << 20;
/// Of a file that goes into the image, in bytes.
const MAX_ADDED_BYTES: u64 = 256 << 20;
/// Of all of them.
const MAX_ALL_BYTES: u64 = 1 << 30;
/// What `from` names for nothing but Debian.
const DEBIAN: &str = "debian:trixie";

/// What the file says, and all that it names.
#[derive(Debug, Clone)]
pub struct ImageSpec {
    /// The image's name.
    pub name: String,
    /// For people.
    pub about: String,
    /// What it begins with.
    pub base: Base,
    /// Packages of Debian.
    pub packages: Vec<String>,
    /// A lock file of Python packages, with hashes.
    pub pip: Option<Vec<u8>>,
    /// A lock file of npm's.
    pub npm: Option<Vec<u8>>,
    /// Files, by where they go: relative to the root.
    pub files: BTreeMap<PathBuf, AddedFile>,
    /// Languages whose programs run in it; empty: those whose programs are found.
    pub languages: Vec<String>,
    /// In the environment of its programs.
    pub env: BTreeMap<String, String>,
    /// What is run where no program is named.
    pub command: Vec<String>,
    /// A larger one is refused.
    pub max_mib: u64,
}

/// A file of the user's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddedFile {
    /// Its content.
    pub content: Vec<u8>,
    /// Whether it may be run.
    pub is_executable: bool,
}

/// What an image begins with.
#[derive(Debug, Clone)]
pub enum Base {
    /// Debian's smallest system.
    Debian,
    /// An image of the store, by its name.
    Image(String),
    /// An image of the Open Container Initiative.
    Oci(Source),
}

/// The file as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: Option<String>,
    #[serde(default)]
    about: Option<String>,
    from: String,
    #[serde(default)]
    packages: Vec<String>,
    pip: Option<PathBuf>,
    npm: Option<PathBuf>,
    #[serde(default)]
    files: BTreeMap<PathBuf, PathBuf>,
    #[serde(default)]
    languages: Vec<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    #[serde(default)]
    command: Vec<String>,
    max_size: Option<String>,
}

impl ImageSpec {
    /// Reads the file, and those that it names, which stand beside it.
    pub fn read(path: &Path) -> Result<ImageSpec, ImageError> {
        let wrong = |why: String| ImageError::Spec {
            path: path.to_path_buf(),
            why,
        };
        let bytes = bounded(path, MAX_FILE_BYTES)?;
        let text = String::from_utf8(bytes).map_err(|_| wrong("is not UTF-8".to_owned()))?;
        let written: Written = toml::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        let stem = path
            .file_stem()
            .map(|stem| stem.to_string_lossy().into_owned());
        let beside = path.parent().unwrap_or(Path::new("."));
        let read = |name: &PathBuf| bounded(&beside.join(name), MAX_ADDED_BYTES);
        let lock = |name: &Option<PathBuf>| name.as_ref().map(read).transpose();
        let max_mib = match &written.max_size {
            None => DEFAULT_MAX_MIB,
            Some(text) => mib(text).ok_or_else(|| {
                wrong(format!(
                    "max_size is {text:?}; write a number and MiB or GiB"
                ))
            })?,
        };
        packages(&written.packages).map_err(wrong)?;
        Ok(ImageSpec {
            name: written.name.clone().or(stem).unwrap_or_default(),
            about: written
                .about
                .clone()
                .unwrap_or_else(|| "a user's".to_owned()),
            base: base(&written.from).map_err(wrong)?,
            pip: lock(&written.pip)?,
            npm: lock(&written.npm)?,
            files: files(&written.files, beside).map_err(|error| match error {
                FilesError::Wrong(why) => wrong(why),
                FilesError::Image(error) => error,
            })?,
            packages: written.packages,
            languages: known(written.languages).map_err(wrong)?,
            env: written.env,
            command: written.command,
            max_mib,
        })
    }

    /// What it says itself comes after what its base says.
    pub(crate) fn defaults_over(&self, defaults: &mut Defaults) {
        defaults.env.extend(self.env.clone());
        if !self.command.is_empty() {
            defaults.command.clone_from(&self.command);
            defaults.arguments.clear();
        }
    }
}

fn base(from: &str) -> Result<Base, String> {
    if from == DEBIAN {
        return Ok(Base::Debian);
    }
    if from.starts_with("debian:") {
        return Err(format!(
            "from is {from:?}; the release that there is is {DEBIAN:?}"
        ));
    }
    let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if from.bytes().all(is_name) {
        return Ok(Base::Image(from.to_owned()));
    }
    let source = from.parse::<Source>();
    source
        .map(Base::Oci)
        .map_err(|error| format!("from: {error}"))
}

enum FilesError {
    Wrong(String),
    Image(ImageError),
}

fn files(
    written: &BTreeMap<PathBuf, PathBuf>,
    beside: &Path,
) -> Result<BTreeMap<PathBuf, AddedFile>, FilesError> {
    let mut left = MAX_ALL_BYTES;
    let mut all = BTreeMap::new();
    for (target, source) in written {
        let plain: PathBuf = target
            .components()
            .filter(|part| *part != Component::RootDir)
            .collect();
        let is_plain = plain
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
        if !is_plain || plain.as_os_str().is_empty() {
            return Err(FilesError::Wrong(format!(
                "files has {}; write where it goes, without '..'",
                target.display()
            )));
        }
        let path = beside.join(source);
        let content = bounded(&path, MAX_ADDED_BYTES.min(left)).map_err(FilesError::Image)?;
        left -= content.len() as u64;
        use std::os::unix::fs::PermissionsExt as _;
        let metadata = fs::metadata(&path)
            .map_err(|error| FilesError::Image(ImageError::io("looking at", &path)(error)))?;
        let is_executable = metadata.permissions().mode() & 0o111 != 0;
        all.insert(
            plain,
            AddedFile {
                content,
                is_executable,
            },
        );
    }
    Ok(all)
}

fn known(names: Vec<String>) -> Result<Vec<String>, String> {
    let unknown = names
        .iter()
        .find(|name| languages::Language::from_name(name).is_none());
    match unknown {
        None => Ok(names),
        Some(name) => Err(format!(
            "languages has {name:?}; there are {}",
            languages::names()
        )),
    }
}

fn packages(names: &[String]) -> Result<(), String> {
    match names.iter().find(|name| !is_debian_package(name)) {
        None => Ok(()),
        Some(name) => Err(format!(
            "packages has {name:?}, which is no name of a Debian package"
        )),
    }
}

/// `700 MiB`, `2 GiB`, or a number of MiB.
fn mib(text: &str) -> Option<u64> {
    let digits = text
        .find(|letter: char| !letter.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    match unit.trim() {
        "" | "MiB" => Some(number),
        "GiB" => number.checked_mul(1024),
        _ => None,
    }
}

/// A plain file, no larger than this.
fn bounded(path: &Path, max_bytes: u64) -> Result<Vec<u8>, ImageError> {
    let metadata = fs::metadata(path).map_err(ImageError::io("reading", path))?;
    let wrong = |why: String| ImageError::Spec {
        path: path.to_path_buf(),
        why,
    };
    if !metadata.is_file() {
        return Err(wrong("is no file".to_owned()));
    }
    let file = fs::File::open(path).map_err(ImageError::io("reading", path))?;
    let mut bytes = Vec::new();
    file.take(max_bytes + 1)
        .read_to_end(&mut bytes)
        .map_err(ImageError::io("reading", path))?;
    match bytes.len() as u64 > max_bytes {
        true => Err(wrong(format!("has more than {max_bytes} bytes"))),
        false => Ok(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<ImageSpec, String> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("beside.txt"), "content").unwrap();
        let path = folder.path().join("mine.toml");
        fs::write(&path, text).unwrap();
        ImageSpec::read(&path).map_err(|error| error.to_string())
    }

    #[test]
    fn a_file_is_read_with_what_it_names() {
        let spec = read(
            "from = \"python-data\"\npackages = [\"jq\"]\nlanguages = [\"python\"]\nmax_size = \"1 GiB\"\n\
             [files]\n\"/opt/a\" = \"beside.txt\"\n[env]\nA = \"1\"\n",
        )
        .unwrap();
        assert_eq!((&*spec.name, spec.max_mib), ("mine", 1024));
        assert!(matches!(&spec.base, Base::Image(name) if name == "python-data"));
        assert_eq!(spec.files[Path::new("opt/a")].content, b"content");
        for (from, is_it) in [
            ("debian:trixie", "Debian"),
            ("oci:folder", "Oci"),
            ("docker-archive:file.tar", "Oci"),
        ] {
            let spec = read(&format!("from = {from:?}")).unwrap();
            assert!(format!("{:?}", spec.base).starts_with(is_it), "{from}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_named() {
        for (text, words) in [
            ("", "from"),
            ("from = \"debian:bookworm\"", "debian:trixie"),
            ("from = \"python\"\nmore = 1", "more"),
            ("from = \"python\"\npackages = [\"--force\"]", "--force"),
            ("from = \"python\"\nmax_size = \"lots\"", "max_size"),
            ("from = \"python\"\nlanguages = [\"cobol\"]", "cobol"),
            ("from = \"python\"\npip = \"absent.lock\"", "absent.lock"),
            (
                "from = \"python\"\n[files]\n\"../x\" = \"beside.txt\"",
                "../x",
            ),
            ("from = \"python\"\n[files]\n\"/x\" = \".\"", "no file"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}

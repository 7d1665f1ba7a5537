//! Two trees of one image: kinds, modes, contents, links' targets, which names are one file.

use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// What a comparison saw.
pub struct Compared {
    pub entries: usize,
    /// Differences that are meant, by reason.
    pub expected: BTreeMap<&'static str, usize>,
    pub unexpected: Vec<String>,
}

/// An entry as it is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    kind: char,
    mode: u32,
    /// A digest, or a link's target.
    content: String,
    /// The first name, in order, of the same file.
    first: PathBuf,
}

/// A difference that is meant: from what `umoci` has to what this tool has, or to nothing.
type Rule = (&'static str, fn(&Entry, Option<&Entry>) -> bool);

pub const PIPES: &str = "pipes are not taken over";
pub const DEVICES: &str = "devices are not taken over";
const RULES: [Rule; 3] = [
    (PIPES, |theirs, own| theirs.kind == 'p' && own.is_none()),
    // Without root it makes an empty file in a device's place.
    (DEVICES, |theirs, own| {
        theirs.kind == 'f' && theirs.content == empty() && own.is_none()
    }),
    (
        "setuid and setgid bits go, files are readable, folders too",
        |theirs, own| {
            own.is_some_and(|own| {
                own.mode == widened(theirs)
                    && Entry {
                        mode: own.mode,
                        ..theirs.clone()
                    } == *own
            })
        },
    ),
];

fn empty() -> String {
    hex::encode(Sha256::digest(b""))
}

/// The rule for modes, written once more and otherwise.
fn widened(entry: &Entry) -> u32 {
    let mode = entry.mode & !0o6000;
    match entry.kind {
        'd' => mode | 0o755,
        'f' if mode & 0o111 == 0 => (mode & !0o1000) | 0o444,
        'f' => (mode & !0o1000) | 0o555,
        _ => mode,
    }
}

fn entries(root: &Path) -> BTreeMap<PathBuf, Entry> {
    let mut firsts: BTreeMap<u64, PathBuf> = BTreeMap::new();
    let mut found = BTreeMap::new();
    for entry in walkdir::WalkDir::new(root).sort_by_file_name() {
        let entry = entry.unwrap();
        let name = entry.path().strip_prefix(root).unwrap().to_path_buf();
        let metadata = entry.path().symlink_metadata().unwrap();
        let kind = metadata.file_type();
        let (kind, content) = match () {
            () if kind.is_dir() => ('d', String::new()),
            () if kind.is_symlink() => (
                'l',
                fs::read_link(entry.path()).unwrap().display().to_string(),
            ),
            () if kind.is_file() => (
                'f',
                hex::encode(Sha256::digest(fs::read(entry.path()).unwrap())),
            ),
            () => ('p', String::new()),
        };
        let first = match kind {
            'f' => firsts
                .entry(metadata.ino())
                .or_insert_with(|| name.clone())
                .clone(),
            _ => name.clone(),
        };
        // Modes of links have no meaning.
        let mode = if kind == 'l' {
            0
        } else {
            metadata.permissions().mode() & 0o7777
        };
        found.insert(
            name,
            Entry {
                kind,
                mode,
                content,
                first,
            },
        );
    }
    found
}

/// Compares what `umoci` unpacked with what this tool brought.
pub fn compare(theirs: &Path, own: &Path) -> Compared {
    let (theirs, own) = (entries(theirs), entries(own));
    let mut compared = Compared {
        entries: own.len(),
        expected: BTreeMap::new(),
        unexpected: Vec::new(),
    };
    for (name, entry) in &theirs {
        let seen = own.get(name);
        if seen == Some(entry) {
            continue;
        }
        match RULES.iter().find(|(_, holds)| holds(entry, seen)) {
            Some((reason, _)) => *compared.expected.entry(reason).or_default() += 1,
            None => compared
                .unexpected
                .push(format!("{}: {entry:?}, {seen:?}", name.display())),
        }
    }
    let more = own.keys().filter(|name| !theirs.contains_key(*name));
    let more = more.map(|name| format!("{} is in none of theirs", name.display()));
    compared.unexpected.extend(more);
    compared
}

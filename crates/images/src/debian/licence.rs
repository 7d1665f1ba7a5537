//! What a package's `copyright` file calls its licences.

use crate::manifest::is_printable;
use std::fs;
use std::path::Path;

/// A longer file is not read: the longest have some 300 KiB.
const MAX_BYTES: u64 = 2 << 20;
/// Bytes of what is written down, as every text of a manifest is bounded.
const MAX_TEXT_BYTES: usize = 240;

/// The licences that a package of this tree names, `A, B`; empty where its file has none in a form that can be read.
pub(super) fn of_package(tree: &Path, name: &str) -> String {
    let path = tree.join("usr/share/doc").join(name).join("copyright");
    let is_short = fs::metadata(&path).is_ok_and(|metadata| metadata.len() <= MAX_BYTES);
    let text = is_short.then(|| fs::read_to_string(&path).ok()).flatten();
    text.as_deref().map(in_text).unwrap_or_default()
}

/// Machine-readable copyright files (Debian's DEP-5) have lines `License: NAME`.
fn in_text(text: &str) -> String {
    let names = text
        .lines()
        .filter_map(|line| line.strip_prefix("License:"));
    let mut all: Vec<&str> = Vec::new();
    let mut bytes = 0;
    for name in names.map(str::trim) {
        let is_name = !name.is_empty() && is_printable(name);
        if !is_name || all.contains(&name) || bytes + name.len() + 2 > MAX_TEXT_BYTES {
            continue;
        }
        bytes += name.len() + 2;
        all.push(name);
    }
    all.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn licences_are_named_once_each() {
        let text = "Files: *\nLicense: GPL-3+\n text\n\nFiles: x\nLicense: MIT\n\nLicense: GPL-3+\nLicense: \u{1b}[2J\n";
        assert_eq!(in_text(text), "GPL-3+, MIT");
        assert_eq!(in_text("This is free software."), "");
        let long: String = (0..100)
            .map(|n| format!("License: licence-{n}\n"))
            .collect();
        assert!(in_text(&long).len() <= MAX_TEXT_BYTES);
    }
}

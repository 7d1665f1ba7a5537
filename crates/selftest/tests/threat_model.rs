//! Every test, attack and check that the threat model and the page of habits name exists.
#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Text of all Rust files below a folder.
fn sources(folder: &Path) -> String {
    let mut text = String::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                text.push_str(&fs::read_to_string(path).unwrap());
            }
        }
    }
    text
}

/// Whether a function of this name stands there behind a test's attribute.
fn is_tested(text: &str, name: &str) -> bool {
    let signature = format!("fn {name}(");
    let mut places = text.match_indices(&signature);
    places.any(|(at, _)| {
        let before = text[..at].trim_end_matches("async ").trim_end();
        let attributes = before.rsplit("\n\n").next().unwrap_or(before);
        attributes.contains("test]") || attributes.contains("test(")
    })
}

/// Says what is wrong with one name of the last column.
fn fault(name: &str) -> Option<String> {
    if let Some(attack) = name.strip_prefix("attack:") {
        let known = selftest::attacks().unwrap();
        return (!known.iter().any(|known| known.name == attack))
            .then(|| format!("no attack {attack}"));
    }
    if let Some(id) = name
        .strip_prefix("doctor:")
        .filter(|id| !id.starts_with(':'))
    {
        let checklist = fs::read_to_string(root().join("docs/production-checklist.md")).unwrap();
        return (!checklist.contains(&format!("| `{id}` |"))).then(|| format!("no check {id}"));
    }
    let Some((room, test)) = name.split_once("::") else {
        return Some(format!(
            "{name} is neither a test nor an attack nor a check"
        ));
    };
    let folder = root().join("crates").join(room);
    if !folder.is_dir() {
        return Some(format!("no crate {room}"));
    }
    (!is_tested(&sources(&folder), test)).then(|| format!("no test {name}"))
}

/// The last column of each row, and the row.
fn covered_by(page: &str) -> Vec<(String, &str)> {
    let lines: Vec<&str> = page.lines().collect();
    let is_row = |at: usize| {
        let is_head = lines
            .get(at + 1)
            .is_some_and(|next| next.starts_with("|---"));
        lines[at].starts_with("| ") && !is_head
    };
    let rows = (0..lines.len())
        .filter(|at| is_row(*at))
        .map(|at| lines[at]);
    rows.map(|row| {
        let row_text = row.replace("\\|", "/");
        let cells: Vec<&str> = row_text.trim_matches('|').split('|').collect();
        assert_eq!(cells.len(), 4, "{row}");
        (cells[3].trim().to_owned(), row)
    })
    .collect()
}

/// What is wrong with the names of a page's last column.
fn faults_of(page: &str, at_least: usize) -> Vec<String> {
    let page = fs::read_to_string(root().join(page)).unwrap();
    let rows = covered_by(&page);
    assert!(rows.len() >= at_least, "{}", rows.len());
    let mut faults = Vec::new();
    for (names, row) in rows {
        if names == "none" {
            continue;
        }
        let all: Vec<&str> = names.split('`').skip(1).step_by(2).collect();
        assert!(!all.is_empty(), "neither a name nor 'none': {row}");
        faults.extend(all.into_iter().filter_map(fault));
    }
    faults
}

#[test]
fn every_name_in_the_threat_model_exists() {
    let faults = faults_of("docs/threat-model.md", 30);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_habit_has_a_test() {
    let faults = faults_of("docs/habits.md", 25);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_name_that_does_not_exist_is_found() {
    for name in [
        "attack:no-such",
        "doctor:no-such",
        "vmm::no_such",
        "nowhere::x",
        "x",
    ] {
        assert!(fault(name).is_some(), "{name}");
    }
    // A function that is no test does not count.
    assert!(fault("selftest::is_tested").is_some());
    assert!(fault("selftest::every_name_in_the_threat_model_exists").is_none());
}

//! Links within the repository lead to files that are there and to headings that they have.

use crate::pages::{self, Page, repository};
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

/// What a page's links and headings are.
struct Read {
    /// Where a link stands, and where it leads.
    links: Vec<(String, String)>,
    anchors: Vec<String>,
}

fn options() -> Options {
    Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES | Options::ENABLE_STRIKETHROUGH
}

fn read(page: &Page) -> Read {
    let (mut links, mut anchors) = (Vec::new(), Vec::new());
    let mut heading: Option<String> = None;
    for (event, range) in Parser::new_ext(&page.text, options()).into_offset_iter() {
        match event {
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                links.push((page.at(range.start), dest_url.into_string()));
            }
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => {
                anchors.push(anchor(&heading.take().unwrap_or_default(), &anchors));
            }
            Event::Text(text) | Event::Code(text) => {
                if let Some(heading) = &mut heading {
                    heading.push_str(&text);
                }
            }
            _ => {}
        }
    }
    Read { links, anchors }
}

/// As GitHub makes it: lower case, without punctuation, spaces as hyphens, a number where it was there before.
fn anchor(heading: &str, before: &[String]) -> String {
    let kept = |letter: &char| letter.is_alphanumeric() || [' ', '-', '_'].contains(letter);
    let lower = heading.to_lowercase();
    let plain: String = lower.chars().filter(kept).collect();
    let plain = plain.replace(' ', "-");
    let numbered = (1..).map(|number| format!("{plain}-{number}"));
    let mut names = std::iter::once(plain.clone()).chain(numbered);
    names.find(|name| !before.contains(name)).unwrap()
}

/// `FOLDER/a/../b` without its detours; `None` where it leaves the repository.
fn inside(path: &Path) -> Option<PathBuf> {
    let mut whole = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => whole.push(name),
            Component::ParentDir if !whole.pop() => return None,
            Component::RootDir | Component::Prefix(_) => return None,
            Component::ParentDir | Component::CurDir => {}
        }
    }
    Some(whole)
}

#[test]
fn every_link_within_the_repository_leads_to_a_file_and_a_heading() {
    let pages = pages::all();
    let read: HashMap<&Path, Read> = pages
        .iter()
        .map(|page| (page.path.as_path(), read(page)))
        .collect();
    let mut dead = Vec::new();
    let mut checked = 0;
    for page in &pages {
        for (at, link) in &read[page.path.as_path()].links {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            checked += 1;
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let path = match file {
                "" => Some(page.path.clone()),
                file => inside(&page.path.with_file_name("").join(file)),
            };
            let path = path.filter(|path| repository().join(path).exists());
            let Some(path) = path else {
                dead.push(format!("{at}: {link}: no such file"));
                continue;
            };
            let has = |page: &Read| page.anchors.iter().any(|anchor| anchor == heading);
            if !heading.is_empty() && !read.get(path.as_path()).is_some_and(has) {
                dead.push(format!("{at}: {link}: no such heading"));
            }
        }
    }
    assert!(dead.is_empty(), "{}", dead.join("\n"));
    assert!(checked > 100, "only {checked} links were found");
}

/// Files that pages name in code (`crates/…`, `scripts/…`) are there, too; decisions tell of what was.
#[test]
fn files_that_pages_name_are_there() {
    const FOLDERS: &[&str] = &[
        "crates/",
        "deploy/",
        "docs/",
        "examples/",
        "fuzz/",
        "lab/",
        "scripts/",
        "sdk/",
        "tests/",
    ];
    let mut missing = Vec::new();
    for page in pages::all() {
        if page.path.starts_with("docs/decisions") || page.path.starts_with("CHANGELOG.md") {
            continue;
        }
        for (event, range) in Parser::new_ext(&page.text, options()).into_offset_iter() {
            let Event::Code(code) = event else { continue };
            let path = code.split([' ', ':']).next().unwrap_or_default();
            let is_one = FOLDERS.iter().any(|folder| path.starts_with(folder));
            let is_pattern = path.contains(['*', '{', '…', '<']);
            if is_one && !is_pattern && !repository().join(path).exists() {
                missing.push(format!("{}: {path}", page.at(range.start)));
            }
        }
    }
    assert!(missing.is_empty(), "not there:\n{}", missing.join("\n"));
}

#[test]
fn anchors_are_as_github_makes_them() {
    let seen = |headings: &[&str]| {
        let mut anchors: Vec<String> = Vec::new();
        for heading in headings {
            anchors.push(anchor(heading, &anchors));
        }
        anchors
    };
    assert_eq!(
        seen(&[
            "Pauses, snapshots, and forks",
            "`run`: a file's way",
            "Ports",
            "Ports",
            "What E2B's clients – see"
        ]),
        [
            "pauses-snapshots-and-forks",
            "run-a-files-way",
            "ports",
            "ports-1",
            "what-e2bs-clients--see"
        ]
    );
}

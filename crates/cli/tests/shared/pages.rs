//! The pages of the repository as tests read them: which there are, their blocks of commands, and the mark above each
//! block, which says what runs it or why nothing does.

use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};
use std::path::{Path, PathBuf};

/// Folders whose pages nobody of this repository wrote, or that pages are made of.
const NOT_OURS: &[&str] = &["node_modules", "src", "target"];

/// The checkout.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// One page.
pub struct Page {
    /// From the checkout's root.
    pub path: PathBuf,
    /// As it stands.
    pub text: String,
}

/// One block between fences.
#[derive(Debug)]
pub struct Block {
    /// `sh`, `python`; empty where the fence says nothing.
    pub language: String,
    /// Of its first line, from 1.
    pub line: usize,
    /// Its lines.
    pub text: String,
    /// What stands above it, or at the top of the page for its language.
    pub mark: Option<Mark>,
}

impl Block {
    /// What is typed of it: all of a `sh` block, and of a `console` block what stands behind `$ ` and, where a command goes
    /// on, `> `.
    pub fn typed(&self) -> String {
        if self.language != "console" {
            return self.text.clone();
        }
        let lines = self.text.lines();
        let typed = lines.filter_map(|line| line.strip_prefix("$ ").or(line.strip_prefix("> ")));
        typed.map(|line| format!("{line}\n")).collect()
    }
}

/// What a comment above a block says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mark {
    /// `<!-- run -->`: the tests of the service run it as it stands.
    Run,
    /// `<!-- run by: FILE, FILE -->`: tests that have it, or the same, with what it needs.
    RunBy(Vec<PathBuf>),
    /// `<!-- not run: WHY -->`
    NotRun(String),
}

impl Mark {
    /// Reads the text of a comment; `None` of any other comment.
    fn of(comment: &str) -> Option<Mark> {
        if comment == "run" {
            return Some(Mark::Run);
        }
        let by = comment.strip_prefix("run by: ");
        let by = by.map(|files| files.split(", ").map(PathBuf::from).collect());
        let why = comment.strip_prefix("not run: ").map(|why| why.to_owned());
        by.map(Mark::RunBy).or_else(|| why.map(Mark::NotRun))
    }

    /// `every LANG block MARK`: the mark of all blocks of a language that have none of their own.
    fn of_every(comment: &str) -> Option<(&str, Mark)> {
        let (language, mark) = comment.strip_prefix("every ")?.split_once(" block ")?;
        Mark::of(mark).map(|mark| (language, mark))
    }
}

/// All of them, in the order of their paths.
pub fn all() -> Vec<Page> {
    let root = repository();
    let is_ours = |entry: &walkdir::DirEntry| {
        let name = entry.file_name().to_string_lossy();
        entry.depth() == 0 || !(name.starts_with('.') || NOT_OURS.contains(&&*name))
    };
    let found = walkdir::WalkDir::new(&root).sort_by_file_name().into_iter();
    let mut pages = Vec::new();
    for entry in found.filter_entry(is_ours) {
        let entry = entry.unwrap();
        if entry.path().extension().is_some_and(|end| end == "md") {
            pages.push(Page {
                path: entry.path().strip_prefix(&root).unwrap().to_owned(),
                text: std::fs::read_to_string(entry.path()).unwrap(),
            });
        }
    }
    pages
}

impl Page {
    /// The page of this path.
    pub fn named(path: &str) -> Page {
        Page {
            path: path.into(),
            text: std::fs::read_to_string(repository().join(path)).unwrap(),
        }
    }

    /// Where a byte of it is, as editors take it: `PATH:LINE`.
    pub fn at(&self, offset: usize) -> String {
        format!("{}:{}", self.path.display(), self.line(offset))
    }

    fn line(&self, offset: usize) -> usize {
        self.text[..offset].matches('\n').count() + 1
    }

    /// Its blocks between fences, in their order.
    pub fn blocks(&self) -> Vec<Block> {
        let mut blocks: Vec<Block> = Vec::new();
        let (mut above, mut every) = (None, Vec::new());
        let mut is_open = false;
        for (event, range) in Parser::new(&self.text).into_offset_iter() {
            match event {
                Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(language))) => {
                    is_open = true;
                    blocks.push(Block {
                        language: language.into_string(),
                        line: self.line(range.start) + 1,
                        text: String::new(),
                        mark: above.take(),
                    });
                }
                Event::End(TagEnd::CodeBlock) => is_open = false,
                Event::Text(text) if is_open => {
                    blocks.last_mut().unwrap().text.push_str(&text);
                }
                Event::Html(html) => {
                    let comment = html.trim().strip_prefix("<!--");
                    let comment = comment.and_then(|rest| rest.strip_suffix("-->"));
                    let comment = comment.unwrap_or_default().trim();
                    above = Mark::of(comment);
                    every.extend(
                        Mark::of_every(comment).map(|(language, mark)| (language.to_owned(), mark)),
                    );
                }
                Event::Start(Tag::HtmlBlock) | Event::End(TagEnd::HtmlBlock) => {}
                _ => above = None,
            }
        }
        for block in &mut blocks {
            let of_language = every.iter().find(|(name, _)| *name == block.language);
            let of_language = of_language.map(|(_, mark)| mark.clone());
            block.mark = block.mark.take().or(of_language);
        }
        blocks
    }
}

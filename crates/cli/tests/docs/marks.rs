//! Every block that people copy says what runs it, or why nothing does; blocks that are shown are what they say.

use crate::pages::{self, Block, Mark, Page, repository};
use std::path::PathBuf;

/// Languages of blocks that people copy and run. Others are shown (`toml`, `json`) or drawn.
const RUNNABLE: &[&str] = &["sh", "console", "python", "js", "ts"];

/// What is wrong with a block's mark.
fn fault(block: &Block) -> Option<String> {
    match &block.mark {
        None => Some(
            "no mark above it: <!-- run -->, <!-- run by: FILE --> or <!-- not run: WHY -->".into(),
        ),
        Some(Mark::Run) if block.language != "sh" => {
            Some(format!("{} blocks are run by a FILE", block.language))
        }
        Some(Mark::RunBy(files)) => {
            let missing = |file: &&PathBuf| !repository().join(file).is_file();
            let missing = files.iter().find(missing)?;
            Some(format!("there is no {}", missing.display()))
        }
        Some(Mark::NotRun(why)) if why.split_whitespace().count() < 2 => {
            Some(format!("{why:?} is no reason"))
        }
        Some(_) => None,
    }
}

#[test]
fn every_block_of_commands_says_what_runs_it() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for page in pages::all() {
        let blocks = page.blocks();
        let runnable = |block: &&Block| RUNNABLE.contains(&block.language.as_str());
        for block in blocks.iter().filter(runnable) {
            seen += 1;
            let at = format!("{}:{}", page.path.display(), block.line);
            wrong.extend(fault(block).map(|fault| format!("{at}: {fault}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen > 40, "only {seen} blocks were found");
}

#[test]
fn blocks_of_toml_and_json_can_be_read() {
    for page in pages::all() {
        for block in page.blocks() {
            let fault = match block.language.as_str() {
                "toml" => toml::from_str::<toml::Table>(&block.text)
                    .err()
                    .map(|error| error.to_string()),
                "json" => serde_json::from_str::<serde_json::Value>(&block.text)
                    .err()
                    .map(|error| error.to_string()),
                _ => None,
            };
            let at = format!("{}:{}", page.path.display(), block.line);
            assert!(fault.is_none(), "{at}: {}", fault.unwrap_or_default());
        }
    }
}

#[test]
fn marks_are_read_from_above_a_block_and_from_the_top() {
    let text = "<!-- every python block run by: a.py -->\n\n```python\n1\n```\n\n<!-- run -->\n\n```sh\nls\n```\n\n<!-- run -->\nwords\n\n```sh\nls\n```\n\n<!-- not run: needs a network -->\n```sh\ncurl x\n```\n";
    let page = Page {
        path: "x.md".into(),
        text: text.into(),
    };
    let marks: Vec<Option<Mark>> = page.blocks().into_iter().map(|block| block.mark).collect();
    assert_eq!(
        marks,
        [
            Some(Mark::RunBy(vec!["a.py".into()])),
            Some(Mark::Run),
            None,
            Some(Mark::NotRun("needs a network".into())),
        ]
    );
    assert!(page.blocks().iter().filter_map(fault).count() >= 1);
}

//! E2B's code interpreter by E2B's own clients (`scripts/test-clients.sh` installs them): the tests of
//! `tests/clients/e2b_code`, against a live service.

use crate::behaviours::Of;
use crate::e2b::{against, client, outcome, repository};
use crate::lab;
use crate::pages::{Block, Mark, Page};
use crate::service::Service;
use std::path::Path;
use std::process::Command;

/// Images that the tests use; what needs one that is not there says that it is not run.
const IMAGES: &[&str] = &["python-data", "agent", "r", "java"];
/// Those without which there is nothing to show.
const NEEDED: &[&str] = &["python-data", "agent"];
/// As many sandboxes as the tests have at one time, with room for a library of data science.
const ROOM: &str = "
[limits.defaults]
memory_mib = 1024
[server.key_defaults]
sessions = 8
requests_per_second = 500.0
burst = 5000
";

#[tokio::test(flavor = "multi_thread")]
async fn e2bs_clients_run_code_unchanged() {
    let _alone = lab::alone().await;
    if !NEEDED.iter().all(|image| lab::can_run(image)) {
        return;
    }
    let rootfs = lab::state_dir().join("images/rootfs");
    let there = |image: &&&str| rootfs.join(format!("{image}.json")).exists();
    let images: Vec<&str> = IMAGES.iter().filter(there).copied().collect();
    let service = Service::start("e2b-code", ROOM);
    let tests = repository().join("tests/clients/e2b_code");
    if let Some(folder) = client("e2b-code-2.11.5") {
        let mut pytest = Command::new(folder.join("bin/python"));
        let options = ["-q", "-rp", "-p", "no:cacheprovider", "--timeout=180"];
        pytest.args(["-m", "pytest"]).args(options).arg(&tests);
        pytest.env("PYTHONDONTWRITEBYTECODE", "1");
        pytest.env("LLM_FIRECRACKER_IMAGES", images.join(" "));
        let said = against(&service, pytest);
        let outcome = outcome(&tests, Some(Of::Python), &said);
        println!("Python 2.11.5: {outcome}");
        of_the_page(&service, "python", |file| {
            let mut python = Command::new(folder.join("bin/python"));
            python.arg(file);
            python
        });
    }
    if let Some(folder) = client("e2b-code-js-2.8.0") {
        let mut node = Command::new("node");
        node.arg(tests.join("client.mjs")).arg(&folder);
        let said = against(&service, node);
        println!("JavaScript 2.8.0: {}", outcome(&tests, None, &said));
        of_the_page(&service, "js", |file| {
            let beside = file.with_file_name("node_modules");
            std::os::unix::fs::symlink(folder.join("node_modules"), beside).unwrap();
            let module = file.with_extension("mjs");
            std::fs::rename(file, &module).unwrap();
            let mut node = Command::new("node");
            node.arg(module);
            node
        });
    }
    service.stop();
}

/// Runs the page's programs in a language that name this test: each prints what stands behind `→ ` in it.
fn of_the_page(service: &Service, language: &str, by: impl Fn(&Path) -> Command) {
    let is_ours = |block: &Block| match &block.mark {
        Some(Mark::RunBy(files)) => files.iter().any(|file| file.ends_with("serve/e2b_code.rs")),
        _ => false,
    };
    let mut blocks = Page::named("docs/e2b.md").blocks();
    blocks.retain(|block| block.language == language && is_ours(block));
    assert!(!blocks.is_empty(), "{language}");
    for block in blocks {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("program");
        std::fs::write(&file, &block.text).unwrap();
        let said = against(service, by(&file));
        let lines = block.text.lines();
        let shown: Vec<&str> = lines
            .filter_map(|line| Some(line.split_once("→ ")?.1))
            .collect();
        assert_eq!(
            said.trim_end(),
            shown.join("\n"),
            "docs/e2b.md:{}",
            block.line
        );
    }
}

//! The commands of the pages, as they stand there: each block marked `<!-- run -->`, all of one page in one shell, in a
//! folder with the files of `examples`.
//!
//! - A line `# … PIECE … PIECE …` says what the commands above it printed: these pieces, in their order.
//! - `# … exits with N` behind a command says that it fails, and how. Any other failure fails the test.

use crate::lab;
use crate::pages::{self, Block, Mark, Page};
use crate::service::Service;
use crate::shell_session::{self, Printed};

/// What the pages' commands boot.
const IMAGES: &[&str] = &["python", "node", "go", "bash", "python-data", "agent"];
/// Where the pages take the service to be.
const DOCUMENTED: &str = "localhost:8080";
/// As many VMs at one time as the pages have.
const ROOM: &str =
    "[server.key_defaults]\nsessions = 8\nrequests_per_second = 500.0\nburst = 5000\n";

/// Commands, and what the page says of them.
struct Step {
    at: String,
    commands: String,
    pieces: Vec<String>,
    exits_with: Vec<i32>,
}

/// The steps of a block: each ends with a line that says what was printed.
fn steps(page: &Page, block: &Block) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut commands = String::new();
    let mut exits_with = Vec::new();
    let mut first = block.line;
    for (number, line) in (block.line..).zip(block.text.lines()) {
        let said = line.strip_prefix("# …");
        if said.is_none() {
            let code = line
                .rsplit_once(" exits with ")
                .map(|(_, code)| code.trim());
            exits_with.extend(code.map(|code| code.parse::<i32>().unwrap()));
            commands.push_str(line);
            commands.push('\n');
        }
        if said.is_some() || number + 1 == block.line + block.text.lines().count() {
            let pieces = said.unwrap_or_default().split('…').map(str::trim);
            steps.push(Step {
                at: format!("{}:{first}", page.path.display()),
                commands: std::mem::take(&mut commands),
                pieces: pieces
                    .filter(|piece| !piece.is_empty())
                    .map(str::to_owned)
                    .collect(),
                exits_with: std::mem::take(&mut exits_with),
            });
            first = number + 1;
        }
    }
    steps
}

/// What is wrong with what a step printed.
fn fault(step: &Step, printed: &Printed) -> Option<String> {
    let codes: Vec<i32> = printed.failed.iter().map(|(code, _)| *code).collect();
    if codes != step.exits_with {
        return Some(format!("failed: {:?}", printed.failed));
    }
    let mut rest = printed.text.as_str();
    for piece in &step.pieces {
        let Some(at) = rest.find(piece.as_str()) else {
            return Some(format!("it did not print {piece}"));
        };
        rest = &rest[at + piece.len()..];
    }
    None
}

/// Runs a page's blocks; what is wrong with them, and how many there are.
fn run(service: &Service, page: &Page, blocks: &[Block]) -> (Vec<String>, usize) {
    let address = service.base.trim_start_matches("http://");
    let steps: Vec<Step> = blocks.iter().flat_map(|block| steps(page, block)).collect();
    let scripts: Vec<String> = steps
        .iter()
        .map(|step| step.commands.replace(DOCUMENTED, address))
        .collect();
    let folder = shell_session::folder_of_examples();
    let printed = shell_session::run(service, folder.path(), &scripts);
    let faults = steps.iter().zip(&printed).filter_map(|(step, printed)| {
        let fault = fault(step, printed)?;
        Some(format!(
            "{}: {fault}\n{}---\n{}",
            step.at, step.commands, printed.text
        ))
    });
    (faults.collect(), steps.len())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_of_the_pages_do_what_they_say() {
    let _alone = lab::alone().await;
    let programs = ["curl", "jq", "timeout"].map(|name| lab::program(name, name).is_some());
    if programs.contains(&false) || !IMAGES.iter().all(|image| lab::can_run(image)) {
        return;
    }
    let service = Service::start("documents", ROOM);
    let (mut faults, mut ran) = (Vec::new(), 0);
    for page in pages::all() {
        let mut blocks = page.blocks();
        blocks.retain(|block| block.mark == Some(Mark::Run) && block.language == "sh");
        if !blocks.is_empty() {
            let (wrong, steps) = run(&service, &page, &blocks);
            faults.extend(wrong);
            ran += steps;
        }
    }
    service.stop();
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
    assert!(ran >= 20, "only {ran} steps were found");
}

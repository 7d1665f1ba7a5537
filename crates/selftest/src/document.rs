//! `docs/attacks.md`, made from the table so that it cannot say anything else.

use crate::error::SelftestError;
use crate::table::{Attack, KINDS, Standing, attacks, is_said_by_agent};

const HEAD: &str = "\
# The attack battery

Made from `crates/selftest/attacks/table.toml`; do not edit. `llm-firecracker selftest` runs it on your own host:
every attack in a VM of its own, as any job would be. After each the host is looked at (no process, file, mount,
listening socket or cgroup stays; nothing arrived at the host's ports; the tool's memory grew no more than allowed;
one start and one end were told), and the next job must give its right answer.

Two columns want a word. *From*: a `job` has every wall before it; `root` is root in the guest without any wall, where
the guest may fall and the host must not; `guest` is an agent that was taken over and talks to the host as it likes;
`client` asks a live sandbox for things, and its programs help.
*Idea*: the number of the idea in the project's list of attacks; one without came up on the way.
";

/// The whole page.
pub fn markdown() -> Result<String, SelftestError> {
    let all = attacks()?;
    let mut page = format!("{HEAD}\n{} attacks.\n", all.len());
    for (kind, name) in KINDS {
        page.push_str(&format!(
            "\n## {name}\n\n| attack | from | must hold | expected | idea |\n|---|---|---|---|---|\n"
        ));
        for attack in all.iter().filter(|attack| attack.kind == *kind) {
            page.push_str(&row(attack));
        }
    }
    Ok(page)
}

fn row(attack: &Attack) -> String {
    let from = match attack.standing {
        Standing::Root => "root",
        Standing::Job if is_said_by_agent(&attack.row.file) => "guest",
        Standing::Job if attack.row.file.ends_with(".client") => "client",
        Standing::Job => "job",
    };
    let covers: Vec<String> = attack.row.covers.iter().map(u8::to_string).collect();
    format!(
        "| [{}](../crates/selftest/attacks/{}) | {from} | {} | {} | {} |\n",
        attack.name,
        attack.row.file,
        attack.row.must,
        attack.expected(),
        covers.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/attacks.md");

    /// `UPDATE_DOCS=1 cargo test -p selftest` writes the page anew.
    #[test]
    fn the_page_says_what_the_table_says() {
        let page = markdown().unwrap();
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(PAGE, &page).unwrap();
        }
        let written = std::fs::read_to_string(PAGE).unwrap_or_default();
        assert!(
            written == page,
            "docs/attacks.md is not what the table says; run: UPDATE_DOCS=1 cargo test -p selftest"
        );
    }
}

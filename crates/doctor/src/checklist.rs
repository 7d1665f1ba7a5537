use crate::checks::GROUPS;
use std::fmt::Write;

/// The table of checks as Markdown: the production checklist.
pub fn checklist() -> String {
    let mut text = String::from(
        "<!-- Written from the table in crates/doctor; a test keeps it in step: UPDATE_CHECKLIST=1 cargo test -p doctor --test checklist -->\n\
         # Production checklist\n\n\
         Each row is a check of `llm-firecracker doctor`: run it, and nothing here is a matter of trust.\n\
         What cannot be seen from the host is a warning that says so, never a pass.\n\
         What only QEMU and Firecracker need is 'not needed' where jobs run under User-Mode Linux, and the other way round.\n\n\
         Sources: FC = Firecracker's documentation, version 1.17 (`docs/`); K = the kernel's (docs.kernel.org).\n",
    );
    for group in GROUPS {
        let _ = write!(
            text,
            "\n## {}\n\n| check | passes when | why | remedy | source |\n|---|---|---|---|---|\n",
            group.title
        );
        for check in group.checks {
            let _ = writeln!(
                text,
                "| `{}` | {} | {} | {} | {} |",
                check.id,
                cell(check.passes),
                cell(check.why),
                code(check.fix),
                cell(check.source)
            );
        }
    }
    text
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn code(text: &str) -> String {
    format!("`{}`", text.replace('|', "\\|"))
}

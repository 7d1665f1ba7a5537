//! The committed checklist is the table.
#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

use std::fs;

#[test]
fn the_committed_checklist_is_the_table() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/production-checklist.md"
    );
    if std::env::var_os("UPDATE_CHECKLIST").is_some() {
        fs::write(path, doctor::checklist()).unwrap();
    }
    assert_eq!(
        fs::read_to_string(path).unwrap(),
        doctor::checklist(),
        "run UPDATE_CHECKLIST=1 cargo test -p doctor --test checklist"
    );
}

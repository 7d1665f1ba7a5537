//! `llm-firecracker doctor`: can this host be trusted with code that nobody has read?
//!
//! One table of checks ([`GROUPS`], one file a group below `checks/`). A check reads the [`Host`] —
//! every path below one root, so that tests make up hosts — and the [`Facts`] that other crates
//! know, and gives an [`Outcome`]. [`examine`] runs them all into a [`Report`]; [`checklist`] writes
//! the same table as the production checklist of the documentation. [`gather`] asks what is not in
//! a file: versions, free space, whether a jail can be made.
//!
//! Three rules. What cannot be seen is never a pass. Nothing is changed: the remedy is printed.
//! Each check names the document that asks for it.
mod acl;
mod checklist;
mod checks;
pub mod facts;
pub mod gather;
mod host;
mod lookup;
mod outcome;
mod report;

pub use checklist::checklist;
pub use checks::{Check, GROUPS, Group, Look, Needs};
pub use facts::Facts;
pub use host::{Gap, Host};
pub use outcome::{Outcome, Status};
pub use report::{Colours, Report, Row};

/// Runs every check of the table.
pub fn examine(host: &Host) -> Report {
    let rows = GROUPS
        .iter()
        .flat_map(|group| {
            group
                .checks
                .iter()
                .flat_map(move |check| check.rows(group.title, host))
        })
        .collect();
    Report { rows }
}

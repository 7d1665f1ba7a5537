//! The table. A group is a file; a check is a row in it.

mod cgroups;
mod cpu;
mod engines;
mod files;
mod jails;
mod kernel;
mod kvm;
mod memory;
mod service;
mod uml;
mod unseen;
mod vm_confinement;
mod vm_groups;
mod vm_processes;
mod vm_resources;

use crate::facts::{Engine, Facts};
use crate::host::{Gap, Host};
use crate::outcome::Outcome;
use crate::report::Row;

/// A row of the table.
#[derive(Debug)]
pub struct Check {
    /// Stable, for scripts; kebab case.
    pub id: &'static str,
    /// What is looked at.
    pub title: &'static str,
    /// When it passes.
    pub passes: &'static str,
    /// Why it matters.
    pub why: &'static str,
    /// The exact command that mends it.
    pub fix: &'static str,
    /// Who asks for it.
    pub source: &'static str,
    /// How it is looked at.
    pub look: Look,
}

/// A check has one outcome, or one for each of several things of a kind.
#[derive(Debug, Clone, Copy)]
pub enum Look {
    /// One row.
    Once(fn(&Host) -> Result<Outcome, Gap>),
    /// One row each, told apart by a suffix of the id.
    Each(fn(&Host) -> Result<Suffixed, Gap>),
    /// One row, of what some engines need: where jobs run under another, it says so and passes.
    For(Needs, fn(&Host) -> Result<Outcome, Gap>),
}

/// Who needs what a check looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// QEMU and Firecracker.
    Hypervisors,
    /// User-Mode Linux, also where it would be the engine if nothing were in its way.
    UserMode,
}

impl Needs {
    /// The engine that jobs run under, where it is one that does not need it.
    fn unmet(self, facts: &Facts) -> Option<Engine> {
        facts.engine.filter(|engine| match self {
            Needs::Hypervisors => *engine == Engine::Uml,
            Needs::UserMode => *engine != Engine::Uml && !facts.uml.wanted,
        })
    }
}

/// The outcome of a check that the engine of the jobs does not need.
fn not_needed(engine: Engine) -> Outcome {
    Outcome::pass(format!("not needed: engine {engine}"))
}

/// Outcomes, each with what tells it apart.
pub type Suffixed = Vec<(String, Outcome)>;

/// Checks of one subject.
#[derive(Debug)]
pub struct Group {
    /// The heading.
    pub title: &'static str,
    /// The rows.
    pub checks: &'static [Check],
}

/// Every check there is, in the order in which they are shown.
pub const GROUPS: &[Group] = &[
    kvm::GROUP,
    cpu::GROUP,
    memory::GROUP,
    kernel::GROUP,
    cgroups::GROUP,
    engines::GROUP,
    uml::GROUP,
    jails::GROUP,
    files::GROUP,
    service::GROUP,
    vm_confinement::GROUP,
    vm_resources::GROUP,
    unseen::GROUP,
];

impl Check {
    pub(crate) fn rows(&'static self, group: &'static str, host: &Host) -> Vec<Row> {
        match self.look {
            Look::Once(look) => {
                vec![self.row(group, None, look(host).unwrap_or_else(Outcome::from))]
            }
            Look::For(needs, look) => {
                let outcome = match needs.unmet(&host.facts) {
                    Some(engine) => not_needed(engine),
                    None => look(host).unwrap_or_else(Outcome::from),
                };
                vec![self.row(group, None, outcome)]
            }
            Look::Each(look) => match look(host) {
                Err(gap) => vec![self.row(group, None, gap.into())],
                Ok(outcomes) => outcomes
                    .into_iter()
                    .map(|(suffix, outcome)| self.row(group, Some(&suffix), outcome))
                    .collect(),
            },
        }
    }

    fn row(&self, group: &'static str, suffix: Option<&str>, outcome: Outcome) -> Row {
        let (id, title) = match suffix {
            None => (self.id.to_owned(), self.title.to_owned()),
            Some(suffix) => (
                format!("{}-{}", self.id, suffix.replace('_', "-")),
                format!("{} {suffix}", self.title),
            ),
        };
        Row {
            id,
            status: outcome.status,
            seen: outcome.seen,
            why: self.why.to_owned(),
            fix: outcome.fix.unwrap_or_else(|| self.fix.to_owned()),
            title,
            group,
        }
    }
}

//! The profiles that this crate carries, embedded from `profiles/`.

use crate::error::{Error, Result};

/// The one that holds QEMU.
pub const VMM: &str = "vmm";
/// The one that User-Mode Linux starts under.
pub const UML_START: &str = "uml-start";
/// The one that it takes on besides when it has booted.
pub const UML: &str = "uml";

/// The one that the egress proxy runs under.
pub const EGRESS: &str = "egress";

/// Whom a profile holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    Jobs,
    /// No job's: it forbids to start a program, and allows what only a VMM has to ask for.
    Vmms,
    /// No job's either: sockets, and little else.
    Proxy,
}

/// Name and JSON of every built-in profile.
const BUILTINS: [(&str, Holds, &str); 6] = [
    (
        "default",
        Holds::Jobs,
        include_str!("../profiles/default.json"),
    ),
    (
        "strict",
        Holds::Jobs,
        include_str!("../profiles/strict.json"),
    ),
    (VMM, Holds::Vmms, include_str!("../profiles/vmm.json")),
    (
        UML_START,
        Holds::Vmms,
        include_str!("../profiles/uml-start.json"),
    ),
    (UML, Holds::Vmms, include_str!("../profiles/uml.json")),
    (
        EGRESS,
        Holds::Proxy,
        include_str!("../profiles/egress.json"),
    ),
];

/// The names of all built-in profiles: those of jobs, of VMMs, and of the egress proxy.
pub fn names() -> impl Iterator<Item = &'static str> {
    BUILTINS.iter().map(|(name, ..)| *name)
}

/// The names of those that hold jobs.
pub fn job_names() -> impl Iterator<Item = &'static str> {
    BUILTINS
        .iter()
        .filter(|(_, holds, _)| *holds == Holds::Jobs)
        .map(|(name, ..)| *name)
}

/// A built-in's JSON, for `--seccomp-profile` users to start from.
pub fn json(name: &str) -> Result<&'static str> {
    match BUILTINS.iter().find(|(builtin, ..)| *builtin == name) {
        Some((.., json)) => Ok(json),
        None => Err(unknown(name)),
    }
}

/// That no profile of this name holds jobs.
pub(crate) fn unknown(name: &str) -> Error {
    Error::UnknownBuiltin {
        name: name.to_owned(),
        known: job_names().collect::<Vec<_>>().join(", "),
    }
}

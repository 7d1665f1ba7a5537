//! The profiles that this crate carries, embedded from `profiles/`.

use crate::error::{Error, Result};

/// The one that holds QEMU.
pub const VMM: &str = "vmm";

/// Name and JSON of every built-in profile.
const BUILTINS: [(&str, &str); 3] = [
    ("default", include_str!("../profiles/default.json")),
    ("strict", include_str!("../profiles/strict.json")),
    (VMM, include_str!("../profiles/vmm.json")),
];

/// The names of all built-in profiles: `default` and `strict` for jobs, `vmm` for QEMU.
pub fn names() -> impl Iterator<Item = &'static str> {
    BUILTINS.iter().map(|(name, _)| *name)
}

/// The names of those that hold jobs. `vmm` is no job's: it forbids to start a program, and allows what
/// only a VMM has to ask for.
pub fn job_names() -> impl Iterator<Item = &'static str> {
    names().filter(|name| *name != VMM)
}

/// A built-in's JSON, for `--seccomp-profile` users to start from.
pub fn json(name: &str) -> Result<&'static str> {
    match BUILTINS.iter().find(|(builtin, _)| *builtin == name) {
        Some((_, json)) => Ok(json),
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

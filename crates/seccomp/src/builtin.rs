//! The profiles that this crate carries, embedded from `profiles/`.

use crate::error::{Error, Result};

/// Name and JSON of every built-in profile.
const BUILTINS: [(&str, &str); 3] = [
    ("default", include_str!("../profiles/default.json")),
    ("strict", include_str!("../profiles/strict.json")),
    ("vmm", include_str!("../profiles/vmm.json")),
];

/// The names of all built-in profiles: `default` and `strict` for jobs, `vmm` for QEMU.
pub fn names() -> impl Iterator<Item = &'static str> {
    BUILTINS.iter().map(|(name, _)| *name)
}

/// A built-in's JSON, for `--seccomp-profile` users to start from.
pub fn json(name: &str) -> Result<&'static str> {
    match BUILTINS.iter().find(|(builtin, _)| *builtin == name) {
        Some((_, json)) => Ok(json),
        None => Err(Error::UnknownBuiltin {
            name: name.to_owned(),
            known: names().collect::<Vec<_>>().join(", "),
        }),
    }
}

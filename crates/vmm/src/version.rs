//! The versions of the programs that VMs run in, as the programs tell them.

use crate::error::VmmError;
use std::path::Path;
use std::process::{Command, Stdio};

/// Major and minor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32, pub u32);

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

/// What a program says to `--version`.
pub fn said_by(program: &Path) -> Result<String, VmmError> {
    let output = Command::new(program)
        .arg("--version")
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .map_err(|e| VmmError::Unusable {
            program: program.to_path_buf(),
            reason: format!("it does not run: {e}"),
        })?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The version that stands behind `word` in what a program said, whole: `10.0.2`.
pub fn find(said: &str, word: &str) -> Result<String, String> {
    let found = said
        .split(word)
        .nth(1)
        .and_then(|rest| rest.split_whitespace().next());
    found
        .filter(|version| parse(version).is_some())
        .map(str::to_string)
        .ok_or_else(|| format!("it does not tell its version: {said:?}"))
}

/// Whether a version that [`find`] found is older.
pub fn is_older(version: &str, than: Version) -> bool {
    parse(version).is_none_or(|seen| seen < than)
}

fn parse(version: &str) -> Option<Version> {
    let mut parts = version.split('.');
    Some(Version(
        parts.next()?.parse().ok()?,
        parts.next()?.parse().ok()?,
    ))
}

//! Which Firecrackers are supported.

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

/// What each release can do here, oldest first; what is newer than the last row counts as the last
/// row. Older ones get no security fixes. Sources: Firecracker's change log and release policy (1.16).
pub const SUPPORTED: &[(Version, &str)] = &[
    (
        Version(1, 15),
        "boots; the jailer refuses links where it copies the program to (#5631)",
    ),
    (
        Version(1, 16),
        "boots and clones: vsock no longer loses a connection made at once after a restore (#5882)",
    ),
];

/// The oldest that boots.
pub const BOOTS_SINCE: Version = SUPPORTED[0].0;

/// The oldest whose clones can be talked to at once.
pub const CLONES_SINCE: Version = SUPPORTED[1].0;

/// Asks a program (`firecracker` or `jailer`) for its version; refuses what is too old.
pub fn of(program: &Path) -> Result<String, VmmError> {
    let unusable = |reason: String| VmmError::Unusable {
        program: program.to_path_buf(),
        reason,
    };
    let output = Command::new(program)
        .arg("--version")
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .map_err(|e| unusable(format!("it does not run: {e}")))?;
    judge(&String::from_utf8_lossy(&output.stdout)).map_err(unusable)
}

fn judge(said: &str) -> Result<String, String> {
    let version =
        version_in(said).ok_or_else(|| format!("it does not tell its version: {said:?}"))?;
    if parse(&version).is_none_or(|seen| seen < BOOTS_SINCE) {
        return Err(format!(
            "it is version {version}; supported are {BOOTS_SINCE} and newer (llm-firecracker setup installs one)"
        ));
    }
    Ok(version)
}

/// Why it cannot clone; `None` when it can.
pub fn clones_refused(version: &str) -> Option<String> {
    let old = parse(version).is_none_or(|seen| seen < CLONES_SINCE);
    old.then(|| {
        format!(
            "Firecracker {version} can lose a clone's connection; {CLONES_SINCE} or newer does not"
        )
    })
}

/// `1.16.1` in `Firecracker v1.16.1\n…` or `Jailer v1.16.1`.
fn version_in(text: &str) -> Option<String> {
    let word = text.split(" v").nth(1)?.split_whitespace().next()?;
    parse(word).map(|_| word.to_string())
}

fn parse(version: &str) -> Option<Version> {
    let mut parts = version.split('.');
    Some(Version(
        parts.next()?.parse().ok()?,
        parts.next()?.parse().ok()?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read_from_what_the_programs_say() {
        let firecracker = "Firecracker v1.16.1\n\n2026 [anonymous-instance:main] exiting\n";
        assert_eq!(judge(firecracker).unwrap(), "1.16.1");
        assert_eq!(judge("Jailer v1.17.0-dev\n").unwrap(), "1.17.0-dev");
        assert!(judge("something else").is_err());
    }

    #[test]
    fn an_older_one_is_refused_with_the_version_seen() {
        let error = judge("Firecracker v1.13.2\n").unwrap_err();
        assert!(
            error.contains("1.13.2") && error.contains("1.15"),
            "{error}"
        );
    }

    #[test]
    fn clones_need_a_newer_one() {
        assert!(clones_refused("1.15.1").unwrap().contains("1.15.1"));
        assert_eq!(clones_refused("1.16.0"), None);
        assert_eq!(clones_refused("1.17.0-dev"), None);
        assert_eq!(clones_refused("2.0.0"), None);
        assert!(SUPPORTED.windows(2).all(|w| w[0].0 < w[1].0));
    }
}

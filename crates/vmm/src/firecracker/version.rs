//! Which Firecrackers are supported.

use crate::error::VmmError;
use crate::version::{self, Version};
use std::path::Path;

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
    judge(&version::said_by(program)?).map_err(|reason| VmmError::Unusable {
        program: program.to_path_buf(),
        reason,
    })
}

/// `1.16.1` in `Firecracker v1.16.1\n…` or `Jailer v1.16.1`.
fn judge(said: &str) -> Result<String, String> {
    let version = version::find(said, " v")?;
    if version::is_older(&version, BOOTS_SINCE) {
        return Err(format!(
            "it is version {version}; supported are {BOOTS_SINCE} and newer (llm-firecracker setup installs one)"
        ));
    }
    Ok(version)
}

/// Why it cannot clone; `None` when it can.
pub fn clones_refused(version: &str) -> Option<String> {
    version::is_older(version, CLONES_SINCE).then(|| {
        format!(
            "Firecracker {version} can lose a clone's connection; {CLONES_SINCE} or newer does not"
        )
    })
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

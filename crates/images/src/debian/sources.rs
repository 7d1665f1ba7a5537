//! Where packages come from: a suite, what of its backports, and which versions of them.

use super::Unpacked;
use super::lock::{Lock, LockUse};
use crate::error::ImageError;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Adds a suite's backports to its sources, whatever mirror they name: one line a suite, as older
/// mmdebstrap writes them, or all suites in one.
const ADD_BACKPORTS: &str = r#"for f in "$1"/etc/apt/sources.list "$1"/etc/apt/sources.list.d/*; do
    test -f "$f" || continue
    sed -i -e 's/^\(deb .* \)SUITE main$/&\n\1SUITE-backports main/' \
        -e 's/^Suites: SUITE\( .*\)\?$/& SUITE-backports/' "$f"
done
grep -rq SUITE-backports "$1"/etc/apt/sources.list* || { echo "no sources of SUITE-backports" >&2; exit 1; }"#;

/// A release of the distribution, and what of it packages come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Suite {
    /// The release itself, with its updates.
    Plain(&'static str),
    /// Also newer versions that were built for it.
    Backports(&'static str),
}

impl Suite {
    fn name(self) -> &'static str {
        match self {
            Suite::Plain(name) | Suite::Backports(name) => name,
        }
    }
}

/// A suite, and what is preferred of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sources<'a> {
    pub(crate) suite: Suite,
    /// A URL; the distribution's own when there is none.
    pub(crate) mirror: Option<&'a str>,
    /// Taken from the backports although the suite itself has them; `*` stands for any letters.
    pub(crate) newer: &'a [String],
    /// What the lock says counts so much.
    pub(crate) lock_use: LockUse,
}

impl<'a> Sources<'a> {
    /// The suite as it is today.
    pub(crate) fn newest(suite: Suite, mirror: Option<&'a str>) -> Sources<'a> {
        Sources {
            suite,
            mirror,
            newer: &[],
            lock_use: LockUse::Ignored,
        }
    }

    /// Adds to a command line of mmdebstrap's, and ends it; `preferences` is a file to be written.
    pub(super) fn add_to(
        &self,
        command: &mut Command,
        preferences: &Path,
    ) -> Result<(), ImageError> {
        let suite = self.suite.name();
        if let Suite::Backports(_) = self.suite {
            let hook = ADD_BACKPORTS.replace("SUITE", suite);
            command.arg(format!("--setup-hook={hook}"));
        }
        let text = self.preferences();
        if !text.is_empty() {
            fs::write(preferences, text).map_err(ImageError::io("writing", preferences))?;
            let file = preferences.display();
            command.arg(format!(
                "--setup-hook=copy-in {file} /etc/apt/preferences.d"
            ));
        }
        command.args([suite, "-"]).args(self.mirror);
        Ok(())
    }

    /// For apt. A version that the archive no longer has is passed over, which [`Sources::check`] tells.
    fn preferences(&self) -> String {
        let mut text = String::new();
        if self.lock_use != LockUse::Ignored {
            for (name, locked) in Lock::own().packages() {
                let version = &locked.version;
                pin(&mut text, name, format_args!("version {version}"), 1001);
            }
        }
        if !self.newer.is_empty() {
            let (names, suite) = (self.newer.join(" "), self.suite.name());
            pin(
                &mut text,
                &names,
                format_args!("release n={suite}-backports"),
                990,
            );
        }
        text
    }

    /// That what came is what the lock says, as far as that counts.
    pub(super) fn check(&self, unpacked: &[Unpacked]) -> Result<(), ImageError> {
        match self.lock_use {
            LockUse::Ignored => Ok(()),
            LockUse::Preferred => Lock::own().check_digests(unpacked),
            LockUse::Required => Lock::own()
                .check_digests(unpacked)
                .and_then(|()| Lock::own().check_versions(unpacked)),
        }
    }
}

/// Adds a record of apt_preferences(5).
fn pin(text: &mut String, packages: &str, what: std::fmt::Arguments<'_>, priority: u32) {
    // Writing to a string does not fail.
    let _ = write!(
        text,
        "Package: {packages}\nPin: {what}\nPin-Priority: {priority}\n\n"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the hook makes of the sources that mmdebstrap wrote.
    fn with_backports(file: &str, text: &str) -> std::io::Result<String> {
        let root = tempfile::tempdir()?;
        let sources = root.path().join("etc/apt").join(file);
        fs::create_dir_all(root.path().join("etc/apt/sources.list.d"))?;
        fs::write(&sources, text)?;
        let hook = ADD_BACKPORTS.replace("SUITE", "trixie");
        let output = Command::new("sh")
            .args(["-c", &hook, "hook"])
            .arg(root.path())
            .output()?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            return Err(std::io::Error::other(said));
        }
        fs::read_to_string(sources)
    }

    #[test]
    fn backports_come_from_where_their_suite_does() {
        let lines = "deb [trusted=yes] http://mirror/debian trixie main\n\
                     deb http://mirror/debian trixie-updates main\n";
        let expected = "deb [trusted=yes] http://mirror/debian trixie main\n\
                        deb [trusted=yes] http://mirror/debian trixie-backports main\n\
                        deb http://mirror/debian trixie-updates main\n";
        assert_eq!(with_backports("sources.list", lines).unwrap(), expected);
        let file = "sources.list.d/0000main.sources";
        let deb822 = "URIs: http://mirror/debian\nSuites: trixie trixie-updates\n\n\
                      URIs: http://mirror/security\nSuites: trixie-security\n";
        let both = with_backports(file, deb822).unwrap();
        assert!(
            both.contains("Suites: trixie trixie-updates trixie-backports\n"),
            "{both}"
        );
        assert!(both.ends_with("Suites: trixie-security\n"), "{both}");
        let error = with_backports(file, "Suites: sid\n").unwrap_err();
        assert!(error.to_string().contains("trixie-backports"), "{error}");
    }

    #[test]
    fn what_the_lock_says_comes_before_what_is_newer() {
        let newer = ["rustc".to_owned(), "libstd-rust-*".to_owned()];
        let sources = Sources {
            newer: &newer,
            lock_use: LockUse::Preferred,
            ..Sources::newest(Suite::Backports("trixie"), None)
        };
        let text = sources.preferences();
        let locked = text.find("Package: libc6\nPin: version ").unwrap();
        let backports =
            "Package: rustc libstd-rust-*\nPin: release n=trixie-backports\nPin-Priority: 990\n\n";
        assert!(locked < text.find(backports).unwrap(), "{text}");
        let unlocked = Sources {
            lock_use: LockUse::Ignored,
            ..sources
        };
        assert_eq!(unlocked.preferences(), backports);
    }
}

//! What the kernel is configured with, and whether it is: `crates/images/uml` holds options, patches and
//! what must not be in it; the kernel's own tools settle the rest.

use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

/// The kernels before it die on CPUs with wide registers; patches and options are written for it.
pub(super) const PACKAGE: &str = "linux-source-7.3";

/// Changes when the steps of the build do, so that kernels which older steps made are built again.
const RECIPE: &str = "2";
const OPTIONS: &str = include_str!("../../../uml/options.config");
const FORBIDDEN: &str = include_str!("../../../uml/forbidden.options");

/// A change of ours to the kernel.
pub(crate) struct Patch {
    pub(crate) name: &'static str,
    pub(crate) text: &'static str,
}

macro_rules! patches {
    ($($name:literal,)*) => {
        &[$(Patch { name: $name, text: include_str!(concat!("../../../uml/", $name)) }),*]
    };
}

/// In the order in which they are applied.
pub(crate) const PATCHES: &[Patch] = patches![
    "0001-read-lines-a-page-at-a-time.patch",
    "0002-cheaper-system-calls.patch",
    "0003-seal.patch",
    "0004-read-disks-here.patch",
    "0005-cheaper-page-faults.patch",
];

/// Why a configuration is not what it has to be.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum OptionError {
    /// The kernel's tools dropped or changed it: something that it depends on is not there.
    #[error("{option} was to be {wanted} and is {seen}")]
    Differs {
        /// Its name.
        option: String,
        /// The value asked for.
        wanted: String,
        /// The value in force.
        seen: String,
    },
    /// Something switched it on that must not be in the kernel.
    #[error("{option} is {seen}, and must not be in the kernel")]
    Forbidden {
        /// Its name.
        option: String,
        /// The value in force.
        seen: String,
    },
}

/// How `.config` says that an option is off; one that it does not name is off as well.
const OFF: &str = "not set";

/// What every other option is 'no' beside: the options, and the forbidden ones as off.
pub(crate) fn asked_for() -> String {
    let exact = forbidden().filter(|name| !name.ends_with('*'));
    let off = exact.map(|name| format!("# {name} is not set\n"));
    std::iter::once(OPTIONS.to_owned()).chain(off).collect()
}

/// Fails when something asked for is not in force in this `.config`, or something forbidden is.
pub(crate) fn check(config: &str) -> Result<(), OptionError> {
    check_against(config, OPTIONS)
}

fn check_against(config: &str, options: &str) -> Result<(), OptionError> {
    let in_force: BTreeMap<&str, &str> = config.lines().filter_map(option).collect();
    let seen = |name: &str| in_force.get(name).copied().unwrap_or(OFF);
    for (name, wanted) in options.lines().filter_map(option) {
        if seen(name) != wanted {
            return Err(OptionError::Differs {
                option: name.to_owned(),
                wanted: wanted.to_owned(),
                seen: seen(name).to_owned(),
            });
        }
    }
    let on = in_force.iter().filter(|(_, value)| **value != OFF);
    for (name, value) in on {
        if forbidden().any(|pattern| matches(pattern, name)) {
            return Err(OptionError::Forbidden {
                option: (*name).to_owned(),
                seen: (*value).to_owned(),
            });
        }
    }
    Ok(())
}

/// `CONFIG_A=y` or `# CONFIG_A is not set`; any other line is a comment or empty.
fn option(line: &str) -> Option<(&str, &str)> {
    let (name, value) = match line.strip_prefix("# ") {
        Some(comment) => (comment.strip_suffix(" is not set")?, OFF),
        None => line.split_once('=')?,
    };
    (name.starts_with("CONFIG_") && !name.contains(' ')).then_some((name, value))
}

fn forbidden() -> impl Iterator<Item = &'static str> {
    FORBIDDEN.lines().filter(|line| line.starts_with("CONFIG_"))
}

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => name.starts_with(prefix),
        None => name == pattern,
    }
}

/// The digest of all that a build is made of besides the compiler and the package's version.
pub(crate) fn inputs() -> String {
    let patches = PATCHES.iter().flat_map(|patch| [patch.name, patch.text]);
    let parts = [RECIPE, PACKAGE, OPTIONS, FORBIDDEN].into_iter();
    digest_of(parts.chain(patches))
}

/// Each part with its length before it: what moves from one part to the next is another input.
fn digest_of<'a>(parts: impl Iterator<Item = &'a str>) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hex::encode(hasher.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A configuration in which all is as asked.
    fn good() -> String {
        let tools = "#\n# Automatically generated file\n#\nCONFIG_UML=y\nCONFIG_HZ=100\n";
        format!("{tools}{}", asked_for())
    }

    fn with(line: &str) -> Result<(), OptionError> {
        check(&format!("{}{line}\n", good()))
    }

    #[test]
    fn a_configuration_as_asked_for_passes() {
        assert_eq!(check(&good()), Ok(()));
        // What is off may also be absent.
        let named: Vec<_> = good()
            .lines()
            .filter(|line| !line.ends_with("is not set"))
            .map(str::to_owned)
            .collect();
        assert_eq!(check(&named.join("\n")), Ok(()));
    }

    #[test]
    fn an_option_that_did_not_come_into_force_is_named() {
        let dropped = good().replace("CONFIG_SECCOMP=y\n", "");
        let error = check(&dropped).unwrap_err().to_string();
        assert_eq!(error, "CONFIG_SECCOMP was to be y and is not set");
        let changed = good().replace("CONFIG_SECCOMP=y", "CONFIG_SECCOMP=m");
        let error = check(&changed).unwrap_err().to_string();
        assert_eq!(error, "CONFIG_SECCOMP was to be y and is m");
        let error = check_against("CONFIG_A=y\n", "# CONFIG_A is not set\n").unwrap_err();
        assert_eq!(error.to_string(), "CONFIG_A was to be not set and is y");
    }

    #[test]
    fn a_forbidden_option_is_named_also_by_its_prefix() {
        for (line, option) in [
            ("CONFIG_HOSTFS=y", "CONFIG_HOSTFS"),
            ("CONFIG_UML_PCI_OVER_VFIO=y", "CONFIG_UML_PCI_OVER_VFIO"),
            ("CONFIG_MODULES=m", "CONFIG_MODULES"),
        ] {
            let error = with(line).unwrap_err();
            let seen = line[option.len() + 1..].to_owned();
            let option = option.to_owned();
            assert_eq!(error, OptionError::Forbidden { option, seen });
        }
        // Others that only start alike are not meant.
        for line in [
            "CONFIG_SMP_X=y",
            "# CONFIG_HOSTFS is not set",
            "CONFIG_UML_X86=y",
        ] {
            assert_eq!(with(line), Ok(()), "{line}");
        }
    }

    #[test]
    fn the_committed_lists_are_understood_and_do_not_contradict() {
        for line in OPTIONS.lines().chain(FORBIDDEN.lines()) {
            let named = line.contains("CONFIG_");
            let understood = option(line).is_some() || line.starts_with("CONFIG_");
            assert!(!named || understood, "{line}");
        }
        assert!(forbidden().count() > 20);
        let mut wanted = OPTIONS.lines().filter_map(option);
        assert!(
            wanted.all(|(name, value)| value == OFF || !forbidden().any(|it| matches(it, name)))
        );
    }

    #[test]
    fn every_patch_is_in_the_list_in_the_order_of_its_number() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/uml");
        let names = std::fs::read_dir(folder).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.filter(|name| name.ends_with(".patch")).collect();
        names.sort();
        let listed: Vec<_> = PATCHES.iter().map(|patch| patch.name).collect();
        assert_eq!(names, listed);
    }

    #[test]
    fn every_byte_and_place_of_the_inputs_counts() {
        assert_eq!(inputs().len(), 64);
        let digest = |parts: &[&'static str]| digest_of(parts.iter().copied());
        assert_ne!(digest(&["a", "b"]), digest(&["a", "c"]));
        assert_ne!(digest(&["ab", ""]), digest(&["a", "b"]));
        assert_ne!(digest(&["a"]), digest(&["a", ""]));
        assert_eq!(digest(&["a", "b"]), digest(&["a", "b"]));
    }
}

//! Which image of several: the one for the machine that guests have.

use crate::oci::document::{Config, Descriptor, Platform};
use crate::oci::error::OciError;

const OS: &str = "linux";
const ARCHITECTURE: &str = "amd64";
/// Names shown of what there is instead.
const SHOWN: usize = 10;

/// Those of an index that guests can run.
pub(crate) fn fitting(all: &[Descriptor]) -> Vec<&Descriptor> {
    let fits = |descriptor: &&Descriptor| descriptor.platform.as_ref().is_some_and(is_ours);
    let fitting: Vec<_> = all.iter().filter(fits).collect();
    match all {
        // Nothing says what it is for; its config will.
        [only] if only.platform.is_none() => vec![only],
        _ => fitting,
    }
}

/// The first of them, as the specification has it.
pub(crate) fn first<'a>(what: &str, all: &'a [Descriptor]) -> Result<&'a Descriptor, OciError> {
    let fitting = fitting(all);
    fitting.first().copied().ok_or_else(|| none(what, all))
}

pub(crate) fn none(what: &str, all: &[Descriptor]) -> OciError {
    let platforms = all.iter().filter_map(|one| one.platform.as_ref());
    let names = platforms.map(|one| format!("{}/{}", one.os, one.architecture));
    let mut names: Vec<String> = names.take(SHOWN).collect();
    names.dedup();
    let names = match names.is_empty() {
        true => "none that says for what".to_owned(),
        false => names.join(", "),
    };
    let why = format!("has no image for {OS}/{ARCHITECTURE}, but {names}");
    OciError::document(what, why)
}

fn is_ours(platform: &Platform) -> bool {
    let Platform {
        os,
        architecture,
        variant,
    } = platform;
    // Later levels of the architecture need a processor that not every host has.
    let plain = variant.as_deref().unwrap_or_default();
    os == OS && architecture == ARCHITECTURE && ["", "v1"].contains(&plain)
}

/// Refuses an image whose config says that it is for another machine.
pub(crate) fn check_config(what: &str, config: &Config) -> Result<(), OciError> {
    match config.os == OS && config.architecture == ARCHITECTURE {
        true => Ok(()),
        false => {
            let (os, architecture) = (&config.os, &config.architecture);
            let why = format!("is of an image for {os}/{architecture}, not {OS}/{ARCHITECTURE}");
            Err(OciError::document(what, why))
        }
    }
}

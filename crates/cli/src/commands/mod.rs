//! One file a command.

pub mod bench;
pub mod bench_http;
pub mod bench_native;
pub mod clean;
pub mod doctor;
pub mod events;
pub mod help;
pub mod images;
pub mod keys;
pub mod languages;
pub mod run;
pub mod selftest;
pub mod serve;
pub mod setup;
pub mod snapshots;

use anyhow::bail;
use protocol::language::{LANGUAGES, Language};
use std::process::ExitCode;

/// Languages that a user named; all of them when none was.
pub fn languages_or_all(names: &[String]) -> anyhow::Result<Vec<Language>> {
    if names.is_empty() {
        return Ok(LANGUAGES.iter().map(|spec| spec.language).collect());
    }
    names.iter().map(|name| language(name)).collect()
}

/// A language by its name or alias.
pub fn language(name: &str) -> anyhow::Result<Language> {
    match Language::from_alias(name) {
        Some(language) => Ok(language),
        None => bail!("language {name:?} is not known; use one of: python, node, go, rust, bash"),
    }
}

/// Prints JSON for machines.
pub fn print_json(value: &impl serde::Serialize) -> anyhow::Result<ExitCode> {
    crate::table::json_pretty(value)?;
    Ok(ExitCode::SUCCESS)
}

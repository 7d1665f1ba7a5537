//! One file a command.

pub mod bench;
pub mod bench_data;
pub mod bench_http;
pub mod bench_native;
pub mod bench_packages;
pub mod bench_sandbox;
mod bench_service;
mod candidates;
pub mod clean;
pub mod config;
mod conversation;
pub mod doctor;
pub mod egress;
pub mod events;
mod first_use;
pub mod help;
mod image_command;
pub mod images;
mod input;
pub mod keys;
pub mod languages;
pub mod mcp;
mod no_program;
mod packages;
mod program;
mod report;
pub mod run;
pub mod sandbox;
pub mod selftest;
pub mod serve;
pub mod setup;
pub mod shell;
pub mod snapshots;
pub mod usage;

use crate::{context, exit};
use ::images::ImageRow;
use ::sandbox::config::Config;
use anyhow::anyhow;
use protocol::language::{self, Language};
use std::process::ExitCode;

/// Languages that a user named; when none was, those whose image is there.
pub fn languages_or_built(config: &Config, names: &[String]) -> anyhow::Result<Vec<Language>> {
    if names.is_empty() {
        let images = context::image_store(config)?.list()?;
        let first = |row: &ImageRow| row.image.languages().first().copied();
        return Ok(images.iter().filter_map(first).collect());
    }
    named(names)
}

/// Languages by their names or aliases.
pub fn named(names: &[String]) -> anyhow::Result<Vec<Language>> {
    names.iter().map(|name| language(name)).collect()
}

/// A language by its name or alias.
pub fn language(name: &str) -> anyhow::Result<Language> {
    match Language::from_alias(name) {
        Some(language) => Ok(language),
        None => Err(exit::usage(anyhow!(
            "language {name:?} is not known, {}",
            language::instead_of_language(name)
        ))),
    }
}

/// Prints JSON for machines.
pub fn print_json(value: &impl serde::Serialize) -> anyhow::Result<ExitCode> {
    crate::table::json_pretty(value)?;
    Ok(ExitCode::SUCCESS)
}

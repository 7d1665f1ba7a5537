//! The operator's languages: where their folder is, and that nobody else could have written in it.

use super::default_config_dir;
use crate::args::Global;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// The configuration's table.
pub const TABLE: &str = "languages";
/// The folder, beside the configuration, that is read when none is named.
const FOLDER: &str = "languages";

/// `[languages]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LanguagesConfig {
    /// The folder with a file for each language.
    folder: Option<PathBuf>,
}

impl LanguagesConfig {
    /// This table of a configuration; nothing else of it is looked at.
    pub fn parse(text: &str) -> anyhow::Result<LanguagesConfig> {
        let mut whole: toml::Table = text.parse()?;
        super::or_default(whole.remove(TABLE))
    }
}

/// Adds the operator's languages to the table, from the folder that a flag, a variable or the configuration names, or
/// from the usual one. They decide what runs in VMs, and what is run while images are made.
pub fn load(global: &Global, config: LanguagesConfig) -> anyhow::Result<()> {
    let named = global.languages_dir.clone().or(config.folder);
    let usual = || default_config_dir().map(|folder| folder.join(FOLDER));
    let Some(folder) = named.or_else(usual) else {
        return Ok(());
    };
    let folder = std::path::absolute(folder)?;
    if !folder.exists() {
        return Ok(());
    }
    check(&folder)?;
    Ok(::languages::load(&folder)?)
}

fn check(folder: &Path) -> anyhow::Result<()> {
    trust::check("the folder of languages", folder)?;
    for entry in walkdir::WalkDir::new(folder).min_depth(1).max_depth(2) {
        trust::check("a language's file", entry?.path())?;
    }
    Ok(())
}

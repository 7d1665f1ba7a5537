//! The operator's languages: where their folder is, and that nobody else could have written in it.

use super::default_config_dir;
use crate::args::Global;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The folder, beside the configuration, that is read when none is named.
const FOLDER: &str = "languages";

/// `[languages]`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LanguagesConfig {
    /// The folder with a file for each language; absent: `languages` beside the configuration's usual place.
    pub folder: Option<PathBuf>,
}

/// Adds the operator's languages to the table, from the folder that a flag, a variable or the configuration names, or
/// from the usual one. They decide what runs in VMs, and what is run while images are made.
pub fn load(global: &Global, config: &LanguagesConfig) -> anyhow::Result<()> {
    let Some(folder) = folder(global, config)?.filter(|folder| folder.exists()) else {
        return Ok(());
    };
    check(&folder)?;
    Ok(::languages::load(&folder)?)
}

/// That folder, absolute, whether it is there or not.
pub fn folder(global: &Global, config: &LanguagesConfig) -> anyhow::Result<Option<PathBuf>> {
    let named = global
        .languages_dir
        .clone()
        .or_else(|| config.folder.clone());
    let usual = || default_config_dir().map(|folder| folder.join(FOLDER));
    Ok(named.or_else(usual).map(std::path::absolute).transpose()?)
}

fn check(folder: &Path) -> anyhow::Result<()> {
    trust::check("the folder of languages", folder)?;
    for entry in walkdir::WalkDir::new(folder).min_depth(1).max_depth(2) {
        trust::check("a language's file", entry?.path())?;
    }
    Ok(())
}

//! `config`: the settings, and which of the flags give one.

use super::{Cli, Format, Global};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory as _, Error, Subcommand};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::PathBuf;

/// What to do with the settings.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Print the settings in force, and where each comes from
    Show {
        /// Only those whose name begins so, e.g. server
        name: Option<String>,
        /// Only those that are not at their default
        #[arg(long)]
        changed: bool,
        #[command(flatten)]
        format: Format,
    },
    /// Say everything that is wrong with a configuration, with its line; starts nothing
    #[command(after_help = "Exits with 0 where it can be used, else with 1.")]
    Check {
        /// The configuration [default: the one in use]
        file: Option<PathBuf>,
        #[command(flatten)]
        format: Format,
    },
    /// Print every setting: type, unit, default, bounds, meaning, and whether a reload takes it
    Reference {
        /// Only those whose name begins so, e.g. server.http
        name: Option<String>,
        /// Print a configuration with all of them, commented
        #[arg(long, conflicts_with = "json")]
        toml: bool,
        #[command(flatten)]
        format: Format,
    },
}

/// The flags that give a setting, by their names in [`Global`]; their variables do, too.
const FLAGS: &[(&str, &str)] = &[
    ("accel", "engine.accelerator"),
    ("agent", "agent"),
    ("allow_guest_root", "sandboxes.guest_root"),
    ("allow_writable", "sandboxes.writable"),
    ("engine", "engine.kind"),
    ("firecracker", "vmm.firecracker_path"),
    ("jailer", "vmm.jailer_path"),
    ("languages_dir", "languages.folder"),
    ("state_dir", "state_dir"),
];

/// The word that leaves a setting as configured.
const AS_CONFIGURED: &str = "auto";

/// By what a setting was given besides the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Given {
    /// This flag.
    Flag(String),
    /// This variable of the environment.
    Variable(String),
}

/// What of this command line gives settings, by their names.
pub fn given(matches: &ArgMatches) -> BTreeMap<&'static str, Given> {
    let mut found = BTreeMap::new();
    for (argument, setting) in FLAGS {
        let mut words = matches.get_raw(argument).into_iter().flatten();
        if words.any(|word| word == AS_CONFIGURED) {
            continue;
        }
        let (variable, flag) = names(argument);
        let given = match (matches.value_source(argument), variable) {
            (Some(ValueSource::CommandLine), _) => Given::Flag(flag),
            (Some(ValueSource::EnvVariable), Some(variable)) => Given::Variable(variable),
            _ => continue,
        };
        found.insert(*setting, given);
    }
    found
}

fn names(argument: &str) -> (Option<String>, String) {
    let command = Cli::command();
    let mut all = command.get_arguments();
    let Some(arg) = all.find(|arg| arg.get_id() == argument) else {
        return (None, String::new());
    };
    let variable = arg
        .get_env()
        .map(|name| name.to_string_lossy().into_owned());
    let flag = arg.get_long().unwrap_or_default();
    (variable, format!("--{flag}"))
}

/// Variables of the tool that are no flag's, and those of its tests.
const NO_FLAGS: &[&str] = &[
    "LLM_FIRECRACKER_COMPLETE",
    "LLM_FIRECRACKER_LOG",
    "LLM_FIRECRACKER_REGISTRY_PASSWORD",
    "LLM_FIRECRACKER_REGISTRY_USER",
    "LLM_FIRECRACKER_REQUIRE",
];

/// Variables of this process that are named as the tool's are, and which it does not know.
pub fn unknown_variables() -> Vec<String> {
    fn known(command: &clap::Command, names: &mut BTreeSet<OsString>) {
        let flags = command.get_arguments().filter_map(clap::Arg::get_env);
        names.extend(flags.map(Into::into));
        let inner = command.get_subcommands();
        inner.for_each(|command| known(command, names));
    }
    let mut names: BTreeSet<OsString> = NO_FLAGS.iter().map(Into::into).collect();
    known(&Cli::command(), &mut names);
    let set = std::env::vars_os().map(|(name, _)| name);
    let unknown = set.filter(|name| !names.contains(name));
    let unknown = unknown.filter_map(|name| name.into_string().ok());
    unknown
        .filter(|name| name.starts_with("LLM_FIRECRACKER_"))
        .collect()
}

/// Has an error about the value of a flag name the variable that gave it, where one did.
pub fn blame_variable(error: &mut Error, words: &[OsString]) {
    if error.kind() != ErrorKind::InvalidValue {
        return;
    }
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        _ => None,
    };
    let (Some(shown), Some(value)) = (
        text(ContextKind::InvalidArg),
        text(ContextKind::InvalidValue),
    ) else {
        return;
    };
    let flag = shown.split([' ', '=']).next().unwrap_or_default();
    let is_written = |word: &OsString| word.to_string_lossy().starts_with(flag);
    if words.iter().any(is_written) {
        return;
    }
    let command = Cli::command();
    let mut all = command.get_arguments();
    let is_it = |arg: &&clap::Arg| {
        arg.get_long()
            .is_some_and(|long| flag == format!("--{long}"))
    };
    let Some(variable) = all.find(is_it).and_then(clap::Arg::get_env) else {
        return;
    };
    if std::env::var_os(variable).is_some_and(|own| own == *value) {
        let variable = format!("the variable {} ({flag})", variable.to_string_lossy());
        error.insert(ContextKind::InvalidArg, ContextValue::String(variable));
    }
}

impl Global {
    /// The variable and the flag that give this setting, where there are such.
    pub fn of_setting(name: &str) -> Option<(Option<String>, String)> {
        let (argument, _) = FLAGS.iter().find(|(_, setting)| *setting == name)?;
        Some(names(argument))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A flag that is added is a setting's, or says here that it is none.
    #[test]
    fn every_global_flag_is_a_settings_or_known_to_be_none() {
        let none = ["color", "config", "verbose", "help", "version"];
        for arg in Cli::command().get_arguments() {
            let id = arg.get_id().as_str();
            let known = FLAGS.iter().any(|(argument, _)| *argument == id);
            assert!(known || none.contains(&id), "{id}");
        }
    }
}

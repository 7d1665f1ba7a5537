//! Flags that every command takes.

use super::config::Given;
use clap::builder::FalseyValueParser;
use clap::{Args, ValueEnum};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Flags that every command takes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// The configuration file [default: /etc/llm-firecracker/config.toml, or below ~/.config]
    #[arg(
        long,
        global = true,
        env = "LLM_FIRECRACKER_CONFIG",
        value_name = "FILE",
        hide_short_help = true
    )]
    pub config: Option<PathBuf>,
    /// Where images, snapshots and running VMs live [default: /var/lib/llm-firecracker, or below ~/.local/share]
    #[arg(
        long,
        global = true,
        env = "LLM_FIRECRACKER_STATE_DIR",
        value_name = "DIR",
        hide_short_help = true
    )]
    pub state_dir: Option<PathBuf>,
    /// The folder of the operator's languages [default: languages beside the configuration file's usual place]
    #[arg(
        long,
        global = true,
        env = "LLM_FIRECRACKER_LANGUAGES_DIR",
        value_name = "DIR",
        hide_short_help = true
    )]
    pub languages_dir: Option<PathBuf>,
    /// The guest agent's binary [default: beside this program]
    #[arg(
        long,
        global = true,
        env = "LLM_FIRECRACKER_AGENT",
        value_name = "FILE",
        hide_short_help = true
    )]
    pub agent: Option<PathBuf>,
    /// The VMM
    #[arg(
        long,
        global = true,
        env = "LLM_FIRECRACKER_ENGINE",
        value_enum,
        default_value_t,
        hide_short_help = true
    )]
    pub engine: EngineArg,
    /// Firecracker's binary [default: in PATH, or as `setup` installed it]
    #[arg(
        long,
        global = true,
        env = "FIRECRACKER_BIN",
        value_name = "FILE",
        hide_short_help = true
    )]
    pub firecracker: Option<PathBuf>,
    /// The binary of its jailer [default: in PATH, or as `setup` installed it]
    #[arg(
        long,
        global = true,
        env = "JAILER_BIN",
        value_name = "FILE",
        hide_short_help = true
    )]
    pub jailer: Option<PathBuf>,
    /// What runs the guest's instructions
    #[arg(
        long,
        global = true,
        env = "LLM_FIRECRACKER_ACCEL",
        value_enum,
        default_value_t,
        hide_short_help = true
    )]
    pub accel: AccelArg,
    /// Let processes of sandboxes be root in the guest: the VM is the wall then
    #[arg(
        long,
        global = true,
        env = "LLM_FIRECRACKER_GUEST_ROOT",
        value_parser = FalseyValueParser::new(),
        hide_short_help = true
    )]
    pub allow_guest_root: bool,
    /// Let sandboxes have a root file system that can be written to
    #[arg(
        long,
        global = true,
        env = "LLM_FIRECRACKER_WRITABLE",
        value_parser = FalseyValueParser::new(),
        hide_short_help = true
    )]
    pub allow_writable: bool,
    /// When to use colours; NO_COLOR and CLICOLOR_FORCE count, too
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "WHEN",
        default_value_t,
        hide_short_help = true
    )]
    pub color: ColorArg,
    /// Say each step and its time on standard error (-vv: everything)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Settings that a flag or a variable gave.
    #[arg(skip)]
    pub given: BTreeMap<&'static str, Given>,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ColorArg {
    /// On a terminal that can show them
    #[default]
    Auto,
    /// Whatever it is printed to
    Always,
    /// Nowhere
    Never,
}

impl ColorArg {
    /// Has the whole process keep to it.
    pub fn set(self) {
        let choice = match self {
            ColorArg::Auto => anstream::ColorChoice::Auto,
            ColorArg::Always => anstream::ColorChoice::Always,
            ColorArg::Never => anstream::ColorChoice::Never,
        };
        choice.write_global();
    }
}

/// Which VMM.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum EngineArg {
    /// As configured; else, with KVM, Firecracker or QEMU; without, User-Mode Linux or QEMU's emulation
    #[default]
    Auto,
    /// QEMU's microvm machine in a bubblewrap jail
    Qemu,
    /// Firecracker in its jailer
    Firecracker,
    /// User-Mode Linux in a bubblewrap jail: needs no KVM, computes at native speed
    Uml,
}

/// Which accelerator.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum AccelArg {
    /// As configured; else KVM where guest code was seen to run on it, else TCG
    #[default]
    Auto,
    /// Hardware virtualisation, or an error
    Kvm,
    /// Software emulation: works everywhere, slower, a weaker wall
    Tcg,
}

#[cfg(test)]
mod tests {
    use crate::args::{Cli, process};
    use clap::{Command, CommandFactory as _};

    /// Whatever is on the command line says what it is, in `--help` and so in the man page.
    #[test]
    fn each_command_and_each_flag_has_its_help() {
        fn walk(command: &Command, path: &str) {
            let path = format!("{path} {}", command.get_name());
            assert!(command.get_about().is_some(), "{path} says nothing");
            for arg in command.get_arguments() {
                let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
                assert!(help.len() > 5, "{path}: {} says nothing", arg.get_id());
                let is_own = ["help", "version"].contains(&arg.get_id().as_str());
                let heading = arg.get_help_heading();
                let expected = arg.is_global_set().then_some("Global options");
                let of_service = heading == Some("The service");
                assert!(
                    is_own || of_service || heading == expected,
                    "{path}: {}",
                    arg.get_id()
                );
            }
            command.get_subcommands().for_each(|sub| walk(sub, &path));
        }
        let mut command = Cli::command();
        command.build();
        walk(&command, "");
        process::command().debug_assert();
    }
}

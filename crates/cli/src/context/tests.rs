//! What a configuration means, and whose may be used.

use super::*;
use crate::args::Cli;
use clap::builder::Resettable;
use clap::{CommandFactory as _, FromArgMatches as _};
use std::os::unix::fs::PermissionsExt as _;

/// The global flags of a command line, whatever these tests' environment says.
fn flags(words: &[&str]) -> Global {
    let line = ["llm-firecracker"]
        .iter()
        .chain(words)
        .chain(&["languages"]);
    let command = Cli::command().mut_args(|flag| flag.env(Resettable::Reset));
    let matches = command.try_get_matches_from(line).unwrap();
    Cli::from_arg_matches(&matches).unwrap().global
}

fn settings_of(text: &str, words: &[&str]) -> anyhow::Result<Settings> {
    let dir = tempfile::tempdir()?;
    let file = dir.path().join("config.toml");
    std::fs::write(&file, text)?;
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600))?;
    let words = [&["--config", file.to_str().unwrap()], words].concat();
    settings(&flags(&words))
}

#[test]
fn a_key_has_one_home_and_the_others_are_errors() {
    for (text, home) in [
        ("[vmm]\naccelerator = \"kvm\"", "[engine]"),
        ("[vmm]\nstate_dir = \"/x\"", "state_dir, above all tables"),
        // A service's table takes the other way through the parser.
        (
            "[vmm]\naccelerator = \"kvm\"\n[server]\nqueued = 1",
            "[engine]",
        ),
        ("[vmm]\numl = \"x\"", "uml"),
    ] {
        let error = settings_of(text, &[]).unwrap_err();
        assert!(format!("{error:#}").contains(home), "{text}: {error:#}");
    }
}

#[test]
fn what_is_configured_is_what_the_engines_get_and_a_flag_wins() {
    let text = "state_dir = \"/of/file\"\n[engine]\naccelerator = \"kvm\"";
    let vmm = settings_of(text, &[]).unwrap().sandbox.vmm;
    assert_eq!(vmm.accelerator, AcceleratorChoice::Kvm);
    assert_eq!(vmm.state_dir, Path::new("/of/file"));
    let words = ["--accel", "tcg", "--state-dir", "/of/flag"];
    let vmm = settings_of(text, &words).unwrap().sandbox.vmm;
    assert_eq!(vmm.accelerator, AcceleratorChoice::Tcg);
    assert_eq!(vmm.state_dir, Path::new("/of/flag"));
}

/// Each key of `[vmm]` that can be written comes through: none is overwritten on the way.
#[test]
fn no_key_of_the_engines_is_read_and_then_overwritten() {
    let changed = VmmConfig {
        cpu_template: Some("T2".into()),
        chroot_base_dir: "/else".into(),
        drive_bytes_per_second: 1,
        drive_requests_per_second: 1,
        without_jailer: true,
        uid_base: 20_000,
        uid_count: 1,
        memory_overhead_mib: 1,
        all_memory_mib: 1,
        cpu_overhead: 1.0,
        pids_max: 1,
        cgroup_parent: "else".into(),
        console_bytes: 1,
        qemu_path: Some("/no/qemu".into()),
        bwrap_path: Some("/no/bwrap".into()),
        firecracker_path: Some("/no/firecracker".into()),
        jailer_path: Some("/no/jailer".into()),
        ..VmmConfig::default()
    };
    let table =
        toml::Table::from_iter([("vmm".to_owned(), toml::Value::try_from(&changed).unwrap())]);
    let text = toml::to_string(&table).unwrap();
    let seen = settings_of(&text, &[]).unwrap().sandbox.vmm;
    let seen = VmmConfig {
        state_dir: changed.state_dir.clone(),
        ..seen
    };
    assert_eq!(seen, changed);
}

#[test]
fn a_relative_path_is_made_absolute_where_it_is_read() {
    let file = config_file(&flags(&["--config", "some.toml"])).unwrap();
    assert_eq!(
        file,
        Some(std::env::current_dir().unwrap().join("some.toml"))
    );
    let sandbox = settings_of("state_dir = \"state\"", &[]).unwrap().sandbox;
    assert!(sandbox.vmm.state_dir.is_absolute());
}

#[test]
fn a_configuration_or_a_program_that_others_could_change_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let with_mode = |name: &str, mode| {
        std::fs::set_permissions(at(name), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    std::fs::write(at("qemu"), "").unwrap();
    with_mode("qemu", 0o755);
    std::fs::write(
        at("config.toml"),
        format!("[vmm]\nqemu_path = {:?}", at("qemu")),
    )
    .unwrap();
    with_mode("config.toml", 0o600);
    let file = at("config.toml");
    let try_it = || settings(&flags(&["--config", file.to_str().unwrap()]));
    try_it().unwrap();
    for (name, mode, word) in [
        ("config.toml", 0o666, "configuration"),
        ("qemu", 0o777, "QEMU"),
    ] {
        with_mode(name, mode);
        let error = format!("{:#}", try_it().unwrap_err());
        assert!(
            error.starts_with(word) && error.contains("writable"),
            "{error}"
        );
        with_mode(name, 0o600);
    }
}

//! What the probe says where User-Mode Linux does not run: each reason by making it true. Yama's and
//! another architecture's are numbers and names in `uml/probe.rs`: no host here has them.

use crate::guest::{Does, initramfs};
use crate::host::{Host, copy, host, host_of_anyone};
use crate::uml::config;
use crate::user::{User, succeeded};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use vmm::{Accelerator, EngineKind, UmlGuest, VmmConfig, VmmError};

/// What a refused probe prints, and what comes in its place.
const REASON: &str = "reason: ";

/// The reason, which is a line that says what would do.
async fn reason(config: &VmmConfig) -> String {
    let probed = vmm::uml::probe(config).await;
    let reason = probed.reason.unwrap();
    println!("{REASON}{reason}");
    assert!(reason.len() < 1000 && !reason.contains('\n'), "{reason}");
    reason
}

/// A tool's part, behind walls that another test put around it; alone it does nothing. Without KVM, what
/// takes over is the emulator.
#[tokio::test]
async fn inside() {
    let Some(state) = std::env::var_os("JAIL_TEST_PROBE") else {
        return;
    };
    let mut host = host_of_anyone("probe").unwrap();
    host.config.state_dir = state.into();
    let config = config(&host).unwrap();
    reason(&config).await;
    match vmm::open(None, config.clone()).await {
        Ok(engine) => {
            let identity = engine.identity();
            assert_eq!(identity.kind, EngineKind::Qemu);
            assert_eq!(identity.accelerator, Some(Accelerator::Tcg));
            println!("taken over by {}", identity.version);
        }
        Err(VmmError::NotInstalled { program, .. }) => println!("taken over by no {program}"),
        Err(e) => panic!("{e}"),
    }
    let asked_for = vmm::open(Some(EngineKind::Uml), config).await;
    let refused = asked_for.map(|engine| engine.identity().clone());
    assert!(
        matches!(refused, Err(VmmError::NoUml { .. })),
        "{refused:?}"
    );
}

/// Has the kernel refuse what this says, for the child alone.
fn refuse(command: &mut Command, calls: &'static str) {
    let json = format!(
        r#"{{"default_action":"allow","filter_action":{{"errno":1}},"filters":[{calls}]}}"#
    );
    let profile = seccomp::Profile::parse(&json, "test").unwrap();
    let filter = profile.compile().unwrap().to_bytes();
    // SAFETY: it makes two system calls.
    unsafe { command.pre_exec(move || crate::seal::install(&filter)) };
}

/// Tracing, and the first that is asked of KVM: no host then has a better engine.
const NO_TRACING: &str = r#"{"syscall":"ptrace"},
    {"syscall":"ioctl","args":[{"index":1,"type":"dword","op":"eq","val":44544}]}"#;

#[tokio::test]
async fn where_tracing_is_refused_it_says_so_and_the_emulator_takes_over() {
    let Some(host) = host("no-ptrace") else {
        return;
    };
    let Some(config) = config(&host) else { return };
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "probe::inside", "--nocapture"])
        .env("JAIL_TEST_PROBE", &host.config.state_dir);
    refuse(&mut command, NO_TRACING);
    let text = succeeded(&command.output().unwrap());
    assert!(text.contains("trace its own children") && text.contains("taken over by"));
    // The answer was that filter's: a tool without it asks again.
    let probed = vmm::uml::probe(&config).await;
    assert!(!probed.cached && probed.reason.is_none(), "{probed:?}");
    assert!(vmm::uml::probe(&config).await.cached);
}

/// A file system in memory from which nothing can be executed, for everybody.
struct NoExec(PathBuf);

impl NoExec {
    fn mount(at: PathBuf) -> Self {
        std::fs::create_dir(&at).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "noexec,mode=1777", "noexec"])
            .arg(&at)
            .status();
        assert!(mounted.unwrap().success());
        Self(at)
    }

    /// A bubblewrap whose jails get this in place of a tmpfs of their own, and are the same else.
    fn bubblewrap(&self, at: &Path) {
        let bwrap = vmm::jail::find_program("bwrap", None, "bubblewrap").unwrap();
        let text = format!(
            r#"#!/bin/sh
left=$#
while [ $left -gt 0 ]; do
    word=$1; shift; left=$((left - 1))
    case $word in
    --perms | --size) shift; left=$((left - 1)) ;;
    --tmpfs) set -- "$@" --bind {} ;;
    *) set -- "$@" "$word" ;;
    esac
done
exec {} "$@"
"#,
            self.0.display(),
            bwrap.display()
        );
        let draft = at.with_extension("sh");
        std::fs::write(&draft, text).unwrap();
        copy(&draft, at);
        std::fs::set_permissions(at, PermissionsExt::from_mode(0o755)).unwrap();
    }
}

impl Drop for NoExec {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[tokio::test]
async fn where_memory_cannot_be_executed_it_says_so() {
    let Some(host) = host("no-exec") else { return };
    let Some(config) = config(&host) else { return };
    // Every VM's uid must reach it, and a jail's root is staged on /tmp.
    let folder = tempfile::tempdir_in("/var/tmp").unwrap();
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let mount = NoExec::mount(folder.path().join("noexec"));
    let bwrap = folder.path().join("bwrap");
    mount.bubblewrap(&bwrap);
    let config = VmmConfig {
        bwrap_path: Some(bwrap),
        ..config
    };
    let reason = reason(&config).await;
    assert!(reason.contains("mounted noexec"), "{reason}");
    // Nothing about the host changes by asking.
    let again = vmm::uml::probe(&config).await;
    assert!(again.cached && again.reason == Some(reason));
}

/// Runs what follows where no user namespace can be made, as an ordinary user: root could.
const NO_NAMESPACES: &[&str] = &[
    "unshare",
    "--map-current-user",
    "--keep-caps",
    "sh",
    "-c",
    "echo 0 >/proc/sys/user/max_user_namespaces && exec setpriv --ambient-caps -all --inh-caps -all \"$@\"",
    "sh",
];

#[test]
fn where_no_user_namespace_can_be_made_it_says_so() {
    let Some(user) = User::new() else { return };
    let state = user.own_folder().join("state");
    let output = user
        .command(NO_NAMESPACES, "probe::inside")
        .env("JAIL_TEST_PROBE", state)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    if text.contains("unshare: ") {
        println!("not run: {text}");
        return;
    }
    let text = succeeded(&output);
    assert!(text.contains("user.max_user_namespaces"), "{text}");
}

#[tokio::test]
async fn without_bubblewrap_it_says_what_to_install() {
    let Some(host) = host("no-bwrap") else { return };
    let Some(config) = config(&host) else { return };
    let config = VmmConfig {
        bwrap_path: Some("/nonexistent/bwrap".into()),
        ..config
    };
    let reason = reason(&config).await;
    assert!(reason.contains("install it (bubblewrap)"), "{reason}");
}

/// What says nothing of the host is not kept until it boots.
#[tokio::test]
async fn a_guest_that_dies_is_told_by_its_panic_and_asked_for_again() {
    let Some(host) = host("no-guest") else { return };
    let Some(config) = config(&host) else { return };
    let guest = config.uml.clone().unwrap();
    let dying = VmmConfig {
        uml: Ok(UmlGuest {
            initramfs: initramfs(&host.folder(), "dies", &Does::Panic.program()),
            ..guest
        }),
        ..config
    };
    let reason = reason(&dying).await;
    assert!(reason.contains("Attempted to kill init"), "{reason}");
    assert!(holds_for_a_time(&host), "it may have been anything");
}

fn holds_for_a_time(host: &Host) -> bool {
    let kept = std::fs::read(host.state.root().join("uml.json")).unwrap();
    let kept: serde_json::Value = serde_json::from_slice(&kept).unwrap();
    kept["until_uptime_secs"].is_u64()
}

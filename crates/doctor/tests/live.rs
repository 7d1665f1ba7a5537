//! The rows about running VMs, on a real process in a real jail.
#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

use doctor::facts::{Probe, Tool, Vms};
use doctor::{Colours, Facts, Host, Report, Status, gather};
use std::fs::File;
use std::io::{Read, Seek, Write};
use std::os::fd::AsRawFd;
use std::process::{Child, Command, Stdio};

/// A process in bubblewrap's jail (or in none), and how to end it.
struct StandIn {
    bwrap: Child,
    pid: i32,
}

impl Drop for StandIn {
    fn drop(&mut self) {
        let _ = self.bwrap.kill();
        let _ = self.bwrap.wait();
    }
}

/// The system-call filter of a stand-in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Filter {
    None,
    Default,
}

/// `cat` waiting for input: it lives until its parent is killed.
fn jailed(filter: Filter) -> Option<StandIn> {
    let mut command = Command::new("bwrap");
    command.args([
        "--unshare-all",
        "--die-with-parent",
        "--as-pid-1",
        "--cap-drop",
        "ALL",
        "--uid",
        "10000",
        "--gid",
        "10000",
    ]);
    command.args(["--ro-bind", "/", "/"]);
    let (mut info, mut program) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
    program
        .write_all(
            &seccomp::Profile::builtin("default")
                .unwrap()
                .compile()
                .unwrap()
                .to_bytes(),
        )
        .unwrap();
    program.rewind().unwrap();
    for file in [&info, &program] {
        rustix::io::fcntl_setfd(file, rustix::io::FdFlags::empty()).unwrap();
    }
    command.args(["--info-fd", &info.as_raw_fd().to_string()]);
    if filter == Filter::Default {
        command.args(["--seccomp", &program.as_raw_fd().to_string()]);
    }
    // It answers once: then its filter is installed and it is itself, not bubblewrap.
    command
        .args(["--", "/bin/sh", "-c", "echo up; exec cat"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut bwrap = match command.spawn() {
        Err(_) => return None,
        Ok(child) => child,
    };
    let mut up = [0; 3];
    bwrap.stdout.as_mut().unwrap().read_exact(&mut up).unwrap();
    let mut stand_in = StandIn { bwrap, pid: 0 };
    stand_in.pid = child_pid(&mut info);
    Some(stand_in)
}

fn child_pid(info: &mut File) -> i32 {
    let mut text = String::new();
    info.rewind().unwrap();
    info.read_to_string(&mut text).unwrap();
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    i32::try_from(value["child-pid"].as_i64().unwrap()).unwrap()
}

fn examine(pids: &[i32]) -> Report {
    doctor::examine(&Host::live(Facts {
        vms: Vms::Running(pids.to_vec()),
        ..Facts::default()
    }))
}

fn status(report: &Report, id: &str) -> Status {
    let row = report.rows.iter().find(|row| row.id == id).unwrap();
    println!("{id}: {:?} {}", row.status, row.seen);
    row.status
}

#[test]
fn the_walls_of_a_real_jail_are_seen_and_so_is_a_missing_filter() {
    let (Some(whole), Some(unfiltered)) = (jailed(Filter::Default), jailed(Filter::None)) else {
        println!("not run: bubblewrap is not installed or may make no jail here");
        return;
    };
    let report = examine(&[whole.pid]);
    for id in [
        "vm-seccomp",
        "vm-no-new-privs",
        "vm-capabilities",
        "vm-namespaces",
        "vm-network",
        "kvm-pit",
    ] {
        assert_eq!(status(&report, id), Status::Pass);
    }
    // What this stand-in lacks is seen as well: it is `cat`, outside any group.
    assert_eq!(status(&report, "vm-command-line"), Status::Fail);
    assert_eq!(status(&report, "vm-cgroup-limits"), Status::Fail);
    assert_eq!(
        status(&examine(&[whole.pid, unfiltered.pid]), "vm-seccomp"),
        Status::Fail
    );
}

#[test]
fn a_process_outside_any_jail_fails_every_wall() {
    let me = i32::try_from(std::process::id()).unwrap();
    let report = examine(&[me]);
    for id in [
        "vm-seccomp",
        "vm-no-new-privs",
        "vm-namespaces",
        "vm-command-line",
    ] {
        assert_eq!(status(&report, id), Status::Fail);
    }
}

#[test]
fn what_bubblewrap_can_make_is_tried_and_what_it_says_otherwise_is_kept() {
    type Try = fn(&Tool) -> Probe;
    let tries: [Try; 2] = [gather::jail, gather::executable_tmpfs];
    let failing = Tool {
        path: Some("/bin/false".into()),
        version: None,
    };
    for attempt in tries {
        assert!(
            matches!(attempt(&Tool::default()), Probe::Fails(why) if why.contains("not installed"))
        );
        assert!(matches!(attempt(&failing), Probe::Fails(why) if why.contains("exit status: 1")));
    }
    if jailed(Filter::None).is_none() {
        println!("not run: bubblewrap is not installed or may make no jail here");
        return;
    }
    let bubblewrap = gather::tool("bwrap", None);
    assert_eq!(
        tries.map(|attempt| attempt(&bubblewrap)),
        [Probe::Works, Probe::Works]
    );
}

#[test]
fn the_report_has_the_promised_shape() {
    let report = examine(&[]);
    let json = report.to_json();
    for check in json["checks"].as_array().unwrap() {
        let keys: Vec<&String> = check.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["fix", "id", "seen", "status", "why"]);
        assert!(["pass", "warn", "fail"].contains(&check["status"].as_str().unwrap()));
    }
    assert_eq!(report.exit_code() == 0, report.count(Status::Fail) == 0);
    assert!(report.to_text(Colours::Ansi).contains("\x1b["));
    assert!(!report.to_text(Colours::None).contains('\x1b'));
}

//! Every row of the table on made-up hosts: passing where all is well, and otherwise where it is not.
#![allow(clippy::unwrap_used, reason = "a test stops where something is wrong")]

#[path = "../made/mod.rs"]
mod made;
mod spoilt;
mod spoilt_uml;

use doctor::facts::{Digests, Engine, Kvm, Probe, Setting, Tool, UmlKernel, Vms};
use doctor::{GROUPS, Look, Report, Row, Status};
use made::{Made, SECOND_VM, SPECTRE_V2, VM};
use spoilt::SPOILT;
use spoilt_uml::SPOILT_UML;
use std::collections::BTreeSet;
use std::os::unix::net::UnixListener;

/// Rows that never pass, by design.
const NEVER: &[&str] = &["dram", "tenancy", "vendor-advisories"];

/// A row, what is spoilt, the status it then has, and a piece of what it saw.
type Spoilt = (&'static str, fn(&mut Made), Status, &'static str);

use Status::{Fail, Pass, Warn};

const UNSEEN: &str = "cannot be checked here";
const CMDLINE: &str = "/proc/cmdline";
const SMT: &str = "/sys/devices/system/cpu/smt/active";
const MDS: &str = "/sys/devices/system/cpu/vulnerabilities/mds";
const KSM: &str = "/sys/kernel/mm/ksm/run";
const SWAPS: &str = "/proc/swaps";
const THREAD: &str = "/proc/500/task/501/status";
const MOUNTS: &str = "/proc/self/mounts";
const MULTIHIT: &str = "/sys/devices/system/cpu/vulnerabilities/itlb_multihit";
const YAMA: &str = "/proc/sys/kernel/yama/ptrace_scope";
/// A thread of a process of a User-Mode Linux guest's.
const PROCESS: &str = "/proc/510/task/511/status";

fn not_running(made: &mut Made) {
    made.facts.uml.runs = Probe::Fails("no ptrace here".into());
}

const V1_MOUNTS: &str = "\
cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,cpu,cpuacct 0 0
cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0
cgroup /sys/fs/cgroup/pids cgroup rw,pids 0 0
";

fn hybrid(made: &Made) {
    made.remove("/sys/fs/cgroup/cgroup.controllers");
    made.file(
        MOUNTS,
        &format!("{V1_MOUNTS}cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n"),
    );
}

fn v1_vm(made: &Made, memory: &str, quota: &str) {
    hybrid(made);
    made.file(
        "/proc/500/cgroup",
        "4:pids:/vm\n3:memory:/vm\n2:cpu,cpuacct:/vm\n0::/\n",
    );
    made.file("/sys/fs/cgroup/memory/vm/memory.limit_in_bytes", memory);
    made.file("/sys/fs/cgroup/pids/vm/pids.max", "64");
    made.file("/sys/fs/cgroup/cpu,cpuacct/vm/cpu.cfs_quota_us", quota);
}

fn second_vm(made: &mut Made) {
    made.vm(SECOND_VM, "qemu-system-x86", "qemu");
    made.facts.vms = Vms::Running(vec![VM, SECOND_VM]);
}

fn firecracker(made: &Made) {
    made.vm(VM, "firecracker", "/firecracker --id a1");
}

fn pit(made: &Made, group: &str) {
    made.file("/proc/700/comm", "kvm-pit/500");
    made.file("/proc/700/cgroup", group);
}

fn row<'a>(rows: &'a [Row], id: &str) -> &'a Row {
    rows.iter()
        .find(|row| row.id == id)
        .unwrap_or_else(|| panic!("no row {id}"))
}

fn assert_well(report: Report) {
    for row in report.rows {
        if NEVER.contains(&row.id.as_str()) {
            assert!(row.status == Warn && row.seen.contains(UNSEEN), "{row:?}");
        } else {
            assert_eq!(row.status, Pass, "{row:?}");
        }
    }
}

#[test]
fn all_is_well_on_the_good_host() {
    assert_well(Made::good().examine());
}

#[test]
fn what_hypervisors_need_is_not_asked_for_where_user_mode_linux_is_the_engine() {
    let report = Made::good_uml().examine();
    for id in [
        "kvm-device",
        "kvm-nested",
        "kernel-series",
        "qemu",
        "firecracker",
        "jailer",
        "jailer-inputs",
        "jailer-mount",
        "snapshot-digests",
        "watchdog",
    ] {
        assert_eq!(row(&report.rows, id).seen, "not needed: engine uml", "{id}");
    }
    assert_well(report);
}

fn assert_spoilt(cases: &[Spoilt], good: fn() -> Made) {
    for (index, (id, spoil, status, seen)) in cases.iter().enumerate() {
        let mut made = good();
        spoil(&mut made);
        let report = made.examine();
        let row = row(&report.rows, id);
        assert!(
            row.status == *status && row.seen.contains(seen),
            "case {index} {id}, wanted {status:?} {seen:?}: {row:?}"
        );
    }
}

#[test]
fn each_spoilt_thing_shows_in_its_row() {
    assert_spoilt(SPOILT, Made::good);
    assert_spoilt(SPOILT_UML, Made::good_uml);
}

#[test]
fn every_check_has_a_case_and_an_id_of_its_own() {
    let mut ids = BTreeSet::new();
    for check in GROUPS.iter().flat_map(|group| group.checks) {
        assert!(ids.insert(check.id), "{} is there twice", check.id);
        let of_check = |case: &&Spoilt| {
            case.2 != Pass
                && (case.0 == check.id
                    || matches!(check.look, Look::Each(_)) && case.0.starts_with(check.id))
        };
        assert!(
            SPOILT.iter().chain(SPOILT_UML).any(|case| of_check(&case)),
            "{} has no case that is not a pass",
            check.id
        );
        for text in [
            check.title,
            check.passes,
            check.why,
            check.fix,
            check.source,
        ] {
            assert!(
                !text.is_empty() && !text.contains('\n'),
                "{}: {text:?}",
                check.id
            );
        }
    }
}

#[test]
fn nothing_is_a_pass_on_a_host_that_shows_nothing() {
    let empty = tempfile::tempdir().unwrap();
    let report = doctor::examine(&doctor::Host::below(empty.path(), doctor::Facts::default()));
    for row in &report.rows {
        // Without a configuration file the defaults are known; nothing else is.
        assert!(row.status != Pass || row.id == "config-file", "{row:?}");
    }
}

/// To give a file away is root's right.
#[test]
fn a_device_that_is_another_users_fails() {
    let made = Made::good();
    if let Err(error) = made.give_away("/dev/kvm", 1000) {
        println!("not run: {error}");
        return;
    }
    let row = row(&made.examine().rows, "kvm-device").clone();
    assert!(
        row.status == Fail && row.seen.contains("uid 1000"),
        "{row:?}"
    );
}

#[test]
fn a_socket_counts_as_the_workload_that_made_it() {
    let made = Made::good();
    made.folder("/run/containerd");
    let path = std::env::temp_dir().join(format!("doctor-{}.sock", std::process::id()));
    let _listener = UnixListener::bind(&path).unwrap();
    made.link("/run/containerd/containerd.sock", path.to_str().unwrap());
    assert!(
        row(&made.examine().rows, "other-workloads")
            .seen
            .contains("containerd")
    );
    std::fs::remove_file(path).unwrap();
}

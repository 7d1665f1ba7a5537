//! The end of a VM of User-Mode Linux, whoever ends first: its guest, its kernel, bubblewrap, its tool.

use crate::crash::kinds;
use crate::guest::{Does, initramfs};
use crate::host::{Host, host, host_of_anyone};
use crate::uml::{Live, PATIENCE, Uml, config, uml};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};
use std::io::{BufRead, BufReader};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;
use vmm::cleanup::sweep;
use vmm::jail::inspect;
use vmm::{VmExit, VmmError};

/// How long what dies with another may take.
const SOON: Timespec = Timespec {
    tv_sec: 2,
    tv_nsec: 0,
};

fn pid(number: i32) -> Pid {
    Pid::from_raw(number).unwrap()
}

/// A process, and later whether it has ended.
struct Watched(&'static str, OwnedFd);

impl Watched {
    fn new(name: &'static str, number: i32) -> Self {
        Self(name, pidfd_open(pid(number), PidfdFlags::empty()).unwrap())
    }

    fn assert_ends(&self) {
        let ended = poll(&mut [PollFd::new(&self.1, PollFlags::IN)], Some(&SOON));
        assert_eq!(ended, Ok(1), "{} is still there", self.0);
    }
}

/// All processes of a VM.
fn watch(kernel: i32, job: i32) -> [Watched; 3] {
    let bwrap = inspect::parent_of(kernel).unwrap();
    [
        Watched::new("the kernel", kernel),
        Watched::new("the job's process", job),
        Watched::new("bubblewrap", bwrap),
    ]
}

fn assert_nothing_is_left(host: &Host) {
    let left = [host.runs(), host.cgroups()].concat();
    assert!(left.is_empty(), "{left:?}");
}

/// Boots a guest that ends at once, which may be before its boot is over.
async fn end_of(uml: &Uml, host: &Host, does: Does) -> VmExit {
    let name = format!("{does:?}");
    let initramfs = initramfs(&host.folder(), &name, &does.program());
    match uml.engine.boot(uml.spec_of(&name, initramfs)).await {
        Ok(mut vm) => {
            let exit = timeout(PATIENCE, vm.wait_exit()).await.unwrap();
            vm.close().await.unwrap();
            exit
        }
        Err(VmmError::Ended { exit, .. }) => *exit,
        Err(e) => panic!("{does:?}: {e}"),
    }
}

/// How a guest that does this ends: exit code, signal.
const ENDINGS: &[(Does, Option<i32>, Option<i32>)] = &[
    (Does::PowerOff, Some(0), None),
    (Does::Halt, Some(0), None),
    (Does::Restart, Some(0), None),
    (Does::Panic, None, Some(libc::SIGABRT)),
    // What a guest may do without ending its VM: a filter that hears of it must not kill.
    (Does::OpenLine, Some(0), None),
    (Does::CallVsyscall, Some(0), None),
];

/// Whether this host's kernel answers old programs' calls; one that does not ends them.
fn has_vsyscall() -> bool {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    maps.contains("[vsyscall]")
}

#[tokio::test]
async fn a_guest_that_ends_itself_ends_its_vm() {
    let Some(host) = host("uml-ends") else { return };
    let Some(uml) = uml(&host).await else { return };
    for &(does, code, signal) in ENDINGS {
        if matches!(does, Does::CallVsyscall) && !has_vsyscall() {
            println!("not run: {does:?}: this host has no vsyscall page");
            continue;
        }
        let exit = end_of(&uml, &host, does).await;
        println!("{does:?}: {exit}; {} {}", exit.console, exit.stderr);
        assert_eq!((exit.code, exit.signal, exit.oom), (code, signal, false));
    }
    assert_nothing_is_left(&host);
}

/// Kills one process of a VM; all others go with it.
async fn kill_one(id: &str, victim: fn(&Live) -> i32) -> Option<VmExit> {
    let host = host(id)?;
    let uml = uml(&host).await?;
    let mut live = uml.live(id).await;
    let watched = watch(live.kernel, live.job);
    kill_process(pid(victim(&live)), Signal::KILL).unwrap();
    // A kernel learns of a process's end when it is to run again: the agent has something to read.
    let _ = live.channel.write_all(b"wake up").await;
    let exit = timeout(PATIENCE, live.vm.wait_exit()).await.unwrap();
    watched.iter().for_each(Watched::assert_ends);
    live.vm.close().await.unwrap();
    assert_nothing_is_left(&host);
    Some(exit)
}

#[tokio::test]
async fn kill_9_of_the_kernel_leaves_nothing() {
    if let Some(exit) = kill_one("kill-kernel", |live| live.kernel).await {
        assert_eq!(exit.signal, Some(libc::SIGKILL));
    }
}

#[tokio::test]
async fn kill_9_of_its_bubblewrap_leaves_nothing() {
    let bwrap = |live: &Live| inspect::parent_of(live.kernel).unwrap();
    if let Some(exit) = kill_one("kill-bwrap", bwrap).await {
        assert_eq!(exit.signal, Some(libc::SIGKILL));
    }
}

/// The guest's first process is gone: its kernel panics.
#[tokio::test]
async fn kill_9_of_the_first_jobs_process_ends_its_vm() {
    if let Some(exit) = kill_one("kill-job", |live| live.job).await {
        assert_eq!(exit.signal, Some(libc::SIGABRT), "{exit}");
    }
}

/// A tool for the next tests to kill; alone it does nothing. It prints its VM's processes.
#[tokio::test]
async fn tool_to_be_killed() {
    let Some(at) = std::env::var_os("JAIL_TEST_STATE") else {
        return;
    };
    let mut host = host_of_anyone("killed").unwrap();
    host.config.state_dir = at.into();
    host.config.cgroup_parent = std::env::var("JAIL_TEST_CGROUP").unwrap();
    let Some(uml) = uml(&host).await else { return };
    let mut live = uml.live("vm-of-the-killed").await;
    println!("vm {} {}", live.kernel, live.job);
    live.vm.wait_exit().await;
}

/// A tool with a VM, which is killed; its VM goes with it.
pub fn kill_tool(mut tool: Child) {
    let lines = BufReader::new(tool.stdout.take().unwrap()).lines();
    let numbers = lines.map_while(Result::ok).find_map(|line| {
        let (kernel, job) = line.split_once("vm ")?.1.split_once(' ')?;
        Some((kernel.parse().ok()?, job.parse().ok()?))
    });
    let (kernel, job) = numbers.unwrap();
    let watched = watch(kernel, job);
    kill_process(Pid::from_child(&tool), Signal::KILL).unwrap();
    watched.iter().for_each(Watched::assert_ends);
    tool.wait().unwrap();
}

#[tokio::test]
async fn kill_9_of_the_tool_ends_its_kernel_and_the_sweep_does_the_rest() {
    let Some(host) = host("kill9-uml") else {
        return;
    };
    if uml(&host).await.is_none() {
        return;
    }
    let tool = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "uml_ends::tool_to_be_killed", "--nocapture"])
        .env("JAIL_TEST_STATE", &host.config.state_dir)
        .env("JAIL_TEST_CGROUP", &host.config.cgroup_parent)
        .stdout(Stdio::piped())
        .spawn();
    kill_tool(tool.unwrap());
    let removed = sweep(&host.config).await.unwrap();
    assert_eq!(kinds(&removed), ["cgroup", "run folder"]);
    assert_nothing_is_left(&host);
    // Its uid is free again.
    let mut one_uid = host.config.clone();
    one_uid.uid_count = 1;
    assert!(vmm::jail::slots::take(&host.state, one_uid.uid_base, 1).is_ok());
}

/// What no crash should be able to leave: a kernel that runs, with its guest, and no tool. It carries
/// its VM's id, and its processes end with it.
#[tokio::test]
async fn the_sweep_ends_a_kernel_whose_tool_is_gone() {
    let Some(host) = host("sweep-uml") else {
        return;
    };
    let Some(config) = config(&host) else { return };
    let kernel = config.uml.unwrap().kernel;
    let initramfs = initramfs(&host.folder(), "wait", &Does::Wait.program());
    std::fs::create_dir(host.state.run().join("dead-vm")).unwrap();
    std::fs::write(host.state.run().join("dead-vm/lock"), "").unwrap();
    let mut left = Command::new(kernel)
        .args(["umid=dead-vm", "mem=64M", "seccomp=off", "quiet"])
        .args(["con=null", "con0=null", "ssl=null"])
        .arg(format!("uml_dir={}/", host.folder().display()))
        .arg(format!("initrd={}", initramfs.display()))
        .env("TMPDIR", host.folder())
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let kernel = left.id() as i32;
    let job = crate::uml::job_of(kernel);
    let watched = [
        Watched::new("the kernel", kernel),
        Watched::new("the job's process", job),
    ];
    // It is waited for here, as its tool or init would.
    let waited = tokio::task::spawn_blocking(move || left.wait());
    let removed = sweep(&host.config).await.unwrap();
    println!("{removed:?}");
    assert_eq!(kinds(&removed), ["process", "run folder"]);
    watched.iter().for_each(Watched::assert_ends);
    waited.await.unwrap().unwrap();
    assert_nothing_is_left(&host);
}

//! A crash, made by hand and by SIGKILL: what is left goes, what lives stays.

use crate::host::{Host, host};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use vmm::cleanup::{Removed, sweep};

/// A process that stays until it is killed, and is whenever the test ends.
struct Sleeper(Child);

impl Sleeper {
    fn new(more: &[&str]) -> Self {
        // It waits for a line that never comes.
        let mut command = Command::new("sh");
        command.args(["-c", "read -r line", "sh"]).args(more);
        Self(command.stdin(Stdio::piped()).spawn().unwrap())
    }

    fn join(&self, folder: &Path) {
        std::fs::write(folder.join("cgroup.procs"), self.0.id().to_string()).unwrap();
    }

    fn is_alive(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub fn kinds(removed: &[Removed]) -> Vec<&str> {
    let mut kinds: Vec<&str> = removed.iter().map(|row| row.kind).collect();
    kinds.dedup();
    kinds
}

/// A VM whose tool is gone and which itself is not: what no crash should be able to leave. Its processes
/// are in its cgroup, or carry its id as QEMU, or as User-Mode Linux.
fn fabricate(host: &Host, id: &str, like: &[std::path::PathBuf]) -> [Sleeper; 3] {
    let run = host.state.run().join(id);
    std::fs::create_dir(&run).unwrap();
    for (name, text) in [("lock", ""), ("ram", "guest")] {
        std::fs::write(run.join(name), text).unwrap();
    }
    std::fs::create_dir(run.join("mnt")).unwrap();
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "left"])
        .arg(run.join("mnt"))
        .status();
    assert!(mounted.unwrap().success());
    let inside = Sleeper::new(&[]);
    let mut note = String::new();
    for folder in like {
        let folder = folder.with_file_name(id);
        std::fs::create_dir(&folder).unwrap();
        inside.join(&folder);
        note.push_str(&format!("{}\n", folder.display()));
    }
    std::fs::write(run.join("cgroups"), note).unwrap();
    let umid = format!("umid={id}");
    [inside, Sleeper::new(&["-name", id]), Sleeper::new(&[&umid])]
}

#[tokio::test]
async fn what_a_power_cut_left_goes_and_a_live_vm_stays() {
    let Some(host) = host("power") else { return };
    let jail = host.jail(Path::new("/bin/sleep"));
    let (live, _output) = host.start(&jail, "live-vm", &["300"]);
    let (live_runs, live_cgroups) = (host.runs(), host.cgroups());
    assert!(!live_cgroups.is_empty());
    let processes = fabricate(&host, "dead-vm", &live_cgroups);
    let mut bystanders = [Sleeper::new(&["dead-vm"]), Sleeper::new(&["umid=dead-vm2"])];
    std::fs::create_dir_all(host.state.jails().join("draft/usr")).unwrap();

    let removed = sweep(&host.config).await.unwrap();
    println!("{removed:#?}");
    assert_eq!(
        kinds(&removed),
        ["jail root", "process", "mount", "cgroup", "run folder"]
    );
    for mut process in processes {
        assert!(!process.is_alive());
    }
    assert_eq!(host.runs(), live_runs);
    assert_eq!(host.cgroups(), live_cgroups);
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    assert!(!mounts.contains("dead-vm"));

    assert!(bystanders.iter_mut().all(Sleeper::is_alive));
    assert!(live.process.ended().is_none());
    assert!(sweep(&host.config).await.unwrap().is_empty());
    live.process.kill();
    assert_eq!(live.process.gone().await, Vec::<String>::new());
    assert!(host.runs().is_empty() && host.cgroups().is_empty());
}

/// A tool for the next test to kill; alone it does nothing.
#[tokio::test]
async fn tool_to_be_killed() {
    let Some(at) = std::env::var_os("JAIL_TEST_STATE") else {
        return;
    };
    let Some(mut host) = host("killed") else {
        return;
    };
    host.config.state_dir = at.into();
    host.config.cgroup_parent = std::env::var("JAIL_TEST_CGROUP").unwrap();
    host.state = vmm::state::StateDir::open(&host.config.state_dir).unwrap();
    let jail = host.jail(Path::new("/bin/sleep"));
    let (vm, _output) = host.start(&jail, "vm-of-the-killed", &["300"]);
    println!("vm {}", vm.process.pid());
    vm.process.wait().await;
}

#[tokio::test]
async fn kill_9_of_the_tool_ends_its_vm_and_the_sweep_does_the_rest() {
    let Some(host) = host("kill9") else { return };
    let mut tool = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::tool_to_be_killed", "--nocapture"])
        .env("JAIL_TEST_STATE", &host.config.state_dir)
        .env("JAIL_TEST_CGROUP", &host.config.cgroup_parent)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(tool.stdout.take().unwrap()).lines();
    let vm = lines
        .map_while(Result::ok)
        .find_map(|line| Pid::from_raw(line.split_once("vm ")?.1.parse().ok()?))
        .unwrap();
    let handle = pidfd_open(vm, PidfdFlags::empty()).unwrap();
    assert!(
        sweep(&host.config).await.unwrap().is_empty(),
        "its tool lives"
    );
    kill_process(Pid::from_child(&tool), Signal::KILL).unwrap();
    let two_seconds = Timespec {
        tv_sec: 2,
        tv_nsec: 0,
    };
    let ended = poll(
        &mut [PollFd::new(&handle, PollFlags::IN)],
        Some(&two_seconds),
    )
    .unwrap();
    assert_eq!(ended, 1, "the VM outlived its tool by 2 s");
    tool.wait().unwrap();
    let removed = sweep(&host.config).await.unwrap();
    assert_eq!(kinds(&removed), ["cgroup", "run folder"]);
    assert!(host.runs().is_empty() && host.cgroups().is_empty());
}

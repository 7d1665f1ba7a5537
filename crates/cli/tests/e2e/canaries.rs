//! Traces on the host as a wall that gave way would leave them, for [`crate::battery`]. Each takes itself
//! away when its [`Undo`] is dropped.

use crate::lab::{self, PLACE};
use crate::tool::Running;
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Takes a trace away.
pub struct Undo(Option<Box<dyn FnOnce()>>);

impl Undo {
    fn by(act: impl FnOnce() + 'static) -> Undo {
        Undo(Some(Box::new(act)))
    }
}

impl Drop for Undo {
    fn drop(&mut self) {
        if let Some(act) = self.0.take() {
            act();
        }
    }
}

/// A file that a guest wrote on the host.
pub fn file(_: &Running) -> Undo {
    let path = lab::lab().state.join("run/planted");
    std::fs::write(&path, "out").unwrap();
    Undo::by(move || std::fs::remove_file(path).unwrap())
}

/// A mount that leaked.
pub fn mount(_: &Running) -> Undo {
    let path = lab::lab().state.join("run/planted-mount");
    std::fs::create_dir(&path).unwrap();
    let run = |program: &str, args: &[&str], path: &Path| {
        let status = Command::new(program).args(args).arg(path).status();
        assert!(status.unwrap().success(), "{program}");
    };
    run("mount", &["-t", "tmpfs", "planted"], &path);
    Undo::by(move || {
        run("umount", &[], &path);
        std::fs::remove_dir(path).unwrap();
    })
}

/// A shell with a VM's uid that lives until its input ends; it does `first` before, and says so.
fn process(first: &str, stderr: Stdio) -> Undo {
    let mut child = Command::new("sh")
        .args(["-c", &format!("{first}echo ready\nread -r line")])
        .uid(PLACE.uid_base + PLACE.uid_count - 1)
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(stderr)
        .spawn()
        .unwrap();
    let mut said = String::new();
    let output = child.stdout.take().unwrap();
    BufReader::new(output).read_line(&mut said).unwrap();
    assert_eq!(said, "ready\n");
    Undo::by(move || {
        drop(child.stdin.take());
        child.wait().unwrap();
    })
}

/// A process that got out of its jail, and opened a door.
pub fn process_that_listens(_: &Running) -> Undo {
    let door = TcpListener::bind("127.0.0.1:0").unwrap();
    // One of its three descriptors: no other child of this process can inherit it.
    process("", OwnedFd::from(door).into())
}

/// One that calls itself what the host's look leaves out: another tool.
pub fn process_with_the_tools_name(_: &Running) -> Undo {
    let rename = "printf llm-firecracker >/proc/$$/comm\n";
    process(rename, Stdio::null())
}

/// A cgroup that leaked, beside those of the battery's VMs.
pub fn cgroup(tool: &Running) -> Undo {
    let parent = format!("{}-selftest-{}", PLACE.cgroup, tool.pid());
    let mut found = Vec::new();
    folders_named(Path::new("/sys/fs/cgroup"), &parent, &mut found);
    let path = found.first().expect("no cgroup of the battery's VMs");
    let path = path.join("planted-cgroup");
    std::fs::create_dir(&path).unwrap();
    Undo::by(move || {
        std::fs::remove_dir(&path).unwrap();
        // With others in it, this fails.
        let _ = path.parent().map(std::fs::remove_dir);
    })
}

fn folders_named(folder: &Path, name: &str, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        match entry.file_name() == name {
            true => found.push(entry.path()),
            false => folders_named(&entry.path(), name, found),
        }
    }
}

/// A write to what every job starts from: a snapshot's memory, where there are none the description of an
/// image. Of the byte that is there: others go on with it.
pub fn written_image(_: &Running) -> Undo {
    let state = &lab::lab().state;
    let snapshots = std::fs::read_dir(state.join("snapshots")).unwrap();
    let files = snapshots
        .flatten()
        .filter_map(|entry| std::fs::read_dir(entry.path()).ok())
        .flat_map(|files| files.flatten().map(|file| file.path()));
    let memory = files
        .filter(|path| path.is_file())
        .max_by_key(|path| path.metadata().unwrap().len());
    let mut file = std::fs::File::options()
        .read(true)
        .write(true)
        .open(memory.unwrap_or_else(|| state.join("images/rootfs/bash.json")))
        .unwrap();
    let mut byte = [0];
    file.read_exact(&mut byte).unwrap();
    file.rewind().unwrap();
    file.write_all(&byte).unwrap();
    Undo(None)
}

/// A connection to a port of the host's that nobody has any business with.
pub fn connection(tool: &Running) -> Undo {
    let port = listening_port(tool.pid());
    drop(TcpStream::connect(("127.0.0.1", port)).unwrap());
    Undo(None)
}

/// The port on 127.0.0.1 that a process listens on.
fn listening_port(pid: u32) -> u16 {
    let sockets: Vec<String> = std::fs::read_dir(format!("/proc/{pid}/fd"))
        .unwrap()
        .flatten()
        .filter_map(|entry| std::fs::read_link(entry.path()).ok())
        .filter_map(|target| {
            let inode = target.to_str()?.strip_prefix("socket:[")?;
            Some(inode.strip_suffix(']')?.to_owned())
        })
        .collect();
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    // Columns: number, local address, remote address, state (0A: listens), …, inode.
    let port = table.lines().find_map(|line| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let ours = columns.get(3) == Some(&"0A")
            && sockets
                .iter()
                .any(|inode| columns.get(9) == Some(&inode.as_str()));
        let (_, port) = columns.get(1)?.split_once(':')?;
        ours.then(|| u16::from_str_radix(port, 16).unwrap())
    });
    port.expect("the battery listens on no port")
}

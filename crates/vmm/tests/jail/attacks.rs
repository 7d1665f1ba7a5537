//! What a VMM that a guest has taken over may try, one a row; the rows are in the files of `attacks/`.
//! They run in a jail as this very test program, which is then the stand-in; see `hostile`.

mod files;
mod memory;
mod network;
mod privileges;
mod processes;

use std::fs::File;
use std::io::{Error, Result};
use std::os::fd::{AsRawFd, RawFd};
use std::ptr::null_mut;
use vmm::uml::args;

/// All attacks.
pub fn all() -> impl Iterator<Item = &'static Attack> {
    let tables = [
        files::ROWS,
        network::ROWS,
        processes::ROWS,
        privileges::ROWS,
        memory::ROWS,
    ];
    tables.into_iter().flatten()
}

/// A row of the tables.
pub struct Attack {
    pub name: &'static str,
    pub run: fn(&Targets) -> Result<()>,
    pub ends: Ends,
    /// It succeeds for root outside a jail, which shows that it is the jail that refuses it. Not tried
    /// where success would hurt the host or take the test's process away.
    pub control: bool,
}

/// What is around the stand-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Walls {
    /// QEMU's jail.
    Qemu,
    /// That of a kernel of User-Mode Linux that boots: no guest runs yet.
    UmlStarting,
    /// The same when the kernel has sealed itself.
    UmlSealed,
}

/// How an attack ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// With an error that the attacker sees.
    Refused,
    /// With the attacker's death by this signal.
    Killed(i32),
    /// A kernel that boots has to do this: it is the seal that ends it.
    Succeeds,
}
use End::{Killed, Refused, Succeeds};

/// How it ends behind which walls; `None`: it is not tried there, for there it is nothing to gain or
/// nothing that can be tried.
#[derive(Debug, Clone, Copy)]
pub struct Ends {
    qemu: Option<End>,
    starting: Option<End>,
    sealed: Option<End>,
}

impl Ends {
    pub fn behind(&self, walls: Walls) -> Option<End> {
        match walls {
            Walls::Qemu => self.qemu,
            Walls::UmlStarting => self.starting,
            Walls::UmlSealed => self.sealed,
        }
    }
}

/// A filter's answer.
const SYS: End = Killed(libc::SIGSYS);

/// Files may be opened, of which there are none, until the seal: then none may.
const OPENING: Ends = ends(Refused, Refused, SYS);

const fn ends(qemu: End, starting: End, sealed: End) -> Ends {
    Ends {
        qemu: Some(qemu),
        starting: Some(starting),
        sealed: Some(sealed),
    }
}

const fn every(end: End) -> Ends {
    ends(end, end, end)
}

/// What is a question for this engine's kernel only.
const fn uml(starting: End, sealed: End) -> Ends {
    Ends {
        qemu: None,
        ..ends(starting, starting, sealed)
    }
}

/// What a kernel that boots may, or what would be tried in vain.
const fn not_starting(qemu: End, sealed: End) -> Ends {
    Ends {
        starting: None,
        ..ends(qemu, qemu, sealed)
    }
}

/// What only a sealed kernel is to be kept from.
const fn sealed(end: End) -> Ends {
    Ends {
        qemu: None,
        starting: None,
        sealed: Some(end),
    }
}

const fn attack(name: &'static str, ends: Ends, run: fn(&Targets) -> Result<()>) -> Attack {
    Attack {
        name,
        run,
        ends,
        control: true,
    }
}

const fn unproven(name: &'static str, ends: Ends, run: fn(&Targets) -> Result<()>) -> Attack {
    Attack {
        control: false,
        ..attack(name, ends, run)
    }
}

/// What is attacked: things of the host's that were made for this, and what a kernel holds itself.
pub struct Targets {
    words: Vec<String>,
    /// As the memory of a guest of User-Mode Linux is held.
    ram: Option<File>,
}

impl Targets {
    /// From `name=value` arguments; with `scratch=BYTES` there is a guest's memory.
    pub fn from_arguments() -> Self {
        let mut targets = Self {
            words: std::env::args().collect(),
            ram: None,
        };
        if !targets.get("scratch").is_empty() {
            targets.ram = Some(guest_memory(targets.scratch_bytes()).unwrap());
        }
        targets
    }

    pub fn get(&self, name: &str) -> &str {
        let value = |word: &'_ String| -> Option<usize> {
            word.strip_prefix(name)?.strip_prefix('=').map(str::len)
        };
        let word = self.words.iter().find(|word| value(word).is_some());
        word.map_or("", |word| &word[name.len() + 1..])
    }

    /// Another VM's process, or whoever's else.
    fn pid(&self) -> i64 {
        self.get("pid").parse().unwrap()
    }

    fn scratch_bytes(&self) -> u64 {
        self.get("scratch").parse().unwrap()
    }

    fn ram(&self) -> Result<&File> {
        // Outside such a jail there is none.
        self.ram
            .as_ref()
            .ok_or_else(|| Error::from_raw_os_error(libc::EBADF))
    }

    /// The descriptors that it was given or opened itself.
    fn own_descriptors(&self) -> Vec<RawFd> {
        let given = [args::fd::CHANNEL, args::fd::SEAL];
        let ram = self.ram.iter().map(AsRawFd::as_raw_fd);
        self.ram.iter().flat_map(|_| given).chain(ram).collect()
    }
}

/// Made as the kernel makes it (`create_tmp_file` in arch/um/os-Linux/mem.c), a little less than all
/// there is room for.
fn guest_memory(scratch_bytes: u64) -> Result<File> {
    use rustix::fs::{Mode, OFlags};
    let flags = OFlags::TMPFILE | OFlags::EXCL | OFlags::RDWR | OFlags::CLOEXEC;
    let mode = Mode::from_raw_mode(0o700);
    let file = File::from(rustix::fs::open(args::at::SCRATCH, flags, mode)?);
    file.set_len(scratch_bytes - (1 << 20))?;
    Ok(file)
}

/// The kernel looked at the arguments: it would have done a sensible request.
fn invalid_is_allowed(error: Error) -> Result<()> {
    match error.raw_os_error() {
        Some(libc::EINVAL | libc::EFAULT) => Ok(()),
        _ => Err(error),
    }
}

fn call(number: libc::c_long, [a, b, c, d, e]: [i64; 5]) -> Result<()> {
    // SAFETY: the requests of the tables touch nothing of this process's memory but read constant
    // strings and write to places that outlive the call.
    match unsafe { libc::syscall(number, a, b, c, d, e, null_mut::<u8>()) } {
        -1 => Err(Error::last_os_error()),
        _ => Ok(()),
    }
}

//! Guests of User-Mode Linux for tests: the agent, or a first process of a few instructions.

use std::path::{Path, PathBuf};

/// What a guest's first process does at once.
#[derive(Debug, Clone, Copy)]
pub enum Does {
    /// It ends, which no kernel survives.
    Panic,
    /// `LINUX_REBOOT_CMD_HALT`
    Halt,
    /// `LINUX_REBOOT_CMD_RESTART`
    Restart,
    /// `LINUX_REBOOT_CMD_POWER_OFF`
    PowerOff,
    /// It waits for ever.
    Wait,
    /// It asks for the time at a fixed address, which the host's kernel answers itself; then power off.
    CallVsyscall,
    /// It opens a serial line that is connected to nothing; then power off.
    OpenLine,
}

/// A serial line beside the channel's.
const LINE: &str = "dev/ttyS1";

/// Where a program is put, what of it comes before its code, and where in it is the path of [`LINE`].
const AT: u64 = 0x40_0000;
const HEADERS: usize = 64 + 56;
const PATH: usize = 16;

impl Does {
    pub fn program(self) -> Vec<u8> {
        let reboot = |command| call(libc::SYS_reboot, [0xfee1_dead, 672_274_793, command]);
        let path = AT as u32 + HEADERS as u32;
        let before = match self {
            Does::CallVsyscall => call_vsyscall(),
            Does::OpenLine => call(libc::SYS_open, [path, libc::O_RDWR as u32, 0]),
            _ => Vec::new(),
        };
        let end = match self {
            Does::Panic => call(libc::SYS_exit_group, [0; 3]),
            Does::Wait => call(libc::SYS_pause, [0; 3]),
            Does::Halt => reboot(0xcdef_0123),
            Does::Restart => reboot(0x0123_4567),
            _ => reboot(0x4321_fedc),
        };
        // A jump to itself: a machine that goes on after its end uses its CPU, and does not end.
        program(&[before, end, vec![0xeb, 0xfe]].concat())
    }
}

/// A system call: mov edi, …; mov esi, …; mov edx, …; mov eax, number; syscall
fn call(number: libc::c_long, arguments: [u32; 3]) -> Vec<u8> {
    let mut code = Vec::new();
    let values = arguments.into_iter().chain([number as u32]);
    for (opcode, value) in [0xbf, 0xbe, 0xba, 0xb8].into_iter().zip(values) {
        code.push(opcode);
        code.extend(value.to_le_bytes());
    }
    code.extend([0x0f, 0x05]);
    code
}

/// time(NULL) as programs of 2005 asked for it: xor edi, edi; mov rax, …; call rax
fn call_vsyscall() -> Vec<u8> {
    const TIME: u64 = 0xffff_ffff_ff60_0400;
    let mut code = vec![0x31, 0xff, 0x48, 0xb8];
    code.extend(TIME.to_le_bytes());
    code.extend([0xff, 0xd0]);
    code
}

/// The smallest program: an ELF header, one segment, a path, the code.
fn program(code: &[u8]) -> Vec<u8> {
    let mut elf = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    // ET_EXEC, EM_X86_64
    elf.extend([2, 0, 62, 0, 1, 0, 0, 0]);
    for word in [AT + (HEADERS + PATH) as u64, 64, 0] {
        elf.extend(word.to_le_bytes());
    }
    // flags; sizes and number of headers
    elf.extend([0, 0, 0, 0, 64, 0, 56, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
    // PT_LOAD, readable and executable
    elf.extend([1, 0, 0, 0, 5, 0, 0, 0]);
    let size = (HEADERS + PATH + code.len()) as u64;
    for word in [0, AT, AT, size, size, 4096] {
        elf.extend(word.to_le_bytes());
    }
    elf.extend(format!("/{LINE}").bytes());
    elf.resize(HEADERS + PATH, 0);
    elf.extend(code);
    elf
}

/// An initramfs with this first process, in a folder.
pub fn initramfs(folder: &Path, name: &str, init: &[u8]) -> PathBuf {
    const FOLDER: u32 = 0o040_755;
    const DEVICE: u32 = 0o020_600;
    const PROGRAM: u32 = 0o100_755;
    let mut archive = Vec::new();
    for at in ["dev", "newroot", "proc", "sys"] {
        entry(&mut archive, at, (FOLDER, [0, 0]), &[]);
    }
    entry(&mut archive, "dev/console", (DEVICE, [5, 1]), &[]);
    entry(&mut archive, LINE, (DEVICE, [4, 65]), &[]);
    entry(&mut archive, "init", (PROGRAM, [0, 0]), init);
    entry(&mut archive, "TRAILER!!!", (0, [0, 0]), &[]);
    let path = folder.join(format!("{name}.cpio"));
    std::fs::write(&path, archive).unwrap();
    path
}

/// One file in cpio's 'newc' format (the kernel's buffer-format.rst).
fn entry(archive: &mut Vec<u8>, name: &str, (mode, device): (u32, [u32; 2]), bytes: &[u8]) {
    let pad = |archive: &mut Vec<u8>| archive.resize(archive.len().next_multiple_of(4), 0);
    let (size, name_size) = (bytes.len() as u32, name.len() as u32 + 1);
    archive.extend(b"070701");
    let fields = [
        0, mode, 0, 0, 1, 0, size, 0, 0, device[0], device[1], name_size, 0,
    ];
    for field in fields {
        archive.extend(format!("{field:08x}").bytes());
    }
    archive.extend(name.bytes());
    archive.push(0);
    pad(archive);
    archive.extend(bytes);
    pad(archive);
}

//! Architectures and their system-call tables.

use std::fmt;
use std::str::FromStr;

/// A kernel's architecture; numbers and the very existence of system calls differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Arch {
    /// 64-bit x86; the i386 and x32 calls of the same kernel never pass.
    X86_64,
    /// 64-bit ARM.
    Aarch64,
}

/// Every architecture that a profile can be compiled for.
pub const ARCHES: [Arch; 2] = [Arch::X86_64, Arch::Aarch64];

impl Arch {
    /// The one this program was built for.
    pub const fn host() -> Arch {
        if cfg!(target_arch = "aarch64") {
            Arch::Aarch64
        } else {
            Arch::X86_64
        }
    }

    /// The number of a call, if this architecture has it.
    pub fn number(self, name: &str) -> Option<i64> {
        match self {
            Arch::X86_64 => syscalls::x86_64::Sysno::from_str(name)
                .ok()
                .map(|s| i64::from(s.id())),
            Arch::Aarch64 => syscalls::aarch64::Sysno::from_str(name)
                .ok()
                .map(|s| i64::from(s.id())),
        }
    }

    /// The name of a call by its number.
    pub fn name(self, number: i64) -> Option<&'static str> {
        let number = usize::try_from(number).ok()?;
        match self {
            Arch::X86_64 => syscalls::x86_64::Sysno::new(number).map(|s| s.name()),
            Arch::Aarch64 => syscalls::aarch64::Sysno::new(number).map(|s| s.name()),
        }
    }

    pub(crate) fn target(self) -> seccompiler::TargetArch {
        match self {
            Arch::X86_64 => seccompiler::TargetArch::x86_64,
            Arch::Aarch64 => seccompiler::TargetArch::aarch64,
        }
    }
}

impl fmt::Display for Arch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Arch::X86_64 => "x86_64",
            Arch::Aarch64 => "aarch64",
        })
    }
}

/// The name of system call `number` on this machine's architecture: for 'killed by SIGSYS: ptrace'.
pub fn syscall_name(number: i64) -> Option<&'static str> {
    Arch::host().name(number)
}

/// A call exists when any architecture has it: one profile serves all, and a call that the target
/// does not have can neither be allowed nor denied there.
pub(crate) fn is_known(name: &str) -> bool {
    ARCHES.iter().any(|arch| arch.number(name).is_some())
}

//! What is true of one engine's VMs and not of another's, in one table. A test asks for the row of the
//! engine that `run --json` reports.

/// Who ends a VMM that stands still.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StandstillEndedBy {
    /// Its control socket no longer answers.
    Watchdog,
    /// There is no such socket: the job's own limit, which the host keeps, too.
    HostDeadline,
}

/// When a changed byte of its guests' kernel is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KernelChecked {
    ForEachJob,
    /// The kernel is a program, which finding out whether the engine works would run: without a whole one
    /// there is no such engine here.
    BeforeItsProbe,
}

/// One engine.
#[derive(Debug)]
pub struct Engine {
    /// `isolation.engine`.
    pub name: &'static str,
    /// What `isolation.accelerator` may be.
    pub accelerators: &'static [&'static str],
    /// What `isolation.jail` begins with.
    pub jail: &'static str,
    /// `timings.path` of a job that finds no VM waiting.
    pub path: &'static str,
    /// Names of its VMM's process, as far as the kernel keeps them.
    pub vmm: &'static [&'static str],
    /// The name of the host's process that each process of a guest is, where that is so.
    pub guest_process: Option<&'static str>,
    /// The folder of its guests' kernel, and what that file's name begins with.
    pub kernel: (&'static str, &'static str),
    pub kernel_checked: KernelChecked,
    /// The most CPUs of a VM, where the engine has a bound of its own.
    pub max_vcpus: Option<u32>,
    pub standstill_ended_by: StandstillEndedBy,
    /// Without KVM, too, a guest's instructions are the host's.
    pub computes_natively: bool,
    /// Of the given programs of a language, how many there is time for.
    pub given_programs: usize,
    /// What a VM holds of the host besides its guest's memory, at most.
    pub own_memory_mib: u64,
}

const VIRTUAL_KERNEL: (&str, &str) = ("images/kernel", "vmlinux");

pub const ENGINES: &[Engine] = &[
    Engine {
        name: "qemu",
        accelerators: &["kvm", "tcg"],
        jail: "bubblewrap+seccomp",
        path: "clone",
        vmm: &["qemu-system"],
        guest_process: None,
        kernel: VIRTUAL_KERNEL,
        kernel_checked: KernelChecked::ForEachJob,
        max_vcpus: None,
        standstill_ended_by: StandstillEndedBy::Watchdog,
        computes_natively: false,
        given_programs: 6,
        // Emulated: translated code.
        own_memory_mib: 256,
    },
    Engine {
        name: "firecracker",
        accelerators: &["kvm"],
        jail: "jailer",
        path: "clone",
        // Its jailer, as long as that is not Firecracker yet.
        vmm: &["firecracker", "jailer"],
        guest_process: None,
        kernel: VIRTUAL_KERNEL,
        kernel_checked: KernelChecked::ForEachJob,
        max_vcpus: None,
        standstill_ended_by: StandstillEndedBy::Watchdog,
        computes_natively: false,
        given_programs: 6,
        own_memory_mib: 32,
    },
    Engine {
        name: "uml",
        accelerators: &["none"],
        jail: "bubblewrap+seccomp",
        path: "boot",
        vmm: &["kernel"],
        guest_process: Some("uml-userspace"),
        kernel: ("images/uml", "linux"),
        kernel_checked: KernelChecked::BeforeItsProbe,
        max_vcpus: Some(1),
        standstill_ended_by: StandstillEndedBy::HostDeadline,
        computes_natively: true,
        given_programs: usize::MAX,
        // The kernel's own pages and page tables, and bubblewrap.
        own_memory_mib: 32,
    },
];

/// The row of this name.
pub fn named(name: &str) -> &'static Engine {
    let row = ENGINES.iter().find(|engine| engine.name == name);
    row.unwrap_or_else(|| panic!("no row for the engine {name:?}"))
}

//! Hardware virtualisation.

use super::{Check, Group, Look, Needs};
use crate::facts::{Engine, Kvm};
use crate::host::{Gap, Host};
use crate::lookup::cpu_flags;
use crate::outcome::Outcome;
use std::os::unix::fs::MetadataExt;

pub(super) const GROUP: Group = Group {
    title: "Hardware virtualisation",
    checks: CHECKS,
};

const CHECKS: &[Check] = &[
    Check {
        id: "kvm-runs-guests",
        title: "KVM runs guest code",
        passes: "a guest instruction ran on it within the probe's deadline; or jobs run under User-Mode Linux, and isolation.minimum allows that",
        why: "without it there is no hardware wall: guests run under User-Mode Linux, or in software emulation, 10 to 30 times slower and no security boundary by QEMU's own word; the device being there proves nothing",
        fix: "modprobe kvm_intel || modprobe kvm_amd   # and enable VT-x or AMD-V in the firmware, or nested virtualisation at the provider",
        source: "this project's probe; QEMU 'Security' (Non-virtualization use case)",
        look: Look::Once(runs_guests),
    },
    Check {
        id: "kvm-device",
        title: "permissions of /dev/kvm",
        passes: "root's, not accessible to others, no access list that lets in more",
        why: "whoever opens it may run VMs outside every jail and reach KVM's attack surface",
        fix: "setfacl -b /dev/kvm; chown root:kvm /dev/kvm && chmod 660 /dev/kvm   # lasting: a udev rule KERNEL==\"kvm\", GROUP=\"kvm\", MODE=\"0660\"",
        source: "K: virt/kvm/api",
        look: Look::For(Needs::Hypervisors, device),
    },
    Check {
        id: "bare-metal",
        title: "not itself a virtual machine",
        passes: "no 'hypervisor' CPU flag",
        why: "on a nested host every wall also depends on the outer hypervisor, whose mitigations are not visible from here",
        fix: "run production on a bare-metal host (*.metal at a cloud)",
        source: "FC: design, 'Host integration'",
        look: Look::Once(bare_metal),
    },
    Check {
        id: "kvm-nested",
        title: "guests get no virtualisation of their own",
        passes: "kvm_intel or kvm_amd has nested=0",
        why: "nested virtualisation is a large and often mended part of KVM that no job needs",
        fix: "echo 'options kvm_intel nested=0' >/etc/modprobe.d/kvm-nested.conf; echo 'options kvm_amd nested=0' >>/etc/modprobe.d/kvm-nested.conf; reboot",
        source: "K: virt/kvm/x86/running-nested-guests",
        look: Look::For(Needs::Hypervisors, nested),
    },
    Check {
        id: "kvm-nx-huge-pages",
        title: "kvm.nx_huge_pages",
        passes: "'auto' or 'force'; or anything where itlb_multihit says 'Not affected'",
        why: "'never' and 'off' make boots faster on CPUs that iTLB multihit does not affect; on others they let a guest hang the host",
        fix: "rm /etc/modprobe.d/*nx_huge_pages*; modprobe -r kvm_intel kvm && modprobe kvm_intel",
        source: "FC: prod-host-setup, 'Linux 6.1 boot time regressions'; K: hw-vuln/multihit",
        look: Look::For(Needs::Hypervisors, nx_huge_pages),
    },
    Check {
        id: "kvm-min-timer-period",
        title: "kvm.min_timer_period_us",
        passes: "at least the kernel's default of 200",
        why: "a smaller period lets a guest make the host spend its time on injecting timer interrupts",
        fix: "echo 'options kvm min_timer_period_us=200' >/etc/modprobe.d/kvm-timer.conf; modprobe -r kvm_intel kvm && modprobe kvm_intel",
        source: "FC: prod-host-setup, 'Constrain CPU overhead caused by kvm-pit kernel threads'",
        look: Look::For(Needs::Hypervisors, min_timer_period),
    },
];

fn runs_guests(host: &Host) -> Result<Outcome, Gap> {
    Ok(match &host.facts.kvm {
        Kvm::NotProbed => Outcome::unknown("the accelerator was not probed"),
        Kvm::Runs(how) => Outcome::pass(how),
        Kvm::Not(why) if host.facts.hardware_required => Outcome::fail(format!(
            "{why}; isolation.minimum is \"hardware\", so no job will run"
        )),
        Kvm::Not(why) if host.facts.engine == Some(Engine::Uml) => Outcome::pass(format!(
            "not needed: engine uml, which is no hardware wall; kvm: {why}"
        )),
        Kvm::Not(why) => Outcome::warn(format!("{why}; jobs run in software emulation")),
    })
}

fn device(host: &Host) -> Result<Outcome, Gap> {
    let metadata = host.metadata("/dev/kvm")?;
    let seen = format!(
        "mode {:04o}, uid {}, gid {}",
        metadata.mode() & 0o7777,
        metadata.uid(),
        metadata.gid()
    );
    if metadata.mode() & 0o007 != 0 || !host.is_trusted(metadata.uid()) {
        return Ok(Outcome::fail(seen));
    }
    // The mode's group bits are then the list's mask: they do not tell who is in it.
    Ok(match host.let_in_by_list("/dev/kvm")? {
        names if names.is_empty() => Outcome::pass(seen),
        names => Outcome::warn(format!(
            "{seen}; its access list lets in {}",
            names.join(", ")
        )),
    })
}

fn bare_metal(host: &Host) -> Result<Outcome, Gap> {
    let flags = cpu_flags(host)?;
    if !flags.iter().any(|flag| flag == "hypervisor") {
        return Ok(Outcome::pass("no hypervisor flag"));
    }
    let vendor = host
        .read("/sys/class/dmi/id/sys_vendor")
        .unwrap_or_else(|_| "unknown vendor".to_owned());
    Ok(Outcome::warn(format!(
        "this host is a virtual machine ({vendor})"
    )))
}

fn nested(host: &Host) -> Result<Outcome, Gap> {
    for module in ["kvm_intel", "kvm_amd"] {
        if let Some(value) =
            host.read_if_there(&format!("/sys/module/{module}/parameters/nested"))?
        {
            let seen = format!("{module} nested={value}");
            return Ok(match value.as_str() {
                "0" | "N" => Outcome::pass(seen),
                _ => Outcome::warn(seen),
            });
        }
    }
    Ok(Outcome::unknown("neither kvm_intel nor kvm_amd is loaded"))
}

fn nx_huge_pages(host: &Host) -> Result<Outcome, Gap> {
    let value = host.read("/sys/module/kvm/parameters/nx_huge_pages")?;
    // The kernel shows `auto` and `force` as Y.
    if ["Y", "auto", "force"].contains(&value.as_str()) {
        return Ok(Outcome::pass(value));
    }
    let multihit = host.read("/sys/devices/system/cpu/vulnerabilities/itlb_multihit")?;
    let seen = format!("{value}, and itlb_multihit says {multihit:?}");
    Ok(if multihit == "Not affected" {
        Outcome::pass(seen)
    } else {
        Outcome::fail(seen)
    })
}

/// `min_timer_period_us` of arch/x86/kvm/x86.c.
const DEFAULT_TIMER_PERIOD_US: i64 = 200;

fn min_timer_period(host: &Host) -> Result<Outcome, Gap> {
    let value = host.number("/sys/module/kvm/parameters/min_timer_period_us")?;
    let seen = format!("{value} µs");
    Ok(if value >= DEFAULT_TIMER_PERIOD_US {
        Outcome::pass(seen)
    } else {
        Outcome::warn(seen)
    })
}

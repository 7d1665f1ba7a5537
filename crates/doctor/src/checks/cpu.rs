//! What the processor leaks, and what is done about it.

use super::{Check, Group, Look, Suffixed, not_needed};
use crate::facts::Engine;
use crate::host::{Gap, Host};
use crate::lookup::{cpu_field, cpu_flags};
use crate::outcome::Outcome;

pub(super) const GROUP: Group = Group {
    title: "Processor",
    checks: CHECKS,
};

const CHECKS: &[Check] = &[
    Check {
        id: "smt",
        title: "simultaneous multithreading",
        passes: "smt/active is 0",
        why: "two tenants on sibling threads of one core can read each other's data by timing, whichever engine holds them",
        fix: "echo off >/sys/devices/system/cpu/smt/control   # lasting: nosmt=force on the kernel's command line",
        source: "FC: prod-host-setup, 'Disable SMT'; K: hw-vuln/l1tf",
        look: Look::Once(smt),
    },
    Check {
        id: "vulnerability",
        title: "hardware vulnerability",
        passes: "every file in cpu/vulnerabilities says 'Not affected' or 'Mitigation: …' (one row each)",
        why: "an unmitigated processor lets a guest read other guests' or the host's memory; User-Mode Linux leans on nothing but these: its guests' instructions run as the host's processes",
        fix: "apt-get install --only-upgrade intel-microcode amd64-microcode linux-image-amd64 && reboot   # and remove mitigation-disabling words from the kernel's command line",
        source: "FC: prod-host-setup, 'Side channel attacks'; K: hw-vuln, ABI/testing/sysfs-devices-system-cpu",
        look: Look::Each(vulnerabilities),
    },
    Check {
        id: "mitigations",
        title: "mitigations on the kernel's command line",
        passes: "no word turns a mitigation off; under User-Mode Linux, words about KVM's guests do not count",
        why: "one forgotten tuning word opens every guest boundary",
        fix: "edit GRUB_CMDLINE_LINUX in /etc/default/grub, then update-grub && reboot",
        source: "K: admin-guide/kernel-parameters, 'mitigations='",
        look: Look::Once(mitigations),
    },
    Check {
        id: "microcode",
        title: "processor microcode",
        passes: "a revision newer than 0 is loaded on bare metal, and the kernel does not call it old",
        why: "several mitigations are in microcode; the host must load updates early in its boot",
        fix: "apt-get install intel-microcode amd64-microcode && update-initramfs -u && reboot",
        source: "FC: prod-host-setup, 'Mitigating hardware vulnerabilities'; K: x86/microcode",
        look: Look::Once(microcode),
    },
];

fn smt(host: &Host) -> Result<Outcome, Gap> {
    let active = host.read("/sys/devices/system/cpu/smt/active")?;
    let control = host
        .read("/sys/devices/system/cpu/smt/control")
        .unwrap_or_else(|_| "unknown".to_owned());
    let seen = format!("active={active}, control={control}");
    Ok(match active.as_str() {
        "0" => Outcome::pass(seen),
        "1" => Outcome::fail(seen),
        _ => Outcome::unknown(seen),
    })
}

pub(super) const VULNERABILITIES: &str = "/sys/devices/system/cpu/vulnerabilities";

fn vulnerabilities(host: &Host) -> Result<Suffixed, Gap> {
    let names = host.list(VULNERABILITIES)?;
    let engine = host.facts.engine;
    let judge = |name: String| {
        let outcome = host
            .read(&format!("{VULNERABILITIES}/{name}"))
            .map_or_else(Outcome::from, |text| vulnerability(&text, engine));
        (name, outcome)
    };
    Ok(names.into_iter().map(judge).collect())
}

/// Wording and case differ between kernels; a mitigation may carry a 'vulnerable' of its own
/// (`Mitigation: Clear CPU buffers; SMT vulnerable`).
fn vulnerability(text: &str, engine: Option<Engine>) -> Outcome {
    let lower = text.to_lowercase();
    if lower == "not affected" {
        Outcome::pass(text)
    } else if lower.starts_with("mitigation") {
        if lower.contains("vulnerable") {
            Outcome::warn(text)
        } else {
            Outcome::pass(text)
        }
    } else if lower.starts_with("kvm: mitigation") {
        // itlb_multihit speaks of KVM alone.
        Outcome::pass(text)
    } else if lower.starts_with("kvm: ") && engine == Some(Engine::Uml) {
        not_needed(Engine::Uml)
    } else if lower.starts_with("vulnerable")
        || lower.starts_with("kvm: vulnerable")
        || lower.starts_with("processor vulnerable")
    {
        Outcome::fail(text)
    } else {
        Outcome::unknown(text)
    }
}

/// Words, or `name=value` pairs, that turn a mitigation off (K: admin-guide/kernel-parameters).
const OFF_WORDS: &[&str] = &[
    "mitigations=off",
    "nopti",
    "kpti=off",
    "kpti=0",
    "pti=off",
    "nospectre_v1",
    "nospectre_v2",
    "nospectre_bhb",
    "spectre_v2=off",
    "spectre_v2_user=off",
    "spectre_bhi=off",
    "spec_store_bypass_disable=off",
    "nospec_store_bypass_disable",
    "ssbd=force-off",
    "l1tf=off",
    "mds=off",
    "tsx_async_abort=off",
    "tsx=on",
    "srbds=off",
    "mmio_stale_data=off",
    "reg_file_data_sampling=off",
    "gather_data_sampling=off",
    "retbleed=off",
    "spec_rstack_overflow=off",
    "indirect_target_selection=off",
    "tsa=off",
];

/// The same, where it concerns KVM's guests alone.
const OFF_WORDS_OF_KVM: &[&str] = &[
    "vmscape=off",
    "kvm-intel.vmentry_l1d_flush=never",
    "kvm_intel.vmentry_l1d_flush=never",
    "kvm.nx_huge_pages=off",
];

/// Values of a comma-separated `mitigations=` that leave guests unprotected.
const OFF_PARTS: &[&str] = &["off", "no_user_kernel", "no_user_user"];

/// The same, where it concerns KVM's guests alone (K: hw-vuln/attack_vector_controls).
const OFF_PARTS_OF_KVM: &[&str] = &["no_guest_host", "no_guest_guest"];

fn mitigations(host: &Host) -> Result<Outcome, Gap> {
    let has_kvm_guests = host.facts.engine != Some(Engine::Uml);
    let turns_off = |word: &String| {
        let is_off = |all: &[&str], of_kvm: &[&str], value: &str| {
            all.contains(&value) || has_kvm_guests && of_kvm.contains(&value)
        };
        is_off(OFF_WORDS, OFF_WORDS_OF_KVM, word)
            || word.strip_prefix("mitigations=").is_some_and(|values| {
                let mut values = values.split(',');
                values.any(|value| is_off(OFF_PARTS, OFF_PARTS_OF_KVM, value))
            })
    };
    let found: Vec<String> = host.command_line()?.into_iter().filter(turns_off).collect();
    Ok(Outcome::none_of(&found, "no word turns one off"))
}

fn microcode(host: &Host) -> Result<Outcome, Gap> {
    if cpu_flags(host)?.iter().any(|flag| flag == "hypervisor") {
        return Ok(Outcome::unknown(
            "in a virtual machine the revision is what the hypervisor says",
        ));
    }
    let old = host.read_if_there(&format!("{VULNERABILITIES}/old_microcode"))?;
    if let Some(text) = old.filter(|text| text.starts_with("Vulnerable")) {
        return Ok(Outcome::fail(format!("the kernel calls it old: {text}")));
    }
    let Some(revision) = cpu_field(host, "microcode")? else {
        return Ok(Outcome::unknown(
            "/proc/cpuinfo names no microcode revision",
        ));
    };
    Ok(
        match revision.trim_start_matches("0x").trim_start_matches('0') {
            "" => Outcome::fail(format!("revision {revision}: none was loaded")),
            _ => Outcome::pass(format!(
                "revision {revision}; compare it with your vendor's newest"
            )),
        },
    )
}

//! Every recommendation of Firecracker's 'Production Host Setup' has its row.

use doctor::GROUPS;

/// The page's headings in its order (`docs/prod-host-setup.md`, August 2026), and the rows that answer them.
#[rustfmt::skip]
const PAGE: &[(&str, &[&str])] = &[
    ("(first paragraph: regular patches)", &["kernel-age", "kernel-series", "microcode"]),
    ("Seccomp", &["vm-seccomp", "vm-command-line"]),
    ("8250 Serial Device", &["vm-output", "log-bounds"]),
    ("Log files", &["log-bounds", "log-rotation"]),
    ("Logging and performance", &["kernel-console"]),
    ("Logging and signal handlers", &["watchdog"]),
    ("Jailer Configuration", &["jailer", "jailer-inputs", "vm-uid", "vm-uids", "vm-namespaces", "vm-capabilities", "vm-no-new-privs"]),
    ("Disk", &["vm-rlimits"]),
    ("Memory", &["vm-cgroup-limits", "cgroup-controllers"]),
    ("vCPU", &["vm-cgroup-limits", "cgroup-controllers"]),
    ("Constrain CPU overhead caused by kvm-pit kernel threads", &["kvm-pit", "kvm-min-timer-period"]),
    ("Mitigating Network flooding issues", &["vm-network"]),
    ("Filtering Guest Egress Network Traffic", &["vm-network"]),
    ("Mitigating Noisy-Neighbour Storage Device Contention", &["vm-drives", "vm-rlimits"]),
    ("Disabling swapping to disk or enabling secure swap", &["swap"]),
    ("Mitigating hardware vulnerabilities", &["vulnerability", "mitigations", "microcode", "tenancy"]),
    ("Side channel attacks", &["vulnerability", "mitigations", "vm-speculation"]),
    ("Disable SMT", &["smt"]),
    ("Disable Kernel Samepage Merging", &["ksm"]),
    ("Use memory with Rowhammer mitigation support", &["dram"]),
    ("Vendor-specific recommendations", &["vendor-advisories"]),
    // '[ARM only] VM Physical counter behaviour' is left out: this tool runs on x86_64.
    ("Verification", &["vendor-advisories"]),
    ("Linux 6.1 boot time regressions", &["cgroup-favordynmods", "kvm-nx-huge-pages"]),
];

#[test]
fn every_recommendation_has_its_row() {
    let known: Vec<&str> = GROUPS
        .iter()
        .flat_map(|group| group.checks)
        .map(|check| check.id)
        .collect();
    for (heading, rows) in PAGE {
        assert!(!rows.is_empty(), "{heading}");
        for row in *rows {
            assert!(known.contains(row), "{heading}: no row {row}");
        }
    }
}

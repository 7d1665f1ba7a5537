//! What no program on the host can see: asked here so that somebody asks the vendor. Never a pass.

use super::{Check, Group, Look};
use crate::host::{Gap, Host};
use crate::outcome::Outcome;

pub(super) const GROUP: Group = Group {
    title: "To be asked of people",
    checks: CHECKS,
};

const CHECKS: &[Check] = &[
    Check {
        id: "dram",
        title: "memory with ECC and Rowhammer mitigation",
        passes: "never: the memory's refresh management cannot be read",
        why: "a guest that flips bits in rows next to its own breaks every wall",
        fix: "ask the vendor: does the memory have ECC, and DDR4 with TRR or DDR5 with refresh management?",
        source: "FC: prod-host-setup, 'Use memory with Rowhammer mitigation support'",
        look: Look::Once(dram),
    },
    Check {
        id: "tenancy",
        title: "one tenant a VM, hosts kept for unread code",
        passes: "never: who the tenants are is not written on the host",
        why: "guests of different tenants on sibling hardware are what side channels are about",
        fix: "ask whoever places the work: does each job get a VM of its own (this tool's only mode), and is the host free of other tenants' secrets?",
        source: "FC: prod-host-setup, 'Mitigating hardware vulnerabilities'",
        look: Look::Once(|_| Ok(Outcome::unknown("who the tenants are"))),
    },
    Check {
        id: "vendor-advisories",
        title: "the processor vendor's newest advisories",
        passes: "never: an advisory newer than the kernel is not in it",
        why: "mitigations evolve; the kernel only knows what was known when it was built",
        fix: "subscribe to the vendor's security bulletins, and run spectre-meltdown-checker after each kernel update",
        source: "FC: prod-host-setup, 'Vendor-specific recommendations', 'Verification'",
        look: Look::Once(|_| {
            Ok(Outcome::unknown(
                "what the vendor published since this kernel was built",
            ))
        }),
    },
];

fn dram(host: &Host) -> Result<Outcome, Gap> {
    let controllers = host.list("/sys/devices/system/edac/mc").unwrap_or_default();
    let count = controllers
        .iter()
        .filter(|name| name.starts_with("mc"))
        .count();
    Ok(Outcome::unknown(if count > 0 {
        format!(
            "EDAC drives {count} memory controllers, so there is ECC; target row refresh is not visible"
        )
    } else {
        "no EDAC driver is loaded, so neither ECC nor target row refresh is visible".to_owned()
    }))
}

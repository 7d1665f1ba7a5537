//! Which engine a running VMM is of, and which processes of the host are its VM's.

use crate::facts::Engine;
use crate::host::{Gap, Host};

/// What the command line of a User-Mode Linux kernel holds, and no other VMM's.
const UML_ID: &str = "umid=";

/// The engine of a VMM.
pub(super) fn engine(host: &Host, pid: i32) -> Result<Engine, Gap> {
    let name = host.read(&format!("/proc/{pid}/comm"))?;
    if name.starts_with("firecracker") {
        return Ok(Engine::Firecracker);
    }
    let is_uml = arguments(host, pid)?
        .iter()
        .any(|word| word.starts_with(UML_ID));
    Ok(if is_uml { Engine::Uml } else { Engine::Qemu })
}

/// A VMM's command line, word by word.
pub(super) fn arguments(host: &Host, pid: i32) -> Result<Vec<String>, Gap> {
    Ok(host
        .read(&format!("/proc/{pid}/cmdline"))?
        .split('\0')
        .map(str::to_owned)
        .collect())
}

/// The VMM, and under User-Mode Linux each process of its guest, which is one of the host's: whatever
/// else is in its pid namespace.
pub(super) fn processes(host: &Host, pid: i32) -> Result<Vec<i32>, Gap> {
    let mut found = vec![pid];
    if engine(host, pid)? == Engine::Uml {
        let of = host.link(&format!("/proc/{pid}/ns/pid"))?;
        let all = host.list("/proc")?;
        let others = all.iter().filter_map(|name| name.parse::<i32>().ok());
        // One that ended meanwhile, or that is another user's, is not this VM's.
        let inside = |other: &i32| {
            *other != pid && host.link(&format!("/proc/{other}/ns/pid")).as_ref() == Ok(&of)
        };
        found.extend(others.filter(inside));
    }
    Ok(found)
}

//! As whom a program runs, and with which capabilities: none, or as root of the guest a few, for good.

use crate::error::SetupFailure;
use nix::errno::Errno;
use nix::unistd::{Gid, Uid};
use protocol::environment::JOB_ID;
use protocol::supervisor::ProcessUser;

const ROOT_ID: u32 = 0;
/// The highest capability number asked of the kernel; it refuses those it does not know.
const LAST_CAPABILITY: u32 = 63;
/// What root of a sandbox keeps, from <linux/capability.h>: what installing things takes. Nothing that mounts, traces,
/// loads, makes devices, raises limits, or concerns the network or the machine.
const ROOTS_CAPABILITIES: &[u32] = &[
    0, // CHOWN
    1, // DAC_OVERRIDE
    3, // FOWNER
    4, // FSETID
    5, // KILL
    6, // SETGID
    7, // SETUID
];
/// No later step gives anything back. From <linux/securebits.h>: KEEP_CAPS_LOCKED, NO_CAP_AMBIENT_RAISE,
/// NO_CAP_AMBIENT_RAISE_LOCKED.
const SECUREBITS: libc::c_ulong = 1 << 5 | 1 << 6 | 1 << 7;
/// uid 0 means nothing by itself. NOROOT and NOROOT_LOCKED.
const SECUREBITS_NOROOT: libc::c_ulong = 1 | 1 << 1;

/// Whose uid it is.
pub fn uid(user: ProcessUser) -> Uid {
    Uid::from_raw(id(user))
}

/// From root with everything to this user with what it keeps, for good.
pub fn become_user(user: ProcessUser) -> Result<(), SetupFailure> {
    let kept = capabilities(user);
    let securebits = match user {
        ProcessUser::Sandbox => SECUREBITS | SECUREBITS_NOROOT,
        ProcessUser::Root => SECUREBITS,
    };
    prctl(libc::PR_SET_SECUREBITS, securebits).map_err(|e| ("securebits", e))?;
    bound(kept)?;
    let (uid, gid) = (uid(user), Gid::from_raw(id(user)));
    nix::unistd::setgroups(&[]).map_err(|e| ("setgroups", e))?;
    nix::unistd::setresgid(gid, gid, gid).map_err(|e| ("setresgid", e))?;
    nix::unistd::setresuid(uid, uid, uid).map_err(|e| ("setresuid", e))?;
    keep(kept)
}

/// Gives up every capability of this process and any way to new ones.
pub fn drop_capabilities() -> Result<(), SetupFailure> {
    keep(&[])
}

fn id(user: ProcessUser) -> u32 {
    match user {
        ProcessUser::Sandbox => JOB_ID,
        ProcessUser::Root => ROOT_ID,
    }
}

fn capabilities(user: ProcessUser) -> &'static [u32] {
    match user {
        ProcessUser::Sandbox => &[],
        ProcessUser::Root => ROOTS_CAPABILITIES,
    }
}

/// Gives up every capability but these, and any way to others.
fn keep(kept: &[u32]) -> Result<(), SetupFailure> {
    const CLEAR_ALL: libc::c_ulong = libc::PR_CAP_AMBIENT_CLEAR_ALL as libc::c_ulong;
    prctl(libc::PR_CAP_AMBIENT, CLEAR_ALL).map_err(|e| ("ambient capabilities", e))?;
    // struct __user_cap_header_struct of version 3 (this process), and two of data: effective, permitted and
    // inheritable ones of the first 32, then of the others.
    let header: [u32; 2] = [0x2008_0522, 0];
    let mask = mask(kept);
    let data = [mask, mask, 0, 0, 0, 0];
    // SAFETY: both arrays have the layout and size that version 3 of capset reads.
    let result = unsafe { libc::syscall(libc::SYS_capset, header.as_ptr(), data.as_ptr()) };
    Errno::result(result).map_err(|e| ("capset", e))?;
    nix::sys::prctl::set_no_new_privs().map_err(|e| ("no_new_privs", e))
}

/// Of capabilities below 32.
fn mask(kept: &[u32]) -> u32 {
    kept.iter().fold(0, |mask, number| mask | 1 << number)
}

/// No program that is run from here on has any but these.
fn bound(kept: &[u32]) -> Result<(), SetupFailure> {
    for capability in (0..=LAST_CAPABILITY).filter(|number| !kept.contains(number)) {
        match prctl(libc::PR_CAPBSET_DROP, capability.into()) {
            Ok(()) => {}
            // The first number that the kernel does not know.
            Err(Errno::EINVAL) => break,
            Err(errno) => return Err(("bounding set", errno)),
        }
    }
    Ok(())
}

fn prctl(option: libc::c_int, argument: libc::c_ulong) -> nix::Result<()> {
    // SAFETY: the options used here take one number and no pointer.
    Errno::result(unsafe { libc::prctl(option, argument, 0, 0, 0) }).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_of_a_sandbox_has_what_installing_takes_and_no_more() {
        assert_eq!(mask(capabilities(ProcessUser::Sandbox)), 0);
        // CHOWN to SETUID, without DAC_READ_SEARCH.
        assert_eq!(mask(capabilities(ProcessUser::Root)), 0b1111_1011);
        assert_eq!(uid(ProcessUser::Root).as_raw(), 0);
        assert_eq!(uid(ProcessUser::Sandbox).as_raw(), JOB_ID);
    }
}

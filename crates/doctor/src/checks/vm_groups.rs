//! The supplementary groups of each running VMM.

use super::vm_confinement::{each_vm, field, running, statuses};
use crate::host::{Gap, Host};
use crate::outcome::{Outcome, Status};

/// Groups besides the thread's own, which gives it nothing.
fn supplementary(host: &Host, pid: i32) -> Result<Vec<String>, Gap> {
    let mut wrong = Vec::new();
    for (tid, path, status) in statuses(host, pid)? {
        let own = field(&status, &path, "Gid")?.split_whitespace().next();
        let groups = field(&status, &path, "Groups")?.split_whitespace();
        let others: Vec<&str> = groups.filter(|group| Some(*group) != own).collect();
        if !others.is_empty() {
            wrong.push(format!("thread {tid} is in groups {}", others.join(", ")));
        }
    }
    Ok(wrong)
}

pub(super) fn groups(host: &Host) -> Result<Outcome, Gap> {
    let outcome = each_vm(host, supplementary)?;
    // A user's tool cannot take the user's groups from its VMMs; root's has no excuse.
    Ok(match outcome.status {
        Status::Fail if shares_the_tools_uid(host)? => Outcome::warn(outcome.seen),
        _ => outcome,
    })
}

fn shares_the_tools_uid(host: &Host) -> Result<bool, Gap> {
    let me = rustix::process::geteuid();
    for pid in running(host)? {
        let path = format!("/proc/{pid}/status");
        let status = host.read_if_there(&path)?.unwrap_or_default();
        let uid = field(&status, &path, "Uid")?.split_whitespace().next();
        if me.is_root() || uid != Some(me.as_raw().to_string().as_str()) {
            return Ok(false);
        }
    }
    Ok(true)
}

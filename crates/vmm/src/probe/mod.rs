//! What can only be found out about a host by trying; asked once a boot of the host, kept in the
//! state folder.
//!
//! | module | what |
//! |---|---|
//! | [`guest`] | the guest code that KVM has to run |
//! | [`trial`] | runs it, in a child with a deadline |
//! | [`verdict`] | what that says of KVM |
//! | [`tsc`] | the rate of the time-stamp counter |
//!
//! The presence of `/dev/kvm` proves nothing: on some hosts (nested ones that emulate, KVM-PVM among
//! them) making a VM succeeds and a guest's kernel dies or takes minutes.

#[cfg(target_arch = "x86_64")]
mod guest;
#[cfg(target_arch = "x86_64")]
mod trial;
mod tsc;
#[cfg(target_arch = "x86_64")]
mod verdict;

use crate::cache;
use crate::config::{Accelerator, VmmConfig};
use crate::state::StateDir;
use rustix::fs::{Access, access};
use serde::{Deserialize, Serialize};
use std::os::unix::fs::MetadataExt;

/// The device that the probe is about.
const DEVICE: &str = "/dev/kvm";

/// What the probe saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probed {
    /// The best accelerator that works.
    pub accelerator: Accelerator,
    /// Why not KVM, in one sentence; `None` with KVM.
    pub reason: Option<String>,
    /// The answer is from an earlier probe since the host booted.
    #[serde(skip)]
    pub cached: bool,
    /// Million guest instructions a second that KVM ran.
    #[serde(default)]
    pub guest_mips: Option<u64>,
}

/// The accelerator that works on this host; never fails, for TCG always works. The first time since
/// the host booted this takes 20 ms with KVM, and up to nine seconds where KVM hangs.
pub async fn accelerator(config: &VmmConfig) -> Probed {
    let state_dir = config.state_dir.clone();
    let asked = tokio::task::spawn_blocking(move || match StateDir::open(&state_dir) {
        Ok(state) => {
            let answer = cache::since_boot(&state, "probe", &device_identity(), probe);
            Probed {
                cached: answer.was_cached,
                ..answer.value
            }
        }
        // Nowhere to keep an answer; opening the engine will say why.
        Err(_) => probe(),
    });
    asked
        .await
        .unwrap_or_else(|e| no(format!("the probe's task ended: {e}")))
}

/// Whether this line, about what runs guests here, is told for the first time since the host booted.
pub fn is_news(config: &VmmConfig, line: &str) -> bool {
    // Where nothing can be kept, it is told each time.
    StateDir::open(&config.state_dir).map_or(true, |state| {
        !cache::since_boot(&state, "told", line, || ()).was_cached
    })
}

fn probe() -> Probed {
    if !std::path::Path::new(DEVICE).exists() {
        return no(format!("this host has no {DEVICE}"));
    }
    run_guest()
}

#[cfg(target_arch = "x86_64")]
fn run_guest() -> Probed {
    match trial::run().verdict() {
        Ok(speed) => Probed {
            accelerator: Accelerator::Kvm,
            reason: None,
            cached: false,
            guest_mips: Some((speed / 1e6) as u64),
        },
        Err(reason) => no(match modules().as_str() {
            "" => reason,
            modules => format!("{reason} (modules: {modules})"),
        }),
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn run_guest() -> Probed {
    no(format!(
        "the probe has no guest for {}",
        std::env::consts::ARCH
    ))
}

fn no(reason: String) -> Probed {
    Probed {
        accelerator: Accelerator::Tcg,
        reason: Some(reason),
        cached: false,
        guest_mips: None,
    }
}

/// KVM's modules, a fact beside the verdict.
fn modules() -> String {
    let entries = std::fs::read_dir("/sys/module").into_iter().flatten();
    let mut names: Vec<String> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.starts_with("kvm_"))
        .collect();
    names.sort();
    names.join(", ")
}

/// Another device, other rights to it or other modules: another question.
fn device_identity() -> String {
    let Ok(device) = std::fs::metadata(DEVICE) else {
        return "none".into();
    };
    let ours = access(DEVICE, Access::READ_OK | Access::WRITE_OK).is_ok();
    let (number, inode) = (device.rdev(), device.ino());
    format!("{number} {inode} {ours} {}", modules())
}

/// The host's CPU model, part of a hardware accelerator's identity.
pub fn host_cpu() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(name)?.split_once(':'))
            .map(|(_, value)| value.trim().to_string())
            .unwrap_or_default()
    };
    format!(
        "{} {} {}",
        field("model name"),
        field("stepping"),
        field("microcode")
    )
}

/// The rate of the host's time-stamp counter, kHz, which emulated guests count at; `None` where it
/// does not tell time. Blocks 50 ms the first time since the host booted.
pub fn tsc_khz(state: &StateDir) -> Option<u64> {
    cache::since_boot(state, "tsc", "", tsc::measure).value
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::AcceleratorChoice;
    use std::time::{Duration, Instant};

    #[tokio::test]
    async fn this_hosts_answer_comes_in_time_and_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let config = VmmConfig {
            state_dir: dir.path().join("s"),
            accelerator: AcceleratorChoice::Auto,
            ..VmmConfig::default()
        };
        let begun = Instant::now();
        let first = accelerator(&config).await;
        println!("{first:?} after {:?}", begun.elapsed());
        assert!(begun.elapsed() < Duration::from_secs(15));
        assert!(!first.cached);
        match first.accelerator {
            Accelerator::Kvm => assert!(first.reason.is_none() && first.guest_mips > Some(0)),
            Accelerator::Tcg => assert!(!first.reason.clone().unwrap().is_empty()),
        }
        let again = accelerator(&config).await;
        assert_eq!(
            again,
            Probed {
                cached: true,
                ..first
            }
        );
    }
}

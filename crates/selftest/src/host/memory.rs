//! How much this tool's own memory grew, at its highest.

use crate::error::SelftestError;
use procfs::process::Process;

/// Resets `VmHWM` to what is held now (proc_pid_clear_refs(5)).
const RESET_PEAK: &str = "5";

/// What was held when the mark was set.
pub struct MemoryMark {
    resident_kib: u64,
}

impl MemoryMark {
    /// From now on.
    pub fn set() -> Result<MemoryMark, SelftestError> {
        // A kernel without this file keeps its old peak: growth is then only what is above that.
        let _ = std::fs::write("/proc/self/clear_refs", RESET_PEAK);
        let (resident_kib, _) = resident_and_peak()?;
        Ok(MemoryMark { resident_kib })
    }

    /// The most that was held beyond it, in MiB.
    pub fn growth_mib(&self) -> Result<u64, SelftestError> {
        let (_, peak_kib) = resident_and_peak()?;
        Ok(peak_kib.saturating_sub(self.resident_kib) / 1024)
    }
}

fn resident_and_peak() -> Result<(u64, u64), SelftestError> {
    let status = Process::myself()
        .and_then(|me| me.status())
        .map_err(|error| SelftestError::Host {
            what: "/proc/self/status",
            source: error.into(),
        })?;
    Ok((status.vmrss.unwrap_or(0), status.vmhwm.unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peak_counts_even_when_it_is_over() {
        let mark = MemoryMark::set().unwrap();
        let held = std::hint::black_box(vec![1u8; 64 << 20]);
        drop(held);
        assert!(mark.growth_mib().unwrap() >= 60);
    }
}

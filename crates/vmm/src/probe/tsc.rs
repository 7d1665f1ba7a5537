//! The rate of the host's time-stamp counter, which emulated guests count at. No file of the kernel
//! tells it, so it is measured against the kernel's clock.

/// How long is measured. Both clocks are read some 0.1 µs apart, so the error is a few in a million:
/// a clock wrong by a millisecond after five minutes.
#[cfg(target_arch = "x86_64")]
const SPAN: std::time::Duration = std::time::Duration::from_millis(50);

/// kHz; `None` where the counter does not tell time.
#[cfg(target_arch = "x86_64")]
pub fn measure() -> Option<u64> {
    let info = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let flags = info.lines().find(|line| line.starts_with("flags"))?;
    let constant = ["constant_tsc", "nonstop_tsc"]
        .iter()
        .all(|flag| flags.split_whitespace().any(|word| word == *flag));
    if !constant {
        return None;
    }
    let (ticks, nanos) = sample();
    std::thread::sleep(SPAN);
    let (later_ticks, later_nanos) = sample();
    let passed = u128::from(later_ticks.checked_sub(ticks)?) * 1_000_000;
    u64::try_from(passed / u128::from((later_nanos - nanos).max(1))).ok()
}

/// Other processors have another clock, whose rate guests read from a register.
#[cfg(not(target_arch = "x86_64"))]
pub fn measure() -> Option<u64> {
    None
}

/// Counter and kernel clock (ns) at one moment: of some readings, the one that took the least time.
#[cfg(target_arch = "x86_64")]
fn sample() -> (u64, u64) {
    use rustix::time::{ClockId, clock_gettime};
    // SAFETY: every x86-64 processor has the instruction; where the kernel forbids it, it traps.
    let ticks = || unsafe { std::arch::x86_64::_rdtsc() };
    let reading = || {
        let before = ticks();
        let time = clock_gettime(ClockId::MonotonicRaw);
        let after = ticks();
        let nanos = time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64;
        (after.saturating_sub(before), before.midpoint(after), nanos)
    };
    let (_, ticks, nanos) = (0..32).map(|_| reading()).min().unwrap_or_default();
    (ticks, nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_measurements_agree() {
        let (Some(one), Some(two)) = (measure(), measure()) else {
            println!("not run: this CPU has no constant time-stamp counter");
            return;
        };
        assert!((100_000..10_000_000).contains(&one), "{one} kHz");
        assert!(one.abs_diff(two) * 10_000 < one, "{one} and {two} kHz");
    }
}

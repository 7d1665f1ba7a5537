//! What is made of what the probe's guest did. Pure.

use super::guest::{STEPS, TIMED_INSTRUCTIONS};
use std::time::Duration;

/// The whole guest takes 20 ms on hardware, and was seen to take 3 s on hardware that was itself emulated
/// on a loaded host.
pub const DEADLINE: Duration = Duration::from_secs(8);

/// Guest instructions a second below which KVM is no help: it emulates. Software translation does
/// 100 million and more, KVM's emulator (one instruction an exit or a decode) up to 3 million.
pub const MIN_INSTRUCTIONS_PER_SECOND: f64 = 25e6;

/// What was seen of one run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Seen {
    /// CPU time at the end of each step that was reached, in their order.
    steps: Vec<Duration>,
    /// What the child said went wrong.
    failure: Option<String>,
    /// The child had to be killed.
    late: bool,
}

impl Seen {
    /// Nothing ran.
    pub fn failed(reason: String) -> Seen {
        Seen {
            failure: Some(reason),
            ..Seen::default()
        }
    }

    /// The same of a child that had to be killed.
    pub fn too_late(self) -> Seen {
        Seen { late: true, ..self }
    }

    /// Reads the child's lines; a step out of order ends the reading.
    pub fn parse(report: &str) -> Seen {
        let mut seen = Seen::default();
        for line in report.lines() {
            match line.split_once(' ') {
                Some(("step", rest)) => match step(rest) {
                    Some((number, time)) if number == seen.steps.len() + 1 => seen.steps.push(time),
                    _ => break,
                },
                Some(("failed", reason)) => {
                    seen.failure = Some(reason.to_string());
                    break;
                }
                _ => break,
            }
        }
        seen.steps.truncate(STEPS.len());
        seen
    }

    /// Guest instructions a second, or in one sentence why KVM does not run guests here.
    pub fn verdict(&self) -> Result<f64, String> {
        let reached = self.steps.len();
        let next = STEPS.get(reached).copied().unwrap_or("its end");
        if reached < STEPS.len() {
            return Err(match (&self.failure, self.late) {
                (Some(why), _) if reached == 0 => format!("KVM cannot be used: {why}"),
                (Some(why), _) => format!("a small guest on KVM failed at {next}: {why}"),
                (None, true) => format!(
                    "a small guest on KVM did not get through {next} in {} s",
                    DEADLINE.as_secs()
                ),
                (None, false) => format!("a small guest on KVM died at {next}"),
            });
        }
        let timed = self.steps[reached - 1].saturating_sub(self.steps[reached - 2]);
        let speed = TIMED_INSTRUCTIONS as f64 / timed.as_secs_f64().max(1e-6);
        if speed < MIN_INSTRUCTIONS_PER_SECOND {
            return Err(format!(
                "KVM runs {:.1} million guest instructions a second here, so it emulates them",
                speed / 1e6
            ));
        }
        Ok(speed)
    }
}

fn step(rest: &str) -> Option<(usize, Duration)> {
    let (number, micros) = rest.split_once(' ')?;
    Some((
        number.parse().ok()?,
        Duration::from_micros(micros.parse().ok()?),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn report(steps: usize, last_micros: u64) -> String {
        (1..=steps)
            .map(|n| {
                let at = n as u64 * 1000 + if n == STEPS.len() { last_micros } else { 0 };
                format!("step {n} {at}\n")
            })
            .collect()
    }

    #[test]
    fn hardware_passes_and_each_way_to_fail_is_told() {
        let speed = Seen::parse(&report(8, 19_000)).verdict().unwrap();
        assert!((1.2e9..1.3e9).contains(&speed), "{speed}");
        for (report, late, word) in [
            (report(8, 10_000_000), false, "million"),
            (report(7, 0), true, "a loop that is timed in 8 s"),
            (report(3, 0), false, "died at CPUID"),
            (
                report(2, 0) + "failed KVM gave up: Shutdown\n",
                false,
                "long mode with paging: KVM gave up",
            ),
            (
                "failed opening /dev/kvm: No such file".into(),
                false,
                "cannot be used: opening /dev/kvm",
            ),
            (String::new(), false, "died at real mode"),
            ("step 2 5\n".into(), false, "died at real mode"),
        ] {
            let seen = Seen::parse(&report);
            let seen = if late { seen.too_late() } else { seen };
            let reason = seen.verdict().unwrap_err();
            assert!(reason.contains(word), "{reason}");
        }
    }

    proptest! {
        #[test]
        fn only_all_steps_in_order_pass(report in "((step|failed) [0-9 ]{0,6}\n?){0,12}", late: bool) {
            let seen = Seen::parse(&report);
            let seen = if late { seen.too_late() } else { seen };
            prop_assert!(seen.steps.len() <= STEPS.len());
            prop_assert!(seen.verdict().is_err() || seen.steps.len() == STEPS.len());
        }
    }
}

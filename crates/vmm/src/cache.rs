//! Answers that hold until the host boots again or its kernel changes, cached in the state folder.

use crate::state::StateDir;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// An answer, and whether somebody got it before.
#[derive(Debug, Clone, PartialEq)]
pub struct Cached<T> {
    /// What was found.
    pub value: T,
    /// It was found earlier.
    pub was_cached: bool,
}

/// How long an answer holds, if the host does not boot before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// Until the host boots.
    UntilBoot,
    /// The host may have been busy: this long.
    For(Duration),
}

#[derive(Serialize, Deserialize)]
struct Record<T> {
    key: String,
    value: T,
    /// Seconds since the host booted; absent: until it boots again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until_uptime_secs: Option<u64>,
}

/// The cached answer of this name and key, else a new one, which holds until the host boots.
pub fn since_boot<T: Serialize + DeserializeOwned>(
    state: &StateDir,
    name: &str,
    key: &str,
    ask: impl FnOnce() -> T,
) -> Cached<T> {
    while_it_holds(state, name, key, || (ask(), Holds::UntilBoot))
}

/// The cached answer of this name and key, else a new one. Of many who ask at once, one finds out and
/// the others wait for it. An answer that cannot be cached is still an answer.
pub fn while_it_holds<T: Serialize + DeserializeOwned>(
    state: &StateDir,
    name: &str,
    key: &str,
    ask: impl FnOnce() -> (T, Holds),
) -> Cached<T> {
    let key = format!("{} {key}", host());
    let file = format!("{name}.json");
    let known = || {
        let record: Record<T> =
            serde_json::from_slice(&std::fs::read(state.root().join(&file)).ok()?).ok()?;
        let holds = record.until_uptime_secs.is_none_or(|end| uptime() < end);
        (holds && record.key == key).then_some(Cached {
            value: record.value,
            was_cached: true,
        })
    };
    if let Some(answer) = known() {
        return answer;
    }
    let _lock = state.lock(name);
    known().unwrap_or_else(|| {
        let (value, holds) = ask();
        let record = Record {
            key: key.clone(),
            value,
            until_uptime_secs: match holds {
                Holds::UntilBoot => None,
                Holds::For(time) => Some(uptime() + time.as_secs()),
            },
        };
        if let Ok(text) = serde_json::to_vec(&record) {
            let _ = state.keep(&file, &text);
        }
        Cached {
            value: record.value,
            was_cached: false,
        }
    })
}

/// Seconds since the host booted: unlike the time of day, nobody sets it.
fn uptime() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    now.tv_sec.unsigned_abs()
}

/// This boot of this kernel.
fn host() -> String {
    ["random/boot_id", "osrelease", "version"]
        .map(|file| std::fs::read_to_string(format!("/proc/sys/kernel/{file}")).unwrap_or_default())
        .map(|text| text.trim().to_string())
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[test]
    fn one_of_many_finds_out_and_another_key_asks_anew() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::open(&dir.path().join("s")).unwrap();
        let asked = AtomicU32::new(0);
        let ask =
            |key: &str| since_boot(&state, "n", key, || asked.fetch_add(1, Ordering::Relaxed));
        let answers: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| ask("k"))).collect();
            threads.into_iter().map(|t| t.join().unwrap()).collect()
        });
        assert!(answers.iter().all(|answer| answer.value == 0));
        assert_eq!(
            answers.iter().filter(|answer| !answer.was_cached).count(),
            1
        );
        assert_eq!(
            ask("other"),
            Cached {
                value: 1,
                was_cached: false
            }
        );
        std::fs::write(state.root().join("n.json"), "{\"key\":").unwrap();
        assert!(!ask("k").was_cached, "half a file is no answer");
        assert!(ask("k").was_cached);
    }

    #[test]
    fn an_answer_that_holds_for_a_time_is_asked_for_again() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::open(&dir.path().join("s")).unwrap();
        let ask = |seconds| {
            let holds = Holds::For(Duration::from_secs(seconds));
            while_it_holds(&state, "n", "k", || (seconds, holds))
        };
        assert!(!ask(0).was_cached);
        assert!(!ask(3600).was_cached, "the first one's time was over");
        let cached = Cached {
            value: 3600,
            was_cached: true,
        };
        assert_eq!(ask(1), cached);
    }
}

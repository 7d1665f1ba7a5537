//! How a process ended: an exit code for a script, a sentence for people where the ending needs one.

use protocol::result::{EXIT_INTERNAL, EXIT_OOM, EXIT_TIMEOUT};
use serde::Deserialize;

/// SIGKILL, of signal(7).
const KILL: i32 = 9;

/// How a process ended.
#[derive(Debug, Clone, Deserialize)]
pub struct Exit {
    status: String,
    #[serde(default)]
    exit_code: Option<i32>,
    #[serde(default)]
    signal: Option<i32>,
    #[serde(default)]
    limit: Option<Limit>,
}

/// The limit that ended it.
#[derive(Debug, Clone, Deserialize)]
struct Limit {
    name: String,
    value: u64,
    #[serde(default)]
    syscall: Option<String>,
}

impl Exit {
    /// The exit code of a tool that stands for it: its own where it ended by itself.
    pub fn code(&self) -> u8 {
        match (self.status.as_str(), self.exit_code, self.signal) {
            ("timeout", ..) => EXIT_TIMEOUT,
            ("oom", ..) => EXIT_OOM,
            ("ok" | "error", Some(code), _) => u8::try_from(code).unwrap_or(1),
            ("ok" | "error", None, Some(signal)) => of_signal(signal),
            ("killed", _, signal) => of_signal(signal.unwrap_or(KILL)),
            _ => EXIT_INTERNAL,
        }
    }

    /// What is to be said of it; `None`: it exited.
    pub fn sentence(&self) -> Option<String> {
        let Some(limit) = &self.limit else {
            let by_signal = self.exit_code.is_none().then_some(self.signal)?;
            return by_signal.map(|signal| format!("ended by signal {signal}"));
        };
        let value = limit.value;
        Some(match (limit.name.as_str(), &limit.syscall) {
            (_, Some(syscall)) => format!("killed: the system call {syscall} is forbidden"),
            ("wall_time", _) => {
                format!(
                    "timed out: running took more than {} s",
                    value as f64 / 1000.0
                )
            }
            ("cpu_time", _) => format!("timed out: over {value} s of CPU time"),
            ("memory", _) => format!("out of memory: over {} MiB", value >> 20),
            ("file_size", _) => format!("killed: a file grew over {value} bytes"),
            (name, _) => format!("ended by a limit: {name} {value}"),
        })
    }
}

/// 128 + the signal, as shells do.
fn of_signal(signal: i32) -> u8 {
    u8::try_from(signal.saturating_add(128)).unwrap_or(255)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn an_ending_is_a_code_and_perhaps_a_sentence() {
        let limit = |name: &str, value: u64| json!({"name": name, "value": value, "unit": "x"});
        let mount = json!({"name": "syscall", "value": 165, "unit": "x", "syscall": "mount"});
        for (status, exit_code, signal, limit, code, sentence) in [
            ("ok", json!(0), Value::Null, Value::Null, 0, None),
            ("error", json!(3), Value::Null, Value::Null, 3, None),
            (
                "error",
                Value::Null,
                json!(15),
                Value::Null,
                143,
                Some("signal 15"),
            ),
            (
                "timeout",
                Value::Null,
                json!(9),
                limit("wall_time", 1500),
                124,
                Some("1.5 s"),
            ),
            (
                "timeout",
                Value::Null,
                json!(24),
                limit("cpu_time", 2),
                124,
                Some("2 s of CPU"),
            ),
            (
                "oom",
                Value::Null,
                json!(9),
                limit("memory", 64 << 20),
                137,
                Some("64 MiB"),
            ),
            (
                "killed",
                Value::Null,
                json!(25),
                limit("file_size", 9),
                153,
                Some("9 bytes"),
            ),
            (
                "killed",
                Value::Null,
                json!(31),
                mount,
                159,
                Some("mount is forbidden"),
            ),
            ("of tomorrow", json!(0), Value::Null, Value::Null, 125, None),
        ] {
            let exit =
                json!({"status": status, "exit_code": exit_code, "signal": signal, "limit": limit});
            let exit: Exit = serde_json::from_value(exit).unwrap();
            assert_eq!(exit.code(), code, "{exit:?}");
            let said = exit.sentence();
            assert_eq!(said.is_some(), sentence.is_some(), "{said:?}");
            assert!(
                said.unwrap_or_default()
                    .contains(sentence.unwrap_or_default())
            );
        }
    }
}

//! Signals as clients name them: `SIGINT`, `INT` or 2.

use crate::problem::{HttpCode, Problem};
use protocol::supervisor::SignalTarget;
use protocol::validate::shown;
use serde::Deserialize;
use utoipa::ToSchema;

/// The last one that has a name: real-time signals mean something to few programs, and nothing to the guest.
const MAX_SIGNAL: i32 = 31;

/// Names of what is sent to programs; others go by their number.
const NAMES: &[(&str, i32)] = &[
    ("HUP", libc::SIGHUP),
    ("INT", libc::SIGINT),
    ("QUIT", libc::SIGQUIT),
    ("ILL", libc::SIGILL),
    ("TRAP", libc::SIGTRAP),
    ("ABRT", libc::SIGABRT),
    ("BUS", libc::SIGBUS),
    ("FPE", libc::SIGFPE),
    ("KILL", libc::SIGKILL),
    ("USR1", libc::SIGUSR1),
    ("SEGV", libc::SIGSEGV),
    ("USR2", libc::SIGUSR2),
    ("PIPE", libc::SIGPIPE),
    ("ALRM", libc::SIGALRM),
    ("TERM", libc::SIGTERM),
    ("CHLD", libc::SIGCHLD),
    ("CONT", libc::SIGCONT),
    ("STOP", libc::SIGSTOP),
    ("TSTP", libc::SIGTSTP),
    ("TTIN", libc::SIGTTIN),
    ("TTOU", libc::SIGTTOU),
    ("WINCH", libc::SIGWINCH),
];

/// A signal to send.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"signal": "SIGINT"}))]
pub struct SignalRequest {
    /// Its name, with or without `SIG`, or its number.
    #[schema(value_type = String)]
    pub signal: Named,
    /// Who gets it; absent: `group`.
    #[serde(default)]
    pub to: Option<To>,
}

/// A name or a number.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Named {
    /// A name.
    Name(String),
    /// A number.
    Number(i64),
}

/// Who gets a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum To {
    /// The process that was started.
    Process,
    /// It and what it started, unless that left its process group.
    Group,
    /// All that it started, wherever it went.
    All,
}

impl SignalRequest {
    /// The signal's number and who gets it.
    pub fn taken(self) -> Result<(i32, SignalTarget), Problem> {
        let to = match self.to.unwrap_or(To::Group) {
            To::Process => SignalTarget::Process,
            To::Group => SignalTarget::Group,
            To::All => SignalTarget::All,
        };
        Ok((self.signal.number()?, to))
    }
}

impl Named {
    fn number(&self) -> Result<i32, Problem> {
        let (number, text) = match self {
            Named::Name(name) => (of_name(name), shown(name)),
            Named::Number(number) => (i32::try_from(*number).ok(), number.to_string()),
        };
        let known = number.filter(|number| (1..=MAX_SIGNAL).contains(number));
        known.ok_or_else(|| {
            let sentence =
                format!("{text} is no signal: use a name such as SIGINT, or 1 to {MAX_SIGNAL}");
            Problem::with(HttpCode::FieldInvalid, sentence).field("signal")
        })
    }
}

fn of_name(name: &str) -> Option<i32> {
    let upper = name.to_ascii_uppercase();
    let bare = upper.strip_prefix("SIG").unwrap_or(&upper);
    let row = NAMES.iter().find(|(known, _)| *known == bare);
    row.map(|(_, number)| *number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_signal_has_a_name_or_a_number() {
        for (body, taken) in [
            (json!({"signal": "SIGINT"}), Some((2, SignalTarget::Group))),
            (
                json!({"signal": "int", "to": "process"}),
                Some((2, SignalTarget::Process)),
            ),
            (
                json!({"signal": 9, "to": "all"}),
                Some((9, SignalTarget::All)),
            ),
            (
                json!({"signal": 31, "to": null}),
                Some((31, SignalTarget::Group)),
            ),
            (json!({"signal": 32}), None),
            (json!({"signal": 0}), None),
            (json!({"signal": -9}), None),
            (json!({"signal": i64::MAX}), None),
            (json!({"signal": "SIGSIGINT"}), None),
            (json!({"signal": ""}), None),
            (json!({"signal": "9"}), None),
        ] {
            let request: SignalRequest = serde_json::from_value(body.clone()).unwrap();
            assert_eq!(request.taken().ok(), taken, "{body}");
        }
        for wrong in [
            json!({}),
            json!({"signal": 1.5}),
            json!({"signal": 2, "to": "world"}),
        ] {
            assert!(serde_json::from_value::<SignalRequest>(wrong).is_err());
        }
    }
}

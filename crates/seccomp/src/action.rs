//! What the kernel does with a call.

use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use std::fmt;

/// What the kernel does with a call; spelled as in [`ACTIONS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    /// The call is carried out.
    Allow,
    /// The call is carried out and noted in the kernel's log.
    Log,
    /// `SIGSYS` to the thread; a program may catch it, the call is not carried out.
    Trap,
    /// The thread ends.
    KillThread,
    /// The process ends by `SIGSYS`, which nothing can catch; noted in the kernel's log.
    KillProcess,
    /// The call fails with this error number.
    Errno(u16),
}

/// How actions are spelled.
pub const ACTIONS: &str =
    r#""allow", "log", "trap", "kill_thread", "kill_process" or {"errno": 1}"#;

/// The kernel's `MAX_ERRNO` (include/linux/err.h); it cuts larger values down to this.
pub const MAX_ERRNO: u16 = 4095;

impl Action {
    /// The call is carried out.
    pub fn permits(self) -> bool {
        matches!(self, Action::Allow | Action::Log)
    }

    pub(crate) fn target(self) -> seccompiler::SeccompAction {
        use seccompiler::SeccompAction as Target;
        match self {
            Action::Allow => Target::Allow,
            Action::Log => Target::Log,
            Action::Trap => Target::Trap,
            Action::KillThread => Target::KillThread,
            Action::KillProcess => Target::KillProcess,
            Action::Errno(number) => Target::Errno(u32::from(number)),
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Action::Allow => f.write_str("allow"),
            Action::Log => f.write_str("log"),
            Action::Trap => f.write_str("trap"),
            Action::KillThread => f.write_str("kill_thread"),
            Action::KillProcess => f.write_str("kill_process"),
            Action::Errno(number) => write!(f, "errno {number}"),
        }
    }
}

impl<'de> Deserialize<'de> for Action {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ActionVisitor)
    }
}

struct ActionVisitor;

impl<'de> Visitor<'de> for ActionVisitor {
    type Value = Action;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an action: {ACTIONS}")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Action, E> {
        match text {
            "allow" => Ok(Action::Allow),
            "log" => Ok(Action::Log),
            "trap" => Ok(Action::Trap),
            "kill_thread" => Ok(Action::KillThread),
            "kill_process" => Ok(Action::KillProcess),
            other => Err(E::custom(format_args!(
                "unknown action {other:?}: use {ACTIONS}"
            ))),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Action, A::Error> {
        let action = match map.next_key::<String>()?.as_deref() {
            Some("errno") => Action::Errno(map.next_value::<ErrnoNumber>()?.0),
            other => {
                let name = other.unwrap_or("");
                return Err(de::Error::custom(format_args!(
                    "unknown action {name:?}: use {ACTIONS}"
                )));
            }
        };
        match map.next_key::<String>()? {
            None => Ok(action),
            Some(more) => Err(de::Error::custom(format_args!(
                "an action is one thing, {more:?} is a second"
            ))),
        }
    }
}

struct ErrnoNumber(u16);

impl<'de> Deserialize<'de> for ErrnoNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = u64::deserialize(deserializer)?;
        match u16::try_from(number) {
            Ok(small) if (1..=MAX_ERRNO).contains(&small) => Ok(ErrnoNumber(small)),
            _ => Err(de::Error::custom(format_args!(
                "errno {number} is not in 1..={MAX_ERRNO}"
            ))),
        }
    }
}

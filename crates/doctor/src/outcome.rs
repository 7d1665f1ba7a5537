use crate::host::Gap;
use serde::Serialize;

/// How a check ended. What cannot be checked is a [`Status::Warn`] that says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Seen to be as it should be.
    Pass,
    /// Weaker than recommended, or not to be seen from here.
    Warn,
    /// A wall is missing, or the tool cannot work.
    Fail,
}

impl Status {
    /// As in the JSON.
    pub fn name(self) -> &'static str {
        match self {
            Status::Pass => "pass",
            Status::Warn => "warn",
            Status::Fail => "fail",
        }
    }
}

/// What a check saw, and what it makes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The judgement.
    pub status: Status,
    /// What was seen, in one line.
    pub seen: String,
    /// A remedy that fits what was seen better than the table's.
    pub fix: Option<String>,
}

impl Outcome {
    /// As it should be.
    pub fn pass(seen: impl Into<String>) -> Outcome {
        Outcome {
            status: Status::Pass,
            seen: seen.into(),
            fix: None,
        }
    }

    /// Weaker than recommended.
    pub fn warn(seen: impl Into<String>) -> Outcome {
        Outcome {
            status: Status::Warn,
            seen: seen.into(),
            fix: None,
        }
    }

    /// A wall is missing.
    pub fn fail(seen: impl Into<String>) -> Outcome {
        Outcome {
            status: Status::Fail,
            seen: seen.into(),
            fix: None,
        }
    }

    /// Not to be seen from here: never a pass.
    pub fn unknown(why: impl std::fmt::Display) -> Outcome {
        Outcome::warn(format!("cannot be checked here: {why}"))
    }

    /// With a remedy of its own.
    pub fn with_fix(mut self, fix: impl Into<String>) -> Outcome {
        self.fix = Some(fix.into());
        self
    }

    /// Pass, or fail with what is wrong: the first few things, for a VMM has many threads.
    pub(crate) fn none_of(wrong: &[String], pass: impl Into<String>) -> Outcome {
        const SHOWN: usize = 8;
        let shown = wrong
            .iter()
            .take(SHOWN)
            .cloned()
            .collect::<Vec<_>>()
            .join("; ");
        match wrong.len() {
            0 => Outcome::pass(pass),
            1..=SHOWN => Outcome::fail(shown),
            count => Outcome::fail(format!("{shown}; and {} more", count - SHOWN)),
        }
    }
}

impl From<Gap> for Outcome {
    fn from(gap: Gap) -> Outcome {
        Outcome::unknown(gap)
    }
}

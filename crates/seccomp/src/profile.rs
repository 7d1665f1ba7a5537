//! A profile as it is written, read and checked.

use crate::action::Action;
use crate::arch::{self, Arch};
use crate::condition::Condition;
use crate::error::{Error, Result};
use crate::program::Program;
use crate::{builtin, compile};
use serde::Deserialize;
use serde::de::{self, Deserializer};
use serde_json::value::RawValue;
use std::collections::HashMap;

/// Bytes of JSON that are read. The largest built-in has 13 KiB, and the kernel's limit of 4096
/// instructions ends every profile long before this.
pub const MAX_PROFILE_BYTES: usize = 1024 * 1024;

/// Conditions of one filter at most: each of the six arguments, from two sides, and to spare.
pub const MAX_CONDITIONS: usize = 16;

/// A profile that was read and found sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// How errors and results call it: a built-in's name, or a file's.
    pub name: String,
    /// What happens to a call that no filter matches.
    pub default_action: Action,
    /// What happens to a call that a filter matches, unless the filter says otherwise.
    pub filter_action: Action,
    /// In the order in which they are written.
    pub filters: Vec<Filter>,
}

/// One call, perhaps with conditions. Several filters of one call: any may match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// The call's name.
    pub syscall: String,
    /// All must hold; none: the call as such.
    pub conditions: Vec<Condition>,
    /// What happens then.
    pub action: Action,
    /// Where it is written, counted from 1.
    pub line: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written<'a> {
    default_action: Action,
    filter_action: Action,
    // Firecracker's files say `filter`; raw, because only so is a filter's line known.
    #[serde(borrow, alias = "filter")]
    filters: Vec<&'a RawValue>,
    #[serde(default)]
    #[allow(dead_code, reason = "for readers of the file")]
    comment: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenFilter {
    syscall: KnownSyscall,
    #[serde(default)]
    args: Vec<Condition>,
    // Beyond Firecracker's syntax: one filter among others answers differently (ENOSYS for clone3).
    #[serde(default)]
    action: Option<Action>,
    #[serde(default)]
    #[allow(dead_code, reason = "for readers of the file")]
    comment: Option<String>,
}

struct KnownSyscall(String);

impl<'de> Deserialize<'de> for KnownSyscall {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        if arch::is_known(&name) {
            return Ok(KnownSyscall(name));
        }
        Err(de::Error::custom(format_args!(
            "unknown system call {name:?}"
        )))
    }
}

impl Profile {
    /// Reads a profile; `name` is what errors call it.
    pub fn parse(json: &str, name: &str) -> Result<Profile> {
        if json.len() > MAX_PROFILE_BYTES {
            return Err(Error::TooLong {
                profile: name.to_owned(),
                bytes: json.len(),
                max: MAX_PROFILE_BYTES,
            });
        }
        let written: Written<'_> =
            serde_json::from_str(json).map_err(|error| refused(name, 1, &error))?;
        let mut lines = LineCounter::new(json);
        let mut filters = Vec::with_capacity(written.filters.len());
        for raw in written.filters {
            let line = lines.line_of(raw.get());
            let filter: WrittenFilter =
                serde_json::from_str(raw.get()).map_err(|error| refused(name, line, &error))?;
            filters.push(Filter {
                syscall: filter.syscall.0,
                conditions: filter.args,
                action: filter.action.unwrap_or(written.filter_action),
                line,
            });
        }
        let profile = Profile {
            name: name.to_owned(),
            default_action: written.default_action,
            filter_action: written.filter_action,
            filters,
        };
        profile.check()?;
        Ok(profile)
    }

    /// One of the profiles that this crate carries; [`crate::builtin_names`] lists them.
    pub fn builtin(name: &str) -> Result<Profile> {
        Profile::parse(builtin::json(name)?, name)
    }

    /// One of those that hold jobs; another built-in is as unknown as none.
    pub fn builtin_for_jobs(name: &str) -> Result<Profile> {
        match builtin::job_names().any(|known| known == name) {
            true => Profile::builtin(name),
            false => Err(builtin::unknown(name)),
        }
    }

    /// The program for this machine's architecture.
    pub fn compile(&self) -> Result<Program> {
        self.compile_for(Arch::host())
    }

    /// The program for `arch`. Calls that `arch` does not have are left out.
    pub fn compile_for(&self, arch: Arch) -> Result<Program> {
        compile::compile(self, arch)
    }

    fn check(&self) -> Result<()> {
        let mut seen: HashMap<&str, &Filter> = HashMap::new();
        for filter in &self.filters {
            self.check_filter(filter, seen.insert(&filter.syscall, filter))?;
        }
        Ok(())
    }

    fn check_filter(&self, filter: &Filter, earlier: Option<&Filter>) -> Result<()> {
        let syscall = &filter.syscall;
        let refuse = |reason: String| {
            Err(Error::Refused {
                profile: self.name.clone(),
                line: filter.line,
                reason,
            })
        };
        if filter.action == self.default_action {
            return refuse(format!(
                "{syscall} gets {}, which is the default action as well: the filter does nothing",
                filter.action
            ));
        }
        if filter.conditions.len() > MAX_CONDITIONS {
            return refuse(format!(
                "{syscall} has {} conditions, at most {MAX_CONDITIONS} are taken",
                filter.conditions.len()
            ));
        }
        let Some(earlier) = earlier else {
            return Ok(());
        };
        if earlier.action != filter.action {
            return refuse(format!(
                "{syscall} gets {} here and {} in line {}: one call, one action",
                filter.action, earlier.action, earlier.line
            ));
        }
        if earlier.conditions.is_empty() || filter.conditions.is_empty() {
            return refuse(format!(
                "{syscall} is in line {} as well, and one of the two has no conditions: the other does nothing",
                earlier.line
            ));
        }
        Ok(())
    }
}

/// serde_json counts lines from the start of what it was given, which stands in line `first`.
fn refused(profile: &str, first: usize, error: &serde_json::Error) -> Error {
    let text = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    Error::Refused {
        profile: profile.to_owned(),
        line: first + error.line().saturating_sub(1),
        reason: text.strip_suffix(&position).unwrap_or(&text).to_owned(),
    }
}

/// Counts newlines once over the whole text, however many places are asked for in order.
struct LineCounter<'a> {
    json: &'a str,
    offset: usize,
    line: usize,
}

impl<'a> LineCounter<'a> {
    fn new(json: &'a str) -> Self {
        LineCounter {
            json,
            offset: 0,
            line: 1,
        }
    }

    /// The line in which `part`, a slice of the text that lies after the last one asked for, starts.
    fn line_of(&mut self, part: &str) -> usize {
        let start = (part.as_ptr() as usize).wrapping_sub(self.json.as_ptr() as usize);
        let between = self
            .json
            .as_bytes()
            .get(self.offset..start)
            .unwrap_or_default();
        self.line += between.iter().filter(|byte| **byte == b'\n').count();
        self.offset = start.min(self.json.len());
        self.line
    }
}
